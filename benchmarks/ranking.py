"""What a ranking of a whole nation takes: 1,742 municipalities with 31 judgements each, nine in ten decided.

    python benchmarks/ranking.py [--cities 1742]

Builds the surveys in a temporary workspace, then runs `classify rank` for the terminal, HTML, CSV and JSON, each in a
process of its own. Prints seconds, the process's peak memory in MiB, and the size of what it wrote.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.criteria import load
from pipeline.models import (
    Coverage,
    CriteriaSet,
    Judgement,
    Match,
    Municipality,
    Pending,
    Quote,
    Run,
    RunState,
    Verdict,
)
from pipeline.municipality import check_digit
from pipeline.municipality.prefectures import HOST_LABELS
from pipeline.review.queue import approve
from pipeline.store.store import Store
from pipeline.workspace import Workspace

CLASSIFY = str(Path(sys.executable).with_name("classify"))
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DECIDED = 0.9
PENDING = 300  # addresses that a crawl did not fetch, as a page budget of 400 leaves them
VERDICTS = [Verdict.MET] * 5 + [Verdict.NOT_MET, Verdict.NO_EVIDENCE, Verdict.NO_EVIDENCE, Verdict.UNOBSERVED]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cities", type=int, default=1742)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        people = surveyed(home, given.cities)
        print(f"{given.cities} municipalities, {given.cities * 31} judgements", flush=True)
        print("| written | s | MiB | kB |\n|---|---|---|---|", flush=True)
        for form in ("terminal", "html", "csv", "json"):
            measured(home, people, form)


def surveyed(home: Path, cities: int) -> Path:
    """A workspace of so many surveys; returns the list of their populations."""
    chance, asked = random.Random(7), load("dx-2024")
    Workspace(home).keep(asked)
    lines = ["code,population"]
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        for n in range(cities):
            city = municipality(n)
            lines.append(f"{city.code},{int(chance.lognormvariate(10.3, 1.2))}")
            survey(store, city, asked, chance, n)
    path = home / "people.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def municipality(n: int) -> Municipality:
    prefectures = list(HOST_LABELS)
    digits = f"{n % 47 + 1:02}{n // 47 + 201:03}"
    ending = "市町村市町"[n % 5]
    return Municipality(
        code=digits + check_digit(digits), name=f"第{n}{ending}", kana=f"だい{n}", prefecture=prefectures[n % 47]
    )


def survey(store: Store, city: Municipality, asked: CriteriaSet, chance: random.Random, n: int) -> None:
    home = f"https://city{n}.example/"
    pending = tuple(Pending(url=f"{home}{page}.html", label=f"ページ{page}") for page in range(PENDING))
    run = Run(
        id=f"20260501T{n:06}",
        municipality=city,
        criteria_id=asked.id,
        criteria_sha256=asked.sha256,
        as_of=date(2026, 4, 1 + n % 28),
        judge="rules",
        state=RunState.DONE,
        started=NOW,
        finished=NOW,
        coverage=Coverage(
            home_read=True, found=700, fetched=400, read=398, pending=pending, started=NOW, finished=NOW, max_pages=400
        ),
    )
    store.save_run(run)
    store.save_judgements(run, [judgement(one.id, asked.sha256, home, chance) for one in asked.criteria])
    for item in store.items(run.id):
        if chance.random() < DECIDED:
            store.record(approve(item, reviewer="佐藤", now=NOW))


def judgement(criterion: str, sha256: str, home: str, chance: random.Random) -> Judgement:
    """One judgement of the size that a rules judge leaves: a quote with its context, and the pages searched."""
    verdict = chance.choice(VERDICTS)
    text = f"{criterion}について令和6年度から取り組んでいます。"
    quote = Quote(
        page_sha256="b" * 64,
        url=f"{home}{criterion}.html",
        start=100,
        end=100 + len(text),
        text=text,
        match=Match.EXACT,
        title=f"{criterion}のページ",
        context="前の文です。" * 20 + text + "後の文です。" * 20,
    )
    return Judgement(
        criterion=criterion,
        verdict=verdict,
        quotes=(quote,) if verdict in (Verdict.MET, Verdict.NOT_MET) else (),
        rationale="手がかりの語がその文にあり、否定も予定もありません。",
        confidence=round(chance.random(), 3),
        searched=tuple(f"{home}{page}.html" for page in range(10)),
        judge="rules",
        criteria_sha256=sha256,
        judged_at=NOW,
    )


def measured(home: Path, people: Path, form: str) -> None:
    out = home / f"ranking.{form}"
    arguments = [] if form == "terminal" else ["--out", str(out)]
    environment = os.environ | {"CLASSIFY_HOME": str(home), "CLASSIFY_POPULATIONS": str(people)}
    begun = time.perf_counter()
    with subprocess.Popen([CLASSIFY, "rank", *arguments], env=environment, stdout=subprocess.PIPE) as running:
        told = (running.stdout.read() if running.stdout else b"") or b""
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - begun
    assert running.returncode == 0, told
    size = out.stat().st_size if out.exists() else len(told)
    print(f"| {form} | {took:.1f} | {peak_mib(used):.0f} | {size / 1000:.0f} |", flush=True)


def peak_mib(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
