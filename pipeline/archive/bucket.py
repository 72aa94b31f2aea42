"""Storage that several machines share: whole objects under names, in a folder or in a store behind fsspec."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote

from pipeline.archive.place import WARC
from pipeline.errors import InputError, StorageError

T = TypeVar("T")
# Before each further attempt, beside what the store's own client tries: a restart of its front end takes seconds.
WAITS_S = (0.2, 1.0, 3.0)
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


class Bucket(Protocol):
    """Names are paths below its root. Every method raises StorageError where it cannot be reached or written."""

    def put(self, name: str, content: bytes) -> None:
        """Writes an object whole or not at all."""
        ...

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes of an object. Raises FileNotFoundError where there is none of that name."""
        ...

    def names(self, folder: str = "") -> list[str]:
        """The WARCs below that folder, sorted."""
        ...

    def remove(self, name: str) -> None: ...

    def shown(self, name: str = "") -> str:
        """For people: no password in it."""
        ...


def bucket(storage: str) -> Bucket:
    """The storage of that path or fsspec URL. Raises InputError where it cannot be one."""
    scheme, colon, rest = storage.partition("://")
    if not colon:
        return Folder(Path(storage).expanduser().absolute())
    if scheme == "file":
        return Folder(Path(unquote(rest)).absolute())
    return Store(storage)


class Folder:
    """A folder of this machine or of a share mounted on it; made at the first write, for its owner alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def is_there(self) -> bool:
        return self._root.is_dir()

    def put(self, name: str, content: bytes) -> None:
        path = self._root / name
        # Not *.warc.gz, so that what a killed process leaves is read by nobody.
        fresh = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            _make_private(path.parent)
            try:
                _write(fresh, content)
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)
            _sync(path.parent)
        except OSError as error:
            advice = "make room, or see that it is mounted and yours to write; then run again, nothing is half-written"
            raise StorageError(f"{path} cannot be written ({error.strerror or error}); {advice}") from error

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        try:
            with (self._root / name).open("rb") as file:
                file.seek(offset)
                return file.read(-1 if length is None else length)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageError(f"{self._root / name} cannot be read ({error.strerror or error})") from error

    def names(self, folder: str = "") -> list[str]:
        def refuse(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):
                raise StorageError(f"{error.filename} cannot be listed ({error.strerror})") from error

        found = []
        for parent, _, names in os.walk(self._root / folder, onerror=refuse):
            below = Path(parent).relative_to(self._root)
            found += [(below / name).as_posix() for name in names if name.endswith(WARC)]
        return sorted(found)

    def remove(self, name: str) -> None:
        try:
            (self._root / name).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self._root / name} cannot be removed ({error.strerror or error})") from error

    def shown(self, name: str = "") -> str:
        return str(self._root / name)


def _make_private(folder: Path) -> None:
    """Makes the folder and those above it that are missing, all for their owner alone."""
    if folder.is_dir():
        return
    _make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Store:
    """A store that fsspec knows, such as S3. Its keys are where its client looks for them (AWS_ACCESS_KEY_ID, ...)."""

    def __init__(self, url: str) -> None:
        self._shown = re.sub(r"//[^/@]*@", "//", url).rstrip("/")
        try:
            # Listings kept by a client hide what other machines have written since.
            self._files, root = import_module("fsspec.core").url_to_fs(url, use_listings_cache=False)
        except ImportError as error:
            raise InputError(
                f"CLASSIFY_ARCHIVE={self._shown} needs packages that are not installed ({error}). "
                "Install them: pip install 'akashi[cluster]'."
            ) from error
        except (ValueError, TypeError) as error:
            advice = "give a folder, or a URL such as s3://bucket/prefix"
            raise InputError(f"CLASSIFY_ARCHIVE={self._shown} names no storage ({error}); {advice}.") from error
        self._root = root.rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        self._tried("written", name, lambda path: self._files.pipe_file(path, content))

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        end = None if length is None else offset + length
        try:
            return bytes(self._tried("read", name, lambda path: self._files.cat_file(path, start=offset, end=end)))
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise error.__cause__ from None
            raise

    def names(self, folder: str = "") -> list[str]:
        try:
            found: list[str] = self._tried("listed", folder, self._files.find)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return []
            raise
        start = len(self._root) + 1
        return sorted(path[start:] for path in found if path.endswith(WARC))

    def remove(self, name: str) -> None:
        self._tried("removed", name, self._files.rm_file)

    def shown(self, name: str = "") -> str:
        return f"{self._shown}/{name}".rstrip("/")

    def _tried(self, what: str, name: str, act: Callable[[str], Any]) -> Any:
        path = f"{self._root}/{name}".rstrip("/")
        for wait_s in (*WAITS_S, None):
            try:
                return act(path)
            except Exception as error:  # each store has errors of its own, and none of a common kind
                if wait_s is None or isinstance(error, _FINAL):
                    advice = "see that it can be reached and its keys let you in; then run again, nothing is lost"
                    raise StorageError(f"{self.shown(name)} cannot be {what} ({error}); {advice}") from error
                time.sleep(wait_s)
        raise AssertionError("unreachable")


def round_trip(storage: str) -> float:
    """Writes, reads and removes a small object and returns how long that took, seconds. Raises StorageError or
    InputError."""
    there, name, content = bucket(storage), f"doctor-{secrets.token_hex(8)}", secrets.token_bytes(1_000)
    began = time.monotonic()
    there.put(name, content)
    try:
        if there.read(name) != content:
            raise StorageError(f"{there.shown(name)} was read back otherwise than it was written")
    finally:
        there.remove(name)
    return time.monotonic() - began
