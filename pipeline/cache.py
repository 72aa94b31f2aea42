"""Paid model answers and extracted pages on disk: text in, text out, nothing ever unpickled."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import diskcache
from diskcache.core import DBNAME, DEFAULT_SETTINGS, METADATA, MODE_RAW
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.errors import StoreError
from pipeline.models import Noun, Page, Unread

# Every setting is given at each opening, so that none found in the file counts. disk_min_file_size: diskcache keeps
# values below this many characters inside its database; ours all stay there, and no file name in a row is ever opened.
_SETTINGS = DEFAULT_SETTINGS | {
    "eviction_policy": "none",
    "cull_limit": 0,
    "size_limit": 2**62,
    "disk_min_file_size": 2**31,
}
# Extracted pages cost time only: the oldest go. A municipality's 400 pages take about 4 MB.
MAX_PAGES_BYTES = 4_000_000_000
_PAGE_SETTINGS = _SETTINGS | {
    "eviction_policy": "least-recently-stored",
    "cull_limit": 10,
    "size_limit": MAX_PAGES_BYTES,
}
_MAX_JSON_BYTES = 400_000_000
# The triggers by which diskcache counts its rows, and no other.
_TRIGGER = re.compile(
    r"CREATE TRIGGER Settings_(?:count|size)_(?:insert|update|delete) AFTER (?:INSERT|UPDATE|DELETE) ON Cache"
    r" FOR EACH ROW BEGIN UPDATE Settings SET value = value [-+.\w ]+ WHERE key = \"(?:count|size)\"; END"
)


class PoisonedError(Exception):
    """A row that we did not write: read as a miss, never as an answer."""


class TextDisk(diskcache.Disk):  # type: ignore[misc]
    """diskcache's Disk without pickle and without files (CVE-2025-69872 has no fixed release).

    A row of another mode or with a file name raises PoisonedError before it is read.
    """

    def put(self, key: Any) -> tuple[str, bool]:
        if type(key) is not str:
            raise PoisonedError(f"key of type {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        """The key of a row; empty, which no key of ours is, where it is not plain text."""
        return key if raw and type(key) is str else ""

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, str]:
        if type(value) is not str or read:
            raise PoisonedError(f"value of type {type(value).__name__}")
        return 0, MODE_RAW, None, value

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        if mode != MODE_RAW or filename is not None or type(value) is not str or read:
            raise PoisonedError("value is not text kept in its row")
        return value

    def remove(self, file_path: str) -> None:
        """No value of ours has a file; a name found in a row is not ours to delete."""


class Entry(Noun):
    """A raw answer and what it belongs to. The fields after `raw` are columns: none of them is part of the key."""

    raw: str
    model: str
    criterion: str
    municipality: str
    prompt_sha256: str
    criteria_sha256: str
    page_sha256s: tuple[str, ...]
    cost_usd: Annotated[float, Field(allow_inf_nan=False)]
    stored_at: str


class _Row(Entry):
    format: Literal[1]


class _Texts:
    """Texts by key in one folder. Safe to share between processes.

    Raises StoreError where the folder cannot be used: a link, not writable, not a cache of ours, full, or locked.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        with _plain(folder):
            _own(folder)
            _vet(folder / DBNAME)
            before = os.umask(0o077)
            try:
                self._cache = diskcache.Cache(str(folder), disk=TextDisk, **settings)
            finally:
                os.umask(before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def _text(self, key: str) -> str | None:
        """The text of that key; None where there is none, or where the row is not one that we wrote."""
        with _plain(self._folder):
            try:
                found: str | None = self._cache.get(key)
            except PoisonedError:
                return None
        return found

    def clear(self) -> int:
        """Delete everything, poisoned rows included; returns how many rows there were."""
        with _plain(self._folder):
            return int(self._cache.clear())


class Answers(_Texts):
    """Raw answers by key (see judge/prompt.key). Nothing is evicted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _SETTINGS)

    def get(self, key: str) -> Entry | None:
        """The entry of that key; None where there is none, or where the row is not one that we wrote."""
        text = self._text(key)
        try:
            return None if text is None else _entry(text)
        except PoisonedError:
            return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep an answer. The first answer of a key stays: what was judged by it can be judged again."""
        text = _Row(format=1, **entry.model_dump()).model_dump_json()
        with _plain(self._folder):
            if not self._cache.add(key, text) and self.get(key) is None:
                self._cache.set(key, text)  # over a row that we did not write

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """All readable entries."""
        with _plain(self._folder):
            keys = list(self._cache)
        for key in keys:
            entry = self.get(key)
            if entry is not None:
                yield key, entry

    def drop(self, keys: list[str]) -> int:
        """Delete those entries; returns how many there were."""
        with _plain(self._folder):
            return sum(bool(self._cache.delete(key)) for key in keys)


class Pages(_Texts):
    """What extraction made of archived bodies, by key (see reading.py). A row that is not whole is a miss."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _PAGE_SETTINGS)

    def get(self, key: str) -> Page | Unread | None:
        """The page, or why there is none; None where that is not known."""
        digest, _, packed = (self._text(key) or "").partition(" ")
        if not packed or digest != _digest(key, packed):
            return None
        try:
            return _EXTRACTED.validate_json(zlib.decompressobj().decompress(b64decode(packed), _MAX_JSON_BYTES))
        except (ValueError, zlib.error):
            return None

    def put(self, key: str, outcome: Page | Unread) -> None:
        """Keep what a body was read as."""
        packed = b64encode(zlib.compress(_EXTRACTED.dump_json(outcome), 1)).decode()
        with _plain(self._folder):
            self._cache.set(key, f"{_digest(key, packed)} {packed}")


_EXTRACTED: TypeAdapter[Page | Unread] = TypeAdapter(Page | Unread)


def _digest(key: str, packed: str) -> str:
    """Tells a row that is damaged, or stands under another key."""
    return hashlib.sha256(f"{key} {packed}".encode()).hexdigest()


@contextmanager
def _plain(folder: Path) -> Iterator[None]:
    try:
        yield
    except diskcache.Timeout:
        raise StoreError(f"{folder}: another process has kept the cache locked for a minute.") from None
    except (sqlite3.Error, OSError, UnicodeError) as error:
        raise StoreError(f"{folder}: the cache cannot be used ({error}). Mend it or move it away.") from None


def _own(folder: Path) -> None:
    """The folder, for its owner alone."""
    if folder.is_symlink():
        raise StoreError(f"{folder}: a link. The cache is kept in a folder; CLASSIFY_CACHE says where.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _vet(file: Path) -> None:
    """Refuse a database that is not laid out as diskcache does it, before diskcache obeys what it finds there.

    diskcache makes every row of its table of settings an attribute of itself or a pragma: `_directory` leads it to
    another database, `get` breaks it. Triggers and views of others would run within our statements.
    """
    if file.is_symlink():
        raise StoreError(f"{file}: a link; not opened. Move it away.")
    if not file.exists():
        return
    file.chmod(0o600)
    with closing(sqlite3.connect(file, timeout=60)) as database:
        found = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        strange = [name for kind, name, table, sql in found if not _known(kind, name, table, sql)]
        if not strange and any(name == "Settings" for _, name, *_ in found):
            rows = database.execute("SELECT key, value FROM Settings")
            strange = [str(key) for key, value in rows if not _harmless(key, value)]
    if strange:
        raise StoreError(f"{file}: not a cache of this program ({ascii(strange[0])[:60]} in it). Move it away.")


def _known(kind: str, name: str, table: str, sql: str | None) -> bool:
    """Whether diskcache makes that."""
    if kind == "trigger":
        return bool(_TRIGGER.fullmatch(sql or ""))
    return kind in ("table", "index") and table in ("Settings", "Cache")


def _harmless(key: object, value: object) -> bool:
    return key in _SETTINGS.keys() | METADATA.keys() and (
        type(value) is int or value in ("wal", "none", "least-recently-stored")
    )


def _entry(text: str) -> Entry:
    try:
        row = _Row.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise PoisonedError(str(error)) from None
    return Entry(**row.model_dump(exclude={"format"}))
