"""`classify worker` on several machines of a simulated nation, some of which are lost: nothing is lost with them.

Each worker has a workspace and a cache of its own, as a machine has; they share PostgreSQL and the archive's storage.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from commands import CLASSIFY, environment
from databases import Cluster
from nations import served

from benchmarks.nation import Nation, checks, registry
from benchmarks.nation.server import Serving
from pipeline.models import CityState, WaveCity
from pipeline.store.store import Store

DELAY_S = 0.2
CITIES = 10
NATION = Nation(seed=5, cities=CITIES, shared=0.5, vendors=1, smallest=12, largest=20)
OPTIONS = ("--allow-private", "--delay", str(DELAY_S), "--speed", "never", "--as-of", "2026-11-20")
CRAWLS = 4

Verdicts = dict[str, list[tuple[str, str, tuple[str, ...]]]]


def verdicts(database_url: str) -> Verdicts:
    """Of every municipality its judgements: criterion, verdict, quotes."""
    found: Verdicts = {}
    with Store(database_url) as store:
        for survey in store.surveys():
            items = [item.judgement for item in store.items(survey.run_id)]
            judged = [(one.criterion, one.verdict, tuple(quote.text for quote in one.quotes)) for one in items]
            found[survey.code] = sorted(judged)
    return found


@dataclass
class Scene:
    """A nation, a database and an archive that workers share."""

    folder: Path
    serving: Serving
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    archive: Path | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, machine: str) -> dict[str, str]:
        shared = {"CLASSIFY_DB": self.database_url, "CLASSIFY_ARCHIVE": str(self.archive or self.folder / "archive")}
        short = {"CLASSIFY_LEASE_S": "3", "CLASSIFY_RETRY_S": "1"}
        return environment(self.folder / machine, **shared, **short, **self.serving.environment(), **self.settings)

    def nation(self, *more: str) -> None:
        registry.write(self.serving.nation, self.folder / "registry.csv", self.serving.port)
        given = ["nation", "--all", "--registry", str(self.folder / "registry.csv"), *OPTIONS, *more]
        done = subprocess.run([CLASSIFY, *given], env=self.environment("desk"), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            machine = f"machine{len(self.workers)}"
            command = [CLASSIFY, "worker", "--until-idle", "--crawls", str(CRAWLS), "--judges", "1"]
            with (self.folder / f"{machine}.log").open("wb") as log:
                worker = subprocess.Popen(
                    command, env=self.environment(machine), stdout=log, stderr=log, process_group=0
                )
            self.workers.append(worker)

    def told(self) -> str:
        logs = sorted(self.folder.glob("machine*.log"))
        return "\n".join(f"{log.name}: {log.read_text('utf-8')}" for log in logs)

    def requests(self) -> list[checks.Request]:
        self.serving.flush()
        return checks.read(self.serving.log)

    def until(self, reached: Callable[[], bool], deadline_s: float = 60.0) -> None:
        deadline = time.monotonic() + deadline_s
        while not reached():
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)

    def until_pages(self, count: int) -> None:
        self.until(lambda: len(self.requests()) >= count)

    def finish(self, *lost: int, deadline_s: float = 120.0) -> None:
        """Waits for all workers but those lost."""
        for number, worker in enumerate(self.workers):
            if number not in lost:
                assert worker.wait(timeout=deadline_s) == 0, self.told()

    def cities(self) -> list[WaveCity]:
        with Store(self.database_url) as store:
            return store.waves.cities(store.waves.find().id)

    def surveyed(self) -> list[str]:
        """The code of each run."""
        with Store(self.database_url) as store:
            return [run.municipality.code for run in store.runs()]

    def busy(self, *but: int) -> int:
        """The number of a worker that crawls most municipalities right now, at least two; none of `but`."""
        found: Counter[int] = Counter()

        def known() -> bool:
            with psycopg.connect(self.database_url.replace("+psycopg", "")) as connection:
                holders = connection.execute("SELECT holder FROM holds WHERE until > clock_timestamp()").fetchall()
            pids = Counter(int(holder.split(":")[1]) for (holder,) in holders if "/crawl/" in holder)
            found.clear()
            found.update({n: pids[one.pid] for n, one in enumerate(self.workers) if n not in but and pids[one.pid] > 1})
            return bool(found)

        self.until(known)
        return found.most_common(1)[0][0]


@contextmanager
def scene(folder: Path, database_url: str, nation: Nation = NATION) -> Iterator[Scene]:
    with served(folder, nation) as serving:
        made = Scene(folder, serving, database_url)
        try:
            yield made
        finally:
            for worker in made.workers:
                if worker.poll() is None:
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """What one machine without a cluster finds in that nation."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with served(folder, NATION) as serving:
        registry.write(NATION, folder / "registry.csv", serving.port)
        given = ["nation", "--all", "--registry", str(folder / "registry.csv"), *OPTIONS, "--delay", "0"]
        alone = environment(folder, **serving.environment())
        done = subprocess.run([CLASSIFY, *given], env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    found = verdicts(f"sqlite:///{folder / 'akashi.db'}")
    assert len(found) == CITIES
    return found


def check(made: Scene, undisturbed: Verdicts, *, in_flight: int = 0) -> None:
    """Every city done once, as if nothing had happened; no page asked twice but those in flight; the pace kept."""
    assert Counter(one.state for one in made.cities()) == {CityState.DONE: CITIES}, made.told()
    assert sorted(made.surveyed()) == sorted(undisturbed), "one run of each"
    assert verdicts(made.database_url) == undisturbed
    requests = made.requests()
    assert sum(checks.refetches(requests).values()) <= in_flight
    assert checks.violations(requests, DELAY_S) == {}


@pytest.mark.timeout(300)
def test_workers_together_find_what_one_machine_finds(
    tmp_path: Path, postgresql_url: str, undisturbed: Verdicts
) -> None:
    with scene(tmp_path, postgresql_url) as made:
        made.nation()
        made.start(2)
        made.finish()
        check(made, undisturbed)
        assert all("Traceback" not in line for line in made.told().splitlines())


@pytest.mark.timeout(300)
def test_lost_workers_and_a_database_that_restarts_cost_only_time(
    tmp_path: Path, cluster: Cluster, postgresql_url: str, undisturbed: Verdicts
) -> None:
    """Of four workers one is killed, one stopped for longer than its lease and woken, and the database is restarted."""
    with scene(tmp_path, postgresql_url) as made:
        made.nation()
        made.start(4)
        made.until_pages(20)
        killed = made.busy()
        os.killpg(made.workers[killed].pid, signal.SIGKILL)
        stopped = made.busy(killed)
        os.killpg(made.workers[stopped].pid, signal.SIGSTOP)
        cluster.stop()
        time.sleep(1.5)
        cluster.start()
        time.sleep(5.0)
        os.killpg(made.workers[stopped].pid, signal.SIGCONT)
        made.finish(killed, deadline_s=200)
        assert "another worker has it by now" in (tmp_path / f"machine{stopped}.log").read_text("utf-8")
        assert sum(one.tries for one in made.cities()) > CITIES
        check(made, undisturbed, in_flight=2 * CRAWLS)


@pytest.mark.timeout(300)
def test_a_full_disk_costs_only_time(tmp_path: Path, postgresql_url: str, undisturbed: Verdicts) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here: it takes root")
    try:
        with scene(tmp_path, postgresql_url) as made:
            made.archive = disk / "archive"
            made.nation()
            made.start(2)
            made.until(lambda: any(one.tries > 1 for one in made.cities()))
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            made.finish(deadline_s=200)
            check(made, undisturbed, in_flight=sum(one.tries for one in made.cities()) - CITIES)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.timeout(120)
def test_what_is_cancelled_is_left_alone(tmp_path: Path, postgresql_url: str) -> None:
    with scene(tmp_path, postgresql_url) as made:
        made.nation()
        code = made.cities()[0].municipality.code
        for given in (["cancel", "--city", code], ["status"]):
            done = subprocess.run([CLASSIFY, *given], env=made.environment("desk"), capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        assert "cancelled 1" in done.stdout
        made.start()
        made.until_pages(5)
        done = subprocess.run([CLASSIFY, "cancel"], env=made.environment("desk"), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        made.finish(deadline_s=60)
        states = Counter(one.state for one in made.cities())
        assert states[CityState.CANCELLED] > CITIES / 2 and set(states) <= {CityState.CANCELLED, CityState.DONE}
        assert made.cities()[0].state is CityState.CANCELLED


def test_workers_need_a_database_that_they_share(tmp_path: Path) -> None:
    alone = environment(tmp_path)
    done = subprocess.run([CLASSIFY, "worker"], env=alone, capture_output=True, text=True)
    assert done.returncode == 2 and "CLASSIFY_DB" in done.stderr
