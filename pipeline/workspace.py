"""What is kept where under CLASSIFY_HOME: archive, unfinished crawls, registry, reports, editions, copies of what was
asked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from pipeline.archive import Archive, Place
from pipeline.errors import ArchiveError
from pipeline.models import CriteriaSet, PromptSet, Run


class Workspace:
    """The folders of one workspace. Those that hold evidence are made for their owner alone."""

    def __init__(self, home: Path) -> None:
        self.archive = home / "archive"
        self.archive_index = home / "archive-index"
        self.registry = home / "registry"
        self.reports = home / "reports"
        self.editions = home / "editions"
        self.session_key = home / "session.key"
        self._frontiers = home / "frontier"
        self._asked = home / "asked"

    def frontier(self, run: Run) -> Path:
        """File of the run's unfinished crawl; its folder exists."""
        return _private(self._frontiers) / f"{run.id}.db"

    def keep(self, asked: CriteriaSet | PromptSet) -> None:
        """Keep a copy beside the evidence, so that a report years later asks what was asked then."""
        path = _private(self._asked) / f"{asked.sha256}.json"
        if not path.is_file():
            path.write_text(asked.model_dump_json(indent=1), encoding="utf-8")

    def criteria(self, sha256: str) -> CriteriaSet:
        """The criteria set of that sha256. Raises ArchiveError where its copy is gone."""
        return CriteriaSet.model_validate_json(self._kept(sha256))

    def prompts(self, sha256: str) -> PromptSet:
        """The prompt set of that sha256. Raises ArchiveError where its copy is gone."""
        return PromptSet.model_validate_json(self._kept(sha256))

    def _kept(self, sha256: str) -> str:
        path = self._asked / f"{sha256}.json"
        if not path.is_file():
            raise ArchiveError(f"{path}: the criteria or prompts that pages were judged by are gone. Judge them again.")
        return path.read_text(encoding="utf-8")


class Kept(Protocol):
    """What settings say of where the archive is kept. archive: shared storage, empty where it is in the workspace."""

    @property
    def home(self) -> Path: ...

    @property
    def archive(self) -> str: ...

    @property
    def database_url(self) -> str: ...


def open_archive(settings: Kept) -> Archive:
    """The archive of a workspace, wherever it is kept. Raises InputError where that cannot be a place."""
    return Archive(place_of(settings))


def place_of(settings: Kept) -> Place:
    """Shared storage is indexed in the PostgreSQL of the workspace, or in a file of this machine for each storage."""
    workspace = Workspace(settings.home)
    if not settings.archive:
        return Place(workspace.archive)
    folder = workspace.archive_index / hashlib.sha256(settings.archive.encode()).hexdigest()[:12]
    shared = settings.database_url if settings.database_url.startswith("postgresql") else ""
    return Place(folder, settings.archive, shared)


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
