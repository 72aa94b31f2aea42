"""What a run has archived already, so that a crawl goes on from its archive and asks nothing twice."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pipeline.archive import Archive
from pipeline.crawl.aside import aside
from pipeline.crawl.fetch import REDIRECTS, Answer
from pipeline.errors import ArchiveError
from pipeline.models import Record, Snapshot

# RFC 9309, 2.4: what robots.txt said is not to be relied on for longer.
ROBOTS_HOLD = timedelta(hours=24)
_ANSWERS = {Record.RESPONSE, Record.REVISIT}


class Replay:
    """The answers that one run has archived before, each given once for each time that it was asked for.

    wanted: which of the run's records count. An answer whose body cannot be read any more is as if it had never been.
    Until `load` there is none.
    """

    def __init__(self, archive: Archive, code: str, run_id: str, wanted: Callable[[Snapshot], bool]) -> None:
        self._archive = archive
        self._code = code
        self._run_id = run_id
        self._wanted = wanted
        self._redirects: dict[str, deque[Snapshot]] = defaultdict(deque)
        self._finals: dict[tuple[str, str], deque[Snapshot]] = defaultdict(deque)
        self._rendered: dict[str, deque[Snapshot]] = defaultdict(deque)
        self._last: dict[str, Snapshot] = {}
        self.began: datetime | None = None

    async def load(self) -> None:
        """Reads what the run has archived; of a new run nothing. Raises ArchiveError where another process writes it.

        began: when the first of it was received.
        """
        for one in await aside(self._records):
            if one.record is Record.CONVERSION:
                self._rendered[one.url].append(one)
            elif one.record in _ANSWERS:
                self._place(one)
            self.began = min(self.began or one.fetched_at, one.fetched_at)

    def _records(self) -> list[Snapshot]:
        if not self._archive.snapshots(self._run_id):
            return []
        self._archive.begin(code=self._code, run_id=self._run_id)  # finds what a crash kept out of the index
        return [one for one in self._archive.snapshots(self._run_id) if self._wanted(one)]

    def _place(self, one: Snapshot) -> None:
        if one.status in REDIRECTS and one.url == one.final_url:
            self._redirects[one.url].append(one)
        else:
            self._finals[one.url, one.final_url].append(one)
            self._last[one.url] = one

    async def of(self, asked: str, hop: str) -> Answer | None:
        """What a hop answered on the way of an address that was asked, or None where that is not archived."""
        for waiting in (self._finals.get((asked, hop)), self._redirects.get(hop)):
            if waiting:
                return await self._read(waiting.popleft())
        return None

    async def rendered(self, asked: str) -> Answer | None:
        """What a browser made of an address."""
        waiting = self._rendered.get(asked)
        return await self._read(waiting.popleft()) if waiting else None

    async def robots(self, url: str) -> Answer | None:
        """What a robots.txt said, perhaps elsewhere after redirects, as long as it may be relied on."""
        last = self._last.get(url)
        if last is None or datetime.now(UTC) - last.fetched_at > ROBOTS_HOLD:
            return None
        return await self._read(last)

    def last(self, asked: str) -> Snapshot | None:
        """The last final answer to an address."""
        return self._last.get(asked)

    async def _read(self, kept: Snapshot) -> Answer | None:
        try:
            body = await aside(self._archive.body, kept.sha256)
            earlier = await aside(self._archive.original, kept) if kept.record is Record.REVISIT else None
        except ArchiveError:
            return None
        return Answer(kept.final_url, kept.status, kept.headers, body, kept.fetched_at, earlier, kept)
