"""Waves of fictional municipalities, and workers of the cluster as processes of their own."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from queue_data import criteria

from pipeline.cluster import Engine, Errand, Hold
from pipeline.models import CityState, Municipality, Wave, WaveCity
from pipeline.store.database import Database
from pipeline.store.waves import Waves

OPEN = (CityState.WAITING, CityState.CRAWLING)
# Forked from a process that has loaded everything: a new one would take a second each.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["clustering", "turning", "procrastinate", "pipeline.cluster.connector"])


def codes(count: int) -> list[str]:
    return [f"{990_000 + number}" for number in range(count)]


def begin(url: str, wave: str, count: int) -> list[Errand]:
    """A wave of so many municipalities in the store, and the errands that do it."""
    noun = Wave(
        id=wave,
        criteria=criteria(),
        as_of=date(2026, 11, 26),
        started=datetime(2026, 11, 26, tzinfo=UTC),
        crawl=None,
    )
    places = [Municipality(code=code, name=f"試験{code}市") for code in codes(count)]
    database = Database(url)
    Waves(database).begin(noun, [WaveCity(wave=wave, municipality=one, state=CityState.WAITING) for one in places])
    database.close()
    return [Errand(wave, one.code, "crawl") for one in places]


class Told(NamedTuple):
    """What a worker did, to which municipality; or told, and the line."""

    what: str
    about: str


Say = Callable[[Told], object]


class Doer:
    """What a real survey would do, with waiting for a crawl."""

    def __init__(self, url: str, wave: str, work_s: float, say: Say) -> None:
        self._waves = Waves(Database(url))
        self._wave = wave
        self._work_s = work_s
        self._say = say

    async def do(self, errand: Errand, hold: Hold) -> None:
        if not self._move(errand, hold, CityState.CRAWLING):
            return
        self._say(Told("began", errand.code))
        try:
            await self._work(hold)
        except asyncio.CancelledError:
            self._tell("back", errand, self._move(errand, hold, CityState.WAITING))
            raise
        self._tell("done", errand, self._move(errand, hold, CityState.DONE))

    def unfinished(self) -> list[Errand]:
        return [Errand(self._wave, one.municipality.code, "crawl") for one in self._waves.cities(self._wave, OPEN)]

    def give_up(self, errand: Errand, hold: Hold, error: Exception) -> None:
        self._tell("gave up", errand, self._move(errand, hold, CityState.FAILED))

    def _move(self, errand: Errand, hold: Hold, state: CityState) -> bool:
        return bool(self._waves.move(errand.wave, errand.code, of=OPEN, holder=hold.holder, state=state))

    def _tell(self, what: str, errand: Errand, happened: bool) -> None:
        self._say(Told(what if happened else "refused", errand.code))

    async def _work(self, hold: Hold) -> None:
        until = time.monotonic() + self._work_s
        while time.monotonic() < until:
            await asyncio.sleep(0.02)
            await hold.enter()


def serve(said: Connection, url: str, wave: str, work_s: float, lease_s: float) -> None:
    """What a worker process does: four municipalities at once until nothing is left."""

    async def work() -> None:
        doer = Doer(url, wave, work_s, said.send)
        async with Engine(url, lease_s=lease_s, retry_s=0.02) as engine:
            await engine.work(
                doer.do,
                crawls=4,
                judges=0,
                unfinished=doer.unfinished,
                give_up=doer.give_up,
                until_idle=True,
                tell=lambda line: said.send(Told("told", line)),
            )

    asyncio.run(work())


class Worker:
    """A worker process and what it has said."""

    def __init__(self, *arguments: Any) -> None:
        self._heard, saying = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(target=serve, args=(saying, *arguments))
        self.process.start()
        saying.close()
        self.said: list[Told] = []

    def until(self, what: str, count: int = 1) -> None:
        """Returns when it has said so, so many times."""
        while sum(one.what == what for one in self.said) < count:
            self.said.append(self._heard.recv())

    def end(self) -> list[Told]:
        """All that it said, when it has ended."""
        try:
            while True:
                self.said.append(self._heard.recv())
        except EOFError:
            self.process.join()
            return self.said

    def close(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self._heard.close()


@contextmanager
def workers(
    count: int, url: str, wave: str, *, work_s: float = 0.1, lease_s: float = 1.5
) -> Iterator[Sequence[Worker]]:
    """So many worker processes, killed after the block where they have not ended."""
    running = [Worker(url, wave, work_s, lease_s) for _ in range(count)]
    try:
        yield running
    finally:
        for one in running:
            one.close()
