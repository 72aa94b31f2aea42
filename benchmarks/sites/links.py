"""The addresses that a page of a generated site names: links, areas of image maps, and scripts."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from urllib.parse import urlsplit

from benchmarks.sites.site import HOST

NAMED = re.compile(rb"""(?:href|onclick)="([^"]*)\"""")
IN_SCRIPT = re.compile(r"'(/[^']*)'")


def addresses(body: bytes) -> list[str]:
    """Path and query of every address on the site's host, in order, each once. The sites write no relative address."""
    found: dict[str, None] = {}
    for raw in NAMED.findall(body):
        for one in _named(raw):
            found[one] = None
    return list(found)


@lru_cache(100_000)
def _named(raw: bytes) -> tuple[str, ...]:
    text = unescape(raw.decode("ascii", "replace"))
    written = IN_SCRIPT.findall(text) if "'" in text else [text]
    return tuple(_local(one) for one in written if one.startswith(("/", f"{HOST}/")))


def _local(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
