"""Workers on one PostgreSQL do each municipality once, whatever happens to them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

import psycopg
import pytest
from clustering import PROCESSES, Told, begin, codes, workers
from databases import Cluster
from sqlalchemy import text
from turning import DELAY_S, PLACES, TURNS, take_turns

from pipeline.cluster import Engine, Errand, Hold, Seen, Stage
from pipeline.cluster.attempts import TRIES
from pipeline.errors import InputError, StoreError
from pipeline.models import CityState
from pipeline.store.database import Database
from pipeline.store.waves import Waves


def put(url: str, errands: Iterable[Errand]) -> int:
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


def said(lines: Iterable[Sequence[Told]], what: str) -> Counter[str]:
    """What was said so, by what it was about."""
    return Counter(one.about for told in lines for one in told if one.what == what)


def test_four_workers_do_each_municipality_once(postgresql_url: str) -> None:
    put(postgresql_url, begin(postgresql_url, "w1", 40))
    with workers(4, postgresql_url, "w1") as running:
        told = [one.end() for one in running]
    assert said(told, "began") == said(told, "done") == Counter(codes(40)), told
    assert counts(postgresql_url, "w1") == {CityState.DONE: 40}


def test_what_a_killed_worker_had_is_done_by_others(postgresql_url: str) -> None:
    put(postgresql_url, begin(postgresql_url, "w1", 8))
    with workers(1, postgresql_url, "w1", work_s=60) as (first,):
        first.until("began", 4)
        first.process.kill()
        with workers(2, postgresql_url, "w1") as others:
            told = [one.end() for one in others]
    assert said(told, "done") == Counter(codes(8)), told
    assert counts(postgresql_url, "w1") == {CityState.DONE: 8}


def test_a_worker_that_was_frozen_and_comes_back_late_spoils_nothing(postgresql_url: str) -> None:
    put(postgresql_url, begin(postgresql_url, "w1", 2))
    with workers(1, postgresql_url, "w1", work_s=2) as (frozen,):
        frozen.until("began", 2)
        os.kill(frozen.process.pid or 0, signal.SIGSTOP)
        with workers(1, postgresql_url, "w1") as (other,):
            told = other.end()
        os.kill(frozen.process.pid or 0, signal.SIGCONT)
        late = frozen.end()
    assert said([told], "done") == Counter(codes(2)), told
    assert not said([late], "done") and not said([late], "back"), late
    assert sum("another worker has it" in line for line in said([late], "told")) == 2, late
    assert counts(postgresql_url, "w1") == {CityState.DONE: 2}


def test_a_worker_that_is_asked_to_stop_leaves_everything_to_others_at_once(postgresql_url: str) -> None:
    put(postgresql_url, begin(postgresql_url, "w1", 6))
    with workers(1, postgresql_url, "w1", work_s=60, lease_s=60) as (first,):
        first.until("began", 4)
        first.process.terminate()
        left = first.end()
        assert first.process.exitcode == 0
    began = time.monotonic()
    with workers(1, postgresql_url, "w1", lease_s=60) as (second,):
        second.until("done", 6)
    assert sum(said([left], "back").values()) == 4, left
    assert said([second.said], "done") == Counter(codes(6)), second.said
    assert time.monotonic() - began < 30  # not after the lease


def test_a_database_that_restarts_costs_nothing_but_time(cluster: Cluster, postgresql_url: str) -> None:
    put(postgresql_url, begin(postgresql_url, "w1", 16))
    with workers(2, postgresql_url, "w1", work_s=0.3, lease_s=2) as running:
        running[0].until("done", 4)
        cluster.stop(signal.SIGINT)
        time.sleep(3)
        cluster.start()
        told = [one.end() for one in running]
    assert said(told, "done") == Counter(codes(16)), told
    assert counts(postgresql_url, "w1") == {CityState.DONE: 16}
    assert any("answers again" in line for line in said(told, "told")), told


def test_a_worker_that_is_asked_to_stop_while_the_database_is_away_ends(cluster: Cluster, postgresql_url: str) -> None:
    put(postgresql_url, begin(postgresql_url, "w1", 2))
    with workers(1, postgresql_url, "w1", work_s=60, lease_s=1) as (stopped,):
        stopped.until("began", 2)
        cluster.stop(signal.SIGINT)
        stopped.process.terminate()
        stopped.process.join(20)
        code = stopped.process.exitcode
        cluster.start()
        with workers(1, postgresql_url, "w1", lease_s=1) as (other,):
            told = other.end()
    assert code == 0
    assert said([told], "done") == Counter(codes(2)), told


def test_connections_that_are_cut_cost_nothing(cluster: Cluster, postgresql_url: str) -> None:
    """As at a failover: all at once, several times."""
    put(postgresql_url, begin(postgresql_url, "w1", 40))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'akashi'"
    with workers(2, postgresql_url, "w1", work_s=0.2) as running:
        for done in (4, 8, 12):
            running[0].until("done", done)
            cluster.execute(cut)
        told = [one.end() for one in running]
    assert said(told, "done") == Counter(codes(40)), told
    assert counts(postgresql_url, "w1") == {CityState.DONE: 40}


class Here:
    """A worker within this process. What is to be done is what has not been done."""

    def __init__(self, url: str, errands: Iterable[Errand], work_s: float = 0.0) -> None:
        self.url = url
        self.left = list(errands)
        self.work_s = work_s
        self.order: list[Errand] = []
        self.given_up: list[tuple[Errand, str]] = []
        self.stopped: list[Errand] = []
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.error: Exception | None = None

    async def do(self, errand: Errand, hold: Hold) -> None:
        if errand not in self.left:  # a job too many, which a sweep put that had looked before the end
            return
        self.order.append(errand)
        self.now[errand.code] += 1
        self.most[errand.code] = max(self.most[errand.code], self.now[errand.code])
        try:
            await asyncio.sleep(self.work_s)
        except asyncio.CancelledError:
            self.stopped.append(errand)
            raise
        finally:
            self.now[errand.code] -= 1
        if self.error:
            raise self.error
        self.left.remove(errand)

    def give_up(self, errand: Errand, _hold: Hold, error: Exception) -> None:
        self.given_up.append((errand, str(error)))
        self.left.remove(errand)

    async def work(self, engine: Engine, *, crawls: int = 1, judges: int = 1) -> None:
        await engine.work(
            self.do,
            crawls=crawls,
            judges=judges,
            unfinished=lambda: self.left,
            give_up=self.give_up,
            until_idle=True,
        )


def errands(wave: str, count: int, stage: Stage = "crawl", priority: int = 0) -> list[Errand]:
    return [Errand(wave, code, stage, priority) for code in codes(count)]


def test_what_is_queued_already_is_not_put_again(postgresql_url: str) -> None:
    async def twice() -> tuple[int, int]:
        async with Engine(postgresql_url) as engine:
            return await engine.put(errands("w1", 3)), await engine.put(errands("w1", 4))

    assert asyncio.run(twice()) == (3, 1)


def test_what_has_priority_goes_first_and_each_stage_has_its_own_workers(postgresql_url: str) -> None:
    low, high, judged = errands("w1", 3), errands("w2", 2, priority=5), errands("w3", 6, "judge")[4:]
    here = Here(postgresql_url, [*low, *high, *judged])

    async def run() -> None:
        async with Engine(postgresql_url, lease_s=1) as engine:
            for some in (low, high, judged):
                await engine.put(some)
            await here.work(engine)

    asyncio.run(run())
    assert [one for one in here.order if one.stage == "crawl"] == [*high, *low]
    assert [one for one in here.order if one.stage == "judge"] == judged


def test_a_wave_that_is_cancelled_stops_and_does_not_come_back(postgresql_url: str) -> None:
    here = Here(postgresql_url, errands("w1", 5), work_s=60)

    async def run() -> int:
        async with Engine(postgresql_url, lease_s=1) as engine, Engine(postgresql_url) as other:
            await engine.put(here.left)
            working = asyncio.create_task(here.work(engine, crawls=2))
            while len(here.order) < 2:
                await asyncio.sleep(0.02)
            here.left.clear()
            stopped = await other.cancel("w1")
            await working
            return stopped

    assert asyncio.run(run()) == 5
    assert sorted(one.code for one in here.stopped) == codes(2)
    assert len(here.order) == 2


def test_one_that_cannot_be_done_is_given_up_after_its_tries(postgresql_url: str) -> None:
    here = Here(postgresql_url, errands("w1", 1))
    here.error = ValueError("this one cannot be done")

    async def run() -> None:
        async with Engine(postgresql_url, lease_s=1, retry_s=0.001) as engine:
            await engine.put(here.left)
            await here.work(engine)

    asyncio.run(run())
    assert here.given_up == [(Errand("w1", codes(1)[0], "crawl"), "this one cannot be done")]
    assert len(here.order) == TRIES


def test_two_waves_are_never_in_one_municipality_together(postgresql_url: str) -> None:
    here = Here(postgresql_url, [*errands("w1", 3), *errands("w2", 3), *errands("w2", 3, "judge")], work_s=0.1)

    async def run() -> None:
        async with Engine(postgresql_url, lease_s=0.4) as engine:
            await engine.put(here.left)
            await here.work(engine, crawls=6, judges=3)

    asyncio.run(run())
    assert not here.left
    assert set(here.most.values()) == {1}


def test_a_job_whose_end_was_lost_is_put_again(postgresql_url: str) -> None:
    """It is `doing` by a worker that lives, and nobody has the municipality."""
    here = Here(postgresql_url, errands("w1", 1))

    async def run() -> None:
        async with Engine(postgresql_url, lease_s=0.5) as engine:
            await engine.put(here.left)
            with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + '1 hour')")
                connection.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = 1")
            await here.work(engine)

    asyncio.run(run())
    assert not here.left


def test_an_errand_without_any_job_is_put_again(postgresql_url: str) -> None:
    here = Here(postgresql_url, errands("w1", 3))

    async def run() -> None:
        async with Engine(postgresql_url, lease_s=1) as engine:
            await here.work(engine)

    asyncio.run(run())
    assert len(here.order) == 3


def test_turns_are_never_closer_than_the_delay(postgresql_url: str) -> None:
    """Four processes ask for turns at places that overlap, in any order, some for the first time."""
    address = postgresql_url.replace("+psycopg", "")
    asyncio.run(_opened(postgresql_url))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE seen (place text, at timestamptz)")
        connection.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO seen VALUES (NEW.place, NEW.next); RETURN NEW; END'"
        )
        connection.execute("CREATE TRIGGER note AFTER UPDATE ON turns FOR EACH ROW EXECUTE FUNCTION note()")
        asking = [PROCESSES.Process(target=take_turns, args=(postgresql_url, seed)) for seed in range(4)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        assert [one.exitcode for one in asking] == [0] * 4
        query = """
            SELECT place, count(*), min(gap) FROM
            (SELECT place, at - lag(at) OVER (PARTITION BY place ORDER BY at) AS gap FROM seen) gaps GROUP BY place
        """
        rows = connection.execute(query).fetchall()
    assert len(rows) == PLACES and sum(count for _, count, _ in rows) == 4 * TURNS * 2
    assert min(gap for _, _, gap in rows) >= timedelta(seconds=DELAY_S)


async def _opened(url: str) -> None:
    async with Engine(url):
        pass


def test_the_workers_are_seen(postgresql_url: str) -> None:
    here = Here(postgresql_url, [*errands("w1", 1), *errands("w1", 2, "judge")[1:]], work_s=0.3)

    async def run() -> list[Seen]:
        async with Engine(postgresql_url, lease_s=1) as engine:
            await engine.put(here.left)
            working = asyncio.create_task(here.work(engine))
            while len(here.order) < 2:
                await asyncio.sleep(0.02)
            seen = await engine.workers()
            await working
            return seen

    (one,) = asyncio.run(run())
    assert (one.crawls, one.judges) == (1, 1)


def test_a_database_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(InputError, match="postgresql"):
        Engine("sqlite:///akashi.db")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cluster.link.find_spec", lambda _name: None)
    with pytest.raises(InputError, match="akashi\\[cluster\\]"):
        Engine("postgresql+psycopg://akashi@127.0.0.1/akashi")


def test_a_queue_of_an_older_version_is_refused(postgresql_url: str) -> None:
    asyncio.run(_opened(postgresql_url))
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP FUNCTION procrastinate_retry_job_v2")
    with pytest.raises(StoreError, match="procrastinate_retry_job_v2.*Stop all workers"):
        asyncio.run(_opened(postgresql_url))


def test_a_process_that_freezes_within_a_change_keeps_nobody_waiting_for_long(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with database.writing("look") as connection:
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "30s"
    database.close()
