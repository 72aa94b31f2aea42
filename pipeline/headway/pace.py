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
# A pause: nothing settled for so long, and for so many times what nine in ten waited for the one before them at most.
PAUSE_S = 1800.0
PAUSE_GAPS = 4
# What one takes from its beginning to its end is believed up to here: it may have lain there through a pause, or waited
# for a judge. 400 pages at ten seconds take little more than an hour.
SLOW_S = 7200.0
SIGMAS = 2.0  # of a count; about 19 times in 20 it lies within


@dataclass(frozen=True)
class Work:
    """Seconds of work, from its beginning: at which ones were settled, in order, and how many by now. quiet: it rests
    now; slow_s: what nine in ten took at most, as far as that is believed."""

    settled_at: tuple[float, ...]
    now: float
    quiet: bool
    slow_s: float


def work(cities: Sequence[WaveCity], at: datetime, *, begun: datetime) -> Work:
    """The work until `at` on the municipalities of a wave that was begun then.

    It begins with the first municipality whose beginning is known, not with the wave: workers may come later. What was
    cancelled is no work, nor what failed without being tried. A gap between two that are settled is a pause where it is
    longer than PAUSE_S and than PAUSE_GAPS usual ones; it counts as one median of what they took, since that is what
    the first one after a pause takes. How long a municipality took decides no more than that: its beginning is that of
    the first try. An ending later than `at`, by another machine's clock, counts as `at`. After a pause that still
    lasts, work counts from when somebody began another one.
    """
    done = [one for one in cities if one.state in (CityState.DONE, CityState.FAILED) and one.ended]
    ends = sorted(min(one.ended, at) for one in done if one.ended)
    begins = [min(one.began, at) for one in cities if one.began]
    marks = [min(begins, default=min(begun, at)), *ends]
    gaps = [max(0.0, (later - earlier).total_seconds()) for earlier, later in pairwise(marks)]
    longest = max(PAUSE_S, PAUSE_GAPS * _nine_in_ten(gaps))
    took = [lasted(one) for one in done if one.began]
    pause = min(longest, median(took) if took else median(gaps or [0.0]))
    settled_at = tuple(accumulate(gap if gap <= longest else pause for gap in gaps))
    since = _under_way(marks[-1], begins, at, timedelta(seconds=longest))
    current = 0.0 if since is None else (at - since).total_seconds()
    slow = min(_nine_in_ten(took), max(SLOW_S, longest))
    return Work(settled_at, (settled_at[-1] if settled_at else 0.0) + current, since is None, slow)


def _nine_in_ten(values: Sequence[float]) -> float:
    """What nine in ten of the values do not exceed, or a little less; 0 of none."""
    return sorted(values)[9 * (len(values) - 1) // 10] if values else 0.0


def lasted(city: WaveCity) -> float:
    """Seconds from the beginning to the end of the work; 0 where clocks of two machines contradict each other."""
    return max(0.0, (city.ended - city.began).total_seconds()) if city.began and city.ended else 0.0


def _under_way(last: datetime, begins: Sequence[datetime], at: datetime, longest: timedelta) -> datetime | None:
    """Since when work goes on without anything being settled, None where it rests."""
    if at - last <= longest:
        return last
    return min((one for one in begins if at - one <= longest), default=None)


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
