"""What an archived answer says: its page, and the dates on which it says that a site changed or an account posted."""

from __future__ import annotations

import hashlib
import re
import sys
from datetime import date
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from unicodedata import unidata_version

from pipeline.models import Cause, DatedList, Page, Snapshot, Unread

__all__ = ["dated_list", "extract", "from_page", "posts_in", "posts_on", "version"]

# All code of ours that a page passes through, relative to pipeline/, and the libraries that read it.
CODE = ("extract", "models", "charset.py", "dates.py", "services.py", "text.py", "urls.py")
LIBRARIES = ("idna", "justext", "lxml", "pypdf", "pypdfium2", "selectolax", "trafilatura")

_HEAD_BYTES = 2_048
_MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|div|p|table|h1|ul|frameset|center|a\s)", re.I)
_FEED = re.compile(rb"<(?:rss|rdf:RDF|feed|urlset|sitemapindex)[\s>]", re.I)
# First bytes of what servers now and then send as text/html: images, archives, office files, fonts, video.
_BINARY = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"RIFF",
    b"\x1f\x8b",
    b"Rar!",
    b"wOF",
)


@cache
def version() -> str:
    """sha256 (hex) over all that decides what a body is read as: part of every key under which a page is kept."""
    root = Path(__file__).resolve().parent.parent
    files = sorted(
        file for name in CODE for file in ((root / name).rglob("*.py") if "." not in name else [root / name])
    )
    told = [sys.version, unidata_version, *(f"{name} {installed(name)}" for name in LIBRARIES)]
    return hashlib.sha256("\n".join(told).encode() + b"".join(file.read_bytes() for file in files)).hexdigest()


def extract(snapshot: Snapshot, body: bytes) -> Page | Unread:
    """The page that a body holds, or Unread with the reason. Never raises for what a body contains.

    What it is comes from its first bytes, then from the content type; servers mislabel PDFs and images.
    """
    head = body[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n\x00")
    kind = snapshot.header("content-type").partition(";")[0].strip().lower()
    if b"%PDF-" in body[:1024]:
        from pipeline.extract.pdf import read_pdf

        return read_pdf(snapshot, body)
    if kind == "application/pdf":
        return _unread(snapshot, Cause.BROKEN, "sent as PDF, but it is none")
    if head.startswith(_BINARY) or _FEED.search(head) or _is_other(kind, head):
        return _unread(snapshot, Cause.MEDIA, f"not a page: {kind or 'no content type'}")
    if kind == "text/plain" and not _MARKUP.search(head):
        from pipeline.extract.plain import read_text

        return read_text(snapshot, body)
    from pipeline.extract.html import read_html

    return read_html(snapshot, body)


def _is_other(kind: str, head: bytes) -> bool:
    if not kind or "html" in kind or kind in ("text/plain", "application/octet-stream", "text/xml", "application/xml"):
        return kind in ("application/octet-stream", "text/xml", "application/xml") and not _MARKUP.search(head)
    return True


def _unread(snapshot: Snapshot, cause: Cause, detail: str) -> Unread:
    from pipeline.extract.unread import unread

    return unread(snapshot, cause, detail)


def dated_list(snapshot: Snapshot, body: bytes) -> DatedList | None:
    """Dates of a feed (RSS 1.0, RSS 2.0, Atom) or a sitemap.xml, newest first; None without any."""
    from pipeline.extract.feeds import read_dates

    return read_dates(snapshot, body)


def from_page(page: Page, as_of: date) -> DatedList | None:
    """Dates of the news list on a page, newest first; None where there is none of at least five dated items."""
    from pipeline.extract.news import news_dates

    return news_dates(page, as_of)


def posts_in(snapshot: Snapshot, body: bytes, account: str) -> DatedList | None:
    """Days on which an account posted, by its feed or its page on the service; None where they tell none."""
    from pipeline.extract.posts import read_posts

    return read_posts(snapshot, body, account)


def posts_on(page: Page, as_of: date) -> tuple[DatedList, ...]:
    """Dated posts of accounts that a page of the municipality's own shows."""
    from pipeline.extract.news import shown_posts

    return shown_posts(page, as_of)
