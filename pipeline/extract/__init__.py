"""What an archived answer says: its page, and the dates on which it says that the site changed."""

from __future__ import annotations

import re
from datetime import date

from pipeline.models import Cause, DatedList, Page, Snapshot, Unread

# Part of every key under which something derived from a page is kept: raise it when the same bytes give another Page.
EXTRACTOR_VERSION = "3"

__all__ = ["EXTRACTOR_VERSION", "dated_list", "extract", "from_page"]

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
