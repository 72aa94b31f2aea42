"""Waves of fictional municipalities, as far along as a test says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

from pipeline.criteria import load
from pipeline.models import CityState, Crawling, CriteriaSet, Judging, Municipality, Wave, WaveCity

BEGUN = datetime(2026, 7, 1, 9, tzinfo=UTC)
WAVE = "20260701T090000Z-0001"


@cache
def _criteria() -> CriteriaSet:
    return load("dx-2024")


def after(minutes: float) -> datetime:
    return BEGUN + timedelta(minutes=minutes)


def a_wave(wave_id: str = WAVE, *, cap: float | None = None, started: datetime = BEGUN) -> Wave:
    return Wave(
        id=wave_id,
        criteria=_criteria(),
        as_of=date(2026, 7, 1),
        started=started,
        crawl=Crawling(max_pages=40, delay_s=1.0),
        judging=Judging(max_cost=cap),
    )


def a_city(
    number: int,
    state: CityState = CityState.WAITING,
    began: float | None = None,
    ended: float | None = None,
    *,
    wave: str = WAVE,
    name: str = "",
    cause: str = "",
    detail: str = "",
    pages: int = 0,
    usd: float = 0.0,
    started: datetime = BEGUN,
) -> WaveCity:
    """began, ended: minutes after the wave was begun."""
    return WaveCity(
        wave=wave,
        municipality=Municipality(code=f"{900000 + number}", name=name or f"汐凪{number}市"),
        state=state,
        cause=cause,
        detail=detail,
        tries=int(began is not None),
        pages=pages,
        spent_usd=usd,
        began=None if began is None else started + timedelta(minutes=began),
        ended=None if ended is None else started + timedelta(minutes=ended),
    )


def finished(endings: Sequence[float], *, took: float = 10.0, first: int = 0) -> list[WaveCity]:
    """Municipalities that are done at these minutes, each after so many minutes of work."""
    return [a_city(first + at, CityState.DONE, end - took, end, pages=10) for at, end in enumerate(endings)]


def nation(started: datetime, *, wave: str = WAVE, count: int = 1741) -> list[WaveCity]:
    """As many as there are, an hour and a half after the beginning: half of them settled, 40 under way, 35 failed."""
    found = []
    for at in range(count):
        done, failed = at < count // 2, at % 25 == 0
        state = CityState.FAILED if failed else CityState.DONE
        cause, detail = ("dns", f"www.city{at}.example: no address") if failed else ("", "")
        end = 10 + 80 * at / (count // 2)
        if done:
            read, usd = (0, 0.0) if failed else (300, 0.01)
            one = a_city(at, state, end - 9, end, cause=cause, detail=detail, pages=read, usd=usd, started=started)
        elif at < count // 2 + 40:
            one = a_city(at, CityState.CRAWLING if at % 3 else CityState.JUDGING, 85, pages=120, started=started)
        else:
            one = a_city(at, started=started)
        found.append(one.model_copy(update={"wave": wave}))
    return found
