"""The loop: the best address whose host may be asked, its answer into the archive, its links into the frontier."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.archive import Archive
from pipeline.crawl.fetch import Answer
from pipeline.crawl.frontier import Address, Frontier, State
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.harvest import Harvest, Reading, read
from pipeline.crawl.plan import Plan, Progress, cause_of
from pipeline.crawl.recall import Recall
from pipeline.crawl.rendering import Rendering
from pipeline.crawl.scope import Extent, Kind, is_likely_home, is_office
from pipeline.crawl.visit import Visit, Visitor
from pipeline.extract.scripted import UNFILLED
from pipeline.models import Cause, Coverage, Record, Snapshot, Source
from pipeline.urls import canonical, host_port

# Hosts asked at the same time; each of them still answers one request at a time.
MAX_HOSTS_AT_ONCE = 8
# Requests for each page of the budget: what fails costs time too, and a site of errors must not go on for ever.
MAX_REQUESTS_PER_PAGE, MIN_REQUESTS = 4, 200
_SCORES = {Kind.HOME: 100.0, Kind.PRESS: 50.0, Kind.SITEMAP: 40.0}
_READABLE = ("html", "pdf", "xml", "rss", "rdf", "text/plain")


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
    ) -> None:
        self._plan = plan
        self._archive = archive
        self._code = code
        self._run_id = run_id
        self._progress = progress
        self._frontier = Frontier(frontier_path, plan.max_pages)
        self._visitor = Visitor(plan, self._keep_robots, Recall(archive, earlier).of)
        self._rendering = Rendering(plan, self._visitor, self._frontier)
        homes = (canonical(plan.home_url) or "", self._frontier.fact("answered"))
        self._harvest = Harvest(plan.terms, self._frontier, Extent(tuple(home for home in homes if home)))
        self._busy: dict[asyncio.Task[None], Address] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rendering.close()
        await self._visitor.close()
        self._frontier.__exit__(kind, error, trace)

    async def run(self) -> Coverage:
        """Goes on until nothing is left or the budget is spent. A larger budget takes a finished crawl up again."""
        if int(self._frontier.fact("finished_budget") or -1) < self._plan.max_pages:
            self._seed()
            try:
                await self._loop()
            finally:
                await self._put_back()
            with self._frontier.step():
                self._frontier.note("finished", datetime.now(UTC).isoformat())
                self._frontier.note("finished_budget", str(self._plan.max_pages))
        return self._frontier.coverage(max_pages=self._plan.max_pages)

    def _seed(self) -> None:
        if self._frontier.fact("started"):
            return
        with self._frontier.step():
            self._frontier.note("started", datetime.now(UTC).isoformat())
            for url, kind in ((self._plan.home_url, Kind.HOME), *((url, Kind.PRESS) for url in self._plan.extra)):
                address = canonical(url) if url else None
                if address:
                    self._frontier.add(Address(url=address, kind=kind, label=url, score=_SCORES[kind]))
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
                address = self._frontier.take(host for host in hosts if self._visitor.pace.ready_at(host) <= now)
            if address is None:
                return
            self._busy[asyncio.create_task(self._visit(address))] = address

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
        waits = [self._visitor.pace.ready_at(host) - time.monotonic() for host in self._free_hosts()]
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

    # --- one address ---

    async def _visit(self, address: Address) -> None:
        if is_office(address.url):
            with self._frontier.step():
                self._frontier.fail(address, Cause.MEDIA, "an office document")
            return
        try:
            visit = await self._visitor.visit(
                address.url,
                wanted=lambda media: _wanted(media, address),
                enter=lambda hop: self._enter(hop, address),
                passed=lambda redirect: self._keep_redirect(redirect, address),
            )
        except _AlreadyReadError:
            with self._frontier.step():
                self._frontier.finish(address, State.SAME)
        except UnfetchedError as error:
            with self._frontier.step():
                self._frontier.fail(address, error.cause, error.detail)
        else:
            await self._keep(address, visit)
        self._tell(address)

    def _enter(self, hop: str, address: Address) -> None:
        """Raises UnfetchedError where a redirect of an address may not be followed to that hop."""
        if address.kind is Kind.HOME:
            if not is_likely_home(hop, address.url):
                raise UnfetchedError(
                    Cause.REDIRECT, f"the home page redirects to {hop}; if that is right give it with --url"
                )
        elif not self._harvest.may_enter(hop, address):
            raise UnfetchedError(Cause.REDIRECT, f"redirected off the site, to {hop}")
        settled = self._harvest.extent.settled(hop)
        if settled != address.url and self._frontier.was_read(settled):
            raise _AlreadyReadError

    async def _keep(self, address: Address, visit: Visit) -> None:
        """Archives an answer, then notes in one step all that follows from it."""
        answer = visit.answer
        snapshot = self._write(address.url, answer, address.kind.source)
        reading = read(answer, address.kind) if answer.is_page and answer.body.strip() else None
        opened = self._rendering.helps(address, reading)
        with self._frontier.step():
            self._note_archived()
            if reading is None:
                self._fail(address, answer, snapshot.sha256)
            elif reading.cause is Cause.SCRIPT:
                self._place_unfilled(address, visit, reading, snapshot.sha256, opened)
            elif reading.cause is not None:
                self._frontier.fail(address, reading.cause, answer.media, sha256=snapshot.sha256)
            else:
                self._settle(address, visit, reading, snapshot.sha256)
        if opened:
            await self._open(address, visit, snapshot.sha256)

    def _place_unfilled(self, address: Address, visit: Visit, reading: Reading, sha256: str, opened: bool) -> None:
        """Follows what a page that a script would fill links to as answered: there may be a way without scripts."""
        if address.kind is Kind.HOME:
            self._begin_site(address, visit)
        self._harvest.place(address, reading, sha256)
        if opened:
            self._rendering.count()
        else:
            self._frontier.fail(address, Cause.SCRIPT, UNFILLED, sha256=sha256)

    async def _open(self, address: Address, visit: Visit, sha256: str) -> None:
        """Opens a page in the browser and keeps what stands there, beside the answer, as what the page says."""
        try:
            answer, reading = await self._rendering.page(
                visit.answer.url,
                address.kind,
                enter=lambda hop: self._enter(hop, address),
                own=self._harvest.extent.own,
            )
        except _AlreadyReadError:
            with self._frontier.step():
                self._frontier.finish(address, State.SAME)
        except UnfetchedError as error:
            with self._frontier.step():
                self._frontier.fail(address, error.cause, error.detail, sha256=sha256)
        else:
            kept = self._write(address.url, answer, address.kind.source, Record.CONVERSION)
            with self._frontier.step():
                self._note_archived()
                self._settle(address, Visit(answer, visit.hops), reading, kept.sha256)

    def _settle(self, address: Address, visit: Visit, reading: Reading, sha256: str) -> None:
        if address.kind is Kind.HOME:
            self._begin_site(address, visit)
        self._harvest.place(address, reading, sha256)
        self._frontier.finish(address, reading.state, sha256=sha256)
        settled = self._harvest.extent.settled(visit.answer.url)
        if settled != address.url:
            self._frontier.same(settled, address)

    def _begin_site(self, address: Address, visit: Visit) -> None:
        rules = self._visitor.robots.known(visit.answer.url)
        self._harvest.begin_site(address.url, visit.answer.url, rules.sitemaps)

    def _fail(self, address: Address, answer: Answer, sha256: str) -> None:
        status, cause = answer.status, cause_of(answer.status)
        if answer.is_page:
            self._frontier.fail(address, Cause.EMPTY, "an answer without a body", sha256=sha256)
            return
        if cause is Cause.NOT_FOUND and address.kind in (Kind.SITEMAP, Kind.FEED) and not address.label:
            self._frontier.finish(address, State.MISSING, sha256=sha256)
        else:
            self._frontier.fail(address, cause, f"status {status}", sha256=sha256)

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

    def _write(self, url: str, answer: Answer, source: Source, record: Record = Record.RESPONSE) -> Snapshot:
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

    def _note_archived(self) -> None:
        self._frontier.note("archived", str(int(self._frontier.fact("archived") or 0) + 1))

    def _keep_redirect(self, redirect: Answer, address: Address) -> None:
        """Where a page has gone, which is all that is left to know of it when its new address was read already."""
        self._write(redirect.url, redirect, address.kind.source)
        with self._frontier.step():
            self._note_archived()

    def _keep_robots(self, visit: Visit) -> None:
        self._write(visit.hops[0] if visit.hops else visit.answer.url, visit.answer, Source.OFFICIAL)
        with self._frontier.step():
            self._note_archived()


class _AlreadyReadError(Exception):
    """A redirect leads to a page that was read under its own address."""


def _wanted(media: str, address: Address) -> bool:
    """Whether a body of that type is worth downloading. An undeclared type is told by its first bytes later."""
    if media in ("", "application/octet-stream", "binary/octet-stream"):
        return True
    if address.kind is Kind.SITEMAP and "gzip" in media:
        return True
    return any(word in media for word in _READABLE) and "svg" not in media
