"""Paid model answers on disk: text in, text out, nothing evicted, nothing ever unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_RAW

# diskcache keeps values below this many characters inside its database; ours all stay there, so that a file name found
# in a row is never opened.
_INLINE = 2**31
_FORMAT = 1


class PoisonedError(Exception):
    """A row that we did not write: read as a miss, never as an answer."""


class TextDisk(diskcache.Disk):  # type: ignore[misc]
    """diskcache's Disk without pickle and without files (CVE-2025-69872 has no fixed release).

    A row of another mode, with a file name or with a key that is not text raises PoisonedError before it is read.
    """

    def put(self, key: Any) -> tuple[str, bool]:
        if type(key) is not str:
            raise PoisonedError(f"key of type {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        if not raw or type(key) is not str:
            raise PoisonedError("key is not text")
        return key

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


@dataclass(frozen=True)
class Entry:
    """A raw answer and what it belongs to. The fields after `raw` are columns: none of them is part of the key."""

    raw: str
    model: str
    criterion: str
    municipality: str
    prompt_sha256: str
    criteria_sha256: str
    page_sha256s: tuple[str, ...]
    cost_usd: float
    stored_at: str


class Answers:
    """Raw answers by key (see judge/prompt.key). Safe to share between processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        before = os.umask(0o077)
        try:
            self._cache = diskcache.Cache(
                str(folder),
                disk=TextDisk,
                disk_min_file_size=_INLINE,
                eviction_policy="none",
                cull_limit=0,
                size_limit=2**62,
            )
        finally:
            os.umask(before)

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def get(self, key: str) -> Entry | None:
        """The entry of that key; None where there is none, or where the row is not one that we wrote."""
        try:
            text = self._cache.get(key, retry=True)
            return None if text is None else _entry(text)
        except PoisonedError:
            return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep an answer. The first answer of a key stays: what was judged by it can be judged again."""
        text = json.dumps({"format": _FORMAT, **asdict(entry)}, ensure_ascii=False)
        if self.get(key) is None:
            self._cache.set(key, text, retry=True)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """All readable entries."""
        for key in list(self._cache.iterkeys()):
            entry = self.get(key)
            if entry is not None:
                yield key, entry

    def drop(self, keys: list[str]) -> int:
        """Delete those entries; returns how many there were."""
        return sum(bool(self._cache.delete(key, retry=True)) for key in keys)

    def clear(self) -> int:
        """Delete everything, poisoned rows included; returns how many rows there were."""
        return int(self._cache.clear(retry=True))


def _entry(text: str) -> Entry:
    try:
        content = json.loads(text)
        if content.pop("format") != _FORMAT:
            raise PoisonedError("another format")
        content["page_sha256s"] = tuple(content["page_sha256s"])
        entry = Entry(**content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PoisonedError(str(error)) from None
    if not isinstance(entry.raw, str):
        raise PoisonedError("raw is not text")
    return entry
