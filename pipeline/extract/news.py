"""Dates of the dated news list on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

from pipeline.dates import Granularity, parse_dates
from pipeline.models import Block, BlockKind, DatedList, Page, Region

_MIN_ITEMS = 5
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
_YEAR = re.compile(r"(20\d\d)\s*年|(?:令和|R)\s*(\d{1,2}|元)\s*年?")
_LEADING = " \u3000[［(（【〔・●○■□▶▲▼"


@dataclass(slots=True)
class _Group:
    """Dated items in a row under one heading. dates: (day, whether its year was written)."""

    headings: tuple[str, ...]
    kind: BlockKind
    dates: list[tuple[date, bool]] = field(default_factory=list)


def news_dates(page: Page, as_of: date) -> DatedList | None:
    """The page's news list with most items in the 60 days before `as_of`: at least five items dated at their start
    (or a dt, cell or line that is a date only), in backward order, hardly any in the future, no heading about
    events, on the home page, under a title or heading that speaks of news, or with five days in that time.

    Years left out are inferred from the heading, else by going back in time from `as_of`.
    """
    groups = [group for group in _groups(page, as_of) if _is_news(group, as_of) and _tells_news(page, group, as_of)]
    if not groups:
        return None
    best = max(groups, key=lambda group: (_recent(group, as_of), len(group.dates)))
    days = sorted((day for day, _ in best.dates if day <= as_of + timedelta(days=1)), reverse=True)
    return DatedList(url=page.url, sha256=page.sha256, kind="list", dates=tuple(days))


def _groups(page: Page, as_of: date) -> Iterator[_Group]:
    """Runs of dated blocks under the same headings and of the same kind."""
    open_groups: dict[tuple[tuple[str, ...], BlockKind], _Group] = {}
    for block in page.blocks:
        if block.region in (Region.NAV, Region.FOOTER) or block.kind is BlockKind.HEADING:
            continue
        key = (block.headings, block.kind)
        before = open_groups[key].dates[-1][0] if key in open_groups else None
        dated = _starts_with_date(page.slice(block), block, before, as_of)
        if dated is not None:
            open_groups.setdefault(key, _Group(*key)).dates.append(dated)
    return iter(open_groups.values())


def _starts_with_date(text: str, block: Block, before: date | None, as_of: date) -> tuple[date, bool] | None:
    start = text[:40]
    spans = parse_dates(start, reference=before or as_of)
    if not spans or spans[0].granularity is not Granularity.DAY or spans[0].start > _MAX_DATE_AT:
        return None
    span = spans[0]
    if start[: span.start].strip(_LEADING):
        return None
    if not span.assumed:
        return span.date, True
    return _backwards(span.date, block.headings, before or as_of + timedelta(days=1)), False


def _backwards(day: date, headings: tuple[str, ...], latest: date) -> date:
    """The day in the year of the nearest heading that names one, else in the latest year that is not after `latest`."""
    for heading in reversed(headings):
        if match := _YEAR.search(heading):
            year = int(match[1]) if match[1] else 2018 + (1 if match[2] == "元" else int(match[2]))
            return _in_year(day, year)
    same = _in_year(day, latest.year)
    return same if same <= latest else _in_year(day, latest.year - 1)


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return day.replace(year=year, day=28)


def _is_news(group: _Group, as_of: date) -> bool:
    days = [day for day, _ in group.dates]
    if len(days) < _MIN_ITEMS or any(_EVENTS.search(heading) for heading in group.headings[-1:]):
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
