"""The tables of Procrastinate: made on first use, and refused where they are those of another version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import StoreError

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_LOCK = 0x414B5153  # of advisory locks, beside that of the store's migrations
_FUNCTION = re.compile(r"^CREATE FUNCTION (\w+)", re.MULTILINE)
_EXISTS = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL"
_MISSING = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regproc(name) IS NULL ORDER BY name"


async def prepare(connection: AsyncConnection) -> None:
    """Makes the tables where there are none. Raises StoreError where an older version made those that are there."""
    from procrastinate.schema import SchemaManager

    schema = SchemaManager.get_schema()
    async with connection.transaction():
        if not await _exists(connection):
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if not await _exists(connection):
                await connection.execute(schema)
    cursor = await connection.execute(_MISSING, [_FUNCTION.findall(schema)])
    if missing := [str(row[0]) for row in await cursor.fetchall()]:
        raise StoreError(
            "the tables of the task queue in this database are of an older version than the Procrastinate installed "
            f"here (no {', '.join(missing[:3])}). Stop all workers, then apply the files of {_migrations()} that are "
            "newer than it, in the order of their names (psql -f FILE); what is to be done is kept elsewhere"
        )


async def _exists(connection: AsyncConnection) -> bool:
    row = await (await connection.execute(_EXISTS)).fetchone()
    return bool(row and row[0])


def _migrations() -> str:
    from procrastinate.schema import SchemaManager

    return SchemaManager.get_migrations_path()
