"""Finding what nobody would be woken for any more: the jobs of workers that are gone, and jobs whose end was lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable

from pipeline.cluster import jobs, turns
from pipeline.cluster.errand import Errand
from pipeline.cluster.link import Link

_LOCK = 0x414B5357  # of advisory locks: one sweep at a time
# A process that is stopped meanwhile must not keep the others from sweeping: the database ends its transaction.
_MINE = """
SELECT pg_try_advisory_xact_lock(%(lock)s)
   AND now() - make_interval(secs => %(lease_s)s) > pg_postmaster_start_time()
   AND set_config('idle_in_transaction_session_timeout', ceil(%(lease_s)s * 1000)::text, true) <> ''
"""


class Sweep:
    """unfinished: what is to be done by the store, called in a thread."""

    def __init__(self, link: Link, unfinished: Callable[[], Iterable[Errand]], lease_s: float) -> None:
        self._link = link
        self._unfinished = unfinished
        self._lease_s = lease_s
        self._failing = False

    async def keep(self) -> None:
        """Sweeps about every lease until cancelled. Workers that were started together do not sweep together."""
        while True:
            await self._try()
            await asyncio.sleep(self._lease_s * random.uniform(0.75, 1.25))

    async def nothing_left(self) -> bool:
        """Whether nothing is unfinished; False where that cannot be known."""
        try:
            return not await self._listed()
        except Exception:
            return False

    async def _try(self) -> None:
        # After an absence the others' signs of life are as old as it was long: they get a lease to renew them.
        if self._link.steady_s() < self._lease_s:
            return
        try:
            await self._sweep()
        except Exception as error:
            if not self._failing:
                self._link.tell(f"Looking for lost errands failed ({error}): it is tried again.")
            self._failing = True
        else:
            self._failing = False

    async def _sweep(self) -> None:
        values = {"lock": _LOCK, "lease_s": self._lease_s}
        async with self._link.pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(_MINE, values)).fetchone()
            if row and row[0]:
                await jobs.revive(connection, await self._listed(), self._lease_s)
                await connection.execute(turns.FORGET, {"kept_s": turns.KEPT_S})

    async def _listed(self) -> list[Errand]:
        return await asyncio.to_thread(lambda: list(self._unfinished()))
