"""What kind of local government a place is, and with which others it compares in size (kinds.yaml)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import yaml

from pipeline.models import Municipality, Noun
from pipeline.municipality import populations as people

_FILE = Path(__file__).with_name("kinds.yaml")
_OTHER = "other"


class PopulationClass(Noun):
    """Comparable municipalities: by law (政令指定都市, 特別区, 中核市, 施行時特例市), the rest by population."""

    id: str
    name_ja: str
    name_en: str


class Kinds:
    """Classes municipalities. populations: people by code; a city, town or village that it lacks has the class of its
    kind alone. classes: all there are, the largest first; as_of: the day of the last change in the lists of members."""

    def __init__(self, populations: Mapping[str, int] = MappingProxyType({})) -> None:
        told: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
        self.as_of: date = told["as_of"]
        self.classes = tuple(PopulationClass(**each) for each in told["classes"])
        self._by_id = {each.id: each for each in self.classes}
        self._members = {code: id_ for id_, codes in told["members"].items() for code in codes}
        self._endings: dict[str, dict[str, Any]] = told["endings"]
        self._populations = populations

    @classmethod
    def read(cls, populations: Path | None) -> Self:
        """populations: a CSV of codes and people. Raises InputError with the lines at fault."""
        return cls(people.read(populations)) if populations else cls()

    def of(self, municipality: Municipality) -> PopulationClass:
        """The class of a place: by its code, else by what its name ends in and by its population, if that is known."""
        by_law = self._members.get(municipality.code)
        return self._by_id[by_law or self._by_size(municipality)]

    def population(self, municipality: Municipality) -> int | None:
        """People, where the file that was read tells them."""
        return self._populations.get(municipality.code)

    def _by_size(self, municipality: Municipality) -> str:
        ending = self._endings.get(municipality.name[-1:])
        if ending is None:
            return _OTHER
        bounds: dict[int, str] = ending.get("from", {})
        number = self.population(municipality)
        if number is None or not bounds:
            return str(ending["class"])
        return bounds[sorted(bounds)[bisect_right(sorted(bounds), number) - 1]]
