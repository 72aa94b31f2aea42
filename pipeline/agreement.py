"""Agreement of two coders beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa. n: items coded by both; observed, expected: shares of agreement in [0, 1]; value: kappa, at most
    1, or None where it is undefined, and then why."""

    n: int
    observed: float | None = None
    expected: float | None = None
    value: float | None = None
    why: str = ""


def cohen(pairs: Sequence[tuple[Hashable, Hashable]]) -> Kappa:
    """(po - pe) / (1 - pe) over pairs of nominal codes (J. Cohen, Educational and Psychological Measurement 20, 1960).

    Undefined without pairs, and where chance alone would agree always (both coders gave one and the same code).
    """
    n = len(pairs)
    if not n:
        return Kappa(0, why="nothing is coded by two people yet")
    observed = sum(one == other for one, other in pairs) / n
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(count * second[code] for code, count in first.items()) / n**2
    if expected == 1:
        return Kappa(n, observed, expected, why="all codes are the same, so chance alone would agree as well")
    return Kappa(n, observed, expected, (observed - expected) / (1 - expected))
