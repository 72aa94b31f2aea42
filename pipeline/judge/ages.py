"""What posts that are dated by their age alone ("3 日前") leave open: the median gap of all their readings."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from pipeline.judge.gaps import MIN_DAYS, WINDOW_DAYS

Span = tuple[date, date]
# The day of the last post so far (0: none yet) and the days with a post in the window (three stand for more).
_State = tuple[int, int]
_LIMITS = range(1, WINDOW_DAYS + 1)


def at_most(spans: Sequence[Span], as_of: date) -> int | None:
    """The least number of days that the median gap does not exceed, however the spans are read. None where there is
    none: some reading has fewer than three days in the window, or nothing tells the order of the posts."""
    least = bisect_left(_LIMITS, True, key=lambda limit: _always(spans, as_of, limit))
    return _LIMITS[least] if least < len(_LIMITS) else None


def _always(spans: Sequence[Span], as_of: date, limit: int) -> bool:
    """Whether in every reading more than half of the gaps in the window are of at most `limit` days."""
    finals = _finals(spans, as_of, limit)
    return bool(finals) and all(days >= MIN_DAYS and least > 0 for (_, days), least in finals.items())


def _finals(spans: Sequence[Span], as_of: date, limit: int) -> dict[_State, int]:
    """Every state in which a reading can end, and by how many the short gaps exceed the long ones at least. Empty for
    spans that lie within each other: nothing tells the order of their posts."""
    end = as_of.toordinal()
    first = end - WINDOW_DAYS
    ordered = sorted((start.toordinal(), stop.toordinal()) for start, stop in spans)
    if any(later[1] < earlier[1] for earlier, later in zip(ordered, ordered[1:], strict=False)):
        return {}
    states: dict[_State, int] = {(0, 0): 0}
    for start, stop in ordered:
        after: dict[_State, int] = {}
        for (last, days), least in states.items():
            # All days before the window are alike, and so are those after it.
            for day in range(max(_within(start, first - 1, end + 1), last), _within(stop, first - 1, end + 1) + 1):
                counts = first <= day <= end and day != last
                change = (1 if day - last <= limit else -1) if counts and days else 0
                state = (day, min(days + counts, MIN_DAYS))
                after[state] = min(after.get(state, least + change), least + change)
        states = after
    return states


def _within(day: int, low: int, high: int) -> int:
    return min(max(day, low), high)
