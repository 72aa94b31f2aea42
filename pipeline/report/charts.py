"""Geometry of the points chart: one cell a criterion, so that every drawn unit can be counted."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.models import Noun
from pipeline.report.nouns import Tally

# In units of the drawing, which scales with the page. Sixteen cells of the largest viewpoint fill the width.
WIDTH = 400.0
_CELL = 25.0
_GAP = 2.5
_SMALL = 11.0
_BAR_HEIGHT = 22.0
_LABEL_HEIGHT = 24.0
_NOTE_HEIGHT = 24.0
_SPACE = 18.0


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
