"""Addresses as the report may link them: http and https only, encoded so that no format can be broken by them."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from pipeline.report.nouns import Link
from pipeline.report.words import visible

_SCHEMES = ("http", "https")
_HOST = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d+)?$")
# What RFC 3986 allows unescaped, less ( ) * ' which Markdown reads; % stays for what is encoded already.
_PATH_SAFE = "/%:;=@&+$,!~-._"
_QUERY_SAFE = _PATH_SAFE + "?"
# A longer quote is named by its first and last clause; a browser must find either whole, so it is cut at a mark.
_WHOLE_CHARS = 200
_CLAUSE_CHARS = 60
_CLAUSE = re.compile(r"[^。、！？\s]+[。、！？]?")


def href(url: str) -> str | None:
    """The address for an attribute or a Markdown link, or None where it is not a plain http(s) address.

    Addresses with white space, control characters, back slashes or user names are refused: browsers read them
    differently from what a reader sees.
    """
    if not url.isprintable() or any(c.isspace() or c == "\\" for c in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not _HOST.match(parts.netloc):
        return None
    path, query = quote(parts.path, safe=_PATH_SAFE), quote(parts.query, safe=_QUERY_SAFE)
    return urlunsplit((parts.scheme, parts.netloc, path, query, quote(parts.fragment, safe=_QUERY_SAFE)))


def link(url: str, text: str = "") -> Link:
    """The address to show and to follow; with a quote's text, `target` leads to the passage itself."""
    address = href(url)
    return Link(shown=visible(url), href=address, target=_to_text(address, text) if address and text else address)


def _to_text(address: str, text: str) -> str:
    """WICG URL fragment text directive: `#:~:text=start` or `start,end`, where - , & must be encoded."""
    base, _, fragment = address.partition("#")
    found = [line.strip() for line in text.split("\n") if line.strip()]
    if not found:
        return address
    whole = len(found) == 1 and len(found[0]) <= _WHOLE_CHARS
    terms = found if whole else [_first_clause(found[0]), _last_clause(found[-1])]
    return f"{base}#{fragment.partition(':~:')[0]}:~:text=" + ",".join(_encode(term) for term in terms)


def _encode(term: str) -> str:
    return quote(term, safe="", errors="replace").replace("-", "%2D")


def _first_clause(line: str) -> str:
    found = _CLAUSE.search(line[:_CLAUSE_CHARS])
    return found.group() if found else line[:_CLAUSE_CHARS]


def _last_clause(line: str) -> str:
    found = _CLAUSE.findall(line[-_CLAUSE_CHARS:])
    return str(found[-1]) if found else line[-_CLAUSE_CHARS:]
