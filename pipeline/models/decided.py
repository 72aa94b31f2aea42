"""What people decide, and what may be said because of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pipeline.models.base import CriterionId, Municipality, MunicipalityCode, Noun, Sha256
from pipeline.models.fetched import Coverage
from pipeline.models.judged import Judgement, Measurement, Quote, Verdict


class Action(StrEnum):
    APPROVE = "approve"
    AMEND = "amend"
    REJECT = "reject"
    CODE = "code"  # a blind coding: reached without seeing the proposal or the other coder's answer
    RETURN = "return"
    UNDO = "undo"
    NOTE = "note"


class Decision(Noun):
    """One line of the append-only log. `of`: digest of the judgement it is about (see store/log.py).

    verdict and quotes: what the decision confirms, or what the coder found; None for return, undo and note.
    """

    municipality: MunicipalityCode
    criterion: CriterionId
    of: Sha256
    action: Action
    verdict: Verdict | None = None
    quotes: tuple[Quote, ...] = ()
    reviewer: str
    note: str = ""
    decided_at: datetime


class RunState(StrEnum):
    CRAWLING = "crawling"
    JUDGING = "judging"
    DONE = "done"


class Run(Noun):
    """One walk of `classify --city X`. id: unique text, sorts by time; as_of: the day the survey speaks about.

    origin: `crawl`, `site:FOLDER` or `warc:FILE`; sources: addresses added by hand with `--source`.
    """

    id: str
    municipality: Municipality
    criteria_id: str
    criteria_sha256: Sha256
    as_of: date
    judge: str
    origin: str = "crawl"
    sources: tuple[str, ...] = ()
    state: RunState
    started: datetime
    finished: datetime | None = None
    coverage: Coverage | None = None


class QueueItem(Noun):
    """A judgement as it stands in the queue: number (for people to type), digest, and the decisions taken on it."""

    number: int
    run_id: str
    municipality: Municipality
    judgement: Judgement
    digest: Sha256
    decisions: tuple[Decision, ...] = ()

    @property
    def version(self) -> str:
        """Changes with every line of the log and with the judgement itself: what a person decides from is this one."""
        return f"{self.digest[:16]}.{len(self.decisions)}"


class Hint(Noun):
    """What a self-reported survey says against a proposal, for whoever may see that proposal. of: its digest; source:
    `mapping/item`; survey and asked: its title and when it asked; columns: what it asked; said: its answer as given,
    affirmed: whether that is a yes; note: how its question differs from the criterion."""

    of: Sha256
    source: str
    survey_ja: str
    survey_en: str
    asked_ja: str
    asked_en: str
    columns: tuple[str, ...]
    said: str
    affirmed: bool
    note_ja: str
    note_en: str


class Stage(StrEnum):
    """Where an item stands between people."""

    OPEN = "open"
    CODED = "coded"  # one blind coding is in, a second one is awaited
    DISPUTED = "disputed"  # two blind codings differ: an adjudicator decides
    RETURNED = "returned"  # sent back, with a reason, to the person who had decided
    DECIDED = "decided"


class Role(StrEnum):
    REVIEWER = "reviewer"  # decides, and codes blind
    ADJUDICATOR = "adjudicator"  # decides, settles what two coders see differently, takes back and returns anyone's
    ANALYST = "analyst"  # reads and exports


class User(Noun):
    """A person known to this database. epoch: sessions of an earlier one are void (password changed, signed out)."""

    name: str
    role: Role
    active: bool = True
    epoch: int = 0
    has_password: bool = False


class Lease(Noun):
    """Who holds an item, until when: nobody else is served it meanwhile."""

    number: int
    holder: str
    expires: datetime


class Filter(Noun):
    """Items that a person wants to see; empty means all. criteria: ids, of a viewpoint or one; criteria_id: a set."""

    code: str = ""
    criteria_id: str = ""
    criteria: tuple[str, ...] = ()
    verdict: Verdict | None = None
    judge: str = ""


class Tally(Noun):
    """How many items of the newest surveys stand where. blind: open ones that are drawn for double coding."""

    stages: dict[Stage, int] = {}
    blind: int = 0


class Confirmed(Noun):
    """The outcome of a criterion that a person stands behind."""

    criterion: CriterionId
    verdict: Verdict
    quotes: tuple[Quote, ...] = ()
    measurement: Measurement | None = None
    reviewer: str
    decided_at: datetime
    note: str = ""


class ViewpointScore(Noun):
    """Points of one viewpoint. confirmed: `met` confirmed by people; provisional: `met` proposed and not yet decided
    (shown apart, never added); awaiting: criteria without a decision; possible: number of criteria."""

    viewpoint: str
    confirmed: int
    provisional: int
    awaiting: int
    possible: int


class Score(Noun):
    """What may be said of a municipality. points: sum of the confirmed points over all viewpoints."""

    municipality: Municipality
    run_id: str
    criteria_id: str
    points: int
    possible: int
    awaiting: int
    viewpoints: tuple[ViewpointScore, ...]
    confirmed: tuple[Confirmed, ...] = ()
