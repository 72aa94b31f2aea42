"""A wave on many machines: what one worker among others does for a municipality."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from pipeline.cluster import Engine, Errand, Hold, Stage
from pipeline.crawl import Pace, Web
from pipeline.models import CityState, Wave
from pipeline.nation.cores import Cores, one_heap
from pipeline.nation.stages import Stages
from pipeline.nation.waves import again
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import Workspace

_STAGES: dict[CityState, Stage] = {
    CityState.WAITING: "crawl",
    CityState.CRAWLING: "crawl",
    CityState.CRAWLED: "judge",
    CityState.JUDGING: "judge",
}


def engine(settings: Settings) -> Engine:
    """The engine at the database of the settings. Raises InputError where there is no PostgreSQL or no extra."""
    return Engine(settings.database_url, lease_s=settings.lease_s, retry_s=settings.retry_s)


async def queue(wave: Wave, store: Store, settings: Settings) -> int:
    """Puts all of a wave that is not done before the workers, failed municipalities included; returns how many."""
    again(wave, store)
    async with engine(settings) as at:
        return await at.put(list(_errands(wave, store)))


async def stop(wave: Wave, codes: Sequence[str], settings: Settings) -> None:
    """Takes back the errands of these municipalities, which are cancelled by now; what is under way is stopped."""
    if codes:
        async with engine(settings) as at:
            await at.cancel(wave.id, codes)


async def work(
    store: Store, settings: Settings, *, crawls: int, judges: int, until_idle: bool, tell: Callable[[str], None]
) -> None:
    """Works for all waves of the database until it is stopped, or with until_idle until nothing is left to do.

    crawls, judges: municipalities at a time. Raises InputError, StoreError where the engine does.
    """
    one_heap()
    with Cores(judges or 1) as cores:
        async with engine(settings) as at:
            worker = _Worker(store, settings, cores, at)
            noting = asyncio.create_task(worker.stages.note_pages())
            try:
                await at.work(
                    worker.do,
                    crawls=crawls,
                    judges=judges,
                    unfinished=worker.unfinished,
                    give_up=worker.give_up,
                    until_idle=until_idle,
                    tell=tell,
                )
            finally:
                noting.cancel()


class _Worker:
    def __init__(self, store: Store, settings: Settings, cores: Cores, at: Engine) -> None:
        self.stages = Stages(store, settings, cores)
        self._store = store
        self._settings = settings
        self._at = at
        self._pace, self._measuring = Pace(0.0), asyncio.Lock()
        self._wave = cache(self._met)

    def _met(self, wave_id: str) -> Wave:
        """The wave, its criteria kept in this machine's workspace as well: reports ask for them."""
        wave = self._store.waves.find(wave_id)
        Workspace(self._settings.home).keep(wave.criteria)
        return wave

    async def do(self, errand: Errand, hold: Hold) -> None:
        wave = self._wave(errand.wave)
        if errand.stage == "judge":
            await self.stages.judge(wave, errand.code, holder=hold.holder)
        elif await self.stages.crawl(wave, errand.code, holder=hold.holder, web=Web(self._pace, hold, self._measuring)):
            await self._at.put([Errand(wave.id, errand.code, "judge", wave.priority)])

    def give_up(self, errand: Errand, hold: Hold, error: Exception) -> None:
        self.stages.fail(self._wave(errand.wave), errand.code, error, holder=hold.holder)

    def unfinished(self) -> Iterator[Errand]:
        for wave, code, state in self._store.waves.unsettled():
            yield Errand(wave, code, _STAGES[state], self._wave(wave).priority)


def _errands(wave: Wave, store: Store) -> Iterator[Errand]:
    for city in store.waves.cities(wave.id, set(_STAGES)):
        yield Errand(wave.id, city.municipality.code, _STAGES[city.state], wave.priority)
