"""Rows of the archive's index, as both of its forms hold them: which record is where, and whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pipeline.archive.answer import Placed
from pipeline.models import Record, Snapshot, Source

COLUMNS = (
    *("sha256", "run_id", "code", "url", "final_url", "fetched_at", "status", "headers"),
    *("warc", "offset", "length", "source", "record"),
)
READ = ("url", "final_url", "fetched_at", "status", "headers", "sha256", "warc", "offset", "source", "record", "length")


@dataclass(frozen=True)
class Entry:
    """One row: the snapshot, and the length of its record in bytes."""

    snapshot: Snapshot
    length: int


@dataclass(frozen=True)
class Owned:
    """Records of one WARC, and of which city and run they are. warc: its path below the archive's root."""

    warc: str
    code: str
    run_id: str
    placed: Iterable[Placed]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """One row a record, in the order of COLUMNS."""
        for each in self.placed:
            one = each.answer.snapshot(self.warc, each.offset)
            yield (
                *(one.sha256, self.run_id, self.code, one.url, one.final_url, one.fetched_at.isoformat()),
                *(one.status, json.dumps(one.headers, ensure_ascii=False), self.warc, each.offset, each.length),
                *(one.source.value, one.record.value),
            )


def entry(row: Sequence[Any]) -> Entry:
    """A row in the order of READ."""
    url, final_url, fetched_at, status, headers, sha256, warc, offset, source, record, length = row
    snapshot = Snapshot(
        url=url,
        final_url=final_url,
        fetched_at=datetime.fromisoformat(fetched_at),
        status=status,
        headers=tuple((name, value) for name, value in json.loads(headers)),
        sha256=sha256,
        warc=warc,
        offset=offset,
        source=Source(source),
        record=Record(record),
    )
    return Entry(snapshot, length)


class Contents(Protocol):
    """What lies in the archive, for an index that is made anew."""

    def is_empty(self) -> bool: ...

    def whole(self) -> Iterator[Owned]:
        """Every WARC, read through."""
        ...


class Catalogue(Protocol):
    """An index. Every method raises ArchiveError where it cannot be used."""

    def is_empty(self) -> bool: ...

    def add(self, owned: Iterable[Owned]) -> int:
        """Indexes these records; those it knows are left alone. Returns which making of the index holds them."""
        ...

    def known(self, run_id: str = "") -> set[str]:
        """The WARCs (of a run) that it has records of."""
        ...

    def of_body(self, sha256: str) -> list[Entry]:
        """Every record with that body, oldest run first."""
        ...

    def of_run(self, run_id: str) -> list[Entry]:
        """Every record of a run in the order of writing."""
        ...

    def last_page(self, final_url: str, runs: Sequence[str]) -> Entry | None:
        """The newest record of these runs in which that address gave a page: 200, or a revisit of one."""
        ...

    def first_with(self, sha256: str, final_url: str) -> Entry | None:
        """The oldest answer of status 200 with that body at that address."""
        ...

    def close(self) -> None: ...
