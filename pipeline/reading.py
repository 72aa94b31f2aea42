"""From archived answers to pages: extraction side by side, and an honest account of what could not be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from pipeline.archive import Archive
from pipeline.extract import dated_list, extract, from_page
from pipeline.models import Coverage, DatedList, Page, Pending, Run, Snapshot, Source, Unread
from pipeline.urls import in_scope

# Below this many documents a process pool costs more than it saves: a worker takes about 1 s to start.
POOL_FROM_DOCUMENTS = 24
# As many as a crawl tells of.
MAX_PENDING = 500

_XML = ("xml", "rss", "rdf", "gzip")


@dataclass(frozen=True)
class Read:
    """pages by sha256 of their body; lists: what the site says of its own changes; coverage: seen and unseen."""

    pages: Mapping[str, Page]
    lists: tuple[DatedList, ...]
    coverage: Coverage


def read(archive: Archive, run: Run, gathered: Coverage, watch: Callable[[str, int, int, str], None]) -> Read:
    """Every readable document of the run as a Page. gathered: what is known of the answers."""
    answers = _one_per_body(archive.snapshots(run.id))
    feeds = [answer for answer in answers if _is_xml(answer)]
    documents = [answer for answer in answers if not _is_xml(answer) and not answer.url.endswith("/robots.txt")]
    pages: dict[str, Page] = {}
    unread: list[Unread] = []
    for done, outcome in enumerate(_extracted(archive, documents), start=1):
        watch("extract", done, len(documents), outcome.url)
        if isinstance(outcome, Page):
            pages[outcome.sha256] = outcome
        else:
            unread.append(outcome)
    lists = [dated_list(feed, archive.body(feed.sha256)) for feed in feeds]
    lists += [from_page(page, run.as_of) for page in pages.values() if page.source is Source.OFFICIAL]
    coverage = _coverage(run, gathered, pages, unread)
    return Read(pages, tuple(one for one in lists if one), coverage)


def _one_per_body(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Good answers, one for each body: mirrors of one page must not count as several."""
    kept: dict[str, Snapshot] = {}
    for snapshot in snapshots:
        if snapshot.status == 200:
            kept.setdefault(snapshot.sha256, snapshot)
    return list(kept.values())


def _is_xml(snapshot: Snapshot) -> bool:
    """Feeds and sitemaps, packed ones included: what they hold are dates and addresses, not text."""
    media = snapshot.header("content-type").lower()
    return any(word in media for word in _XML) and "xhtml" not in media


def _extracted(archive: Archive, documents: Sequence[Snapshot]) -> Iterator[Page | Unread]:
    if len(documents) < POOL_FROM_DOCUMENTS:
        yield from (extract(document, archive.body(document.sha256)) for document in documents)
        return
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"))
    try:
        yield from pool.map(_extract_archived, [archive.folder] * len(documents), documents, chunksize=4)
    finally:
        pool.shutdown(cancel_futures=True)


def _extract_archived(folder: Path, document: Snapshot) -> Page | Unread:
    return extract(document, _opened(folder).body(document.sha256))


@cache
def _opened(folder: Path) -> Archive:
    return Archive(folder)


def _coverage(run: Run, gathered: Coverage, pages: Mapping[str, Page], unread: Sequence[Unread]) -> Coverage:
    """What was seen. Labels of unread documents come from the links that lead to them."""
    labels = {link.href: link.label for page in pages.values() for link in page.links if link.label}
    failed = tuple(
        one.model_copy(update={"label": one.label or labels.get(one.url, "")}) for one in (*gathered.unread, *unread)
    )
    home_read = gathered.home_read and bool(pages) and not any(_is_home(one.url, run) for one in unread)
    known = {page.url for page in pages.values()} | {one.url for one in failed}
    pending = gathered.pending if run.origin == "crawl" else tuple(_not_kept(pages, known))
    return gathered.model_copy(
        update={"read": len(pages), "home_read": home_read, "unread": failed, "pending": pending}
    )


def _not_kept(pages: Mapping[str, Page], known: Set[str]) -> Iterator[Pending]:
    """Addresses of the site that pages of a folder or a WARC link to and that are not in it: nobody has seen them."""
    links = {link.href: link.label for page in pages.values() for link in page.links if in_scope(link.href, page.url)}
    missing = ((href, label) for href, label in links.items() if href not in known)
    for href, label in islice(missing, MAX_PENDING):
        yield Pending(url=href, label=label)


def _is_home(url: str, run: Run) -> bool:
    return url.rstrip("/") == (run.municipality.home_url or "").rstrip("/")
