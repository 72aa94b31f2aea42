"""The one door of the browser: a forward proxy on loopback that opens only what the crawl's guard allows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpcore2

from pipeline.crawl.fetch import Pinned
from pipeline.crawl.guard import Guard, UnfetchedError
from pipeline.urls import canonical, host_port

# Of one page view, both ways. Heavy home pages weigh 10 to 30 MB.
MAX_LOAD_BYTES = 60_000_000
# Chromium opens 32 at a time to a proxy.
MAX_CONNECTIONS = 64
MAX_HEAD_BYTES, MAX_HEADERS = 32_768, 100
MAX_REQUEST_BODY = 1_000_000
CONNECT_S, IDLE_S, LONGEST_S = 10.0, 30.0, 120.0
_CHUNK = 65_536
_METHODS = {b"GET", b"HEAD", b"OPTIONS", b"POST"}
_REQUEST = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]{1,8192}) HTTP/1\.1")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_ABSOLUTE = re.compile(rb"http://([^/?#@\\]+)(/[^#]*|\?[^#]*)?")
_PLACE = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):([0-9]{1,5})")
# About one connection and not about the message (RFC 9110, 7.6.1), and what only the proxy may say.
_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
               b"te", b"trailer", b"transfer-encoding", b"upgrade", b"content-length"}  # fmt: skip
_REASONS = {400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 413: "Content Too Large",
            431: "Request Header Fields Too Large", 502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip


class _RefusedError(Exception):
    """A request that is answered by the proxy itself, with that status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _SpentError(Exception):
    """The page view has moved all that it may."""


@dataclass(frozen=True)
class _Request:
    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]


class Proxy:
    """Passes on plain http requests and opens tunnels, each to the very address that the guard has checked.

    What the guard refuses is answered 403. A page view (`fresh` begins one) may move `max_bytes` and no more: then all
    connections are closed and `spent` is true.
    """

    def __init__(self, guard: Guard, *, max_bytes: int = MAX_LOAD_BYTES) -> None:
        self._guard = guard
        self._max_bytes = max_bytes
        self._moved = 0
        self._server: asyncio.Server | None = None
        self._pool = _pool(guard)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await self._hang_up()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    @property
    def spent(self) -> bool:
        """Whether the page view has moved all that it may."""
        return self._moved >= self._max_bytes

    async def fresh(self) -> None:
        """Begins a page view: nothing is left open from the one before."""
        await self._hang_up()
        self._pool = _pool(self._guard)
        self._moved = 0

    async def _hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.aclose()

    def _count(self, moved: int) -> None:
        self._moved += moved
        if self.spent:
            raise _SpentError

    # --- one connection ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._tasks.add(task)
        try:
            async with asyncio.timeout(LONGEST_S):
                while await self._one(reader, writer):
                    pass
        except (OSError, EOFError, TimeoutError, _SpentError, asyncio.CancelledError):
            pass  # the browser, the server, the clock or the page view has ended it
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serves one request; whether another may follow on this connection."""
        try:
            if self.spent:
                raise _RefusedError(503, "the page view has moved all that it may")
            request = await _read(reader)
            if request.method == b"CONNECT":
                await self._tunnel(request, reader, writer)
                return False
            return await self._pass_on(request, reader, writer)
        except UnfetchedError as error:
            return await _refuse(writer, 403, error.detail)
        except _RefusedError as error:
            return await _refuse(writer, error.status, str(error))

    async def _tunnel(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = _PLACE.fullmatch(request.target)
        if place is None or request.all(b"content-length") or request.all(b"transfer-encoding"):
            raise _RefusedError(400, "no host and port to connect to")
        there, thither = await self._open(*_host_port(request.target))
        try:
            writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            await writer.drain()
            both = [asyncio.create_task(self._pump(*ends)) for ends in ((reader, thither), (there, writer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        finally:
            thither.close()

    async def _open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        target = await self._guard.target(host, port)
        for address in target.addresses[:4]:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    return await asyncio.open_connection(address, port)
        raise _RefusedError(502, f"{host} does not answer")

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(_CHUNK):
            self._count(len(chunk))
            sink.write(chunk)
            await sink.drain()

    async def _pass_on(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        url = _url(request)
        body = await _body(request, reader)
        self._count(len(body))
        headers = [(b"Host", _authority(url)), *_end_to_end(request.headers)]
        if body or request.method == b"POST":
            headers.append((b"Content-Length", b"%d" % len(body)))
        asked = httpcore2.Request(
            request.method, url, headers=headers, content=body, extensions={"timeout": _timeouts()}
        )
        try:
            answer = await self._pool.handle_async_request(asked)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise _RefusedError(502, type(error).__name__) from error
        try:
            await self._answer(request, answer, writer)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException):
            return False  # cut short: without the last chunk the browser knows
        finally:
            await answer.aclose()
        return True

    async def _answer(self, request: _Request, answer: httpcore2.Response, writer: asyncio.StreamWriter) -> None:
        bare = request.method == b"HEAD" or answer.status in (204, 304)
        lines = [b"HTTP/1.1 %d -" % answer.status]
        lines += [name + b": " + value for name, value in _end_to_end(answer.headers)]
        lines += [] if bare else [b"Transfer-Encoding: chunked"]
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        async for chunk in _chunks(answer):
            self._count(len(chunk))
            if not bare and chunk:
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await writer.drain()
        if not bare:
            writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _chunks(answer: httpcore2.Response) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_stream():
        yield chunk


def _pool(guard: Guard) -> httpcore2.AsyncConnectionPool:
    return httpcore2.AsyncConnectionPool(
        max_connections=MAX_CONNECTIONS, keepalive_expiry=15.0, network_backend=Pinned(guard)
    )


def _timeouts() -> dict[str, float]:
    return {"connect": CONNECT_S, "read": IDLE_S, "write": IDLE_S, "pool": IDLE_S}


async def _read(reader: asyncio.StreamReader) -> _Request:
    """The head of the next request. Raises _RefusedError for what is not HTTP/1.1 to the letter: two readings of one
    request are how a second one is smuggled in."""
    try:
        async with asyncio.timeout(IDLE_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise _RefusedError(431, "the head is too large") from error
    first, *lines = head[:-4].split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    headers = [_HEADER.fullmatch(line) for line in lines]
    if request is None or len(headers) > MAX_HEADERS or not all(headers):
        raise _RefusedError(400, "the head is malformed")
    return _Request(request[1], request[2], tuple((found[1], found[2]) for found in headers if found))


def _url(request: _Request) -> httpcore2.URL:
    found = _ABSOLUTE.fullmatch(request.target)
    if request.method not in _METHODS:
        raise _RefusedError(405, "GET, HEAD, OPTIONS and POST only")
    if found is None:
        raise _RefusedError(400, "no absolute http address")
    host, port = _host_port(found[1])
    path = found[2] or b"/"
    named = f"[{host}]" if ":" in host else host
    return httpcore2.URL(
        scheme=b"http", host=named.encode(), port=port, target=path if path.startswith(b"/") else b"/" + path
    )


def _host_port(authority: bytes) -> tuple[str, int]:
    """Host and port as the guard knows them. Raises _RefusedError for disguised hosts."""
    url = canonical(f"http://{authority.decode('ascii', 'replace')}/")
    if url is None:
        raise _RefusedError(403, "no host that may be asked")
    host, port = host_port(url)
    return host.strip("[]"), port


def _authority(url: httpcore2.URL) -> bytes:
    return url.host if url.port in (None, 80) else b"%b:%d" % (url.host, url.port)


async def _body(request: _Request, reader: asyncio.StreamReader) -> bytes:
    lengths = request.all(b"content-length")
    if request.all(b"transfer-encoding") or len(lengths) > 1 or not all(one.isdigit() for one in lengths):
        raise _RefusedError(400, "a body is announced by one Content-Length")
    length = int(lengths[0]) if lengths and len(lengths[0]) < 12 else MAX_REQUEST_BODY + 1 if lengths else 0
    if length > MAX_REQUEST_BODY:
        raise _RefusedError(413, "the body is too large")
    async with asyncio.timeout(IDLE_S):
        return await reader.readexactly(length)


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers without those of one connection, and without Host, which comes from the address."""
    kept = list(headers)
    named = {
        word.strip().lower() for name, value in kept if name.lower() == b"connection" for word in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named | {b"host"}
    return [(name, value) for name, value in kept if name.lower() not in dropped]


async def _refuse(writer: asyncio.StreamWriter, status: int, why: str) -> bool:
    """Answers for itself and ends the connection, whose further bytes may be anything."""
    body = why.encode("utf-8", "replace")[:300]
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    with suppress(OSError):
        await writer.drain()
    return False
