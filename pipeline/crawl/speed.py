"""How fast a page is displayed: Largest Contentful Paint of several cold loads in a real browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import CDPSession, Error, Page, Request, Response

from pipeline.crawl.browser import VIEWPORT, Browser, BrowserError
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.pace import Web
from pipeline.crawl.plan import Plan
from pipeline.crawl.scope import is_likely_home
from pipeline.crawl.visit import Visitor
from pipeline.models import Load, Speed
from pipeline.urls import canonical

LOADS = 5
# Of one load, from the first byte asked to the reading; the load event must come before.
LOAD_S = 20.0
# A page is quiet where no request is under way and no larger element has been painted for so long.
QUIET_S, LOOK_EVERY_S = 2.0, 0.25
CONDITIONS = (
    f"画面{VIEWPORT[0]}×{VIEWPORT[1]}、通信・CPUの制限なし、"
    "毎回新しいプロファイル(キャッシュ・Cookie・Service Workerなし、接続は毎回新規、名前解決は初回のみ)、"
    f"load イベントの後、通信と描画が{QUIET_S:g}秒静まるまで待って読取(1回{LOAD_S:g}秒まで)、調査用プロキシー経由"
)
# Read in a world of its own, whose built-in objects the page's scripts cannot put theirs in the place of.
_READ = """new Promise(done => {
  const observer = new PerformanceObserver(list => {
    const last = list.getEntries().at(-1), element = last.element;
    done({ms: last.startTime, resource: last.url, element: element ? element.tagName.toLowerCase() : ''});
  });
  observer.observe({type: 'largest-contentful-paint', buffered: true});
  setTimeout(() => done(null), 500);
})"""


async def measure(plan: Plan, *, progress: Callable[[int, int, str], None], web: Web | None = None) -> Speed:
    """Loads the home page five times, each a page view a delay after the last, with nothing kept between two.

    Robots.txt and the guard hold as for the crawl. A load that fails says why; where none may or can be made, `refused`
    does. progress: loads done, loads in all, the address.
    """
    home = canonical(plan.home_url)
    if home is None:
        return Speed(url=plan.home_url, refused="no http or https address that may be asked")
    visitor = Visitor(plan, web=web)
    browser = Browser(visitor.guard, chromium=plan.chromium, agent=plan.user_agent)
    try:
        await visitor.permit(home)
        loads: list[Load] = []
        for number in range(LOADS):
            progress(number, LOADS, home)
            loads.append(await _load(browser, home, visitor))
        progress(LOADS, LOADS, home)
        return Speed(
            url=home,
            loads=tuple(loads),
            browser=browser.version,
            agent=browser.user_agent,
            conditions=CONDITIONS,
        )
    except UnfetchedError as error:
        return Speed(url=home, refused=error.detail)
    except BrowserError as error:
        return Speed(url=home, refused=str(error))
    finally:
        await browser.close()
        await visitor.close()


async def _load(browser: Browser, url: str, visitor: Visitor) -> Load:
    async with browser.tab() as page:
        await visitor.wait_turn(url)
        started = datetime.now(UTC)
        try:
            async with asyncio.timeout(LOAD_S):
                answer, quiet, read = await _painted(page, url)
        except TimeoutError:
            return Load(started=started, why=f"no load event within {LOAD_S:g} s")
        except Error as error:
            return Load(started=started, why=str(error).strip().partition("\n")[0][:200])
        spent = browser.spent
    load = Load(started=started, url=page.url, status=answer.status if answer else None, quiet=quiet)
    why = "it moved more bytes than a page view may" if spent else _flaw(load, url, visitor)
    if why or not read or read["ms"] <= 0:
        return load.model_copy(update={"why": why or "nothing was painted that counts"})
    return load.model_copy(
        update={"lcp_ms": round(read["ms"], 1), "element": read["element"], "resource": read["resource"][:500]}
    )


def _flaw(load: Load, asked: str, visitor: Visitor) -> str:
    """Why what was painted is not the home page, or an empty string."""
    url = canonical(load.url)
    if load.status is None or load.status >= 400:
        return f"status {load.status}"
    if url is None or not is_likely_home(url, asked):
        return f"it led off the site, to {load.url[:100]}"
    return "robots.txt forbids where it led" if visitor.forbids(url) else ""


async def _painted(page: Page, url: str) -> tuple[Response | None, bool, dict[str, Any] | None]:
    """The answer, whether the page came to rest, and its largest paint. Raises TimeoutError before the load event."""
    pending: set[Request] = set()
    page.on("request", lambda request: pending.add(request))
    page.on("requestfinished", lambda request: pending.discard(request))
    page.on("requestfailed", lambda request: pending.discard(request))
    began = time.monotonic()
    answer = await page.goto(url, wait_until="load", timeout=LOAD_S * 1000)
    session = await page.context.new_cdp_session(page)
    read, still_s = await _largest(session), 0.0
    # Leaves time for the last reading before the caller's clock runs out.
    while still_s < QUIET_S and time.monotonic() - began < LOAD_S - 2:
        await asyncio.sleep(LOOK_EVERY_S)
        now = await _largest(session)
        still_s = still_s + LOOK_EVERY_S if now == read and not pending else 0.0
        read = now
    return answer, still_s >= QUIET_S, read


async def _largest(session: CDPSession) -> dict[str, Any] | None:
    tree = await session.send("Page.getFrameTree")
    world = await session.send(
        "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "akashi"}
    )
    answer = await session.send(
        "Runtime.evaluate",
        {
            "expression": _READ,
            "contextId": world["executionContextId"],
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    found: dict[str, Any] | None = answer["result"].get("value")
    return found
