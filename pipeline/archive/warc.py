"""Our own WARC records read back, and found again in a file whose end was torn off."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.archive.answer import ASKED, INFO, SOURCE, WITH_HTTP, Answer, Placed, answer, original_headers
from pipeline.errors import ArchiveError
from pipeline.models import Record, Source

_MAGIC = b"\x1f\x8b\x08"
_CHUNK_BYTES = 65_536
_MAX_RECORD_BYTES = 1_000_000_000


def read_record(member: bytes) -> Answer:
    """The answer in one gzip member that `one_record` made. Raises ValueError where it holds anything else."""
    record = _parsed(member)
    if record.rec_type not in set(Record) or (Record(record.rec_type) in WITH_HTTP and record.http_headers is None):
        raise ValueError("not a record of an answer")
    return our_answer(record, record.raw_stream.read())


def our_answer(record: Any, body: bytes) -> Answer:
    """The answer that a warcio record of ours holds. Raises ValueError where a field is missing or malformed."""
    field = record.rec_headers.get_header
    kind = Record(record.rec_type)
    since = field("WARC-Refers-To-Date") if kind is Record.REVISIT else None
    stored = record.http_headers if kind in WITH_HTTP else None
    return answer(
        url=field(ASKED) or field("WARC-Target-URI") or "",
        final_url=field("WARC-Target-URI") or "",
        fetched_at=datetime.fromisoformat(field("WARC-Date") or ""),
        status=int(stored.get_statuscode()) if stored is not None else 200,
        headers=_headers(stored, field),
        body=body,
        source=Source(field(SOURCE) or Source.OFFICIAL),
        record=kind,
        unchanged=(field("WARC-Payload-Digest") or "").removeprefix("sha256:") if since else "",
        since=datetime.fromisoformat(since) if since else None,
        of=field("WARC-Refers-To-Target-URI") or "" if since else "",
    )


def _headers(stored: Any, field: Callable[[str], str | None]) -> tuple[tuple[str, str], ...]:
    if stored is None:
        return (("Content-Type", field("Content-Type") or ""),)
    return tuple(original_headers(stored.headers))


def _parsed(member: bytes) -> Any:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    try:
        return next(iter(ArchiveIterator(io.BytesIO(member))))
    except (ArchiveLoadFailed, StopIteration, AttributeError) as error:
        raise ValueError(f"not a WARC record: {error}") from error


def records(path: Path, start: int = 0) -> Iterator[Placed]:
    """Every complete record of an answer in our own file from byte `start` on, in file order.

    Damaged or torn stretches are stepped over. A member counts only if it names this file's warcinfo record: a gzip
    file inside an archived body cannot pass for a record of its own.
    """
    with path.open("rb") as file:
        yield from records_in(file, start)


def records_in(file: BinaryIO, start: int = 0) -> Iterator[Placed]:
    """As `records`, out of a file that is open or in memory."""
    info_id = info_id_of(file)
    offset: int | None = start
    while info_id and offset is not None:
        length = _member_length(file, offset)
        if length is None:
            offset = _next_magic(file, offset + 1)
            continue
        found = _own(_bytes_at(file, offset, length), info_id)
        if found is not None:
            yield Placed(found, offset, length)
        offset += length


def _own(member: bytes, info_id: str) -> Answer | None:
    try:
        named = _parsed(member).rec_headers.get_header(INFO)
        return read_record(member) if named == info_id else None
    except (ValueError, ArchiveError):
        return None


def info_id_of(file: BinaryIO) -> str | None:
    """The id of the warcinfo record that an own file begins with, or None where it does not begin with a whole one."""
    length = _member_length(file, 0)
    if length is None:
        return None
    try:
        record = _parsed(_bytes_at(file, 0, length))
    except ValueError:
        return None
    found: str | None = record.rec_headers.get_header("WARC-Record-ID")
    return found if record.rec_type == "warcinfo" else None


def first_length(file: BinaryIO) -> int:
    """Bytes of the first gzip member, 0 where it is not whole."""
    return _member_length(file, 0) or 0


def _bytes_at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _member_length(file: BinaryIO, offset: int) -> int | None:
    """Compressed bytes of the gzip member at `offset`; None where none begins there or it is damaged or torn."""
    file.seek(offset)
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    inflated = 0
    try:
        while chunk := file.read(_CHUNK_BYTES):
            inflated += len(inflate.decompress(chunk))
            if inflate.eof:
                return file.tell() - len(inflate.unused_data) - offset
            if inflated > _MAX_RECORD_BYTES:
                return None
    except zlib.error:
        pass
    return None


def _next_magic(file: BinaryIO, offset: int) -> int | None:
    """Where the next gzip member may begin, from `offset` on."""
    file.seek(offset)
    kept = b""
    while chunk := file.read(_CHUNK_BYTES):
        window = kept + chunk
        at = window.find(_MAGIC)
        if at >= 0:
            return file.tell() - len(window) + at
        kept = window[-2:]
    return None
