"""The days on which a site says that it changed: feeds, sitemaps and news lists."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract import dated_list, extract, from_page
from pipeline.models import DatedList, Page
from tests.make_pages import snapshot

AS_OF = date(2026, 11, 20)
RSS2 = """<?xml version="1.0"?><rss version="2.0"><channel><pubDate>Sat, 21 Nov 2026 10:00:00 +0900</pubDate>
<item><title>a</title><link>/a</link><pubDate>Thu, 19 Nov 2026 10:00:00 +0900</pubDate></item>
<item><pubDate>Thu, 19 Nov 2026 16:00:00 GMT</pubDate></item><item><title>undated</title></item></channel></rss>"""
RSS1 = """<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/>
<item rdf:about="/a"><dc:date>2026-11-19T09:00:00+09:00</dc:date></item>
<item rdf:about="/b"><dc:date>2026-11-12</dc:date></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><updated>2026-11-20T00:00:00Z</updated><entry>
<published>2026-10-01T00:00:00Z</published><updated>2026-11-18T20:00:00Z</updated></entry></feed>"""
SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>/</loc><lastmod>2026-11-19</lastmod></url>
<url><loc>/b</loc></url><url><loc>/c</loc><lastmod>2026-11-01T10:00:00+09:00</lastmod></url></urlset>"""


def dates(text: str | bytes) -> DatedList | None:
    body = text if isinstance(text, bytes) else text.encode()
    return dated_list(snapshot(body, content_type="application/xml"), body)


@pytest.mark.parametrize(
    ("text", "kind", "days"),
    [
        (RSS2, "feed", ["2026-11-20", "2026-11-19"]),
        (RSS1, "feed", ["2026-11-19", "2026-11-12"]),
        (ATOM, "feed", ["2026-11-19"]),
        (SITEMAP, "sitemap", ["2026-11-19", "2026-11-01"]),
        (SITEMAP.replace("</urlset>", "<broken"), "sitemap", ["2026-11-19", "2026-11-01"]),
        ("\ufeff\n" + RSS2, "feed", ["2026-11-20", "2026-11-19"]),
    ],
)
def test_feeds_and_sitemaps(text: str, kind: str, days: list[str]) -> None:
    """Days are Japan's: 16:00 GMT is the next day there."""
    found = dates(text)
    assert found is not None
    assert (found.kind, [day.isoformat() for day in found.dates]) == (kind, days)


def test_a_day_beyond_the_calendar_is_passed_over() -> None:
    """In Japan it is of the year 0 or 10000: no survey may end there."""
    odd = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "Fri, 31 Dec 9999 23:59:59 -1200")
    items = "".join(f"<item><pubDate>{text}</pubDate></item>" for text in (*odd, "2026-11-19"))
    found = dates(f"<rss><channel>{items}</channel></rss>")
    assert found is not None
    assert found.dates == (date(2026, 11, 19),)


LAUGHS = (
    '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><item>'
    "<pubDate>Thu, 19 Nov 2026 10:00:00 +0900</pubDate><title>&b;</title></item></channel></rss>"
)


@pytest.mark.parametrize(
    "text", ["", "<html><p>2026年11月2日</p>", "<rss></rss>", LAUGHS, "not xml", "<sitemapindex/>"]
)
def test_nothing_else_is_a_feed(text: str) -> None:
    assert dates(text) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(body: bytes) -> None:
    dates(b"<rss><channel><item><pubDate>" + body)


def news(html: str) -> DatedList | None:
    body = html.encode()
    found = extract(snapshot(body), body)
    assert isinstance(found, Page)
    return from_page(found, AS_OF)


DAYS = [AS_OF - timedelta(days=days) for days in (1, 3, 4, 9, 9, 30, 70)]
FORMS = {
    "dl": lambda day: f"<dt>{day.year}年{day.month}月{day.day}日<dd><a href=/x>件</a>",
    "li": lambda day: f"<li>{day.year}.{day.month:02}.{day.day:02} <a href=/x>件</a>",
    "table": lambda day: f"<tr><td>令和{day.year - 2018}年{day.month}月{day.day}日<td>件",
    "p": lambda day: f"<p>【{day.year}/{day.month}/{day.day}】 件</p>",
    "no year": lambda day: f"<li>{day.month}月{day.day}日　件",
}
WRAP = {"dl": "<dl>{}</dl>", "table": "<table>{}</table>", "p": "{}", "li": "<ul>{}</ul>", "no year": "<ul>{}</ul>"}


@pytest.mark.parametrize("form", FORMS)
def test_news_lists(form: str) -> None:
    found = news("<h2>新着情報</h2>" + WRAP[form].format("".join(map(FORMS[form], DAYS))))
    assert found is not None
    assert (found.kind, found.dates) == ("list", tuple(DAYS))


def test_years_left_out_go_back_over_new_year_or_come_from_the_heading() -> None:
    days = [date(2026, 2, 3), date(2026, 1, 20), date(2025, 12, 28), date(2025, 12, 1), date(2025, 11, 25)]
    items = "".join(map(FORMS["no year"], days))
    found = news(f"<h2>お知らせ</h2><ul>{items}</ul>")
    assert found is not None
    assert found.dates == tuple(days)
    found = news(f"<h2>お知らせ 2024年</h2><ul>{''.join(map(FORMS['no year'], days[:1] * 5))}</ul>")
    assert found is not None
    assert set(found.dates) == {date(2024, 2, 3)}


def without_years(*ago: int, heading: str = "お知らせ") -> DatedList | None:
    """What a list of items so many days ago tells that leaves its years out."""
    items = "".join(FORMS["no year"](AS_OF - timedelta(days=days)) for days in ago)
    return news(f"<h2>{heading}</h2><ul>{items}</ul>")


def test_a_few_items_out_of_order_turn_no_year() -> None:
    for ago in ((2, 1, 3, 5, 8, 11), (4, 0, 2, 9, 12, 15), (1, 3, 5, 8, 30, 9, 12, 15, 19, 22)):
        found = without_years(*ago)
        assert found is not None
        assert found.dates == tuple(AS_OF - timedelta(days=days) for days in sorted(ago))


def test_a_pinned_item_or_one_of_last_year_is_not_guessed_at() -> None:
    """An item of April above those of November: pinned this year, or are the others of last year?"""
    assert without_years(230, 1, 2, 3, 5, 8) is None
    assert without_years(1, 230, 3, 5, 8, 9) is None
    long = [*range(1, 370, 15), 380, 395, 410]
    found = without_years(*long)
    assert found is not None
    assert found.dates == tuple(AS_OF - timedelta(days=days) for days in long)


@pytest.mark.parametrize(
    ("heading", "year"),
    [("お知らせ 2024年", 2024), ("令和6年度のお知らせ", 2025), ("お知らせ R6年", 2024), ("お知らせ PR 10周年", 2026)],
)
def test_a_heading_names_the_year_and_a_fiscal_year_ends_in_march(heading: str, year: int) -> None:
    found = news(f"<h2>{heading}</h2><ul>{''.join(map(FORMS['no year'], [date(2026, 2, 3)] * 5))}</ul>")
    assert found is not None
    assert set(found.dates) == {date(year, 2, 3)}


@pytest.mark.parametrize(
    "html",
    [
        "<h2>新着情報</h2><ul>" + "".join(map(FORMS["li"], DAYS[:4])) + "</ul>",
        "<h2>これから</h2><ul>" + "".join(FORMS["li"](AS_OF + timedelta(days=10 - at)) for at in range(8)) + "</ul>",
        "<h2>会期</h2><ul>" + "".join(map(FORMS["li"], DAYS[::-1])) + "</ul>",
        "<h2>催し物の日程</h2><ul>" + "".join(map(FORMS["li"], DAYS)) + "</ul>",
        "<h2>経過</h2>" + "<p>市は2026年10月3日に始めました。</p>" * 8,
        "<nav><ul>" + "".join(map(FORMS["li"], DAYS)) + "</ul></nav><p>文</p>",
    ],
    ids=["too few", "future", "schedule", "events", "prose", "menu"],
)
def test_other_lists_are_no_news(html: str) -> None:
    assert news(html) is None


def test_the_liveliest_list_is_taken() -> None:
    old = "".join(FORMS["li"](AS_OF - timedelta(days=200 + at)) for at in range(20))
    found = news(f"<h2>記録</h2><ul>{old}</ul><h2>新着</h2><dl>{''.join(map(FORMS['dl'], DAYS))}</dl>")
    assert found is not None
    assert found.dates == tuple(DAYS)


def test_labelled_lists_are_found(shared: Path) -> None:
    """The dated list that each labelled site is judged by, and its feed or sitemap where it has one."""
    for slug in ("aomine", "hinokuni", "tanigawa"):
        folder = shared / "evidence" / "sites" / slug
        labels = map(json.loads, (folder / "labels.jsonl").read_text().splitlines())
        path = next(label["evidence"][0]["path"] for label in labels if label["criterion"] == "resident-01")
        body = (folder / "site" / path.lstrip("/")).read_bytes()
        found = extract(snapshot(body), body)
        assert isinstance(found, Page)
        listed = from_page(found, AS_OF)
        assert listed is not None
        assert len(listed.dates) >= 20
        for name in ("rss.xml", "news.rdf", "sitemap.xml"):
            file = folder / "site" / name
            if file.exists():
                assert dates(file.read_bytes()) is not None


def test_a_packed_sitemap_is_read_and_a_packed_bomb_is_not() -> None:
    """sitemap.xml.gz is archived as it came."""
    packed, bomb = gzip.compress(SITEMAP.encode()), gzip.compress(b" " * 100_000_000)
    found = dates(packed)
    assert found is not None
    assert found.dates == dates(SITEMAP).dates  # type: ignore[union-attr]
    assert dates(bomb) is None
    assert dates(b"\x1f\x8bbroken") is None


@pytest.mark.parametrize(("title", "found"), [("収容された犬", False), ("新着情報", True), ("市からのお知らせ", True)])
def test_a_dated_list_of_something_else_is_no_news_list(title: str, found: bool) -> None:
    items = "".join(f"<li>2026年{month}月5日 一件目の知らせです</li>" for month in range(10, 3, -1))
    body = f"<html><title>{title}</title><body><main><h1>{title}</h1><ul>{items}</ul></main></body></html>".encode()
    page = extract(snapshot(body, url="https://city.example/inu/list.html"), body)
    assert isinstance(page, Page)
    assert (from_page(page, AS_OF) is not None) is found
