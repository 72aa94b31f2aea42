"""The rows of the exports: plain values, None where there is nothing to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pipeline.models import Verdict
from pipeline.report.nouns import Link


@dataclass(frozen=True)
class Place:
    """Which survey of which municipality. code: six digits, or x and ten hex digits."""

    code: str
    prefecture: str
    municipality: str
    as_of: date
    run: str


@dataclass(frozen=True)
class Said:
    """What a person confirmed, else what was proposed; outcome and confirmed in the reader's words."""

    verdict: Verdict
    outcome: str
    confirmed: str


@dataclass(frozen=True)
class Proof:
    """Where it is read: a quote and its place [start, end) in the archived page, or what a reading was taken from."""

    quote: str | None = None
    title: str | None = None
    dated: date | None = None
    source: str | None = None
    url: Link | None = None
    sha256: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Measured:
    """value and threshold in the unit."""

    name: str | None = None
    value: float | None = None
    unit: str | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Check:
    """Who confirmed it. decided: the day in Japan."""

    reviewer: str | None = None
    decided: date | None = None
    note: str | None = None


@dataclass(frozen=True)
class Row:
    """One criterion of one municipality. point: 1 for a confirmed `met`, else 0; quotes: how many there are, of which
    proof is the first, the most direct one."""

    place: Place
    criterion: str
    viewpoint: str
    statement: str
    said: Said
    point: int
    quotes: int
    proof: Proof
    measured: Measured
    check: Check


@dataclass(frozen=True)
class Points:
    """One viewpoint of one municipality; see ViewpointScore."""

    place: Place
    viewpoint: str
    confirmed: int
    possible: int
    provisional: int
    awaiting: int


@dataclass(frozen=True)
class Cited:
    """One quote. number: 1 for the most direct one of its criterion."""

    place: Place
    criterion: str
    said: Said
    number: int
    proof: Proof


@dataclass(frozen=True)
class Surveyed:
    """One survey. Counts are of addresses; None where the crawl left no record. begun and ended: in Japan."""

    place: Place
    points: int
    possible: int
    awaiting: int
    begun: datetime | None
    ended: datetime | None
    found: int | None
    fetched: int | None
    read: int | None
    unread: int | None
    left: int | None
    judges: str
    version: str
    criteria: str
