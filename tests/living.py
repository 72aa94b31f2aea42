"""A loopback site that changes between two surveys, and whose servers speak of their pages as they like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler

from hostile import Reply, act


@dataclass
class Doc:
    """A page and how its server speaks of it. answers: takes the server's answer into its own hands."""

    body: str
    etag: bool = False
    modified: float | None = None
    weak: bool = False
    media: str = "text/html; charset=utf-8"
    answers: Callable[[BaseHTTPRequestHandler, Doc], None] | None = None

    @property
    def tag(self) -> str:
        return ("W/" if self.weak else "") + f'"{sha256(self.body.encode()).hexdigest()[:12]}"'

    def headers(self) -> list[tuple[str, str]]:
        sent = [("ETag", self.tag)] if self.etag else []
        return sent + ([("Last-Modified", formatdate(self.modified, usegmt=True))] if self.modified else [])

    def unchanged(self, asked: BaseHTTPRequestHandler) -> bool:
        by_tag, by_date = asked.headers.get("If-None-Match"), asked.headers.get("If-Modified-Since")
        if by_tag:
            return self.etag and by_tag.removeprefix("W/") == self.tag.removeprefix("W/")
        return bool(by_date and self.modified and by_date == formatdate(self.modified, usegmt=True))


@dataclass
class Site:
    """A site that may change between two crawls. bodies: paths whose body was sent."""

    docs: dict[str, Doc]
    bodies: list[str] = field(default_factory=list)

    def __call__(self, path: str) -> Reply | None:
        doc = self.docs.get(path)
        return None if doc is None else act(lambda handler: (doc.answers or self.answer)(handler, doc))

    def answer(self, handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        if doc.unchanged(handler):
            send(handler, 304, doc.headers())
        else:
            self.bodies.append(handler.path)
            send(handler, 200, [*doc.headers(), ("Content-Type", doc.media)], doc.body.encode())


def send(
    handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes | None = None
) -> None:
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    if status != 304:
        handler.send_header("Content-Length", str(len(body or b"")))
    handler.end_headers()
    if body is not None:
        handler.wfile.write(body)
