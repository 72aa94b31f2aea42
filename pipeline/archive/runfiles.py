"""Records in the files of one machine: a WARC a run, and the index beside them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.archive.answer import Answer, Placed
from pipeline.archive.index import Index
from pipeline.archive.place import WARC, checked, owner
from pipeline.archive.rows import Entry, Owned
from pipeline.archive.runfile import RunFile
from pipeline.archive.warc import records
from pipeline.archive.writing import one_record
from pipeline.errors import ArchiveError
from pipeline.models import Snapshot


class RunFiles:
    """WARC files at <folder>/<code>/<run_id>.warc.gz and their index at <folder>/index.db.

    A record is with the system before `put` returns, so kill -9 loses none; it is on the disk (fsync) with the first
    write a second later, or at `close`, so a power cut loses what came after the last of these. The index row follows
    the record and is found again in the WARC if lost. Reading writes nothing but a missing or damaged index. A run is
    written by one process at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(f"{folder} cannot be the archive's folder ({error.strerror}); give another") from error
        self.index = Index(folder, self)
        self._files: dict[str, RunFile] = {}
        self._index_inodes: dict[str, int] = {}
        self._guard = threading.RLock()

    def close(self) -> None:
        with self._guard:
            for warc in list(self._files):
                self._files.pop(warc).close()
            self.index.close()

    def begin(self, code: str, run_id: str) -> None:
        """Takes the run's lock, cuts a torn end, indexes what a crash kept out of the index."""
        with self._guard:
            warc = _warc(code, run_id)
            if warc in self._files:
                return
            file = RunFile(self._folder / warc, run_id)
            try:
                start = self.index.end_of(warc, file.size)
                file.cut_torn_end(start)
                self._files[warc] = file
                self._add(code, run_id, records(file.path, start))
            except BaseException:
                self._files.pop(warc, None)
                file.close()
                raise

    def end(self, code: str, run_id: str) -> None:
        with self._guard:
            file = self._files.pop(_warc(code, run_id), None)
            if file is not None:
                file.close()

    def put(self, made: Answer, code: str, run_id: str) -> Snapshot:
        warc = _warc(code, run_id)
        with self._guard:
            self.begin(code, run_id)
            file = self._files[warc]
            record = one_record(made, file.info_id)
            offset = file.append(record)
            self._add(code, run_id, [Placed(made, offset, len(record))])
        return made.snapshot(warc, offset)

    def _add(self, code: str, run_id: str, placed: Iterable[Placed]) -> None:
        warc = _warc(code, run_id)
        inode = self.index.add([Owned(warc, code, run_id, placed)])
        if self._index_inodes.setdefault(warc, inode) != inode:
            # Another process rebuilt the index while we wrote: it may have missed records written meanwhile.
            self.index.add([Owned(warc, code, run_id, records(self._folder / warc))])
            self._index_inodes[warc] = inode

    def read(self, entry: Entry) -> bytes:
        with (self._folder / entry.snapshot.warc).open("rb") as file:
            file.seek(entry.snapshot.offset)
            return file.read(entry.length)

    def shown(self, warc: str = "") -> str:
        return str(self._folder / warc)

    def look(self, run_id: str, *, again: bool = False) -> None:
        """Nothing: what was written here is in the index, or comes into it when its run is opened."""

    def complete(self) -> None:
        """Nothing, as for `look`."""

    def look_everywhere(self) -> bool:
        return False

    def is_empty(self) -> bool:
        return not any(self._warcs())

    def whole(self) -> Iterator[Owned]:
        for path in self._warcs():
            warc = f"{path.parent.name}/{path.name}"
            if found := owner(warc):
                yield Owned(warc, *found, records(path))

    def _warcs(self) -> list[Path]:
        return sorted(self._folder.glob(f"*/*{WARC}"))


def _warc(code: str, run_id: str) -> str:
    checked(code, run_id)
    return f"{code}/{run_id}{WARC}"
