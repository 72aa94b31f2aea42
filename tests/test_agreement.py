"""Cohen's kappa by hand, at its edges, and over the log of codings."""

from __future__ import annotations

import pytest

from pipeline.agreement import cohen
from pipeline.store.serving import Coding
from pipeline.web.counts import kappas


def table(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> list[tuple[str, str]]:
    return [("y", "y")] * yes_yes + [("y", "n")] * yes_no + [("n", "y")] * no_yes + [("n", "n")] * no_no


@pytest.mark.parametrize(
    ("pairs", "observed", "expected", "kappa"),
    [
        # po = 35/50; pe = 25/50 * 30/50 + 25/50 * 20/50 = 0.5
        (table(20, 5, 10, 15), 0.7, 0.5, 0.4),
        # The two tables of one observed agreement that differ by chance: pe = .6*.7+.4*.3 and .6*.3+.4*.7
        (table(45, 15, 25, 15), 0.6, 0.54, 0.06 / 0.46),
        (table(25, 35, 5, 35), 0.6, 0.46, 0.14 / 0.54),
        (table(1, 0, 0, 1), 1.0, 0.5, 1.0),
        (table(0, 1, 1, 0), 0.0, 0.5, -1.0),
        (table(0, 2, 0, 0), 0.0, 0.0, 0.0),
        ([("met", "met"), ("not_met", "not_met"), ("no_evidence", "met")], 2 / 3, 1 / 3, 0.5),
    ],
)
def test_by_hand(pairs: list[tuple[str, str]], observed: float, expected: float, kappa: float) -> None:
    found = cohen(pairs)
    assert (found.observed, found.expected, found.value) == pytest.approx((observed, expected, kappa), abs=1e-12)
    assert found.n == len(pairs)


@pytest.mark.parametrize(("pairs", "why"), [([], "nothing is coded"), (table(4, 0, 0, 0), "all codes are the same")])
def test_where_it_is_undefined_it_says_why(pairs: list[tuple[str, str]], why: str) -> None:
    found = cohen(pairs)
    assert found.value is None
    assert why in found.why


def line(of: str, action: str, reviewer: str, verdict: str | None = None, criterion: str = "ops-01") -> Coding:
    return Coding(of, criterion, action, verdict, reviewer)


def test_only_complete_pairs_that_stand_are_counted() -> None:
    log = [
        line("a", "code", "佐藤", "met"),
        line("a", "code", "鈴木", "met"),
        line("b", "code", "鈴木", "met"),
        line("b", "note", "鈴木"),
        line("b", "undo", "鈴木"),
        line("b", "code", "鈴木", "not_met"),
        line("b", "code", "佐藤", "met"),
        line("b", "amend", "高橋", "met"),
        line("c", "code", "佐藤", "met", "ops-02"),
    ]
    found = kappas(log)
    assert set(found) == {"", "ops-01"}
    assert (found[""].n, found[""].observed) == (2, 0.5)
    assert found["ops-01"] == found[""]


def test_an_empty_log_has_no_agreement_yet() -> None:
    assert kappas([])[""].value is None
