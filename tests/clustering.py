"""Waves of fictional municipalities, and a worker of the cluster as a process.

    python tests/clustering.py URL WAVE... [--lease 1.5] [--work 0.2] [--crawls 4] [--failing CODE] [--stay]

It "crawls" by waiting a while in steps, keeps what it does in the store's own tables, and says a line about each thing.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from queue_data import criteria

from pipeline.cluster import Engine, Errand, Hold
from pipeline.models import CityState, Municipality, Wave, WaveCity
from pipeline.store.database import Database
from pipeline.store.waves import Waves

OPEN = (CityState.WAITING, CityState.CRAWLING)


def codes(count: int) -> list[str]:
    return [f"{990_000 + number}" for number in range(count)]


def begin(url: str, wave: str, count: int, priority: int = 0) -> list[Errand]:
    """A wave of so many municipalities in the store, and the errands that do it."""
    database = Database(url)
    noun = Wave(
        id=wave,
        criteria=criteria(),
        as_of=date(2026, 11, 26),
        started=datetime(2026, 11, 26, tzinfo=UTC),
        crawl=None,
        priority=priority,
    )
    places = [Municipality(code=code, name=f"試験{code}市") for code in codes(count)]
    Waves(database).begin(noun, [WaveCity(wave=wave, municipality=one, state=CityState.WAITING) for one in places])
    database.close()
    return [Errand(wave, one.code, "crawl", priority=priority) for one in places]


class Doer:
    """What a real survey would be, without its crawl."""

    def __init__(self, waves: Waves, work_s: float, failing: str) -> None:
        self._waves = waves
        self._work_s = work_s
        self._failing = failing

    async def do(self, errand: Errand, hold: Hold) -> None:
        city = self._waves.move(errand.wave, errand.code, of=OPEN, holder=hold.holder, state=CityState.CRAWLING)
        if city is None:
            say("nothing", errand)
            return
        say("began", errand)
        if errand.code == self._failing:
            raise ValueError("this one cannot be done")
        try:
            await self._work(errand, hold)
        except asyncio.CancelledError:
            back = self._waves.move(errand.wave, errand.code, of=OPEN, holder=hold.holder, state=CityState.WAITING)
            say("back" if back else "refused", errand)
            raise
        done = self._waves.move(errand.wave, errand.code, of=OPEN, holder=hold.holder, state=CityState.DONE)
        say("done" if done else "refused", errand)

    async def _work(self, errand: Errand, hold: Hold) -> None:
        until = time.monotonic() + self._work_s
        while time.monotonic() < until:
            await asyncio.sleep(0.02)
            await hold.enter()

    def unfinished(self, waves: Sequence[str]) -> Callable[[], list[Errand]]:
        return lambda: [
            Errand(wave, one.municipality.code, "crawl") for wave in waves for one in self._waves.cities(wave, OPEN)
        ]

    def give_up(self, errand: Errand, hold: Hold, error: Exception) -> None:
        self._waves.move(
            errand.wave, errand.code, holder=hold.holder, state=CityState.FAILED, cause="error", detail=str(error)
        )
        say("gave up", errand)


def say(what: str, errand: Errand) -> None:
    print(what, errand.wave, errand.code, f"{time.monotonic():.3f}", flush=True)


class Worker:
    """A worker process and what it has said."""

    def __init__(self, url: str, *arguments: str) -> None:
        command = [sys.executable, __file__, url, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said: list[str] = []

    def until(self, what: str, count: int = 1) -> None:
        """Returns when it has said so, so many times."""
        assert self.process.stdout
        while sum(line.startswith(what) for line in self.said) < count:
            line = self.process.stdout.readline()
            assert line, "\n".join(self.said)
            self.said.append(line.strip())

    def end(self) -> list[str]:
        """All that it said, when it has ended."""
        assert self.process.stdout
        self.said += [line.strip() for line in self.process.stdout]
        self.process.wait()
        return self.said


@contextmanager
def workers(count: int, url: str, *arguments: str) -> Iterator[list[Worker]]:
    """So many worker processes, killed after the block where they have not ended."""
    running = [Worker(url, *arguments) for _ in range(count)]
    try:
        yield running
    finally:
        for one in running:
            one.process.kill()
            one.process.communicate()


async def work(url: str, given: argparse.Namespace) -> None:
    doer = Doer(Waves(Database(url)), given.work, given.failing)
    async with Engine(url, lease_s=given.lease, retry_s=0.02) as engine:
        await engine.work(
            doer.do,
            crawls=given.crawls,
            judges=0,
            unfinished=doer.unfinished(given.waves),
            give_up=doer.give_up,
            until_idle=not given.stay,
            tell=lambda line: print("told", line, flush=True),
        )
    print("ended", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("waves", nargs="+")
    parser.add_argument("--lease", type=float, default=1.5)
    parser.add_argument("--work", type=float, default=0.2)
    parser.add_argument("--crawls", type=int, default=4)
    parser.add_argument("--failing", default="")
    parser.add_argument("--stay", action="store_true")
    given = parser.parse_args()
    asyncio.run(work(given.url, given))


if __name__ == "__main__":
    main()
