"""The alternative annotator test (Calderon, Reichart and Dror, arXiv 2501.10970): may the judge stand in for a
coder?"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from eval_data import case
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from evals import alternative
from evals.alternative import ALPHA, EPSILON, MIN_ITEMS, AltTest, alt_test
from evals.nouns import Case

CODES = ["met", "not_met", "no_evidence"]
CODERS = ["佐藤", "鈴木", "高橋", "田中"]

Judge = Callable[[random.Random, list[str]], str]


def majority(draw: random.Random, codes: list[str]) -> str:
    return Counter(codes).most_common(1)[0][0]


def guess(draw: random.Random, codes: list[str]) -> str:
    return draw.choice(CODES)


def coded(
    seed: int, judge: Judge, *, items: int = 60, coders: int = 4, noise: float = 0.3, gaps: float = 0
) -> list[Case]:
    """Items whose truth the coders see with noise, and on which a coder is missing now and then."""
    draw = random.Random(seed)
    found = []
    for n in range(items):
        truth = draw.choice(CODES)
        codes = {
            name: truth if draw.random() > noise else draw.choice(CODES)
            for name in CODERS[:coders]
            if draw.random() >= gaps
        }
        said = judge(draw, list(codes.values())) if codes else truth
        found.append(case(f"{truth} {said}", codes=codes, site="abc"[n % 3]))
    return found


def differences(coder: str, known: list[Case]) -> tuple[list[int], list[int], list[int]]:
    """Of one coder by the paper's words: on each item the indicators of judge and coder, and coder minus judge."""
    judge, person = [], []
    for one in known:
        if coder not in one.codes or len(one.codes) < 2:
            continue
        others = [code for name, code in one.codes.items() if name != coder]
        with_judge = sum(code.value == one.said.value for code in others) / len(others)
        with_coder = sum(code.value == one.codes[coder].value for code in others) / len(others)
        judge.append(int(with_judge >= with_coder))
        person.append(int(with_coder >= with_judge))
    return judge, person, [b - a for a, b in zip(judge, person, strict=True)]


# --- where it cannot be made ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coders", [0, 1, 2])
def test_it_is_undefined_with_fewer_than_three_coders(coders: int) -> None:
    found = alt_test(coded(1, lambda draw, codes: "met", coders=coders))
    assert (found.winning_rate, found.advantage, found.passes, found.against) == (None, None, None, ())
    assert found.why == f"{coders} human coders in these labels; the test needs 3"
    assert alt_test([]) == AltTest(why="0 human coders in these labels; the test needs 3")


def test_it_is_undefined_with_fewer_than_thirty_items_of_a_coder() -> None:
    found = alt_test(coded(1, majority, items=MIN_ITEMS - 1))
    assert (found.winning_rate, found.passes) == (None, None)
    assert found.why == f"{', '.join(sorted(CODERS))}: fewer than 30 items shared with others"
    assert alt_test(coded(1, majority, items=MIN_ITEMS)).winning_rate is not None


def test_a_coder_with_few_items_is_named_and_items_coded_alone_do_not_count() -> None:
    known = coded(1, majority, items=60, coders=3)
    few = [case("met met", codes={"田中": "met", "佐藤": "met"})] * 29
    alone = [case("met met", codes={"田中": "met"})] * 40
    assert alt_test(known + few + alone).why == "田中: fewer than 30 items shared with others"
    assert alt_test(known + few + few[:1]).why == ""


# --- what it says -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_copy_of_the_majority_stands_in_for_noisy_coders(seed: int) -> None:
    found = alt_test(coded(seed, majority))
    assert found.passes and found.winning_rate == 1
    assert found.advantage is not None and found.advantage > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_a_judge_who_guesses_stands_in_for_nobody(seed: int) -> None:
    found = alt_test(coded(seed, guess, noise=0.1))
    assert found.passes is False and found.winning_rate == 0
    assert found.advantage is not None and found.advantage < 0.6


def test_a_judge_who_never_differs_wins_and_one_who_always_does_loses_without_any_spread() -> None:
    """All differences are alike, so the t statistic is infinite."""
    codes = dict.fromkeys(CODERS[:3], "met")
    same, never = ([case(f"met {said}", codes=codes)] * 30 for said in ("met", "not_met"))
    assert [one.p for one in alt_test(same).against] == [0, 0, 0] and alt_test(same).winning_rate == 1
    assert [one.p for one in alt_test(never).against] == [1, 1, 1] and alt_test(never).winning_rate == 0


def test_half_of_the_coders_are_enough_to_pass() -> None:
    assert [AltTest(winning_rate=rate).passes for rate in (0.49, 0.5, 1.0)] == [False, True, True]


# --- beside SciPy and statsmodels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("judge", [majority, guess])
def test_shares_and_p_are_those_of_the_paper_s_indicators_and_scipy_s_t_test(seed: int, judge: Judge) -> None:
    known = coded(seed, judge, items=90, noise=0.1 + 0.05 * (seed % 6), gaps=0.05 * (seed % 4))
    found = alt_test(known)
    assert [one.coder for one in found.against] == sorted(CODERS)
    for one in found.against:
        of_judge, of_coder, apart = differences(one.coder, known)
        assert one.n == len(apart)
        assert one.judge_wins == pytest.approx(sum(of_judge) / one.n, abs=1e-9)
        assert one.coder_wins == pytest.approx(sum(of_coder) / one.n, abs=1e-9)
        assert one.p == pytest.approx(ttest_1samp(apart, EPSILON, alternative="less").pvalue, abs=1e-9)
    held = multipletests([one.p for one in found.against], alpha=ALPHA, method="fdr_by")[0]
    assert found.winning_rate == held.mean()
    assert found.advantage == pytest.approx(sum(one.judge_wins for one in found.against) / len(CODERS), abs=1e-9)


def p_values(seed: int) -> list[float]:
    """Small and large ones, some of them equal."""
    draw = random.Random(seed)
    ps = [draw.random() ** draw.choice([1, 4, 8]) for _ in range(draw.randint(1, 12))]
    return ps + draw.sample(ps, len(ps) // 3)


@pytest.mark.parametrize("seed", range(50))
def test_the_correction_is_benjamini_and_yekutieli_s(seed: int) -> None:
    ps = p_values(seed)
    assert alternative._rejected(ps) == list(multipletests(ps, alpha=ALPHA, method="fdr_by")[0])


def test_of_the_p_values_all_none_and_some_are_rejected() -> None:
    shares = {sum(alternative._rejected(ps)) / len(ps) for ps in map(p_values, range(50))}
    assert {0.0, 1.0} < shares
