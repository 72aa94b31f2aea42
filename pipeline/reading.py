"""From archived answers to pages: extraction side by side, and an honest account of what could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from urllib.parse import urlsplit

from pydantic import ValidationError

from pipeline.archive import Archive
from pipeline.cache import Pages
from pipeline.errors import ArchiveError, StorageError
from pipeline.extract import dated_list, extract, from_page, posts_in, posts_on
from pipeline.extracting import extracted
from pipeline.models import (
    Cause,
    Coverage,
    DatedList,
    Media,
    Page,
    Pending,
    Record,
    Run,
    Snapshot,
    SocialAccount,
    Source,
    Speed,
    Unread,
)
from pipeline.urls import canonical, in_scope

# As many as a crawl tells of.
MAX_PENDING = 500

# A page this short, menus included, that stands at so many paths says nothing of what was asked. Real pages that a
# site shows under several paths are longer: their menus alone are.
ALIKE_MAX_CHARS = 400
ALIKE_MIN_ADDRESSES = 3
_ALIKE = "the same few words as at other addresses"
_STAMPS = re.compile(r"[0-9a-f:./-]{6,}", re.I)  # times and incident numbers, which differ each time

_XML = ("xml", "rss", "rdf", "gzip")
# Asked for by every crawl and linked by nobody: what else answers there is the site's way of saying "not found".
_PLUMBING = ("/robots.txt", "/sitemap.xml")


# stage (crawl, measure, extract, accounts, judge), done, total, a word on what is under way
Watch = Callable[[str, int, int, str], None]


def unwatched(stage: str, done: int, total: int, note: str) -> None:
    """Nobody looks on."""


@dataclass(frozen=True)
class Read:
    """pages by sha256 of their body; lists: what the site says of its own changes, and what was told of its accounts'
    posts; coverage: seen and unseen; speed: how fast the home page was displayed, None where nobody tried to measure
    it; accounts: the official accounts that were asked, which count in no coverage."""

    pages: Mapping[str, Page]
    lists: tuple[DatedList, ...]
    coverage: Coverage
    speed: Speed | None = None
    accounts: tuple[SocialAccount, ...] = ()


def read(
    archive: Archive,
    run: Run,
    gathered: Coverage,
    watch: Watch,
    kept: Pages | None = None,
    *,
    processes: int | None = None,
) -> Read:
    """Every readable document of the run as a Page. gathered: what is known of the answers; kept: pages that were read
    before; processes: to read in, all cores where None."""
    quotable = [one for one in archive.snapshots(run.id) if one.source.quotable]
    answers = [_as_sent(answer, archive) for answer in _standing(_newest(quotable))]
    # Another speaker's feed says nothing of how often this site changes.
    own = (answer for answer in answers if _is_xml(answer) and answer.source is Source.OFFICIAL)
    feeds = [one[0] for one in _by_body(own).values()]
    asked = _by_body(answer for answer in answers if not _is_xml(answer) and not answer.url.endswith(_PLUMBING))
    documents = [one[0] for one in asked.values()]
    pages: dict[str, Page] = {}
    unread: list[Unread] = []
    for done, (document, outcome) in enumerate(
        zip(documents, extracted(archive, documents, kept, processes=processes), strict=True), start=1
    ):
        watch("extract", done, len(documents), outcome.url)
        if isinstance(outcome, Page):
            pages[outcome.sha256] = outcome
        else:
            unread += [_unread_at(one, outcome) for one in asked[document.sha256]]
    unread += _alike(pages.values(), asked)
    unread += _leads_nowhere(run, gathered, pages)
    lists = [dated_list(feed, archive.body(feed.sha256)) for feed in feeds]
    official = [page for page in pages.values() if page.source is Source.OFFICIAL]
    lists += [from_page(page, run.as_of) for page in official]
    lists += [posts for page in official for posts in posts_on(page, run.as_of)]
    coverage = _coverage(run, gathered, pages, unread)
    return Read(pages, tuple(one for one in lists if one), coverage, speed_of(archive, run))


def speed_of(archive: Archive, run: Run) -> Speed | None:
    """What was measured last of the display of the run's home page, or None."""
    kept = [one for one in archive.snapshots(run.id) if one.record is Record.RESOURCE]
    for snapshot in sorted(kept, key=lambda one: one.fetched_at, reverse=True):
        try:
            speed = Speed.model_validate_json(archive.body(snapshot.sha256))
        except ValidationError:
            continue  # another measurement
        if canonical(speed.url) == canonical(run.municipality.home_url or ""):
            return speed.model_copy(update={"sha256": snapshot.sha256})
    return None


def _standing(answers: Sequence[Snapshot]) -> list[Snapshot]:
    """Answers that pages are read from: in place of what a script was to fill what a browser made of it. What one made
    of an earlier answer says nothing of a later one, be it the same empty frame: what fills it may have changed."""
    latest: dict[str, Snapshot] = {}
    for answer in sorted(answers, key=lambda one: (one.fetched_at, not _is_received(one))):
        latest[answer.url] = answer
    return [one for one in answers if _is_received(latest[one.url]) == _is_received(one)]


def _newest(answers: Sequence[Snapshot]) -> list[Snapshot]:
    """Of each address the page that it gave last: a WARC may hold it as of several days, and only one is today's."""
    last: dict[tuple[str, bool], Snapshot] = {}
    for answer in sorted((one for one in answers if one.is_page), key=lambda one: one.fetched_at):
        last[answer.final_url, _is_received(answer)] = answer
    return [one for one in answers if last.get((one.final_url, _is_received(one))) == one]


def _is_received(answer: Snapshot) -> bool:
    return answer.record in (Record.RESPONSE, Record.REVISIT)


def _as_sent(answer: Snapshot, archive: Archive) -> Snapshot:
    """The answer as of when these bytes were first there: the headers that came with a body that a 304 stands for, and
    the day that no date on the page can be after. So the same bytes read alike in every survey."""
    first = archive.original(answer)
    headers = first.headers if answer.status == 304 else answer.headers
    return answer.model_copy(update={"status": 200, "headers": headers, "fetched_at": first.fetched_at})


def accounts_asked(archive: Archive, run: Run) -> tuple[SocialAccount, ...]:
    """The official accounts that were asked for their posts, with what came of it."""
    answers = (one for one in archive.snapshots(run.id) if one.source is Source.SOCIAL)
    notes = (archive.body(one.sha256) for one in answers if one.record is Record.RESOURCE)
    return tuple(account for note in notes if (account := _account(note)))


def _account(note: bytes) -> SocialAccount | None:
    """The account that a record tells of; None for what a WARC from elsewhere passes off as one."""
    try:
        return SocialAccount.model_validate_json(note)
    except ValidationError:
        return None


def with_accounts(seen: Read, archive: Archive, run: Run) -> Read:
    """What was read, with what the official accounts' services told: from the archive alone."""
    accounts = accounts_asked(archive, run)
    answers = (one for one in archive.snapshots(run.id) if one.source is Source.SOCIAL and one.status == 200)
    bodies = {one.sha256: one for one in answers if one.record is not Record.RESOURCE}
    told = [
        posts_in(bodies[tried.sha256], archive.body(tried.sha256), account.url)
        for account in accounts
        for tried in account.tried
        if tried.sha256 in bodies
    ]
    return replace(seen, lists=(*seen.lists, *(one for one in told if one)), accounts=accounts)


def pages_of(sha256s: Set[str], archive: Archive) -> dict[str, Page]:
    """Archived pages by the sha256 of their body; what the archive has lost is left out."""
    pages: dict[str, Page] = {}
    for sha256 in sorted(sha256s):
        try:
            snapshot = archive.find(sha256)
            page = extract(snapshot, archive.body(sha256)) if snapshot else None
        except StorageError:
            raise
        except ArchiveError:
            continue
        if isinstance(page, Page):
            pages[sha256] = page
    return pages


def _by_body(answers: Iterable[Snapshot]) -> dict[str, list[Snapshot]]:
    """Answers by sha256 of their body: mirrors of one page must not count as several."""
    kept: dict[str, list[Snapshot]] = {}
    for answer in answers:
        kept.setdefault(answer.sha256, []).append(answer)
    return kept


def _unread_at(answer: Snapshot, outcome: Unread) -> Unread:
    """Each address that was wanted and got that body, as it was asked: so the link that led there is known."""
    return outcome.model_copy(update={"url": answer.url, "source": answer.source})


def _alike(pages: Iterable[Page], asked: Mapping[str, Sequence[Snapshot]]) -> list[Unread]:
    """Addresses that all answered with the same few words, whatever was asked: a firewall, a login, maintenance. Their
    own pages were not seen."""
    by_words: dict[str, list[Snapshot]] = {}
    for page in pages:
        if page.media is Media.HTML and len(page.text) <= ALIKE_MAX_CHARS:
            by_words.setdefault(_STAMPS.sub("", page.text), []).extend(asked[page.sha256])
    return [
        Unread(url=one.url, cause=Cause.EMPTY, detail=_ALIKE, sha256=one.sha256, source=one.source)
        for answers in by_words.values()
        if len({urlsplit(one.url).path for one in answers}) >= ALIKE_MIN_ADDRESSES
        for one in answers
    ]


def _leads_nowhere(run: Run, gathered: Coverage, pages: Mapping[str, Page]) -> list[Unread]:
    """The home page of a crawl that could read nothing else: a splash, a firewall or a script, and not a site."""
    official = [page for page in pages.values() if page.source is Source.OFFICIAL]
    home = _home(run, gathered)
    if run.origin != "crawl" or not home or gathered.pending or len(official) != 1:
        return []
    return [Unread(url=home, cause=Cause.EMPTY, detail="it led to no other page", sha256=official[0].sha256)]


def _is_xml(snapshot: Snapshot) -> bool:
    """Feeds and sitemaps, packed ones included: what they hold are dates and addresses, not text."""
    media = snapshot.header("content-type").lower()
    return any(word in media for word in _XML) and "xhtml" not in media


def _coverage(run: Run, gathered: Coverage, pages: Mapping[str, Page], unread: Sequence[Unread]) -> Coverage:
    """What was seen. Labels of unread documents come from the links that lead to them."""
    labels = {link.href: link.label for page in pages.values() for link in page.links if link.label}
    # What only a script fills the crawl has told already, and why no browser helped.
    told = {one.url for one in gathered.unread}
    unread = [one for one in unread if one.cause is not Cause.SCRIPT or one.url not in told]
    failed = tuple(
        one.model_copy(update={"label": one.label or labels.get(one.url, "")}) for one in (*gathered.unread, *unread)
    )
    home = _home(run, gathered)
    home_read = gathered.home_read and bool(pages) and not any(_same(one.url, home) for one in unread)
    known = {page.url for page in pages.values()} | {one.url for one in failed}
    pending = gathered.pending if run.origin == "crawl" else tuple(_not_kept(pages, known))
    blank = {one.sha256 for one in unread} & pages.keys()
    return gathered.model_copy(
        update={"read": len(pages) - len(blank), "home_read": home_read, "unread": failed, "pending": pending}
    )


def _not_kept(pages: Mapping[str, Page], known: Set[str]) -> Iterator[Pending]:
    """Addresses of the site that pages of a folder or a WARC link to and that are not in it: nobody has seen them."""
    links = {link.href: link.label for page in pages.values() for link in page.links if in_scope(link.href, page.url)}
    missing = ((href, label) for href, label in links.items() if href not in known)
    for href, label in islice(missing, MAX_PENDING):
        yield Pending(url=href, label=label)


def _home(run: Run, gathered: Coverage) -> str:
    """The address that was asked for the home page: the registry's, unless it was found elsewhere."""
    found = gathered.home.asked if gathered.home else ""
    return found or run.municipality.home_url or ""


def _same(url: str, home: str) -> bool:
    return url.rstrip("/") == home.rstrip("/")
