"""The alternative annotator test: may the judge stand in for one of several human coders?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import mean, variance

from evals.nouns import Case

EPSILON = 0.2  # what a judge's lower cost is worth, for expert coders (the paper's section 3)
ALPHA = 0.05
MIN_CODERS = 3
MIN_ITEMS = 30
PASSES_AT = 0.5


@dataclass(frozen=True)
class Against:
    """The judge against one coder: share of items on which the judge agrees with the others at least as well as the
    coder does, and the other way round; p: of the hypothesis that the coder is better by more than EPSILON."""

    coder: str
    n: int
    judge_wins: float
    coder_wins: float
    p: float


@dataclass(frozen=True)
class AltTest:
    """winning_rate: share of coders over whom the judge holds after the Benjamini-Yekutieli correction; advantage: mean
    share of items on which it does. Both None where the test cannot be made, and then why."""

    against: tuple[Against, ...] = ()
    winning_rate: float | None = None
    advantage: float | None = None
    why: str = ""

    @property
    def passes(self) -> bool | None:
        return None if self.winning_rate is None else self.winning_rate >= PASSES_AT


def alt_test(cases: Sequence[Case]) -> AltTest:
    """N. Calderon, R. Reichart and R. Dror, The Alternative Annotator Test (arXiv 2501.10970, 2025), for nominal
    codes: an item is aligned by the share of the other coders who gave the same code."""
    coders = sorted({coder for case in cases for coder in case.codes})
    if len(coders) < MIN_CODERS:
        return AltTest(why=f"{len(coders)} human coders in these labels; the test needs {MIN_CODERS}")
    against = [_against(coder, cases) for coder in coders]
    short = [one.coder for one in against if one.n < MIN_ITEMS]
    if short:
        return AltTest(why=f"{', '.join(short)}: fewer than {MIN_ITEMS} items shared with others")
    held = _rejected([one.p for one in against])
    return AltTest(tuple(against), sum(held) / len(held), mean(one.judge_wins for one in against))


def _against(coder: str, cases: Sequence[Case]) -> Against:
    judge: list[int] = []
    person: list[int] = []
    for case in cases:
        others = [code.value for name, code in case.codes.items() if name != coder]
        if coder in case.codes and others:
            of_judge, of_person = others.count(case.said.value), others.count(case.codes[coder].value)
            judge.append(of_judge >= of_person)
            person.append(of_person >= of_judge)
    n = len(judge)
    if not n:
        return Against(coder, 0, 0.0, 0.0, 1.0)
    return Against(coder, n, mean(judge), mean(person), _p([b - a for a, b in zip(judge, person, strict=True)]))


def _p(differences: Sequence[int]) -> float:
    """One-sided paired t-test that the mean difference (coder minus judge) is below EPSILON."""
    from scipy.stats import t

    n = len(differences)
    if n < 2:
        return 1.0
    spread = sqrt(variance(differences) / n)
    distance = mean(differences) - EPSILON
    return float(t.cdf(distance / spread if spread else (-inf if distance < 0 else inf), n - 1))


def _rejected(ps: Sequence[float]) -> list[bool]:
    """Benjamini and Yekutieli's step-up at ALPHA (Annals of Statistics 29, 2001)."""
    m = len(ps)
    weight = sum(1 / rank for rank in range(1, m + 1))
    ranked = sorted(range(m), key=lambda place: ps[place])
    passing = [rank for rank, place in enumerate(ranked, 1) if ps[place] <= rank * ALPHA / (m * weight)]
    held = set(ranked[: max(passing, default=0)])
    return [place in held for place in range(m)]
