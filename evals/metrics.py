"""Agreement of a judge with labels: per criterion, per viewpoint and of all together, with counts beside every
share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evals.intervals import Interval, over_cities
from evals.nouns import Case
from pipeline.agreement import Coefficient, cohen, gwet, krippendorff
from pipeline.models import Verdict

MET = Verdict.MET.value
Pair = tuple[str, str]  # label, verdict


@dataclass(frozen=True)
class Share:
    """of: how many there are; hit: how many of them do; value: hit / of, or None where there is none, and then why."""

    hit: int
    of: int
    why: str = ""

    @property
    def value(self) -> float | None:
        return self.hit / self.of if self.of else None


@dataclass(frozen=True)
class Figures:
    """What is measured of some cases. confusion: (label, verdict) -> count; prevalence: share of labels that are met;
    f1: of met, None where neither a label nor a verdict is met; point_kappa: Cohen's kappa of
    point against no point, which is what scores rest on; alpha: Krippendorff's, of the judge and all human coders."""

    name: str
    n: int
    confusion: Counter[Pair]
    prevalence: Share
    agreement: Share
    precision: Share
    recall: Share
    kappa: Coefficient
    point_kappa: Coefficient
    ac1: Coefficient
    alpha: Coefficient
    intervals: dict[str, Interval]

    @property
    def f1(self) -> float | None:
        return f1(self.confusion)


def figures(name: str, cases: Sequence[Case], *, with_intervals: bool = True) -> Figures:
    """The figures of the cases, with intervals over their cities where wanted."""
    pairs = [case.pair for case in cases]
    found = Counter(pairs)
    return Figures(
        name=name,
        n=len(cases),
        confusion=found,
        prevalence=Share(sum(gold == MET for gold, _ in pairs), len(pairs), "no case"),
        agreement=Share(sum(gold == said for gold, said in pairs), len(pairs), "no case"),
        precision=precision(found),
        recall=recall(found),
        kappa=cohen(pairs),
        point_kappa=cohen([(gold == MET, said == MET) for gold, said in pairs]),
        ac1=gwet(pairs),
        alpha=krippendorff([_codes(case) for case in cases]),
        intervals=intervals(cases) if with_intervals else {},
    )


def precision(found: Counter[Pair]) -> Share:
    """Of what the judge calls met, how much is."""
    said = sum(count for (_, one), count in found.items() if one == MET)
    return Share(found[MET, MET], said, "the judge calls nothing met")


def recall(found: Counter[Pair]) -> Share:
    """Of what is met, how much the judge finds."""
    gold = sum(count for (one, _), count in found.items() if one == MET)
    return Share(found[MET, MET], gold, "no label is met")


def f1(found: Counter[Pair]) -> float | None:
    """2 TP / (2 TP + FP + FN) of met; None where no label and no verdict is met."""
    twice = precision(found).of + recall(found).of
    return 2 * found[MET, MET] / twice if twice else None


STATISTICS: dict[str, Callable[[Counter[Pair]], float | None]] = {
    "agreement": lambda found: sum(n for (gold, said), n in found.items() if gold == said) / max(found.total(), 1),
    "precision": lambda found: precision(found).value,
    "recall": lambda found: recall(found).value,
    "f1": f1,
    "kappa": lambda found: cohen(list(found.elements())).value,
    "point_kappa": lambda found: cohen([(gold == MET, said == MET) for gold, said in found.elements()]).value,
    "ac1": lambda found: gwet(found.elements()).value,
}


def intervals(cases: Iterable[Case]) -> dict[str, Interval]:
    """The interval of each statistic over the cities of the cases."""
    cities = by_city(cases)
    return {
        name: over_cities(cities, _pooled(statistic), bounds=(-1.0 if "kappa" in name or name == "ac1" else 0.0, 1.0))
        for name, statistic in STATISTICS.items()
    }


def by_city(cases: Iterable[Case]) -> list[Counter[Pair]]:
    """The confusion of each site, in the order of their names."""
    found: dict[str, Counter[Pair]] = {}
    for case in cases:
        found.setdefault(case.site, Counter())[case.pair] += 1
    return [found[name] for name in sorted(found)]


def _pooled(statistic: Callable[[Counter[Pair]], float | None]) -> Callable[[Sequence[Counter[Pair]]], float | None]:
    def of(cities: Sequence[Counter[Pair]]) -> float | None:
        total: Counter[Pair] = Counter()
        for one in cities:
            total.update(one)
        return statistic(total)

    return of


def _codes(case: Case) -> list[str]:
    """The judge's verdict beside the codes of all coders, or beside the label where it has no coders of its own."""
    people = [code.value for code in case.codes.values()] or [case.gold.value]
    return [*people, case.said.value]
