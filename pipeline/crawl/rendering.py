"""Which pages of a crawl are opened in a browser: those that only a script fills, where that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.crawl.address import Address
from pipeline.crawl.fetch import Answer
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.harvest import Reading, read, seen_by_reader
from pipeline.crawl.plan import Plan
from pipeline.crawl.scope import Kind
from pipeline.crawl.visit import Visitor
from pipeline.models import Cause

if TYPE_CHECKING:
    from pipeline.crawl.render import Renderer

# After so many pages in a row that a browser makes nothing of, the rest of the crawl goes on without it.
MAX_FAILURES = 10


class Rendering:
    """One browser for a crawl, started with the first page that needs it."""

    def __init__(self, plan: Plan, visitor: Visitor, frontier: Frontier) -> None:
        self._plan = plan
        self._visitor = visitor
        self._frontier = frontier
        self._renderer: Renderer | None = None
        self._failures = 0

    async def close(self) -> None:
        if self._renderer is not None:
            await self._renderer.close()

    def helps(self, address: Address, reading: Reading | None) -> bool:
        """Whether to open the page. No more pages are opened than the crawl may read, failures and earlier runs of the
        same crawl included."""
        return (
            reading is not None
            and reading.cause is Cause.SCRIPT
            and self._plan.render
            and address.kind in (Kind.HOME, Kind.PAGE)
            and self._failures < MAX_FAILURES
            and int(self._frontier.fact("rendered") or 0) < self._plan.max_pages
        )

    def count(self) -> None:
        """Notes that a page is about to be opened; within the caller's step."""
        self._frontier.note("rendered", str(int(self._frontier.fact("rendered") or 0) + 1))

    async def page(
        self,
        url: str,
        kind: Kind,
        kept: Answer | None = None,
        *,
        enter: Callable[[str], None],
        own: Callable[[str], bool],
    ) -> tuple[Answer, Reading]:
        """What the browser shows at an address, and what that is. kept: what it showed before, then it is not asked.

        Raises UnfetchedError where it is nothing either, and what `enter` raises.
        """
        try:
            answer = kept or await self._opened().render(url, enter=enter, own=own)
            reading = seen_by_reader(read(answer, kind))
            if reading.cause is not None:
                raise UnfetchedError(reading.cause, "rendered in a browser: it stays empty")
        except UnfetchedError:
            self._failures += 1
            raise
        self._failures = 0
        return answer, reading

    def _opened(self) -> Renderer:
        if self._renderer is None:
            from pipeline.crawl.render import Renderer  # the browser's library is an extra, and slow to load

            plan = self._plan
            self._renderer = Renderer(
                self._visitor, chromium=plan.chromium, agent=plan.user_agent, max_bytes=plan.max_bytes
            )
        return self._renderer
