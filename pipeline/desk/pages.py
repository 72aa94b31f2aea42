"""Archived pages as a reviewer reads them, extracted when they are asked for and kept while they are warm."""

from __future__ import annotations

import threading
from collections import OrderedDict

from pipeline.archive import Archive
from pipeline.errors import ArchiveError, StorageError
from pipeline.extract import extract
from pipeline.models import Page, Snapshot

KEPT_PAGES = 256
KEPT_RUNS = 16


class Pages:
    """Pages by the sha256 of their body. Threads may share it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._pages: OrderedDict[tuple[str, str], Page | None] = OrderedDict()
        self._runs: OrderedDict[str, tuple[Snapshot, ...]] = OrderedDict()
        self._guard = threading.Lock()

    def page(self, sha256: str, url: str = "") -> Page | None:
        """The archived page with that body, as answered at `url` where it was; None where it is gone or unreadable."""
        key = (sha256, url)
        with self._guard:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
        page = self._read(sha256, url)
        with self._guard:
            self._pages[key] = page
            while len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        return page

    def at(self, run_id: str, url: str) -> Page | None:
        """The page that a run read at that address, or None."""
        found = [one for one in self.snapshots(run_id) if one.is_page and url in (one.url, one.final_url)]
        return self.page(found[-1].sha256, url) if found else None

    def snapshots(self, run_id: str) -> tuple[Snapshot, ...]:
        """What a run has archived."""
        with self._guard:
            if run_id in self._runs:
                return self._runs[run_id]
        found = tuple(self._archive.snapshots(run_id))
        with self._guard:
            self._runs[run_id] = found
            while len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)
        return found

    def snapshot(self, sha256: str, url: str = "") -> Snapshot | None:
        """The answer with that body, the one at `url` where there is one."""
        found = self._archive.all(sha256)
        return next((one for one in found if url in (one.url, one.final_url)), found[0] if found else None)

    def body(self, sha256: str) -> bytes | None:
        """The archived bytes, verified, or None where they are gone or damaged."""
        try:
            return self._archive.body(sha256)
        except StorageError:
            raise
        except ArchiveError:
            return None

    def _read(self, sha256: str, url: str) -> Page | None:
        snapshot, body = self.snapshot(sha256, url), self.body(sha256)
        page = extract(snapshot, body) if snapshot and body is not None else None
        return page if isinstance(page, Page) else None
