"""Geometry of what the page draws: bars with what is open, and the map of prefectures as tiles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from pipeline.models import Noun
from pipeline.ranking.nouns import Group, Part, Place

# In units of the drawings, which scale with the page.
BAR_WIDTH = 140.0
BAR_HEIGHT = 16.0
SMALL_WIDTH = 56.0
GROUP_WIDTH = 420.0
_TILE = 64.0
_TILE_GAP = 4.0
_TILES = Path(__file__).with_name("tiles.yaml")
_DARKEST = 5  # shades 1 to 5; from 4 on the text on a tile is white


class Bar(Noun):
    """Where on a bar of `width` the points end, what no person decided ends, and what could not be seen ends."""

    width: float
    points: float
    awaiting: float
    unseen: float


class Tile(Noun):
    """A prefecture on the map. shade: 0 where none is ranked, else 1 to 5, by its mean of the possible points in equal
    steps; group: None where none is surveyed."""

    name: str
    x: float
    y: float
    size: float
    shade: int
    group: Group | None


class Map(Noun):
    width: float
    height: float
    tiles: tuple[Tile, ...]


def bar(of: Place | Part, width: float = BAR_WIDTH) -> Bar:
    unit = width / max(1, of.possible)
    awaiting = of.points + of.awaiting
    return Bar(
        width=width,
        points=_round(of.points * unit),
        awaiting=_round(awaiting * unit),
        unseen=_round((awaiting + of.unseen) * unit),
    )


def group_bar(group: Group, possible: int) -> Bar:
    """The mean of a group, and what it can come to."""
    unit = GROUP_WIDTH / max(1, possible)
    mean, most = group.mean or 0.0, group.mean_most or 0.0
    return Bar(width=GROUP_WIDTH, points=_round(mean * unit), awaiting=_round(most * unit), unseen=_round(most * unit))


def prefecture_map(groups: Sequence[Group], possible: int) -> Map | None:
    """All 47 prefectures as tiles; None where fewer than two of them are surveyed."""
    known = {group.name_ja: group for group in groups if group.name_ja in _places()}
    if len(known) < 2:
        return None
    step = _TILE + _TILE_GAP
    tiles = tuple(
        Tile(
            name=name,
            x=x * step,
            y=y * step,
            size=_TILE,
            shade=_shade(known.get(name), possible),
            group=known.get(name),
        )
        for name, (x, y) in _places().items()
    )
    columns, rows = zip(*_places().values(), strict=True)
    return Map(width=(max(columns) + 1) * step - _TILE_GAP, height=(max(rows) + 1) * step - _TILE_GAP, tiles=tiles)


def _shade(group: Group | None, possible: int) -> int:
    if group is None or group.mean is None:
        return 0
    return 1 + min(_DARKEST - 1, int(_DARKEST * group.mean / max(1, possible)))


@cache
def _places() -> dict[str, tuple[int, int]]:
    """Prefecture to (column, row)."""
    rows: list[str] = yaml.safe_load(_TILES.read_text("utf-8"))
    return {name: (x, y) for y, row in enumerate(rows) for x, name in enumerate(row.split()) if name != "-"}


def _round(value: float) -> float:
    return round(value, 2)
