"""The date a page gives itself: its last stated update, else its publication."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.dates import Granularity, parse_dates
from pipeline.extract.place import Laid

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_UPDATED = r"(?:最終更新|最新更新|更新|改訂|修正|last\s*(?:updated?|modified))"
_PUBLISHED = r"(?:掲載|公開|公表|登録|作成|発行|発表|投稿|配信|published|posted)"
# `更新日：…`, `掲載日 …`, `…更新`: the word stands right before or after the date, with nothing but marks between.
_BEFORE = re.compile(
    rf"(?:(?P<updated>{_UPDATED})|(?P<published>{_PUBLISHED}))(?:年月日|日付|日時|日)?\s*[:：・/\[［(（【]*\s*$", re.I
)
_AFTER = re.compile(
    rf"^\s*(?:\([日月火水木金土]\)|（[日月火水木金土]）)?\s*\d{{0,2}}[:時]?\d{{0,2}}分?\s*(?:(?P<updated>{_UPDATED})|(?P<published>{_PUBLISHED}))",
    re.I,
)
_LABEL = re.compile(rf"(?:(?P<updated>{_UPDATED})|(?P<published>{_PUBLISHED}))(?:年月日|日付|日時|日)?\s*[:：]?", re.I)
_HINT = re.compile(rf"{_UPDATED}|{_PUBLISHED}", re.I)
_MAX_STAMP_CHARS = 120
_META_UPDATED = frozenset(
    {
        "article:modified_time",
        "og:updated_time",
        "last-modified",
        "dcterms.modified",
        "dc.date.modified",
        "datemodified",
        "updated",
    }
)
_META_PUBLISHED = frozenset(
    {
        "article:published_time",
        "dcterms.issued",
        "dcterms.created",
        "dc.date",
        "dc.date.issued",
        "datepublished",
        "pubdate",
        "date",
    }
)
_IN_JSON = re.compile(r'"date(Modified|Published)"\s*:\s*"(\d{4}-\d{2}-\d{2})')
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def page_date(tree: LexborHTMLParser, blocks: Sequence[Laid], *, latest: date) -> date | None:
    """The newest update that the page states, else its newest publication date, else what its metadata says.

    Dates after `latest` (the day of the fetch, and one for the time zone) are not the page's own. Dates of events in
    the text have no such word beside them and are never taken.
    """
    stated = list(_stated(blocks))
    for kind, said in (("updated", stated), ("published", stated)):
        if (found := _newest((day for word, day in said if word == kind), latest)) is not None:
            return found
    declared = list(_declared(tree))
    for kind in ("updated", "published"):
        if (found := _newest((day for word, day in declared if word == kind), latest)) is not None:
            return found
    return None


def _newest(days: Iterable[date], latest: date) -> date | None:
    return max((day for day in days if day <= latest + timedelta(days=1)), default=None)


def _stated(blocks: Sequence[Laid]) -> Iterable[tuple[str, date]]:
    """(`updated` or `published`, day) for each stamp in short blocks, or in a cell or dd named by such a word."""
    label = ""
    for block in blocks:
        before, label = label, block.text if len(block.text) <= 12 and _LABEL.fullmatch(block.text) else ""
        if len(block.text) > _MAX_STAMP_CHARS:
            continue
        row = block.place.row() or before
        if _HINT.search(block.text):
            yield from _stamps(block.text)
        elif row and (named := _LABEL.fullmatch(row)) and (days := _days(block.text)):
            yield str(named.lastgroup), days[0][2]


def _stamps(text: str) -> Iterable[tuple[str, date]]:
    for start, end, day in _days(text):
        match = _BEFORE.search(text[:start]) or _AFTER.match(text[end:])
        if match:
            after = _AFTER.match(text[end:])
            yield ("updated" if match.lastgroup == "updated" or (after and after["updated"]) else "published"), day


def _days(text: str) -> list[tuple[int, int, date]]:
    return [(span.start, span.end, span.date) for span in parse_dates(text) if span.granularity is Granularity.DAY]


def _declared(tree: LexborHTMLParser) -> Iterable[tuple[str, date]]:
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
        kind = "updated" if name in _META_UPDATED else "published" if name in _META_PUBLISHED else ""
        if kind and (day := _iso(attributes.get("content") or "")):
            yield kind, day
    for node in tree.css("time[datetime]"):
        attributes = node.attributes
        words = f"{attributes.get('itemprop') or ''} {attributes.get('class') or ''} {node.text()}".lower()
        if day := _iso(attributes.get("datetime") or ""):
            if "modif" in words or "updat" in words or "更新" in words:
                yield "updated", day
            elif "publish" in words or "pubdate" in attributes or "posted" in words or "entry-date" in words:
                yield "published", day
    for node in tree.css('script[type="application/ld+json"]'):
        for kind, value in _IN_JSON.findall(node.text()):
            if day := _iso(value):
                yield ("updated" if kind == "Modified" else "published"), day


def _iso(value: str) -> date | None:
    match = _ISO.search(value)
    try:
        return date.fromisoformat(match.group()) if match else None
    except ValueError:
        return None
