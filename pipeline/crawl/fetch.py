"""One request: streamed, capped in bytes and time, to the very address that was checked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpcore2
import httpx2

from pipeline.crawl.guard import Guard, UnfetchedError
from pipeline.crawl.pace import Turn
from pipeline.models import Cause, Snapshot

# Of answers other than 200 only as much is kept as an error page needs.
MAX_ERROR_BYTES = 262_144
# Bytes read of a body whose type is not declared, before deciding whether to read on.
_SNIFF_BYTES = 5
REDIRECTS = {301, 302, 303, 307, 308}
_ENCODINGS = {"", "identity", "gzip", "x-gzip", "deflate"}
_ACCEPT = "text/html,application/xhtml+xml,application/pdf,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.1"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. url: that gave it; body: after content decoding; media: bare lower-case media type; earlier: the
    archived answer whose body this one has again, be it a 304 or the same bytes; kept: where this very answer is
    archived already."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fetched_at: datetime
    earlier: Snapshot | None = None
    kept: Snapshot | None = None

    @property
    def is_page(self) -> bool:
        """Whether the address gave a body, now or before."""
        return self.status == 200 or self.earlier is not None

    def header(self, name: str) -> str:
        """The first header of that name (lower case), or an empty string. Of a 304 what its page had."""
        told = self.earlier.headers if self.earlier and self.status == 304 else self.headers
        return next((value for key, value in told if key.lower() == name), "")

    @property
    def media(self) -> str:
        return self.header("content-type").partition(";")[0].strip().lower()


class Client:
    """Asks one URL at a time and follows nothing. Keeps no cookies and reads no environment."""

    def __init__(self, guard: Guard, *, user_agent: str, deadline_s: float, max_bytes: int) -> None:
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._headers = {
            "User-Agent": user_agent,
            "Accept": _ACCEPT,
            "Accept-Language": "ja,en;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        }
        self._transport = _Transport(guard)

    async def close(self) -> None:
        await self._transport.aclose()

    async def ask(
        self,
        url: str,
        wanted: Callable[[str], bool],
        turn: Turn,
        *,
        max_bytes: int | None = None,
        conditions: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a GET of a canonical URL. wanted: whether a media type is worth its body; turn: told when
        the request is about to leave and when it has; conditions: headers that make it a conditional one.

        Raises UnfetchedError: ADDRESS, DNS, CONNECT, TLS, TIMEOUT, TOO_LARGE, PROTOCOL, and MEDIA before any body.
        """
        try:
            # The client's own timeout starts anew with each byte; a slow drip ends only with this one.
            async with asyncio.timeout(self._deadline_s) as clock:
                most = min(max_bytes or self._max_bytes, self._max_bytes)
                sent = self._headers | dict(conditions or {})
                return await self._ask(url, wanted, _told(turn, clock), most, sent)
        except TimeoutError as error:
            raise UnfetchedError(Cause.TIMEOUT, f"no complete answer in {self._deadline_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise _unfetched(error) from error

    async def _ask(
        self,
        url: str,
        wanted: Callable[[str], bool],
        trace: Callable[[str, object], Awaitable[None]],
        max_bytes: int,
        headers_sent: Mapping[str, str],
    ) -> Answer:
        extensions = {"timeout": _timeouts(self._deadline_s), "trace": trace}
        request = httpx2.Request("GET", url, headers=headers_sent, extensions=extensions)
        response = await self._transport.handle_async_request(request)
        try:
            headers = tuple((key, value) for key, value in response.headers.multi_items())
            answer = Answer(url, response.status_code, headers, b"", datetime.now(UTC))
            if response.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
                raise UnfetchedError(
                    Cause.PROTOCOL, f"encoding {response.headers['content-encoding'][:40]} was not offered"
                )
            if answer.status == 200 and not wanted(answer.media):
                raise UnfetchedError(Cause.MEDIA, answer.media)
            body = await _body(response, max_bytes if answer.status == 200 else MAX_ERROR_BYTES, answer.status == 200)
            return Answer(url, answer.status, headers, body, answer.fetched_at)
        finally:
            await response.aclose()


async def _body(response: httpx2.Response, max_bytes: int, whole: bool) -> bytes:
    """The decoded body. whole: whether too many bytes are an error or the rest is left unread."""
    received = bytearray()
    async for chunk in response.aiter_bytes():
        received += chunk
        if len(received) > max_bytes:
            if whole:
                raise UnfetchedError(Cause.TOO_LARGE, f"more than {max_bytes} bytes")
            break
    return bytes(received[:max_bytes])


def _told(turn: Turn, clock: asyncio.Timeout) -> Callable[[str, object], Awaitable[None]]:
    """What httpcore2 tells of a request's steps, of which two matter: its headers are about to be sent, and they are
    with the system's network."""

    async def trace(step: str, _: object) -> None:
        if step == "http11.send_request_headers.started":
            async with stopped(clock):
                await turn.enter()
        elif step == "http11.send_request_headers.complete":
            await turn.left()

    return trace


@asynccontextmanager
async def stopped(clock: asyncio.Timeout) -> AsyncIterator[None]:
    """Lets a deadline wait: what it had left it has again afterwards."""
    loop = asyncio.get_running_loop()
    left_s = (clock.when() or loop.time()) - loop.time()
    clock.reschedule(None)
    try:
        yield
    finally:
        clock.reschedule(loop.time() + left_s)


def _timeouts(seconds: float) -> dict[str, float]:
    return dict.fromkeys(("connect", "read", "write", "pool"), seconds)


def _unfetched(error: Exception) -> UnfetchedError:
    """What an error of the HTTP client means to us."""
    refused = _first(error, UnfetchedError)
    if isinstance(refused, UnfetchedError):
        return refused
    if _first(error, ssl.SSLError):
        return UnfetchedError(Cause.TLS, str(error)[:200])
    if isinstance(error, httpx2.TimeoutException):
        return UnfetchedError(Cause.TIMEOUT, type(error).__name__)
    if isinstance(error, httpx2.ConnectError):
        return UnfetchedError(Cause.CONNECT, str(error)[:200])
    return UnfetchedError(Cause.PROTOCOL, f"{type(error).__name__}: {error}"[:200])


def _first(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The first error of a kind among the causes of an error."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


class _Transport(httpx2.AsyncHTTPTransport):
    """httpx2's transport over a connection pool that opens checked addresses only."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(verify=_context(), trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_context(),
            max_connections=32,
            max_keepalive_connections=16,
            keepalive_expiry=15.0,
            network_backend=Pinned(guard),
        )


@cache
def _context() -> ssl.SSLContext:
    """The certificates to trust: 10 ms and a megabyte, which hundreds of crawls need once."""
    return httpx2.create_ssl_context(trust_env=False)


class Pinned(httpcore2.AsyncNetworkBackend):
    """Opens connections to the addresses the guard has checked, so that no second look-up can lead elsewhere.

    The URL keeps its host, which therefore stands in the Host header and is what the certificate must be for.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._tcp = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        target = await self._guard.target(host.strip("[]"), port)
        failed: httpcore2.ConnectError | None = None
        for address in target.addresses[:4]:
            try:
                return await self._tcp.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                failed = error
        raise failed or httpcore2.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
