"""The loop: the best address whose host may be asked, as long as there is one and the budget lasts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.archive import Archive
from pipeline.crawl.address import Address, State
from pipeline.crawl.errands import Errands
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.pace import Web
from pipeline.crawl.plan import Plan, Progress
from pipeline.crawl.scope import Kind
from pipeline.models import Coverage
from pipeline.urls import canonical, host_port

# Hosts asked at the same time; each of them still answers one request at a time.
MAX_HOSTS_AT_ONCE = 8
# Requests for each page of the budget: what fails costs time too, and a site of errors must not go on for ever.
MAX_REQUESTS_PER_PAGE, MIN_REQUESTS = 4, 200
_SCORES = {Kind.HOME: 100.0, Kind.PRESS: 50.0, Kind.SITEMAP: 40.0}


class Crawler:
    """One crawl, from its frontier's file onwards. See `pipeline.crawl.crawl`."""

    def __init__(
        self,
        plan: Plan,
        *,
        archive: Archive,
        code: str,
        run_id: str,
        frontier_path: Path,
        progress: Callable[[Progress], None],
        earlier: Sequence[str] = (),
        web: Web | None = None,
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._frontier = Frontier(frontier_path)
        self._errands = Errands(
            plan, self._frontier, archive=archive, code=code, run_id=run_id, earlier=earlier, web=web
        )
        self._busy: dict[asyncio.Task[None], Address] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._errands.close()
        self._frontier.__exit__(kind, error, trace)

    async def run(self) -> Coverage:
        """Goes on until nothing is left or the budget is spent. A larger budget takes a finished crawl up again."""
        if int(self._frontier.fact("finished_budget") or -1) < self._plan.max_pages:
            # What a WARC or folder brought into the run (and then there is no home page to ask) is no server's answer.
            if self._plan.home_url:
                await self._errands.replay.load()
            self._seed()
            try:
                await self._loop()
            finally:
                await self._put_back()
            with self._frontier.step():
                self._frontier.note("finished", datetime.now(UTC).isoformat())
                self._frontier.note("finished_budget", str(self._plan.max_pages))
        return self._errands.homes.account(self._frontier.coverage(max_pages=self._plan.max_pages))

    def _seed(self) -> None:
        if self._frontier.fact("started"):
            return
        with self._frontier.step():
            self._frontier.note("started", (self._errands.replay.began or datetime.now(UTC)).isoformat())
            for url, kind in ((self._plan.home_url, Kind.HOME), *((url, Kind.PRESS) for url in self._plan.extra)):
                address = canonical(url) if url else None
                if address:
                    self._frontier.add(Address(url=address, kind=kind, label=url, fixed=_SCORES[kind]))
                elif url:
                    self._frontier.refuse(url, kind, "not an http or https address that may be asked")

    async def _loop(self) -> None:
        while True:
            self._start()
            if not self._busy and not self._may_go_on():
                return
            await self._wait()

    def _start(self) -> None:
        """Sends for the best addresses of all hosts that may be asked now."""
        while len(self._busy) < MAX_HOSTS_AT_ONCE and self._has_budget():
            hosts = self._free_hosts()
            now = time.monotonic()
            with self._frontier.step():
                address = self._frontier.take(host for host in hosts if self._errands.ready_at(host) <= now)
            if address is None:
                return
            self._busy[asyncio.create_task(self._go(address))] = address

    def _may_go_on(self) -> bool:
        return self._has_budget() and bool(self._frontier.hosts())

    def _has_budget(self) -> bool:
        """Whether one more page may be asked, those under way counted as read. Feeds and sitemaps are never many."""
        asked = self._frontier.count(State.READ, State.FAILED, State.SAME, State.MISSING)
        most = max(MIN_REQUESTS, MAX_REQUESTS_PER_PAGE * self._plan.max_pages)
        return self._frontier.count(State.READ) + len(self._busy) < self._plan.max_pages and asked < most

    def _free_hosts(self) -> tuple[str, ...]:
        busy = {host_port(address.url)[0] for address in self._busy.values()}
        if any(address.kind is Kind.HOME for address in self._busy.values()):
            return ()  # nothing can be scored or placed before the home page is known
        return tuple(host for host in self._frontier.hosts() if host not in busy)

    async def _wait(self) -> None:
        """Until an answer is in or another host may be asked."""
        waits = [self._errands.ready_at(host) - time.monotonic() for host in self._free_hosts()]
        room = len(self._busy) < MAX_HOSTS_AT_ONCE and self._has_budget()
        wait_s = max(0.0, min(waits)) if waits and room else None
        if not self._busy:
            await asyncio.sleep(wait_s or 0.0)
            return
        done, _ = await asyncio.wait(self._busy, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self._busy.pop(task)
            task.result()

    async def _put_back(self) -> None:
        """Gives up what is under way, so that a cancelled crawl goes on as if it had not been asked."""
        for task in self._busy:
            task.cancel()
        outcomes = await asyncio.gather(*self._busy, return_exceptions=True)
        with self._frontier.step():
            for address, outcome in zip(self._busy.values(), outcomes, strict=True):
                if outcome is not None:
                    self._frontier.give_back(address)
        self._busy.clear()

    async def _go(self, address: Address) -> None:
        await self._errands.run(address)
        self._tell(address)

    def _tell(self, address: Address) -> None:
        count = self._frontier.count
        self._progress(
            Progress(
                fetched=count(State.READ),
                budget=self._plan.max_pages,
                waiting=count(State.WAITING),
                unread=count(State.FAILED),
                current=address.url,
            )
        )
