"""The archive's index as a file: which body is where. Derived from the WARCs, so it may be deleted at any time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pipeline.archive.rows import COLUMNS, READ, Contents, Entry, Owned, entry
from pipeline.errors import ArchiveError

T = TypeVar("T")
_VERSION = 3
_BUSY_TIMEOUT_S = 60.0
_SCHEMA = f"""
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, run_id TEXT NOT NULL, code TEXT NOT NULL, url TEXT NOT NULL,
    final_url TEXT NOT NULL, fetched_at TEXT NOT NULL, status INTEGER NOT NULL, headers TEXT NOT NULL,
    warc TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, source TEXT NOT NULL,
    record TEXT NOT NULL, UNIQUE (warc, offset)
);
CREATE INDEX by_sha256 ON snapshot (sha256);
CREATE INDEX by_run ON snapshot (run_id, warc, offset);
CREATE INDEX by_address ON snapshot (final_url, run_id);
PRAGMA user_version = {_VERSION};
"""
_INSERT = " ".join(
    ("INSERT OR IGNORE INTO snapshot", f"({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})")
)
_SELECT = " ".join(("SELECT", ", ".join(READ), "FROM snapshot "))
_IN_ORDER = "run_id, warc, offset"


class Index:
    """SQLite in WAL mode; one connection, guarded by a lock, opened when first needed. contents: what is indexed."""

    def __init__(self, folder: Path, contents: Contents) -> None:
        self._folder = folder
        self._contents = contents
        self._path = folder / "index.db"
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._guard = threading.RLock()

    def close(self) -> None:
        with self._guard:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def add(self, owned: Iterable[Owned]) -> int:
        """Indexes these records; those it knows are left alone. Returns which index file holds them (inode)."""
        rows = [row for each in owned for row in each.rows()]
        with self._guard:
            self._on_connection(lambda connection: _insert(connection, rows))
            return self._inode

    def is_empty(self) -> bool:
        with self._guard:
            return not self._select("SELECT 1 FROM snapshot LIMIT 1", ())

    def known(self, run_id: str = "") -> set[str]:
        """The WARCs (of a run) that it has records of."""
        with self._guard:
            if run_id:
                found = self._select("SELECT DISTINCT warc FROM snapshot WHERE run_id = ?", (run_id,))
            else:
                found = self._select("SELECT DISTINCT warc FROM snapshot", ())
        return {warc for (warc,) in found}

    def end_of(self, warc: str, size: int) -> int:
        """Where the last indexed record of a WARC of `size` bytes ends; rows beyond its end are forgotten."""
        with self._guard:
            self._select("DELETE FROM snapshot WHERE warc = ? AND offset + length > ? RETURNING id", (warc, size))
            found = self._select("SELECT coalesce(max(offset + length), 0) FROM snapshot WHERE warc = ?", (warc,))
        return int(found[0][0])

    def of_body(self, sha256: str) -> list[Entry]:
        """Every record with that body, oldest run first."""
        return self._entries(f"{_SELECT}WHERE sha256 = ? AND record != 'revisit' ORDER BY {_IN_ORDER}", sha256)

    def of_run(self, run_id: str) -> list[Entry]:
        """Every record of a run in the order of writing."""
        return self._entries(_SELECT + "WHERE run_id = ? ORDER BY warc, offset", run_id)

    def last_page(self, final_url: str, runs: Sequence[str]) -> Entry | None:
        """The newest record of these runs in which that address gave a page: 200, or a revisit of one."""
        some = f"run_id IN ({', '.join('?' * len(runs))})"
        page = "(status = 200 AND record IN ('response', 'revisit') OR status = 304 AND record = 'revisit')"
        found = self._entries(
            f"{_SELECT}WHERE final_url = ? AND {some} AND {page} "
            "ORDER BY fetched_at DESC, run_id DESC, warc DESC, offset DESC LIMIT 1",
            final_url,
            *runs,
        )
        return found[0] if found else None

    def first_with(self, sha256: str, final_url: str) -> Entry | None:
        """The oldest answer of status 200 with that body at that address."""
        where = "WHERE sha256 = ? AND final_url = ? AND status = 200 AND record = 'response' "
        found = self._entries(_SELECT + where + f"ORDER BY fetched_at, {_IN_ORDER} LIMIT 1", sha256, final_url)
        return found[0] if found else None

    def _entries(self, sql: str, *keys: str) -> list[Entry]:
        with self._guard:
            if not self._path.exists() and self._contents.is_empty():
                return []  # a new archive: reading it writes nothing
            return [entry(row) for row in self._select(sql, keys)]

    def _select(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._on_connection(lambda connection: connection.execute(sql, parameters).fetchall())

    def _on_connection(self, act: Callable[[sqlite3.Connection], T]) -> T:
        try:
            try:
                return act(self._open())
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
            self.close()
            self._rebuild()
            return act(self._open())
        except sqlite3.Error as error:
            raise ArchiveError(
                f"{self._path}: the archive's index cannot be used ({error}); free it and retry"
            ) from error

    def _open(self) -> sqlite3.Connection:
        """The connection, anew where another process has put a rebuilt index in the place of ours."""
        if self._connection is not None and _inode(self._path) == self._inode:
            return self._connection
        self.close()
        if not self._path.exists():
            self._rebuild()
        self._inode = _inode(self._path)
        self._connection = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        if self._connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            self.close()
            raise sqlite3.DatabaseError("no index of this version")
        # In WAL mode this means no fsync a row: what the index loses in a power cut it finds again in the WARC.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        return self._connection

    def _rebuild(self) -> None:
        """Reads every WARC into a new index and puts it in the place of the old one."""
        with _locked(self._folder / "index.lock"):
            if is_sound(self._path):
                return  # another process was faster
            fresh = self._folder / "index.db.new"
            fresh.unlink(missing_ok=True)
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.executescript(_SCHEMA)
                _insert(connection, (row for owned in self._contents.whole() for row in owned.rows()))
                connection.execute("PRAGMA journal_mode = WAL")
            for suffix in ("-wal", "-shm"):  # a log of the old file must not be replayed into the new one
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            fresh.replace(self._path)


def _insert(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        connection.executemany(_INSERT, rows)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return -1


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Not a database, malformed, or not of this version; a busy or full disk is no damage."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA)


def is_sound(path: Path) -> bool:
    """Whether an index file is whole and of this version."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            return bool(version == _VERSION and connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
