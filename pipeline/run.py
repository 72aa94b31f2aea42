"""The walk of one city, the only module that knows its order: gather, measure, read, follow, retrieve, judge, queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from pipeline.archive import Archive
from pipeline.cache import Answers, Pages
from pipeline.crawl import Web, lacking
from pipeline.errors import ArchiveError, InputError
from pipeline.gathering import Order, follow, gather, measure
from pipeline.judge.accounts import official
from pipeline.judge.actor import Names
from pipeline.judge.ask import Asked
from pipeline.judge.budget import Budget, Estimate
from pipeline.judging import Matter, judge, reckon
from pipeline.models import Coverage, CriteriaSet, Run, RunState, SocialAccount
from pipeline.panel import Panel
from pipeline.rate import Together
from pipeline.reading import Read, Watch, pages_of, read, unwatched, with_accounts
from pipeline.review.changes import changes, reopened
from pipeline.settings import Settings
from pipeline.store.log import standing
from pipeline.store.store import Store
from pipeline.workspace import Workspace, open_archive

__all__ = ["Order", "Outcome", "begin", "look", "matter_of", "observe", "rejudge", "seen_by", "survey"]

T = TypeVar("T")


class Cores(Protocol):
    """Calls a function of a module in another process and gives what it returns."""

    async def __call__(self, do: Callable[..., T], *given: object) -> T: ...


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
    run = _looked(order, settings, watch)
    outcome = rejudge(run, order.criteria, settings=settings, panel=panel, watch=watch, dry_run=dry_run)
    if outcome.run.state is RunState.DONE:
        Workspace(settings.home).frontier(run).unlink(missing_ok=True)
    return outcome


def observe(order: Order, *, settings: Settings, watch: Watch) -> Matter:
    """Walk the city as survey does and stop before the judge: what there is to judge. Raises what survey raises."""
    run = _looked(order, settings, watch)
    return Matter(run.municipality, order.criteria, run.as_of, seen_by(run, settings, watch))


def _looked(order: Order, settings: Settings, watch: Watch) -> Run:
    with Store(settings.database_url) as store:
        run = begin(order, store, settings)
        return asyncio.run(look(order, run, store, settings=settings, watch=watch))


def begin(order: Order, store: Store, settings: Settings, run_id: str = "") -> Run:
    """The run that an order continues, that of `run_id` if it can be, or a new one; saved. Raises InputError."""
    if order.render and (missing := lacking(settings.chromium)):
        raise InputError(f"--render auto needs a browser: {missing}.")
    begun = store.run(run_id) if run_id else None
    run = _continued(begun, order) if begun else _unfinished(order, store)
    run = run or _new(order)
    Workspace(settings.home).keep(order.criteria)
    store.save_run(run)
    return run


async def look(
    order: Order,
    run: Run,
    store: Store,
    *,
    settings: Settings,
    watch: Watch,
    cores: Cores | None = None,
    web: Web | None = None,
) -> Run:
    """The first half of the walk, up to the judge: all that is to be seen is archived. Returns the run as saved, with
    its coverage. cores: where pages are read meanwhile, threads and all cores of this machine where None; web: what the
    crawl shares with others, None for a pace of its own.
    """
    with open_archive(settings) as archive:
        gathered = await gather(order, run, archive, _earlier(order, run, store), settings, watch, web)
        await measure(order, run, gathered, archive, settings, watch, web)
        if cores is None:
            sight = await asyncio.to_thread(_sight, order, run, gathered, settings, watch)
        else:
            sight = await cores(_sight, order, run, gathered, settings)
        await follow(order, run, sight.accounts, archive, settings, watch, web)
    run = run.model_copy(update={"state": RunState.JUDGING, "coverage": sight.coverage})
    store.save_run(run)
    return run


@dataclass(frozen=True)
class _Sight:
    coverage: Coverage
    accounts: tuple[SocialAccount, ...]


def _sight(order: Order, run: Run, gathered: Coverage, settings: Settings, watch: Watch | None = None) -> _Sight:
    """What is told of the pages before a judge sees them. Without `watch` in this process alone."""
    with open_archive(settings) as archive, Pages(settings.cache / "pages") as kept:
        seen = read(archive, run, gathered, watch or unwatched, kept, processes=None if watch else 1)
    return _Sight(seen.coverage, _accounts(order, seen))


def rejudge(
    run: Run,
    criteria: CriteriaSet,
    *,
    settings: Settings,
    panel: Panel,
    watch: Watch,
    dry_run: bool = False,
    budget: Budget | None = None,
    processes: int | None = None,
) -> Outcome:
    """The second half of the walk: judge what a run has archived, be it once more: other criteria, prompts, judges or
    budget, and no crawl. budget: in the place of the panel's own; processes: to read pages in, all cores where None."""
    if criteria.id != run.criteria_id:
        raise InputError(
            f"{run.municipality.name}: run {run.id} was about {run.criteria_id}; survey the city for another."
        )
    with Store(settings.database_url) as store:
        seen = seen_by(run, settings, watch, processes=processes)
        panel = replace(panel, rate=panel.rate or Together(store, panel.endpoint, settings.model_rpm))
        return _settle(run, seen, criteria, store, settings, panel, watch, dry_run, budget)


def seen_by(run: Run, settings: Settings, watch: Watch, *, processes: int | None = None) -> Read:
    """The pages that a run has archived, with the coverage that was recorded then.

    Raises InputError if it has none, ArchiveError where pages that were read are not in the archive: what is lost must
    not read as absent.
    """
    if run.coverage is None:
        raise InputError(
            f"{run.municipality.name}: run {run.id} has not finished its crawl. Run `classify --city` first."
        )
    with open_archive(settings) as archive, Pages(settings.cache / "pages") as kept:
        if len(archive.snapshots(run.id)) < run.coverage.read:
            raise ArchiveError(
                f"{run.municipality.name}: the pages of run {run.id} are not all in {_place(archive)}. Judge it where "
                "it was crawled, or keep the archive where all machines reach it (CLASSIFY_ARCHIVE)."
            )
        seen = read(archive, run, run.coverage, watch, kept, processes=processes)
        seen = with_accounts(seen, archive, run)
    return replace(seen, coverage=run.coverage)


def _place(archive: Archive) -> str:
    return archive.place.storage or str(archive.place.folder)


def matter_of(run: Run, settings: Settings, watch: Watch) -> Matter:
    """What a run has to judge, by the criteria that it was last judged by."""
    criteria = Workspace(settings.home).criteria(run.criteria_sha256)
    return Matter(run.municipality, criteria, run.as_of, seen_by(run, settings, watch))


def _settle(
    run: Run,
    seen: Read,
    criteria: CriteriaSet,
    store: Store,
    settings: Settings,
    panel: Panel,
    watch: Watch,
    dry_run: bool,
    budget: Budget | None,
) -> Outcome:
    """Judge what was seen and save it; a dry run only reckons what that would take."""
    matter = Matter(run.municipality, criteria, run.as_of, seen)
    Workspace(settings.home).keep(criteria)
    for question in panel.questions.values():
        Workspace(settings.home).keep(question.prompts)
    with Answers(settings.cache / "answers") as answers:
        if dry_run:
            return Outcome(run, estimates=reckon(matter, panel, answers))
        judged = judge(matter, panel, answers, watch, budget)
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
    with open_archive(settings) as archive:
        for item in store.items(run.id):
            held = standing(item.decisions)
            quotes = [quote for quote in held.quotes if quote.page_sha256 not in seen.pages] if held else []
            then = pages_of({quote.page_sha256 for quote in quotes}, archive)
            if line := reopened(item, changes(quotes, then, now), now=datetime.now(UTC)):
                store.record(line, version=item.version)
                count += 1
    return count


def _new(order: Order) -> Run:
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
    last = store.latest_run(order.municipality.code, criteria_id=order.criteria.id)
    return None if last is None or order.fresh else _continued(last, order)


def _continued(begun: Run, order: Order) -> Run | None:
    """That run brought to today's criteria, if it is unfinished and of the same order."""
    same = {"municipality", "criteria_id", "origin", "sources", "as_of"}
    if begun.state is RunState.DONE or begun.model_dump(include=same) != _new(order).model_dump(include=same):
        return None
    return begun.model_copy(update={"criteria_sha256": order.criteria.sha256})


def _accounts(order: Order, seen: Read) -> tuple[SocialAccount, ...]:
    """The official accounts that the pages link to, where a criterion is about their posts."""
    criterion = next((one for one in order.criteria.criteria if one.probe == "post_frequency"), None)
    return official(criterion, seen.pages.values(), Names(order.municipality)) if criterion else ()


def _earlier(order: Order, run: Run, store: Store) -> tuple[str, ...]:
    """Runs whose pages need not be sent again. Not those of a WARC or folder: only what a site itself sent may stand
    for what it sends today."""
    if order.fresh:
        return ()
    runs = store.runs(run.municipality.code)
    return tuple(one.id for one in runs if one.origin == "crawl" and one.id != run.id)
