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
    RETURN = "return"
    UNDO = "undo"


class Decision(Noun):
    """One line of the append-only log. `of`: digest of the judgement it is about (see review/queue.py).

    verdict and quotes: what the decision confirms; for return and undo the verdict is None.
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
