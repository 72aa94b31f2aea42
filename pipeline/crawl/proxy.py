"""The one door of the browser: a forward proxy on loopback that opens only what the crawl's guard allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpcore2

from pipeline.crawl.fetch import Pinned
from pipeline.crawl.guard import Guard, UnfetchedError
from pipeline.crawl.messages import (
    IDLE_S,
    MAX_HEAD_BYTES,
    RefusedError,
    Request,
    authority_of,
    end_to_end,
    read,
    read_body,
    tunnel_of,
    url_of,
)

# Of one page view, both ways. Heavy home pages weigh 10 to 30 MB.
MAX_LOAD_BYTES = 60_000_000
# Chromium opens 32 at a time to a proxy.
MAX_CONNECTIONS = 64
CONNECT_S, LONGEST_S = 10.0, 120.0
_CHUNK = 65_536
_REASONS = {400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 413: "Content Too Large",
            431: "Request Header Fields Too Large", 502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip


class _SpentError(Exception):
    """The page view has moved all that it may."""


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
                raise RefusedError(503, "the page view has moved all that it may")
            request = await read(reader)
            if request.method == b"CONNECT":
                await self._tunnel(request, reader, writer)
                return False
            return await self._pass_on(request, reader, writer)
        except UnfetchedError as error:
            return await _refuse(writer, 403, error.detail)
        except RefusedError as error:
            return await _refuse(writer, error.status, str(error))

    async def _tunnel(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await self._open(*tunnel_of(request))
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
        raise RefusedError(502, f"{host} does not answer")

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(_CHUNK):
            self._count(len(chunk))
            sink.write(chunk)
            await sink.drain()

    async def _pass_on(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        url = url_of(request)
        body = await read_body(request, reader)
        self._count(len(body))
        headers = [(b"Host", authority_of(url)), *end_to_end(request.headers)]
        if body or request.method == b"POST":
            headers.append((b"Content-Length", b"%d" % len(body)))
        asked = httpcore2.Request(
            request.method, url, headers=headers, content=body, extensions={"timeout": _timeouts()}
        )
        try:
            answer = await self._pool.handle_async_request(asked)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise RefusedError(502, type(error).__name__) from error
        try:
            await self._answer(request, answer, writer)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException):
            return False  # cut short: without the last chunk the browser knows
        finally:
            await answer.aclose()
        return True

    async def _answer(self, request: Request, answer: httpcore2.Response, writer: asyncio.StreamWriter) -> None:
        bare = request.method == b"HEAD" or answer.status in (204, 304)
        lines = [b"HTTP/1.1 %d -" % answer.status]
        lines += [name + b": " + value for name, value in end_to_end(answer.headers)]
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


async def _refuse(writer: asyncio.StreamWriter, status: int, why: str) -> bool:
    """Answers for itself and ends the connection, whose further bytes may be anything."""
    body = why.encode("utf-8", "replace")[:300]
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    with suppress(OSError):
        await writer.drain()
    return False
