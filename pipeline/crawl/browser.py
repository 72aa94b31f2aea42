"""A real Chromium that can reach nothing but what our own proxy opens for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Error, Page, Playwright, async_playwright

from pipeline.crawl.chromium import INSTALL, find
from pipeline.crawl.guard import Guard
from pipeline.crawl.proxy import Proxy

VIEWPORT = (1366, 768)
LAUNCH_S, CLOSE_S = 30.0, 5.0
# Heap of one page's scripts, MB: a page that wants more crashes, and the machine does not.
_HEAP_MB = 512
# What Chromium needs of our environment; keys and tokens are none of it.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "FONTCONFIG_FILE",
                "FONTCONFIG_PATH")  # fmt: skip
_FLAGS = (
    # Nothing is resolved here: names go to the proxy, which asks the guard.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    "--no-pings",
    "--disable-gpu",
    "--mute-audio",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    f"--js-flags=--max-old-space-size={_HEAP_MB}",
)


class BrowserError(Exception):
    """Chromium could not be started. The text says what to do."""


class Browser:
    """One Chromium, started with the first tab and closed by `close`; tabs are opened one after another.

    guard: decides about every address it may connect to; chromium: path or name of the program, empty for the first
    found; agent: how the crawl names itself, appended to Chromium's own User-Agent.
    """

    def __init__(self, guard: Guard, *, chromium: str = "", agent: str = "") -> None:
        self._proxy = Proxy(guard)
        self._chromium = chromium
        self._agent = agent
        self._playwright: Playwright | None = None
        self._running: Chromium | None = None
        self._lock = asyncio.Lock()
        self.user_agent = ""

    @property
    def version(self) -> str:
        """Name and version, once a tab was open."""
        return f"Chromium {self._running.version}" if self._running else ""

    @property
    def spent(self) -> bool:
        """Whether the tab has moved all the bytes that a page view may."""
        return self._proxy.spent

    async def close(self) -> None:
        """Ends the browser. What does not end in time is left to its driver, which kills it."""
        running, self._running = self._running, None
        playwright, self._playwright = self._playwright, None
        for close in (running.close if running else None, playwright.stop if playwright else None):
            if close is not None:
                with suppress(Exception):  # whatever a dying driver raises, it must not hide why we close
                    async with asyncio.timeout(CLOSE_S):
                        await close()
        await self._proxy.__aexit__(None, None, None)

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Page]:
        """An empty tab with an empty cache, no cookies and no connection left from another. Raises BrowserError."""
        async with self._lock:
            browser = await self._started()
            await self._proxy.fresh()
            context = await browser.new_context(
                viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]},
                user_agent=self.user_agent,
                locale="ja-JP",
                accept_downloads=False,
                service_workers="block",
            )
            try:
                page = await context.new_page()
                context.on("page", _shut)
                yield page
            finally:
                await self._end(context)

    async def _started(self) -> Chromium:
        if self._running is None or not self._running.is_connected():
            await self.close()
            try:
                async with asyncio.timeout(LAUNCH_S):
                    self._running = await self._launch()
            except (Error, OSError, TimeoutError) as error:
                await self.close()
                why = str(error).strip().splitlines()[:1] or ["no answer"]
                raise BrowserError(f"Chromium could not be started ({why[0][:200]}): {INSTALL}") from error
        return self._running

    async def _launch(self) -> Chromium:
        await self._proxy.__aenter__()
        self._playwright = await async_playwright().start()
        running = await self._playwright.chromium.launch(
            executable_path=find(self._chromium) or self._chromium,
            headless=True,
            # Chromium refuses to run as root inside its sandbox.
            chromium_sandbox=os.geteuid() != 0,
            args=[f"--proxy-server=http://127.0.0.1:{self._proxy.port}", *_FLAGS],
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            # Ctrl-C is ours to handle: it must not close the browser under a page that is being read.
            handle_sigint=False,
        )
        blank = await running.new_page()
        self.user_agent = f"{await blank.evaluate('navigator.userAgent')} {self._agent}".strip()
        await blank.close()
        return running

    async def _end(self, context: BrowserContext) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await context.close()
        except (Error, TimeoutError):
            await self.close()  # a tab that cannot be closed goes with its browser; the next tab starts another


async def _shut(popup: Page) -> None:
    with suppress(Error):
        await popup.close()
