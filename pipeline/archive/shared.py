"""Records in storage that several machines share: each an object of its own, and an index of them all."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from pipeline.archive.answer import Answer, Placed
from pipeline.archive.bucket import bucket
from pipeline.archive.index import Index
from pipeline.archive.place import WARC, Place, checked, owner
from pipeline.archive.rows import Catalogue, Entry, Owned
from pipeline.archive.warc import records_in
from pipeline.archive.writing import info_record, one_record
from pipeline.errors import ArchiveError, StorageError
from pipeline.models import Snapshot

# A store lists 1,000 names at a time: what others write meanwhile may wait so long to be seen.
AGAIN_AFTER_S = 60.0
_READERS = 16
_BATCH = 256
_STAMP = "%Y%m%dT%H%M%S%fZ"
# Lies at the root: without it a share that is not mounted, or another bucket, would look like an archive without pages.
MARK = "akashi-archive.txt"
_WORDS = b"An archive of Akashi: one WARC an answer, at <run>/<code>/. Do not delete this file.\n"
_everywhere: dict[Place, float] = {}


class Shared:
    """Objects <run_id>/<code>/<UTC time in µs>-<random>.warc.gz: a WARC of two records, what it is and the answer.

    A record is in the storage before `put` returns. No lock is taken: writers never meet. The index row follows the
    record; a row that was lost is found again when its run is opened for writing or its snapshots are asked for. WARCs
    of whole runs, copied into the storage, are read as well.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._bucket = bucket(place.storage)
        self.index = self._catalogue()
        self._made_index = 0
        self._stamps: dict[tuple[str, str], datetime] = {}
        self._looked: dict[str, float] = {}
        self._is_marked = False
        self._guard = threading.RLock()

    def _catalogue(self) -> Catalogue:
        if self._place.database:
            from pipeline.archive.table import Table

            return Table(self._place.database, self)
        try:
            self._place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(
                f"{self._place.folder} cannot hold the archive's index ({error.strerror}); give another workspace"
            ) from error
        return Index(self._place.folder, self)

    def close(self) -> None:
        self.index.close()

    def begin(self, code: str, run_id: str) -> None:
        """Indexes what the run has that the index lacks."""
        checked(code, run_id)
        with self._guard:
            self._demand()
            self._mark()
            self.look(run_id)
            if (code, run_id) not in self._stamps:
                last = max((_stamp(name) for name in self.index.known(run_id)), default=datetime.min)
                self._stamps[code, run_id] = last

    def end(self, code: str, run_id: str) -> None:
        with self._guard:
            self._stamps.pop((code, run_id), None)
            self._looked.pop(run_id, None)

    def put(self, made: Answer, code: str, run_id: str) -> Snapshot:
        self.begin(code, run_id)
        name = f"{self._next(code, run_id):{_STAMP}}-{token_hex(4)}{WARC}"
        info_id, info = info_record(run_id, name)
        record, warc = one_record(made, info_id), f"{run_id}/{code}/{name}"
        self._bucket.put(warc, info + record)
        self._add([Owned(warc, code, run_id, [Placed(made, len(info), len(record))])])
        return made.snapshot(warc, len(info))

    def _next(self, code: str, run_id: str) -> datetime:
        """Now, or just after the run's last answer where another machine's clock was ahead."""
        with self._guard:
            last = self._stamps.get((code, run_id), datetime.min)
            now = max(datetime.now(UTC).replace(tzinfo=None), last + timedelta(microseconds=1))
            self._stamps[code, run_id] = now
        return now

    def _add(self, owned: Collection[Owned]) -> None:
        made = self.index.add(owned)
        with self._guard:
            if self._made_index not in (0, made):
                self._looked.clear()  # the index is another one, which may lack what was written while it was made
            self._made_index = made

    def read(self, entry: Entry) -> bytes:
        try:
            return self._bucket.read(entry.snapshot.warc, entry.snapshot.offset, entry.length)
        except FileNotFoundError:
            self._demand()
            raise

    def _demand(self) -> None:
        """Raises StorageError where the index knows of an archive and the storage holds none."""
        if self._has_mark() or self.index.is_empty() or not self.is_empty():
            return
        raise StorageError(
            f"{self.shown()} holds no archive, though the index knows of one; mount it, or let CLASSIFY_ARCHIVE name "
            f"where it is now. If it is lost, put an empty file {MARK} there to begin anew"
        )

    def _has_mark(self) -> bool:
        if not self._is_marked:
            try:
                self._bucket.read(MARK)
                self._is_marked = True
            except FileNotFoundError:
                return False
        return True

    def _mark(self) -> None:
        if not self._has_mark():
            self._bucket.put(MARK, _WORDS)
            self._is_marked = True

    def shown(self, warc: str = "") -> str:
        return self._bucket.shown(warc)

    # --- what the index lacks -----------------------------------------------------------------------------------------

    def look(self, run_id: str, *, again: bool = False) -> None:
        """Indexes what the storage has of a run and the index lacks; `again`: also what came since the last look."""
        with self._guard:
            looked = self._looked.get(run_id)
            if looked is not None and not (again and time.monotonic() - looked > AGAIN_AFTER_S):
                return
            checked(run_id)
            self._add_missing(f"{run_id}/", self.index.known(run_id))
            self._looked[run_id] = time.monotonic()

    def complete(self) -> None:
        """Where this machine has an index of its own, brings it once up to what others have written."""
        if not self._place.database and self._place not in _everywhere:
            self.look_everywhere()

    def look_everywhere(self) -> bool:
        """Indexes whatever the index lacks, at most once a minute in this process; returns whether it looked."""
        with self._guard:
            if time.monotonic() - _everywhere.get(self._place, -AGAIN_AFTER_S) < AGAIN_AFTER_S:
                return False
            self._add_missing("", self.index.known())
            _everywhere[self._place] = time.monotonic()
            return True

    def _add_missing(self, folder: str, known: Collection[str]) -> None:
        missing = [name for name in self._bucket.names(folder) if name not in known]
        for some in _batches(missing):
            self._add(self._read_all(some))

    def is_empty(self) -> bool:
        return not self._bucket.names()

    def whole(self) -> Iterator[Owned]:
        for some in _batches(self._bucket.names()):
            yield from self._read_all(some)

    def _read_all(self, warcs: list[str]) -> list[Owned]:
        ours = [warc for warc in warcs if owner(warc)]
        with ThreadPoolExecutor(_READERS) as readers:
            return [found for found in readers.map(self._read_through, ours) if found]

    def _read_through(self, warc: str) -> Owned | None:
        code_and_run = owner(warc)
        try:
            content = self._bucket.read(warc)
        except FileNotFoundError:  # taken away since it was listed
            return None
        return Owned(warc, *code_and_run, list(records_in(io.BytesIO(content)))) if code_and_run else None


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + _BATCH] for start in range(0, len(names), _BATCH))


def _stamp(warc: str) -> datetime:
    try:
        return datetime.strptime(warc.rpartition("/")[2].partition("-")[0], _STAMP)
    except ValueError:
        return datetime.min
