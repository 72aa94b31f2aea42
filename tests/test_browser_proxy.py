"""The browser's one door, attacked over raw sockets: it opens what the guard allows and reads requests one way only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hostile import Reply, Server, serve

from pipeline.crawl.guard import Guard
from pipeline.crawl.proxy import Proxy

OK = Reply(b"fine", media="text/plain")


@contextmanager
def proxy(*allowed: str, **limits: int) -> Iterator[int]:
    """A proxy in a thread of its own; yields its port."""
    started, over = threading.Event(), threading.Event()
    ports: list[int] = []

    async def run() -> None:
        async with Proxy(Guard(allowed), **limits) as running:
            ports.append(running.port)
            started.set()
            while not over.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(5)
    try:
        yield ports[0]
    finally:
        over.set()
        thread.join(5)
        assert not thread.is_alive()


def said(port: int, request: bytes, *, more: Callable[[socket.socket], None] = lambda _: None) -> bytes:
    """Everything that comes back for these bytes until the proxy closes or has been silent for a moment."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        more(connection)
        connection.settimeout(0.5)
        received = b""
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return received


@pytest.fixture
def canary() -> Iterator[Server]:
    """A server that nobody was allowed to ask."""
    with serve(lambda _: OK) as server:
        yield server


@pytest.fixture
def site() -> Iterator[Server]:
    with serve({"/": OK, "/big": Reply(b"x" * 500_000), "/a?b=c": OK}) as server:
        yield server


def test_what_is_allowed_is_passed_on_and_keeps_the_connection(site: Server) -> None:
    with proxy(site.place) as port:
        twice = (
            f"GET {site.url} HTTP/1.1\r\nHost: evil.example\r\nX-Own: 1\r\nProxy-Authorization: x\r\n\r\n".encode() * 2
        )
        received = said(port, twice)
    assert received.count(b"HTTP/1.1 200") == 2
    assert received.count(b"4\r\nfine\r\n0\r\n\r\n") == 2
    headers = site.log[0].headers
    assert headers["Host"] == site.place
    assert headers["X-Own"] == "1"
    assert "Proxy-Authorization" not in headers


def test_a_tunnel_leads_to_the_allowed_place_only(site: Server, canary: Server) -> None:
    with proxy(site.place) as port:
        request = f"GET / HTTP/1.1\r\nHost: {site.place}\r\nConnection: close\r\n\r\n".encode()
        open_ = said(port, f"CONNECT {site.place} HTTP/1.1\r\n\r\n".encode() + request)
        refused = said(port, f"CONNECT {canary.place} HTTP/1.1\r\n\r\n".encode() + request)
    assert open_.startswith(b"HTTP/1.1 200 Connection Established\r\n\r\nHTTP/1.1 200")
    assert refused.startswith(b"HTTP/1.1 403")
    assert canary.log == []


PLACES = [
    "127.0.0.1:{port}", "localhost:{port}", "localhost.:{port}", "LOCALHOST:{port}", "2130706433:{port}",
    "0x7f000001:{port}", "0x7f.1:{port}", "0177.0.0.1:{port}", "127.1:{port}", "127.0.0.1.:{port}", "0:{port}",
    "0.0.0.0:{port}", "[::1]:{port}", "[::ffff:127.0.0.1]:{port}", "[::ffff:7f00:1]:{port}", "[::]:{port}",
    "[64:ff9b::7f00:1]:80", "user:pass@127.0.0.1:{port}", "127.0.0.1:80@127.0.0.1:{port}", "127.0.0.1%00:{port}",
    "127.0.0.1:{port}:80", "169.254.169.254:80", "10.0.0.1:80", "100.64.0.1:443", "127.0.0.1:22", "127.0.0.1:0",
    "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:", ":{port}", "", "127。0。0。1:{port}",
]  # fmt: skip


@pytest.mark.parametrize("form", ["CONNECT {place} HTTP/1.1\r\n\r\n", "GET http://{place}/ HTTP/1.1\r\n\r\n"])
def test_no_way_of_writing_a_private_place_opens_it(site: Server, canary: Server, form: str) -> None:
    port_there = canary.place.split(":")[1]
    with proxy(site.place) as port:
        for place in PLACES:
            written = form.format(place=place.format(port=port_there)).encode()
            received = said(port, written)
            assert received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 502")), (place, received[:200])
    assert canary.log == []


MALFORMED = [
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {there}\r\n\r\n",
    b"GET https://{there}/ HTTP/1.1\r\n\r\n",
    b"GET file:///etc/passwd HTTP/1.1\r\n\r\n",
    b"GET http://{there}/ HTTP/1.0\r\n\r\n",
    b"GET  http://{there}/ HTTP/1.1\r\n\r\n",
    b"GET http://{there}/ HTTP/1.1 \r\n\r\n",
    b"GET\thttp://{there}/\tHTTP/1.1\r\n\r\n",
    b"get http://{there}/ HTTP/1.1\r\n\r\n",
    b"TRACE http://{there}/ HTTP/1.1\r\n\r\n",
    b"DELETE http://{there}/ HTTP/1.1\r\n\r\n",
    b"GET http://{there}/ HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    b"GET http://{there}/ HTTP/1.1\r\nX : a\r\n\r\n",
    b"GET http://{there}/ HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
    b"GET http://{there}/ HTTP/1.1\r\nX: a\rY: b\r\n\r\n",
    b"GET http://{there}/ HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
    b"GET http://{there}/ HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET http://{there}/" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"POST http://{there}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST http://{there}/ HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST http://{there}/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\nabc",
    b"POST http://{there}/ HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
    b"POST http://{there}/ HTTP/1.1\r\nContent-Length: 0x3\r\n\r\nabc",
    b"POST http://{there}/ HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\nabc",
    b"CONNECT {there} HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    b"CONNECT http://{there}/ HTTP/1.1\r\n\r\n",
]


def test_what_can_be_read_two_ways_is_refused(site: Server) -> None:
    with proxy(site.place) as port:
        for request in MALFORMED:
            received = said(port, request.replace(b"{there}", site.place.encode()))
            assert received.startswith((b"HTTP/1.1 4", b"")), request[:60]
            assert b"HTTP/1.1 200" not in received, request[:60]
    assert site.log == []


def test_a_refused_request_ends_the_connection(site: Server) -> None:
    """What follows it could be the body that was refused, made to look like a request."""
    after = f"GET {site.url}smuggled HTTP/1.1\r\n\r\n".encode()
    with proxy(site.place) as port:
        first = f"POST {site.url} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        assert said(port, first + after).count(b"HTTP/1.1") == 1
        private = b"GET http://10.0.0.1/ HTTP/1.1\r\n\r\n"
        assert said(port, private + after).count(b"HTTP/1.1") == 1
    assert site.log == []


def test_a_body_is_a_body_even_where_it_looks_like_a_request(site: Server, canary: Server) -> None:
    hidden = f"GET {canary.url} HTTP/1.1\r\n\r\n".encode()
    with proxy(site.place) as port:
        head = f"GET {site.url} HTTP/1.1\r\nContent-Length: {len(hidden)}\r\n\r\n".encode()
        assert b"HTTP/1.1 200" in said(port, head + hidden)
    assert canary.log == []


def test_a_redirect_is_passed_on_and_not_followed(canary: Server) -> None:
    moved = Reply(b"", status=302, headers=(("Location", canary.url),))
    with serve({"/": moved}) as site, proxy(site.place) as port:
        assert b"HTTP/1.1 302" in said(port, f"GET {site.url} HTTP/1.1\r\n\r\n".encode())
    assert canary.log == []


def test_a_page_view_moves_no_more_than_its_bytes(site: Server) -> None:
    with proxy(site.place, max_bytes=100_000) as port:
        received = said(port, f"GET {site.url}big HTTP/1.1\r\n\r\n".encode())
        assert 0 < len(received) < 250_000
        assert not received.endswith(b"0\r\n\r\n")
        assert said(port, f"GET {site.url} HTTP/1.1\r\n\r\n".encode()).startswith(b"HTTP/1.1 503")


def test_more_connections_than_a_browser_opens_are_closed(site: Server) -> None:
    with proxy(site.place) as port:
        held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(80)]
        held[-1].settimeout(5)
        assert held[-1].recv(1) == b""
        for one in held:
            one.close()


def test_a_server_that_cuts_its_answer_short_is_not_whole(site: Server) -> None:
    from hostile import hostile_replies

    with serve(hostile_replies()) as bad, proxy(bad.place) as port:
        for path in ("too-short.html", "reset.html", "garbage.html"):
            received = said(port, f"GET {bad.url}{path} HTTP/1.1\r\n\r\n".encode())
            assert not received.endswith(b"\r\n0\r\n\r\n"), path
