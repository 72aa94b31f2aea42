"""What social services answer, written by hand after their public pages' own form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from email.utils import format_datetime
from typing import Any

CHANNEL = "UC" + "a1B2c3D4e5F6g7H8i9J0kL"


def atom(days: Iterable[date], *, updated: date | None = None) -> str:
    """A channel's feed as YouTube writes it: each entry's publication, and when its figures last changed."""
    entries = "".join(
        f"<entry><id>yt:video:{number}</id><title>動画{number}</title>"
        f"<published>{day}T03:00:00+00:00</published><updated>{updated or day}T04:00:00+00:00</updated></entry>"
        for number, day in enumerate(days)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" '
        f'xmlns="http://www.w3.org/2005/Atom"><published>2012-01-01T00:00:00+00:00</published>{entries}</feed>'
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), timezone(timedelta(hours=9)))


def rss(days: Iterable[date]) -> str:
    """A feed of posts as note.com and Mastodon write it."""
    items = "".join(f"<item><title>記事</title><pubDate>{format_datetime(_noon(day))}</pubDate></item>" for day in days)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>市の記事</title>{items}</channel></rss>'


def lockup(age: str, *, kind: str = "VIDEO") -> dict[str, Any]:
    """A video in the grid of a channel, in the form of 2025."""
    parts = [{"text": {"content": "1,234 回視聴"}}, {"text": {"content": age}}]
    rows = {"contentMetadataViewModel": {"metadataRows": [{"metadataParts": parts}]}}
    metadata = {"lockupMetadataViewModel": {"title": {"content": "広報番組 3 日前の話"}, "metadata": rows}}
    return {"lockupViewModel": {"contentType": f"LOCKUP_CONTENT_TYPE_{kind}", "metadata": metadata}}


def renderer(age: str) -> dict[str, Any]:
    """The same in the form before it."""
    return {"videoRenderer": {"title": {"runs": [{"text": "市長会見"}]}, "publishedTimeText": {"simpleText": age}}}


def channel(items: Iterable[dict[str, Any]], *, head: str = "") -> str:
    """The page of a channel's videos."""
    grid = {"contents": [{"richItemRenderer": {"content": item}} for item in items]}
    tabs = [{"tabRenderer": {"title": "動画", "content": {"richGridRenderer": grid}}}]
    beside = {"shelfRenderer": {"content": renderer("1 時間前")}}  # another channel's video
    told = {"contents": {"tabs": tabs}, "sidebar": beside, "metadata": {"externalId": CHANNEL}}
    script = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    head = f"<head><title>汐凪市 - YouTube</title>{head}</head>"
    return f"<!DOCTYPE html><html>{head}<body><script>var ytInitialData = {script};</script></body></html>"


def declared(days: Iterable[date], kind: str = "SocialMediaPosting") -> str:
    """An account's page that declares its posts."""
    posts = [{"@type": kind, "datePublished": f"{day}T12:00:00+09:00"} for day in days]
    said = json.dumps({"@context": "https://schema.org", "@graph": posts})
    return f'<html><head><script type="application/ld+json">{said}</script></head><body>posts</body></html>'


def ago(as_of: date, *days: int) -> list[date]:
    return [as_of - timedelta(days=day) for day in days]
