"""Who has which municipality: a lease in the database, and how long a worker may trust that it still has it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence

from pipeline.cluster import turns
from pipeline.cluster.errand import Errand
from pipeline.cluster.link import Link
from pipeline.errors import LostError

# A request that leaves at the last trusted moment is over, or nearly, before anybody else may take the municipality.
TRUSTED = 2 / 3
RENEWED = 1 / 4

_TAKE = """
INSERT INTO holds (code, holder, until)
VALUES (%(code)s, %(holder)s, clock_timestamp() + make_interval(secs => %(lease_s)s))
ON CONFLICT (code) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE holds.until < clock_timestamp() OR holds.holder = excluded.holder
RETURNING holder
"""
_RENEW = """
UPDATE holds SET until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE (code, holder) IN (SELECT * FROM unnest(%(codes)s::text[], %(holders)s::text[])) RETURNING holder
"""
_FREE = "DELETE FROM holds WHERE code = %(code)s AND holder = %(holder)s"


def moment() -> float:
    """Seconds by a clock that goes on while the process is stopped and, where there is such, the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Hold:
    """One attempt's lease on a municipality. holder: unique to the attempt, for Waves.move(holder=...)."""

    def __init__(self, holds: Holds, code: str, holder: str, trusted_until: float) -> None:
        self.code = code
        self.holder = holder
        self.trusted_until = trusted_until
        self.lost = False
        self.on_loss: Callable[[], object] = lambda: None
        self._holds = holds

    async def enter(self) -> None:
        """Returns when this attempt may still act; waits while that cannot be known. Raises LostError."""
        while not self.lost and moment() >= self.trusted_until:
            await self._holds.renew(unless=self)
        if self.lost:
            raise LostError(f"another worker has municipality {self.code} by now")

    async def slot(self, places: Sequence[str], delay_s: float) -> float:
        """The next turn at all of these places for one request, in seconds from now; nobody else gets one there within
        delay_s after it. Raises LostError."""
        await self.enter()
        return await turns.reserve(self._holds.link, places, delay_s)

    async def hold(self, places: Sequence[str], seconds: float) -> None:
        """Nobody may ask there for so long."""
        await turns.close(self._holds.link, places, seconds)


class Holds:
    """The holds of this process. lease_s: seconds until a municipality whose worker is gone may be taken by another."""

    def __init__(self, link: Link, lease_s: float) -> None:
        self.link = link
        self._lease_s = lease_s
        self._held: dict[str, Hold] = {}  # by holder
        self._renewing = asyncio.Lock()

    async def take(self, errand: Errand) -> Hold | None:
        """The municipality for a new attempt, or None where somebody has it."""
        holder = f"{self.link.name}/{errand.stage}/{secrets.token_hex(6)}"
        hold = Hold(self, errand.code, holder, 0.0)
        values = {"code": errand.code, "holder": holder, "lease_s": self._lease_s}
        if not await self._trusting([hold], _TAKE, values):
            return None
        self._held[holder] = hold
        return hold

    async def renew(self, unless: Hold | None = None) -> None:
        """Prolongs all of them in one statement, unless that one has been prolonged meanwhile. An attempt that has lost
        its municipality is told."""
        async with self._renewing:
            if unless is not None and moment() < unless.trusted_until:
                return
            held = list(self._held.values())
            values = {"codes": [one.code for one in held], "holders": [one.holder for one in held]}
            still = await self._trusting(held, _RENEW, values | {"lease_s": self._lease_s})
            for hold in held:
                if hold.holder not in still and hold.holder in self._held:
                    self._lose(hold)

    async def keep(self) -> None:
        """Renews until cancelled."""
        while True:
            await asyncio.sleep(self._lease_s * RENEWED)
            if self._held:
                await self.renew()

    async def free(self, hold: Hold) -> None:
        """Others may take the municipality at once; whatever of the attempt is still running has lost it."""
        self._held.pop(hold.holder, None)
        if not hold.lost:
            hold.lost = True
            await self.link.rows(_FREE, {"code": hold.code, "holder": hold.holder})

    async def _trusting(self, held: Sequence[Hold], query: str, values: dict[str, object]) -> set[str]:
        """The holders that the statement returns; their holds are trusted from the moment it was sent."""
        sent = moment()

        def sending() -> None:
            nonlocal sent
            sent = moment()

        still = {str(row["holder"]) for row in await self.link.rows(query, values, sending)}
        for hold in held:
            if hold.holder in still:
                hold.trusted_until = sent + self._lease_s * TRUSTED
        return still

    def _lose(self, hold: Hold) -> None:
        del self._held[hold.holder]
        hold.lost = True
        self.link.tell(f"Municipality {hold.code}: another worker has it by now; what was under way here ends.")
        hold.on_loss()
