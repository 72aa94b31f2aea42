"""Which editions the site shows, and where each municipality stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.editions import Shelf
from pipeline.errors import InputError
from pipeline.municipality.romaji import english
from pipeline.site.nouns import Region, Standing, Town, Volume
from pipeline.site.search import romaji_keys, search_keys


def volumes(shelf: Shelf, names: Sequence[str]) -> tuple[Volume, ...]:
    """The editions of these names; without names, all that are the newest one of at least one municipality and
    criteria set. Newest first. Raises InputError where there is none, or one cannot be read."""
    found = [_volume(shelf, name) for name in (dict.fromkeys(names) if names else shelf.names())]
    if not found:
        raise InputError(f"no edition in {shelf.folder}. Publish one: `classify publish NAME --title TITLE`.")
    found.sort(key=lambda one: (one.edition.at, one.name), reverse=True)
    return tuple(found if names else _newest(found))


def standings(volume: Volume) -> tuple[Standing, ...]:
    """Every municipality of the edition: ranked ones first, by points; those that wait for a person after them."""
    counts = Counter(volume.points_now(one) for one in volume.edition.municipalities if not one.awaiting)
    placed = []
    for one in volume.edition.municipalities:
        points = volume.points_now(one)
        rank = None if one.awaiting else 1 + sum(count for above, count in counts.items() if above > points)
        shared = not one.awaiting and counts[points] > 1
        placed.append(Standing(volume, one, points, volume.errata_of(one.municipality.code), rank, shared))
    placed.sort(key=lambda one: (one.rank is None, -one.points_now, one.surveyed.municipality.code))
    return tuple(placed)


def regions(placed: Iterable[Standing]) -> tuple[Region, ...]:
    """Towns by prefecture, both in the order of codes; places without an official code come last."""
    by_code: dict[str, list[Standing]] = {}
    for one in placed:
        by_code.setdefault(one.surveyed.municipality.code, []).append(one)
    by_region: dict[str, list[Town]] = {}
    for _, mine in sorted(by_code.items()):
        town = _town(mine)
        by_region.setdefault(town.municipality.prefecture, []).append(town)
    return tuple(Region(name, tuple(towns)) for name, towns in by_region.items())


def _volume(shelf: Shelf, name: str) -> Volume:
    edition, errata = shelf.edition(name), shelf.errata(name)
    sha256 = shelf.sha256(name)
    if any(one.edition_sha256 != sha256 for one in errata):
        raise InputError(f"{shelf.path(name)}: its errata correct another edition.json. `classify editions verify`.")
    return Volume(edition, tuple(errata), sha256)


def _newest(found: Sequence[Volume]) -> list[Volume]:
    seen: set[tuple[str, str]] = set()
    chosen = []
    for volume in found:
        mine = {(volume.edition.criteria.id, one.municipality.code) for one in volume.edition.municipalities}
        if mine - seen:
            chosen.append(volume)
        seen |= mine
    return chosen


def _town(mine: Sequence[Standing]) -> Town:
    place = mine[0].surveyed.municipality
    return Town(place, tuple(mine), english(place), search_keys(place), romaji_keys(place))
