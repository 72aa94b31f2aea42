"""Into the archive: what one run was answered."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.archive import Archive
from pipeline.crawl.aside import aside
from pipeline.crawl.fetch import Answer
from pipeline.crawl.visit import Visit
from pipeline.models import Record, Snapshot, Source


class Keeper:
    """Archives answers as those of one run. What is being written when it is cancelled is written to its end."""

    def __init__(self, archive: Archive, code: str, run_id: str) -> None:
        self._archive = archive
        self._code = code
        self._run_id = run_id

    async def keep(self, url: str, answer: Answer, source: Source, record: Record = Record.RESPONSE) -> Snapshot:
        """url: the address that was asked. What came out of this run's archive is there. Raises ArchiveError where it
        cannot be archived."""
        if answer.kept is not None:
            return answer.kept
        return await aside(
            self._archive.write,
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

    async def keep_robots(self, visit: Visit, source: Source) -> Snapshot:
        return await self.keep(visit.hops[0] if visit.hops else visit.answer.url, visit.answer, source)

    async def keep_record(self, url: str, written: str, source: Source) -> Snapshot:
        """Archives what we ourselves note about an address: JSON."""
        headers = (("Content-Type", "application/json"),)
        noted = Answer(url, 200, headers, written.encode(), datetime.now(UTC))
        return await self.keep(url, noted, source, Record.RESOURCE)
