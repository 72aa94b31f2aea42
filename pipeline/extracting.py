"""Archived bodies into pages, side by side, and those that were read before out of the cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from pipeline.archive import Archive, Place
from pipeline.cache import Pages
from pipeline.extract import extract, version
from pipeline.models import Cause, Page, Record, Snapshot, Unread

# Below this many documents a process pool costs more than it saves: a worker takes about 1 s to start.
POOL_FROM_DOCUMENTS = 24


def extracted(
    archive: Archive, documents: Sequence[Snapshot], kept: Pages | None, *, processes: int | None = None
) -> Iterator[Page | Unread]:
    """What each document says. A kept page counts only while the archive has its body, whole.

    processes: to read in, all cores where None; with 1 no other is started.
    """
    asked = [_essence(one) for one in documents]
    known = [kept.get(_key(one)) if kept else None for one in asked]
    fresh = _extracted_now(archive, [one for one, found in zip(asked, known, strict=True) if found is None], processes)
    for one, found in zip(asked, known, strict=True):
        if found is not None:
            archive.body(one.sha256)
            yield found
            continue
        outcome = next(fresh)
        if kept and not (isinstance(outcome, Unread) and outcome.cause is Cause.BROKEN):  # it may have been the machine
            kept.put(_key(one), outcome)
        yield outcome


def _essence(document: Snapshot) -> Snapshot:
    """All of an answer that what it says may depend on, and nothing else."""
    day = document.fetched_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Snapshot(
        url=document.final_url,
        final_url=document.final_url,
        fetched_at=day,
        status=200,
        headers=(("content-type", document.header("content-type")),),
        sha256=document.sha256,
        warc="",
        offset=0,
        source=document.source,
        record=Record.CONVERSION if document.record is Record.CONVERSION else Record.RESPONSE,
    )


def _key(essence: Snapshot) -> str:
    return hashlib.sha256(f"{version()} {essence.model_dump_json()}".encode()).hexdigest()


def _extracted_now(archive: Archive, documents: Sequence[Snapshot], processes: int | None) -> Iterator[Page | Unread]:
    if processes == 1 or len(documents) < POOL_FROM_DOCUMENTS:
        yield from (extract(document, archive.body(document.sha256)) for document in documents)
        return
    pool = ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn"))
    try:
        yield from pool.map(_extract_archived, [archive.place] * len(documents), documents, chunksize=4)
    finally:
        pool.shutdown(cancel_futures=True)


def _extract_archived(place: Place, document: Snapshot) -> Page | Unread:
    return extract(document, _opened(place).body(document.sha256))


@cache
def _opened(place: Place) -> Archive:
    return Archive(place)
