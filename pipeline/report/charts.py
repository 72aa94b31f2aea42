"""Geometry of the charts: bars of one cell a criterion, so that every drawn unit can be counted, and the radar."""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, cos, pi, sin
from string import ascii_uppercase

from pipeline.models import Noun
from pipeline.report.nouns import Report, Tally
from pipeline.report.speech import Speech

# In units of the drawing, which scales with the page. Sixteen cells of the largest viewpoint fill the width.
WIDTH = 400.0
_CELL = 25.0
_GAP = 2.5
_SMALL = 11.0
_BAR_HEIGHT = 22.0
_LABEL_HEIGHT = 24.0
_NOTE_HEIGHT = 24.0
_SPACE = 18.0
_FEWEST_SPOKES = 3
_RADIUS = 112.0
_MIDDLE = (200.0, 154.0)
_BELOW = 26.0
_ASIDE = 4.0


class Cell(Noun):
    x: float
    y: float
    width: float
    height: float
    filled: bool


class Bar(Noun):
    """One viewpoint. cells: as many as points are possible, filled where confirmed; provisional: a row of its own."""

    tally: Tally
    label_y: float
    cells: tuple[Cell, ...]
    provisional: tuple[Cell, ...]
    note_x: float
    note_y: float


class Chart(Noun):
    width: float
    height: float
    bars: tuple[Bar, ...]


def points_chart(tallies: Sequence[Tally]) -> Chart:
    """Bars of unit cells, one viewpoint under the other; provisional ones stand below the bar, not in it."""
    bars: list[Bar] = []
    top = 0.0
    for tally in tallies:
        bars.append(_bar(tally, top))
        note = _NOTE_HEIGHT if tally.provisional or tally.awaiting else 0
        top += _LABEL_HEIGHT + _BAR_HEIGHT + note + _SPACE
    return Chart(width=WIDTH, height=max(top - _SPACE, 1) + 2, bars=tuple(bars))


def _bar(tally: Tally, top: float) -> Bar:
    step = min(_CELL, WIDTH / max(tally.possible, 1))
    small = min(_SMALL + _GAP, WIDTH / 2 / max(tally.provisional, 1))
    bar_y = top + _LABEL_HEIGHT
    note_y = bar_y + _BAR_HEIGHT + 8
    return Bar(
        tally=tally,
        label_y=top + 16,
        cells=_cells(tally.possible, tally.confirmed, step=step, y=bar_y, height=_BAR_HEIGHT),
        provisional=_cells(tally.provisional, 0, step=small, y=note_y, height=_SMALL),
        note_x=tally.provisional * small + (5 if tally.provisional else 0),
        note_y=note_y + _SMALL - 0.5,
    )


def _cells(count: int, filled: int, *, step: float, y: float, height: float) -> tuple[Cell, ...]:
    gap = min(_GAP, step / 4)
    return tuple(
        Cell(x=round(n * step + 0.75, 2), y=y, width=round(step - gap, 2), height=height, filled=n < filled)
        for n in range(count)
    )


class Spoke(Noun):
    """One viewpoint's axis of the radar, from the middle to the full share, with the middle of its label. letter:
    stands for the name where there are too many to write out."""

    letter: str
    name: str
    points: str
    x: float
    y: float
    label_x: float
    label_y: float


class Radar(Noun):
    """Shares of the possible points by viewpoint. own, mean: corners of the polygons as SVG writes them, mean empty
    where nothing is compared; rings: at 25, 50, 75 and 100 %."""

    width: float
    height: float
    middle: tuple[float, float]
    spokes: tuple[Spoke, ...]
    lettered: bool
    rings: tuple[str, ...]
    own: str
    corners: tuple[tuple[float, float], ...]
    mean: str


def radar(report: Report, say: Speech) -> Radar | None:
    """None for fewer than three viewpoints, which span no surface."""
    tallies = report.tallies
    if len(tallies) < _FEWEST_SPOKES:
        return None
    means = {one.viewpoint: one.points for one in report.comparison.means}
    own = [one.confirmed / max(one.possible, 1) for one in tallies]
    mean = [means[one.viewpoint] / max(one.possible, 1) for one in tallies] if means else []
    outer = _corners([1.0] * len(tallies))
    spokes = tuple(_spoke(tally, n, at, say) for n, (tally, at) in enumerate(zip(tallies, outer, strict=True)))
    return Radar(
        width=WIDTH,
        height=max(spoke.label_y for spoke in spokes) + _BELOW,
        middle=_MIDDLE,
        spokes=spokes,
        lettered=len(spokes) > _FEWEST_SPOKES,
        rings=tuple(_polygon([ring / 4] * len(tallies)) for ring in (1, 2, 3, 4)),
        own=_polygon(own),
        corners=_corners(own),
        mean=_polygon(mean) if mean else "",
    )


def _spoke(tally: Tally, number: int, at: tuple[float, float], say: Speech) -> Spoke:
    x, y = at
    side = round(x - _MIDDLE[0], 2)
    above = y < _MIDDLE[1] - _RADIUS / 2
    return Spoke(
        letter=ascii_uppercase[number],
        name=tally.name,
        points=say("%(points)s / %(possible)s点", points=tally.confirmed, possible=tally.possible),
        x=x,
        y=y,
        label_x=x if not side else x + copysign(_ASIDE, side),
        label_y=round(y - 24 if above else y + 20, 2),
    )


def _corners(shares: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The first at the top, the others clockwise."""
    angles = [2 * pi * n / len(shares) for n in range(len(shares))]
    return tuple(
        (round(_MIDDLE[0] + _RADIUS * share * sin(angle), 2), round(_MIDDLE[1] - _RADIUS * share * cos(angle), 2))
        for share, angle in zip(shares, angles, strict=True)
    )


def _polygon(shares: Sequence[float]) -> str:
    return " ".join(f"{x},{y}" for x, y in _corners(shares))
