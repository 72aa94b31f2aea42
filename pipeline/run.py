"""The walk of one city, the only module that knows its order: gather -> read -> retrieve -> judge -> queue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.archive import Archive, Imported, import_site, import_warc
from pipeline.cache import Answers, Pages
from pipeline.crawl import Plan, Progress, cause_of, crawl, lacking, measure
from pipeline.errors import InputError
from pipeline.judge.ask import Asked
from pipeline.judge.budget import Estimate
from pipeline.judging import Matter, judge, reckon
from pipeline.models import (
    Cause,
    Coverage,
    CriteriaSet,
    Municipality,
    Record,
    Run,
    RunState,
    Snapshot,
    Speed,
    Unread,
)
from pipeline.panel import Panel
from pipeline.reading import Read, Watch, pages_of, read, speed_of
from pipeline.review.changes import changes, reopened
from pipeline.settings import Settings
from pipeline.store.log import standing
from pipeline.store.store import Store
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


@dataclass(frozen=True)
class Outcome:
    """The run as it stands; asked: what asking each model took; estimates: of a dry run, by model, nothing sent;
    reopened: how many confirmations were sent back because their page has changed."""

    run: Run
    asked: Mapping[str, Asked] = field(default_factory=dict)
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    reopened: int = 0


def survey(order: Order, *, settings: Settings, panel: Panel, watch: Watch, dry_run: bool = False) -> Outcome:
    """Walk the city once and leave its judgements in the queue.

    An unfinished run of the same order is continued. Raises InputError for input that cannot be used, ArchiveError and
    StoreError where the workspace cannot be written, ModelError where no call to a model can work; KeyboardInterrupt
    leaves everything resumable.
    """
    with Store(settings.database_url) as store:
        run, seen = _observe(order, store, settings, watch)
        outcome = _settle(run, seen, order.criteria, store, settings, panel, watch, dry_run)
    if outcome.run.state is RunState.DONE:
        Workspace(settings.home).frontier(run).unlink(missing_ok=True)
    return outcome


def observe(order: Order, *, settings: Settings, watch: Watch) -> Matter:
    """Walk the city as survey does and stop before the judge: what there is to judge. Raises what survey raises."""
    with Store(settings.database_url) as store:
        run, seen = _observe(order, store, settings, watch)
    return Matter(run.municipality, order.criteria, run.as_of, seen)


def rejudge(
    run: Run, criteria: CriteriaSet, *, settings: Settings, panel: Panel, watch: Watch, dry_run: bool = False
) -> Outcome:
    """Judge what a run has archived once more: other criteria, prompts, judges or budget, and no crawl."""
    if criteria.id != run.criteria_id:
        raise InputError(
            f"{run.municipality.name}: run {run.id} was about {run.criteria_id}; survey the city for another."
        )
    with Store(settings.database_url) as store:
        seen = seen_by(run, settings, watch)
        return _settle(run, seen, criteria, store, settings, panel, watch, dry_run)


def seen_by(run: Run, settings: Settings, watch: Watch) -> Read:
    """The pages that a run has archived, with the coverage that was recorded then. Raises InputError if it has none."""
    if run.coverage is None:
        raise InputError(
            f"{run.municipality.name}: run {run.id} has not finished its crawl. Run `classify --city` first."
        )
    with Archive(Workspace(settings.home).archive) as archive, Pages(settings.cache / "pages") as kept:
        return replace(read(archive, run, run.coverage, watch, kept), coverage=run.coverage)


def matter_of(run: Run, settings: Settings, watch: Watch) -> Matter:
    """What a run has to judge, by the criteria that it was last judged by."""
    criteria = Workspace(settings.home).criteria(run.criteria_sha256)
    return Matter(run.municipality, criteria, run.as_of, seen_by(run, settings, watch))


def _observe(order: Order, store: Store, settings: Settings, watch: Watch) -> tuple[Run, Read]:
    if order.render and (missing := lacking(settings.chromium)):
        raise InputError(f"--render auto needs a browser: {missing}.")
    workspace = Workspace(settings.home)
    with Archive(workspace.archive) as archive:
        run = _unfinished(order, store) or _begin(order)
        workspace.keep(order.criteria)
        store.save_run(run)
        gathered = _gather(order, run, archive, _earlier(order, run, store), settings, watch)
        _measure(order, run, gathered, archive, settings, watch)
        with Pages(settings.cache / "pages") as kept:
            seen = read(archive, run, gathered, watch, kept)
    return run.model_copy(update={"state": RunState.JUDGING, "coverage": seen.coverage}), seen


def _settle(
    run: Run,
    seen: Read,
    criteria: CriteriaSet,
    store: Store,
    settings: Settings,
    panel: Panel,
    watch: Watch,
    dry_run: bool,
) -> Outcome:
    """Judge what was seen and save it; a dry run only reckons what that would take."""
    matter = Matter(run.municipality, criteria, run.as_of, seen)
    Workspace(settings.home).keep(criteria)
    for question in panel.questions.values():
        Workspace(settings.home).keep(question.prompts)
    store.save_run(run)
    with Answers(settings.cache / "answers") as answers:
        if dry_run:
            return Outcome(run, estimates=reckon(matter, panel, answers))
        judged = judge(matter, panel, answers, watch)
    marks = {"criteria_id": criteria.id, "criteria_sha256": criteria.sha256, "judge": ",".join(panel.judges)}
    run = run.model_copy(update=marks)
    store.save_judgements(run, judged.judgements)
    reopened = _reopen(run, seen, store, settings)
    run = run.model_copy(update={"state": RunState.DONE, "finished": datetime.now(UTC)})
    store.save_run(run)
    return Outcome(run, asked=judged.asked, reopened=reopened)


def _reopen(run: Run, seen: Read, store: Store, settings: Settings) -> int:
    """Sends confirmations back whose cited page is not what a person saw; returns how many. The others carry over."""
    now = {page.url: page for page in seen.pages.values()}
    count = 0
    with Archive(Workspace(settings.home).archive) as archive:
        for item in store.items(run.id):
            held = standing(item.decisions)
            quotes = [quote for quote in held.quotes if quote.page_sha256 not in seen.pages] if held else []
            then = pages_of({quote.page_sha256 for quote in quotes}, archive)
            if line := reopened(item, changes(quotes, then, now), now=datetime.now(UTC)):
                store.record(line, version=item.version)
                count += 1
    return count


def _begin(order: Order) -> Run:
    now = datetime.now(UTC)
    return Run(
        id=f"{now:%Y%m%dT%H%M%S%fZ}-{order.municipality.code}",
        municipality=order.municipality,
        criteria_id=order.criteria.id,
        criteria_sha256=order.criteria.sha256,
        as_of=order.as_of,
        judge="",
        origin=order.origin,
        sources=order.sources,
        state=RunState.CRAWLING,
        started=now,
    )


def _unfinished(order: Order, store: Store) -> Run | None:
    """The unfinished run of the same order, brought to today's criteria, or None."""
    last = store.latest_run(order.municipality.code)
    if last is None or last.state is RunState.DONE or order.fresh:
        return None
    begun = _begin(order)
    same = {"municipality", "criteria_id", "origin", "sources", "as_of"}
    if last.model_dump(include=same) != begun.model_dump(include=same):
        return None
    return last.model_copy(update={"criteria_sha256": order.criteria.sha256})


def _earlier(order: Order, run: Run, store: Store) -> tuple[str, ...]:
    """Runs whose pages need not be sent again. Not those of a WARC or folder: only what a site itself sent may stand
    for what it sends today."""
    if order.fresh:
        return ()
    runs = store.runs(run.municipality.code)
    return tuple(one.id for one in runs if one.origin == "crawl" and one.id != run.id)


def _gather(
    order: Order, run: Run, archive: Archive, earlier: Sequence[str], settings: Settings, watch: Watch
) -> Coverage:
    """Archive what there is to see; returns what was seen and what was not."""
    if order.origin == "crawl":
        return _crawl(order, run, archive, earlier, settings, watch)
    imported = _import(order, run, archive)
    failed = tuple(_failed(answer) for answer in imported if _is_failure(answer) and not _is_plumbing(answer))
    added = _crawl(order, run, archive, earlier, settings, watch).unread if order.sources else ()
    lost = {one.url for one in (*failed, *imported.unread)} - {one.final_url for one in imported if one.is_page}
    return Coverage(
        home_read=order.municipality.home_url not in lost,
        found=len(imported) + len(imported.unread),
        fetched=len(imported),
        read=len(imported) - len(failed),
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


def _crawl(
    order: Order, run: Run, archive: Archive, earlier: Sequence[str], settings: Settings, watch: Watch
) -> Coverage:
    plan = _plan(order, settings)

    def progress(now: Progress) -> None:
        watch("crawl", now.fetched, now.budget, now.current)

    frontier = Workspace(settings.home).frontier(run)
    code = order.municipality.code
    return asyncio.run(
        crawl(
            plan,
            archive=archive,
            code=code,
            run_id=run.id,
            frontier_path=frontier,
            progress=progress,
            earlier=earlier,
        )
    )


def _plan(order: Order, settings: Settings) -> Plan:
    home = (order.municipality.home_url or "") if order.origin == "crawl" else ""
    return Plan(
        home_url=home,
        extra=order.sources,
        terms=tuple((criterion.id, criterion.search_terms) for criterion in order.criteria.criteria),
        max_pages=order.max_pages,
        delay_s=order.delay_s,
        deadline_s=settings.deadline_s,
        max_bytes=settings.max_bytes,
        user_agent=settings.user_agent,
        allow_private=_typed_hosts(home, *order.sources) if order.allow_private else (),
        render=order.render,
        chromium=settings.chromium,
    )


def _measure(order: Order, run: Run, gathered: Coverage, archive: Archive, settings: Settings, watch: Watch) -> None:
    """Archives how fast the home page is displayed, or why that could not be measured. What is measured stays so."""
    wanted = any(criterion.probe == "page_speed" for criterion in order.criteria.criteria)
    if not (order.speed and wanted and order.origin == "crawl"):
        return
    known = speed_of(archive, run.id)
    if known is not None and known.loads:
        return
    plan = _plan(order, settings)
    home = canonical(plan.home_url)
    failed = next((one for one in gathered.unread if one.url == home and one.cause is not Cause.SCRIPT), None)
    if failed is not None:
        speed = Speed(url=plan.home_url, refused=f"the home page could not be read ({failed.cause}: {failed.detail})")
    else:
        speed = asyncio.run(measure(plan, progress=partial(watch, "measure")))
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


def _typed_hosts(*urls: str) -> tuple[str, ...]:
    """`host:port` of the addresses the user typed: nothing else private is opened."""
    return tuple(urlsplit(url).netloc for url in urls if url)
