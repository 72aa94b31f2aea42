"""What a survey sees: pages crawled or imported, the home page as a browser shows it, posts of official accounts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pipeline import crawl as crawling
from pipeline.archive import Archive, Imported, import_site, import_warc
from pipeline.crawl import Plan, Progress, Web, cause_of, crawl, display_speed
from pipeline.models import (
    Cause,
    Coverage,
    CriteriaSet,
    Municipality,
    Record,
    Run,
    SettledBy,
    Snapshot,
    SocialAccount,
    Speed,
    Unread,
)
from pipeline.reading import Watch, accounts_asked, speed_of
from pipeline.settings import Settings
from pipeline.urls import canonical
from pipeline.workspace import Workspace

# Addresses of a folder whose municipality has no known home page: .invalid never resolves (RFC 2606).
NOWHERE = "http://site.invalid/"


@dataclass(frozen=True)
class Order:
    """What the user asked for. origin: `crawl`, `site:FOLDER` or `warc:FILE`; sources: extra addresses (press); render:
    whether pages that only a script fills are opened in a browser; speed: whether one measures the home page."""

    municipality: Municipality
    criteria: CriteriaSet
    as_of: date
    origin: str = "crawl"
    sources: tuple[str, ...] = ()
    max_pages: int = 400
    delay_s: float = 1.0
    allow_private: bool = False
    fresh: bool = False
    render: bool = False
    speed: bool = False


async def gather(
    order: Order,
    run: Run,
    archive: Archive,
    earlier: Sequence[str],
    settings: Settings,
    watch: Watch,
    web: Web | None = None,
) -> Coverage:
    """Archive what there is to see; returns what was seen and what was not."""
    if order.origin == "crawl":
        return await _crawl(order, run, archive, earlier, settings, watch, web)
    imported = _import(order, run, archive)
    answers = [one for one in imported if one.record is not Record.RESOURCE and one.source.quotable]
    failed = tuple(_failed(answer) for answer in answers if _is_failure(answer) and not _is_plumbing(answer))
    added = (await _crawl(order, run, archive, earlier, settings, watch, web)).unread if order.sources else ()
    lost = {one.url for one in (*failed, *imported.unread)} - {one.final_url for one in answers if one.is_page}
    return Coverage(
        home_read=order.municipality.home_url not in lost,
        found=len(answers) + len(imported.unread),
        fetched=len(answers),
        read=len(answers) - len(failed),
        unread=(*imported.unread, *failed, *added),
        started=run.started,
        finished=datetime.now(UTC),
    )


def _import(order: Order, run: Run, archive: Archive) -> Imported:
    kind, _, path = order.origin.partition(":")
    code, home = order.municipality.code, order.municipality.home_url
    if kind == "site":
        return import_site(archive, Path(path), code=code, run_id=run.id, base_url=home or NOWHERE, now=run.started)
    return import_warc(archive, Path(path), code=code, run_id=run.id, home_url=home or "")


def _failed(answer: Snapshot) -> Unread:
    """A page that was down when the WARC was made was not seen, whoever made it."""
    cause, detail = cause_of(answer.status), f"status {answer.status}"
    return Unread(url=answer.final_url, cause=cause, detail=detail, sha256=answer.sha256, source=answer.source)


def _is_failure(answer: Snapshot) -> bool:
    """Errors, and a bare 304, which says that there is a page and not what it holds."""
    return answer.status >= 400 or (answer.status == 304 and not answer.is_page)


def _is_plumbing(answer: Snapshot) -> bool:
    return urlsplit(answer.url).path in ("/robots.txt", "/sitemap.xml", "/favicon.ico")


async def _crawl(
    order: Order,
    run: Run,
    archive: Archive,
    earlier: Sequence[str],
    settings: Settings,
    watch: Watch,
    web: Web | None = None,
) -> Coverage:
    def progress(now: Progress) -> None:
        watch("crawl", now.fetched, now.budget, now.current)

    return await crawl(
        _plan(order, settings),
        archive=archive,
        code=order.municipality.code,
        run_id=run.id,
        frontier_path=Workspace(settings.home).frontier(run),
        progress=progress,
        earlier=earlier,
        web=web,
    )


def _plan(order: Order, settings: Settings) -> Plan:
    home = (order.municipality.home_url or "") if order.origin == "crawl" else ""
    # What a measurement settles needs no pages of its own: lists and feeds are asked for as such.
    asked = [one for one in order.criteria.criteria if one.settled_by is not SettledBy.MEASURED]
    return Plan(
        home_url=home,
        extra=order.sources,
        terms=tuple((one.id, one.search_terms) for one in asked),
        leads=tuple((one.id, one.leads) for one in asked),
        year=order.as_of.year,
        max_pages=order.max_pages,
        delay_s=order.delay_s,
        deadline_s=settings.deadline_s,
        max_bytes=settings.max_bytes,
        user_agent=settings.user_agent,
        allow_private=_typed_hosts(home, *order.sources) if order.allow_private else (),
        place=order.municipality if home else None,
        render=order.render,
        chromium=settings.chromium,
    )


async def measure(
    order: Order,
    run: Run,
    gathered: Coverage,
    archive: Archive,
    settings: Settings,
    watch: Watch,
    web: Web | None = None,
) -> None:
    """Archives how fast the home page is displayed, or why that could not be measured. What is measured stays so."""
    wanted = any(criterion.probe == "page_speed" for criterion in order.criteria.criteria)
    if not (order.speed and wanted and order.origin == "crawl"):
        return
    known = speed_of(archive, run)
    if known is not None and known.loads:
        return
    plan = _plan(order, settings)
    home = canonical(plan.home_url)
    failed = next((one for one in gathered.unread if one.url == home and one.cause is not Cause.SCRIPT), None)
    if failed is not None:
        speed = Speed(url=plan.home_url, refused=f"the home page could not be read ({failed.cause}: {failed.detail})")
    else:
        async with web.measuring if web and web.measuring else nullcontext():
            speed = await display_speed(plan, progress=partial(watch, "measure"), web=web)
    archive.write(
        code=order.municipality.code,
        run_id=run.id,
        url=plan.home_url,
        final_url=next((load.url for load in speed.loads if load.lcp_ms is not None), plan.home_url),
        fetched_at=datetime.now(UTC),
        status=200,
        headers=(("Content-Type", "application/json"),),
        body=speed.model_dump_json(exclude={"sha256"}, indent=1).encode(),
        record=Record.RESOURCE,
    )


async def follow(
    order: Order,
    run: Run,
    accounts: Sequence[SocialAccount],
    archive: Archive,
    settings: Settings,
    watch: Watch,
    web: Web | None = None,
) -> None:
    """Asks official accounts for their posts and archives what they tell.

    A survey that may open private addresses tells nobody else about them: of its accounts only those on hosts that the
    user typed are asked.
    """
    plan = replace(_plan(order, settings), allow_private=_typed_hosts(*order.sources) if order.allow_private else ())
    if order.allow_private:
        accounts = [one for one in accounts if urlsplit(one.url).netloc in plan.allow_private]
    done = {one.url for one in accounts_asked(archive, run)}
    if order.origin == "crawl" and any(one.url not in done for one in accounts):
        tell, code = partial(watch, "accounts"), order.municipality.code
        await crawling.follow(
            accounts, plan, archive=archive, code=code, run_id=run.id, done=done, progress=tell, web=web
        )


def _typed_hosts(*urls: str) -> tuple[str, ...]:
    """`host:port` of the addresses the user typed: nothing else private is opened."""
    return tuple(urlsplit(url).netloc for url in urls if url)
