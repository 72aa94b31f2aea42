"""The addresses that a page of a generated site names: links, areas of image maps, and scripts."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

NAMED = re.compile(rb"""(?:href|onclick)="([^"]*)\"""")
IN_SCRIPT = re.compile(r"'(/[^']*)'")


def addresses(body: bytes, here: str) -> list[str]:
    """Path and query of every address on this host, in order, each once."""
    found: dict[str, None] = {}
    for raw in NAMED.findall(body):
        text = unescape(raw.decode("ascii", "replace"))
        for one in IN_SCRIPT.findall(text) if "'" in text else [text]:
            if one.startswith(("#", "javascript:")):
                continue
            if one.startswith("/") and not one.startswith("//"):
                found[one.partition("#")[0]] = None
                continue
            parts = urlsplit(urljoin(f"http://www.city.example.jp{here}", one))
            if parts.netloc == "www.city.example.jp":
                found[parts.path + (f"?{parts.query}" if parts.query else "")] = None
    return list(found)
