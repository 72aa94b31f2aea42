"""The walk of one city, the only module that knows its order: gather -> read -> retrieve -> judge -> queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.archive import Archive, import_site, import_warc
from pipeline.crawl import Plan, Progress, crawl
from pipeline.judge import probes
from pipeline.judge.conclude import conclude
from pipeline.judge.rules import RulesJudge
from pipeline.models import (
    Coverage,
    CriteriaSet,
    Criterion,
    Judgement,
    Municipality,
    Proposal,
    Run,
    RunState,
    SettledBy,
)
from pipeline.reading import Read, read
from pipeline.retrieve import Index
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import Workspace

PASSAGES_PER_CRITERION = 20
# Addresses of a folder whose municipality has no known home page: .invalid never resolves (RFC 2606).
NOWHERE = "http://site.invalid/"

# stage (crawl, extract, judge), done, total, a word on what is under way
Watch = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Order:
    """What the user asked for. origin: `crawl`, `site:FOLDER` or `warc:FILE`; sources: extra addresses (press)."""

    municipality: Municipality
    criteria: CriteriaSet
    as_of: date
    origin: str = "crawl"
    sources: tuple[str, ...] = ()
    max_pages: int = 400
    delay_s: float = 1.0
    allow_private: bool = False
    fresh: bool = False


def survey(order: Order, *, settings: Settings, watch: Watch) -> Run:
    """Walk the city once and leave its judgements in the queue; returns the finished run.

    An unfinished run of the same order is continued. Raises InputError for input that cannot be used, ArchiveError and
    StoreError where the workspace cannot be written; KeyboardInterrupt leaves everything resumable.
    """
    workspace = Workspace(settings.home)
    with Store(settings.database_url) as store, Archive(workspace.archive) as archive:
        run = _unfinished(order, store) or _begin(order)
        workspace.keep(order.criteria)
        store.save_run(run)
        gathered = _gather(order, run, archive, settings, watch)
        seen = read(archive, run, gathered, watch)
        run = run.model_copy(update={"state": RunState.JUDGING, "coverage": seen.coverage})
        store.save_run(run)
        store.save_judgements(run, list(_judge(order, seen, watch)))
        run = run.model_copy(update={"state": RunState.DONE, "finished": datetime.now(UTC)})
        store.save_run(run)
    workspace.frontier(run).unlink(missing_ok=True)
    return run


def _begin(order: Order) -> Run:
    now = datetime.now(UTC)
    return Run(
        id=f"{now:%Y%m%dT%H%M%S%fZ}-{order.municipality.code}",
        municipality=order.municipality,
        criteria_id=order.criteria.id,
        criteria_sha256=order.criteria.sha256,
        as_of=order.as_of,
        judge=RulesJudge.name,
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


def _gather(order: Order, run: Run, archive: Archive, settings: Settings, watch: Watch) -> Coverage:
    """Archive what there is to see; returns what was seen and what was not."""
    kind, _, path = order.origin.partition(":")
    code, home = order.municipality.code, order.municipality.home_url
    if kind == "crawl":
        return _crawl(order, run, archive, settings, watch)
    if kind == "site":
        imported = import_site(archive, Path(path), code=code, run_id=run.id, base_url=home or NOWHERE, now=run.started)
    else:
        imported = import_warc(archive, Path(path), code=code, run_id=run.id, home_url=home or "")
    unread = imported.unread
    if order.sources:
        unread += _crawl(order, run, archive, settings, watch).unread
    answers = len(imported)
    return Coverage(
        home_read=True,
        found=answers + len(imported.unread),
        fetched=answers,
        read=answers,
        unread=unread,
        started=run.started,
        finished=datetime.now(UTC),
    )


def _crawl(order: Order, run: Run, archive: Archive, settings: Settings, watch: Watch) -> Coverage:
    home = (order.municipality.home_url or "") if order.origin == "crawl" else ""
    plan = Plan(
        home_url=home,
        extra=order.sources,
        terms=tuple((criterion.id, criterion.search_terms) for criterion in order.criteria.criteria),
        max_pages=order.max_pages,
        delay_s=order.delay_s,
        deadline_s=settings.deadline_s,
        max_bytes=settings.max_bytes,
        user_agent=settings.user_agent,
        allow_private=_typed_hosts(home, *order.sources) if order.allow_private else (),
    )

    def progress(now: Progress) -> None:
        watch("crawl", now.fetched, now.budget, now.current)

    frontier = Workspace(settings.home).frontier(run)
    code = order.municipality.code
    return asyncio.run(
        crawl(plan, archive=archive, code=code, run_id=run.id, frontier_path=frontier, progress=progress)
    )


def _typed_hosts(*urls: str) -> tuple[str, ...]:
    """`host:port` of the addresses the user typed: nothing else private is opened."""
    return tuple(urlsplit(url).netloc for url in urls if url)


def _judge(order: Order, seen: Read, watch: Watch) -> Iterator[Judgement]:
    index = Index(tuple(seen.pages.values()))
    judge = RulesJudge(order.municipality, order.as_of)
    criteria = order.criteria.criteria
    for done, criterion in enumerate(criteria, start=1):
        proposal = _propose(criterion, judge, index, seen, order)
        yield conclude(
            proposal,
            criterion=criterion,
            pages=seen.pages,
            coverage=seen.coverage,
            criteria_sha256=order.criteria.sha256,
            judged_at=datetime.now(UTC),
        )
        watch("judge", done, len(criteria), criterion.id)


def _propose(criterion: Criterion, judge: RulesJudge, index: Index, seen: Read, order: Order) -> Proposal:
    if criterion.settled_by is SettledBy.MEASURED:
        if criterion.probe == "update_frequency":
            return probes.update_frequency(criterion, seen.lists, order.as_of)
        return probes.not_measured(criterion)
    passages = index.passages(criterion, limit=PASSAGES_PER_CRITERION)
    return judge.judge(criterion, seen.pages, passages)
