"""How often a server may be asked: one request at a time, starts a delay apart, per host and per IP address."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.crawl.guard import Target


class Pace:
    """Remembers when each host and each IP address may be asked next. Times are seconds of the monotonic clock.

    Many municipalities sit on one CMS vendor's machine, so hosts that share an address share its pace.
    """

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._delays: dict[str, float] = {}
        self._next: dict[str, float] = defaultdict(float)
        self._addresses: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def slow(self, host: str, delay_s: float) -> None:
        """Keeps a host's Crawl-delay where it is longer than ours."""
        if delay_s > self._delay(host):
            self._delays[host] = delay_s
            self.hold(host, delay_s)

    def hold(self, host: str, seconds: float) -> None:
        """Leaves a host alone for so long (Retry-After, a pause before a second try)."""
        self._next[host] = max(self._next[host], time.monotonic() + seconds)

    def ready_at(self, host: str) -> float:
        """When the host may be asked next."""
        return max(self._next[host], self._next[self._addresses.get(host, host)])

    @asynccontextmanager
    async def turn(self, target: Target) -> AsyncIterator[None]:
        """Waits until the host may be asked and holds it until the answer is in."""
        address = self._addresses[target.host] = target.addresses[0]
        async with self._locks[target.host]:
            async with self._locks["ip " + address]:
                while (wait_s := self.ready_at(target.host) - time.monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                self._next[target.host] = self._next[address] = time.monotonic() + self._delay(target.host)
            yield

    def _delay(self, host: str) -> float:
        return self._delays.get(host, self._delay_s)
