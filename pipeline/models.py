"""The nouns that cross a doorway between rooms: frozen, unknown fields refused, importing nothing else of ours."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
CriterionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*-\d{2}$")]
MunicipalityCode = Annotated[str, Field(pattern=r"^(\d{6}|x[0-9a-f]{10})$")]
# Half an open interval [start, end) in characters of Page.text.
Offset = Annotated[int, Field(ge=0)]


class Noun(BaseModel):
    """Base of every noun: a value, compared by content."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(StrEnum):
    """Who speaks on a page: the municipality's own site, a booking or application service elsewhere that it links to,
    or a page added by hand with `--source`."""

    OFFICIAL = "official"
    SERVICE = "service"
    PRESS = "press"


class Municipality(Noun):
    """One local government.

    code: 全国地方公共団体コード, six digits as text; for a place outside the registry (fictional, merged) `x` and ten
    hex digits of its name. home_url: address of the official home page, or None where the registry names none.
    """

    code: MunicipalityCode
    name: str
    kana: str = ""
    prefecture: str = ""
    home_url: str | None = None


# --- what was fetched -------------------------------------------------------------------------------------------------


class Snapshot(Noun):
    """One HTTP answer as received and archived.

    url: as asked; final_url: that answered after redirects; fetched_at: UTC; sha256: of the body after transfer and
    content decoding; warc: path of the WARC relative to the archive's folder; offset: of the record in it, bytes.
    """

    url: str
    final_url: str
    fetched_at: datetime
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    sha256: Sha256
    warc: str
    offset: Offset
    source: Source = Source.OFFICIAL

    def header(self, name: str) -> str:
        """The first header of that name, case-insensitive, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Cause(StrEnum):
    """Why an address could not be read; the report tells these apart from `nothing found`."""

    ROBOTS = "robots"  # robots.txt forbids it
    ROBOTS_UNREACHABLE = "robots_unreachable"  # robots.txt answered 5xx or not at all: denied for now (RFC 9309)
    ADDRESS = "address"  # private, loopback or otherwise refused address, port or scheme
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"  # loop, too many hops, or a hop to a refused address
    PROTOCOL = "protocol"  # the answer was not HTTP that could be read
    NOT_FOUND = "not_found"  # 404 and 410: the page is gone, which is an answer about the page only
    FORBIDDEN = "forbidden"  # 401, 403, 429, 451: we were not let in
    SERVER = "server"  # 5xx
    EMPTY = "empty"  # an answer without any visible text
    MEDIA = "media"  # not HTML, PDF or plain text
    NEEDS_OCR = "needs_ocr"  # a PDF without a text layer
    BROKEN = "broken"  # the document could not be parsed


class Unread(Noun):
    """An address that was wanted and could not be read: `unobserved`, never `absent`.

    label: text of the link that led there, so that it can be told which criteria it might have settled.
    sha256: of the archived body where there was one.
    """

    url: str
    cause: Cause
    detail: str = ""
    label: str = ""
    sha256: Sha256 | None = None
    source: Source = Source.OFFICIAL


class Pending(Noun):
    """An address known but not fetched because the page budget was spent."""

    url: str
    label: str = ""


class Coverage(Noun):
    """What a crawl saw and did not see.

    found: distinct addresses discovered in scope; fetched: answers archived; read: pages with text;
    unread: those that failed; pending: addresses left when the page budget was spent, with the labels of their links.
    """

    home_read: bool
    found: Offset
    fetched: Offset
    read: Offset
    unread: tuple[Unread, ...] = ()
    pending: tuple[Pending, ...] = ()
    started: datetime
    finished: datetime
    max_pages: int | None = None


# --- what a page says -------------------------------------------------------------------------------------------------


class Region(StrEnum):
    """Where on the page a block stands. `main`: trafilatura's main text; `body`: other visible content."""

    MAIN = "main"
    BODY = "body"
    NAV = "nav"
    FOOTER = "footer"


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"  # li
    TERM = "term"  # dt
    DEFINITION = "definition"  # dd
    HEADER_CELL = "header_cell"  # th
    CELL = "cell"  # td
    CAPTION = "caption"
    ALT = "alt"  # alternative text of an image, what a screen reader says
    OTHER = "other"


class Block(Noun):
    """One block element of visible text: `page.text[start:end]`, one line, white space collapsed.

    headings: texts of the headings above it, outermost first (the page's title is not among them).
    row: what names its line (th or first td of the row, dt of a dd); column: header cell above it.
    sheet: page number in a PDF, from 1.
    """

    start: Offset
    end: Offset
    kind: BlockKind
    region: Region
    headings: tuple[str, ...] = ()
    row: str = ""
    column: str = ""
    sheet: int | None = None


class Link(Noun):
    """A link as a reader meets it. start, end: its label (or its image's alt) in Page.text; equal where it has none."""

    href: str
    label: str = ""
    title: str = ""
    region: Region
    headings: tuple[str, ...] = ()
    start: Offset
    end: Offset


class Media(StrEnum):
    HTML = "html"
    PDF = "pdf"
    TEXT = "text"


class Page(Noun):
    """What a snapshot says.

    sha256: of the snapshot's body; text: the visible blocks joined by line feeds, every offset in the system points
    into it; hidden_text: what no reader sees (display:none, comments excluded), kept only to warn reviewers, never
    searched and never sent to a model; dated: last stated update, else publication; cut: what of a long document was
    left unread, in words.
    """

    sha256: Sha256
    url: str
    title: str = ""
    dated: date | None = None
    language: str = "ja"
    media: Media = Media.HTML
    source: Source = Source.OFFICIAL
    text: str
    blocks: tuple[Block, ...]
    links: tuple[Link, ...] = ()
    hidden_text: str = ""
    cut: str = ""

    def slice(self, block: Block | Link | Quote) -> str:
        return self.text[block.start : block.end]


class DatedList(Noun):
    """Dates on which a site says that it changed. kind: `feed`, `list` (a dated list on a page) or `sitemap`."""

    url: str
    sha256: Sha256
    kind: Annotated[str, Field(pattern=r"^(feed|list|sitemap)$")]
    dates: tuple[date, ...]


# --- what is asked ----------------------------------------------------------------------------------------------------


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
    partners: a company or the press in the sentence does not make it somebody else's.
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
    cues: tuple[Cue, ...] = ()
    absent_cues: tuple[Cue, ...] = ()
    link_hosts: tuple[str, ...] = ()
    probe: str = ""
    past_counts: bool = False
    one_off: bool = False

    @property
    def rule_sha256(self) -> str:
        """sha256 of what a reviewer decides by: a decision does not outlive a change of these words."""
        words = (self.statement_ja, self.counts_ja, self.does_not_count_ja)
        return hashlib.sha256("\x1f".join((self.id, *words)).encode()).hexdigest()

    partners: bool = False


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


# --- what is offered, said and concluded ------------------------------------------------------------------------------


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
    """What a judge said about one criterion, before verification."""

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
    others: second opinions; rule_sha256: of the criterion's words (Criterion.rule_sha256).
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
    others: tuple[Opinion, ...] = ()
    judged_at: datetime

    @model_validator(mode="after")
    def _grounded(self) -> Self:
        if self.verdict in (Verdict.MET, Verdict.NOT_MET) and not (self.quotes or self.measurement):
            raise ValueError(f"{self.criterion}: {self.verdict} needs a quote or a measurement")
        return self


# --- what people decide -----------------------------------------------------------------------------------------------


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
