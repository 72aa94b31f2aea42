"""The engine of a survey on many machines: errands are put, workers do them, and what stops is taken up by others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from pipeline.cluster import jobs, schema
from pipeline.cluster.errand import Errand, Seen, Stage
from pipeline.cluster.holds import RENEWED, Holds
from pipeline.cluster.link import Link
from pipeline.cluster.sweep import Sweep
from pipeline.errors import StoreError

if TYPE_CHECKING:
    from procrastinate import App

    from pipeline.cluster.attempts import Attempts, Do, GiveUp

# Long enough for a database that restarts within half a minute to cost nobody a municipality.
LEASE_S = 90.0
RETRY_S = 30.0
_POLL_S = 5.0  # a job that is put back wakes nobody by itself
_LOOK_S = 2.0  # between two looks whether all is done, where nothing is under way here
_GLANCE_S = 0.1
_LEAVE_S = 5.0  # at the end, for a database that is away
_RESTART_S = 5.0


class Engine:
    """An async context manager. lease_s: seconds until a municipality whose worker is gone may be taken by another;
    retry_s: until an errand that failed is tried a second time.

    Raises InputError: not PostgreSQL, or the extra `cluster` is not installed. Raises StoreError where the database
    cannot be used.
    """

    def __init__(self, database_url: str, *, lease_s: float = LEASE_S, retry_s: float = RETRY_S) -> None:
        self._link = Link(database_url)
        self._lease_s = lease_s
        self._retry_s = retry_s

    async def __aenter__(self) -> Engine:
        await self._link.__aenter__()
        try:
            async with self._link.pool.connection() as connection:
                await schema.prepare(connection)
        except BaseException:
            await self._link.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._link.__aexit__(*error)

    async def put(self, errands: Iterable[Errand]) -> int:
        """Queues errands; returns how many, those left out that are queued already."""
        return await jobs.put(self._link, errands)

    async def cancel(self, wave: str, codes: Collection[str] = ()) -> int:
        """Takes back the errands of a wave (of these municipalities) and stops those under way; returns how many. What
        is to be done must say so by then, or they are put again."""
        return await jobs.cancel(self._link, wave, codes)

    async def workers(self) -> list[Seen]:
        """The workers at this database."""
        return await jobs.seen(self._link)

    async def work(
        self,
        do: Do,
        *,
        crawls: int,
        judges: int,
        unfinished: Callable[[], Iterable[Errand]],
        give_up: GiveUp,
        until_idle: bool = False,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Does errands until SIGTERM or SIGINT, or with until_idle until nothing is unfinished.

        do: awaited for each errand, at most `crawls` and `judges` of them at once. It begins by looking whether there
        is anything to do, since an errand may come twice, and on cancellation leaves things so that another can go on.
        What it raises means "try again later"; after the last try give_up(errand, hold, error) is called. unfinished:
        what is to be done by the store; like give_up it is called in a thread. tell: what an operator must know.
        """
        from pipeline.cluster.attempts import Attempts

        self._link.tell = tell
        self._link.stay()
        holds = Holds(self._link, self._lease_s)
        attempts = Attempts(self._link, holds, do, give_up, retry_s=self._retry_s)
        sweep = Sweep(self._link, unfinished, self._lease_s)
        stages: dict[Stage, int] = {"crawl": crawls, "judge": judges}
        async with _stopping(tell) as stopped, _beside(holds.keep(), sweep.keep()), _app(self._link, attempts) as app:
            working = [self._supervise(app, stage, most) for stage, most in stages.items() if most]
            idle = [_idle(attempts, sweep, min(_LOOK_S, self._lease_s * RENEWED))] if until_idle else []
            async with _beside(*working, leaving=lambda: self._link.leave(min(_LEAVE_S, self._lease_s))):
                await _first(stopped.wait(), *idle)

    async def _supervise(self, app: App, stage: Stage, most: int) -> None:
        """A worker of Procrastinate, started again where it ends by itself. Told to end while the database is away, it
        raises what it met there instead of having been cancelled."""
        while not self._link.leaving:
            try:
                await app.run_worker_async(
                    queues=[stage],
                    name=stage,
                    concurrency=most,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=0.0,
                    fetch_job_polling_interval=min(_POLL_S, self._lease_s * RENEWED),
                    abort_job_polling_interval=min(_POLL_S, self._lease_s * RENEWED),
                    update_heartbeat_interval=self._lease_s * RENEWED,
                    stalled_worker_timeout=self._lease_s,
                )
            except Exception as error:
                if self._link.leaving:
                    return
                self._link.tell(f"The {stage} worker stopped ({error!r}): it is started again.")
            else:
                self._link.tell(f"The {stage} worker stopped by itself: it is started again.")
            await asyncio.sleep(min(_RESTART_S, self._lease_s))


@asynccontextmanager
async def _app(link: Link, attempts: Attempts) -> AsyncIterator[App]:
    """Procrastinate with the one task there is. What it fetched and did not end goes back afterwards."""
    from procrastinate import App

    from pipeline.cluster.attempts import Verdict
    from pipeline.cluster.connector import Connector

    connector = Connector(link)
    await connector.open_async(link.pool)
    app = App(connector=connector)
    app.task(name=jobs.TASK, pass_context=True, retry=Verdict())(attempts.run)
    try:
        yield app
    finally:
        with suppress(StoreError):  # away: the others find them
            await jobs.put_back(link, connector.unended())


async def _idle(attempts: Attempts, sweep: Sweep, look_s: float) -> None:
    """Returns when nothing is unfinished."""
    while attempts.running or not await sweep.nothing_left():
        await asyncio.sleep(_GLANCE_S if attempts.running else look_s)


async def _first(*waiting: Coroutine[Any, Any, object]) -> None:
    """Returns when one of them has; raises what it raised."""
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def _beside(
    *running: Coroutine[Any, Any, None], leaving: Callable[[], object] = lambda: None
) -> AsyncIterator[None]:
    """Runs them while the block does, and ends them after it."""
    tasks = [asyncio.create_task(one) for one in running]
    try:
        yield
    finally:
        leaving()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _stopping(tell: Callable[[str], None]) -> AsyncIterator[asyncio.Event]:
    """An event that the first SIGTERM or SIGINT sets; the second ends the process at once."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop(number: int) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()
        tell("Stopping: what is under way goes back, for other workers or a later start. Once more ends at once.")

    handled: list[signal.Signals] = []
    with suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread, or not a system with signals
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
            handled.append(number)
    try:
        yield stopped
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
