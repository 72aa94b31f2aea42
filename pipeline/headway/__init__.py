"""How far a wave has come: what is done, what failed and why, what is being worked on, how fast, and until when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from heapq import nlargest
from math import fsum

from pipeline.headway.nouns import Eta, Failed, Headway, Money, Pace, Slow, Trouble, Unknown, Working
from pipeline.headway.pace import eta, lasted, pace, work
from pipeline.models import SETTLED, CityState, Wave, WaveCity

__all__ = ["Eta", "Failed", "Headway", "Money", "Pace", "Slow", "Trouble", "Unknown", "Working", "failed", "headway"]

FIRST = 3  # examples of a cause
SLOWEST = 5


def headway(wave: Wave, cities: Sequence[WaveCity], money: tuple[Decimal, Decimal | None], now: datetime) -> Headway:
    """How far the wave has come by `now`. money: US dollars spent or set aside, and the cap (Waves.money).

    Where all are settled it speaks of the time of the last ending, not of now; a wave of nothing is settled at once.
    A municipality that failed and waits to be tried again counts as waiting. Spending never falls below what recorded
    judgements cost, even where the budget was not kept (judged again by other means).
    """
    states = Counter(one.state for one in cities)
    settled = sum(states[state] for state in SETTLED)
    left = len(cities) - settled
    ended = None if left else max((one.ended for one in cities if one.ended), default=wave.started)
    at = ended or now
    found = work(cities, at, begun=wave.started)
    recent = pace(found, left=left)
    return Headway(
        wave=wave.id,
        criteria=wave.criteria.id,
        as_of=wave.as_of,
        began=wave.started,
        at=at,
        ended=ended,
        elapsed_s=max(0.0, (at - wave.started).total_seconds()),
        worked_s=found.now,
        total=len(cities),
        settled=settled,
        states={state: states[state] for state in CityState},
        pages=sum(one.pages for one in cities),
        money=_money(cities, *money),
        pace=recent,
        eta=eta(found, recent, left=left, at=at),
        working=tuple(_working(cities)),
        troubles=tuple(_troubles(cities)),
        slowest=tuple(_slowest(cities)),
    )


def failed(cities: Sequence[WaveCity]) -> list[Failed]:
    """All that were given up, by cause and code."""
    found = [
        Failed(
            code=one.municipality.code, name=one.municipality.name, cause=one.cause, detail=one.detail, tries=one.tries
        )
        for one in cities
        if one.state is CityState.FAILED
    ]
    return sorted(found, key=lambda one: (one.cause, one.code))


def _money(cities: Sequence[WaveCity], committed: Decimal, cap: Decimal | None) -> Money:
    spent = round(fsum(one.spent_usd for one in cities), 9)
    aside = round(max(0.0, float(committed) - spent), 9)
    return Money(spent=spent, set_aside=aside, cap=None if cap is None else float(cap))


def _working(cities: Sequence[WaveCity]) -> Iterator[Working]:
    """The longest at it first; those of unknown beginning last."""
    found = [one for one in cities if one.state in (CityState.CRAWLING, CityState.JUDGING)]
    found.sort(key=lambda one: (one.began is None, one.began.timestamp() if one.began else 0.0, one.municipality.code))
    for one in found:
        place = one.municipality
        yield Working(code=place.code, name=place.name, state=one.state, since=one.began, pages=one.pages)


def _troubles(cities: Sequence[WaveCity]) -> list[Trouble]:
    groups: dict[str, list[Failed]] = defaultdict(list)
    for one in failed(cities):
        groups[one.cause].append(one)
    found = [Trouble(cause=cause, count=len(all_), first=tuple(all_[:FIRST])) for cause, all_ in groups.items()]
    return sorted(found, key=lambda one: (-one.count, one.cause))


def _slowest(cities: Sequence[WaveCity]) -> Iterator[Slow]:
    done = [one for one in cities if one.state in (CityState.DONE, CityState.FAILED) and lasted(one)]
    for one in nlargest(SLOWEST, done, key=lasted):
        place = one.municipality
        yield Slow(code=place.code, name=place.name, state=one.state, seconds=lasted(one), pages=one.pages)
