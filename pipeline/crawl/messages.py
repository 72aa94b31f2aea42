"""Requests as a browser sends them to its proxy, taken to the letter: what can be read in two ways is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpcore2

from pipeline.urls import canonical, host_port

MAX_HEAD_BYTES, MAX_HEADERS = 32_768, 100
MAX_REQUEST_BODY = 1_000_000
# For the rest of a message whose beginning is there.
IDLE_S = 30.0
_METHODS = {b"GET", b"HEAD", b"OPTIONS", b"POST"}
_REQUEST = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]{1,8192}) HTTP/1\.1")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_ABSOLUTE = re.compile(rb"http://([^/?#@\\]+)(/[^#]*|\?[^#]*)?")
_PLACE = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):([0-9]{1,5})")
# About one connection and not about the message (RFC 9110, 7.6.1), and what only the proxy may say.
_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
               b"te", b"trailer", b"transfer-encoding", b"upgrade", b"content-length"}  # fmt: skip


class RefusedError(Exception):
    """A request that is answered by the proxy itself, with that status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Request:
    """The head of a request. target: a host and port for CONNECT, else an address, as written."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def all(self, name: bytes) -> list[bytes]:
        """The values of all headers of that name (lower case)."""
        return [value for key, value in self.headers if key.lower() == name]


async def read(reader: asyncio.StreamReader) -> Request:
    """The head of the next request. Raises RefusedError for what is not HTTP/1.1 to the letter: two readings of one
    request are how a second one is smuggled in."""
    try:
        async with asyncio.timeout(IDLE_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise RefusedError(431, "the head is too large") from error
    first, *lines = head[:-4].split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    headers = [_HEADER.fullmatch(line) for line in lines]
    if request is None or len(headers) > MAX_HEADERS or not all(headers):
        raise RefusedError(400, "the head is malformed")
    return Request(request[1], request[2], tuple((found[1], found[2]) for found in headers if found))


def tunnel_of(request: Request) -> tuple[str, int]:
    """Host and port that a CONNECT asks for. Raises RefusedError."""
    if not _PLACE.fullmatch(request.target) or request.all(b"content-length") or request.all(b"transfer-encoding"):
        raise RefusedError(400, "no host and port to connect to")
    return _place(request.target)


def url_of(request: Request) -> httpcore2.URL:
    """The address that a plain request is about. Raises RefusedError."""
    found = _ABSOLUTE.fullmatch(request.target)
    if request.method not in _METHODS:
        raise RefusedError(405, "GET, HEAD, OPTIONS and POST only")
    if found is None:
        raise RefusedError(400, "no absolute http address")
    host, port = _place(found[1])
    path = found[2] or b"/"
    named = f"[{host}]" if ":" in host else host
    return httpcore2.URL(
        scheme=b"http", host=named.encode(), port=port, target=path if path.startswith(b"/") else b"/" + path
    )


def _place(authority: bytes) -> tuple[str, int]:
    """Host and port as the guard knows them. Raises RefusedError for disguised hosts."""
    url = canonical(f"http://{authority.decode('ascii', 'replace')}/")
    if url is None:
        raise RefusedError(403, "no host that may be asked")
    host, port = host_port(url)
    return host.strip("[]"), port


def authority_of(url: httpcore2.URL) -> bytes:
    """What the Host header says of an address."""
    return url.host if url.port in (None, 80) else b"%b:%d" % (url.host, url.port)


async def read_body(request: Request, reader: asyncio.StreamReader) -> bytes:
    """The body that a request announces, empty where it announces none. Raises RefusedError."""
    lengths = request.all(b"content-length")
    if request.all(b"transfer-encoding") or len(lengths) > 1 or not all(one.isdigit() for one in lengths):
        raise RefusedError(400, "a body is announced by one Content-Length")
    length = int(lengths[0]) if lengths and len(lengths[0]) < 12 else MAX_REQUEST_BODY + 1 if lengths else 0
    if length > MAX_REQUEST_BODY:
        raise RefusedError(413, "the body is too large")
    async with asyncio.timeout(IDLE_S):
        return await reader.readexactly(length)


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers without those of one connection, and without Host, which comes from the address."""
    kept = list(headers)
    named = {
        word.strip().lower() for name, value in kept if name.lower() == b"connection" for word in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named | {b"host"}
    return [(name, value) for name, value in kept if name.lower() not in dropped]
