"""Pages a second and core: our extraction beside bare trafilatura on the same pages, and what decoding costs.

    python -m benchmarks.extract [pages]

The pages are made up (long menus, prose, tables), one process, one core; the first page of each run is not counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import trafilatura

from pipeline.charset import decode
from pipeline.extract import extract
from tests.make_pages import municipal_page, snapshot


def seconds(work: Callable[[bytes], object], bodies: Sequence[bytes]) -> list[float]:
    """Time of `work` on each body, sorted."""
    work(bodies[0])
    spent = []
    for body in bodies:
        started = time.process_time()
        work(body)
        spent.append(time.process_time() - started)
    return sorted(spent)


def main() -> None:
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    bodies = [municipal_page(seed).encode() for seed in range(pages)]
    print(f"{pages} pages, mean {sum(map(len, bodies)) / pages / 1000:.0f} KB\n")
    print("| tool | pages/s/core | ms p50 | ms p99 |\n|---|---|---|---|")
    rows: dict[str, Callable[[bytes], object]] = {
        "ours: blocks, links, date, main text": lambda body: extract(snapshot(body), body),
        "trafilatura, default": lambda body: trafilatura.bare_extraction(body.decode(), with_metadata=False),
        "trafilatura, fast and recall": lambda body: trafilatura.bare_extraction(
            body.decode(), fast=True, favor_recall=True, with_metadata=False
        ),
        "trafilatura, with metadata": lambda body: trafilatura.bare_extraction(body.decode(), with_metadata=True),
    }
    for name, work in rows.items():
        spent = seconds(work, bodies)
        print(f"| {name} | {pages / sum(spent):.1f} | {_ms(spent, 0.5)} | {_ms(spent, 0.99)} |")
    print("\n| decode | ms a page |\n|---|---|")
    for charset in ("utf-8", "cp932", "euc_jp"):
        spent = seconds(decode, [body.decode().encode(charset) for body in bodies])
        print(f"| {charset} | {1000 * sum(spent) / pages:.2f} |")


def _ms(spent: Sequence[float], share: float) -> str:
    return f"{1000 * spent[min(len(spent) - 1, int(share * len(spent)))]:.1f}"


if __name__ == "__main__":
    main()
