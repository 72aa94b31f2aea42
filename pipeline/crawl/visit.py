"""One address to one final answer: robots, pace, redirects hop by hop, second tries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.crawl.fetch import REDIRECTS, Answer, Client
from pipeline.crawl.guard import Guard, Target, UnfetchedError
from pipeline.crawl.pace import Pace, Turn, Web
from pipeline.crawl.plan import Plan
from pipeline.crawl.recall import Known
from pipeline.crawl.replay import Replay
from pipeline.crawl.robots import MAX_BYTES as ROBOTS_BYTES
from pipeline.crawl.robots import Robots
from pipeline.models import Cause
from pipeline.urls import canonical, host_port

MAX_HOPS = 5
_BUSY = {429, 503}
TRIES = 2
# How long a server may ask us to wait before we take its answer as a no for this run.
LONGEST_WAIT_S = 60.0
_PAUSE_S = 1.0
# A host that failed so often in a row is not asked again: each try would cost a whole deadline.
SILENT_AFTER = 5
_SILENCE = {Cause.DNS, Cause.CONNECT, Cause.TLS, Cause.TIMEOUT}
_SECOND_TRY = {Cause.CONNECT, Cause.PROTOCOL}


@dataclass(frozen=True)
class Visit:
    """Where an address led. answer: the final one; hops: addresses that redirected there, the one asked first."""

    answer: Answer
    hops: tuple[str, ...]


class Visitor:
    """Asks addresses as a polite stranger would, and only for what has changed since they were archived.

    keep_robots: archives each robots.txt answer; recall: what is known of an address; replay: what this run has been
    answered before, which is not asked again; web: what it shares with other visitors.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        keep_robots: Callable[[Visit], Awaitable[None]] | None = None,
        recall: Callable[[str], Awaitable[Known | None]] | None = None,
        replay: Replay | None = None,
        web: Web | None = None,
    ) -> None:
        web = web or Web(Pace(plan.delay_s))
        self.pace = web.pace
        self._gate = web.gate
        self._delay_s = plan.delay_s
        self._met: set[str] = set()
        # Rules name a crawler by its product token; a whole User-Agent line may hold other crawlers' names as words.
        self._agent = plan.user_agent.split("/")[0].split()[0] if plan.user_agent.strip() else "Akashi"
        self.robots = Robots(self._robots_txt, self._agent)
        self.guard = Guard(plan.allow_private)
        self._client = Client(
            self.guard, user_agent=plan.user_agent, deadline_s=plan.deadline_s, max_bytes=plan.max_bytes
        )
        self._keep_robots = keep_robots
        self._recall = recall
        self._replay = replay
        self._silent: dict[str, int] = {}

    async def close(self) -> None:
        await self._client.close()
        self.pace.part(self._met)
        self._met.clear()

    async def visit(
        self,
        url: str,
        *,
        wanted: Callable[[str], bool],
        enter: Callable[[str], None],
        passed: Callable[[Answer], Awaitable[None]] | None = None,
    ) -> Visit:
        """The final answer of an address. passed: called with each redirect on the way; enter: then with its target,
        raises to stop there.

        Raises UnfetchedError where there is no answer; a hop to a refused address, a loop or a sixth hop is REDIRECT.
        """

        async def ask(hop: str) -> Answer:
            await self.permit(hop)
            kept = await self._replay.of(url, hop) if self._replay else None
            return self._answered(kept) if kept else await self._ask(hop, wanted)

        return await _follow(url, ask, enter, passed)

    async def permit(self, url: str) -> None:
        """Raises UnfetchedError where robots.txt forbids the address; keeps the pace that it asks for."""
        rules = await self.robots.rules(url)
        rules.check(url, self._agent)
        host, crawl_delay = host_port(url)[0], rules.crawl_delay(self._agent)
        self._meet(host)
        if self.pace.slow(host, crawl_delay) and self._gate:
            await self._gate.hold((host,), crawl_delay)

    def forbids(self, url: str) -> bool:
        """Whether the robots.txt of an origin that is known by now forbids the address. Asks nothing."""
        try:
            self.robots.known(url).check(url, self._agent)
        except UnfetchedError:
            return True
        return False

    async def wait_turn(self, url: str) -> None:
        """Waits until a browser may open the address, as a request would: the page view is one visitor's."""
        async with self._turn(await self.guard.check(url)) as turn:
            await turn.enter()
            await turn.left()

    # --- robots.txt ---

    async def _robots_txt(self, url: str) -> Answer:
        async def ask(hop: str) -> Answer:
            return await self._ask(hop, lambda _: True, max_bytes=4 * ROBOTS_BYTES)

        kept = await self._replay.robots(url) if self._replay else None
        visit = Visit(self._answered(kept), ()) if kept else await _follow(url, ask, lambda _: None, None)
        if self._keep_robots:
            await self._keep_robots(visit)
        return visit.answer

    # --- one hop ---

    def _answered(self, answer: Answer) -> Answer:
        self._silent[host_port(answer.url)[0]] = 0
        return answer

    async def _ask(self, url: str, wanted: Callable[[str], bool], max_bytes: int | None = None) -> Answer:
        """One answer: the archived page where the server says that it still holds, or sends the same bytes."""
        known = await self._recall(url) if self._recall else None
        if known is None:
            return await self._tried(url, wanted, max_bytes, {})
        answer = await self._tried(url, wanted, max_bytes, known.conditions)
        if answer.status == 304 and known.conditions and not known.confirmed_by(answer):
            known = replace(known, conditions={})
            answer = await self._tried(url, wanted, max_bytes, {})
        return known.recognised(answer)

    async def _tried(
        self, url: str, wanted: Callable[[str], bool], max_bytes: int | None, conditions: Mapping[str, str]
    ) -> Answer:
        """One answer, with second tries where a server is busy or a connection broke."""
        host = host_port(url)[0]
        if self._silent.get(host, 0) >= SILENT_AFTER:
            raise UnfetchedError(
                Cause.TIMEOUT, f"{host} failed to answer {SILENT_AFTER} times in a row and was left alone"
            )
        for last in (False,) * (TRIES - 1) + (True,):
            target = await self.guard.check(url)
            try:
                async with self._turn(target) as turn:
                    answer = await self._client.ask(url, wanted, turn, max_bytes=max_bytes, conditions=conditions)
            except UnfetchedError as error:
                self._silent[host] = self._silent.get(host, 0) + 1 if error.cause in _SILENCE else 0
                if last or error.cause not in _SECOND_TRY:
                    raise
                await self._hold(host, _PAUSE_S)
                continue
            self._answered(answer)
            wait_s = _wait_s(answer)
            if last or wait_s is None or wait_s > LONGEST_WAIT_S:
                return answer
            await self._hold(host, wait_s)
        raise AssertionError("the last try returns or raises")

    # --- the pace ---

    def delay_s(self, url: str) -> float:
        """Seconds between two requests to the URL's host, as far as its robots.txt is known."""
        return max(self._delay_s, self.pace.crawl_delay(host_port(url)[0]))

    @asynccontextmanager
    async def _turn(self, target: Target) -> AsyncIterator[Turn]:
        self._meet(target.host)
        async with self.pace.turn(target, delay_s=self._delay_s, gate=self._gate) as turn:
            yield turn

    async def _hold(self, host: str, seconds: float) -> None:
        self.pace.hold(host, seconds)
        if self._gate:
            await self._gate.hold((host,), seconds)

    def _meet(self, host: str) -> None:
        if host not in self._met:
            self._met.add(host)
            self.pace.meet(host)


async def _follow(
    url: str,
    ask: Callable[[str], Awaitable[Answer]],
    enter: Callable[[str], None],
    passed: Callable[[Answer], Awaitable[None]] | None,
) -> Visit:
    hops: list[str] = []
    while True:
        try:
            answer = await ask(url)
        except UnfetchedError as error:
            if hops and error.cause is Cause.ADDRESS:
                raise UnfetchedError(Cause.REDIRECT, f"redirected to {url}: {error.detail}") from error
            raise
        if answer.status not in REDIRECTS:
            return Visit(answer, tuple(hops))
        if passed:
            await passed(answer)
        hops.append(url)
        url = _location(answer, hops)
        enter(url)


def _location(answer: Answer, hops: list[str]) -> str:
    """The next hop. Raises UnfetchedError (REDIRECT)."""
    written = answer.header("location")
    url = canonical(written, answer.url) if written else None
    if url is None:
        raise UnfetchedError(Cause.REDIRECT, f"redirected to {written[:100] or 'nowhere'}, which may not be asked")
    if url in hops:
        raise UnfetchedError(Cause.REDIRECT, f"redirected in a circle, back to {url}")
    if len(hops) > MAX_HOPS:
        raise UnfetchedError(Cause.REDIRECT, f"more than {MAX_HOPS} redirects")
    return url


def _wait_s(answer: Answer) -> float | None:
    """Seconds to wait before a second try, or None where none is due. RFC 9110, 10.2.3: seconds or a date."""
    if answer.status not in _BUSY:
        return _PAUSE_S if answer.status >= 500 else None
    written = answer.header("retry-after").strip()
    if written.isdecimal():
        return float(written[:9])
    try:
        until = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return _PAUSE_S
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
