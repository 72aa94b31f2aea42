"""One municipality of a wave: crawled, then judged, with what became of it recorded.

Whoever runs it, and however often: what is done already is not done again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import fsum
from typing import TypeVar

from pipeline.crawl import Web
from pipeline.errors import StoreError
from pipeline.models import CityState, Coverage, Wave
from pipeline.nation.cores import Cores
from pipeline.nation.waves import WaveBudget, order_of, panel_of
from pipeline.reading import unwatched
from pipeline.run import begin, look, rejudge
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import Workspace

T = TypeVar("T")
NOTE_EVERY_S = 2.0
_TO_CRAWL = frozenset({CityState.WAITING, CityState.CRAWLING})
_TO_JUDGE = frozenset({CityState.CRAWLED, CityState.JUDGING})


@dataclass(frozen=True)
class Judged:
    """What came of judging. cause, detail: why the municipality counts as failed, empty where it does not."""

    spent_usd: float
    cause: str = ""
    detail: str = ""


class Stages:
    """store: of the whole process; cores: where pages are read and judged."""

    def __init__(self, store: Store, settings: Settings, cores: Cores) -> None:
        self._store = store
        self._settings = settings
        self._cores = cores
        self._pages: dict[tuple[str, str], int] = {}
        # No more than cores: dozens of crawls that end together would else keep the judges from theirs.
        self._readers = asyncio.Semaphore(cores.processes)

    async def crawl(self, wave: Wave, code: str, *, web: Web, holder: str = "") -> bool:
        """Archives what there is to see; whether a judge may have it now. Raises what `look` raises."""
        try:
            return await self._crawl(wave, code, web, holder)
        finally:
            self._pages.pop((wave.id, code), None)

    async def _crawl(self, wave: Wave, code: str, web: Web, holder: str) -> bool:
        waves, now = self._store.waves, datetime.now(UTC)
        city = waves.city(wave.id, code)
        begun = {"state": CityState.CRAWLING, "tries": city.tries + 1, "began": city.began or now}
        if waves.move(wave.id, code, of=_TO_CRAWL, holder=holder, **begun, cause="", detail="", ended=None) is None:
            return False
        order = order_of(wave, city.municipality)
        run = begin(order, self._store, self._settings, city.run_id)
        waves.move(wave.id, code, of=_TO_CRAWL, holder=holder, run_id=run.id)
        watch = partial(self._watch, (wave.id, code))
        run = await look(order, run, self._store, settings=self._settings, watch=watch, cores=self._read, web=web)
        pages = run.coverage.read if run.coverage else 0
        archived = waves.move(wave.id, code, of=_TO_CRAWL, holder=holder, state=CityState.CRAWLED, pages=pages)
        if archived is not None:
            Workspace(self._settings.home).frontier(run).unlink(missing_ok=True)
        return archived is not None

    async def judge(self, wave: Wave, code: str, *, holder: str = "") -> None:
        """Judges what is archived and leaves it in the queue. Raises what `rejudge` raises."""
        waves = self._store.waves
        city = waves.move(wave.id, code, of=_TO_JUDGE, holder=holder, state=CityState.JUDGING)
        if city is None:
            return
        judged = await self._cores(judge_run, wave, city.run_id, self._settings)
        state = CityState.FAILED if judged.cause else CityState.DONE
        told = {"state": state, "cause": judged.cause, "detail": judged.detail, "spent_usd": judged.spent_usd}
        waves.move(wave.id, code, of=_TO_JUDGE, holder=holder, ended=datetime.now(UTC), **told)

    def fail(self, wave: Wave, code: str, error: Exception, *, holder: str = "") -> None:
        """Gives a municipality up for now, with the reason."""
        told = {"cause": type(error).__name__, "detail": str(error)[:500], "ended": datetime.now(UTC)}
        self._store.waves.move(wave.id, code, of=_TO_CRAWL | _TO_JUDGE, holder=holder, state=CityState.FAILED, **told)

    async def _read(self, do: Callable[..., T], *given: object) -> T:
        async with self._readers:
            return await self._cores(do, *given)

    def _watch(self, key: tuple[str, str], stage: str, done: int, _total: int, _note: str) -> None:
        if stage == "crawl":
            self._pages[key] = done

    async def note_pages(self) -> None:
        """Records now and then what each crawl has read by now, for onlookers; until cancelled."""
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            by_wave: dict[str, dict[str, int]] = {}
            for (wave, code), pages in self._pages.items():
                by_wave.setdefault(wave, {})[code] = pages
            with contextlib.suppress(StoreError):
                for wave, counts in by_wave.items():
                    self._store.waves.note_pages(wave, counts)


def judge_run(wave: Wave, run_id: str, settings: Settings) -> Judged:
    """Judges an archived run as the wave says: in a process of its own, which reads the pages anew."""
    with Store(settings.database_url) as store:
        run = store.run(run_id)
        if run is None:
            return Judged(0.0, "run_lost", f"run {run_id} is not in the database any more")
        outcome = rejudge(
            run,
            wave.criteria,
            settings=settings,
            panel=panel_of(wave, settings),
            watch=unwatched,
            budget=WaveBudget(wave, store),
            processes=1,
        )
        spent = fsum(item.judgement.cost_usd for item in store.items(run.id))
    stopped = next((one.stopped for one in outcome.asked.values() if one.stopped), "")
    cause, detail = ("model", stopped) if stopped else unread_home(outcome.run.coverage)
    return Judged(spent, cause, detail)


def unread_home(coverage: Coverage | None) -> tuple[str, str]:
    """Why the home page could not be read, as (cause, detail); empty texts where it could."""
    if coverage is None or coverage.home_read:
        return "", ""
    home = coverage.home
    if home is not None and home.cause is not None and not home.answered:
        return home.cause.value, f"{home.given}: {home.detail}"
    first = next(iter(coverage.unread), None)
    return (first.cause.value, f"{first.url}: {first.detail}") if first else ("unread", "the home page was not read")
