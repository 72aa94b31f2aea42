"""The archive of all runs: what was fetched, found again by its sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pipeline.archive.answer import Answer, answer
from pipeline.archive.place import Place
from pipeline.archive.rows import Catalogue, Entry
from pipeline.archive.runfiles import RunFiles
from pipeline.archive.shared import Shared
from pipeline.archive.warc import read_record
from pipeline.errors import ArchiveError, StorageError
from pipeline.models import Record, Snapshot, Source


class Storage(Protocol):
    """Where records lie, with the index of them: files of this machine (RunFiles), or shared storage (Shared)."""

    @property
    def index(self) -> Catalogue: ...

    def begin(self, code: str, run_id: str) -> None: ...

    def end(self, code: str, run_id: str) -> None: ...

    def put(self, made: Answer, code: str, run_id: str) -> Snapshot:
        """Archives an answer and indexes it."""
        ...

    def read(self, entry: Entry) -> bytes:
        """The bytes of one record."""
        ...

    def shown(self, warc: str = "") -> str:
        """The place of a WARC, for people."""
        ...

    def look(self, run_id: str, *, again: bool = False) -> None:
        """Brings the index up to what is stored of a run; `again`: also what came since."""
        ...

    def complete(self) -> None:
        """Brings an index that others do not write to up to what they have stored."""
        ...

    def look_everywhere(self) -> bool:
        """Looks for what the index lacks, of any run; returns whether it looked."""
        ...

    def close(self) -> None: ...


class Archive:
    """The archive at a place: a folder of this machine, or storage that several machines share.

    What `write` returned is kept, whatever happens to the process. Threads may share an archive, processes open one
    each.
    """

    def __init__(self, place: Place | Path) -> None:
        self.place = place if isinstance(place, Place) else Place(Path(place))
        self.folder = self.place.folder
        self._storage: Storage = Shared(self.place) if self.place.storage else RunFiles(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._storage.close()

    def begin(self, *, code: str, run_id: str) -> None:
        """Opens a run for writing and brings the index up to what is stored of it.

        `write` does this by itself. Raises ArchiveError where the archive is a folder of this machine and another
        process writes this run.
        """
        self._storage.begin(code, run_id)

    def end(self, *, code: str, run_id: str) -> None:
        """Ends writing a run; a later write opens it again."""
        self._storage.end(code, run_id)

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
        ArchiveError where the address is not http(s), the run is locked, the disk full or the storage out of reach.
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
        return self._storage.put(made, code, run_id)

    def body(self, sha256: str) -> bytes:
        """The archived body of that sha256, verified. Raises ArchiveError, naming the file, if it is missing or its
        hash differs; StorageError if that cannot be told now."""
        index = self._storage.index
        entries = index.of_body(sha256) or (index.of_body(sha256) if self._storage.look_everywhere() else [])
        if not entries:
            place = self._storage.shown()
            raise ArchiveError(f"no page with sha256 {sha256} in the archive {place}; run the survey again")
        problems = []
        for entry in entries:
            try:
                return self._verified(entry)
            except StorageError:
                raise
            except (OSError, ValueError, ArchiveError) as error:
                problems.append(f"{self._storage.shown(entry.snapshot.warc)}, byte {entry.snapshot.offset}: {error}")
        raise ArchiveError(
            f"the archived page with sha256 {sha256} cannot be read ({'; '.join(problems)}); "
            "bring the file back from a copy, or run the survey again"
        )

    def _verified(self, entry: Entry) -> bytes:
        body = read_record(self._storage.read(entry)).body
        if hashlib.sha256(body).hexdigest() != entry.snapshot.sha256:
            raise ValueError("the body has another sha256")
        return body

    def snapshots(self, run_id: str) -> list[Snapshot]:
        """The answers of a run in the order in which they were written."""
        self._storage.look(run_id, again=True)
        return [entry.snapshot for entry in self._storage.index.of_run(run_id)]

    def last_page(self, final_url: str, runs: Sequence[str]) -> Snapshot | None:
        """The newest page that these runs archived of that address, a revisit where it was unchanged; or None."""
        for run_id in runs:
            self._storage.look(run_id)
        found = self._storage.index.last_page(final_url, runs) if runs else None
        return found.snapshot if found else None

    def original(self, answer: Snapshot) -> Snapshot:
        """The first answer archived with that body at that address: what a revisit stands for, and when these bytes
        were first there. Else the first with that body at all; the answer itself where there is none."""
        self._storage.complete()
        found = self._storage.index.first_with(answer.sha256, answer.final_url)
        if found is not None:
            return found.snapshot
        return next((one for one in self.all(answer.sha256) if one.is_page), answer)

    def find(self, sha256: str) -> Snapshot | None:
        """The first answer archived with that body, or None."""
        return next(iter(self.all(sha256)), None)

    def all(self, sha256: str) -> list[Snapshot]:
        """Every answer archived with that body, oldest run first; revisits, which hold none, are left out."""
        self._storage.complete()
        return [entry.snapshot for entry in self._storage.index.of_body(sha256)]
