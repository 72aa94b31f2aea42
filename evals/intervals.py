"""Intervals that hold over municipalities: cities are the sample, criteria within one city are not independent."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, variance
from typing import TypeVar

T = TypeVar("T")

LEVEL = 0.95
# Up to here the jackknife-t covers better than the bootstrap; benchmarks/interval_coverage.py, table in docs/evals.md.
JACKKNIFE_UP_TO_CITIES = 20
RESAMPLES = 2000
SEED = 20261125


@dataclass(frozen=True)
class Interval:
    """low, high: bounds at LEVEL, or None where they are undefined, and then why. method: jackknife-t, bootstrap or
    exact."""

    method: str
    low: float | None = None
    high: float | None = None
    why: str = ""


def over_cities(
    cities: Sequence[T], statistic: Callable[[Sequence[T]], float | None], *, bounds: tuple[float, float] = (-1.0, 1.0)
) -> Interval:
    """The interval of a statistic of cities: jackknife-t up to JACKKNIFE_UP_TO_CITIES of them, above that a
    bootstrap."""
    method = jackknife_t if len(cities) <= JACKKNIFE_UP_TO_CITIES else bootstrap
    found = method(cities, statistic)
    if found.low is not None and found.low == found.high:
        return Interval(found.method, why="no city differs, so they tell nothing of the spread")
    return _within(found, bounds)


def jackknife_t(cities: Sequence[T], statistic: Callable[[Sequence[T]], float | None]) -> Interval:
    """Delete-one-city jackknife: the mean of the pseudo-values k*s - (k-1)*s_without, and Student's t with k - 1
    degrees of freedom (J. W. Tukey, Annals of Mathematical Statistics 29, 1958). Undefined where the statistic is
    undefined without some city, or with fewer than two."""
    k = len(cities)
    if k < 2:
        return Interval("jackknife-t", why=f"{k} cities: an interval over cities needs two")
    whole = statistic(cities)
    without = [statistic([*cities[:n], *cities[n + 1 :]]) for n in range(k)]
    known = [one for one in without if one is not None]
    if whole is None or len(known) < k:
        return Interval("jackknife-t", why="undefined without one of the cities")
    pseudo = [k * whole - (k - 1) * one for one in known]
    centre, half = mean(pseudo), t_quantile(k - 1) * sqrt(variance(pseudo) / k)
    return Interval("jackknife-t", centre - half, centre + half)


def bootstrap(cities: Sequence[T], statistic: Callable[[Sequence[T]], float | None]) -> Interval:
    """Percentile bootstrap over whole cities (B. Efron, Annals of Statistics 7, 1979), RESAMPLES of them, seeded.
    Resamples in which the statistic is undefined are drawn again; undefined where most of them are."""
    draw = random.Random(SEED)
    found: list[float] = []
    for _ in range(2 * RESAMPLES):
        value = statistic(draw.choices(cities, k=len(cities)))
        if value is not None:
            found.append(value)
        if len(found) == RESAMPLES:
            found.sort()
            return Interval("bootstrap", _quantile(found, (1 - LEVEL) / 2), _quantile(found, (1 + LEVEL) / 2))
    return Interval("bootstrap", why="undefined in most resamples")


def exact(successes: int, n: int) -> Interval:
    """Clopper and Pearson's interval of a share of n independent trials (Biometrika 26, 1934)."""
    if n == 0:
        return Interval("exact", why="no case")
    tail = (1 - LEVEL) / 2
    return Interval("exact", 1 - upper_bound(n - successes, n, tail), upper_bound(successes, n, tail))


def upper_bound(failures: int, n: int, alpha: float) -> float:
    """The exact binomial bound: the largest risk under which so few failures of n still have probability alpha; 1
    without a trial."""
    from scipy.stats import beta

    return 1.0 if failures >= n else float(beta.ppf(1 - alpha, failures + 1, n - failures))


def t_quantile(degrees: int) -> float:
    """Student's t at the upper end of a two-sided interval at LEVEL."""
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, degrees))


def _within(found: Interval, bounds: tuple[float, float]) -> Interval:
    if found.low is None or found.high is None:
        return found
    low, high = bounds
    return Interval(found.method, min(max(found.low, low), high), max(min(found.high, high), low))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics (R. J. Hyndman and Y. Fan's type 7)."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
