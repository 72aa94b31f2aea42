"""One address of a crawl: asked, archived, and all that follows from its answer noted in the frontier."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.archive import Archive
from pipeline.crawl.address import Address, State
from pipeline.crawl.fetch import Answer
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.harvest import Harvest, Reading, read
from pipeline.crawl.homes import Homes
from pipeline.crawl.keeping import Keeper
from pipeline.crawl.pace import Web
from pipeline.crawl.plan import Plan, cause_of
from pipeline.crawl.recall import Recall
from pipeline.crawl.relevance import Relevance
from pipeline.crawl.rendering import Rendering
from pipeline.crawl.replay import Replay
from pipeline.crawl.scope import Extent, Kind, is_likely_home, is_office
from pipeline.crawl.visit import Visit, Visitor
from pipeline.extract.scripted import UNFILLED
from pipeline.models import Cause, Record, Snapshot, Source
from pipeline.urls import canonical

_READABLE = ("html", "pdf", "xml", "rss", "rdf", "text/plain")


class Errands:
    """Goes to one address after another of a crawl, several at a time. See `pipeline.crawl.crawl`."""

    def __init__(
        self,
        plan: Plan,
        frontier: Frontier,
        *,
        archive: Archive,
        code: str,
        run_id: str,
        earlier: Sequence[str],
        web: Web | None = None,
    ) -> None:
        self._keeper = Keeper(archive, code, run_id)
        self._frontier = frontier
        self.replay = Replay(archive, code, run_id, lambda one: one.source is not Source.SOCIAL)
        self._visitor = Visitor(
            plan, keep_robots=self._keep_robots, recall=Recall(archive, earlier).of, replay=self.replay, web=web
        )
        self._rendering = Rendering(plan, self._visitor, frontier)
        self.homes = Homes(plan.place, canonical(plan.home_url) or "", frontier)
        relevance = Relevance(plan.terms, plan.leads, plan.year)
        self._harvest = Harvest(relevance, frontier, Extent(self.homes.extent()))

    async def close(self) -> None:
        await self._rendering.close()
        await self._visitor.close()

    def ready_at(self, host: str) -> float:
        """When the host may be asked next: seconds of the monotonic clock."""
        return self._visitor.pace.ready_at(host)

    async def run(self, address: Address) -> None:
        """Asks for the address and notes what came of it. Raises ArchiveError where an answer cannot be archived."""
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
                self._miss(address, error.cause, error.detail)
        else:
            await self._keep(address, visit)

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
        reading = read(answer, address.kind) if answer.is_page and answer.body.strip() else None
        if address.kind is Kind.HOME and (refusal := self.homes.refusal(address, answer, reading)):
            with self._frontier.step():  # not archived: what a stranger says there is no part of the survey
                self.homes.missed(address, refusal.cause, refusal.detail)
            return
        snapshot = await self._keeper.keep(address.url, answer, address.kind.source)
        opened = self._rendering.helps(address, reading)
        with self._frontier.step():
            self._frontier.kept(snapshot)
            if reading is None:
                self._fail(address, answer, snapshot.sha256)
            elif reading.cause is Cause.SCRIPT:
                self._place_unfilled(address, visit, reading, snapshot.sha256, opened)
            elif reading.cause is not None:
                self._miss(address, reading.cause, answer.media, sha256=snapshot.sha256)
            else:
                self._settle(address, visit, reading, snapshot.sha256)
        if opened:
            await self._open(address, visit, snapshot.sha256)

    def _place_unfilled(self, address: Address, visit: Visit, reading: Reading, sha256: str, opened: bool) -> None:
        """Follows what a page that a script would fill links to as answered: there may be a way without scripts."""
        if address.kind is Kind.HOME:
            self._begin_site(address, visit, reading)
        self._harvest.place(address, reading, sha256)
        if opened:
            self._rendering.count()
        else:
            self._miss(address, Cause.SCRIPT, UNFILLED, sha256=sha256)

    async def _open(self, address: Address, visit: Visit, sha256: str) -> None:
        """Opens a page in the browser and keeps what stands there, beside the answer, as what the page says."""
        try:
            answer, reading = await self._rendering.page(
                visit.answer.url,
                address.kind,
                await self.replay.rendered(address.url),
                enter=lambda hop: self._enter(hop, address),
                own=self._harvest.extent.own,
            )
        except _AlreadyReadError:
            with self._frontier.step():
                self._frontier.finish(address, State.SAME)
        except UnfetchedError as error:
            with self._frontier.step():
                self._miss(address, error.cause, error.detail, sha256=sha256)
        else:
            kept = await self._keeper.keep(address.url, answer, address.kind.source, Record.CONVERSION)
            with self._frontier.step():
                self._frontier.kept(kept)
                self._settle(address, Visit(answer, visit.hops), reading, kept.sha256)

    def _settle(self, address: Address, visit: Visit, reading: Reading, sha256: str) -> None:
        if address.kind is Kind.HOME:
            self._begin_site(address, visit, reading)
        self._harvest.place(address, reading, sha256)
        self._frontier.finish(address, reading.state, sha256=sha256)
        settled = self._harvest.extent.settled(visit.answer.url)
        if settled != address.url:
            self._frontier.same(settled, address)

    def _begin_site(self, address: Address, visit: Visit, reading: Reading) -> None:
        rules = self._visitor.robots.known(visit.answer.url)
        self._harvest.begin_site(address.url, visit.answer.url, rules.sitemaps)
        self.homes.found(address, visit.answer, reading)

    def _fail(self, address: Address, answer: Answer, sha256: str) -> None:
        status, cause = answer.status, cause_of(answer.status)
        if answer.is_page:
            self._miss(address, Cause.EMPTY, "an answer without a body", sha256=sha256)
            return
        if cause is Cause.NOT_FOUND and address.kind in (Kind.SITEMAP, Kind.FEED) and not address.label:
            self._frontier.finish(address, State.MISSING, sha256=sha256)
        else:
            self._miss(address, cause, f"status {status}", sha256=sha256)

    def _miss(self, address: Address, cause: Cause, detail: str, *, sha256: str | None = None) -> None:
        """Notes an address that gave no page. That the site's own search may not be asked is no page unread."""
        if address.kind is Kind.SEARCH:
            self._frontier.finish(address, State.MISSING, sha256=sha256)
            return
        self._frontier.fail(address, cause, detail, sha256=sha256)
        if address.kind is Kind.HOME:
            self.homes.missed(address, cause, detail)

    # --- the archive ---

    async def _keep_redirect(self, redirect: Answer, address: Address) -> None:
        """Where a page has gone, which is all that is left to know of it when its new address was read already."""
        self._note(await self._keeper.keep(redirect.url, redirect, address.kind.source))

    async def _keep_robots(self, visit: Visit) -> None:
        self._note(await self._keeper.keep_robots(visit, Source.OFFICIAL))

    def _note(self, kept: Snapshot) -> None:
        with self._frontier.step():
            self._frontier.kept(kept)


class _AlreadyReadError(Exception):
    """A redirect leads to a page that was read under its own address."""


def _wanted(media: str, address: Address) -> bool:
    """Whether a body of that type is worth downloading. An undeclared type is told by its first bytes later."""
    if media in ("", "application/octet-stream", "binary/octet-stream"):
        return True
    if address.kind is Kind.SITEMAP and "gzip" in media:
        return True
    return any(word in media for word in _READABLE) and "svg" not in media
