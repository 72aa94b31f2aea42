"""The records of a WARC that any tool wrote, one after the other. Nothing in it is trusted, sizes least of all.

Records are framed here, not by warcio's iterator: that one reads a header line of any length into memory, goes on
silently with half a body where its compression breaks, and after a wrong length takes text in a body for a record.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.models import Cause

MAX_HEAD_BYTES = 65_536
MAX_RECORD_BYTES = 50_000_000
HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n")
GZIP = b"\x1f\x8b"
_MAX_BLANK_BYTES = 64
_CHUNK_BYTES = 65_536


class BrokenError(ValueError):
    """A record that cannot be read. goes_on: the next record of this gzip member can be."""

    def __init__(self, detail: str, *, url: str = "", goes_on: bool = False, cause: Cause = Cause.BROKEN) -> None:
        super().__init__(detail)
        self.url = url
        self.goes_on = goes_on
        self.cause = cause


class TornFileError(BrokenError):
    """The gzip stream itself is damaged or ends early: nothing after it can be trusted."""


@dataclass(frozen=True)
class Block:
    """A record's bytes: WARC header with its blank line, and content."""

    head: bytes
    content: bytes


class Member:
    """The bytes of a plain file, or of one gzip member after the other, inflated piece by piece."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = file.read(_CHUNK_BYTES)
        self._gzip = self._packed.startswith(GZIP)
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._ready = bytearray()
        self.begins = 0

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end of the member."""
        while len(self._ready) < size and (piece := self._piece()):
            self._ready += piece
        return bytes(self._ready[:size])

    def drop(self, size: int) -> int:
        """Steps over `size` bytes without keeping them; says how many there were."""
        left = size
        while left:
            if not self._ready and not self._refill():
                break
            gone = min(left, len(self._ready))
            del self._ready[:gone]
            left -= gone
        return size - left

    def _refill(self) -> bool:
        self._ready += self._piece()
        return bool(self._ready)

    def _piece(self) -> bytes:
        if not self._gzip:
            piece, self._packed = self._packed, self._file.read(_CHUNK_BYTES)
            return piece
        while not self._inflate.eof:
            if not self._packed:
                self._packed = self._file.read(_CHUNK_BYTES)
            if not self._packed:
                raise TornFileError("the file ends in the middle of it")
            try:
                piece = self._inflate.decompress(self._packed, _CHUNK_BYTES)
            except zlib.error as error:
                raise TornFileError(
                    f"its compression is damaged ({error}); the rest of the file was not read"
                ) from error
            self._packed = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece:
                return piece
        return b""

    def next(self) -> bool:
        """Steps over what is left of this member to the next one; False at the end of the file."""
        while self._ready or self._refill():
            self._ready.clear()
        if not self._gzip:
            return False
        self._packed = self._packed.lstrip(b"\0") or self._file.read(_CHUNK_BYTES).lstrip(b"\0")
        self.begins = self._file.tell() - len(self._packed)
        if not self._packed:
            return False
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return True


def next_block(member: Member) -> Block | None:
    """The next record of this member, or None at its end. Raises BrokenError."""
    blank = member.peek(_MAX_BLANK_BYTES)
    member.drop(len(blank) - len(blank.lstrip(b"\r\n")))
    if not member.peek(1):
        return None
    if member.peek(5) != b"WARC/":
        raise BrokenError("text where a record should begin")
    head = _head(member)
    length = _length(head)
    if length > MAX_RECORD_BYTES:
        whole = member.drop(length) == length
        detail = f"it says that it has {length} bytes" + ("" if whole else ", and the file has fewer")
        raise BrokenError(detail, url=target(head), goes_on=whole, cause=Cause.TOO_LARGE)
    content = member.peek(length)
    member.drop(length)
    if len(content) < length:
        raise BrokenError(f"{len(content)} of its {length} bytes are there", url=target(head))
    if member.peek(6).lstrip(b"\r\n")[:2] not in (b"", b"W", b"WA"):
        raise BrokenError("it is longer than it says", url=target(head))
    return Block(head, content)


def _head(member: Member) -> bytes:
    seen = member.peek(MAX_HEAD_BYTES)
    end = HEAD_END.search(seen)
    if end is None:
        raise BrokenError(f"its header has no end within {MAX_HEAD_BYTES} bytes")
    member.drop(end.end())
    return seen[: end.end()]


def _length(head: bytes) -> int:
    found = re.search(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", head, re.I | re.M)
    if found is None:
        raise BrokenError("its header names no length", url=target(head))
    return int(found[1])


def target(head: bytes) -> str:
    found = re.search(rb"^warc-target-uri:[ \t]*<?([^\s>]{1,2000})", head, re.I | re.M)
    return found[1].decode("utf-8", "replace") if found else ""
