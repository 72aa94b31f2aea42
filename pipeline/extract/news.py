"""Dates of the lists on a page: its news, and posts of the municipality's accounts that it shows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

from pipeline.dates import DateSpan, Granularity, parse_dates
from pipeline.models import BlockKind, DatedList, Link, Page, Region
from pipeline.services import SERVICES, account_key, service_of

_MIN_ITEMS = 5
_MIN_POSTS = 3
_WINDOW_DAYS = 60
_MAX_DATE_AT = 3
# News run backwards in time; a schedule runs forwards. A few items out of order (pinned ones) are usual.
_MIN_BACKWARDS = 0.8
_MAX_FUTURE = 0.2
_EVENTS = re.compile("イベント|催し|行事|カレンダー|日程|予定|スケジュール|開催|休館|休診|当番医|会議|講座|募集期間")
# A dated list of another kind (animals, tenders, minutes) says nothing of how often the site changes.
_NEWS = re.compile(
    r"新着|お知らせ|おしらせ|更新|ニュース|トピックス|最新|what.?s\s?new|news|topics|報道発表|記者発表", re.I
)
_YEAR = re.compile(r"(20\d\d)\s*年(度)?|(?:令和|(?<![A-Za-z])R)\s*(\d{1,2}|元)\s*年?(度)?")
# Lists without years: a day that stands so little out of order is of the same year, any later one of the year before.
_OUT_OF_ORDER_DAYS = 31
# The first items may be pinned: they say less of the year of those that follow, so less disorder is passed over, and
# where the year seems to turn among them nothing tells whether it does.
_PINNED, _PINNED_OUT_OF_ORDER_DAYS = 3, 7
_SERVICES = (
    r"(?:(?<![a-z])(?:sns|x|line|note|twitter|facebook|instagram|youtube|bluesky|threads)(?![a-z])"
    r"|ツイッター|インスタ(?:グラム)?|フェイスブック|ユーチューブ)"
)
_SHOWS_POSTS = re.compile(
    rf"{_SERVICES}.{{0,12}}(?:新着|最新|投稿|ポスト|ツイート|つぶやき|タイムライン|更新|動画|公式|アカウント|post|timeline)"
    rf"|(?:新着|最新|公式).{{0,12}}{_SERVICES}",
    re.I,
)
_ABOUT_ACCOUNT = re.compile("運用|方針|ポリシー|規約|規程|要綱|履歴|使い方|登録")
_LEADING = " \u3000[［(（【〔・●○■□▶▲▼"


@dataclass(slots=True)
class _Group:
    """Dated items in a row under one heading. dates: (day, whether its year was written); nearest: the same days, those
    without a year in the latest one that is not in the future."""

    headings: tuple[str, ...]
    kind: BlockKind
    dates: list[tuple[date, bool]] = field(default_factory=list)
    nearest: list[date] = field(default_factory=list)


def news_dates(page: Page, as_of: date) -> DatedList | None:
    """The page's news list with most items in the 60 days before `as_of`: at least five items dated at their start
    (or a dt, cell or line that is a date only), in backward order, hardly any in the future, no heading about
    events or posts elsewhere, on the home page, under a title or heading that speaks of news, or with five days in that
    time.

    Years left out are inferred from the heading, else by going back in time from `as_of`. A list is left out where one
    of its first items may be pinned there or may be of last year, and nothing tells which.
    """
    groups = [
        group
        for group in _groups(page, as_of)
        if not _shows_posts(group) and _runs_backwards(group, as_of, _MIN_ITEMS) and _tells_news(page, group, as_of)
    ]
    if not groups:
        return None
    best = max(groups, key=lambda group: (_recent(group, as_of), len(group.dates)))
    return DatedList(url=page.url, sha256=page.sha256, kind="list", dates=_told(best, as_of))


def shown_posts(page: Page, as_of: date) -> tuple[DatedList, ...]:
    """Dated lists on a page whose heading says that they are posts on a social service, and beside which stand links to
    one account there and no other. Posts may be missing from what a page shows."""
    found = []
    for group in _groups(page, as_of):
        account = _account(page, group) if _shows_posts(group) else ""
        if account and _runs_backwards(group, as_of, _MIN_POSTS):
            days = _told(group, as_of)
            found.append(
                DatedList(url=page.url, sha256=page.sha256, kind="posts", dates=days, account=account, partial=True)
            )
    return tuple(found)


def _told(group: _Group, as_of: date) -> tuple[date, ...]:
    return tuple(sorted((day for day, _ in group.dates if day <= as_of + timedelta(days=1)), reverse=True))


def _shows_posts(group: _Group) -> bool:
    heading = unicodedata.normalize("NFKC", group.headings[-1]) if group.headings else ""
    return bool(_SHOWS_POSTS.search(heading)) and not _ABOUT_ACCOUNT.search(heading)


def _account(page: Page, group: _Group) -> str:
    """Address of the one account that links under the group's headings lead to, empty where there are several."""
    links = [link for link in page.links if link.headings == group.headings and _on_service(link)]
    keys = {key for link in links if (key := account_key(link.href))[1]}
    if len(keys) != 1:
        return ""
    return next(address for link in links if (address := service_of(link.href).address(link.href)))


def _on_service(link: Link) -> bool:
    return any(service.has(link.href) for service in SERVICES)


def _groups(page: Page, as_of: date) -> Iterator[_Group]:
    """Runs of dated blocks under the same headings and of the same kind."""
    open_groups: dict[tuple[tuple[str, ...], BlockKind], _Group] = {}
    for block in page.blocks:
        if block.region in (Region.NAV, Region.FOOTER) or block.kind is BlockKind.HEADING:
            continue
        key = (block.headings, block.kind)
        before = open_groups[key].dates[-1][0] if key in open_groups else None
        span = _first_date(page.slice(block), before or as_of)
        if span is None:
            continue
        group = open_groups.setdefault(key, _Group(*key))
        if span.assumed:
            latest = as_of + timedelta(days=1)
            group.nearest.append(_in_past(span.date, block.headings, latest))
            if before is not None:
                slack = _PINNED_OUT_OF_ORDER_DAYS if len(group.dates) <= _PINNED else _OUT_OF_ORDER_DAYS
                latest = min(latest, before + timedelta(days=slack))
            group.dates.append((_in_past(span.date, block.headings, latest), False))
        else:
            group.dates.append((span.date, True))
            group.nearest.append(span.date)
    return iter(open_groups.values())


def _first_date(text: str, reference: date) -> DateSpan | None:
    """The date that a block begins with."""
    start = text[:40]
    spans = parse_dates(start, reference=reference)
    if not spans or spans[0].granularity is not Granularity.DAY or spans[0].start > _MAX_DATE_AT:
        return None
    return None if start[: spans[0].start].strip(_LEADING) else spans[0]


def _in_past(day: date, headings: tuple[str, ...], latest: date) -> date:
    """The day in the year of the nearest heading that names one, else in the latest year that is not after `latest`."""
    for heading in reversed(headings):
        if match := _YEAR.search(heading):
            return _in_year(day, _named_year(match, day))
    same = _in_year(day, latest.year)
    return same if same <= latest else _in_year(day, latest.year - 1)


def _named_year(match: re.Match[str], day: date) -> int:
    """The year that a heading names for a day; a fiscal year (年度) ends in March of the next."""
    year = int(match[1]) if match[1] else 2018 + (1 if match[3] == "元" else int(match[3]))
    return year + 1 if (match[2] or match[4]) and day.month <= 3 else year


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return day.replace(year=year, day=28)


def _runs_backwards(group: _Group, as_of: date, least: int) -> bool:
    """Whether it is a list of what has been, with so many items at least and years that are sure."""
    days = [day for day, _ in group.dates]
    if len(days) < least or any(_EVENTS.search(heading) for heading in group.headings[-1:]):
        return False
    if any(day != nearest for day, nearest in zip(days[: _PINNED + 1], group.nearest, strict=False)):
        return False
    future = sum(day > as_of + timedelta(days=1) for day in days)
    backwards = sum(later >= earlier for later, earlier in zip(days, days[1:], strict=False))
    return future <= _MAX_FUTURE * len(days) and backwards >= _MIN_BACKWARDS * (len(days) - 1)


def _tells_news(page: Page, group: _Group, as_of: date) -> bool:
    """Whether the list is one of the site's news: on the home page, under a title or heading that says so, or alive."""
    if urlsplit(page.url).path in ("", "/") or _recent(group, as_of) >= _MIN_ITEMS:
        return True
    return any(_NEWS.search(words) for words in (page.title, *group.headings))


def _recent(group: _Group, as_of: date) -> int:
    return len({day for day, _ in group.dates if timedelta(0) <= as_of - day <= timedelta(days=_WINDOW_DAYS)})
