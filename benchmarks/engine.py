"""The engine of a survey on many machines: jobs that do nothing, turns at shared places, and a worker that waits.

    python -m benchmarks.engine [--jobs 1741] [--seconds 3] [--concurrency 50]

A private PostgreSQL cluster (which does not wait for its disk) and the workers share this machine. Prints how long it
takes to put the jobs and to do them with one and with two worker processes, turns a second of one and of four
processes, and the memory of a worker that waits.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests")]

from databases import Cluster, running_cluster  # noqa: E402

from pipeline.cluster import Engine, Errand, Hold  # noqa: E402
from pipeline.cluster.link import Link  # noqa: E402
from pipeline.cluster.turns import reserve  # noqa: E402

PROCESSES = multiprocessing.get_context("spawn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1741)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--concurrency", type=int, default=50)
    given = parser.parse_args()
    with running_cluster() as cluster:
        for count in (1, 2):
            jobs(cluster, given.jobs, count, given.concurrency)
        for count in (1, 4):
            turns(cluster, given.seconds, count)
        waiting(cluster)


def jobs(cluster: Cluster, count: int, processes: int, concurrency: int) -> None:
    with cluster.database() as url:
        put_s = asyncio.run(put(url, count))
        done: Any = PROCESSES.Value("i", 0)
        began = PROCESSES.Value("d", 0.0)
        running = [PROCESSES.Process(target=do_nothing, args=(url, done, began, concurrency)) for _ in range(processes)]
        for one in running:
            one.start()
        while done.value < count:
            time.sleep(0.01)
        took_s = time.monotonic() - began.value
        for one in running:
            one.terminate()
            one.join()
    print(f"{count} jobs: put in {put_s:.2f} s, done by {processes} process(es) in {took_s:.2f} s")


async def put(url: str, count: int) -> float:
    async with Engine(url) as engine:
        began = time.monotonic()
        await engine.put(Errand("w1", f"{900_000 + number}", "crawl") for number in range(count))
        return time.monotonic() - began


def do_nothing(url: str, done: Any, began: Any, concurrency: int) -> None:
    async def do(_errand: Errand, _hold: Hold) -> None:
        with done.get_lock():
            began.value = began.value or time.monotonic()
            done.value += 1

    asyncio.run(serve(url, do, concurrency))


async def serve(url: str, do: Callable[[Errand, Hold], Any], concurrency: int) -> None:
    async with Engine(url) as engine:
        await engine.work(do, crawls=concurrency, judges=0, unfinished=list, give_up=lambda *_given: None)


def turns(cluster: Cluster, seconds: float, processes: int) -> None:
    """Twenty requests at a time of each process, for turns at a host of its own and at one of fifty addresses."""
    with cluster.database() as url:
        asyncio.run(put(url, 0))
        counts: Any = PROCESSES.Queue()
        running = [PROCESSES.Process(target=take_turns, args=(url, seconds, n, counts)) for n in range(processes)]
        for one in running:
            one.start()
        total = sum(counts.get() for _ in running)
        for one in running:
            one.join()
    print(f"turns: {total / seconds:.0f}/s from {processes} process(es)")


def take_turns(url: str, seconds: float, number: int, counts: Any) -> None:
    async def take() -> int:
        taken, until = 0, time.monotonic() + seconds
        async with Link(url) as link:

            async def ask(who: int) -> None:
                nonlocal taken
                while time.monotonic() < until:
                    await reserve(link, [f"host {number} {who}", f"ip {(taken + who) % 50}"], 1.0)
                    taken += 1

            until = time.monotonic() + seconds
            await asyncio.gather(*(ask(who) for who in range(20)))
        return taken

    counts.put(asyncio.run(take()))


def waiting(cluster: Cluster) -> None:
    with cluster.database() as url:
        done, began = PROCESSES.Value("i", 0), PROCESSES.Value("d", 0.0)
        worker = PROCESSES.Process(target=do_nothing, args=(url, done, began, 50))
        worker.start()
        time.sleep(6)
        status = Path(f"/proc/{worker.pid}/status").read_text()
        worker.terminate()
        worker.join()
    rss = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    print(f"a worker that waits: {int(rss) / 1024:.0f} MB")


if __name__ == "__main__":
    main()
