"""`classify worker` on several machines of a simulated nation, some of which are lost: nothing is lost with them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from commands import CLASSIFY, environment
from databases import Cluster
from machines import OPTIONS, Scene, Verdicts, scene, verdicts
from nations import served

from benchmarks.nation import Nation, checks, registry
from pipeline.models import CityState

CITIES = 10
NATION = Nation(seed=5, cities=CITIES, shared=0.5, vendors=1, smallest=12, largest=20)


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
    assert checks.violations(requests, made.delay_s) == {}


@pytest.mark.timeout(300)
def test_workers_together_find_what_one_machine_finds(
    tmp_path: Path, postgresql_url: str, undisturbed: Verdicts
) -> None:
    with scene(tmp_path, postgresql_url, NATION) as made:
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
    with scene(tmp_path, postgresql_url, NATION) as made:
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
        check(made, undisturbed, in_flight=2 * made.crawls)


@pytest.mark.timeout(300)
def test_a_full_disk_costs_only_time(tmp_path: Path, postgresql_url: str, undisturbed: Verdicts) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here: it takes root")
    try:
        with scene(tmp_path, postgresql_url, NATION) as made:
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
    with scene(tmp_path, postgresql_url, NATION) as made:
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
