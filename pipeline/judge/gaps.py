"""Days with something new, and the gaps between them: what the probes of frequency have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

from pipeline.models import DatedList

WINDOW_DAYS = 60
# Two gaps are the least whose median is not a single accident.
MIN_DAYS = 3


def days_of(one: DatedList, as_of: date) -> list[date]:
    """The days with at least one dated item in the window: the 60 days up to and including as_of."""
    first = as_of - timedelta(days=WINDOW_DAYS)
    return sorted({day for day in one.dates if first <= day <= as_of})


def gaps_of(one: DatedList, as_of: date, *, limit: float) -> list[int]:
    """Days between consecutive days of the window; empty where the list settles nothing.

    With fewer than three days in the window a list that reaches back beyond it is sparse, and the gap that leads into
    the window is counted too; that can only say that the median is above the limit.
    """
    days = days_of(one, as_of)
    return between(days) if len(days) >= MIN_DAYS else _sparse(one, days, as_of, limit)


def between(days: Sequence[date]) -> list[int]:
    return [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]


def _sparse(one: DatedList, days: Sequence[date], as_of: date, limit: float) -> list[int]:
    first = as_of - timedelta(days=WINDOW_DAYS)
    before = [day for day in set(one.dates) if day < first]
    if not before:
        return []
    gaps = between([max(before), *days]) if days else [(as_of - max(before)).days]
    return gaps if median(gaps) > limit else []
