"""The official accounts' posts: the few public addresses that tell their dates, asked as gently as any page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from pipeline.archive import Archive
from pipeline.charset import decode
from pipeline.crawl.aside import aside
from pipeline.crawl.discover import discover
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.keeping import Keeper
from pipeline.crawl.pace import Web
from pipeline.crawl.plan import Plan, cause_of
from pipeline.crawl.replay import Replay
from pipeline.crawl.visit import Visit, Visitor
from pipeline.extract import posts_in
from pipeline.models import Cause, Snapshot, SocialAccount, Source, Tried
from pipeline.services import SERVICES, Service, service_of
from pipeline.urls import canonical

MAX_ACCOUNTS = 8
# Of one account, its robots.txt not counted: a feed, the page that lists its posts, a feed that the page names.
MAX_REQUESTS = 3
# For all accounts together: a Crawl-delay of minutes must not hold a survey up.
DEADLINE_S = 300.0
# A channel's page is about 1 MB, a feed far smaller.
MAX_BYTES = 8_000_000
_READABLE = ("html", "xml", "rss", "rdf", "atom")


async def follow(
    accounts: Sequence[SocialAccount],
    plan: Plan,
    *,
    archive: Archive,
    code: str,
    run_id: str,
    done: Collection[str],
    progress: Callable[[int, int, str], None],
    services: Sequence[Service] = SERVICES,
    web: Web | None = None,
) -> None:
    """Ask the first eight proven accounts for their posts, at most three requests each, and archive every answer and,
    for each account, a record of what was asked and why it did not answer.

    done: addresses of the accounts that have such a record; they are not asked again, nor is an address whose answer
    is archived. Of plan only pace, limits and open addresses count. web: what it shares with other crawls. Raises
    ArchiveError where an answer cannot be archived.
    """
    proven = [one for one in accounts if one.proven]
    public = [one for one in proven if service_of(one.url, services).page_of(one.url)][:MAX_ACCOUNTS]
    private = [one for one in proven if service_of(one.url, services).page is None]
    async with _Follower(plan, archive, code, run_id, services, web) as follower:
        for account in (one for one in private if one.url not in done):
            await follower.note(account, ())
        for number, account in enumerate(public, start=1):
            progress(number, len(public), account.url)
            if account.url not in done:
                await follower.follow(account)


class _Follower:
    """Asks account after account. None of them is asked twice at a time, so hosts see one request after the other."""

    def __init__(
        self,
        plan: Plan,
        archive: Archive,
        code: str,
        run_id: str,
        services: Sequence[Service],
        web: Web | None,
    ) -> None:
        self._archive = archive
        self._keeper = Keeper(archive, code, run_id)
        self._services = services
        self._replay = Replay(archive, code, run_id, lambda one: one.source is Source.SOCIAL)
        plan = replace(plan, max_bytes=min(plan.max_bytes, MAX_BYTES))
        self._visitor = Visitor(plan, keep_robots=self._keep, replay=self._replay, web=web)
        self._shared = web is not None
        self._began = time.monotonic()
        self._until = self._began + DEADLINE_S

    async def __aenter__(self) -> Self:
        await self._replay.load()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._visitor.close()

    async def follow(self, account: SocialAccount) -> None:
        """Asks for a feed, then for the page of the account, then for the feed that the page names."""
        service = service_of(account.url, self._services)
        waiting = [url for url in (service.feed_of(account.url), service.page_of(account.url)) if url]
        tried: dict[str, Tried] = {}
        while waiting and len(tried) < MAX_REQUESTS:
            url = waiting.pop(0)
            tried[url], answer = await self._ask(url, service)
            if answer is None:
                continue
            body = await aside(self._archive.body, answer.sha256)
            posts = posts_in(answer, body, account.url)
            if posts is not None and not posts.partial:
                break
            waiting += [feed for feed in _feeds(body, answer, account, service) if feed not in {*tried, *waiting}][:1]
        await self.note(account, tuple(tried.values()))

    async def note(self, account: SocialAccount, tried: tuple[Tried, ...]) -> None:
        """Archives what was asked of an account."""
        said = account.model_copy(update={"tried": tried}).model_dump_json()
        await self._keeper.keep_record(account.url, said, Source.SOCIAL)

    async def _ask(self, url: str, service: Service) -> tuple[Tried, Snapshot | None]:
        """What came of asking an address, and the answer where it can be read."""
        try:
            answer = self._replay.last(url) or await self._visited(url, service)
        except UnfetchedError as error:
            return Tried(url=url, cause=error.cause, detail=error.detail), None
        if answer.status != 200:
            cause, detail = cause_of(answer.status), f"status {answer.status}"
            return Tried(url=url, cause=cause, detail=detail, sha256=answer.sha256), None
        return Tried(url=url, sha256=answer.sha256), answer

    async def _visited(self, url: str, service: Service) -> Snapshot:
        def enter(hop: str) -> None:
            if not service.has(hop):
                raise UnfetchedError(Cause.REDIRECT, f"redirected off {service.name}, to {hop}")

        address = canonical(url)
        if address is None:
            raise UnfetchedError(Cause.ADDRESS, "not an http or https address that may be asked")
        try:
            async with asyncio.timeout(await self._left_s(address)):
                visit = await self._visitor.visit(address, wanted=_is_readable, enter=enter)
        except TimeoutError as error:
            raise UnfetchedError(Cause.TIMEOUT, f"the {DEADLINE_S:g} s for all accounts were spent") from error
        return await self._keeper.keep(url, visit.answer, Source.SOCIAL)

    async def _left_s(self, address: str) -> float | None:
        """Seconds until the deadline, None where no clock can tell: on a shared web most of the time is others', so
        only the pauses that the host itself asks for count. Raises TimeoutError where they are spent."""
        if not self._shared:
            return max(0.0, self._until - time.monotonic())
        await self._visitor.permit(address)
        self._until -= self._visitor.delay_s(address)
        if self._until < self._began:
            raise TimeoutError
        return None

    async def _keep(self, robots: Visit) -> None:
        await self._keeper.keep_robots(robots, Source.SOCIAL)


def _is_readable(media: str) -> bool:
    return not media or any(word in media for word in _READABLE)


def _feeds(body: bytes, answer: Snapshot, account: SocialAccount, service: Service) -> Iterator[str]:
    """Addresses of the account's feed that its page names, on the service itself."""
    text = decode(body, answer.header("content-type")).text
    if named := service.feed_named_on(text, account.url):
        yield named
    links = discover(text, answer.final_url).links
    yield from (one.url for one in links if one.kind == "feed" and service.has(one.url))
