"""The archive of all runs: one WARC a run, and an index by sha256."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.archive.answer import Answer, Placed, answer
from pipeline.archive.index import Entry, Index
from pipeline.archive.runfile import RunFile
from pipeline.archive.warc import read_record, records
from pipeline.archive.writing import one_record
from pipeline.errors import ArchiveError
from pipeline.models import Record, Snapshot, Source

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Archive:
    """WARC files at <folder>/<code>/<run_id>.warc.gz and their index at <folder>/index.db.

    A record is with the system before `write` returns, so kill -9 loses none; it is on the disk (fsync) with the first
    write a second later, or at `close`, so a power cut loses what came after the last of these. The index row follows
    the record and is found again in the WARC if lost. Reading writes nothing but a missing or damaged index. Threads
    may share an archive, processes open one each; a run is written by one process at a time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(f"{folder} cannot be the archive's folder ({error.strerror}); give another") from error
        self._index = Index(self.folder)
        self._files: dict[str, RunFile] = {}
        self._index_inodes: dict[str, int] = {}
        self._guard = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._guard:
            for warc in list(self._files):
                self._files.pop(warc).close()
            self._index.close()

    def begin(self, *, code: str, run_id: str) -> None:
        """Opens a run for writing: takes its lock, cuts a torn end, indexes what a crash kept out of the index.

        `write` does this by itself. Raises ArchiveError where another process writes this run.
        """
        with self._guard:
            warc = _warc(code, run_id)
            if warc in self._files:
                return
            file = RunFile(self.folder / warc, run_id)
            try:
                start = self._index.end_of(warc, file.size)
                file.cut_torn_end(start)
                self._files[warc] = file
                self._put(code, run_id, records(file.path, start))
            except BaseException:
                self._files.pop(warc, None)
                file.close()
                raise

    def end(self, *, code: str, run_id: str) -> None:
        """Closes a run's file and frees its lock; a later write opens it again."""
        with self._guard:
            file = self._files.pop(_warc(code, run_id), None)
            if file is not None:
                file.close()

    def write(
        self,
        *,
        code: str,
        run_id: str,
        url: str,
        final_url: str,
        fetched_at: datetime,
        status: int,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        source: Source = Source.OFFICIAL,
        record: Record = Record.RESPONSE,
        earlier: Snapshot | None = None,
    ) -> Snapshot:
        """Archives one HTTP answer, body decoded, headers as received, and says where it is.

        earlier: an answer, not a revisit, whose body this one has again; the body is then not kept twice.

        Header values and addresses come back as a WARC can carry them: no line breaks, no outer white space. Raises
        ArchiveError where the address is not http(s), the run is locked or the disk full.
        """
        made = answer(
            url=url,
            final_url=final_url,
            fetched_at=fetched_at,
            status=status,
            headers=tuple(headers),
            body=b"" if earlier else body,
            source=source,
            record=Record.REVISIT if earlier else record,
            unchanged=earlier.sha256 if earlier else "",
            since=earlier.fetched_at if earlier else None,
            of=earlier.final_url if earlier else "",
        )
        return self.put(made, code=code, run_id=run_id)

    def put(self, made: Answer, *, code: str, run_id: str) -> Snapshot:
        """Archives an answer that is in archive form already."""
        warc = _warc(code, run_id)
        with self._guard:
            self.begin(code=code, run_id=run_id)
            file = self._files[warc]
            record = one_record(made, file.info_id)
            offset = file.append(record)
            self._put(code, run_id, [Placed(made, offset, len(record))])
        return made.snapshot(warc, offset)

    def _put(self, code: str, run_id: str, placed: Iterable[Placed]) -> None:
        warc = _warc(code, run_id)
        inode = self._index.add(list(placed), code=code, run_id=run_id, warc=warc)
        if self._index_inodes.setdefault(warc, inode) != inode:
            # Another process rebuilt the index while we wrote: it may have missed records written meanwhile.
            self._index.add(list(records(self.folder / warc)), code=code, run_id=run_id, warc=warc)
            self._index_inodes[warc] = inode

    def body(self, sha256: str) -> bytes:
        """The archived body of that sha256, verified. Raises ArchiveError, naming the file, if it is missing or its
        hash differs."""
        entries = self._index.of_body(sha256)
        if not entries:
            raise ArchiveError(f"no page with sha256 {sha256} in the archive {self.folder}; run the survey again")
        problems = []
        for entry in entries:
            try:
                return self._verified(entry)
            except (OSError, ValueError, ArchiveError) as error:
                problems.append(f"{self.folder / entry.snapshot.warc}, byte {entry.snapshot.offset}: {error}")
        raise ArchiveError(
            f"the archived page with sha256 {sha256} cannot be read ({'; '.join(problems)}); "
            "bring the file back from a copy, or run the survey again"
        )

    def _verified(self, entry: Entry) -> bytes:
        with (self.folder / entry.snapshot.warc).open("rb") as file:
            file.seek(entry.snapshot.offset)
            body = read_record(file.read(entry.length)).body
        if hashlib.sha256(body).hexdigest() != entry.snapshot.sha256:
            raise ValueError("the body has another sha256")
        return body

    def snapshots(self, run_id: str) -> list[Snapshot]:
        """The answers of a run in the order in which they were written."""
        return [entry.snapshot for entry in self._index.of_run(run_id)]

    def last_page(self, final_url: str, runs: Sequence[str]) -> Snapshot | None:
        """The newest page that these runs archived of that address, a revisit where it was unchanged; or None."""
        found = self._index.last_page(final_url, runs) if runs else None
        return found.snapshot if found else None

    def original(self, answer: Snapshot) -> Snapshot:
        """The first answer archived with that body at that address: what a revisit stands for, and when these bytes
        were first there. Else the first with that body at all; the answer itself where there is none."""
        found = self._index.first_with(answer.sha256, answer.final_url)
        if found is not None:
            return found.snapshot
        return next((one for one in self.all(answer.sha256) if one.is_page), answer)

    def find(self, sha256: str) -> Snapshot | None:
        """The first answer archived with that body, or None."""
        return next(iter(self.all(sha256)), None)

    def all(self, sha256: str) -> list[Snapshot]:
        """Every answer archived with that body, oldest first; revisits, which hold none, are left out."""
        return [entry.snapshot for entry in self._index.of_body(sha256)]


def _warc(code: str, run_id: str) -> str:
    for name in (code, run_id):
        if not _NAME.fullmatch(name):
            raise ArchiveError(f"{name!r} cannot name a file of the archive: letters, digits, - _ . only")
    return f"{code}/{run_id}.warc.gz"
