"""What is told of two surveys."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pipeline.models import Cause, CriterionId, Noun, Offset, Verdict


class Fate(StrEnum):
    """What became of an address between two surveys. A page that was not asked for is never called gone."""

    NEW = "new"
    CHANGED = "changed"  # other words; other bytes alone do not count
    MOVED = "moved"  # a redirect, or the same words at an address that had no page before
    GONE = "gone"  # 404, 410, or a page that says that it is not there
    FAILED = "failed"  # asked for, and not readable this time
    UNFETCHED = "unfetched"  # not asked for this time


class PageChange(Noun):
    """url: the address in the earlier survey, of a new page in the later one; to: where it moved.

    removed, added: lines of its text, those that changed everywhere left out, at most 40 of each; more: how many more.
    cause, detail: why it was not read; of a new page, why it had not been read before.
    """

    fate: Fate
    url: str
    title: str = ""
    to: str = ""
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    more: Offset = 0
    cause: Cause | None = None
    detail: str = ""


class Everywhere(Noun):
    """Lines that changed on so many pages that they are menus or footers; urls: pages of which nothing else changed."""

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class QuoteChange(Noun):
    """A sentence on which the earlier verdict, or a person's decision on it, rested, and whose page is not what it was.
    fate: of that page; stands: whether the sentence is still read there, or where the page moved."""

    text: str
    url: str
    fate: Fate
    to: str = ""
    stands: bool


class CriterionChange(Noun):
    """reviewer: who had confirmed the earlier verdict, if anybody; stands: whether that confirmation still holds.
    passages: how many passages of new or changed pages were offered for it that were not before."""

    criterion: CriterionId
    then: Verdict
    now: Verdict
    quotes: tuple[QuoteChange, ...] = ()
    reviewer: str = ""
    stands: bool = False
    passages: Offset = 0

    @property
    def again(self) -> bool:
        """Whether a person has to look again at what a person had confirmed."""
        return bool(self.reviewer) and not self.stands


class Side(Noun):
    """One of the two surveys. origin: scheme and host of its home page; spent: whether its page budget ended before the
    pages did."""

    run_id: str
    as_of: date
    started: datetime
    origin: str
    read: Offset
    spent: bool
    criteria_sha256: str


class Difference(Noun):
    """Both surveys' sides, every page that is not as it was, and every criterion that a person should look at."""

    municipality: str
    then: Side
    now: Side
    unchanged: Offset
    pages: tuple[PageChange, ...] = ()
    everywhere: Everywhere = Everywhere()
    criteria: tuple[CriterionChange, ...] = ()

    def of(self, fate: Fate) -> tuple[PageChange, ...]:
        return tuple(one for one in self.pages if one.fate is fate)
