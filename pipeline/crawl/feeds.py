"""What sitemaps (sitemaps.org 0.9) and feeds (RSS 1.0, RSS 2.0, Atom) list, read without trusting the XML."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from xml.parsers import expat

from pipeline.charset import decode
from pipeline.crawl.discover import Found
from pipeline.urls import canonical

# sitemaps.org: at most 50,000 addresses and 50 MB in one file; a municipality's feed is far below either.
MAX_ENTRIES = 50_000
MAX_XML_BYTES = 50_000_000
MAX_DEPTH = 50
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Listed:
    """What an XML document lists. kind: `sitemap`, `sitemapindex`, `feed`, or empty for anything else."""

    kind: str = ""
    entries: tuple[Found, ...] = ()


def listed(body: bytes, url: str, content_type: str = "") -> Listed:
    """The addresses of a sitemap or feed at a canonical URL, as far as the XML can be read.

    A document that declares entities is refused whole; nothing external is ever loaded.
    """
    plain = ungzipped(body)
    reader = _Reader(url)
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(decode(plain, content_type).text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace"), True)
    except _RefusedError:
        return Listed()
    except (expat.ExpatError, _EnoughError):
        pass  # what was read before the break still counts
    return Listed(reader.kind, tuple(reader.found.values()))


def ungzipped(body: bytes) -> bytes:
    """The body, unpacked where it is gzip, at most 50 MB of it."""
    if not body.startswith(_GZIP):
        return body
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MAX_XML_BYTES)
    except zlib.error:
        return b""


class _RefusedError(Exception):
    pass


class _EnoughError(Exception):
    pass


def _refuse(*_: object) -> None:
    raise _RefusedError


_KINDS = {"urlset": "sitemap", "sitemapindex": "sitemapindex", "rss": "feed", "rdf": "feed", "feed": "feed"}
_ENTRIES = {"url", "sitemap", "item", "entry"}


class _Reader:
    """Collects address and title of each entry while expat reads."""

    def __init__(self, url: str) -> None:
        self.kind = ""
        self.found: dict[str, Found] = {}
        self._base = url
        self._depth = 0
        self._entry: dict[str, str] | None = None
        self._prefix = ""
        self._field = ""
        self._starts: dict[str, Callable[[dict[str, str]], None]] = {"link": self._link, "item": self._about}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH or len(self.found) >= MAX_ENTRIES:
            raise _EnoughError
        prefix, _, local = name.lower().rpartition(":")
        if self._depth == 1:
            self.kind = _KINDS.get(local, "")
        if local in _ENTRIES:
            self._entry, self._prefix = {}, prefix
        # An image's or a video's own <loc> or <title> stands under another prefix.
        self._field = local if self._entry is not None and prefix == self._prefix else ""
        if local in self._starts:
            self._starts[local](attributes)

    def _link(self, attributes: dict[str, str]) -> None:
        """Atom: <link href="..." rel="alternate">."""
        if self._entry is not None and "href" in attributes and attributes.get("rel", "alternate") == "alternate":
            self._entry.setdefault("link", attributes["href"])

    def _about(self, attributes: dict[str, str]) -> None:
        """RSS 1.0: <item rdf:about="...">."""
        if self._entry is not None and "rdf:about" in attributes:
            self._entry["about"] = attributes["rdf:about"]

    def characters(self, text: str) -> None:
        if self._entry is not None and self._field in ("loc", "link", "title") and text.strip():
            self._entry[self._field] = (self._entry.get(self._field, "") + text)[:4000]

    def end(self, name: str) -> None:
        self._depth -= 1
        self._field = ""
        if name.rpartition(":")[2].lower() not in _ENTRIES or self._entry is None:
            return
        entry, self._entry = self._entry, None
        url = canonical(entry.get("loc") or entry.get("link") or entry.get("about") or "", self._base)
        if self.kind and url:
            self.found.setdefault(url, Found(url, " ".join(entry.get("title", "").split())[:200]))
