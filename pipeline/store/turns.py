"""Whose turn it is: places that several processes ask, such as a model's server, and when the next may do so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.store.database import Database
from pipeline.store.tables import turns


class Turns:
    """Times are the database's own, so that machines need not agree on the hour. Every method raises StoreError where
    the database cannot be written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def slot(self, place: str, delay_s: float) -> float:
        """Reserves the next turn at a place: seconds from now until it. The one after it is at least delay_s later."""
        with self._database.writing(f"take a turn at {place}") as connection:
            now, free = _free(connection, place)
            at = max(now, free)
            connection.execute(_at(place, at + timedelta(seconds=delay_s)))
        return (at - now).total_seconds()

    def hold(self, place: str, seconds: float) -> None:
        """Nobody's turn is sooner than that."""
        with self._database.writing(f"leave {place} alone") as connection:
            now, free = _free(connection, place)
            connection.execute(_at(place, max(free, now + timedelta(seconds=seconds))))


def _free(connection: Connection, place: str) -> tuple[datetime, datetime]:
    """Now, and when the place is free; others wait for the end of the transaction."""
    onto = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = {"place": place, "next": datetime.fromtimestamp(0, UTC)}
    connection.execute(onto.insert(turns).values(first).on_conflict_do_nothing())
    free = connection.execute(select(turns.c.next).where(turns.c.place == place).with_for_update()).scalar_one()
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC), free
    return connection.execute(select(func.clock_timestamp())).scalar_one(), free


def _at(place: str, when: datetime) -> Any:
    return update(turns).where(turns.c.place == place).values(next=when)
