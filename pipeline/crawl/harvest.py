"""What an archived answer adds to the frontier: the addresses it leads to, what they promise, how much of it is new."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.charset import decode
from pipeline.crawl.address import Address, State
from pipeline.crawl.discover import Discovered, Found, Search, discover
from pipeline.crawl.feeds import Listed, listed
from pipeline.crawl.fetch import Answer
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.relevance import Promise, Relevance, Weights
from pipeline.crawl.scope import Extent, Kind, is_feed, is_news_list, is_runaway, is_service, is_site_map
from pipeline.extract.scripted import MAX_ROOT_CHARS, filled_by_script
from pipeline.models import Cause
from pipeline.urls import canonical, site

MAX_SITEMAPS, MAX_SITEMAP_DEPTH, MAX_FEEDS = 50, 3, 20
MAX_LISTED = 20_000
FEED_SCORE, SITEMAP_SCORE, SITE_MAP_BONUS, NEWS_LIST_BONUS = 30.0, 40.0, 2.0, 1.0
# A page whose new links promise this much together is worth reading for them alone, but pays at most so much for them.
RICH_LINKS, LINKS_PAY = 10.0, 0.5
# What stands in a frame of the home page, or where it sends everybody, is the home page.
HOME_FRAME = 10.0
# A list of addresses says nothing about where they stand; they wait behind what the home page links to.
LISTED_DEPTH = 3
# What a page says of a criterion counts so much for its links, its title and headings counting 1.
SAID = 0.5
# Searches asked for before the first result is in, and after each that brought something new; what one promises.
SEARCHES_FIRST, SEARCHES_NEXT, SEARCH_WEIGHT = 2, 3, 0.5
# New characters of visible text that make a page wholly new.
WHOLLY_NEW_CHARS = 100
_SHORTEST_LINE, _MOST_LINES = 5, 2000
_FIGURES = re.compile(r"[\d\s]+")
_FOLLOWED = {Kind.HOME, Kind.PAGE}
_LISTS = {Kind.SITEMAP, Kind.FEED}
_MARKUP = re.compile(rb"^\s*(\xef\xbb\xbf)?\s*<", re.S)
_HTML = re.compile(rb"<(!doctype html|html|head|body)\b", re.I)


@dataclass(frozen=True)
class Reading:
    """What an answer of status 200 is. cause: why it cannot be read after all; lines: hash and length of each line of
    its text, None where that was not looked at (PDF, too large a page)."""

    state: State
    cause: Cause | None = None
    page: Discovered = Discovered()
    listed: Listed = Listed()
    lines: tuple[tuple[int, int], ...] | None = None


def read(answer: Answer, kind: Kind) -> Reading:
    """What a body of status 200 is and leads to. Touches neither network nor files."""
    form = _form(answer)
    if form == "xml" or (kind is Kind.SITEMAP and form != "html"):
        return Reading(State.LISTED, listed=listed(answer.body, answer.url, answer.header("content-type")))
    if kind is Kind.SITEMAP:
        return Reading(State.MISSING)  # a page that says "not found" with status 200
    if form == "html" and kind in _FOLLOWED | {Kind.FEED, Kind.SEARCH}:
        decoded = decode(answer.body, answer.header("content-type"))
        page = discover(decoded.text, answer.url, decoded.charset)
        lines = None if page.lines is None else tuple(_hashed(page.lines))
        chars = sum(map(len, page.lines or ()))
        if kind is Kind.SEARCH:
            return Reading(State.LISTED, page=page, lines=lines)
        if page.lines is not None and filled_by_script(decoded.text, chars):
            return Reading(State.FAILED, cause=Cause.SCRIPT, page=page, lines=lines)
        return Reading(State.READ, page=page, lines=lines)
    return Reading(State.READ) if form else Reading(State.FAILED, cause=Cause.MEDIA)


def seen_by_reader(reading: Reading) -> Reading:
    """The reading of a page whose scripts have run: being short is no sign any more, saying next to nothing is."""
    chars = sum(map(len, reading.page.lines or ()))
    if reading.cause is Cause.SCRIPT and chars > MAX_ROOT_CHARS:
        return replace(reading, state=State.READ, cause=None)
    return reading


def _form(answer: Answer) -> str:
    """`pdf`, `html`, `xml`, `text` or empty: what the body is, its first bytes before its declared type."""
    head = answer.body[:2048]
    if b"%PDF-" in head[:1024]:
        return "pdf"
    media = answer.media
    if "html" in media or (_MARKUP.match(head) and _HTML.search(head)):
        return "html"
    if any(word in media for word in ("xml", "rss", "rdf")) or head.lstrip().startswith(b"<?xml"):
        return "xml"
    return "text" if media.startswith("text/") else ""


def _hashed(lines: Iterable[str]) -> Iterable[tuple[int, int]]:
    """64-bit hash and length of each line that says something."""
    return filter(None, map(_hash, list(dict.fromkeys(lines))[:_MOST_LINES]))


@lru_cache(maxsize=100_000)  # menus say the same on every page
def _hash(line: str) -> tuple[int, int] | None:
    """Of a line, figures left out: a calendar's months are all alike. None for one that is too short to say much."""
    plain = _FIGURES.sub("", line)
    if len(plain) < _SHORTEST_LINE:
        return None
    digest = hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True), len(plain)


class Harvest:
    """Scores and places what pages lead to. Writes to the frontier only within the caller's step."""

    def __init__(self, relevance: Relevance, frontier: Frontier, extent: Extent) -> None:
        self.extent = extent
        self._relevance = relevance
        self._frontier = frontier
        self._met: set[int] = set()

    def may_enter(self, hop: str, address: Address) -> bool:
        """Whether a redirect of an address may be followed there."""
        if address.kind is Kind.PRESS or self.extent.own(hop):
            return True
        return site(hop) == site(address.url) or (
            address.kind not in _LISTS and bool(self._relevance.of(address.label)) and is_service(hop, address.label)
        )

    def place(self, address: Address, reading: Reading, sha256: str) -> None:
        """Adds what a read answer leads to and learns from it."""
        novelty, says = self._new(address, reading, sha256)
        speaks_of = self._relevance.speaks_of(says, address.label) if says else {}
        self._frontier.promised = 0.0
        self._place_links(address, reading, speaks_of)
        if reading.state is State.READ:
            if reading.lines is None and novelty:  # not looked into: what its link promised is all that is known
                speaks_of = dict(address.promise.weights)
            found = min(1.0, self._frontier.promised / RICH_LINKS) * LINKS_PAY
            hungry = sum(self._frontier.learned.hunger(name) * clear for name, clear in speaks_of.items())
            self._frontier.learn(address, novelty=novelty, paid=min(1.0, found + hungry), speaks_of=speaks_of)

    def _place_links(self, address: Address, reading: Reading, speaks_of: Weights) -> None:
        if reading.listed.kind:
            self._place_listed(address, reading.listed)
        elif address.kind is Kind.SEARCH:
            self._place_sought(address, reading)
        elif address.kind in _FOLLOWED:
            self._seek(reading.page.search)
            weights: Weights = {}
            if address.kind is not Kind.HOME:  # which speaks of everything: its words say nothing about one link
                named = self._relevance.leads_of(" ".join((reading.page.title, *reading.page.headings[:3])))
                weights = {
                    name: max(named.get(name, 0.0), SAID * speaks_of.get(name, 0.0)) for name in {*named, *speaks_of}
                }
            for found in reading.page.links:
                self._place(found, address, weights)

    # --- the site's own search ---

    def _seek(self, search: Search | None) -> None:
        """Takes up the site's own search, once, for the criterion that is hungriest."""
        if search is not None and not self._frontier.fact("search") and self.extent.own(search.url):
            self._frontier.note("search", json.dumps([search.url, search.charset]))
            self._seek_next(SEARCHES_FIRST)

    def _seek_next(self, count: int) -> None:
        search = Search(*json.loads(self._frontier.fact("search")))
        sought = self._frontier.fact("sought").split()
        learned = self._frontier.learned
        hungry = sorted(set(self._relevance.first_terms) - set(sought), key=lambda one: (learned.fed[one], one))[:count]
        for criterion in hungry:
            if url := search.of(self._relevance.first_terms[criterion]):
                promise = Promise(((criterion, SEARCH_WEIGHT),))
                self._frontier.add(Address(url=url, kind=Kind.SEARCH, parent=search.url, promise=promise))
        self._frontier.note("sought", " ".join((*sought, *hungry)))

    def _place_sought(self, address: Address, reading: Reading) -> None:
        """The links of a result page; while results bring addresses that nobody knew, more is sought."""
        criterion = address.promise.weights[0][0]
        for found in reading.page.links:
            if not self._frontier.named(self.extent.settled(found.url)):
                self._place(found, address, {criterion: 1.0}, sought=True)
        if self._frontier.promised > 0:
            self._seek_next(SEARCHES_NEXT)

    def _new(self, address: Address, reading: Reading, sha256: str) -> tuple[float, str]:
        """How much of a page no other page had said, 0 to 1, and its text: what stands on every page says nothing."""
        if self._frontier.has_body(sha256):
            return 0.0, ""
        if reading.lines is None or reading.page.lines is None:
            return 1.0, ""
        new = self._frontier.unseen([hash_ for hash_, _ in reading.lines])
        novelty = min(1.0, sum(length for hash_, length in reading.lines if hash_ in new) / WHOLLY_NEW_CHARS)
        own = [line for line in reading.page.lines if (hashed := _hash(line)) and hashed[0] in new]
        return novelty, " ".join((reading.page.title, *own))

    def _place(self, found: Found, parent: Address, weights: Weights, *, sought: bool = False) -> None:
        # Meeting a link again changes nothing, which a continued crawl relies on: it has forgotten what it met.
        met = hash((found.url, found.label, parent.depth))
        if met in self._met:
            return
        self._met.add(met)
        url = self.extent.settled(found.url)
        if is_runaway(url):
            return
        if found.kind == "feed" or is_feed(url):
            self._place_list(url, Kind.FEED, found.label, parent.url, 0)
            return
        if found.kind in ("frame", "refresh") and self.extent.own(url):
            if not self._frontier.knows(url):
                fixed = min(parent.fixed, HOME_FRAME)
                self._add(url, Kind.PAGE, found.label or parent.label, parent, parent.promise, fixed)
            return
        self._place_link(url, found, parent, weights, sought=sought)

    def _place_link(self, url: str, found: Found, parent: Address, weights: Weights, *, sought: bool) -> None:
        kind = self.extent.kind(url, found.label, bool(self._relevance.of(found.label)))
        if kind is None or not self._frontier.wants(url):
            return
        depth = parent.depth + 1
        # A link met again is mostly one of a menu: what stands around it this time is not about it.
        again = self._frontier.named(url)
        promise = self._relevance.promise(
            label=found.around or found.label,
            heading="" if again else found.heading,
            url=url,
            depth=depth,
            parent={} if again else weights,
            sought=sought,
        )
        bonus = SITE_MAP_BONUS if is_site_map(url, found.label) and kind is Kind.PAGE else 0.0
        if parent.kind is Kind.HOME and is_news_list(found.label):
            bonus = NEWS_LIST_BONUS
        self._add(url, kind, found.label, parent, promise, bonus)

    def _add(self, url: str, kind: Kind, label: str, parent: Address, promise: Promise, fixed: float = 0.0) -> None:
        depth = parent.depth + 1
        self._frontier.add(
            Address(url=url, kind=kind, label=label, parent=parent.url, depth=depth, promise=promise, fixed=fixed)
        )

    # --- sitemaps and feeds ---

    def begin_site(self, home: str, answered: str, sitemaps: Sequence[str]) -> None:
        """Sets how far the crawl goes once the home page has answered, and asks for the site's own lists."""
        self.extent = Extent((home, answered))
        self._frontier.note("answered", answered)
        for written in (*sitemaps, "/sitemap.xml"):
            url = canonical(written, answered)
            if url:
                self._place_list(self.extent.settled(url), Kind.SITEMAP, "", answered, 0)

    def _place_list(self, url: str, kind: Kind, label: str, parent: str, depth: int) -> None:
        most = MAX_SITEMAPS if kind is Kind.SITEMAP else MAX_FEEDS
        if not self.extent.own(url) or depth > MAX_SITEMAP_DEPTH or self._frontier.of_kind(kind) >= most:
            return
        score = SITEMAP_SCORE if kind is Kind.SITEMAP else FEED_SCORE
        self._frontier.add(Address(url=url, kind=kind, label=label, parent=parent, depth=depth, fixed=score))

    def _place_listed(self, address: Address, found: Listed) -> None:
        if found.kind == "sitemapindex":
            for entry in found.entries:
                self._place_list(self.extent.settled(entry.url), Kind.SITEMAP, "", address.url, address.depth + 1)
            return
        at = Address(
            url=address.url,
            kind=address.kind,
            label=address.label,
            depth=0 if found.kind == "feed" else LISTED_DEPTH - 1,
        )
        for entry in found.entries[:MAX_LISTED]:
            if self.extent.own(self.extent.settled(entry.url)):
                self._place(entry, at, {})
