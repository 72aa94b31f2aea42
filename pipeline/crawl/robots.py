"""What a site's robots.txt lets us do (RFC 9309), read once for each origin."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

from pipeline.charset import decode
from pipeline.crawl.fetch import Answer
from pipeline.crawl.guard import UnfetchedError
from pipeline.models import Cause

# RFC 9309, 2.5: at least 500 kibibytes must be read; the rest may be ignored.
MAX_BYTES = 512_000
# A survey of 400 pages at this pace takes 13 hours; a longer Crawl-delay is a no.
LONGEST_DELAY_S = 120.0
# What failures to fetch robots.txt say about the host rather than about the file: they keep their own name.
_NO_HOST = {Cause.ADDRESS, Cause.DNS, Cause.CONNECT, Cause.TLS}


@dataclass(frozen=True)
class Rules:
    """What an origin allows. refusal: why nothing may be asked there at all, or None."""

    parsed: Protego | None = None
    refusal: UnfetchedError | None = None

    @property
    def sitemaps(self) -> tuple[str, ...]:
        return tuple(self.parsed.sitemaps) if self.parsed else ()

    def crawl_delay(self, agent: str) -> float:
        """Seconds between two requests that the file asks for, from Crawl-delay and Request-rate."""
        if self.parsed is None:
            return 0.0
        rate = self.parsed.request_rate(agent)
        return max(self.parsed.crawl_delay(agent) or 0.0, rate.seconds / rate.requests if rate else 0.0)

    def check(self, url: str, agent: str) -> None:
        """Raises UnfetchedError (ROBOTS, or why rules are unknown) where the URL may not be asked, or too seldom for
        any survey to end."""
        if self.refusal is not None:
            raise UnfetchedError(self.refusal.cause, self.refusal.detail)
        if self.parsed is not None and not self.parsed.can_fetch(url, agent):
            raise UnfetchedError(Cause.ROBOTS, "robots.txt forbids it")
        if (delay_s := self.crawl_delay(agent)) > LONGEST_DELAY_S:
            raise UnfetchedError(Cause.ROBOTS, f"robots.txt asks for {delay_s:g} s between two requests")


@dataclass
class Robots:
    """The rules of every origin met so far. ask: fetches a robots.txt, redirects included, and archives the answer;
    agent: product token that rules are looked up for."""

    ask: Callable[[str], Awaitable[Answer]]
    agent: str
    _known: dict[str, Rules] = field(default_factory=dict)
    _asking: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def rules(self, url: str) -> Rules:
        """The rules of the URL's origin."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        async with self._asking[origin]:  # a redirect may lead to a host whose rules are on their way
            if origin not in self._known:
                self._known[origin] = await self._fetch(origin + "/robots.txt")
        return self._known[origin]

    def known(self, url: str) -> Rules:
        """The rules of an origin that was asked before; none where it was not."""
        parts = urlsplit(url)
        return self._known.get(f"{parts.scheme}://{parts.netloc}", Rules())

    async def _fetch(self, url: str) -> Rules:
        try:
            answer = await self.ask(url)
        except UnfetchedError as error:
            cause = error.cause if error.cause in _NO_HOST else Cause.ROBOTS_UNREACHABLE
            return Rules(refusal=UnfetchedError(cause, f"robots.txt: {error.detail}"))
        return from_answer(answer)


def from_answer(answer: Answer) -> Rules:
    """RFC 9309, 2.3.1: 4xx means no rules; 5xx (and 429, which says we are too many) means stay away for now."""
    if answer.is_page:
        return Rules(parsed=Protego.parse(decode(answer.body[:MAX_BYTES], answer.header("content-type")).text))
    if 400 <= answer.status < 500 and answer.status != 429:
        return Rules()
    return Rules(refusal=UnfetchedError(Cause.ROBOTS_UNREACHABLE, f"robots.txt answered {answer.status}"))
