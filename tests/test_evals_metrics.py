"""Figures of agreement by hand and beside scikit-learn's, intervals beside SciPy's and statsmodels'."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from math import isnan, nan
from statistics import fmean

import numpy as np
import pytest
from eval_data import case, cases
from scipy.stats import sem, t
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint

from evals import tables
from evals.intervals import SEED, Interval, bootstrap, exact, jackknife_t, over_cities
from evals.metrics import STATISTICS, by_city, figures
from evals.nouns import Case

CLOSE = 1e-9
GOLDS = ["met", "not_met", "no_evidence", "unobserved"]
SAIDS = [*GOLDS, "not_judged"]
TEN = {
    "met met": 4,
    "met no_evidence": 1,
    "not_met met": 1,
    "not_met not_met": 2,
    "no_evidence no_evidence": 1,
    "no_evidence not_met": 1,
}


# --- figures by hand --------------------------------------------------------------------------------------------------


def test_the_shares_of_ten_cases_by_hand() -> None:
    found = figures("ten", cases(TEN))
    assert found.n == 10
    assert found.confusion == Counter({tuple(told.split()): n for told, n in TEN.items()})
    assert (found.prevalence.hit, found.prevalence.of) == (5, 10)
    assert (found.agreement.hit, found.agreement.of) == (7, 10)
    assert (found.precision.hit, found.precision.of) == (4, 5)
    assert (found.recall.hit, found.recall.of) == (4, 5)
    assert found.f1 == 8 / 10


def test_the_coefficients_of_ten_cases_by_hand() -> None:
    """Labels and verdicts both: met 5, not_met 3, no_evidence 2, and 7 of 10 agree.

    kappa: pe = (25 + 9 + 4) / 100, (0.70 - 0.38) / 0.62. Point: 8 of 10 agree, pe = 1/2. AC1: pe = (0.25 + 0.21 +
    0.16) / 2, (0.70 - 0.31) / 0.69. alpha: pe = (10*9 + 6*5 + 4*3) / (20*19), (266 - 132) / (380 - 132).
    """
    found = figures("ten", cases(TEN))
    assert found.kappa.value == pytest.approx(16 / 31, abs=CLOSE)
    assert found.point_kappa.value == pytest.approx(0.6, abs=CLOSE)
    assert found.ac1.value == pytest.approx(13 / 23, abs=CLOSE)
    assert found.alpha.value == pytest.approx(67 / 124, abs=CLOSE)


def test_precision_and_recall_are_not_exchanged() -> None:
    found = figures("", cases({"met met": 3, "met no_evidence": 1, "no_evidence met": 2}))
    assert (found.precision.value, found.recall.value) == (3 / 5, 3 / 4)
    assert found.f1 == pytest.approx(2 * (3 / 5) * (3 / 4) / (3 / 5 + 3 / 4), abs=CLOSE)


def test_a_judge_that_failed_is_wrong_and_finds_nothing() -> None:
    found = figures("", cases({"met not_judged": 1, "no_evidence not_judged": 1, "met met": 1}))
    assert (found.agreement.hit, found.recall.hit, found.precision.of) == (1, 1, 1)


def test_alpha_is_of_the_judge_and_all_coders_and_the_others_are_of_the_label_alone() -> None:
    """Units (met met met), (met met no), (no no no). The second has 4 unlike pairs of weight 1/2: Do = 2/9. Of the 9
    codes 5 are met and 4 no: De = 2*5*4 / (9*8) = 5/9."""
    coded = [
        case("met met", codes={"佐藤": "met", "鈴木": "met"}),
        case("met no_evidence", codes={"佐藤": "met", "鈴木": "met"}),
        case("no_evidence no_evidence", codes={"佐藤": "no_evidence", "鈴木": "no_evidence"}),
    ]
    assert figures("", coded).alpha.value == pytest.approx(1 - (2 / 9) / (5 / 9), abs=CLOSE)
    bare = [one.model_copy(update={"codes": {}}) for one in coded]
    assert figures("", coded).kappa == figures("", bare).kappa


@pytest.mark.parametrize(
    ("counts", "name", "why"),
    [
        ({}, "agreement", "no case"),
        ({}, "prevalence", "no case"),
        ({"met no_evidence": 2}, "precision", "the judge calls nothing met"),
        ({"no_evidence met": 2}, "recall", "no label is met"),
        ({"met met": 2}, "kappa", "all codes are the same"),
        ({"met met": 2}, "ac1", "all codes are the same"),
        ({"met met": 2}, "alpha", "all codes are the same"),
        ({"not_met not_met": 2, "no_evidence not_met": 1}, "point_kappa", "all codes are the same"),
    ],
)
def test_what_is_undefined_says_why(counts: dict[str, int], name: str, why: str) -> None:
    found = getattr(figures("", cases(counts)), name)
    assert found.value is None and why in found.why


def test_f1_is_zero_where_one_of_its_parts_is_undefined_and_undefined_where_both_are() -> None:
    assert figures("", cases({"met no_evidence": 2})).f1 == 0
    assert figures("", cases({"no_evidence not_met": 2})).f1 is None


def test_the_terminal_says_why_each_dash_is_there() -> None:
    told = "\n".join(tables.undefined(figures("pooled", cases({"no_evidence no_evidence": 2}))))
    for name in ("precision", "recall", "kappa", "AC1", "alpha"):
        assert f"{name} undefined, " in told


def test_the_terminal_says_why_the_kappa_of_the_point_is_a_dash() -> None:
    found = figures("pooled", cases({"not_met not_met": 2, "no_evidence no_evidence": 2}))
    assert (found.kappa.value, found.point_kappa.value) == (1, None)
    assert any("point" in line for line in tables.undefined(found))


# --- beside scikit-learn ----------------------------------------------------------------------------------------------


def random_table(seed: int) -> list[Case]:
    """Tables of all kinds: few cases and many, met common, rare or never said by one side or the other."""
    draw = random.Random(seed)
    weights = [[draw.choice([0, 0, 1, 3]) + 0.01 * draw.randint(0, 1) for _ in names] for names in (GOLDS, SAIDS)]
    golds, saids = (
        draw.choices(names, one if sum(one) else None, k=1 + seed * 3)
        for names, one in zip((GOLDS, SAIDS), weights, strict=True)
    )
    return [case(f"{gold} {draw.choice([gold, said])}") for gold, said in zip(golds, saids, strict=True)]


@pytest.mark.parametrize("seed", range(30))
def test_precision_recall_and_f1_are_those_of_scikit_learn(seed: int) -> None:
    table = random_table(seed)
    gold, said = [one.gold.value == "met" for one in table], [one.said.value == "met" for one in table]
    found = figures("", table, with_intervals=False)
    for ours, reference in (
        (found.precision.value, precision_score(gold, said, zero_division=nan)),
        (found.recall.value, recall_score(gold, said, zero_division=nan)),
        (found.f1, f1_score(gold, said, zero_division=nan)),
    ):
        assert (ours is None) == isnan(reference)
        assert ours is None or ours == pytest.approx(reference, abs=CLOSE)
    assert found.agreement.value == pytest.approx(accuracy_score(*zip(*(one.pair for one in table), strict=True)))
    if found.point_kappa.value is not None:
        assert found.point_kappa.value == pytest.approx(cohen_kappa_score(gold, said), abs=CLOSE)


def test_the_random_tables_hold_degenerate_ones() -> None:
    found = [figures("", random_table(seed), with_intervals=False) for seed in range(30)]
    for undefined in ("precision", "recall", "point_kappa"):
        assert 2 <= sum(getattr(one, undefined).value is None for one in found) <= 20
    assert any(one.f1 is None for one in found)


# --- intervals over cities --------------------------------------------------------------------------------------------


def mean_of(sample: Sequence[float]) -> float:
    return fmean(sample)


@pytest.mark.parametrize("k", [2, 3, 8, 20])
def test_the_jackknife_of_a_mean_is_the_t_interval_of_the_city_means(k: int) -> None:
    draw = random.Random(k)
    means = [draw.random() for _ in range(k)]
    low, high = t.interval(0.95, k - 1, loc=fmean(means), scale=sem(means))
    found = jackknife_t(means, mean_of)
    assert (found.method, found.why) == ("jackknife-t", "")
    assert (found.low, found.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))


def of_sizes(right: Sequence[int], of: int) -> list[Case]:
    """Cities of `of` cases each, so many of them right."""
    return [
        one
        for city, hits in enumerate(right)
        for one in cases({"met met": hits, "no_evidence met": of - hits}, site=f"{city:02}")
    ]


@pytest.mark.parametrize("name", ["agreement", "precision"])
def test_the_interval_of_a_share_is_the_t_interval_of_equal_sized_cities(name: str) -> None:
    right = [6, 7, 9, 5, 8]
    means = [hits / 10 for hits in right]
    low, high = t.interval(0.95, 4, loc=fmean(means), scale=sem(means))
    found = figures("", of_sizes(right, 10)).intervals[name]
    assert (found.low, found.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))


def test_every_statistic_has_its_interval_and_each_stays_within_its_bounds() -> None:
    found = figures("", of_sizes([9, 10, 10], 10)).intervals
    assert found.keys() == STATISTICS.keys()
    assert found["agreement"].high == 1  # the t interval itself goes beyond
    assert all(one.low is None or -1 <= one.low <= one.high <= 1 for one in found.values() if one.high is not None)
    assert figures("", of_sizes([9, 10], 10), with_intervals=False).intervals == {}


@pytest.mark.parametrize(("cities", "method"), [(2, "jackknife-t"), (20, "jackknife-t"), (21, "bootstrap")])
def test_above_twenty_cities_the_bootstrap_takes_over(cities: int, method: str) -> None:
    assert over_cities([n / cities for n in range(cities)], mean_of).method == method


@pytest.mark.parametrize(
    ("sample", "why"), [([], "0 cities"), ([0.5], "1 cities"), ([0.5, -1.0], "undefined without one of the cities")]
)
def test_without_two_cities_or_where_one_carries_the_statistic_there_is_no_interval(
    sample: list[float], why: str
) -> None:
    found = over_cities(sample, lambda some: max(some) if max(some) > 0 else None)
    assert (found.low, found.high) == (None, None) and why in found.why


def test_the_bootstrap_is_the_same_twice_and_that_of_numpy_on_the_same_draws() -> None:
    draw = random.Random(5)
    means = [draw.random() for _ in range(25)]
    found = bootstrap(means, mean_of)
    assert found == bootstrap(means, mean_of)
    again = random.Random(SEED)
    low, high = np.percentile([fmean(again.choices(means, k=25)) for _ in range(2000)], [2.5, 97.5])
    assert (found.low, found.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))
    assert 0 < low < fmean(means) < high < 1


def test_the_bootstrap_draws_again_where_it_is_undefined_and_gives_up_where_it_mostly_is() -> None:
    sample = [float(n) for n in range(30)]
    assert bootstrap(sample, lambda some: fmean(some) if 29 in some else None).low is not None
    given_up = bootstrap(sample, lambda some: fmean(some) if some.count(29) > 1 else None)
    assert given_up == Interval("bootstrap", why="undefined in most resamples")


@pytest.mark.parametrize("n", [1, 2, 5, 29, 93, 124, 1000])
def test_the_exact_interval_is_that_of_statsmodels(n: int) -> None:
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        low, high = proportion_confint(k, n, alpha=0.05, method="beta")
        found = exact(k, n)
        assert (found.low, found.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE)), k
    assert exact(0, n).low == 0 and exact(n, n).high == 1


def test_of_no_trial_there_is_no_exact_interval() -> None:
    assert exact(0, 0) == Interval("exact", why="no case")


def test_cities_are_parted_by_site_in_the_order_of_their_names() -> None:
    mixed = [*cases({"met met": 1}, site="b"), *cases({"met met": 2, "not_met met": 1}, site="a"), case(site="b")]
    assert by_city(mixed) == [Counter({("met", "met"): 2, ("not_met", "met"): 1}), Counter({("met", "met"): 2})]
