"""What the templates print, already decided: in Japanese words, texts of others made visible, links made safe."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from pipeline.models import Noun

Count = Annotated[int, Field(ge=0)]


class Stage(StrEnum):
    """How far the people are: nobody confirmed anything, some criteria wait, or all are decided."""

    DRAFT = "draft"
    PARTIAL = "partial"
    FINAL = "final"


class Day(Noun):
    """A date or time. iso: ISO 8601 for machines; shown: as readers write it (times in Japan's time zone)."""

    iso: str
    shown: str


class Link(Noun):
    """An address. shown: as text; href: http(s) only, percent-encoded ASCII path, None where it may not be linked."""

    shown: str
    href: str | None
    target: str | None = None  # href with a text fragment, where there is one


class Outcome(Noun):
    """One of the five outcomes, told apart by word and by shape (glyph in Markdown, drawing in HTML)."""

    key: str
    word: str
    glyph: str
    meaning: str


class Copy(Noun):
    """The archived copy behind a quote. warc, fetched: known only where the snapshots were given."""

    sha256: str
    start: Count
    end: Count
    warc: str | None = None
    offset: int | None = None
    fetched: Day | None = None


class Evidence(Noun):
    """A quote with where it stands. lines: its text, one string a line of the page; match: how it was found."""

    lines: tuple[str, ...]
    title: str
    dated: Day | None
    source: str
    official: bool
    link: Link
    account: Link | None
    match: str
    copy_of: Copy


class Measured(Noun):
    """A measurement against its threshold, in the unit of the criteria file."""

    name: str
    value: str
    unit: str
    threshold: str
    threshold_source: str
    within: bool
    values: str
    readings: tuple[str, ...]
    links: tuple[Link, ...]
    sha256s: tuple[str, ...]


class Missed(Noun):
    """An address that could not be read, and why. label: text of the link that led there."""

    link: Link
    label: str
    cause: str
    detail: str
    official: bool = True


class Check(Noun):
    """Who confirmed an outcome and when. changed_from: what was proposed, where the person decided otherwise."""

    reviewer: str
    decided: Day
    note: str
    changed_from: str | None


class Searched(Noun):
    """The pages that were looked through; a long list is cut, its count is whole."""

    count: Count
    listed: tuple[Link, ...]


class Row(Noun):
    """One criterion of the results table. check: None while no person has decided; searched: the pages that were
    looked through, where nothing was found; gaps: why something may still stand in pages that were not read."""

    number: int
    id: str
    viewpoint: str
    statement: str
    outcome: Outcome
    check: Check | None
    evidence: tuple[Evidence, ...]
    more_quotes: Count
    measured: Measured | None
    searched: Searched | None
    unread: tuple[Missed, ...]
    remarks: tuple[str, ...]
    gaps: tuple[str, ...]
    rationale: str
    counts: str
    does_not_count: str

    @property
    def confirmed(self) -> bool:
        return self.check is not None


class Tally(Noun):
    """Points of one viewpoint, confirmed and provisional apart."""

    viewpoint: str
    name: str
    confirmed: Count
    possible: Count
    provisional: Count
    awaiting: Count


class Spread(Noun):
    """How many criteria have an outcome, by whether a person confirmed it."""

    outcome: Outcome
    confirmed: Count
    unconfirmed: Count


class Highlight(Noun):
    """A measure worth telling of. why: in what it stands out, in figures; evidence: of several pages, if there are."""

    row: Row
    viewpoint: str
    evidence: tuple[Evidence, ...]
    why: str


class Challenge(Noun):
    """What holds a municipality back as a whole, found by one rule. rows: the criteria that it shows in."""

    key: str
    title: str
    text: str
    rows: tuple[Row, ...] = ()


class Example(Noun):
    """How a comparable municipality meets a criterion. relation: what makes it comparable."""

    place: str
    relation: str
    evidence: Evidence


class Expectation(Noun):
    """Why one criterion is no point today. why: in plain words, for this row."""

    row: Row
    why: str
    examples: tuple[Example, ...] = ()


class Expected(Noun):
    """Criteria that are no point for the same reason."""

    key: str
    title: str
    lead: str
    entries: tuple[Expectation, ...]


class Mean(Noun):
    """Mean points of the compared municipalities in one viewpoint."""

    viewpoint: str
    points: float


class Comparison(Noun):
    """The municipalities to compare with. count: all that are comparable and have something confirmed; whole: those
    with every criterion confirmed, of which alone `means` are taken, by viewpoint; empty for fewer than three."""

    text: str
    count: Count
    whole: Count
    means: tuple[Mean, ...]


class Change(Noun):
    """One criterion that an erratum corrects."""

    statement: str
    id: str
    before: str
    after: str
    note: str


class Amendment(Noun):
    """A dated correction of an edition, as its reader needs it."""

    number: Count
    edition: str
    issued: Day
    points_before: Count
    points_after: Count
    changes: tuple[Change, ...]


class Missing(Noun):
    """Addresses that could not be read for one cause. more: how many of them are not listed."""

    cause: str
    count: Count
    listed: tuple[Missed, ...]
    more: Count


class Waiting(Noun):
    link: Link
    label: str


class Fact(Noun):
    term: str
    text: str
    code: bool = False


class Reviewed(Noun):
    reviewer: str
    count: Count
    first: Day
    last: Day


class Method(Noun):
    """How the survey was made: facts of the run, what could not be read, who decided, and what that does not say."""

    facts: tuple[Fact, ...]
    missing: tuple[Missing, ...]
    unread: Count
    waiting: tuple[Waiting, ...]
    pending: Count
    reviewed: tuple[Reviewed, ...]
    rules: tuple[str, ...]
    limits: tuple[str, ...]


class Report(Noun):
    """One municipality's report. points: confirmed ones only; provisional: proposed and waiting, apart from them."""

    language: str
    title: str
    stage: Stage
    stage_word: str
    stage_note: str
    name: str
    prefecture: str
    code: str
    home: Link | None
    edition: str
    version: str
    as_of: Day
    points: Count
    possible: Count
    provisional: Count
    awaiting: Count
    summary: str
    provisional_note: str
    cautions: tuple[str, ...]
    tallies: tuple[Tally, ...]
    spread: tuple[Spread, ...]
    groups: tuple[tuple[Tally, tuple[Row, ...]], ...]
    comparison: Comparison
    highlight_rule: str
    highlights: tuple[Highlight, ...]
    challenges: tuple[Challenge, ...]
    expected: tuple[Expected, ...]
    method: Method
    errata: tuple[Amendment, ...]
