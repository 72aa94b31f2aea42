"""The clock of a wave's work: it stands still in pauses, so that a night's rest makes no municipality look slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from math import sqrt
from statistics import median

from pipeline.headway.nouns import Eta, Pace, Unknown
from pipeline.models import CityState, WaveCity

RECENT_S = 3600.0  # an hour of work smooths out that municipalities begun together end together
RECENT = 30  # or so many, where they took longer: chance then moves the pace by a fifth or so
ENOUGH = 5  # with fewer, chance alone may double the pace or halve it
# A pause: nothing settled for so long, and for longer than so many typical municipalities take. While work goes on,
# something is settled at least as often as the slowest takes.
PAUSE_S = 1800.0
PAUSE_TYPICAL = 3
SIGMAS = 2.0  # of a count; about 19 times in 20 it lies within


@dataclass(frozen=True)
class Work:
    """Seconds of work, from its beginning: at which ones were settled, in order, and how many by now. quiet: it rests
    now; slow_s: what nine in ten took at most."""

    settled_at: tuple[float, ...]
    now: float
    quiet: bool
    slow_s: float


def work(cities: Sequence[WaveCity], at: datetime, *, begun: datetime) -> Work:
    """The work until `at` on the municipalities of a wave that was begun then.

    It begins with the first municipality where there is one, not with the wave: workers may come later. What was
    cancelled is no work. A gap between two that are settled is a pause where it is longer than PAUSE_S and than
    PAUSE_TYPICAL medians of what they took; it counts as one median, since that is what the first one after a pause
    takes. An ending later than `at`, by another machine's clock, counts as `at`. After a pause that still lasts, work
    counts from when somebody began anew.
    """
    done = [one for one in cities if one.state in (CityState.DONE, CityState.FAILED) and one.ended]
    ends = sorted(min(one.ended, at) for one in done if one.ended)
    took = sorted(lasted(one) for one in done if one.began)
    typical = median(took) if took else 0.0
    longest = max(PAUSE_S, PAUSE_TYPICAL * typical)
    begins = [min(one.began, at) for one in cities if one.began and one.state is not CityState.CANCELLED]
    start = min([*begins, *ends[:1]], default=begun)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise([start, *ends])]
    marks = tuple(accumulate(gap if gap <= longest else typical for gap in gaps))
    since = _under_way(ends[-1] if ends else start, begins, at, timedelta(seconds=longest))
    current = 0.0 if since is None else (at - since).total_seconds()
    slow = took[int(0.9 * (len(took) - 1))] if took else 0.0
    return Work(marks, (marks[-1] if marks else 0.0) + current, since is None, slow)


def lasted(city: WaveCity) -> float:
    """Seconds from the beginning to the end of the work; 0 where clocks of two machines contradict each other."""
    return max(0.0, (city.ended - city.began).total_seconds()) if city.began and city.ended else 0.0


def _under_way(last: datetime, begins: Sequence[datetime], at: datetime, longest: timedelta) -> datetime | None:
    """Since when work goes on without anything being settled, None where it rests."""
    if at - last <= longest:
        return last
    return min((one for one in begins if one > last and at - one <= longest), default=None)


def pace(found: Work, *, left: int) -> Pace:
    """Of the last hour of work, or of the last RECENT where they took longer; of a wave that is settled, of all."""
    marks = found.settled_at
    since = min(found.now - RECENT_S, marks[-RECENT]) if left and len(marks) >= RECENT else 0.0
    count, over = sum(mark >= since for mark in marks), found.now - max(0.0, since)
    if left and found.quiet:
        return Pace(unknown=Unknown.QUIET)
    if count < ENOUGH or over <= 0:
        return Pace(settled=count, over_s=over, unknown=Unknown.FEW)
    return Pace(per_hour=count * 3600 / over, settled=count, over_s=over)


def eta(found: Work, recent: Pace, *, left: int, at: datetime) -> Eta:
    """When nothing is left if it goes on at this pace: as many at work, and the rest like the recent ones.

    The range is what chance does to a count of that size (SIGMAS standard deviations, its root); its end leaves time
    for one that takes as long as the slowest tenth, which matters when few are left.
    """
    if not left:
        return Eta(unknown=Unknown.NOTHING_LEFT)
    if recent.per_hour is None:
        return Eta(unknown=recent.unknown)
    hours, spread = left / recent.per_hour, SIGMAS / sqrt(recent.settled)
    slow = timedelta(seconds=found.slow_s)
    return Eta(
        likely=at + timedelta(hours=hours),
        earliest=at + timedelta(hours=hours / (1 + spread)),
        latest=at + max(timedelta(hours=hours / (1 - spread)), slow),
    )
