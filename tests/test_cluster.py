"""Workers on one PostgreSQL do each municipality once, whatever happens to them."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

from clustering import begin, codes, workers

from pipeline.cluster import Engine
from pipeline.models import CityState
from pipeline.store.database import Database
from pipeline.store.waves import Waves


def put(url: str, *errands: object) -> int:
    async def putting() -> int:
        async with Engine(url) as engine:
            return await engine.put(errands)

    return asyncio.run(putting())


def counts(url: str, wave: str) -> dict[CityState, int]:
    database = Database(url)
    try:
        return dict(Waves(database).counts(wave))
    finally:
        database.close()


def said(lines: list[list[str]], what: str) -> Counter[str]:
    return Counter(line.split()[2] for one in lines for line in one if line.startswith(f"{what} "))


def test_four_workers_do_each_municipality_once(postgresql_url: str) -> None:
    put(postgresql_url, *begin(postgresql_url, "w1", 40))
    with workers(4, postgresql_url, "w1", "--work", "0.1") as running:
        lines = [one.end() for one in running]
    assert said(lines, "began") == said(lines, "done") == Counter(codes(40)), lines
    assert counts(postgresql_url, "w1") == {CityState.DONE: 40}


def test_what_a_killed_worker_had_is_done_by_others(postgresql_url: str) -> None:
    put(postgresql_url, *begin(postgresql_url, "w1", 8))
    with workers(1, postgresql_url, "w1", "--work", "60") as (first,):
        first.until("began", 4)
        first.process.kill()
        with workers(2, postgresql_url, "w1") as running:
            lines = [one.end() for one in running]
    assert said(lines, "done") == Counter(codes(8)), lines
    assert counts(postgresql_url, "w1") == {CityState.DONE: 8}


def test_a_worker_that_was_stopped_and_comes_back_late_spoils_nothing(postgresql_url: str) -> None:
    put(postgresql_url, *begin(postgresql_url, "w1", 2))
    with workers(1, postgresql_url, "w1", "--work", "2") as (stopped,):
        stopped.until("began", 2)
        stopped.process.send_signal(signal.SIGSTOP)
        with workers(1, postgresql_url, "w1", "--work", "0.1") as (other,):
            lines = other.end()
        stopped.process.send_signal(signal.SIGCONT)
        late = stopped.end()
    assert said([lines], "done") == Counter(codes(2)), lines
    assert said([late], "done") == Counter(), late
    assert sum("another worker has it" in line for line in late) == 2, late
    assert counts(postgresql_url, "w1") == {CityState.DONE: 2}
