"""Dates of an account's posts, from what its service tells in public: a feed, or the page that lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.charset import decode
from pipeline.extract.feeds import JAPAN, publication_days
from pipeline.models import DatedList, Snapshot

_XML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:\?xml|rss|rdf:RDF|feed)[\s>]", re.I)
_MAX_NODES = 500_000
_MAX_POSTS = 60  # twice what the page shows at first
_VIDEOS = re.compile(r"ytInitialData\s*=\s*(?=\{)")
_JSON_LD = "application/ld+json"
_MAX_SCRIPTS = 50
# schema.org: what of an account's page is a post of its own.
_POSTS = {"SocialMediaPosting", "BlogPosting", "NewsArticle", "Article", "VideoObject", "DiscussionForumPosting"}
# 3 日前, 配信済み: 2 週間前, Streamed 1 month ago; the Japanese page writes か, ヶ, カ and ヵ.
_AGE = re.compile(
    r"(?:(?:ライブ)?配信済み|プレミア公開(?:済み)?|streamed|premiered)?\s*[:：]?\s*"
    r"(?P<count>\d{1,3})\s*(?P<unit>秒|分|時間|日|週間|[かヶカヵケ]月|年|seconds?|minutes?|hours?|days?|weeks?|months?|years?)"
    r"\s*(?:前(?:に配信済み|に公開済み)?|ago)",
    re.I,
)
_UNITS = {"秒": "second", "分": "minute", "時間": "hour", "日": "day", "週間": "week", "年": "year"}
# Shortest and longest stretch that one unit stands for.
_LENGTH = {
    "second": (timedelta(seconds=1),) * 2,
    "minute": (timedelta(minutes=1),) * 2,
    "hour": (timedelta(hours=1),) * 2,
    "day": (timedelta(days=1),) * 2,
    "week": (timedelta(days=7),) * 2,
    "month": (timedelta(days=28), timedelta(days=31)),
    "year": (timedelta(days=365), timedelta(days=366)),
}


def read_posts(snapshot: Snapshot, body: bytes, account: str) -> DatedList | None:
    """Posts in a feed by the day of their publication; on YouTube's list of videos by their age, as first and last
    possible day; on another page by what it declares of its posts (JSON-LD). What such a page shows may leave some out.

    A feed with a DTD of its own is refused. Never raises for what a body contains.
    """
    dates: tuple[date, ...] = ()
    spans: tuple[tuple[date, date], ...] = ()
    partial = not _XML.match(body[:1_000])
    if partial:
        text = decode(body, snapshot.header("content-type")).text
        spans = tuple(_spans(text, snapshot.fetched_at))
        dates = () if spans else tuple(sorted(_declared(text), reverse=True))
    else:
        dates = publication_days(body)
    if not dates and not spans:
        return None
    return DatedList(
        url=snapshot.final_url,
        sha256=snapshot.sha256,
        kind="posts",
        dates=dates,
        account=account,
        spans=spans,
        partial=partial,
    )


# --- YouTube's list of videos -----------------------------------------------------------------------------------------


def _spans(text: str, seen: datetime) -> Iterator[tuple[date, date]]:
    """Of each video in the channel's own grid, the first and last day on which it can have been published."""
    found = _VIDEOS.search(text)
    if found is None:
        return
    try:
        told, _ = json.JSONDecoder().raw_decode(text, found.end())
    except (ValueError, RecursionError):
        return
    grids = [one for one in _named(told, "richGridRenderer") if isinstance(one, dict)]
    items = grids[0].get("contents") if grids else None
    for item in items[:_MAX_POSTS] if isinstance(items, list) else ():
        if span := next((span for age in _ages(item) if (span := _span(age, seen))), None):
            yield span


def _named(root: Any, key: str) -> Iterator[Any]:
    """What stands under that key anywhere in a JSON value, in its order; what is found is not searched again."""
    waiting = [root]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            if key in node:
                yield node[key]
            waiting += [value for name, value in reversed(node.items()) if name != key]
        elif isinstance(node, list):
            waiting += reversed(node)


def _ages(item: Any) -> Iterator[str]:
    """Texts in which a video of the grid tells its age, in either of the page's two forms."""
    for said in _named(item, "publishedTimeText"):
        if isinstance(said, dict):
            runs = said.get("runs")
            texts = [run.get("text") for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
            yield str(said.get("simpleText") or "".join(map(str, texts)))
    for lockup in _named(item, "lockupViewModel"):
        if isinstance(lockup, dict) and str(lockup.get("contentType")).endswith("VIDEO"):
            for part in _named(lockup.get("metadata"), "text"):
                yield str(part.get("content", "")) if isinstance(part, dict) else ""


def _span(age: str, seen: datetime) -> tuple[date, date] | None:
    """The days in Japan that an age leaves open: "3 days ago" is at least three and less than four days."""
    match = _AGE.fullmatch(age.strip())
    if match is None:
        return None
    unit = match["unit"].lower()
    unit = _UNITS.get(unit) or ("month" if unit.endswith("月") else unit.removesuffix("s"))
    shortest, longest = _LENGTH[unit]
    count, now = int(match["count"]), seen.astimezone(JAPAN)
    try:
        return (now - longest * (count + 1)).date(), (now - shortest * count).date()
    except OverflowError:
        return None


# --- posts that a page declares ---------------------------------------------------------------------------------------


def _declared(text: str) -> Iterator[date]:
    for script in _scripts(text):
        try:
            told = json.loads(script)
        except (ValueError, RecursionError):
            continue
        for post in _objects(told):
            kinds = post.get("@type")
            is_post = not _POSTS.isdisjoint(map(str, kinds if isinstance(kinds, list) else [kinds]))
            if is_post and (day := _day(post.get("datePublished") or post.get("uploadDate"))):
                yield day


def _scripts(text: str) -> Iterator[str]:
    """What stands in the JSON-LD scripts of a page. Plain searches: no text can make them slow."""
    at = 0
    for _ in range(_MAX_SCRIPTS):
        at = text.find(_JSON_LD, at)
        start = text.find(">", at)
        end = text.find("</script", start)
        if min(at, start, end) < 0:
            return
        yield text[start + 1 : end]
        at = end


def _objects(root: Any) -> Iterator[dict[str, Any]]:
    waiting = [root]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _day(written: Any) -> date | None:
    try:
        moment = datetime.fromisoformat(str(written).strip())
        return (moment.astimezone(JAPAN) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None
