"""What a ranking says: places with their points, what could still change them, and what is not ranked and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from pipeline.models import Municipality, Noun, Viewpoint
from pipeline.municipality import PopulationClass

Count = Annotated[int, Field(ge=0)]
Rank = Annotated[int, Field(ge=1)]


class Part(Noun):
    """One viewpoint of one place, in criteria. points: confirmed `met`; awaiting: no person decided; unseen: a person
    confirmed that nothing could be seen or judged (`unobserved`, `not_judged`), so no point, and not a no either."""

    viewpoint: str
    points: Count
    awaiting: Count
    unseen: Count
    possible: Count

    @property
    def confirmed(self) -> int:
        """Criteria on which a person's decision stands."""
        return self.possible - self.awaiting


class Place(Noun):
    """A surveyed municipality. points, awaiting, unseen, possible: sums of its parts; most: what the points can come
    to, every awaiting and unseen criterion turning out met. version: of the criteria it was asked by."""

    municipality: Municipality
    population_class: PopulationClass
    population: Count | None
    as_of: date
    run_id: str
    version: str
    parts: tuple[Part, ...]
    points: Count
    awaiting: Count
    unseen: Count
    possible: Count
    most: Count


class Ranked(Noun):
    """A place with its rank among all that are ranked here. ties: how many share the rank, itself included.

    best, worst: the highest and the lowest rank that it can come to while what is open at it and at the others is
    settled in any way. rank_in_class: among the `in_class` ranked places of its population class.
    """

    place: Place
    rank: Rank
    ties: Rank
    best: Rank
    worst: Rank
    rank_in_class: Rank
    in_class: Rank


class Group(Noun):
    """The places of a prefecture or a population class. surveyed: with those not yet ranked; mean, mean_most: points of
    the ranked ones, and what these can come to; None where none is ranked."""

    id: str
    name_ja: str
    name_en: str
    surveyed: Count
    ranked: Count
    mean: float | None
    mean_most: float | None


class Ranking(Noun):
    """All municipalities that one criteria set surveyed, within a scope (empty: all of it).

    unconfirmed: no decision of a person stands; other_rules: they were asked by another wording of the criteria, so
    their points are told and not compared. versions: of the criteria files whose wording is the same.
    """

    criteria_id: str
    title_ja: str
    title_en: str
    versions: tuple[str, ...]
    viewpoints: tuple[Viewpoint, ...]
    possible: Count
    prefecture: str
    population_class: PopulationClass | None
    viewpoint: str
    kinds_as_of: date
    ranked: tuple[Ranked, ...]
    unconfirmed: tuple[Place, ...]
    other_rules: tuple[Place, ...]
    prefectures: tuple[Group, ...]
    classes: tuple[Group, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that is told of, the ranked ones first."""
        return (*(one.place for one in self.ranked), *self.unconfirmed, *self.other_rules)

    @property
    def days(self) -> tuple[date, date] | None:
        """The earliest and the latest day that the ranked surveys speak about."""
        days = [one.place.as_of for one in self.ranked]
        return (min(days), max(days)) if days else None
