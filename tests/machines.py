"""Machines that survey a simulated nation together.

Each has a workspace and a cache of its own, as a machine has; they share PostgreSQL and the archive's storage.
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
from commands import CLASSIFY, environment
from nations import served

from benchmarks.nation import Nation, checks, registry
from benchmarks.nation.server import Serving
from pipeline.models import WaveCity
from pipeline.store.store import Store

OPTIONS = ("--allow-private", "--speed", "never", "--as-of", "2026-11-20")

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
    delay_s: float = 0.2
    crawls: int = 4
    settings: dict[str, str] = field(default_factory=dict)
    archive: Path | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, machine: str) -> dict[str, str]:
        shared = {"CLASSIFY_DB": self.database_url, "CLASSIFY_ARCHIVE": str(self.archive or self.folder / "archive")}
        short = {"CLASSIFY_LEASE_S": "3", "CLASSIFY_RETRY_S": "1"}
        return environment(self.folder / machine, **shared, **short, **self.serving.environment(), **self.settings)

    def nation(self, *more: str) -> None:
        registry.write(self.serving.nation, self.folder / "registry.csv", self.serving.port)
        given = [
            "nation",
            "--all",
            "--registry",
            str(self.folder / "registry.csv"),
            *OPTIONS,
            "--delay",
            f"{self.delay_s:g}",
            *more,
        ]
        done = subprocess.run([CLASSIFY, *given], env=self.environment("desk"), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            machine = f"machine{len(self.workers)}"
            command = [CLASSIFY, "worker", "--until-idle", "--crawls", str(self.crawls), "--judges", "1"]
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
def scene(folder: Path, database_url: str, nation: Nation, *, delay_s: float = 0.2, crawls: int = 4) -> Iterator[Scene]:
    with served(folder, nation) as serving:
        made = Scene(folder, serving, database_url, delay_s, crawls)
        try:
            yield made
        finally:
            for worker in made.workers:
                if worker.poll() is None:
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
