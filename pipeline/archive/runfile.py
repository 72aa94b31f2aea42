"""The WARC of one run, open for writing: locked, recovered after a crash, appended to a whole record at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import weakref
from pathlib import Path

from pipeline.archive.warc import first_length, info_id_of, records
from pipeline.archive.writing import info_record
from pipeline.errors import ArchiveError

# A torn warcinfo record is shorter than this; a longer file without one is damaged and not ours to cut.
_LONGEST_INFO_BYTES = 4_096
# An fsync takes 0.2 to 9 ms: too long for one a page in a crawl of many cities, nothing for one a second.
SYNC_EVERY_S = 1.0
_open_files: weakref.WeakSet[RunFile] = weakref.WeakSet()


class RunFile:
    """Appends records to <folder>/<code>/<run_id>.warc.gz and lets one process at a time do so.

    The lock (flock on the file itself) is freed by the kernel when the process dies. Raises ArchiveError where the run
    is being written already or the file is not one of ours.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be written ({error.strerror}); give another workspace") from error
        self._synced = 0.0
        try:
            self._lock(run_id)
            self.info_id = self._info_id() or self._begin(run_id)
        except BaseException:
            self.close()
            raise
        _open_files.add(self)

    def _lock(self, run_id: str) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchiveError(
                f"run {run_id} is being written by another process ({self.path}); wait for it to end, or stop it"
            ) from None

    def _info_id(self) -> str | None:
        with self.path.open("rb") as file:
            return info_id_of(file)

    def _begin(self, run_id: str) -> str:
        if self.size > _LONGEST_INFO_BYTES:
            raise ArchiveError(f"{self.path} does not begin as our archives do: move it away, then run again")
        self._cut(0)
        info_id, record = info_record(run_id)
        self.append(record)
        return info_id

    @property
    def size(self) -> int:
        return os.fstat(self._handle).st_size

    def cut_torn_end(self, start: int) -> None:
        """Cuts what follows the last whole record, looking from byte `start`, where a record is known to end."""
        with self.path.open("rb") as file:
            end = max(start, first_length(file))
        for placed in records(self.path, end):
            end = placed.offset + placed.length
        self._cut(end)

    def append(self, record: bytes) -> int:
        """Hands a record to the system, at most once a second to the disk, and says where it begins. Raises
        ArchiveError (and takes the part back) if the disk does not take it."""
        offset = self.size
        try:
            os.lseek(self._handle, offset, os.SEEK_SET)
            left = memoryview(record)
            while left:
                left = left[os.write(self._handle, left) :]
            self._sync(every_s=SYNC_EVERY_S)
        except OSError as error:
            self._cut(offset)
            raise ArchiveError(f"{self.path} cannot be written ({error.strerror}); make room and run again") from error
        return offset

    def _sync(self, *, every_s: float) -> None:
        if time.monotonic() - self._synced >= every_s:
            os.fsync(self._handle)
            self._synced = time.monotonic()

    def _cut(self, size: int) -> None:
        if size < self.size:
            os.ftruncate(self._handle, size)

    def close(self) -> None:
        """Frees the lock, the records being on the disk."""
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                self._sync(every_s=0)
                fcntl.flock(self._handle, fcntl.LOCK_UN)  # at once, though a child just forked may hold the file yet
        self.let_go()

    def let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


def _let_go() -> None:
    """A forked child must not hold its parent's lock: the parent may be killed and the run resumed while it lives."""
    for file in list(_open_files):
        file.let_go()


os.register_at_fork(after_in_child=_let_go)
