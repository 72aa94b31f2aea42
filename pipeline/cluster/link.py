"""The connection of a worker to PostgreSQL: it waits for a database that is away, and goes on when it is back."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from pipeline.errors import InputError, StoreError
from pipeline.store.opening import open_database

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

T = TypeVar("T")

CONNECTIONS = 6  # of one worker at most, beside the one that listens; a statement here takes about a millisecond
_ANSWER_S = 2.0  # until a connection is had; longer, and the database is away
_LAST_ANSWER_S = 0.5  # the same while the worker ends, when one statement follows another
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 2.0
_TOLD_AFTER_S = 1.0  # shorter absences (a connection that was cut) are nobody's concern
# Outside of a worker, where a person waits for the answer.
PATIENCE_S = 30.0
# A machine that vanished answers nothing at all: without these its connections would hang for hours.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
NAMED = "akashi worker "  # in application_name, before the name of the worker


class Link:
    """An async context manager. patience_s: how long a statement waits for a database that is away; then StoreError."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._address = _address(database_url)
        self.name = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(2)}"
        self.patience_s = PATIENCE_S
        self.tell: Callable[[str], None] = _quiet
        self._away_since: float | None = None
        self._told = False
        self._missed_at = -math.inf
        self._leaving_at: float | None = None

    async def __aenter__(self) -> Link:
        from psycopg_pool import AsyncConnectionPool

        for name in ("procrastinate", "psycopg.pool"):  # what an operator must know is told here
            logging.getLogger(name).addHandler(logging.NullHandler())
        (await asyncio.to_thread(open_database, self._url)).dispose()  # creates and migrates the tables
        self.pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            self._address,
            kwargs=_settings(self._address, "akashi"),
            configure=_configure,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=_ANSWER_S,
            reconnect_timeout=2.0,  # its own waits double without an end: ours decide when it tries again
            open=False,
        )
        async with AsyncExitStack() as opened:
            await self.pool.open()
            opened.push_async_callback(self.pool.close)
            await self.rows("SELECT 1", {})
            self._opened = opened.pop_all()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._opened.aclose()

    def steady_s(self) -> float:
        """How long the database has answered everything, in seconds."""
        return time.monotonic() - self._missed_at

    def stay(self) -> None:
        """Is a worker from now on: everything waits for the database as long as it takes, and connections made from now
        on (the one that listens) carry its name."""
        self.patience_s, self._leaving_at, self.pool.timeout = math.inf, None, _ANSWER_S
        self.pool.kwargs = _settings(self._address, NAMED + self.name)

    @property
    def leaving(self) -> bool:
        """Whether the worker is ending."""
        return self._leaving_at is not None

    def leave(self, within_s: float) -> None:
        """Nothing waits for the database after so many seconds from now."""
        self._leaving_at = time.monotonic() + within_s
        self.pool.timeout = _LAST_ANSWER_S

    async def rows(
        self, query: str, values: Mapping[str, Any], sending: Callable[[], object] = lambda: None
    ) -> list[DictRow]:
        """What the statement, a transaction of its own, returns. It is sent again where its answer was lost; `sending`
        is called each time before."""
        import psycopg

        async def ask() -> list[DictRow]:
            sending()
            return await self._rows(query, values)

        try:
            return await self.patiently(ask)
        except psycopg.Error as error:
            raise StoreError(f"the database did not do what a survey of many needs: {error}") from error

    async def answers(self) -> bool:
        """Whether the database answers now."""
        import psycopg

        try:
            await self._rows("SELECT 1", {})
        except psycopg.Error:
            return False
        return True

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` returns, asked again as long as the database is away or lets two wait for each other."""
        began, wait_s = time.monotonic(), 0.0
        while True:
            try:
                answer = await ask()
            except Exception as error:
                if not passes(error) or self._over(began):
                    raise
                self._miss(error)
            else:
                self._find()
                return answer
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(max(2 * wait_s, _FIRST_WAIT_S), _LONGEST_WAIT_S)

    async def _rows(self, query: str, values: Mapping[str, Any]) -> list[DictRow]:
        from psycopg.rows import dict_row

        async with self.pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    def _over(self, began: float) -> bool:
        now = time.monotonic()
        return now - began > self.patience_s or (self._leaving_at is not None and now > self._leaving_at)

    def _miss(self, error: Exception) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        self._missed_at = now
        if not self._told and now - self._away_since > _TOLD_AFTER_S:
            self._told = True
            reason = " ".join(str(error.__cause__ or error).split())
            self.tell(f"The database does not answer ({reason}): waiting for it, nothing is given up.")

    def _find(self) -> None:
        if self._told and self._away_since is not None:
            self.tell(f"The database answers again, after {time.monotonic() - self._away_since:.0f} s.")
        self._away_since, self._told = None, False


def passes(error: BaseException) -> bool:
    """Whether the same statement may succeed later: the database is away, starting, not yet the one that writes, or
    ended two transactions' waiting for each other."""
    import psycopg
    from psycopg import errors

    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, errors.QueryCanceled):
        return False
    kinds = (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction)
    return isinstance(cause, kinds)


def lacking() -> list[str]:
    """The packages of the extra `cluster` that a worker needs and that are not installed."""
    return [name for name in ("procrastinate", "psycopg_pool") if find_spec(name) is None]


def _address(database_url: str) -> str:
    """The URL as libpq wants it. Raises InputError: not PostgreSQL, or the extra is not installed."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise InputError(f"CLASSIFY_DB is not a database URL: {error}") from error
    if url.get_backend_name() != "postgresql":
        raise InputError(
            f"many machines share a survey through PostgreSQL, and this is a {url.get_backend_name()} database: set "
            "CLASSIFY_DB=postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        )
    if missing := lacking():
        raise InputError(
            f"workers on many machines need the Python package {missing[0]}: install the extra `cluster` "
            "(pip install 'akashi[cluster]')"
        )
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _settings(address: str, name: str) -> dict[str, Any]:
    """For each connection, under that name; where the address says otherwise about the network, that counts."""
    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(address)
    return {key: value for key, value in _NETWORK.items() if key not in given} | {
        "application_name": name,
    }


async def _configure(connection: AsyncConnection) -> None:
    """A statement is a transaction of its own, without two more round trips."""
    await connection.set_autocommit(True)


def _quiet(_line: str) -> None:
    """Nobody is told."""
