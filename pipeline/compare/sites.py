"""What a survey knows of each address, and how two surveys differ in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.compare.nouns import Everywhere, Fate, PageChange
from pipeline.models import Cause, Coverage, Page, Region, Snapshot
from pipeline.urls import canonical

MAX_LINES = 40
# A shorter text may be the same on two pages that have nothing to do with each other.
_TELLING_CHARS = 60
# A line that changed on so many pages, and on such a share of them, belongs to the site and not to a page.
EVERYWHERE_MIN_PAGES, EVERYWHERE_SHARE = 5, 0.2
_SPENT = "known, and not fetched: the page budget was spent"
_UNLINKED = "no page that was read links to it any more"
_UNREACHED = "it was not reached"


@dataclass(frozen=True)
class Site:
    """One survey's addresses: pages read, redirects with their target, failures with their cause, and what waited."""

    pages: Mapping[str, Page]
    moved: Mapping[str, str]
    failed: Mapping[str, tuple[Cause, str]]
    pending: frozenset[str]
    linked: frozenset[str]

    def why_unread(self, url: str) -> tuple[Cause | None, str]:
        if url in self.failed:
            return self.failed[url]
        if url in self.pending:
            return None, _SPENT
        return None, _UNREACHED if url in self.linked else _UNLINKED


def site(
    answers: Sequence[Snapshot], pages: Mapping[str, Page], coverage: Coverage, named: Callable[[str], str] = str
) -> Site:
    """pages: by sha256 of their body, as read from these answers; named: how an address is written."""
    read = {named(one.final_url): pages[one.sha256] for one in answers if one.is_page and one.sha256 in pages}
    moved = {named(one.url): named(one.final_url) for one in answers if one.is_page and one.url != one.final_url}
    moved |= {named(one.url): named(target) for one in answers if (target := _target(one))}
    failed = {named(one.url): (one.cause, one.detail) for one in coverage.unread}
    # What answered in words that stand at other addresses too was archived and is no page of its own.
    blank = {named(one.url) for one in coverage.unread if one.sha256 in pages}
    read = {url: page for url, page in read.items() if url not in blank}
    return Site(
        pages=read,
        moved={url: target for url, target in moved.items() if url not in read},
        failed={url: why for url, why in failed.items() if url not in read},
        pending=frozenset(named(one.url) for one in coverage.pending),
        linked=frozenset(link.href for page in read.values() for link in page.links),
    )


def _target(answer: Snapshot) -> str:
    """Where a redirect leads, or an empty string."""
    location = answer.header("location") if 300 <= answer.status < 400 else ""
    return (canonical(location, answer.url) or "") if location else ""


def differing(then: Site, now: Site) -> tuple[list[PageChange], Everywhere, int]:
    """The pages that are not as they were, in the order of their addresses; what changed on all; how many are as they
    were."""
    moved = _moves(then, now)
    both = then.pages.keys() & now.pages.keys()
    edited = {url: lines for url in both if (lines := _lines(then.pages[url], now.pages[url]))}
    shared = _shared(edited.values(), len(both))
    found, only_shared = [], []
    for url, lines in edited.items():
        own = lines.without(shared)
        if own is None:
            only_shared.append(url)
        else:
            found.append(own.told(Fate.CHANGED, url, now.pages[url].title))
    found += (_left(url, then, now, moved.get(url, "")) for url in then.pages.keys() - both)
    fresh = now.pages.keys() - both - set(moved.values())
    found += (_came(url, then, now) for url in fresh)
    everywhere = Everywhere(
        removed=tuple(shared.removed)[:MAX_LINES],
        added=tuple(shared.added)[:MAX_LINES],
        urls=tuple(sorted(only_shared)),
    )
    return sorted(found, key=lambda one: one.url), everywhere, len(both) - len(edited)


# --- lines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lines:
    """Lines that one text has and the other has not, in the order of the page."""

    removed: Sequence[str]
    added: Sequence[str]

    def without(self, shared: _Lines) -> _Lines | None:
        """What is left when those of the whole site are taken away, or None."""
        left, come = set(shared.removed), set(shared.added)
        removed = [line for line in self.removed if line not in left]
        added = [line for line in self.added if line not in come]
        nothing = not removed and not added and (self.removed or self.added)
        return None if nothing else _Lines(removed, added)

    def told(self, fate: Fate, url: str, title: str, to: str = "") -> PageChange:
        return PageChange(
            fate=fate,
            url=url,
            title=title,
            to=to,
            removed=tuple(self.removed[:MAX_LINES]),
            added=tuple(self.added[:MAX_LINES]),
            more=max(0, len(self.removed) - MAX_LINES) + max(0, len(self.added) - MAX_LINES),
            detail="" if self.removed or self.added else "the same lines in another order",
        )


def _lines(then: Page, now: Page) -> _Lines | None:
    """How the texts differ, or None where they do not."""
    if then.text == now.text:
        return None
    before, after = then.text.split("\n"), now.text.split("\n")
    return _Lines(list(_only(before, after)), list(_only(after, before)))


def _only(lines: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Lines that stand here more often than there."""
    left = Counter(others)
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            yield line


def _shared(edited: Iterable[_Lines], pages: int) -> _Lines:
    least = max(EVERYWHERE_MIN_PAGES, EVERYWHERE_SHARE * pages)
    removed: Counter[str] = Counter()
    added: Counter[str] = Counter()
    for one in edited:
        removed.update(set(one.removed))
        added.update(set(one.added))
    return _Lines(
        [line for line, count in removed.items() if count >= least],
        [line for line, count in added.items() if count >= least],
    )


# --- addresses --------------------------------------------------------------------------------------------------------


def _moves(then: Site, now: Site) -> dict[str, str]:
    """Addresses of pages that are read at another one now: where the old one redirects, or where its words stand."""
    left = then.pages.keys() - now.pages.keys()
    arrived: dict[str, list[str]] = {}
    for url in now.pages.keys() - then.pages.keys():
        arrived.setdefault(_telling(now.pages[url]), []).append(url)
    moves = {}
    for url in left:
        target = _end(url, now)
        same = arrived.get(_telling(then.pages[url]), []) if _telling(then.pages[url]) else []
        if target in now.pages:
            moves[url] = target
        elif len(same) == 1:
            moves[url] = same[0]
    return moves


def _telling(page: Page) -> str:
    """The words by which a page is known again without its menus; empty where they are too few."""
    main = "\n".join(page.slice(block) for block in page.blocks if block.region is Region.MAIN) or page.text
    return main if len(main) >= _TELLING_CHARS else ""


def _end(url: str, now: Site) -> str:
    """Where a chain of redirects ends."""
    seen = {url}
    while (target := now.moved.get(url)) and target not in seen:
        url = target
        seen.add(url)
    return url


def _left(url: str, then: Site, now: Site, to: str) -> PageChange:
    """What became of a page that is not read at its address any more."""
    title = then.pages[url].title
    if to:
        # Of a page that now leads to another one that was there before, the words say nothing.
        lines = None if to in then.pages else _lines(then.pages[url], now.pages[to])
        return (
            lines.told(Fate.MOVED, url, title, to)
            if lines
            else PageChange(fate=Fate.MOVED, url=url, title=title, to=to)
        )
    cause, detail = now.why_unread(_end(url, now))
    fate = Fate.UNFETCHED if cause is None else Fate.GONE if cause is Cause.NOT_FOUND else Fate.FAILED
    return PageChange(fate=fate, url=url, title=title, cause=cause, detail=detail)


def _came(url: str, then: Site, now: Site) -> PageChange:
    known = url in then.failed or url in then.pending
    cause, detail = then.why_unread(url) if known else (None, "")
    return PageChange(fate=Fate.NEW, url=url, title=now.pages[url].title, cause=cause, detail=detail)
