"""Retrieval: is a gold passage among the first 10 or 20, how long does it take, beside bare bm25s.

    python benchmarks/retrieval.py [--shared FOLDER]

Recall: criteria with gold evidence for which at least one gold quote overlaps an offered passage; one index for each
development site, and one for all. Times: one index of about 20,000 passages (the sites repeated under other hosts).
same: bm25s over our passages with the same words; bare: bm25s over blocks with the criterion's statement.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted

from pipeline.criteria import load
from pipeline.extract import extract
from pipeline.judge.grounding import verify
from pipeline.models import Claim, Criterion, Page, Quote, Snapshot
from pipeline.retrieve import Index
from pipeline.text import searchable

TYPES = {".html": "text/html", ".pdf": "application/pdf", ".txt": "text/plain"}
Span = tuple[str, int, int]
LIMITS = (1, 3, 5, 10, 20)


def read_site(site: Path, host: str) -> list[Page]:
    """The pages of a folder of files, as if served at the root of a host."""
    pages = []
    for path in sorted(path for path in site.rglob("*") if path.suffix in TYPES and path.name != "robots.txt"):
        body = path.read_bytes()
        url = f"https://{host}/{quoted(path.relative_to(site).as_posix())}"
        snapshot = Snapshot(
            url=url,
            final_url=url,
            fetched_at=datetime(2026, 11, 20, tzinfo=UTC),
            status=200,
            headers=(("Content-Type", TYPES[path.suffix]),),
            sha256=hashlib.sha256(body).hexdigest(),
            warc="",
            offset=0,
        )
        page = extract(snapshot, body)
        if isinstance(page, Page):
            pages.append(page)
    return pages


def gold(labels: Path, pages: Sequence[Page], host: str) -> dict[str, list[Quote]]:
    """Criterion id to its gold quotes, as found in the pages. Quotes that no page holds are left out."""
    by_url = {page.url: page for page in pages}
    found: dict[str, list[Quote]] = {}
    for line in labels.read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        for evidence in label["evidence"]:
            if not evidence["quote"]:
                continue
            path = evidence["path"] + ("index.html" if evidence["path"].endswith("/") else "")
            page = by_url.get(f"https://{host}{path}")
            grounded = verify(Claim(text=evidence["quote"]), {page.sha256: page}) if page else None
            if grounded and grounded.quote:
                found.setdefault(label["criterion"], []).append(grounded.quote)
            else:
                print("   gold not in pages:", label["criterion"], evidence["path"], evidence["quote"][:30])
    return found


def overlaps(spans: Sequence[Span], quotes: Sequence[Quote]) -> bool:
    """Whether half of any gold quote lies in one of the spans."""
    return any(
        sha == gold.page_sha256 and min(end, gold.end) - max(start, gold.start) >= len(gold.text) / 2
        for sha, start, end in spans
        for gold in quotes
    )


def ours(pages: Sequence[Page]) -> Callable[[Criterion, int], list[Span]]:
    index = Index(pages)
    return lambda criterion, limit: [
        (found.page_sha256, found.start, found.end) for found in index.passages(criterion, limit=limit)
    ]


def bare(pages: Sequence[Page]) -> Callable[[Criterion, int], list[Span]]:
    """bm25s over the character bigrams of each block, asked with the criterion's statement only."""
    return bm25([(page.sha256, block.start, block.end) for page in pages for block in page.blocks], pages, False)


def same(pages: Sequence[Page]) -> Callable[[Criterion, int], list[Span]]:
    """bm25s over the character bigrams of the very passages that ours offers, asked with statement and search terms."""
    index = Index(pages)
    units = [(index._pages[unit.page].sha256, unit.start, unit.end) for unit in index._units]
    return bm25(units, pages, True)


def bm25(spans: list[Span], pages: Sequence[Page], terms: bool) -> Callable[[Criterion, int], list[Span]]:
    import bm25s

    by_sha = {page.sha256: page for page in pages}
    engine = bm25s.BM25()
    engine.index([bigrams(by_sha[sha].text[start:end]) for sha, start, end in spans], show_progress=False)

    def ask(criterion: Criterion, limit: int) -> list[Span]:
        asked = [criterion.statement_ja, *(criterion.search_terms if terms else ())]
        known = [pair for text in asked for pair in bigrams(text) if pair in engine.vocab_dict]
        places, _ = engine.retrieve([known], k=min(limit, len(spans)), show_progress=False)
        return [spans[place] for place in places[0]]

    return ask


def bigrams(text: str) -> list[str]:
    text = searchable(text)
    return [text[at : at + 2] for at in range(len(text) - 1)] or [text]


def recall(ask: Callable[[Criterion, int], list[Span]], criteria: Any, wanted: dict[str, list[Quote]]) -> str:
    row, missed = [], []
    for limit in LIMITS:
        missed = [name for name, quotes in wanted.items() if not overlaps(ask(criteria.criterion(name), limit), quotes)]
        row.append(f"@{limit} {len(wanted) - len(missed):2}/{len(wanted)}")
    return "  ".join(row) + (f"  missed: {' '.join(missed)}" if len(missed) < 6 else "")


def scaled(pages: Sequence[Page], passages: int) -> list[Page]:
    """The pages again and again under other hosts, until their index holds about so many passages."""
    many: list[Page] = []
    for copy in range(1000):
        for page in pages:
            url = page.url.replace("https://", f"https://c{copy}.")
            sha256 = hashlib.sha256(url.encode()).hexdigest()
            many.append(page.model_copy(update={"url": url, "sha256": sha256}))
        if sum(len(page.blocks) for page in many) >= passages * 3.3:
            return many
    return many


def timed(name: str, build: Callable[[Sequence[Page]], Any], pages: Sequence[Page], asked: Sequence[Criterion]) -> None:
    started = time.perf_counter()
    ask = build(pages)
    built = time.perf_counter() - started
    ask(asked[0], 10)
    each = []
    for criterion in asked:
        started = time.perf_counter()
        ask(criterion, 10)
        each.append((time.perf_counter() - started) * 1000)
    print(f"{name:6} index {built:.2f} s, query p50 {statistics.median(each):.1f} ms, max {max(each):.1f} ms")


PEERS = (("ours", ours), ("same", same), ("bare", bare))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    folder = parser.parse_args().shared / "evidence" / "sites"
    criteria = load("dx-2024")
    every: list[Page] = []
    golds = []
    for site in sorted(path.name for path in folder.iterdir()):
        host = f"www.{site}.example.jp"
        pages = read_site(folder / site / "site", host)
        wanted = gold(folder / site / "labels.jsonl", pages, host)
        every += pages
        for name, build in PEERS:
            print(f"{site:10} {len(pages):3} pages  {name}  recall {recall(build(pages), criteria, wanted)}")
        golds.append(wanted)
    for name, build in PEERS:
        ask = build(every)
        print(f"all in one {len(every):3} pages  {name}  recall", *(recall(ask, criteria, wanted) for wanted in golds))
    many = scaled(every, 20_000)
    print(len(Index(many)), "passages,", sum(len(page.blocks) for page in many), "blocks")
    for name, build in PEERS:
        timed(name, build, many, criteria.criteria)


if __name__ == "__main__":
    main()
