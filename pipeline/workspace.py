"""What is kept where under CLASSIFY_HOME: archive, unfinished crawls, registry, reports, copies of criteria."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ArchiveError
from pipeline.models import CriteriaSet, Run


class Workspace:
    """The folders of one workspace. Those that hold evidence are made for their owner alone."""

    def __init__(self, home: Path) -> None:
        self.archive = home / "archive"
        self.registry = home / "registry"
        self.reports = home / "reports"
        self._frontiers = home / "frontier"
        self._criteria = home / "criteria"

    def frontier(self, run: Run) -> Path:
        """File of the run's unfinished crawl; its folder exists."""
        return _private(self._frontiers) / f"{run.id}.db"

    def keep(self, criteria: CriteriaSet) -> None:
        """Keep a copy beside the evidence, so that a report years later asks what was asked then."""
        path = _private(self._criteria) / f"{criteria.sha256}.json"
        if not path.is_file():
            path.write_text(criteria.model_dump_json(indent=1), encoding="utf-8")

    def criteria_of(self, run: Run) -> CriteriaSet:
        """The criteria set that the run was judged by. Raises ArchiveError where its copy is gone."""
        path = self._criteria / f"{run.criteria_sha256}.json"
        if not path.is_file():
            raise ArchiveError(f"{path}: the criteria that run {run.id} was judged by are gone. Survey the city again.")
        return CriteriaSet.model_validate_json(path.read_text(encoding="utf-8"))


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
