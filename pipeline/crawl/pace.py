"""How often a server may be asked: one request at a time per host, a delay apart per host and IP address."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from pipeline.crawl.guard import Target


class Pace:
    """Remembers when each host and each IP address may be asked next. Times are seconds of the monotonic clock.

    Many municipalities sit on one CMS vendor's machine, so hosts that share an address share its pace. Of several
    addresses any may be the one that answers, and an open connection may lead to one that a host had before.
    """

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._delays: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._addresses: dict[str, set[str]] = defaultdict(set)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def slow(self, host: str, delay_s: float) -> None:
        """Keeps a host's Crawl-delay where it is longer than ours."""
        if delay_s > self._delay(host):
            self._delays[host] = delay_s
            self.hold(host, delay_s)

    def hold(self, host: str, seconds: float) -> None:
        """Leaves a host alone for so long (Retry-After, a pause before a second try)."""
        self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    def ready_at(self, host: str) -> float:
        """When the host may be asked next."""
        return max(self._next.get(place, 0.0) for place in self._places(host))

    @asynccontextmanager
    async def turn(self, target: Target) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Waits until the host may be asked and holds it until the answer is in.

        What it gives is to be awaited once the request has left: the delay counts from then, since a connection may
        take longer to open than the delay, and until then no other host of these addresses is asked.
        """
        host = target.host
        self._addresses[host].update(target.addresses)
        async with self._locks[host], AsyncExitStack() as leaving:
            for address in sorted(self._addresses[host]):  # in one order, so that no two hosts wait for each other
                await leaving.enter_async_context(self._locks["ip " + address])
            while (wait_s := self.ready_at(host) - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            self._count_from_now(host)

            async def left() -> None:
                self._count_from_now(host)
                await leaving.aclose()

            yield left

    def _count_from_now(self, host: str) -> None:
        for place in self._places(host):
            self._next[place] = max(self._next.get(place, 0.0), time.monotonic() + self._delay(host))

    def _places(self, host: str) -> tuple[str, ...]:
        return (host, *self._addresses.get(host, ()))

    def _delay(self, host: str) -> float:
        return self._delays.get(host, self._delay_s)
