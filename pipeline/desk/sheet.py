"""The sheet of one item: everything that a person may see of it, and nothing that they must be blind to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.desk.desk import Desk
from pipeline.desk.excerpt import Excerpt, excerpt
from pipeline.models import (
    Action,
    Criterion,
    Decision,
    Hint,
    Judgement,
    Page,
    QueueItem,
    Quote,
    Run,
    Snapshot,
    Stage,
    User,
    Viewpoint,
)
from pipeline.review.team import Sight
from pipeline.store.log import codings, not_undone, stage, standing


@dataclass(frozen=True)
class Place:
    """What the reader looks at: a page, and the spans [start, end) of it to mark. number: of the quote or passage."""

    sha256: str
    url: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Reading:
    """An archived page opened for reading. page: None where the archive has lost it."""

    place: Place
    page: Page | None
    snapshot: Snapshot | None
    excerpt: Excerpt

    @property
    def texts(self) -> frozenset[str]:
        """What its blocks say, to tell what another version of the page says differently."""
        return frozenset(self.page.slice(block) for block in self.page.blocks) if self.page else frozenset()


@dataclass(frozen=True)
class Before:
    """What was confirmed before, of this very judgement or of an earlier one on the criterion, and how its page read
    then; beside it, how the page of that address reads in this survey (None where it was not read)."""

    decision: Decision
    quote: Quote | None
    then: Reading | None
    now: Reading | None
    reason: str = ""


@dataclass(frozen=True)
class Sheet:
    """proposal: None where the person is blind to it; answers: blind codings that may be shown; log: lines that may be
    shown, oldest first. unproven: quotes of the proposal that the archive does not hold as they are. hints: what a
    self-reported survey says against the proposal; it stands on no page, so only who may see everything sees it."""

    item: QueueItem
    run: Run
    criterion: Criterion
    viewpoint: Viewpoint
    sight: Sight
    stage: Stage
    people: tuple[str, ...]
    proposal: Judgement | None
    answers: tuple[Decision, ...]
    log: tuple[Decision, ...]
    held: Decision | None
    before: Before | None
    unproven: tuple[Quote, ...] = ()
    hints: tuple[Hint, ...] = ()


def sheet(desk: Desk, user: User, item: QueueItem) -> Sheet:
    """The sheet of the item for this person. Raises StoreError or ArchiveError where its survey is not at hand."""
    run = desk.store.run(item.run_id)
    if run is None:  # the database refuses a judgement without its run
        raise LookupError(item.run_id)
    criteria = desk.criteria(item.judgement.criteria_sha256)
    criterion = criteria.criterion(item.judgement.criterion)
    sight = desk.team().sight(user, item)
    now, people = stage(item.decisions)
    visible = tuple(seen(item.decisions, user, sight))
    blind = sight in (Sight.BLIND, Sight.OWN)
    return Sheet(
        item=item,
        run=run,
        criterion=criterion,
        viewpoint=next(one for one in criteria.viewpoints if one.id == criterion.viewpoint),
        sight=sight,
        stage=now,
        people=people,
        proposal=None if blind else item.judgement,
        answers=tuple(one for one in codings(item.decisions) if one in visible),
        log=visible,
        held=standing(item.decisions),
        before=None if blind else _before(desk, item),
        unproven=() if blind else tuple(one for one in item.judgement.quotes if not _stands(desk, one)),
        hints=desk.store.hints.of([item.digest]).get(item.digest, ()) if sight is Sight.ALL else (),
    )


def seen(log: Iterable[Decision], user: User, sight: Sight) -> Iterable[Decision]:
    """The lines of an item's log that the person may read: while one blind coding is in, only their own."""
    return (one for one in log if sight is Sight.ALL or one.reviewer == user.name)


def place_of(quotes: Iterable[Quote]) -> Place | None:
    """Where the first quote stands, with all quotes of that page marked."""
    known = list(quotes)
    if not known:
        return None
    first = known[0]
    spans = tuple((one.start, one.end) for one in known if one.page_sha256 == first.page_sha256)
    return Place(first.page_sha256, first.url, spans)


def read(desk: Desk, place: Place, *, whole: bool = False) -> Reading:
    """The archived page at that place."""
    page = desk.pages.page(place.sha256, place.url)
    shown = excerpt(page, place.spans, whole=whole) if page else Excerpt(())
    return Reading(place, page, desk.pages.snapshot(place.sha256, place.url), shown)


def _stands(desk: Desk, quote: Quote) -> bool:
    """Whether the archived page says it, at that place: an imported queue may come without its archive."""
    page = desk.pages.page(quote.page_sha256, quote.url)
    return page is not None and page.text[quote.start : quote.end] == quote.text


def _before(desk: Desk, item: QueueItem) -> Before | None:
    """The confirmation that was sent back, else the newest one about other evidence for the same criterion."""
    stack = not_undone(item.decisions)
    if stack and stack[-1].action is Action.RETURN:
        earlier, reason = standing(item.decisions[: item.decisions.index(stack[-1])]), stack[-1].note
    elif standing(item.decisions):
        return None
    else:
        found = desk.store.confirmed_before(item)
        earlier, reason = (standing(found.decisions) if found else None), ""
    if earlier is None:
        return None
    quote = earlier.quotes[0] if earlier.quotes else None
    then = read(desk, Place(quote.page_sha256, quote.url, ((quote.start, quote.end),))) if quote else None
    return Before(earlier, quote, then, _today(desk, item, quote), reason)


def _today(desk: Desk, item: QueueItem, quote: Quote | None) -> Reading | None:
    page = desk.pages.at(item.run_id, quote.url) if quote else None
    if page is None or quote is None:
        return None
    at = page.text.find(quote.text)
    spans = ((at, at + len(quote.text)),) if at >= 0 else ()
    return read(desk, Place(page.sha256, page.url, spans))
