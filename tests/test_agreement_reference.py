"""Agreement coefficients beside other people's implementations, on random and degenerate tables."""

from __future__ import annotations

import random
import warnings

import krippendorff as krippendorff_reference
import numpy as np
import pandas as pd
import pytest
from irrCAC.raw import CAC
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from pipeline.agreement import cohen, gwet, krippendorff

CODES = ["met", "not_met", "no_evidence", "unobserved"]
CLOSE = 1e-9


def pairs_of(seed: int) -> list[tuple[str, str]]:
    """Tables of many kinds: few and many codes, rare and common ones, near agreement and near chance."""
    draw = random.Random(seed)
    codes = CODES[: draw.randint(2, 4)]
    weights = [draw.random() ** 3 + 0.01 for _ in codes]
    like = draw.random()
    first = draw.choices(codes, weights, k=draw.randint(2, 120))
    return [(one, one if draw.random() < like else draw.choices(codes, weights)[0]) for one in first]


def units_of(seed: int) -> list[list[str]]:
    """Codes of three to five coders with gaps."""
    draw = random.Random(seed)
    coders, gaps = draw.randint(3, 5), draw.random() * 0.6
    units = []
    for one, other in pairs_of(seed):
        given = [draw.choice([one, one, other]) for _ in range(coders)]
        units.append([code for code in given if draw.random() > gaps])
    return units


def grid(units: list[list[str]]) -> list[list[float]]:
    """Coders by units, as the reference wants them: numbers, and nan for what is missing."""
    width = max(map(len, units))
    padded = [[float(CODES.index(code)) for code in unit] + [np.nan] * (width - len(unit)) for unit in units]
    return [list(row) for row in zip(*padded, strict=True)]


@pytest.mark.parametrize("seed", range(60))
def test_cohens_kappa_is_that_of_two_libraries(seed: int) -> None:
    pairs = pairs_of(seed)
    first, second = zip(*pairs, strict=True)
    ours = cohen(pairs).value
    if ours is None:
        assert len(set(first) | set(second)) == 1
        return
    assert ours == pytest.approx(cohen_kappa_score(first, second), abs=CLOSE)
    table, _ = to_table(np.array([[CODES.index(a), CODES.index(b)] for a, b in pairs]), bins=np.arange(-0.5, 4.5))
    assert ours == pytest.approx(cohens_kappa(table, return_results=False), abs=CLOSE)


@pytest.mark.parametrize("seed", range(60))
def test_ac1_is_that_of_irrcac(seed: int) -> None:
    check_ac1([list(pair) for pair in pairs_of(seed)])


@pytest.mark.parametrize("seed", range(60))
def test_ac1_of_several_coders_with_gaps_is_that_of_irrcac(seed: int) -> None:
    check_ac1(units_of(seed))


def check_ac1(units: list[list[str]]) -> None:
    """Where one code alone was given the reference calls it 1; ours says that it is undefined."""
    codes = sorted({code for unit in units for code in unit})
    if len(codes) == 1:
        assert gwet(units).value is None
        return
    width = max(map(len, units))
    table = pd.DataFrame([unit + [np.nan] * (width - len(unit)) for unit in units if unit])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = CAC(table, categories=codes, digits=15).gwet()["est"]["coefficient_value"]
    assert gwet(units).value == pytest.approx(float(reference), abs=CLOSE)


@pytest.mark.parametrize("seed", range(60))
def test_alpha_of_two_coders_is_that_of_krippendorff(seed: int) -> None:
    units = [list(pair) for pair in pairs_of(seed)]
    check_alpha(units)


@pytest.mark.parametrize("seed", range(60))
def test_alpha_of_several_coders_with_gaps_is_that_of_krippendorff(seed: int) -> None:
    check_alpha(units_of(seed))


def check_alpha(units: list[list[str]]) -> None:
    ours = krippendorff(units).value
    if ours is None:
        assert len({code for unit in units if len(unit) > 1 for code in unit}) < 2
        return
    reference = krippendorff_reference.alpha(reliability_data=grid(units), level_of_measurement="nominal")
    assert ours == pytest.approx(reference, abs=CLOSE)


def test_a_judge_who_always_says_no_where_three_in_a_hundred_are_met() -> None:
    """One number never tells: raw agreement and AC1 are 0.97, kappa is 0 (the research behind this suite)."""
    pairs = [("met", "no_evidence")] * 3 + [("no_evidence", "no_evidence")] * 97
    assert cohen(pairs).value == 0
    assert cohen(pairs).observed == 0.97
    assert gwet(pairs).value == pytest.approx(0.97, abs=0.002)


@pytest.mark.parametrize("coefficient", [gwet, krippendorff])
@pytest.mark.parametrize(
    ("units", "n", "why"),
    [
        ([], 0, "no item is coded twice"),
        ([["met"], []], 0, "no item is coded twice"),
        ([["met", "met"], ["met", "met", "met"]], 2, "all codes are the same"),
    ],
)
def test_where_a_coefficient_is_undefined_it_says_why(coefficient, units, n: int, why: str) -> None:  # type: ignore[no-untyped-def]
    found = coefficient(units)
    assert (found.n, found.value) == (n, None)
    assert why in found.why


def test_ac1_by_hand() -> None:
    """po = 3/4; p(a) = (1 + 1/2 + 0 + 1) / 4 = 5/8; pe = 2 * 5/8 * 3/8 = 15/32; (3/4 - 15/32) / (17/32) = 9/17."""
    assert gwet([("a", "a"), ("a", "b"), ("b", "b"), ("a", "a")]).value == pytest.approx(9 / 17, abs=1e-12)


def test_alpha_by_hand() -> None:
    """Codes a 5, b 3 of 8; De = 1 - (5*4 + 3*2) / (8*7) = 15/28; Do = 2/8; 1 - (1/4) / (15/28) = 8/15."""
    assert krippendorff([["a", "a"], ["a", "b"], ["b", "b"], ["a", "a"], ["c"]]).value == pytest.approx(
        8 / 15, abs=1e-12
    )


def test_one_unit_coded_by_many_is_read_by_its_pairs() -> None:
    """Two a and one b: one of three pairs agrees; De = 1 - 2*1/(3*2) = 2/3, Do = 2/3: no better than chance."""
    assert krippendorff([["a", "a", "b"]]).value == pytest.approx(0, abs=1e-12)
