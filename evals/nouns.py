"""What a run of the suite leaves behind: a case for each label, and whose answers they are."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from evals.labels import Evidence, LabelVerdict
from pipeline.models import CriterionId, Flag, MunicipalityCode, Noun, Sha256, Verdict


class How(StrEnum):
    """How the pages of a labelled site reach the judge."""

    CRAWLED = "crawled"  # served over loopback HTTP and crawled: the whole walk is measured
    FILES = "files"  # every file of the folder, whatever the crawl would find
    ARCHIVED = "archived"  # the archived pages of a survey in the workspace


class Case(Noun):
    """One criterion of one site: what the label says and what the judge concluded. quotes: path, text and link of its
    evidence; votes: the verdicts of the model's samples; codes: what each human coder said."""

    site: str
    criterion: CriterionId
    viewpoint: str
    gold: LabelVerdict
    evidence: tuple[Evidence, ...] = ()
    codes: dict[str, LabelVerdict] = {}
    hard: bool = False
    trap: str = ""
    said: Verdict
    confidence: float
    quotes: tuple[Evidence, ...] = ()
    flags: tuple[Flag, ...] = ()
    rationale: str = ""
    votes: tuple[Verdict, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.gold.value == self.said.value

    @property
    def pair(self) -> tuple[str, str]:
        """The label and the judge's verdict."""
        return self.gold.value, self.said.value


class SiteRun(Noun):
    """One site of a run. digest: of labels and pages; read, unread: pages."""

    slug: str
    name: str
    code: MunicipalityCode
    as_of: date
    how: How
    digest: Sha256
    read: int
    unread: int
    seconds: float


class EvalRun(Noun):
    """One judge over labelled sites. id: unique, sorts by time."""

    id: str
    made: datetime
    judge: str
    criteria_id: str
    criteria_sha256: Sha256
    prompt_sha256: Sha256 | None = None
    cost_usd: float = 0.0
    sites: tuple[SiteRun, ...]
    cases: tuple[Case, ...]
