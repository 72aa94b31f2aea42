"""Opens the database: its file, its settings, and the migrations it lacks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError as SqliteError
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StoreError
from pipeline.store.tables import VERSION

_BUSY_TIMEOUT_S = 30.0
_MIGRATION_LOCK = 0x414B4153  # any number that is ours, for PostgreSQL's advisory locks
# synchronous=FULL: in WAL mode the default survives a killed process but may lose the last commits to a power cut, and
# a person's decision cannot be recomputed. One fsync a commit is nothing beside a person's thinking or a crawl.
_PRAGMAS = ("foreign_keys=ON", "synchronous=FULL", "recursive_triggers=ON")


def open_database(database_url: str) -> Engine:
    """The database at that SQLAlchemy URL, created and migrated as needed. Raises StoreError.

    A SQLite file and its folder are created readable by their owner only (0600, 0700).
    """
    engine: Engine | None = None
    try:
        url = make_url(database_url)
        if url.get_backend_name() == "sqlite":
            _create_file(url.database)
        # A server that was restarted leaves connections that look alive: each is tried before it is used.
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        _migrate(engine)
    except (SQLAlchemyError, OSError, ImportError, SqliteError) as error:
        _dispose(engine)
        raise StoreError(f"cannot open the database {_shown(database_url)}: {getattr(error, 'orig', error)}") from error
    except StoreError:
        _dispose(engine)
        raise
    return engine


def writing(engine: Engine) -> Connection:
    """A connection whose transactions take SQLite's write lock when they begin.

    A transaction that read first and wrote later would fail at once, whatever the busy timeout, if another wrote
    between.
    """
    return engine.connect().execution_options(akashi_writes=True)


def _dispose(engine: Engine | None) -> None:
    if engine is not None:
        engine.dispose()


def _shown(database_url: str) -> str:
    try:
        return make_url(database_url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(not a database URL; expected for example sqlite:///akashi.db)"


def _create_file(database: str | None) -> None:
    if not database or database == ":memory:" or database.startswith("file:"):
        return
    path = Path(database)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Never opened where it exists: closing a descriptor of a SQLite file drops this process's locks on it.
    if not path.exists():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return


def _set_up_sqlite(connection: SqliteConnection, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction by itself: _begin_sqlite does
    connection.execute(f"PRAGMA busy_timeout={int(_BUSY_TIMEOUT_S * 1000)}")
    _use_wal(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: SqliteConnection) -> None:
    # The switch to WAL answers "locked" at once, without the busy timeout, while another process makes the same switch.
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except SqliteError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("akashi_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if _version(connection) == VERSION:
            return
    with writing(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    current = _version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the database was written by a newer Akashi (version {current}, this one knows {VERSION}): update Akashi"
        )
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"cannot migrate the database from version {current} to {VERSION}: {error}") from error
