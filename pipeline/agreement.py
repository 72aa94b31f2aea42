"""Agreement beyond chance on nominal codes: two coders, or several with gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

ALL_ALIKE = "all codes are the same, so chance alone would agree as well"


@dataclass(frozen=True)
class Coefficient:
    """n: items coded by at least two; observed, expected: shares of agreement in [0, 1]; value: the coefficient, at
    most 1, or None where it is undefined, and then why."""

    n: int
    observed: float | None = None
    expected: float | None = None
    value: float | None = None
    why: str = ""


def cohen(pairs: Sequence[tuple[Hashable, Hashable]]) -> Coefficient:
    """Cohen's kappa: (po - pe) / (1 - pe) over pairs of codes (J. Cohen, Educational and Psychological Measurement 20,
    1960).

    Undefined without pairs, and where chance alone would agree always (both coders gave one and the same code).
    """
    n = len(pairs)
    if not n:
        return Coefficient(0, why="nothing is coded by two people yet")
    observed = sum(one == other for one, other in pairs) / n
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    return _beyond_chance(n, observed, sum(count * second[code] for code, count in first.items()) / n**2)


def gwet(units: Iterable[Sequence[Hashable]]) -> Coefficient:
    """Gwet's AC1 (K. L. Gwet, British Journal of Mathematical and Statistical Psychology 61, 2008). units: for each
    item its codes, by as many coders as coded it.

    Chance agreement is the sum of p (1 - p) / (q - 1) over the q codes that were given, where p is a code's mean share
    of an item's codes. Undefined where only one code was given (q - 1 = 0) or no item has two.
    """
    coded = [Counter(codes) for codes in units if codes]
    pairable = [one for one in coded if one.total() > 1]
    if not pairable:
        return Coefficient(0, why="no item is coded twice")
    codes = set().union(*coded)
    observed = sum(_agreeing(one) for one in pairable) / len(pairable)
    if len(codes) == 1:
        return Coefficient(len(pairable), observed, why=ALL_ALIKE)
    shares = [sum(one[code] / one.total() for one in coded) / len(coded) for code in codes]
    return _beyond_chance(len(pairable), observed, sum(p * (1 - p) for p in shares) / (len(codes) - 1))


def krippendorff(units: Iterable[Sequence[Hashable]]) -> Coefficient:
    """Krippendorff's alpha for nominal codes (K. Krippendorff, Content Analysis, 2004, ch. 11). units as for gwet;
    items with fewer than two codes are left out.

    1 - Do / De from the coincidence matrix, where an item of m codes gives each of its ordered pairs the weight
    1 / (m - 1). Undefined where only one code was given, or no item has two.
    """
    pairable = [Counter(codes) for codes in units if len(codes) > 1]
    if not pairable:
        return Coefficient(0, why="no item is coded twice")
    totals = sum(pairable, Counter[Hashable]())
    n = totals.total()
    observed = sum(_agreeing(one) * one.total() for one in pairable) / n
    if len(totals) == 1:
        return Coefficient(len(pairable), observed, why=ALL_ALIKE)
    return _beyond_chance(len(pairable), observed, sum(c * (c - 1) for c in totals.values()) / (n * (n - 1)))


def _agreeing(codes: Counter[Hashable]) -> float:
    """Share of an item's pairs of codes that are alike."""
    m = codes.total()
    return sum(count * (count - 1) for count in codes.values()) / (m * (m - 1))


def _beyond_chance(n: int, observed: float, expected: float) -> Coefficient:
    if expected == 1:
        return Coefficient(n, observed, expected, why=ALL_ALIKE)
    return Coefficient(n, observed, expected, (observed - expected) / (1 - expected))
