"""Loopback web servers for the crawl's tests: well-behaved ones, and ones that do what servers must not do."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    """What a server answers: a body, or `act` writing to the connection by itself."""

    body: bytes = b""
    media: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    act: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass(frozen=True)
class Request:
    at: float
    path: str
    headers: Mapping[str, str]


Site = Mapping[str, "Reply | str"] | Callable[[str], "Reply | str | None"]


@dataclass
class Server:
    """A running server. log: every request in order, with its time on the monotonic clock."""

    url: str
    place: str
    log: list[Request] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [request.path for request in self.log]

    def pages(self) -> list[str]:
        """Requests other than those every crawl begins with."""
        return [path for path in self.paths() if path not in ("/robots.txt", "/sitemap.xml")]


@contextmanager
def serve(
    site: Site, *, host: str = "127.0.0.1", port: int = 0, slowness_s: float = 0.0, by_name: bool = False
) -> Iterator[Server]:
    """Serves a site: path (with query) to a reply, or a function of the path; None and unknown paths are 404. by_name:
    the site tells hosts apart, and their name stands before the path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            server.log.append(Request(time.monotonic(), self.path, dict(self.headers.items())))
            time.sleep(slowness_s)
            asked = self.headers.get("Host", "").partition(":")[0] + self.path if by_name else self.path
            found = site(asked) if callable(site) else site.get(asked)
            reply = Reply(found.encode()) if isinstance(found, str) else found or Reply(b"<p>404</p>", status=404)
            try:
                (reply.act or (lambda _: self.answer(reply)))(self)
            except OSError:
                self.close_connection = True

        def answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.media:
                self.send_header("Content-Type", reply.media)
            if not any(name.lower() == "content-length" for name, _ in reply.headers):
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    listener = Listener((host, port), Handler)
    port = listener.server_address[1]
    server = Server(f"http://{host}:{port}/", f"{host}:{port}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()


def filler(seed: str) -> str:
    """A sentence that no other seed gives."""
    words = [
        "住民",
        "窓口",
        "相談",
        "申込",
        "案内",
        "期間",
        "会場",
        "担当",
        "対象",
        "費用",
        "資料",
        "電話",
        "公園",
        "学校",
        "保育",
        "道路",
        "水道",
        "税金",
        "健康",
        "防災",
    ]
    digest = hashlib.sha256(seed.encode()).digest()
    return "、".join(words[byte % len(words)] + chr(0x3042 + byte % 80) for byte in digest) + "。"


def page(*links: tuple[str, str], title: str = "ページ", text: str | None = None) -> str:
    """A page of links (address, label) and a sentence, of its own unless given."""
    items = "".join(f'<li><a href="{href}">{label}</a></li>' for href, label in links)
    says = filler(title) if text is None else text
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1><p>{says}</p><ul>{items}</ul></body></html>"
    )


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(b"", status=status, headers=(("Location", location),))


# --- what servers must not do -----------------------------------------------------------------------------------------


def _start(handler: BaseHTTPRequestHandler, *headers: tuple[str, str]) -> None:
    handler.close_connection = True
    handler.send_response(200)
    for name, value in (("Content-Type", "text/html"), *headers):
        handler.send_header(name, value)
    handler.end_headers()


def _drip(handler: BaseHTTPRequestHandler) -> None:
    _start(handler)
    for _ in range(600):
        handler.wfile.write(b"<p>")
        handler.wfile.flush()
        time.sleep(0.05)


def _drip_header(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        handler.wfile.write(b"X-%d: y\r\n" % number)
        handler.wfile.flush()
        time.sleep(0.05)


def _header_flood(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        handler.wfile.write(b"X-Flood-%d: %s\r\n" % (number, b"y" * 100))


def _continue_forever(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    for _ in range(10_000):
        handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        time.sleep(0.01)


def _endless(handler: BaseHTTPRequestHandler) -> None:
    _start(handler)
    while True:
        handler.wfile.write(b"<p>text</p>" * 1000)


def _too_short(handler: BaseHTTPRequestHandler) -> None:
    _start(handler, ("Content-Length", "100000"))
    handler.wfile.write(b"<p>cut off")


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"\x00\x01SSH-2.0-OpenSSH\r\n\r\n")


def _odd_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 \xff\r\nContent-Type: text/html; charset=\xfe\r\nX-Odd: \xe3\x81\x82\xff\r\n")
    handler.wfile.write(b"X-Empty:\r\nConnection: close\r\n\r\n<a href='/odd.html'>odd</a>")


def _odd_location(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.wfile.write("HTTP/1.1 302 Found\r\nLocation: /移転.html\r\nContent-Length: 0\r\n\r\n".encode())


def act(action: Callable[[BaseHTTPRequestHandler], None]) -> Reply:
    return Reply(act=action)


def hostile_replies() -> dict[str, Reply]:
    """Path to a reply that a crawler must survive."""
    return {
        "/drip.html": act(_drip),
        "/drip-header.html": act(_drip_header),
        "/header-flood.html": act(_header_flood),
        "/hints.html": act(_continue_forever),
        "/endless.html": act(_endless),
        "/too-short.html": act(_too_short),
        "/reset.html": act(_reset),
        "/garbage.html": act(_garbage),
        "/odd-headers.html": act(_odd_headers),
        "/odd-location.html": act(_odd_location),
        "/bomb.html": Reply(gzip.compress(bytes(200_000_000), 6), headers=(("Content-Encoding", "gzip"),)),
        "/twice-gzip.html": Reply(
            gzip.compress(gzip.compress(bytes(100_000_000), 6)), headers=(("Content-Encoding", "gzip, gzip"),)
        ),
        "/not-gzip.html": Reply(b"plain", headers=(("Content-Encoding", "gzip"),)),
        "/brotli.html": Reply(b"\x8b\x03\x80", headers=(("Content-Encoding", "br"),)),
        "/circle.html": redirect("/circle-2.html"),
        "/circle-2.html": redirect("/circle.html"),
        "/self.html": redirect("/self.html"),
        "/metadata.html": redirect("http://169.254.169.254/latest/meta-data/"),
        "/file.html": redirect("file:///etc/passwd"),
        "/userinfo.html": redirect("http://user:pass@example.com/"),
        "/decimal.html": redirect("http://2130706433/"),
        "/nowhere.html": Reply(b"", status=302),
        "/empty.html": Reply(b""),
        "/blank.html": Reply(b" \n "),
        "/image.html": Reply(b"\x89PNG", media="image/png"),
        "/office.docx": Reply(b"PK", media="application/msword"),
        "/gone.html": Reply(b"<p>gone</p>", status=410),
        "/forbidden.html": Reply(b"<p>no</p>", status=403),
        "/server.html": Reply(b"<p>oops</p>", status=500),
        "/tags.html": Reply(b"<div>" * 2_000_000),
        "/nested-links.html": Reply(b"<a href=/x.html><b>" * 500_000),
    }


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")
