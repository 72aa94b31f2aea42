"""What comes of holding a self-reported survey beside our verdicts."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pipeline.models import CriterionId, Municipality, Noun, Sha256, Verdict


class How(StrEnum):
    """How a survey item corresponds to a criterion; what each lets one compare is said in the mapping file."""

    SAME = "same"
    NARROWER = "narrower"
    BROADER = "broader"
    RELATED = "related"


class Answer(StrEnum):
    """What the municipality said of itself. silent: nothing, or nothing that the mapping can read."""

    YES = "yes"
    NO = "no"
    SILENT = "silent"


class Relation(StrEnum):
    """How the survey's answer and our verdict stand to each other."""

    AGREE = "agree"
    FOUND_NOTHING = "survey_yes_nothing_found"
    PAGE_SAYS_NO = "survey_yes_page_says_no"
    WE_SAY_MET = "survey_no_we_say_met"
    SILENT = "survey_silent"
    NOT_COMPARABLE = "not_comparable"


DISAGREEMENTS = (Relation.FOUND_NOTHING, Relation.PAGE_SAYS_NO, Relation.WE_SAY_MET)


class Why(StrEnum):
    """Why an answer and a verdict cannot be compared."""

    NOTHING = ""
    RELATED = "related"  # the item is on the same subject only
    NARROWER = "narrower"  # the survey's no says nothing about a criterion that counts more
    BROADER = "broader"  # the survey's yes says nothing about a criterion that counts less
    UNJUDGED = "unjudged"  # our verdict is not_judged or unobserved


class NoKappa(StrEnum):
    """Why a kappa would say nothing."""

    NOTHING = ""
    ONE_WAY = "one_way"  # only one of the survey's two answers can be compared
    FEW = "few"  # fewer pairs than build.MIN_KAPPA_PAIRS
    ALL_ALIKE = "all_alike"  # all answers and verdicts are the same, so chance alone would agree as well


class Item(Noun):
    """A survey item as the mapping file has it. columns: as they are named there."""

    id: str
    columns: tuple[str, ...]
    criterion: CriterionId
    how: How
    reading: str
    note_ja: str
    note_en: str


class Unmapped(Noun):
    """Columns without a criterion, and why."""

    columns: tuple[str, ...]
    why_ja: str
    why_en: str


class Reading(Noun):
    """How a cell is read: words that say yes, no and nothing, in NFKC without white space; a percentage above
    percent_above is a yes, any other a no."""

    affirms: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    percent_above: float | None = None


class Mapping(Noun):
    """A file of criteria/crosscheck/. code, prefecture, name: what the columns of a municipality may be called."""

    id: str
    version: str
    criteria: str
    title_ja: str
    title_en: str
    asked_ja: str
    asked_en: str
    url: str
    code: tuple[str, ...]
    prefecture: tuple[str, ...]
    name: tuple[str, ...]
    readings: dict[str, Reading]
    items: tuple[Item, ...]
    unmapped: tuple[Unmapped, ...]


class Row(Noun):
    """One survey item beside one verdict. said: the cells as the file has them; proposed: what the judge concluded;
    confirmed: what people stand behind, None while it is open. number and digest: of the item in the queue."""

    municipality: Municipality
    run_id: str
    as_of: date
    number: int
    digest: Sha256
    item: str
    criterion: CriterionId
    said: str
    answer: Answer
    proposed: Verdict
    confirmed: Verdict | None
    relation: Relation
    why: Why = Why.NOTHING

    @property
    def verdict(self) -> Verdict:
        """Ours: the confirmed one, else the proposed one."""
        return self.proposed if self.confirmed is None else self.confirmed

    @property
    def disagrees(self) -> bool:
        return self.relation in DISAGREEMENTS


class Figure(Noun):
    """Agreement over the comparable pairs of one item, or of all (item is empty). confirmed: verdicts that people stand
    behind, else those only proposed; pairs: comparable ones; agreed: how many of them agree.

    kappa: Cohen's, of yes and no on both sides, over the kappa_pairs among them whose yes and no can both be compared;
    None where it says nothing, and then why.
    """

    item: str
    confirmed: bool
    pairs: int
    agreed: int
    kappa: float | None = None
    kappa_pairs: int = 0
    why: NoKappa = NoKappa.NOTHING


class Crosscheck(Noun):
    """A survey beside our verdicts: rows by municipality and item, figures of what is confirmed and of what is proposed
    apart. files: as given; absent: municipalities surveyed here without a row in the files; others: rows of
    municipalities that were not surveyed here; lacking: items whose columns the files do not have; unknown: columns
    that the mapping does not know; problems: what could not be read, with its line. statements: what the criteria of
    the mapping say, in Japanese and English, by id."""

    mapping: Mapping
    files: tuple[str, ...]
    rows: tuple[Row, ...]
    figures: tuple[Figure, ...]
    absent: tuple[Municipality, ...] = ()
    others: int = 0
    lacking: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    statements: dict[str, tuple[str, str]] = {}
    problems: tuple[str, ...] = ()

    @property
    def disagreements(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.disagrees)

    def item(self, item_id: str) -> Item:
        return next(item for item in self.mapping.items if item.id == item_id)
