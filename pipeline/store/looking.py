"""A look at a database that creates nothing and migrates nothing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StoreError
from pipeline.store.tables import VERSION

_READ_ONLY_SQL = "SHOW transaction_read_only"
_VERSION_SQL = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True)
class Look:
    """shown: the database without its password; exists: whether there is one; version: of its tables, None where there
    are none yet; wanted: what this program migrates to."""

    shown: str
    exists: bool
    version: str | None
    wanted: str = VERSION


def look(database_url: str, *, timeout_s: float) -> Look:
    """What stands at a SQLAlchemy URL, after a write transaction that writes nothing. Raises StoreError where it cannot
    be reached, read or written."""
    try:
        url = make_url(database_url)
    except SQLAlchemyError:
        raise StoreError("this is no database URL; expected for example sqlite:///akashi.db") from None
    shown = url.render_as_string(hide_password=True)
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url, shown, timeout_s)
        return _server(url, shown, timeout_s)
    except (SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
        raise StoreError(f"{shown}: {getattr(error, 'orig', None) or error}") from error


def _sqlite(url: URL, shown: str, timeout_s: float) -> Look:
    path = Path(url.database or "")
    if not path.exists():
        above = next(each for each in path.absolute().parents if each.exists())
        if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
            raise NotADirectoryError(20, f"{above} is no folder that may be written to")
        return Look(shown, exists=False, version=None)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=timeout_s)) as connection:
        connection.isolation_level = None
        sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if sound != "ok":
            raise sqlite3.DatabaseError(f"damaged: {sound}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute(_VERSION_SQL).fetchone() if known else None
    return Look(shown, exists=True, version=str(row[0]) if row else None)


def _server(url: URL, shown: str, timeout_s: float) -> Look:
    arguments = {"connect_timeout": max(1, int(timeout_s))} if url.get_backend_name() == "postgresql" else {}
    engine = create_engine(url, connect_args=arguments)
    try:
        with engine.connect() as connection:
            known = inspect(connection).has_table("alembic_version")
            version = connection.execute(text(_VERSION_SQL)).scalar() if known else None
            if engine.dialect.name == "postgresql" and connection.execute(text(_READ_ONLY_SQL)).scalar() == "on":
                raise StoreError(f"{shown}: the server lets nothing be written (transaction_read_only)")
    finally:
        engine.dispose()
    return Look(shown, exists=True, version=version)
