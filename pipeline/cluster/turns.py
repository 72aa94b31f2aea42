"""Turns at places that several workers ask (an IP address, a host, a model's server), by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cluster.link import Link

KEPT_S = 3600  # a turn long past tells nothing

# All places are locked in one order before any is read, so that two requests neither wait for each other nor get one
# turn. Where a place is not there yet nothing is changed and no row returned.
_TURN = """
WITH locked AS MATERIALIZED (
    SELECT next FROM turns WHERE place = ANY(%(places)s) ORDER BY place FOR UPDATE
), turn AS MATERIALIZED (
    SELECT greatest(max(next), clock_timestamp()) AS at FROM locked HAVING count(*) = cardinality(%(places)s::text[])
)
UPDATE turns SET next = turn.at + make_interval(secs => %(delay_s)s) FROM turn WHERE place = ANY(%(places)s)
RETURNING extract(epoch FROM turn.at - clock_timestamp())::float8 AS wait_s
"""
_PLACES = "INSERT INTO turns SELECT unnest(%(places)s::text[]), clock_timestamp() ON CONFLICT (place) DO NOTHING"
_HOLD = """
INSERT INTO turns SELECT unnest(%(places)s::text[]), clock_timestamp() + make_interval(secs => %(seconds)s)
ON CONFLICT (place) DO UPDATE SET next = greatest(turns.next, excluded.next)
"""
FORGET = """
DELETE FROM turns WHERE place IN (
    SELECT place FROM turns WHERE next < clock_timestamp() - make_interval(secs => %(kept_s)s)
    ORDER BY place FOR UPDATE SKIP LOCKED
)
"""


async def reserve(link: Link, places: Sequence[str], delay_s: float) -> float:
    """The next turn at all of the places, in seconds from now; the one after it is at least delay_s later."""
    values = {"places": _ordered(places), "delay_s": float(delay_s)}
    if not places:
        return 0.0
    while not (rows := await link.rows(_TURN, values)):
        await link.rows(_PLACES, values)
    return max(0.0, float(rows[0]["wait_s"]))


async def close(link: Link, places: Sequence[str], seconds: float) -> None:
    """Nobody gets a turn there for so long from now; turns given before stand."""
    await link.rows(_HOLD, {"places": _ordered(places), "seconds": float(seconds)})


def _ordered(places: Sequence[str]) -> list[str]:
    """Each once, sorted as the column sorts: by code point."""
    return sorted(set(places))
