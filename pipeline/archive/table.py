"""The archive's index as a table of the PostgreSQL that several machines share. Derived: it may be dropped any time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Identity,
    Integer,
    MetaData,
    Select,
    Text,
    UniqueConstraint,
    create_engine,
    make_url,
    select,
    text,
)
from sqlalchemy import Index as TableIndex
from sqlalchemy import Table as Definition
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.archive.rows import COLUMNS, READ, Contents, Entry, Owned, entry
from pipeline.errors import StorageError

T = TypeVar("T")
# PostgreSQL restarts in seconds, after a crash of a large one in tens of them.
PATIENCE_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_LOCK = 0x414B4152  # any number that is ours, and not the store's
_ROWS = 1_000
_UNDEFINED_TABLE = "42P01"


def _words(name: str) -> Column[str]:
    return Column(name, Text(collation="C"), nullable=False)


# Another shape of rows is another table: its name ends in the version.
_METADATA = MetaData()
_TABLE = Definition(
    "archive_index_1",
    _METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    *(_words(name) for name in COLUMNS if name not in ("status", "offset", "length")),
    *(Column(name, kind, nullable=False) for name, kind in (("status", Integer), ("offset", BigInteger))),
    Column("length", BigInteger, nullable=False),
    UniqueConstraint("warc", "offset"),
)
TableIndex("archive_index_1_body", _TABLE.c.sha256)
TableIndex("archive_index_1_run", _TABLE.c.run_id, _TABLE.c.warc, _TABLE.c.offset)
# An address may be longer than a B-tree takes.
TableIndex("archive_index_1_address", _TABLE.c.final_url, postgresql_using="hash")
_COLUMNS = [_TABLE.c[name] for name in READ]
_IN_ORDER = (_TABLE.c.run_id, _TABLE.c.warc, _TABLE.c.offset)


class Table:
    """The table at that database. A database that restarts is waited for, a minute at most; StorageError then."""

    def __init__(self, database_url: str, contents: Contents) -> None:
        self._url = database_url
        self._contents = contents
        self._engine = _take(database_url)
        self._open = True
        self._ready = False

    def close(self) -> None:
        if self._open:
            self._open = False
            _give_back(self._url)

    def add(self, owned: Iterable[Owned]) -> int:
        """Indexes these records; those it knows are left alone. Returns which making of the table holds them (oid)."""
        given = list(owned)

        def act(connection: Connection) -> int:
            _insert(connection, given)
            return int(connection.execute(text("SELECT 'archive_index_1'::regclass::oid")).scalar_one())

        return self._on_database(act)

    def is_empty(self) -> bool:
        return not self._on_database(_is_filled)

    def known(self, run_id: str = "") -> set[str]:
        """The WARCs (of a run) that it has records of."""
        query = select(_TABLE.c.warc).distinct()
        if run_id:
            query = query.where(_TABLE.c.run_id == run_id)
        return self._on_database(lambda connection: set(connection.execute(query).scalars()))

    def of_body(self, sha256: str) -> list[Entry]:
        """Every record with that body, oldest run first."""
        where = (_TABLE.c.sha256 == sha256) & (_TABLE.c.record != "revisit")
        return self._entries(select(*_COLUMNS).where(where).order_by(*_IN_ORDER))

    def of_run(self, run_id: str) -> list[Entry]:
        """Every record of a run in the order of writing."""
        return self._entries(select(*_COLUMNS).where(_TABLE.c.run_id == run_id).order_by(*_IN_ORDER))

    def last_page(self, final_url: str, runs: Sequence[str]) -> Entry | None:
        """The newest record of these runs in which that address gave a page: 200, or a revisit of one."""
        received = (_TABLE.c.status == 200) & _TABLE.c.record.in_(("response", "revisit"))
        page = received | (_TABLE.c.status == 304) & (_TABLE.c.record == "revisit")
        where = (_TABLE.c.final_url == final_url) & _TABLE.c.run_id.in_(runs) & page
        newest = (column.desc() for column in (_TABLE.c.fetched_at, *_IN_ORDER))
        return next(iter(self._entries(select(*_COLUMNS).where(where).order_by(*newest).limit(1))), None)

    def first_with(self, sha256: str, final_url: str) -> Entry | None:
        """The oldest answer of status 200 with that body at that address."""
        same = (_TABLE.c.sha256 == sha256) & (_TABLE.c.final_url == final_url)
        where = same & (_TABLE.c.status == 200) & (_TABLE.c.record == "response")
        oldest = select(*_COLUMNS).where(where).order_by(_TABLE.c.fetched_at, *_IN_ORDER).limit(1)
        return next(iter(self._entries(oldest)), None)

    def _entries(self, query: Select[Any]) -> list[Entry]:
        return [entry(row) for row in self._on_database(lambda connection: connection.execute(query).all())]

    # --- the database -------------------------------------------------------------------------------------------------

    def _on_database(self, act: Callable[[Connection], T]) -> T:
        """What `act` returns, each statement being a transaction; it is called again where it was cut off."""
        deadline, wait_s = time.monotonic() + PATIENCE_S, _FIRST_WAIT_S
        while True:
            try:
                self._make()
                with self._engine.connect() as connection:
                    return act(connection)
            except (OperationalError, InterfaceError, PoolTimeout) as error:
                if time.monotonic() > deadline:
                    raise self._unusable(error) from error
            except ProgrammingError as error:
                if getattr(error.orig, "sqlstate", "") != _UNDEFINED_TABLE or time.monotonic() > deadline:
                    raise self._unusable(error) from error
                self._ready = False  # dropped meanwhile
                continue
            except SQLAlchemyError as error:
                raise self._unusable(error) from error
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _unusable(self, error: Exception) -> StorageError:
        shown = make_url(self._url).render_as_string(hide_password=True)
        return StorageError(
            f"the archive's index in {shown} cannot be used ({getattr(error, 'orig', error)}); see that the database "
            "is up and lets you in, then run again: nothing is lost"
        )

    def _make(self) -> None:
        """Makes the table where it is missing, and fills it from the storage where it is empty."""
        if self._ready:
            return
        with self._engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
            if not _is_filled(connection):
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                _METADATA.create_all(connection)
                if not _is_filled(connection):  # nobody was faster
                    _insert(connection, self._contents.whole())
        self._ready = True


def _is_filled(connection: Connection) -> bool:
    there = connection.execute(text("SELECT to_regclass('archive_index_1')")).scalar() is not None
    return there and connection.execute(select(_TABLE.c.id).limit(1)).first() is not None


def _insert(connection: Connection, owned: Iterable[Owned]) -> None:
    rows = (dict(zip(COLUMNS, row, strict=True)) for each in owned for row in each.rows())
    statement = insert(_TABLE).on_conflict_do_nothing()
    while some := list(islice(rows, _ROWS)):
        connection.execute(statement, some)


# --- one engine a process and database --------------------------------------------------------------------------------

_engines: dict[str, tuple[Engine, int]] = {}
_guard = threading.Lock()


def _take(url: str) -> Engine:
    with _guard:
        engine, users = _engines.get(url) or (create_engine(url, pool_pre_ping=True, isolation_level="AUTOCOMMIT"), 0)
        _engines[url] = (engine, users + 1)
        return engine


def _give_back(url: str) -> None:
    with _guard:
        engine, users = _engines.pop(url)
        if users > 1:
            _engines[url] = (engine, users - 1)
        else:
            engine.dispose()


def _let_go() -> None:
    """A forked child must not speak on its parent's connections."""
    for engine, _ in _engines.values():
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_let_go)
