"""What is offered to a judge, said by it and concluded from it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.models.base import CriterionId, Noun, Offset, Sha256, Source
from pipeline.models.fetched import Unread


class View(StrEnum):
    """Which view of a page a passage comes from."""

    MAIN = "main"
    FULL = "full"
    LINKS = "links"


class Passage(Noun):
    """A slice of a page that retrieval offers for a criterion. score: BM25 over character bigrams, higher is better."""

    criterion: CriterionId
    page_sha256: Sha256
    url: str
    start: Offset
    end: Offset
    text: str
    view: View
    headings: tuple[str, ...] = ()
    score: float
    href: str = ""


class Match(StrEnum):
    """How a quote was found. width_space: after NFKC width folding or white-space removal; compatible: after other
    compatibility folding (ligatures, era signs, dashes); fragments: ordered parts of one block around an ellipsis."""

    EXACT = "exact"
    WIDTH_SPACE = "width_space"
    COMPATIBLE = "compatible"
    FRAGMENTS = "fragments"


class Quote(Noun):
    """Evidence: `page.text[start:end] == text` of the archived page. Only judge/grounding.py makes one."""

    page_sha256: Sha256
    url: str
    start: Offset
    end: Offset
    text: str
    match: Match
    title: str = ""
    dated: date | None = None
    source: Source = Source.OFFICIAL
    context: str = ""
    href: str = ""

    @model_validator(mode="after")
    def _length(self) -> Self:
        if self.end - self.start != len(self.text) or not self.text:
            raise ValueError("a quote's text must be the slice it names")
        return self


class Verdict(StrEnum):
    """Five outcomes that people must tell apart. Only `met` is a point."""

    MET = "met"
    NOT_MET = "not_met"  # a page says no
    NO_EVIDENCE = "no_evidence"  # we looked, nothing
    NOT_JUDGED = "not_judged"  # the judge failed or nothing measures it yet
    UNOBSERVED = "unobserved"  # the pages that could tell were not readable


class Claim(Noun):
    """A quote as a judge gave it, not yet verified. page_sha256: where the judge says it stands."""

    text: str
    page_sha256: Sha256 | None = None
    href: str = ""


class Measurement(Noun):
    """What a probe measured, which is the evidence of a measured criterion.

    name and unit as in the criteria file's words; value and threshold in that unit; met if value <= threshold;
    values: the single readings; urls: where they were read, with the sha256 of the archived bodies.
    """

    name: str
    value: float
    unit: str
    threshold: float
    threshold_source: str
    values: tuple[float, ...] = ()
    readings: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    sha256s: tuple[Sha256, ...] = ()


class Flag(StrEnum):
    """What a reviewer should look at first."""

    UNQUOTED_NEGATION = "unquoted_negation"  # ない / ません / 未 / 廃止 around the quote and not in it
    UNQUOTED_PLAN = "unquoted_plan"  # 予定 / 検討 around the quote and not in it
    OTHER_PAGE = "other_page"  # the quote stands on another page than the judge said
    AMBIGUOUS = "ambiguous"  # the quote stands in several places
    QUOTE_NOT_FOUND = "quote_not_found"  # at least one claim was dropped
    SHORT_QUOTE = "short_quote"
    ADDRESSED_TO_EVALUATOR = "addressed_to_evaluator"
    JUDGES_DISAGREE = "judges_disagree"
    CONTRADICTED = "contradicted"  # another passage says the opposite
    OLD_PAGE = "old_page"
    UNDATED = "undated"
    OTHER_ACTOR = "other_actor"  # a neighbour, prefecture, nation or company stands near
    TRIAL = "trial"
    PRESS = "press"
    PAGES_UNREAD = "pages_unread"  # pages that might tell could not be read
    BUDGET_SPENT = "budget_spent"  # pages that might tell were left unfetched, or are not in the folder or WARC
    LOW_CONFIDENCE = "low_confidence"
    MODEL_FAILED = "model_failed"  # no usable answer from the model
    VOTES_SPLIT = "votes_split"  # samples of the same question gave different verdicts


class Proposal(Noun):
    """What a judge said about one criterion, before verification. votes: verdicts of a model's samples, where it was
    asked several times."""

    criterion: CriterionId
    verdict: Verdict
    claims: tuple[Claim, ...] = ()
    rationale: str = ""
    confidence: Annotated[float, Field(ge=0, le=1)]
    flags: tuple[Flag, ...] = ()
    measurement: Measurement | None = None
    searched: tuple[Sha256, ...] = ()
    judge: str
    model: str = ""
    prompt_sha256: Sha256 | None = None
    cost_usd: float = 0.0
    votes: tuple[Verdict, ...] = ()


class Opinion(Noun):
    """What another judge concluded about the same criterion, shown beside the judgement and never scored."""

    judge: str
    model: str = ""
    verdict: Verdict
    quotes: tuple[Quote, ...] = ()
    rationale: str = ""
    confidence: Annotated[float, Field(ge=0, le=1)]


class Judgement(Noun):
    """What we concluded from a proposal after verification; what a reviewer sees.

    unread: addresses whose links speak of this criterion and that could not be read. searched: pages offered.
    others: second opinions; rule_sha256: of the criterion's words (Criterion.rule_sha256). passages: what retrieval
    found for the criterion, whatever the judge made of it: where a reviewer looks for other evidence. votes: as in
    Proposal.
    """

    criterion: CriterionId
    verdict: Verdict
    quotes: tuple[Quote, ...] = ()
    rationale: str = ""
    confidence: Annotated[float, Field(ge=0, le=1)]
    flags: tuple[Flag, ...] = ()
    measurement: Measurement | None = None
    searched: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    judge: str
    model: str = ""
    prompt_sha256: Sha256 | None = None
    criteria_sha256: Sha256
    rule_sha256: Sha256 | None = None
    cost_usd: float = 0.0
    votes: tuple[Verdict, ...] = ()
    others: tuple[Opinion, ...] = ()
    passages: tuple[Passage, ...] = ()
    judged_at: datetime

    @model_validator(mode="after")
    def _grounded(self) -> Self:
        if self.verdict in (Verdict.MET, Verdict.NOT_MET) and not (self.quotes or self.measurement):
            raise ValueError(f"{self.criterion}: {self.verdict} needs a quote or a measurement")
        return self
