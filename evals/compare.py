"""Two judges on the same labels: paired differences per city, and every verdict that flipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.intervals import Interval, over_cities
from evals.metrics import STATISTICS, Pair
from evals.nouns import Case, EvalRun
from pipeline.errors import InputError

Both = tuple[Counter[Pair], Counter[Pair]]  # one city: by A, by B


@dataclass(frozen=True)
class Flip:
    """One criterion of one site on which the two differ. gain: 1 where B is right and A is not, -1 the other way round,
    0 where both are wrong."""

    a: Case
    b: Case

    @property
    def gain(self) -> int:
        return int(self.b.agrees) - int(self.a.agrees)


@dataclass(frozen=True)
class Difference:
    """One statistic: of A, of B, B minus A (None where either is undefined) and its interval over cities."""

    name: str
    a: float | None
    b: float | None
    interval: Interval

    @property
    def value(self) -> float | None:
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True)
class Comparison:
    """differences: pooled; by_site: right verdicts of A and of B, and how many there are, by site; by_criterion
    alike."""

    a: EvalRun
    b: EvalRun
    differences: tuple[Difference, ...]
    by_site: dict[str, tuple[int, int, int]]
    by_criterion: dict[str, tuple[int, int, int]]
    flips: tuple[Flip, ...]


def compare(a: EvalRun, b: EvalRun) -> Comparison:
    """A beside B, case by case. Raises InputError where they were not run on the same labels and pages."""
    _comparable(a, b)
    other = {(case.site, case.criterion): case for case in b.cases}
    pairs = [(case, other[case.site, case.criterion]) for case in a.cases]
    flips = [Flip(one, two) for one, two in pairs if one.said is not two.said]
    return Comparison(
        a,
        b,
        tuple(_difference(name, statistic, pairs) for name, statistic in STATISTICS.items()),
        _right(pairs, lambda case: case.site),
        _right(pairs, lambda case: case.criterion),
        tuple(sorted(flips, key=lambda flip: (flip.gain, flip.a.criterion, flip.a.site))),
    )


def _comparable(a: EvalRun, b: EvalRun) -> None:
    one, other = ({site.slug: site.digest for site in run.sites} for run in (a, b))
    unlike = sorted(slug for slug in one.keys() | other.keys() if one.get(slug) != other.get(slug))
    if unlike:
        raise InputError(
            f"{a.id} and {b.id}: other labels or pages of {', '.join(unlike)}. "
            "Run both judges on the same labels: `classify eval run --judge A --judge B`."
        )
    if a.criteria_sha256 != b.criteria_sha256 and {c.criterion for c in a.cases} != {c.criterion for c in b.cases}:
        raise InputError(f"{a.id} and {b.id}: other criteria. Run both with the same --criteria.")


def _difference(
    name: str, statistic: Callable[[Counter[Pair]], float | None], pairs: Sequence[tuple[Case, Case]]
) -> Difference:
    cities: dict[str, Both] = {}
    for one, two in pairs:
        of_a, of_b = cities.setdefault(one.site, (Counter(), Counter()))
        of_a[one.pair] += 1
        of_b[two.pair] += 1

    def differ(sample: Sequence[Both]) -> float | None:
        before, after = (statistic(sum((city[side] for city in sample), Counter())) for side in (0, 1))
        return None if before is None or after is None else after - before

    whole = list(cities.values())
    a, b = (statistic(sum((city[side] for city in whole), Counter())) for side in (0, 1))
    return Difference(name, a, b, over_cities(whole, differ, bounds=(-2.0, 2.0)))


def _right(pairs: Sequence[tuple[Case, Case]], key: Callable[[Case], str]) -> dict[str, tuple[int, int, int]]:
    found: dict[str, tuple[int, int, int]] = {}
    for one, two in pairs:
        a, b, n = found.get(key(one), (0, 0, 0))
        found[key(one)] = (a + one.agrees, b + two.agrees, n + 1)
    return found
