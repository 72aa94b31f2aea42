"""Into the archive: what one run was answered."""

from __future__ import annotations

from pipeline.archive import Archive
from pipeline.crawl.fetch import Answer
from pipeline.crawl.visit import Visit
from pipeline.models import Record, Snapshot, Source


class Keeper:
    """Archives answers as those of one run."""

    def __init__(self, archive: Archive, code: str, run_id: str) -> None:
        self._archive = archive
        self._code = code
        self._run_id = run_id

    def keep(self, url: str, answer: Answer, source: Source, record: Record = Record.RESPONSE) -> Snapshot:
        """url: the address that was asked. Raises ArchiveError where it cannot be archived."""
        return self._archive.write(
            code=self._code,
            run_id=self._run_id,
            url=url,
            final_url=answer.url,
            fetched_at=answer.fetched_at,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            source=source,
            record=record,
            earlier=answer.earlier,
        )

    def keep_robots(self, visit: Visit, source: Source) -> Snapshot:
        return self.keep(visit.hops[0] if visit.hops else visit.answer.url, visit.answer, source)
