"""A wave: one survey of many municipalities, and how far each of them has come."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pipeline.models.asked import CriteriaSet
from pipeline.models.base import Municipality, Noun, Offset


class CityState(StrEnum):
    """How far a municipality of a wave has come."""

    WAITING = "waiting"
    CRAWLING = "crawling"
    CRAWLED = "crawled"  # archived; a judge may have it
    JUDGING = "judging"
    DONE = "done"
    FAILED = "failed"  # given up for now: cause and detail say why
    CANCELLED = "cancelled"


# Nothing more happens to a municipality here unless somebody asks for it.
SETTLED = frozenset({CityState.DONE, CityState.FAILED, CityState.CANCELLED})


class Crawling(Noun):
    """How a wave crawls, as the options of `classify --city` say for one municipality; delay_s: seconds."""

    max_pages: int
    delay_s: float
    allow_private: bool = False
    fresh: bool = False
    render: bool = False
    speed: bool = True


class Judging(Noun):
    """Who judges a wave, as the options say; no key is ever part of it. prompts: sha256 of the prompts by judge, for a
    worker with others to refuse; max_cost: US dollars for all municipalities together, None for no limit."""

    model: str = ""
    base_url: str = ""
    judges: str = ""
    votes: int = 1
    price: str = ""
    max_cost: float | None = None
    prompts: tuple[tuple[str, str], ...] = ()


class Wave(Noun):
    """One survey of many municipalities by the same criteria, as of the same day. id: sorts by time; crawl: how, or
    None where only what is archived is judged again; priority: higher goes first where several waves wait."""

    id: str
    criteria: CriteriaSet
    as_of: date
    started: datetime
    crawl: Crawling | None
    judging: Judging = Judging()
    priority: int = 0


class WaveCity(Noun):
    """A municipality of a wave. run_id: of its run, empty before there is one; cause: one word to count by, detail: in
    words; tries: how often work on it began; pages: read so far; spent_usd: what its judgements cost; began, ended:
    of the work."""

    wave: str
    municipality: Municipality
    state: CityState
    run_id: str = ""
    cause: str = ""
    detail: str = ""
    tries: Offset = 0
    pages: Offset = 0
    spent_usd: float = 0.0
    began: datetime | None = None
    ended: datetime | None = None
