"""Relevance, families, links and lists of addresses, each on its own."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.discover import discover
from pipeline.crawl.feeds import listed
from pipeline.crawl.relevance import Relevance
from pipeline.crawl.scope import Extent, Kind, family, is_feed, is_runaway, is_variant

TERMS = (("ops-01", ("施設予約", "予約")), ("ops-08", ("RPA", "AI-OCR")), ("resident-06", ("チャットボット", "AI")))


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("公共施設予約システム", {"ops-01"}),
        ("ＲＰＡの導入", {"ops-08"}),
        ("rpa", {"ops-08"}),
        ("ﾁｬｯﾄﾎﾞｯﾄ", {"resident-06"}),
        ("AI-OCRとAI", {"ops-08", "resident-06"}),
        ("mail magazine", set()),
        ("RPAS", set()),
        ("RPA2026", {"ops-08"}),
        ("", set()),
    ],
)
def test_terms_are_found_in_any_width_and_as_whole_latin_words(text: str, criteria: set[str]) -> None:
    assert set(Relevance(TERMS).of(text)) == criteria


def _score(
    label: str, *, heading: str = "", url: str = "http://x.jp/1.html", depth: int = 1, parent: str = ""
) -> float:
    relevance = Relevance(TERMS)
    return relevance.promise(label=label, heading=heading, url=url, depth=depth, parent=relevance.of(parent)).score


def test_a_label_says_more_than_a_heading_than_the_page_than_nothing() -> None:
    scores = [
        _score("施設予約"),
        _score("こちら", heading="施設予約"),
        _score("こちら", parent="施設予約"),
        _score("こちら"),
    ]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_a_word_that_leads_to_the_proof_says_less_than_one_that_names_it() -> None:
    relevance = Relevance(TERMS, (("ops-01", ("公民館の使い方",)),))

    def score(label: str) -> float:
        return relevance.promise(label=label, heading="", url="http://x.jp/1", depth=1, parent={}).score

    assert score("施設予約") > score("公民館の使い方") > score("市長の部屋")
    assert set(relevance.of("公民館の使い方")) == set(), "only links are read for leads"


@pytest.mark.parametrize(
    ("label", "stale"),
    [
        ("施設予約（令和2年度）", True),
        ("施設予約（平成30年度）", True),
        ("2019年 施設予約", True),
        ("施設予約（H29）", True),
        ("施設予約（令和元年から令和8年度）", False),
        ("施設予約（令和6年度）", False),
        ("施設予約 2026", False),
        ("施設予約", False),
        ("施設予約 第2019号室20195", False),
    ],
)
def test_what_was_said_of_years_long_ago_is_worth_less(label: str, stale: bool) -> None:
    now, any_year = (
        Relevance(TERMS, (), year).promise(label=label, heading="", url="http://x.jp/1", depth=1, parent={}).score
        for year in (2026, 0)
    )
    assert (now < any_year) is stale


def test_a_page_speaks_of_a_criterion_by_words_that_its_link_had_not_said() -> None:
    relevance = Relevance(TERMS)
    assert relevance.speaks_of("施設予約の窓口です", "施設予約") == {}
    assert relevance.speaks_of("施設予約もRPAもあります", "市の取組")["ops-08"] == pytest.approx(0.5)
    assert relevance.speaks_of("RPAとAI-OCR", "市の取組")["ops-08"] == 1.0


def test_attached_forms_promise_less_than_attached_plans() -> None:
    def score(label: str) -> float:
        parent = {"ops-01": 1.0}
        return Relevance(TERMS).promise(label=label, heading="", url="http://x.jp/1.pdf", depth=2, parent=parent).score

    assert score("本文（PDF）") > score("申請書（PDF）")


def test_depth_decays_and_percent_encoded_addresses_are_read() -> None:
    assert _score("施設予約", depth=1) > _score("施設予約", depth=4) > _score("こちら", depth=1)
    assert _score("", url="http://x.jp/%E6%96%BD%E8%A8%AD%E4%BA%88%E7%B4%84/") > _score("", url="http://x.jp/a/")
    assert _score("予約") < _score("施設予約"), "a longer term says more"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://x.jp/cal.php?y=2026&m=1", "http://x.jp/cal.php?m=2&y=2031", True),
        ("http://x.jp/search?a=1&b=2", "http://x.jp/search?c=1&d=2&e=3", True),
        ("http://x.jp/soshiki/1/2.html", "http://x.jp/soshiki/33/4567.html", True),
        ("http://x.jp/soshiki/1/2.html", "http://x.jp/soshiki/1/2.pdf", False),
        ("http://x.jp/kurashi/a.html", "http://x.jp/kosodate/a.html", False),
        ("http://x.jp/a/b.html", "http://x.jp/a/b/c.html", False),
        ("http://x.jp/cal.php?y=1", "http://x.jp/cal.php", False),
        ("http://x.jp/a.html", "http://y.jp/a.html", False),
    ],
)
def test_families(one: str, other: str, same: bool) -> None:
    assert (family(one) == family(other)) is same


@pytest.mark.parametrize(
    ("url", "variant"),
    [
        ("http://x.jp/a.html?print=1", True),
        ("http://x.jp/a.html?mode=print&id=1", True),
        ("http://x.jp/a.html?fontsize=l", True),
        ("http://x.jp/a.html?id=1", False),
        ("http://x.jp/?mode=detail", False),
        ("http://honyaku.j-server.com/LUCX/ns/tl.cgi/http://x.jp/", True),
    ],
)
def test_variants(url: str, variant: bool) -> None:
    assert is_variant(url) is variant


def test_paths_that_run_away() -> None:
    assert is_runaway("http://x.jp" + "/sub" * 5 + "/")
    assert is_runaway("http://x.jp/" + "/".join(map(str, range(20))))
    assert not is_runaway("http://x.jp/kurashi/gomi/gomi/1.html")


SERVICES = [
    ("https://www.city.x.lg.jp/a", "", False, Kind.PAGE),
    ("https://lib.city.x.lg.jp/", "", False, Kind.PAGE),
    ("https://www.city.x.lg.jp/a.png", "予約", True, None),
    ("https://yoyaku.example.com/x", "施設予約", True, Kind.LEAF),
    ("https://yoyaku.example.com/x", "会社案内", False, None),
    ("https://shinsei.pref.y.lg.jp/", "電子申請", True, Kind.LEAF),
    ("https://www.pref.y.jp/", "電子申請", True, None),
    ("https://www.city.z.lg.jp/rpa.html", "RPAの予約", True, None),
    ("https://www.digital.go.jp/shinsei/", "申請", True, None),
    ("https://www.youtube.com/@x", "予約の動画", True, None),
    ("https://m.facebook.com/x", "予約", True, None),
    ("https://news.example.com/", "RPA", True, None),
    ("http://10.0.0.1/yoyaku/", "予約", True, None),
]


@pytest.mark.parametrize(("url", "label", "relevant", "kind"), SERVICES)
def test_what_an_address_is_taken_up_as(url: str, label: str, relevant: bool, kind: Kind | None) -> None:
    assert Extent(("https://www.city.x.lg.jp/",)).kind(url, label, relevant) is kind


def test_feeds_by_their_name() -> None:
    assert is_feed("http://x.jp/news.rdf")
    assert is_feed("http://x.jp/rss/")
    assert not is_feed("http://x.jp/data/statistics.xml")


# --- pages and lists --------------------------------------------------------------------------------------------------


def test_labels_fall_back_to_what_a_screen_reader_says() -> None:
    html = """<h2>手続き</h2><a href="/1"> 施設 <b>予約</b> </a><a href="/2"><img alt="電子申請"></a>
    <a href="/3" title="題"></a><a href="/4" aria-label="声"></a><h3>次</h3><a href="/1">again</a><a href="/5">五</a>"""
    found = {link.url.rpartition("/")[2]: (link.label, link.heading) for link in discover(html, "http://x.jp/").links}
    assert found == {
        "1": ("施設 予約", "手続き"),
        "2": ("電子申請", "手続き"),
        "3": ("題", "手続き"),
        "4": ("声", "手続き"),
        "5": ("五", "次"),
    }


@pytest.mark.parametrize(
    ("html", "around"),
    [
        ("<p>施設予約システムは<a href=/1>こちら</a></p>", "施設予約システムはこちら"),
        ("<li>RPAの実証 <a href=/1>詳細を見る</a></li>", "RPAの実証 詳細を見る"),
        ("<p>長い" + "文" * 300 + "<a href=/1>こちら</a></p>", ""),
        ("<p>前文<a href=/1>施設予約</a></p>", ""),
    ],
)
def test_a_label_that_says_nothing_takes_the_words_around_it(html: str, around: str) -> None:
    assert [found.around for found in discover(html, "http://x.jp/").links] == [around]


@pytest.mark.parametrize(
    ("form", "url"),
    [
        ('<form action="/search"><input name=q><input type=submit value=検索></form>', "http://x.jp/search?q=%E4%BA%88"),
        ('<form action="/s?a=1" method=GET><input type=hidden name=b value="2 3"><input name=kw></form>',
         "http://x.jp/s?b=2%203&kw=%E4%BA%88"),
        ('<form action="/find">サイト内検索<input name=text1></form>', "http://x.jp/find?text1=%E4%BA%88"),
        ('<form action="/search" method=post><input name=q></form>', None),
        ('<form action="/login"><input name=user><input name=q></form>', None),
        ('<form action="/mail"><input name=address></form>', None),
        ('<form action="javascript:x()"><input name=q></form>', None),
    ],
)  # fmt: skip
def test_the_sites_own_search_is_recognised(form: str, url: str | None) -> None:
    search = discover(form, "http://x.jp/").search
    assert (search.of("予") if search else None) == url


def test_queries_are_encoded_in_the_pages_charset() -> None:
    found = discover('<a href="/s?q=予約">x</a>', "http://x.jp/", "euc_jp").links
    assert [link.url for link in found] == ["http://x.jp/s?q=%CD%BD%CC%F3"]


def test_the_plain_scan_finds_links_too() -> None:
    html = "<br>" * 40_000 + "<title>題</title><a class=x href='/1?a=1&amp;b=2'>施設 予約</a><iframe src=/2></iframe>"
    found = discover(html, "http://x.jp/")
    assert [(link.url, link.label) for link in found.links] == [
        ("http://x.jp/1?a=1&b=2", "施設 予約"),
        ("http://x.jp/2", ""),
    ]
    assert found.title == "題"


def test_elements_within_elements_take_bounded_time() -> None:
    html = "<div onclick=\"location.href='/x'\">" * 9_000 + "text " * 300_000
    started = time.monotonic()
    assert [link.url for link in discover(html, "http://x.jp/").links] == ["http://x.jp/x"]
    assert time.monotonic() - started < 5


@given(st.text(alphabet="<>a/=\"' hreftd\n\x00あ", max_size=200))
def test_no_markup_makes_discovery_fail(html: str) -> None:
    discover(html, "http://x.jp/")


@given(st.binary(max_size=200))
def test_no_bytes_make_a_list_fail(body: bytes) -> None:
    listed(body, "http://x.jp/sitemap.xml")
    listed(b"<urlset><url><loc>" + body, "http://x.jp/sitemap.xml")


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "euc_jp"])
def test_lists_are_read_in_their_own_charset(charset: str) -> None:
    item = "<item><title>施設予約のお知らせ</title><link>/a</link></item>"
    xml = f'<?xml version="1.0" encoding="{charset}"?><rss><channel>{item}</channel></rss>'
    found = listed(xml.encode(charset), "http://x.jp/rss.xml")
    assert [(entry.url, entry.label) for entry in found.entries] == [("http://x.jp/a", "施設予約のお知らせ")]


def test_a_list_that_breaks_off_still_counts() -> None:
    xml = b"<urlset><url><loc>/a</loc></url><url><loc>/b</loc></url><url><loc>/c"
    assert [entry.url for entry in listed(xml, "http://x.jp/").entries] == ["http://x.jp/a", "http://x.jp/b"]


def test_a_deep_or_huge_list_is_cut() -> None:
    assert listed(b"<urlset>" + b"<url>" * 100_000, "http://x.jp/").entries == ()
    entries = b"".join(b"<url><loc>/%d</loc></url>" % number for number in range(60_000))
    assert len(listed(b"<urlset>" + entries + b"</urlset>", "http://x.jp/").entries) == 50_000
