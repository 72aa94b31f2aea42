"""A page that only a script fills, as a reader's browser shows it: looked at once, without touching anything."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.async_api import Error, Page, Request, Response, Route

from pipeline.crawl.browser import Browser, BrowserError
from pipeline.crawl.fetch import Answer, stopped
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.plan import cause_of
from pipeline.crawl.visit import MAX_HOPS, Visitor
from pipeline.models import Cause
from pipeline.urls import canonical

# From the first byte asked to the last look. A page that has not come to rest by then is not taken for a whole one.
RENDER_S = 20.0
# A page is at rest where nothing it asked its own site for is under way and its content has not changed for so long.
STILL_S, LOOK_EVERY_S = 1.0, 0.25
MAX_ELEMENTS = 100_000
# Not needed to read a page, or never done.
_LEFT_OUT = {"image", "media", "font", "ping", "eventsource", "texttrack", "manifest", "cspviolationreport"}
_METHODS = {"GET", "HEAD", "POST"}
_CONTENT = {"document", "script", "xhr", "fetch"}
_LOOK = "[document.body?.textContent.length ?? 0, document.links.length, document.getElementsByTagName('*').length]"
# What stands in open shadow trees is on the page, and not in its outer HTML: it takes the place of its host's content.
_FLATTEN = """() => {
  const open = root => {
    for (const host of root.querySelectorAll('*')) {
      const shadow = host.shadowRoot;
      if (!shadow) continue;
      open(shadow);
      for (const slot of shadow.querySelectorAll('slot')) slot.replaceWith(...slot.assignedNodes());
      host.replaceChildren(...shadow.childNodes);
    }
  };
  open(document);
}"""


class Renderer:
    """Renders pages in one browser, which it starts when first needed. max_bytes: of a rendered page, UTF-8."""

    def __init__(self, visitor: Visitor, *, chromium: str, agent: str, max_bytes: int) -> None:
        self._visitor = visitor
        self._max_bytes = max_bytes
        self._browser = Browser(visitor.guard, chromium=chromium, agent=agent)

    async def close(self) -> None:
        await self._browser.close()

    async def render(self, url: str, *, enter: Callable[[str], None], own: Callable[[str], bool]) -> Answer:
        """What a browser makes of a canonical URL that robots.txt allows, as an answer of status 200 in UTF-8.

        enter: called with each address that the page's script or server leads on to, raises to stop there; own: whether
        an address is on the site itself. Raises UnfetchedError: SCRIPT where the page crashes, never rests, grows
        beyond all measure or cannot load a part of its own, else as a visit does; and what `enter` raises.
        """
        try:
            async with self._browser.tab() as page:
                await self._visitor.wait_turn(url)
                clock = asyncio.timeout(RENDER_S + 1)
                view = _View(page, url, self._visitor, enter, own, clock)
                try:
                    async with clock:
                        return await self._seen(view)
                except (Error, TimeoutError) as error:
                    raise view.stopped or _failed(_said(error)) from error
        except BrowserError as error:
            raise _failed(str(error)) from error

    async def _seen(self, view: _View) -> Answer:
        await view.open()
        await view.rest()
        html = await view.content()
        if self._browser.spent:
            raise _failed("it moved more bytes than a page view may")
        body = html.encode("utf-8", "replace")
        if len(body) > self._max_bytes:
            raise _failed(f"it grew to more than {self._max_bytes} bytes")
        headers = (("Content-Type", "text/html; charset=utf-8"),)
        return Answer(view.address(), 200, headers, body, datetime.now(UTC))


class _View:
    """One page view, from the first request on. stopped: why it must not go on."""

    def __init__(
        self,
        page: Page,
        url: str,
        visitor: Visitor,
        enter: Callable[[str], None],
        own: Callable[[str], bool],
        clock: asyncio.Timeout,
    ) -> None:
        self._page, self._url, self._visitor, self._enter, self._own = page, url, visitor, enter, own
        self._clock = clock
        self._until = time.monotonic() + RENDER_S
        self._permitted = {url}
        self._hops = 0
        self._pending: set[Request] = set()
        self.stopped: Exception | None = None

    async def open(self) -> None:
        page = self._page
        await page.context.route("**/*", lambda route: route.abort())  # of other tabs, which a page may try to open
        await page.route("**/*", self._route)
        page.on("request", self._begun)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._broken)
        page.on("response", self._answered)
        page.on("crash", lambda _: self._stop(_failed("it crashed")))
        try:
            await page.goto(self._url, wait_until="commit", timeout=self._left_s() * 1000)
        except Error:
            # A script that leads on at once ends the first navigation; the view goes on with the next.
            if self._hops == 0 or self.stopped:
                raise

    def address(self) -> str:
        """Where the page says it is now. Raises UnfetchedError where that is no address of the web."""
        url = canonical(self._page.url)
        if url is None:
            raise self.stopped or _failed(f"it ended at {self._page.url[:100]}")
        return url

    async def rest(self) -> None:
        """Waits until the page is at rest. Raises what stopped it, or UnfetchedError where it never rests."""
        before, still_s = None, 0.0
        while still_s < STILL_S:
            if self._left_s() <= 0:
                if self._pending:
                    raise _failed(f"it was still loading after {RENDER_S:g} s")
                return  # a clock or a carousel: it changes for ever, and all that it asked for is there
            await asyncio.sleep(LOOK_EVERY_S)
            now = await self._look()
            still_s = still_s + LOOK_EVERY_S if now == before and now and not self._pending else 0.0
            before = now

    async def content(self) -> str:
        self._check()
        await self._page.evaluate(_FLATTEN)
        html = await self._page.content()
        self._check()
        return html

    async def _look(self) -> list[int] | None:
        self._check()
        try:
            seen: list[int] = await self._page.evaluate(_LOOK)
        except Error:
            return None  # between two documents; a crash says so itself
        if seen[2] > MAX_ELEMENTS:
            raise _failed(f"it grew to more than {MAX_ELEMENTS} elements")
        return seen

    def _check(self) -> None:
        if self.stopped:
            raise self.stopped

    def _left_s(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def _stop(self, error: Exception) -> None:
        self.stopped = self.stopped or error

    # --- what the page asks for ---

    async def _route(self, route: Route) -> None:
        request = route.request
        try:
            if self._leads_on(request):
                await self._permit(request)
            elif not self._may_load(request):
                await route.abort()
                return
            await route.continue_()
        except Error:
            pass  # the tab is closed already
        except Exception as error:  # whatever `enter` raises belongs to the caller of `render`
            self._stop(error)
            await route.abort()

    def _leads_on(self, request: Request) -> bool:
        return request.is_navigation_request() and request.frame == self._page.main_frame

    async def _permit(self, request: Request) -> None:
        """Raises where the page may not lead there. The first navigation is ours."""
        url = canonical(request.url)
        if self._hops == 0:
            self._hops = 1
            self._permitted.add(url or self._url)
            return
        self._hops += 1
        if url is None or request.method != "GET":
            raise UnfetchedError(Cause.REDIRECT, f"its script leads to {request.url[:100]}, which may not be asked")
        if self._hops > MAX_HOPS:
            raise UnfetchedError(Cause.REDIRECT, f"its script leads on and on, to {url}")
        if url not in self._permitted:
            self._enter(url)
            await self._visitor.permit(url)
            self._permitted.add(url)
        await self._wait_turn(request, url)

    async def _wait_turn(self, request: Request, url: str) -> None:
        """Waits until the page may lead on; that is no time of its own, nor is it at rest meanwhile."""
        left_s, self._until = self._left_s(), math.inf
        self._pending.add(request)
        try:
            async with stopped(self._clock):
                await self._visitor.wait_turn(url)
        finally:
            self._until = time.monotonic() + left_s
            if not self._is_part(request):
                self._pending.discard(request)

    def _may_load(self, request: Request) -> bool:
        if request.resource_type in _LEFT_OUT or request.method not in _METHODS:
            return False
        url = canonical(request.url)
        if url is None or not self._visitor.forbids(url):
            return True
        if self._own(url) and request.resource_type in _CONTENT:
            self._stop(UnfetchedError(Cause.ROBOTS, f"it is made of {url}, which robots.txt forbids"))
        return False

    def _is_part(self, request: Request) -> bool:
        """Whether the page's content may hang on it: its site's own documents, scripts and answers to them."""
        return request.resource_type in _CONTENT and self._own(canonical(request.url) or "")

    def _begun(self, request: Request) -> None:
        if self._is_part(request):
            self._pending.add(request)

    def _ended(self, request: Request) -> None:
        self._pending.discard(request)

    def _broken(self, request: Request) -> None:
        self._pending.discard(request)
        # A page ends its own requests when it leads on or starts another search.
        aborted = "ERR_ABORTED" in (request.failure or "")
        if not aborted and (self._is_part(request) or self._leads_on(request)):
            self._stop(_failed(f"a part of it could not be loaded: {request.url[:200]} ({request.failure})"))

    def _answered(self, response: Response) -> None:
        request, status = response.request, response.status
        if 300 <= status < 400:
            return
        if self._leads_on(request):
            self._arrived(response)
        elif status >= 500 and self._is_part(request):
            self._stop(_failed(f"a part of it could not be loaded: {request.url[:200]} answered {status}"))

    def _arrived(self, response: Response) -> None:
        """A document is there, perhaps after redirects that only the server knows of."""
        url = canonical(response.url)
        media = response.headers.get("content-type", "")
        if response.status >= 400:
            self._stop(UnfetchedError(cause_of(response.status), f"in a browser: status {response.status}"))
        elif "html" not in media:
            self._stop(UnfetchedError(Cause.MEDIA, f"in a browser: {media[:60]}"))
        elif url is None:
            self._stop(UnfetchedError(Cause.REDIRECT, f"in a browser: redirected to {response.url[:100]}"))
        elif url not in self._permitted:
            self._redirected(url)

    def _redirected(self, url: str) -> None:
        try:
            self._enter(url)
        except Exception as error:
            self._stop(error)
        if self._visitor.forbids(url):
            self._stop(UnfetchedError(Cause.ROBOTS, f"in a browser: redirected to {url}, which robots.txt forbids"))


def _failed(why: str) -> UnfetchedError:
    return UnfetchedError(Cause.SCRIPT, f"rendered in a browser: {why}")


def _said(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or f"no end after {RENDER_S:g} s"
