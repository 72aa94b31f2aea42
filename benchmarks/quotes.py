"""Checking quotes: false accepts and refusals on tests/files/false_quotes.yaml, and how long a check takes.

    python benchmarks/quotes.py [--peers FOLDER]

--peers names a site-packages folder that holds langextract, which is then run on the same cases in the same process: as
it comes, and in its strictest setting (exact alignment only). `in` is Python's own substring test. The corpus is our
own specification: our zeros show a rule kept, the peers' figures what the rule is worth.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT), str(ROOT / "tests")]

from page_lines import make_page  # noqa: E402

from pipeline.judge.grounding import verify  # noqa: E402
from pipeline.models import Claim, Page  # noqa: E402
from pipeline.text import normalise  # noqa: E402

PAGE_CHARS = 13_800
Check = Callable[[str, Page], bool]


def cases() -> list[tuple[str, Page, bool]]:
    """Quote, page, and whether it may be accepted, without the cases about links and other pages."""
    corpus = yaml.safe_load((ROOT / "tests/files/false_quotes.yaml").read_text(encoding="utf-8"))
    pages = {name: make_page(lines, name) for name, lines in corpus["pages"].items()}
    return [
        (case["quote"], pages.get(case["page"]) or make_page(case["page"].split("\n")), case["expect"] not in REFUSALS)
        for rows in corpus["groups"].values()
        for case in rows
        if not case.keys() & {"href", "claimed", "hidden"}
    ]


REFUSALS = ("refused", "too_short")


def ours(text: str, page: Page) -> bool:
    return verify(Claim(text=text, page_sha256=page.sha256), {page.sha256: page}).quote is not None


def substring(text: str, page: Page) -> bool:
    return bool(text) and text in page.text


def langextract(strict: bool) -> Check:
    from langextract import resolver
    from langextract.core import data, tokenizer

    aligner, words = resolver.WordAligner(), tokenizer.UnicodeTokenizer()

    def check(text: str, page: Page) -> bool:
        if not text.strip():
            return False
        groups = aligner.align_extractions(
            [[data.Extraction("quote", text)]],
            page.text,
            tokenizer_impl=words,
            enable_fuzzy_alignment=not strict,
            accept_match_lesser=not strict,
        )
        return groups[0][0].char_interval is not None

    return check


def correctness(name: str, check: Check) -> None:
    false_accepts = sum(check(text, page) for text, page, right in cases() if not right)
    false_refusals = sum(not check(text, page) for text, page, right in cases() if right)
    wrong, right = sum(not right for *_, right in cases()), sum(right for *_, right in cases())
    print(f"{name:20} false accepts {false_accepts:3}/{wrong}   false refusals {false_refusals:3}/{right}")


def long_page(number: int) -> Page:
    """A page of PAGE_CHARS characters with widths, spaces and figures mixed."""
    dice = random.Random(number)
    lines: list[str] = []
    while sum(map(len, lines)) + len(lines) < PAGE_CHARS:
        lines.append(
            f"第{dice.randint(1, 999)}号　ｵﾝﾗｲﾝ窓口（{dice.choice('東西南北')}庁舎）では、１日{dice.randint(1, 99)}"
            f"件の{dice.choice(['住民票', '税証明', '戸籍'])}の申請を{dice.choice(['受け付けます', '扱います'])}。"
        )
    return make_page(lines, f"long{number}")


def timing(name: str, check: Check, rounds: int) -> None:
    page = long_page(0)
    dice = random.Random(1)
    true = [page.text[at : at + 60].split("\n")[0] for at in dice.sample(range(len(page.text) - 80), rounds)]
    false = [
        "市内のすべての窓口で人工知能による自動応答と電子署名つきの証明書交付が始まりました" for _ in range(rounds)
    ]
    check("温める", page)
    print(f"{name:20} true {_each(check, true, page):.3f} ms, invented with a hint {_each(check, false, page):.3f} ms")


def _each(check: Check, quotes: list[str], page: Page) -> float:
    taken = []
    for number, quote in enumerate(quotes):
        text = quote if len(set(quotes)) > 1 else f"{quote}{number}"
        started = time.perf_counter()
        check(text, page)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def folding() -> None:
    taken = []
    for number in range(20):
        text = long_page(number).text
        started = time.perf_counter()
        normalise(text)
        taken.append((time.perf_counter() - started) * 1000)
    print(f"folding a page of {PAGE_CHARS:,} characters: {statistics.median(taken):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path)
    peers: Any = parser.parse_args().peers
    checks: list[tuple[str, Check, int]] = [("ours", ours, 200), ("in", substring, 200)]
    if peers:
        sys.path.append(str(peers))
        checks += [("langextract", langextract(False), 3), ("langextract strict", langextract(True), 10)]
    for name, check, _ in checks:
        correctness(name, check)
    folding()
    for name, check, rounds in checks:
        timing(name, check, rounds)


if __name__ == "__main__":
    main()
