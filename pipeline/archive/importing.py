"""Folders of files and WARCs of other tools, brought into the archive."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipeline.archive.archive import Archive
from pipeline.errors import SiteError
from pipeline.models import Snapshot, Unread


class Imported(list[Snapshot]):
    """The snapshots of an import; `unread`: what could not be brought in, and why."""

    def __init__(self, snapshots: list[Snapshot], unread: list[Unread]) -> None:
        super().__init__(snapshots)
        self.unread = tuple(unread)


def import_site(archive: Archive, folder: Path, *, code: str, run_id: str, base_url: str, now: datetime) -> Imported:
    raise SiteError("not yet")


def import_warc(archive: Archive, path: Path, *, code: str, run_id: str, home_url: str | None) -> Imported:
    raise SiteError("not yet")
