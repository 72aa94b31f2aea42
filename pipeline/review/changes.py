"""Whether what a person confirmed still stands in the pages of a later crawl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.models import Action, Decision, Page, QueueItem, Quote, Region
from pipeline.review.team import AKASHI
from pipeline.store.log import standing


class Change(StrEnum):
    """What became of a cited page."""

    EDITED = "edited"  # its main text is another, even where the quoted sentence is still in it
    UNSEEN = "unseen"  # it is not among the pages that the later crawl could read


WORDS = {
    Change.EDITED: "引用したページの内容が変わりました (the cited page has changed)",
    Change.UNSEEN: "引用したページを今回は読めませんでした (the cited page could not be read this time)",
}


@dataclass(frozen=True)
class Changed:
    quote: Quote
    change: Change


def changes(quotes: Iterable[Quote], old: Mapping[str, Page], new: Mapping[str, Page]) -> list[Changed]:
    """The quotes whose page is not what the person saw. old: cited pages by sha256; new: pages of the crawl by URL."""
    found = ((quote, _change(quote, old.get(quote.page_sha256), new.get(quote.url))) for quote in quotes)
    return [Changed(quote, change) for quote, change in found if change]


def reopened(item: QueueItem, found: Iterable[Changed], *, now: datetime) -> Decision | None:
    """The line that sends a confirmation back to whoever gave it, or None where nothing changed or nothing stands."""
    lines = [f"{WORDS[one.change]}: {one.quote.url}" for one in found]
    held = standing(item.decisions)
    if not lines or held is None:
        return None
    return Decision(
        municipality=held.municipality,
        criterion=held.criterion,
        of=held.of,
        action=Action.RETURN,
        reviewer=AKASHI,
        note="\n".join(dict.fromkeys(lines)),
        decided_at=now,
    )


def _change(quote: Quote, old: Page | None, new: Page | None) -> Change | None:
    if new is None:
        return Change.UNSEEN
    if new.sha256 == quote.page_sha256:
        return None
    if old is None:
        return Change.EDITED
    # Menus and footers change with every page of a site: there only the words themselves count.
    same = _main(old) == _main(new) if _region(old, quote) is Region.MAIN else quote.text in new.text
    return None if same and _leads(quote, new) else Change.EDITED


def _region(page: Page, quote: Quote) -> Region | None:
    return next((block.region for block in page.blocks if block.start <= quote.start < block.end), None)


def _main(page: Page) -> list[str]:
    return [page.slice(block) for block in page.blocks if block.region is Region.MAIN]


def _leads(quote: Quote, page: Page) -> bool:
    return not quote.href or any(link.href == quote.href for link in page.links)
