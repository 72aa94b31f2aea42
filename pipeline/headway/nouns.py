"""How far a wave has come, as values: what the terminal, the web page and programs show alike."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pipeline.models import CityState, Noun


class Unknown(StrEnum):
    """Why there is no pace, or no expected end."""

    FEW = "few"  # too few are settled to tell
    QUIET = "quiet"  # nothing was settled for long, nor anything begun: nobody is at it, or has only just gone on
    NOTHING_LEFT = "nothing_left"


class Pace(Noun):
    """per_hour: municipalities settled in an hour of work, None where `unknown` says why; settled: how many that
    counts; over_s: seconds of work in which they were."""

    per_hour: float | None = None
    settled: int = 0
    over_s: float = 0.0
    unknown: Unknown | None = None


class Eta(Noun):
    """When the last one is expected to be settled; all three None where `unknown` says why."""

    likely: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    unknown: Unknown | None = None


class Money(Noun):
    """US dollars. spent: in judgements that are recorded; set_aside: for calls under way or broken off, which may have
    been billed; cap: for all of the wave, None for no limit."""

    spent: float
    set_aside: float
    cap: float | None = None


class Working(Noun):
    """A municipality that is being crawled or judged. since: its first try began; pages: read so far."""

    code: str
    name: str
    state: CityState
    since: datetime | None
    pages: int


class Failed(Noun):
    """A municipality that was given up. tries: how often work on it began."""

    code: str
    name: str
    cause: str
    detail: str
    tries: int


class Trouble(Noun):
    """All that failed by one cause. first: some of them."""

    cause: str
    count: int
    first: tuple[Failed, ...]


class Slow(Noun):
    """A settled municipality and the seconds from its beginning to its end, pauses and waiting for a judge included."""

    code: str
    name: str
    state: CityState
    seconds: float
    pages: int


class Headway(Noun):
    """states: municipalities by state, every state, zeros too; settled: done, failed or cancelled; began: the wave, as
    it was recorded; at: the time this speaks of; ended: of the last one, where all are settled; elapsed_s: seconds from
    the one to the other; worked_s: without pauses; working: longest first; troubles: most frequent first."""

    wave: str
    criteria: str
    as_of: date
    began: datetime
    at: datetime
    ended: datetime | None
    elapsed_s: float
    worked_s: float
    total: int
    settled: int
    states: dict[CityState, int]
    pages: int
    money: Money
    pace: Pace
    eta: Eta
    working: tuple[Working, ...]
    troubles: tuple[Trouble, ...]
    slowest: tuple[Slow, ...]
