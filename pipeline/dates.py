"""Dates as Japanese pages write them: western years and eras, full-width and kanji numerals, years left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

# First year of each era (Western year of its year 1).
_ERAS = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
_LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_FOLD = str.maketrans("０１２３４５６７８９．／－−‐–ーＭＴＳＨＲ　㋿㍻㍼㍽㍾", "0123456789./-----MTSHR 令平昭大明")
_KANJI_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"元": 1}
_NUMERAL = "〇一二三四五六七八九十"
_ERA_YEAR = (
    rf"(?P<era>明治?|大正?|昭和?|平成?|令和?|(?<![A-Za-z0-9])[MTSHR])\s*(?P<era_year>\d{{1,2}}|元|[{_NUMERAL}]{{1,3}})"
)
_YEAR = r"(?P<year>(?<!\d)(?:1[89]|20)\d\d)"
_KANJI_YEAR = r"(?P<kanji_year>二〇[〇一二三四五六七八九]{2})"
_BOTH = r"(?:\s*[(（][^()（）]{2,8}年?[)）])?"
_MONTH_DAY = rf"(?P<month>\d{{1,2}}|[{_NUMERAL}]{{1,3}})\s*月(?:\s*(?P<day>\d{{1,2}}|[{_NUMERAL}]{{1,3}})\s*日)?"
_IN_WORDS = re.compile(
    rf"(?:(?:{_YEAR}|{_ERA_YEAR}|{_KANJI_YEAR}){_BOTH}\s*年{_BOTH}\s*(?:(?P<fiscal>度)|{_MONTH_DAY})?)"
    rf"|(?<![\d.])(?P<bare_month>\d{{1,2}})\s*月(?:\s*(?P<bare_day>\d{{1,2}})\s*日|(?=から|まで|以降|より|に|の|、|中|上旬|中旬|下旬|末|～|$))"
)
_IN_FIGURES = re.compile(
    rf"(?:{_YEAR}|(?P<letter>(?<![A-Za-z0-9])[MTSHR])\s*(?P<letter_year>\d{{1,2}}|元))"
    r"(?P<mark>[./-])\s*(?P<month>\d{1,2})(?:(?P=mark)\s*(?P<day>\d{1,2}))?(?!\d)"
)
_MIN_YEAR, _MAX_YEAR = 1868, 2199
_NEAR_CHARS = 40
_SPAN_MARKS = re.compile(r"[~～〜-]|から")


class Granularity(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    FISCAL_YEAR = "fiscal_year"  # 年度, from 1 April


@dataclass(frozen=True)
class DateSpan:
    """A date in a text: `text[start:end]`, the first day of what it names, and how exactly it names it.

    assumed: the year was not written and was taken from a date before it or from the reference.
    """

    start: int
    end: int
    date: date
    granularity: Granularity
    assumed: bool = False


def parse_dates(text: str, *, reference: date | None = None) -> tuple[DateSpan, ...]:
    """Dates in order of appearance. Impossible ones (2月30日) are left out.

    A day or month without a year takes the year of a date just before it, else the year that puts it nearest to
    `reference`; without either it is left out.
    """
    folded = text.translate(_FOLD)
    matches = [*_IN_WORDS.finditer(folded), *_IN_FIGURES.finditer(folded)]
    spans: list[DateSpan] = []
    for match in sorted(matches, key=lambda match: match.start()):
        if spans and match.start() < spans[-1].end:
            continue
        span = _with_year(match) if _has_year(match) else _without_year(match, folded, spans, reference)
        if span is not None:
            spans.append(span)
    return tuple(spans)


def _has_year(match: re.Match[str]) -> bool:
    return not match.groupdict().get("bare_month")


def _with_year(match: re.Match[str]) -> DateSpan | None:
    part = match.groupdict()
    year = _year(part)
    if year is None or not _MIN_YEAR <= year <= _MAX_YEAR:
        return None
    if part.get("fiscal"):
        return DateSpan(match.start(), match.end(), date(year, 4, 1), Granularity.FISCAL_YEAR)
    month, day = _number(part["month"]), _number(part["day"])
    return _span(match, year, month, day)


def _without_year(match: re.Match[str], text: str, before: list[DateSpan], reference: date | None) -> DateSpan | None:
    month, day = _number(match["bare_month"]), _number(match["bare_day"])
    last = before[-1] if before else None
    if last is not None and match.start() - last.end <= _NEAR_CHARS and last.granularity is not Granularity.FISCAL_YEAR:
        span = _span(match, last.date.year, month, day, assumed=True)
        turns = span is not None and span.date < last.date and _SPAN_MARKS.search(text[last.end : match.start()])
        return _span(match, last.date.year + 1, month, day, assumed=True) if turns else span
    if reference is None:
        return None
    spans = [_span(match, reference.year + shift, month, day, assumed=True) for shift in (0, -1, 1)]
    possible = [span for span in spans if span is not None]
    return min(possible, key=lambda span: abs(span.date - reference), default=None)


def _span(
    match: re.Match[str], year: int, month: int | None, day: int | None, *, assumed: bool = False
) -> DateSpan | None:
    granularity = Granularity.DAY if day else Granularity.MONTH if month else Granularity.YEAR
    try:
        return DateSpan(match.start(), match.end(), date(year, month or 1, day or 1), granularity, assumed)
    except ValueError:
        return None


def _year(part: dict[str, str | None]) -> int | None:
    if part.get("year"):
        return int(part["year"] or 0)
    if part.get("kanji_year"):
        return int("".join(str(_KANJI_DIGITS[char]) for char in part["kanji_year"] or ""))
    era = part.get("era") or part.get("letter") or ""
    count = _number(part.get("era_year") or part.get("letter_year"))
    name = _LETTERS.get(era) or next((full for full in _ERAS if full.startswith(era)), "")
    return _ERAS[name] + count - 1 if name and count else None


def _number(numeral: str | None) -> int | None:
    """`11`, `十一`, `二十`, `元` as a number; None where there is none."""
    if not numeral:
        return None
    if numeral.isdigit() and numeral.isascii():
        return int(numeral)
    tens, ten, ones = numeral.rpartition("十")
    value = _KANJI_DIGITS.get(ones[-1:], 0) if len(ones) <= 1 else 0
    return value + (10 * (_KANJI_DIGITS.get(tens, 1) if tens else 1) if ten else 0) or None
