"""What is asked: criteria and prompts."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from pipeline.models.base import CriterionId, Noun, Sha256


class SettledBy(StrEnum):
    TEXT = "text"
    LINK = "link"
    MEASURED = "measured"


class Viewpoint(Noun):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    name_ja: str
    name_en: str


class Cue(Noun):
    """What a page says, in the criteria file's words: regular expressions over folded text (judge/cues.py).

    all: of every group one pattern must match; the first group's match stands in the sentence itself.
    within: what may complete the other groups: the sentence, the block (its row, column and headings), the section.
    title: a pattern that the page's title or first heading must match. none: nothing of it in the sentence, row or
    column; none_near: nor in headings and title. asserts: the wording itself says it, whatever the ending;
    plans_count: a stated intention is enough; labels_count: a line without a verb is enough.
    strength: how sure the wording alone makes, before actor, date and contradictions are weighed.
    """

    all: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]
    none: tuple[str, ...] = ()
    none_near: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    within: Annotated[str, Field(pattern=r"^(sentence|block|section)$")] = "block"
    strength: Annotated[float, Field(gt=0, le=1)] = 0.8
    asserts: bool = False
    plans_count: bool = False
    labels_count: bool = False
    note: str = ""


class Criterion(Noun):
    """One point of the survey, as criteria/*.yaml says it. Statements and rules are Japanese and English text.

    past_counts: an operation that has ended still counts; one_off: a thing done once counts (a project, a seminar);
    partners: a company or the press in the sentence does not make it somebody else's. alternatives: things of which one
    is enough, each as patterns; to deny one of them leaves the others standing. leads: words of links behind which the
    proof tends to stand though they do not name it; only the crawl reads them. usual: how often careful readers of
    labelled sites concluded `met`, `not_met`, `no_evidence`. threshold: of a measured criterion, in the probe's unit,
    up to which it is `met`; None: the probe's own. threshold_source: who says that it should be this one.
    """

    id: CriterionId
    viewpoint: str
    settled_by: SettledBy
    statement_ja: str
    statement_en: str
    counts_ja: str
    counts_en: str
    does_not_count_ja: str = ""
    does_not_count_en: str = ""
    search_terms: tuple[str, ...]
    leads: tuple[str, ...] = ()
    cues: tuple[Cue, ...] = ()
    absent_cues: tuple[Cue, ...] = ()
    link_hosts: tuple[str, ...] = ()
    probe: str = ""
    threshold: float | None = None
    threshold_source: str = ""
    past_counts: bool = False
    one_off: bool = False
    partners: bool = False
    alternatives: tuple[tuple[str, ...], ...] = ()
    usual: dict[str, int] = {}

    @property
    def source_of_threshold(self) -> str:
        """What a report names as the source of the threshold: what the file says, else the criterion's own rule."""
        return self.threshold_source or f"評価基準 {self.id}: {self.counts_ja}"

    @property
    def rule_sha256(self) -> str:
        """sha256 of what a reviewer decides by: a decision does not outlive a change of these words."""
        words = (self.statement_ja, self.counts_ja, self.does_not_count_ja)
        return hashlib.sha256("\x1f".join((self.id, *words)).encode()).hexdigest()


class CriteriaSet(Noun):
    """One file of criteria/: what a survey asks. sha256 is of the file's bytes and is recorded with each judgement."""

    id: str
    title_ja: str
    title_en: str
    version: str
    viewpoints: tuple[Viewpoint, ...]
    criteria: tuple[Criterion, ...]
    sha256: Sha256

    def criterion(self, criterion_id: str) -> Criterion:
        """The criterion of that id. Raises KeyError, naming it, where there is none."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        raise KeyError(criterion_id)


class PromptSet(Noun):
    """One file of prompts/. sha256 is of the file's bytes and is recorded with each judgement."""

    id: str
    language: str
    system: str
    user: str
    passage: str
    nothing: str
    repair: str
    widen: str
    sha256: Sha256
