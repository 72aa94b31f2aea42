"""What the pages of the site print, already decided."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.editions import Edition, Issued, Surveyed
from pipeline.models import Municipality


@dataclass(frozen=True)
class Volume:
    """An edition with its errata, oldest first. sha256: of its edition.json."""

    edition: Edition
    errata: tuple[Issued, ...]
    sha256: str

    @property
    def name(self) -> str:
        return self.edition.name

    def errata_of(self, code: str) -> tuple[Issued, ...]:
        return tuple(one for one in self.errata if one.erratum.municipality.code == code)

    def points_now(self, one: Surveyed) -> int:
        """The points of a municipality with all errata."""
        mine = self.errata_of(one.municipality.code)
        return mine[-1].erratum.points_after if mine else one.points


@dataclass(frozen=True)
class Standing:
    """A municipality in an edition. rank: by points with all errata, shared by equals; None while criteria wait for a
    person; shared: whether another has the same rank."""

    volume: Volume
    surveyed: Surveyed
    points_now: int
    errata: tuple[Issued, ...]
    rank: int | None = None
    shared: bool = False


@dataclass(frozen=True)
class Town:
    """A municipality with its standings, the newest edition first. reading: its name as English texts write it; search,
    romaji: what a search compares (search.py)."""

    municipality: Municipality
    standings: tuple[Standing, ...]
    reading: str
    search: str
    romaji: str


@dataclass(frozen=True)
class Region:
    """The municipalities of a prefecture, by code; name: empty where it is not known."""

    name: str
    towns: tuple[Town, ...]
