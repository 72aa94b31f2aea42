"""How often a server may be asked: one request at a time per host, a delay apart per host and IP address."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pipeline.crawl.gate import Gate
from pipeline.crawl.guard import Target

# A request may leave so much of its delay after its slot at a gate, since a connection takes time to open. Slots are
# taken so much further apart, so that the latest request is still a whole delay before the next one.
LATE_SHARE, LEAST_LATE_S = 0.1, 0.02
# Where connections take longer, slots are taken as much further apart as the last request was late, and half as much
# again; what is later than this was stopped or asleep, which says nothing about the next.
MARGIN, MOST_LATE_S = 1.5, 2.0
# Goes on while the process is stopped; where the system has it, while the machine sleeps too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Pace:
    """Remembers when each host and each IP address may be asked next. Times are seconds of the monotonic clock.

    Many municipalities sit on one CMS vendor's machine, so hosts that share an address share its pace. Of several
    addresses any may be the one that answers, and an open connection may lead to one that a host had before. A
    Crawl-delay is its host's alone. Many crawls of one event loop may share a pace, each `meet`ing the hosts it asks;
    once all have `part`ed from a host, nothing of it is kept but when it may be asked next, and that as long as it
    matters.
    """

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._delays: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._addresses: dict[str, set[str]] = defaultdict(set)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._late: dict[str, float] = {}
        self._met: Counter[str] = Counter()

    def __len__(self) -> int:
        """Hosts and addresses of which something is remembered."""
        return len({*self._next, *self._locks, *self._addresses, *self._delays, *self._late, *self._met})

    def meet(self, host: str) -> None:
        """Notes that one more crawl asks the host."""
        self._met[host] += 1

    def part(self, hosts: Iterable[str]) -> None:
        """Notes that a crawl asks these hosts no more, and forgets what no crawl needs."""
        self._met.subtract(hosts)
        self._met = +self._met
        for kept in (self._delays, self._addresses, self._late):
            for host in kept.keys() - self._met.keys():
                del kept[host]
        needed = {place for host in self._met for place in self.places(host)}
        for place in self._locks.keys() - needed:
            del self._locks[place]
        for place in [place for place, at in self._next.items() if at <= time.monotonic() and place not in needed]:
            del self._next[place]

    def slow(self, host: str, delay_s: float) -> bool:
        """Keeps a host's Crawl-delay where it is longer than what is known; says whether it was."""
        longer = delay_s > max(self._delay_s, self.crawl_delay(host))
        if longer:
            self._delays[host] = delay_s
            self.hold(host, delay_s)
        return longer

    def crawl_delay(self, host: str) -> float:
        """Seconds between two requests that the host asks for, 0 where that is not known."""
        return self._delays.get(host, 0.0)

    def hold(self, host: str, seconds: float) -> None:
        """Leaves a host alone for so long (Retry-After, a pause before a second try)."""
        self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    def ready_at(self, host: str) -> float:
        """When the host may be asked next."""
        return max(self._next.get(place, 0.0) for place in self.places(host))

    @asynccontextmanager
    async def turn(self, target: Target, *, delay_s: float = 0.0, gate: Gate | None = None) -> AsyncIterator[Turn]:
        """Waits until the host may be asked and holds it until the answer is in. delay_s: where it is longer than the
        pace's own; gate: to the pace that this one is part of.

        The delay counts from when the turn is told that the request has left, since a connection may take longer to
        open than the delay, and until then no other host of these addresses is asked.
        """
        host = target.host
        self._addresses[host].update(target.addresses)
        async with self._locks[host], AsyncExitStack() as leaving:
            for address in sorted(self._addresses[host]):  # in one order, so that no two hosts wait for each other
                await leaving.enter_async_context(self._locks["ip " + address])
            while (wait_s := self.ready_at(host) - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            turn = Turn(self, host, max(delay_s, self._delay_s), gate, leaving)
            await turn.begin()
            yield turn

    def count_from_now(self, host: str, delay_s: float) -> None:
        """Notes that the host is asked now."""
        now = time.monotonic()
        for place in self.places(host):
            longest = max(delay_s, self._delays.get(place, 0.0))
            self._next[place] = max(self._next.get(place, 0.0), now + longest)

    def lateness(self, host: str, delay_s: float) -> float:
        """How much after its slot a request to the host may leave, seconds."""
        usual = max(LATE_SHARE * delay_s, LEAST_LATE_S)
        return min(max(usual, MARGIN * self._late.get(host, 0.0)), max(usual, MOST_LATE_S))

    def left_late(self, host: str, seconds: float) -> None:
        """Learns how long after its slot a request would have left."""
        self._late[host] = max(seconds, self._late.get(host, 0.0) / 2)

    def places(self, host: str) -> tuple[str, ...]:
        """The names of the host and its addresses, as a gate knows them."""
        return (host, *("ip " + address for address in sorted(self._addresses.get(host, ()))))


class Turn:
    """One request's turn at a host. With a gate it is a slot there, which may be missed: then another is taken."""

    def __init__(self, pace: Pace, host: str, delay_s: float, gate: Gate | None, leaving: AsyncExitStack) -> None:
        self._pace, self._host, self._delay_s, self._gate, self._leaving = pace, host, delay_s, gate, leaving
        self._at = self._allowed_s = 0.0

    async def begin(self) -> None:
        """Waits for the turn's slot."""
        if self._gate is not None:
            await self._reserve(self._gate)
        self._pace.count_from_now(self._host, self._delay_s)

    async def enter(self) -> None:
        """To be awaited immediately before the request's first byte leaves: waits anew where too much time has passed
        since the slot. Raises LostError where the crawl may not send any more."""
        if self._gate is None:
            return
        await self._gate.enter()
        self._pace.left_late(self._host, self._late_s())
        while self._late_s() > self._allowed_s:
            await self._reserve(self._gate)
            await self._gate.enter()

    async def left(self) -> None:
        """To be awaited once the request has left: others may be asked at its addresses after the delay."""
        self._pace.count_from_now(self._host, self._delay_s)
        await self._leaving.aclose()

    async def _reserve(self, gate: Gate) -> None:
        """Takes the next slot and waits for it. It is somewhere between what its seconds say from when it was asked
        for and from when it was told: the wait is for the later, lateness counts from the earlier."""
        self._allowed_s = self._pace.lateness(self._host, self._delay_s) if self._delay_s else float("inf")
        asked = _now()
        wait_s = await gate.slot(self._pace.places(self._host), self._delay_s and self._delay_s + self._allowed_s)
        until, self._at = _now() + wait_s, asked + wait_s
        if (crawl_delay := self._pace.crawl_delay(self._host)) > self._delay_s:
            await gate.hold((self._host,), wait_s + crawl_delay)
        while (left_s := until - _now()) > 0:
            await asyncio.sleep(left_s)

    def _late_s(self) -> float:
        return _now() - self._at


@dataclass(frozen=True)
class Web:
    """What a crawl shares with others. pace: with those of its event loop; gate: this crawl's own, to the pace that is
    kept with those of other processes and machines; measuring: held while a page's display is measured, since two
    browsers at a time would measure each other."""

    pace: Pace
    gate: Gate | None = None
    measuring: asyncio.Lock | None = None


def _now() -> float:
    return time.clock_gettime(_CLOCK)
