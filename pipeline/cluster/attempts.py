"""One attempt after another at what the jobs of this process ask for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job

from pipeline.cluster import jobs
from pipeline.cluster.errand import Errand
from pipeline.cluster.holds import Hold, Holds
from pipeline.cluster.link import Link
from pipeline.errors import AkashiError, LostError

TRIES = 8
LONGEST_WAIT_S = 3600.0
# Until a municipality that another has is asked for again: at first soon (its crawl is ending, and this is its
# judging), then twice as long each time.
_BUSY_S, _BUSY_AT_MOST_S = 0.5, 15.0

Do = Callable[[Errand, Hold], Awaitable[object]]
GiveUp = Callable[[Errand, Hold, Exception], None]


class AgainError(Exception):
    """The job is to be tried again. at: when, by the database's clock."""

    def __init__(self, at: Any) -> None:
        super().__init__("to be tried again")
        self.at = at


class Verdict(BaseRetryStrategy):
    """An attempt that was cancelled for a worker's end is anybody's at once; other ends are as the attempt says."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, AgainError):
            return RetryDecision(retry_at=exception.at)
        return RetryDecision() if isinstance(exception, asyncio.CancelledError) else None


class Attempts:
    """retry_s: seconds until the second try; each wait is twice the one before it, up to LONGEST_WAIT_S."""

    def __init__(self, link: Link, holds: Holds, do: Do, give_up: GiveUp, *, retry_s: float) -> None:
        self._link = link
        self._holds = holds
        self._do = do
        self._give_up = give_up
        self._retry_s = retry_s
        self.running = 0

    async def run(self, context: JobContext, *, wave: str, code: str, stage: Any, failures: int = 0) -> None:
        """What Procrastinate awaits for a job."""
        errand = Errand(wave, code, stage, priority=context.job.priority)
        self.running += 1
        try:
            hold = await self._holds.take(errand)
            if hold is None:
                wait_s = min(_BUSY_S * 2 ** min(context.job.attempts, 10), _BUSY_AT_MOST_S)
                raise await self._again(context.job, wait_s, failures)
            try:
                await self._attempt(context, errand, hold, failures)
            finally:
                await self._holds.free(hold)
        finally:
            self.running -= 1

    async def _attempt(self, context: JobContext, errand: Errand, hold: Hold, failures: int) -> None:
        try:
            if failures >= TRIES:
                error = AkashiError(f"its worker was lost {failures} times while it was being worked on")
                await asyncio.to_thread(self._give_up, errand, hold, error)
            else:
                await self._unless_lost(errand, hold)
        except LostError:
            return
        except asyncio.CancelledError:
            if hold.lost:
                return
            if context.abort_reason() is AbortReason.USER_REQUEST:
                raise JobAborted from None
            raise
        except Exception as error:
            await self._fail(context.job, errand, hold, error, failures)

    async def _unless_lost(self, errand: Errand, hold: Hold) -> None:
        async def do() -> None:
            await self._do(errand, hold)

        task = asyncio.create_task(do(), name=errand.key)
        hold.on_loss = task.cancel
        await task

    async def _fail(self, job: Job, errand: Errand, hold: Hold, error: Exception, failures: int) -> None:
        """Raises AgainError, or gives up where the tries are used up. What fails while the database is away does not
        count."""
        if not await self._link.answers():
            raise await self._again(job, 0.0, failures) from error
        failures += 1
        if failures >= TRIES and await self._given_up(errand, hold, error):
            return
        wait_s = min(self._retry_s * 2 ** (failures - 1), LONGEST_WAIT_S)
        raise await self._again(job, wait_s, min(failures, TRIES - 1)) from error

    async def _given_up(self, errand: Errand, hold: Hold, error: Exception) -> bool:
        """False where even that failed: then it is tried once more after the longest wait so far."""
        try:
            await hold.enter()
            await asyncio.to_thread(self._give_up, errand, hold, error)
        except LostError:
            return True
        except Exception as second:
            self._link.tell(f"Municipality {errand.code}: could not be given up ({second}); it is tried again.")
            return False
        self._link.tell(f"Municipality {errand.code}: given up after {TRIES} tries: {error}")
        return True

    async def _again(self, job: Job, wait_s: float, failures: int) -> AgainError:
        assert job.id is not None and job.worker_id is not None
        wait_s *= random.uniform(0.8, 1.0)
        return AgainError(await jobs.postpone(self._link, job.id, job.worker_id, wait_s, failures))
