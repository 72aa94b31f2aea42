"""From two surveys as they were archived and judged to what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.compare.nouns import CriterionChange, Difference, Fate, PageChange, QuoteChange, Side
from pipeline.compare.sites import Site, differing, site
from pipeline.errors import InputError
from pipeline.models import Decision, Page, QueueItem, Quote, Run, Snapshot
from pipeline.review.changes import changes
from pipeline.store.log import standing


@dataclass(frozen=True)
class Survey:
    """A run with the answers it archived, its pages by sha256, and its items with the decisions on them.

    cited: pages of earlier runs that those decisions cite, by sha256.
    """

    run: Run
    answers: Sequence[Snapshot]
    pages: Mapping[str, Page]
    items: Sequence[QueueItem]
    cited: Mapping[str, Page]

    @property
    def origin(self) -> str:
        parts = urlsplit(self.run.municipality.home_url or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def site(self, named: Callable[[str], str] = str) -> Site:
        if self.run.coverage is None:
            raise InputError(f"run {self.run.id} has not finished its crawl; there is nothing to compare yet")
        return site(self.answers, self.pages, self.run.coverage, named)

    def side(self) -> Side:
        seen = self.run.coverage
        return Side(
            run_id=self.run.id,
            as_of=self.run.as_of,
            started=self.run.started,
            origin=self.origin,
            read=seen.read if seen else 0,
            spent=bool(seen and seen.pending),
            criteria_sha256=self.run.criteria_sha256,
        )


def compare(then: Survey, now: Survey) -> Difference:
    """What differs between two surveys of one municipality. Raises InputError where one has not been crawled."""
    named = _as_today(then.origin, now.origin)
    before, after = then.site(named), now.site()
    pages, everywhere, unchanged = differing(before, after)
    return Difference(
        municipality=now.run.municipality.name,
        then=then.side(),
        now=now.side(),
        unchanged=unchanged,
        pages=tuple(pages),
        everywhere=everywhere,
        criteria=tuple(_criteria(then, now, after, pages, named)),
    )


def _as_today(before: str, after: str) -> Callable[[str], str]:
    """How an address of the earlier survey is written where the whole site went to another host, or to https."""

    def named(url: str) -> str:
        return after + url.removeprefix(before) if url.startswith(before + "/") else url

    return named if before and after and before != after else str


def _criteria(
    then: Survey, now: Survey, after: Site, pages: Sequence[PageChange], named: Callable[[str], str]
) -> Iterable[CriterionChange]:
    fates = {one.url: one for one in pages}
    items = {item.judgement.criterion: item for item in now.items}
    for old in then.items:
        new = items.get(old.judgement.criterion)
        if new is None:
            continue
        held = standing([line for line in old.decisions if line.decided_at < now.run.started])
        cited = [*old.judgement.quotes, *(held.quotes if held else ())]
        touched = _quotes([one.model_copy(update={"url": named(one.url)}) for one in cited], then, after, fates)
        found = _criterion(old, new, held, tuple(touched), _new_passages(old, new, fates))
        if found.then is not found.now or found.quotes or found.again or found.passages:
            yield found


def _criterion(
    old: QueueItem, new: QueueItem, held: Decision | None, quotes: tuple[QuoteChange, ...], passages: int
) -> CriterionChange:
    holds = standing(new.decisions)
    return CriterionChange(
        criterion=old.judgement.criterion,
        then=held.verdict if held and held.verdict else old.judgement.verdict,
        now=holds.verdict if holds and holds.verdict else new.judgement.verdict,
        quotes=quotes,
        reviewer=held.reviewer if held else "",
        stands=holds is not None,
        passages=passages,
    )


def _quotes(
    cited: Sequence[Quote], then: Survey, after: Site, fates: Mapping[str, PageChange]
) -> Iterator[QuoteChange]:
    """What was cited, and stands on a page that is not what it was."""
    each = {(one.url, one.text): one for one in cited}
    for changed in changes(each.values(), {**then.cited, **then.pages}, after.pages):
        yield _told(changed.quote, after, fates.get(changed.quote.url))


def _told(quote: Quote, after: Site, page: PageChange | None) -> QuoteChange:
    to = page.to if page else ""
    now = after.pages.get(to or quote.url)
    usual = Fate.CHANGED if quote.url in after.pages else Fate.UNFETCHED
    return QuoteChange(
        text=quote.text,
        url=quote.url,
        fate=page.fate if page else usual,
        to=to,
        stands=now is not None and quote.text in now.text,
    )


def _new_passages(old: QueueItem, new: QueueItem, fates: Mapping[str, PageChange]) -> int:
    before = {one.text for one in old.judgement.passages}
    fresh = {url for url, one in fates.items() if one.fate in (Fate.NEW, Fate.CHANGED)}
    return sum(one.url in fresh and one.text not in before for one in new.judgement.passages)
