"""Dates as Japanese pages write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dates import Granularity, parse_dates

REFERENCE = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("更新日：2026年11月2日", "2026-11-02"),
        ("２０２６年１１月２日", "2026-11-02"),
        ("2026 年 11 月 2 日", "2026-11-02"),
        ("令和8年11月2日", "2026-11-02"),
        ("令和８年１１月２日", "2026-11-02"),
        ("令和元年5月1日", "2019-05-01"),
        ("令和八年十一月二日", "2026-11-02"),
        ("平成三十一年四月三十日", "2019-04-30"),
        ("平成30年4月1日", "2018-04-01"),
        ("昭和64年1月7日", "1989-01-07"),
        ("R8.11.2", "2026-11-02"),
        ("Ｒ８．１１．２", "2026-11-02"),
        ("H30.4.1", "2018-04-01"),
        ("2026/11/2", "2026-11-02"),
        ("2026-11-02", "2026-11-02"),
        ("2026.11.02", "2026-11-02"),
        ("令和8(2026)年11月2日", "2026-11-02"),
        ("平成30年（2018年）4月1日", "2018-04-01"),
        ("2026年（令和8年）11月2日", "2026-11-02"),
        ("二〇二六年十一月二日", "2026-11-02"),
    ],
)
def test_days(text: str, day: str) -> None:
    (span,) = parse_dates(text)
    assert (span.date.isoformat(), span.granularity, span.assumed) == (day, Granularity.DAY, False)


@pytest.mark.parametrize(
    ("text", "day", "granularity"),
    [
        ("令和8年度から始めます", "2026-04-01", Granularity.FISCAL_YEAR),
        ("2026年度", "2026-04-01", Granularity.FISCAL_YEAR),
        ("令和元年度", "2019-04-01", Granularity.FISCAL_YEAR),
        ("令和8年3月に策定", "2026-03-01", Granularity.MONTH),
        ("令和9年に始めます", "2027-01-01", Granularity.YEAR),
        ("2026年10月号", "2026-10-01", Granularity.MONTH),
    ],
)
def test_longer_spans(text: str, day: str, granularity: Granularity) -> None:
    (span,) = parse_dates(text)
    assert (span.date.isoformat(), span.granularity) == (day, granularity)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("10月6日から運んでいます", ["2026-10-06"]),
        ("1月10日に開きます", ["2027-01-10"]),
        ("9月から", ["2026-09-01"]),
        ("4月から", ["2027-04-01"]),
        ("令和7年4月1日から5月31日まで", ["2025-04-01", "2025-05-31"]),
        ("令和7年12月1日～1月31日", ["2025-12-01", "2026-01-31"]),
        ("令和5年度のうち、6月1日", ["2023-04-01", "2026-06-01"]),
    ],
)
def test_years_left_out(text: str, days: list[str]) -> None:
    """The year of a date just before, else the one nearest to the reference."""
    assert [span.date.isoformat() for span in parse_dates(text, reference=REFERENCE)] == days


@pytest.mark.parametrize(
    "text",
    [
        "2月30日",
        "2026年13月1日",
        "令和8年2月30日",
        "電話0591-33-7400",
        "第3章 10.5パーセント",
        "3,260万円",
        "192.168.1.1",
        "v2.11.0",
        "平成",
        "3か月",
        "SR8.11.2",
        "法人番号9000020990101",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_dates(text, reference=REFERENCE) == () or text.startswith(("2026年13", "令和8年2月30"))
    assert all(span.granularity is not Granularity.DAY for span in parse_dates(text, reference=REFERENCE))


def test_no_year_without_a_reference() -> None:
    assert parse_dates("11月2日") == ()


def test_spans_are_where_the_dates_stand() -> None:
    text = "掲載日 令和8年11月2日（更新 2026/11/9）"
    assert [text[span.start : span.end] for span in parse_dates(text)] == ["令和8年11月2日", "2026/11/9"]


@given(st.dates(date(1989, 1, 8), date(2099, 12, 31)), st.sampled_from(["western", "era", "letter", "slash"]))
def test_every_day_is_read_back(day: date, style: str) -> None:
    era, year = ("令和", day.year - 2018) if day.year >= 2020 else ("平成", day.year - 1988)
    text = {
        "western": f"{day.year}年{day.month}月{day.day}日",
        "era": f"{era}{year}年{day.month}月{day.day}日",
        "letter": f"{'R' if era == '令和' else 'H'}{year}.{day.month}.{day.day}",
        "slash": f"{day.year}/{day.month:02}/{day.day:02}",
    }[style]
    assert [span.date for span in parse_dates(text)] == [day]


@given(st.text(alphabet="0123456789令和平成年月日度.-/RH元十二 　（）", max_size=40))
def test_any_text_gives_dates_in_order(text: str) -> None:
    spans = parse_dates(text, reference=REFERENCE)
    assert all(left.end <= right.start for left, right in zip(spans, spans[1:], strict=False))
