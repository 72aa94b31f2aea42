"""The whole walk over labelled sites: each is served on a loopback port, crawled, judged and held against its labels.

    python benchmarks/crawled_agreement.py --sites DIR [--markdown]

DIR as for agreement.py. What agreement.py leaves out is in here: what the crawl finds, the archive, the verifier, and
the rule that silence about unread pages is `unobserved`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipeline import demo
from pipeline.criteria import load
from pipeline.models import Municipality, Verdict
from pipeline.panel import Wish, panel
from pipeline.run import Order, survey
from pipeline.settings import Settings
from pipeline.store.store import Store

VERDICTS = ("met", "not_met", "no_evidence", "not_judged", "unobserved")
Pair = tuple[str, str]  # label, judgement


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which the folder answers on a loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def judged(folder: Path) -> dict[str, tuple[str, str, str]]:
    """Criterion -> label, judgement, first quote; criteria labelled `skip` left out."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    site = folder / "site" if (folder / "site").is_dir() else demo.SITE
    lines = (folder / "labels.jsonl").read_text("utf-8").splitlines()
    labels = {one["criterion"]: one["verdict"] for one in map(json.loads, lines)}
    with tempfile.TemporaryDirectory() as home, served(site) as url:
        settings = Settings(home=Path(home), cache=Path(home) / "cache", db="")
        city = Municipality(**{key: manifest[key] for key in ("code", "name", "kana", "prefecture")}, home_url=url)
        order = Order(
            municipality=city,
            criteria=load("dx-2024"),
            as_of=date.fromisoformat(manifest["as_of"]),
            delay_s=0.0,
            allow_private=True,
        )
        run = survey(order, settings=settings, panel=panel(Wish(judges="rules"), settings), watch=lambda *_: None).run
        with Store(settings.database_url) as store:
            items = [item.judgement for item in store.items(run.id)]
    return {
        one.criterion: (labels[one.criterion], one.verdict.value, one.quotes[0].text if one.quotes else "")
        for one in items
        if labels[one.criterion] != "skip"
    }


def kappa(pairs: list[Pair]) -> float:
    """Cohen's kappa (Cohen 1960): (observed - chance) / (1 - chance)."""
    labels, said = Counter(label for label, _ in pairs), Counter(one for _, one in pairs)
    chance = sum(labels[verdict] * said[verdict] for verdict in VERDICTS) / len(pairs) ** 2
    observed = sum(label == one for label, one in pairs) / len(pairs)
    return (observed - chance) / (1 - chance)


def row(name: str, pairs: list[Pair], seconds: float) -> str:
    met, said = (sum(pair[side] == "met" for pair in pairs) for side in (0, 1))
    both = sum(pair == ("met", "met") for pair in pairs)
    agreed = sum(label == one for label, one in pairs)
    return f"| {name} | {agreed}/{len(pairs)} | {kappa(pairs):.2f} | {both}/{said} | {both}/{met} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=Path, required=True, help="folder of labelled sites")
    wanted = parser.parse_args()
    print("| site | agreement | kappa | precision of met | recall of met | s |\n|---|---|---|---|---|---|")
    pooled: list[Pair] = []
    wrong: list[str] = []
    total = 0.0
    for folder in sorted(one.parent for one in wanted.sites.glob("*/labels.jsonl")):
        begun = time.perf_counter()
        found = judged(folder)
        total += (seconds := time.perf_counter() - begun)
        pairs = [(label, said) for label, said, _ in found.values()]
        pooled += pairs
        print(row(folder.name, pairs, seconds))
        wrong += [f"{folder.name} {key}: label {a}, judged {b} {q}" for key, (a, b, q) in found.items() if a != b]
    print(row("pooled", pooled, total))
    counts = Counter(pooled)
    print("\n| label \\ judged | " + " | ".join(VERDICTS) + " |\n|---|" + "---|" * len(VERDICTS))
    for label in (Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE, Verdict.UNOBSERVED):
        print(f"| {label} | " + " | ".join(str(counts[label, verdict]) for verdict in VERDICTS) + " |")
    print("\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
