"""Dates of feeds and sitemaps."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.dates import Granularity, parse_dates
from pipeline.models import DatedList, Snapshot

if TYPE_CHECKING:
    from lxml import etree  # type: ignore[import-untyped]

JAPAN = timezone(timedelta(hours=9))
_MAX_DATES = 50_000
_MAX_BYTES = 50_000_000  # of a sitemap, unpacked (sitemaps.org)
_ITEMS = {"item": "feed", "entry": "feed", "url": "sitemap"}
# Per item, the first of these that is there: its last change, else its publication.
_CHANGED = ("updated", "lastmod", "modified", "date", "pubDate", "published", "issued")
# When a post was published; that it was changed later is no post.
_PUBLISHED = ("published", "pubDate", "issued", "date", "created")
_DTD = re.compile(rb"<!(?:ENTITY|DOCTYPE[^>]*\[)", re.I)


def _unpacked(body: bytes) -> bytes:
    """A packed sitemap (sitemap.xml.gz) as it was, up to the limit; other bodies as they are."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MAX_BYTES)
    except zlib.error:
        return b""


def read_dates(snapshot: Snapshot, body: bytes) -> DatedList | None:
    """Dates of an RSS 1.0, RSS 2.0 or Atom feed, or of a sitemap.xml, newest first, in Japan's time zone.

    Documents with a DTD of their own are refused: no feed needs one, and entities are how small files become big.
    """
    found = list(_dated(body, _CHANGED))
    if not found:
        return None
    days = tuple(sorted((day for _, day in found), reverse=True))
    return DatedList(url=snapshot.final_url, sha256=snapshot.sha256, kind=found[0][0], dates=days)


def publication_days(body: bytes) -> tuple[date, ...]:
    """Days on which the items of a feed were published, newest first, read as warily as read_dates does."""
    return tuple(sorted((day for kind, day in _dated(body, _PUBLISHED) if kind == "feed"), reverse=True))


def _dated(body: bytes, names: tuple[str, ...]) -> Iterator[tuple[str, date]]:
    """Kind of list and day of each dated item, in the order of the document."""
    body = _unpacked(body)
    root = None if _DTD.search(body) else _root(body)
    if root is None:
        return
    items = ((item, _date_of(item, names)) for item in root.iter("{*}item", "{*}entry", "{*}url"))
    yield from islice(((_ITEMS[_name(item)], day) for item, day in items if day), _MAX_DATES)


def _root(body: bytes) -> etree._Element | None:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=True
    )
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root is not None and _name(root) in ("rss", "RDF", "feed", "urlset") else None


def _name(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _date_of(item: etree._Element, names: tuple[str, ...]) -> date | None:
    said = {_name(child): child.text or "" for child in item}
    return next((day for name in names if name in said and (day := _day(said[name].strip()))), None)


def _day(value: str) -> date | None:
    """The day in Japan of an ISO 8601 or RFC 822 time; written out dates are taken too."""
    for read in (_iso, parsedate_to_datetime):
        try:
            moment = read(value)
            return (moment.astimezone(JAPAN) if moment.tzinfo else moment).date()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return next(_written(value), None)


def _iso(value: str) -> datetime:
    # W3C-DTF allows a bare year and month too; those name no day.
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def _written(value: str) -> Iterator[date]:
    return (span.date for span in parse_dates(value) if span.granularity is Granularity.DAY)
