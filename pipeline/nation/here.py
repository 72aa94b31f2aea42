"""A wave on one machine: municipalities side by side in one loop, the processor's work in processes beside it."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from pipeline.crawl import Pace, Web
from pipeline.errors import AkashiError, ArchiveError, InputError, ModelError, StoreError
from pipeline.models import CityState, Wave
from pipeline.nation.cores import Cores, CoresError, one_heap
from pipeline.nation.stages import Stages
from pipeline.nation.waves import again
from pipeline.settings import Settings
from pipeline.store.store import Store

# A loop on one core asks about 100 pages/s, so this many sites at one page a second leave it half idle.
SIDE_BY_SIDE = 48
# The machine's own trouble (disk, database, memory, the model's account) so often in a row ends the work of this hour.
MOST_TROUBLE = 3
_TROUBLE = (ArchiveError, StoreError, CoresError, ModelError, OSError)


class TroubleError(AkashiError):
    """This machine cannot go on, whichever municipality it is."""


# code, state, and why where it failed
Tell = Callable[[str, CityState, str], None]


async def here(wave: Wave, store: Store, settings: Settings, *, side_by_side: int = SIDE_BY_SIDE, tell: Tell) -> None:
    """Does all of a wave that is not done, failed municipalities included, on this machine.

    Raises InputError where another process is at it, TroubleError where the machine has failed several municipalities
    in a row. Whatever ends it, the same call goes on where it stopped.
    """
    one_heap()
    with _alone(settings.home), Cores() as cores:
        _put_back(wave, store)
        again(wave, store)
        await _Here(wave, store, settings, cores, tell).run(side_by_side)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two processes would each keep a pace of their own at one server."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(home / "nation.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InputError(
            f"{home}: another `classify nation` is at work there. `classify status` says how far it has come."
        ) from None
    finally:
        os.close(handle)


def _put_back(wave: Wave, store: Store) -> None:
    """What an interruption left half done waits again."""
    store.waves.reset(wave.id, {CityState.CRAWLING}, to=CityState.WAITING)
    store.waves.reset(wave.id, {CityState.JUDGING}, to=CityState.CRAWLED)


class _Here:
    def __init__(self, wave: Wave, store: Store, settings: Settings, cores: Cores, tell: Tell) -> None:
        self._wave, self._store, self._cores, self._tell = wave, store, cores, tell
        self._stages = Stages(store, settings, cores)
        # A delay of 0 of its own: each crawl brings that of its order.
        self._web = Web(Pace(0.0), measuring=asyncio.Lock())
        self._trouble = 0
        self._to_crawl: asyncio.Queue[str] = asyncio.Queue()
        self._to_judge: asyncio.Queue[str] = asyncio.Queue()

    async def run(self, side_by_side: int) -> None:
        for city in self._store.waves.cities(self._wave.id, {CityState.WAITING}):
            self._to_crawl.put_nowait(city.municipality.code)
        for city in self._store.waves.cities(self._wave.id, {CityState.CRAWLED}):
            self._to_judge.put_nowait(city.municipality.code)
        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(self._work(self._to_crawl, self._crawl)) for _ in range(side_by_side)]
                # One more than cores: while one waits for the database, another reads.
                at_once = self._cores.processes + 1
                workers += [group.create_task(self._work(self._to_judge, self._judge)) for _ in range(at_once)]
                workers.append(group.create_task(self._stages.note_pages()))
                await self._to_crawl.join()
                await self._to_judge.join()
                for worker in workers:
                    worker.cancel()
        except* TroubleError as troubles:
            raise troubles.exceptions[0] from None

    async def _work(self, queue: asyncio.Queue[str], do: Callable[[str], Awaitable[None]]) -> None:
        while True:
            code = await queue.get()
            async with self._settling(code):
                await do(code)
            queue.task_done()

    async def _crawl(self, code: str) -> None:
        self._tell(code, CityState.CRAWLING, "")
        if await self._stages.crawl(self._wave, code, web=self._web):
            self._tell(code, CityState.CRAWLED, "")
            self._to_judge.put_nowait(code)

    async def _judge(self, code: str) -> None:
        await self._stages.judge(self._wave, code)
        city = self._store.waves.city(self._wave.id, code)
        self._tell(code, city.state, f"{city.cause}: {city.detail}" if city.cause else "")

    @asynccontextmanager
    async def _settling(self, code: str) -> AsyncIterator[None]:
        """What fails one municipality is recorded and stops no other; what would fail all of them stops the work."""
        try:
            yield
            self._trouble = 0
        except Exception as error:
            self._stages.fail(self._wave, code, error)
            self._tell(code, CityState.FAILED, f"{type(error).__name__}: {error}")
            self._trouble = self._trouble + 1 if isinstance(error, _TROUBLE) else 0
            if self._trouble >= MOST_TROUBLE:
                raise TroubleError(
                    f"{error} The last {MOST_TROUBLE} municipalities all failed on this machine's own trouble: mend it "
                    "and give the same command again; they are tried again."
                ) from error
