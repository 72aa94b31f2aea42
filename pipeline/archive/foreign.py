"""HTTP answers out of a WARC that any tool wrote, their bodies without transfer and content coding."""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.archive.answer import ASKED, SOURCE, WITH_HTTP, Answer, answer, original_headers
from pipeline.archive.framing import (
    GZIP,
    HEAD_END,
    MAX_HEAD_BYTES,
    MAX_RECORD_BYTES,
    Block,
    BrokenError,
    Member,
    TornFileError,
    next_block,
    target,
)
from pipeline.archive.warc import our_answer
from pipeline.errors import ArchiveError, SiteError
from pipeline.models import Cause, Record, Source, Unread
from pipeline.text import printable

_WITHOUT_TEXT = re.compile(
    r"\s*(image/|video/|audio/|font/|text/css|(text|application)/(x-)?javascript|application/font)", re.I
)
MAX_DETAIL = 300


@dataclass(frozen=True)
class Given:
    """An answer as the file has it. digest: of its payload, as the file says and in its way of writing it; refers_to:
    of a revisit, which has no body, the address and time of the record that has it (time: None where not said)."""

    answer: Answer
    digest: str
    refers_to: tuple[str, datetime | None] | None = None


def answers(path: Path) -> Iterator[Given | Unread]:
    """The HTTP answers of a .warc or .warc.gz in file order, bodies decoded, and what a survey of ours rendered or
    measured; Unread for each record that is broken, cut short, too large or in a coding that cannot be undone. Images,
    styles, scripts and fonts are left out.

    Reading stops, with one Unread, where the file itself is torn. Raises SiteError if it is no WARC at all.
    """
    try:
        with path.open("rb") as file:
            member = Member(file)
            if member.peek(5) != b"WARC/":
                raise SiteError(f"{path} is no WARC file; give a .warc or .warc.gz, or a folder with --site")
            yield from _read(member, path)
    except OSError as error:
        raise SiteError(f"{path} cannot be read ({error.strerror})") from error
    except TornFileError as error:
        raise SiteError(f"{path} is no WARC file that can be read: {error}") from error


def _read(member: Member, path: Path) -> Iterator[Given | Unread]:
    while True:
        at = member.begins
        try:
            block = next_block(member)
            if block is None:
                if not member.next():
                    return
                continue
            found = _answer(block)
            if found is not None:
                yield found
        except BrokenError as error:
            detail = printable(f"record near byte {at} of {path.name}: {error}"[:MAX_DETAIL])
            yield Unread(url=printable(error.url[:MAX_DETAIL]) or path.name, cause=error.cause, detail=detail)
            if isinstance(error, TornFileError) or not (error.goes_on or _moves_on(member)):
                return


def _moves_on(member: Member) -> bool:
    try:
        return member.next()
    except TornFileError:
        return False


# --- what a record says -----------------------------------------------------------------------------------------------


def _answer(block: Block) -> Given | None:
    """The answer in a record, or None where it holds none. Raises BrokenError."""
    url = target(block.head)
    kind = _kind(block)
    if not re.match("https?://", url, re.I) or kind is None:
        return None
    bare = kind not in WITH_HTTP or (kind is Record.REVISIT and not block.content)
    if not bare and HEAD_END.search(block.content, 0, MAX_HEAD_BYTES) is None:
        raise BrokenError(f"its HTTP header has no end within {MAX_HEAD_BYTES} bytes", url=url, goes_on=True)
    try:
        return _READERS[kind](_parsed(block))
    except BrokenError as error:
        raise BrokenError(str(error), url=url, goes_on=True, cause=error.cause) from error
    except (ValueError, ArchiveError, AttributeError) as error:
        raise BrokenError(f"it cannot be read ({error})", url=url, goes_on=True) from error


def _kind(block: Block) -> Record | None:
    found = re.search(rb"^warc-type:[ \t]*(\w+)[ \t]*\r?$", block.head, re.I | re.M)
    return next((one for one in Record if found and one == found[1].decode().lower()), None)


def _parsed(block: Block) -> Any:
    from warcio.exceptions import ArchiveLoadFailed
    from warcio.recordloader import ArcWarcRecordLoader

    # It repairs addresses that hold a space, which is right, and logs them as they are, terminal codes and all.
    logging.getLogger("warcio.recordloader").disabled = True
    try:
        stream = io.BytesIO(block.head + block.content)
        record = ArcWarcRecordLoader(verify_http=False).parse_record_stream(stream, known_format="warc")
    except (ArchiveLoadFailed, EOFError) as error:
        raise BrokenError(str(error).strip() or "it is empty") from error
    if record.length != len(block.content):
        raise BrokenError("its header names two lengths")
    return record


def _revisit(record: Any) -> Given | None:
    """A record without a body. Without an HTTP header too, it is another copy of what it refers to."""
    http, field = record.http_headers, record.rec_headers.get_header
    if http is not None and _WITHOUT_TEXT.match(http.get_header("content-type") or ""):
        return None
    made = answer(
        url=field(ASKED) or field("WARC-Target-URI"),
        final_url=field("WARC-Target-URI"),
        fetched_at=_moment(field("WARC-Date") or ""),
        status=_status(http) if http else 200,
        headers=tuple(original_headers(http.headers)) if http else (),
        body=b"",
        source=Source(field(SOURCE) or Source.OFFICIAL),
        record=Record.REVISIT,
    )
    since = field("WARC-Refers-To-Date")
    address = (field("WARC-Refers-To-Target-URI") or field("WARC-Target-URI")).strip("<> ")
    return Given(made, field("WARC-Payload-Digest") or "", (address, _moment(since) if since else None))


def _made(record: Any) -> Given | None:
    """What a survey of ours rendered or measured. What others keep as such may be anything: a picture, a log."""
    field = record.rec_headers.get_header
    if not field(ASKED):
        return None
    _whole(record)
    return Given(our_answer(record, record.raw_stream.read()), field("WARC-Payload-Digest") or "")


def _whole(record: Any) -> None:
    """Raises BrokenError for a record that its writer cut."""
    if cut := record.rec_headers.get_header("WARC-Truncated"):
        raise BrokenError(f"it was cut short when it was written ({cut})")


def _status(http: Any) -> int:
    if not re.fullmatch(r"[1-5]\d\d", http.get_statuscode()):
        raise BrokenError(f"no HTTP status: {http.statusline[:40]!r}")
    return int(http.get_statuscode())


def _decoded(record: Any) -> Given | None:
    http = record.http_headers
    if http is None or _WITHOUT_TEXT.match(http.get_header("content-type") or ""):
        return None
    _whole(record)
    status, body = _status(http), record.raw_stream.read()
    field = record.rec_headers.get_header
    digest = field("WARC-Payload-Digest") or ""
    if field(ASKED):
        return Given(our_answer(record, body), digest)
    made = answer(
        url=field("WARC-Target-URI"),
        final_url=field("WARC-Target-URI"),
        fetched_at=_moment(field("WARC-Date") or ""),
        status=status,
        headers=tuple(http.headers),
        body=_uncoded(body, http),
        source=Source.OFFICIAL,
    )
    return Given(made, digest)


_READERS: Mapping[Record, Callable[[Any], Given | None]] = {
    Record.RESPONSE: _decoded,
    Record.REVISIT: _revisit,
    Record.CONVERSION: _made,
    Record.RESOURCE: _made,
}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _uncoded(body: bytes, http: Any) -> bytes:
    """The body without transfer and content coding. A coding that is named but was undone before is no error."""
    if "chunked" in (http.get_header("transfer-encoding") or "").lower() and re.match(
        rb"[0-9a-fA-F]{1,8}[ \t]*(;|\r\n)", body
    ):
        body = _unchunked(body)
    codings = [name.strip() for name in (http.get_header("content-encoding") or "").lower().split(",")]
    for coding in reversed(codings[:4]):
        if coding in ("gzip", "x-gzip"):
            body = _inflated(body, 16 + zlib.MAX_WBITS) if body.startswith(GZIP) else body
        elif coding == "deflate":
            body = _deflated(body)
        elif coding not in ("", "identity"):
            raise BrokenError(f"its coding {coding[:20]!r} cannot be undone")
    return body


def _unchunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        line = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r\n").match(body, at)
        if line is None:
            raise BrokenError("its chunks are broken or cut short")
        size, at = int(line[1], 16), line.end()
        if size == 0:
            return b"".join(parts)
        if body[at + size : at + size + 2] != b"\r\n":
            raise BrokenError("its chunks are broken or cut short")
        parts.append(body[at : at + size])
        at += size + 2


def _deflated(body: bytes) -> bytes:
    """RFC 9110 means zlib's form, some servers send the bare one."""
    if not body:
        return body
    try:
        return _inflated(body, zlib.MAX_WBITS)
    except BrokenError:
        return _inflated(body, -zlib.MAX_WBITS)


def _inflated(body: bytes, window_bits: int) -> bytes:
    """All streams that follow one another in `body`; what comes after them and is none is dropped."""
    text = b""
    while True:
        inflate = zlib.decompressobj(window_bits)
        try:
            text += inflate.decompress(body, MAX_RECORD_BYTES - len(text) + 1)
        except zlib.error as error:
            raise BrokenError(f"its compression is damaged ({error})") from error
        if len(text) > MAX_RECORD_BYTES:
            raise BrokenError(f"it inflates to more than {MAX_RECORD_BYTES} bytes", cause=Cause.TOO_LARGE)
        if not inflate.eof:
            raise BrokenError("its compressed body is cut short")
        body = inflate.unused_data
        if not body.startswith(GZIP):
            return text
