"""Dates as Japanese pages write them, and what a year, a fiscal year or a missing year stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988}
_DATE = re.compile(
    r"(?:(?P<era>令和|平成|昭和|(?<![a-z])[rh](?=\d{1,2}[.年]))\.?(?P<eyear>\d{1,2}|元)|(?P<year>(?:19|20)\d\d))"
    r"(?:(?P<fiscal>年度)|[年./-](?:\([^)]*\))?(?:(?P<month>\d{1,2})(?:[月./-](?:(?P<day>\d{1,2})日?)?)?)?)"
    r"|(?P<month2>\d{1,2})月(?:(?P<day2>\d{1,2})日)?"
)


@dataclass(frozen=True)
class Mention:
    """A date in folded text: text[start:end]. day is the first day it may mean, last the last (令和8年度: 1 April and
    31 March); both None where the year is missing and nothing tells it."""

    day: date | None
    start: int
    end: int
    last: date | None = None


def mentions(text: str, *, near: date | None) -> Iterator[Mention]:
    """The dates of a folded text in order. near: when the page was written, to which a missing year is completed."""
    year: int | None = None
    for found in _DATE.finditer(text):
        if found["month2"]:
            day = _completed(int(found["month2"]), int(found["day2"] or 1), year, near)
        else:
            year = _year(found)
            month = 4 if found["fiscal"] else int(found["month"] or 1)
            day = _date(year, month, int(found["day"] or 1))
        yield Mention(day, found.start(), found.end(), _last(found, day))


def first_day(found: Iterable[Mention]) -> date | None:
    """The day of the first mention that has one."""
    return next((one.day for one in found if one.day), None)


def _last(found: re.Match[str], day: date | None) -> date | None:
    if day is None or found["day"] or found["day2"]:
        return day
    if found["month"] or found["month2"]:
        return _before(day.year + day.month // 12, day.month % 12 + 1)
    return _before(day.year + 1, 4 if found["fiscal"] else 1)


def _before(year: int, month: int) -> date:
    """The day before the first of a month."""
    return date(year, month, 1) - timedelta(days=1)


def _year(found: re.Match[str]) -> int:
    if found["year"]:
        return int(found["year"])
    number = 1 if found["eyear"] == "元" else int(found["eyear"])
    return _ERA_START[found["era"]] + number


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _completed(month: int, day: int, year: int | None, near: date | None) -> date | None:
    """A day without a year: of the year named before it, else the one nearest to when it was written."""
    if year is not None:
        return _date(year, month, day)
    if near is None:
        return None
    around = [_date(near.year + step, month, day) for step in (-1, 0, 1)]
    known = [one for one in around if one is not None]
    # Pages announce at most about half a year ahead without a year; what lies further is the past one.
    ahead = near + timedelta(days=183)
    return max((one for one in known if one <= ahead), default=None)
