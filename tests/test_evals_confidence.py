"""What a judge's confidence is worth: the order of the queue, risk over coverage, what may be accepted, calibration."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from eval_data import case, cases
from queue_data import judgement, quote, save
from scipy.stats import binom

from evals.confidence import (
    ALPHA,
    BINS,
    TARGET_RISK,
    Bin,
    auto_accept,
    brier,
    calibration,
    calibration_error,
    errors_first,
    queue_order,
    risk_coverage,
    self_consistency,
)
from evals.metrics import Share
from evals.nouns import Case
from pipeline.models import Flag, Judgement
from pipeline.store.store import Store

RIGHT, WRONG = "met met", "no_evidence met"


def rated(told: str, **changes: object) -> list[Case]:
    """Cases of confidences, right or wrong, as in ".9+ .9- .5+++"."""
    return [
        case(RIGHT if mark == "+" else WRONG, confidence=float(word.rstrip("+-")), **changes)
        for word in told.split()
        for mark in word.lstrip(".0123456789")
    ]


def some(seed: int, n: int = 60) -> list[Case]:
    """Cases of many or few confidences, right about as often as they say."""
    draw = random.Random(seed)
    digits = draw.choice([1, 2, 6])
    found = []
    for _ in range(n):
        sure = round(draw.random(), digits)
        found.append(case(RIGHT if draw.random() < sure else WRONG, confidence=sure, site=draw.choice("abc")))
    return found


# --- the queue --------------------------------------------------------------------------------------------------------


def doubtful(seed: int) -> list[Judgement]:
    """Fifty judgements with few confidences and mixed flags: many are equally doubtful."""
    draw = random.Random(seed)
    return [
        judgement(
            f"ops-{n:02}",
            quotes=(quote(f"RPAを導入しました{n}"),),
            confidence=draw.choice([0.2, 0.35, 0.5, 0.8]),
            flags=tuple(draw.sample(list(Flag), draw.choice([0, 0, 1, 2]))),
        )
        for n in range(50)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_cases_stand_in_the_order_in_which_the_review_queue_serves_them(tmp_path: Path, seed: int) -> None:
    """Of equal doubt the store goes by criterion; a stable order of cases in that order is the same."""
    judged = doubtful(seed)
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        save(store, *judged)
        served = [item.judgement.criterion for item in store.waiting()]
    mine = [case(criterion=one.criterion, confidence=one.confidence, flags=one.flags) for one in judged]
    assert [one.criterion for one in queue_order(mine)] == served
    random.Random(seed).shuffle(mine)
    assert [rank(one) for one in queue_order(mine)] == sorted(map(rank, mine))


def rank(one: Case) -> tuple[bool, float]:
    return Flag.JUDGES_DISAGREE not in one.flags, one.confidence


@pytest.mark.parametrize(
    ("told", "hit", "of"),
    [
        (".1- .2+ .3+ .4+ .5+ .6+ .7+ .8+ .9- .95+", 1, 2),  # three of ten are read
        (".95- .9- .8- .7- .6- .5- .4- .3- .2- .1-", 3, 10),
        (".5+++++-----", 1, 5),  # three of ten equal ones: 1.5 errors are expected
        (".5+++++++---", 0, 3),  # 0.9
        (".5----------", 3, 10),
        (".1++ .2++-- .9++++", 0, 2),  # one of four at the edge: 0.5
        (".1++ .2---- .9++++", 1, 4),
        (".1-- .2++-- .9++++", 2, 4),  # 2 + 0.5
        (".1- .9+", 1, 1),  # 0.6 of two is one
        (".1+ .9-", 0, 1),
        (".1++++", 0, 0),
    ],
)
def test_errors_in_the_first_thirty_percent_by_hand(told: str, hit: int, of: int) -> None:
    found = rated(told)
    assert errors_first(found) == errors_first(found[::-1]) == Share(hit, of, "no judgement is wrong")


def test_where_judges_disagree_is_read_first_however_sure_they_are() -> None:
    sure = rated(".9-", flags=(Flag.JUDGES_DISAGREE,))
    assert errors_first(rated(".1+++ .2++++++") + sure).hit == 1
    assert errors_first(rated(".1+++ .2++++++ .9-")).hit == 0


def test_all_of_the_queue_holds_all_errors_and_none_of_it_none() -> None:
    for seed in range(5):
        wrong = sum(not one.agrees for one in some(seed))
        assert (errors_first(some(seed), 1.0).hit, errors_first(some(seed), 0.0).hit) == (wrong, 0)
    assert errors_first([]).value is None


# --- risk over coverage -----------------------------------------------------------------------------------------------


def test_risk_and_coverage_by_hand() -> None:
    points = risk_coverage(rated(".1- .9+- .5+"))
    assert [(one.confidence, one.accepted, one.errors, one.of) for one in points] == [
        (0.9, 2, 1, 4),
        (0.5, 3, 1, 4),
        (0.1, 4, 2, 4),
    ]
    assert [(one.coverage, one.risk) for one in points] == [(0.5, 0.5), (0.75, 1 / 3), (1, 0.5)]


@pytest.mark.parametrize("seed", range(8))
def test_coverage_grows_as_confidence_falls_and_no_risk_is_above_its_bound(seed: int) -> None:
    points = risk_coverage(some(seed))
    confidences, coverages = [one.confidence for one in points], [one.coverage for one in points]
    assert confidences == sorted(set(confidences), reverse=True)
    assert coverages == sorted(set(coverages)) and coverages[-1] == 1
    assert all(one.risk <= one.bound <= 1 for one in points)


def test_the_bound_is_the_risk_under_which_so_few_errors_are_just_still_likely() -> None:
    for point in risk_coverage(some(1)):
        if point.errors < point.accepted:
            assert binom.cdf(point.errors, point.accepted, point.bound) == pytest.approx(ALPHA, abs=1e-9)
        else:
            assert point.bound == 1


@pytest.mark.parametrize(
    ("told", "at", "errors"),
    [
        (".9" + "+" * 58, None, 0),  # 1 - 0.05 ** (1/58) = 0.0503
        (".9" + "+" * 59, 0.9, 0),  # 0.0495
        (".9" + "+" * 58 + "-", None, 0),
        (".9" + "+" * 59 + " .5" + "-" * 59, 0.9, 0),
        (".9" + "+" * 59 + " .5" + "+" * 40 + "-", 0.5, 1),
        (".95+++ .9" + "+" * 59, 0.9, 0),  # with too few above it
        (".9" + "+" * 59 + " .8----- .7" + "+" * 300, 0.9, 0),  # 0.7 would pass, behind a failure
    ],
)
def test_where_judgements_may_be_accepted_unread_by_hand(told: str, at: float | None, errors: int) -> None:
    found = auto_accept(rated(told))
    assert (found.point and found.point.confidence) == at
    if found.point:
        assert found.point.errors == errors and found.point.bound <= TARGET_RISK and found.why == ""


def test_on_few_cases_nothing_may_be_accepted_and_it_says_why() -> None:
    found = auto_accept(rated(".9++++"))
    assert found.point is None and found.why == "no confidence bounds the risk under 5% on 4 cases"
    assert found.held_out == Share(0, 0, "nothing is accepted")
    assert auto_accept([]).point is None


def test_held_out_each_city_is_accepted_by_what_the_others_taught() -> None:
    """b is accepted from .9, as a taught, with its ten errors; a is not: b alone teaches no threshold."""
    known = rated(".9" + "+" * 59 + " .3-", site="a") + rated(".9" + "+" * 49 + "-" * 10 + " .3-", site="b")
    found = auto_accept(known)
    assert (found.held_out.hit, found.held_out.of) == (10, 59)
    assert found.point is None


def test_of_judges_just_above_the_risk_at_most_one_in_twenty_gets_a_threshold() -> None:
    """What the bound promises: a judge that errs in 5.1 % at every confidence is let through at most by ALPHA."""
    draw, tries = random.Random(1), 200
    blocks = [(case(RIGHT, confidence=n / 50), case(WRONG, confidence=n / 50)) for n in range(50)]
    passed = 0
    for _ in range(tries):
        judged = [wrong if draw.random() < 0.051 else right for right, wrong in blocks for _ in range(20)]
        passed += auto_accept(judged).point is not None
    assert passed <= binom.ppf(0.999, tries, ALPHA)


# --- calibration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_bins_part_the_cases_and_equal_confidences_share_one(seed: int) -> None:
    known = sorted(some(seed, 30 + 17 * seed), key=lambda one: one.confidence)
    bins, at = calibration(known[::-1]), 0
    assert 1 <= len(bins) <= BINS
    for one in bins:
        held = known[at : at + one.n]
        assert one.confidence == pytest.approx(mean([case.confidence for case in held]), abs=1e-9)
        assert one.accuracy == pytest.approx(mean([case.agrees for case in held]), abs=1e-9)
        at += one.n
        assert at == len(known) or known[at - 1].confidence < known[at].confidence
    assert at == len(known)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_bins_of_unlike_confidences_are_of_one_size() -> None:
    unlike = [case(confidence=n / 100) for n in range(100)]
    assert [one.n for one in calibration(unlike)] == [10] * 10
    assert [one.n for one in calibration(unlike[:95])] == [10] * 9 + [5]
    assert [one.n for one in calibration(unlike[:3])] == [1, 1, 1]
    assert calibration([]) == []


def test_calibration_error_and_brier_score_by_hand() -> None:
    """Bins (.2: 1 of 2 right), (.6: 1 of 1), (1.0: 1 of 1): (2 * .3 + .4 + 0) / 4; squares .04 + .64 + .16 + 0."""
    known = rated(".2+- .6+ 1.0+")
    assert calibration(known) == [Bin(2, 0.2, 0.5), Bin(1, 0.6, 1), Bin(1, 1, 1)]
    assert calibration_error(calibration(known)) == pytest.approx(0.25, abs=1e-12)
    assert brier(known) == pytest.approx((0.64 + 0.04 + 0.16) / 4, abs=1e-12)
    assert calibration_error([]) is None and brier([]) is None


def test_only_judgements_asked_several_times_can_be_consistent() -> None:
    votes = [(), ("met",), ("met", "met"), ("met", "not_met", "met"), ("no_evidence",) * 3]
    found = self_consistency([case(votes=one) for one in votes])
    assert (found.hit, found.of) == (2, 3)
    alone = self_consistency(cases({RIGHT: 2}))
    assert alone.value is None and "--votes" in alone.why
