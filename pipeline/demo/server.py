"""The bundled site over HTTP on a loopback port, with the faults that real servers have."""

from __future__ import annotations

import hashlib
import socket
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

SITE = Path(__file__).resolve().parent / "site"

# Pages that break down when asked: the site links to them, no reader ever sees them.
FAILING = frozenset({"/shisei/digital/rpa.html"})

IDLE_TIMEOUT_S = 10.0

# HTML goes out without a charset, as on most municipal servers: the page's own declaration, or none, has to do.
_TYPES = {
    ".html": "text/html",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".xml": "application/xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class _File:
    body: bytes
    content_type: str
    etag: str
    modified_s: int

    @classmethod
    def read(cls, path: Path) -> _File:
        body = path.read_bytes()
        kind = _TYPES.get(path.suffix, "application/octet-stream")
        return cls(body, kind, f'"{hashlib.sha256(body).hexdigest()[:20]}"', int(path.stat().st_mtime))

    def headers(self) -> dict[str, str]:
        return {"ETag": self.etag, "Last-Modified": formatdate(self.modified_s, usegmt=True)}


def _files(folder: Path) -> dict[str, _File]:
    """Every file that may be served, by its decoded path: an address outside this table does not exist."""
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        address = "/" + path.relative_to(folder).as_posix()
        files[address] = _File.read(path)
        if path.name == "index.html":
            files[address.removesuffix("index.html")] = files[address]
    return files


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S

    def __init__(self, files: Mapping[str, _File], failing: frozenset[str], *arguments: Any) -> None:
        self._files, self._failing = files, failing
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path in self._failing:
            self._page(HTTPStatus.INTERNAL_SERVER_ERROR, "ただいま表示できません。時間をおいてもう一度お試しください。")
        elif path in self._files:
            self._file(self._files[path])
        elif path + "/" in self._files:
            self._answer(HTTPStatus.MOVED_PERMANENTLY, "text/html", b"", {"Location": quote(path + "/")})
        else:
            self._page(
                HTTPStatus.NOT_FOUND, "お探しのページは見つかりませんでした。移動または削除された可能性があります。"
            )

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self) -> None:
        # The body of a refused request is left unread, so the connection cannot be used again.
        self.close_connection = True
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/html", b"", {"Allow": "GET, HEAD", "Connection": "close"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815

    def _file(self, file: _File) -> None:
        if self._unchanged(file):
            self._answer(HTTPStatus.NOT_MODIFIED, "", b"", file.headers())
        else:
            self._answer(HTTPStatus.OK, file.content_type, file.body, file.headers())

    def _unchanged(self, file: _File) -> bool:
        """Whether the asker holds this very file; the entity tag wins over the date (RFC 9110, 13.1.3)."""
        if tags := self.headers.get("If-None-Match"):
            return file.etag in (tag.strip().removeprefix("W/") for tag in tags.split(",")) or tags.strip() == "*"
        try:
            return file.modified_s <= parsedate_to_datetime(self.headers["If-Modified-Since"] or "").timestamp()
        except (ValueError, TypeError):
            return False

    def _page(self, status: HTTPStatus, sentence: str) -> None:
        head = f'<!DOCTYPE html><html lang="ja"><meta charset="utf-8"><title>{status.value}</title>'
        self._answer(status, "text/html", f"{head}<p>{sentence}</p></html>".encode(), {})

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status is not HTTPStatus.NOT_MODIFIED:
            self.wfile.write(body)

    def version_string(self) -> str:
        return "demo"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the walk's own progress is on the screen."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """A reader that goes away in mid-answer is no event; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextmanager
def serve(folder: Path = SITE, *, port: int = 0) -> Generator[str]:
    """Serve a folder on 127.0.0.1 in a background thread; yields the home page's address, `http://127.0.0.1:PORT/`.
    The bundled site has pages that break down, another folder none.

    port: 0 takes any free one. Files are read once, at the start. Raises OSError where the port is taken.
    """
    failing = FAILING if folder == SITE else frozenset[str]()
    with _Server(("127.0.0.1", port), partial(_Handler, _files(folder), failing)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
