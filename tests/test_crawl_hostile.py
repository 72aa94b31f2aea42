"""Servers that lie, stall, flood and trap: each costs a bounded time and memory, and is told apart in the coverage."""

from __future__ import annotations

import gzip
import resource
import time
from pathlib import Path

import pytest
from crawling import Crawled, plan, run
from hostile import Reply, hostile_replies, page, redirect, serve

from pipeline.models import Cause

DEADLINE_S = 1.0
MAX_BYTES = 5_000_000
EXPECTED = {
    "/drip.html": Cause.TIMEOUT,
    "/drip-header.html": Cause.TIMEOUT,
    "/header-flood.html": Cause.PROTOCOL,
    "/hints.html": Cause.TIMEOUT,
    "/endless.html": Cause.TOO_LARGE,
    "/too-short.html": Cause.PROTOCOL,
    "/reset.html": Cause.PROTOCOL,
    "/garbage.html": Cause.PROTOCOL,
    "/bomb.html": Cause.TOO_LARGE,
    "/twice-gzip.html": Cause.PROTOCOL,
    "/not-gzip.html": Cause.PROTOCOL,
    "/brotli.html": Cause.PROTOCOL,
    "/circle.html": Cause.REDIRECT,
    "/self.html": Cause.REDIRECT,
    "/metadata.html": Cause.REDIRECT,
    "/file.html": Cause.REDIRECT,
    "/userinfo.html": Cause.REDIRECT,
    "/decimal.html": Cause.REDIRECT,
    "/nowhere.html": Cause.REDIRECT,
    "/empty.html": Cause.EMPTY,
    "/blank.html": Cause.EMPTY,
    "/image.html": Cause.MEDIA,
    "/office.docx": Cause.MEDIA,
    "/gone.html": Cause.NOT_FOUND,
    "/forbidden.html": Cause.FORBIDDEN,
    "/server.html": Cause.SERVER,
    "/tags.html": Cause.TOO_LARGE,
    "/nested-links.html": Cause.TOO_LARGE,
    "/missing.html": Cause.NOT_FOUND,
}
BEARABLE = ("/odd-headers.html", "/odd-location.html")


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Crawled, float, int]:
    """One crawl over every hostile answer: what came of it, seconds it took, bytes of memory it added."""
    links = [(path, f"ごみ {path}") for path in (*EXPECTED, *BEARABLE)]
    moved = "/%E7%A7%BB%E8%BB%A2.html"
    site = {"/": page(*links, ("/after.html", "後")), "/after.html": page(), moved: page(title="移転")}
    with serve({**hostile_replies(), **site}) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.monotonic()
        crawled = run(plan(server.url, deadline_s=DEADLINE_S, max_bytes=MAX_BYTES), tmp_path_factory.mktemp("hostile"))
        took = time.monotonic() - started
    return crawled, took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


@pytest.mark.parametrize(("path", "cause"), EXPECTED.items())
def test_each_failure_has_its_own_name(path: str, cause: Cause, survived: tuple[Crawled, float, int]) -> None:
    assert survived[0].causes()[path] is cause


def test_unread_addresses_keep_the_label_of_their_link(survived: tuple[Crawled, float, int]) -> None:
    labels = {one.url.rpartition("/")[2]: one.label for one in survived[0].coverage.unread}
    assert labels["server.html"] == "ごみ /server.html"


def test_a_good_page_after_all_of_them_is_still_read(survived: tuple[Crawled, float, int]) -> None:
    assert {"/after.html", *BEARABLE} <= survived[0].paths()


def test_time_and_memory_stay_bounded(survived: tuple[Crawled, float, int]) -> None:
    """Four stalled answers at a deadline of 1 s and some second tries at 1 s; the 200 MB bomb is never held."""
    assert survived[1] < 25
    assert survived[2] < 120_000_000


def test_error_answers_are_archived_too(survived: tuple[Crawled, float, int]) -> None:
    assert survived[0].paths(status=500) == {"/server.html"}
    assert survived[0].paths(status=403) == {"/forbidden.html"}
    assert {"/missing.html", "/robots.txt", "/sitemap.xml"} <= survived[0].paths(status=404)


@pytest.mark.parametrize("hostile", [b"<div>" * 2_000_000, b"<a href=/x.html><b>" * 500_000, b"<" * 10_000_000])
def test_ten_megabytes_of_tags_take_bounded_time(hostile: bytes, tmp_path: Path) -> None:
    body = b"<title>x</title>" + hostile + b'<a href="/last.html">last</a>'
    with serve({"/": Reply(body), "/last.html": page()}) as server:
        started = time.monotonic()
        crawled = run(plan(server.url, max_bytes=20_000_000, max_pages=3), tmp_path)
    assert crawled.coverage.home_read
    assert time.monotonic() - started < 8


def test_a_redirect_to_another_port_of_an_open_host_is_refused(tmp_path: Path) -> None:
    with serve({"/": "<p>secret</p>"}) as inner, serve(lambda path: {
        "/": page(("/inner", "申請")), "/inner": redirect(inner.url)}.get(path)) as outer:  # fmt: skip
        crawled = run(plan(outer.url), tmp_path)
        assert inner.log == []
    assert crawled.causes()["/inner"] is Cause.REDIRECT


def test_a_private_home_page_is_refused_unless_opened(tmp_path: Path) -> None:
    with serve({"/": page()}) as server:
        crawled = run(plan(server.url, allow_private=()), tmp_path)
        assert server.log == []
    assert not crawled.coverage.home_read
    assert crawled.causes() == {"/": Cause.ADDRESS}


def test_a_name_that_resolves_to_a_private_address_is_refused(tmp_path: Path) -> None:
    with serve({"/": page()}) as server:
        crawled = run(plan(server.url.replace("127.0.0.1", "localhost"), allow_private=()), tmp_path)
        assert server.log == []
    assert crawled.causes() == {"/": Cause.ADDRESS}


def test_an_endless_calendar_takes_a_small_share(tmp_path: Path) -> None:
    """Every month links to the next and the year; 60 articles must all be read from a budget of 100."""

    def site(path: str) -> str | None:
        if path == "/":
            links = [(f"/a/{number}.html", f"記事{number}") for number in range(60)]
            return page(("/cal.php?y=2026&m=1", "イベントカレンダー"), *links)
        if path.startswith("/a/"):
            return page(title=path)
        if path.startswith("/cal.php"):
            query = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))
            year, month = int(query["y"]), int(query["m"])
            others = [(f"/cal.php?y={year + delta}&m={month}", f"{year + delta}年") for delta in (-1, 1)]
            days = [(f"/cal.php?d={day}&m={month}&y={year}", f"{month}月{day}日") for day in range(1, 29)]
            return page(
                (f"/cal.php?y={year}&m={month + 1}", "次の月"), *others, *days, title=f"{year}年{month}月", text=""
            )
        return None

    with serve(site) as server:
        crawled = run(plan(server.url, max_pages=100), tmp_path)
    calendar = {path for path in crawled.paths() if path.startswith("/cal")}
    assert len([path for path in crawled.paths() if path.startswith("/a/")]) == 60
    assert 1 <= len(calendar) <= 20
    assert any("cal.php" in pending.url for pending in crawled.coverage.pending)


def test_a_faceted_search_takes_a_small_share(tmp_path: Path) -> None:
    facets = ["area", "type", "age", "sort", "order"]

    def site(path: str) -> str | None:
        query = path.partition("?")[2]
        if path == "/":
            return page(("/search", "施設検索"))
        if path.startswith("/search"):
            links = [
                (f"/search?{query}&{facet}={n}".replace("?&", "?"), f"{facet} {n}")
                for facet in facets
                for n in range(9)
            ]
            return page(
                *links, title="検索結果", text="中央公民館、東体育館、西図書館、南児童館、北市民会館が見つかりました。"
            )
        return None

    with serve(site) as server:
        crawled = run(plan(server.url, max_pages=400), tmp_path)
        assert len(server.pages()) < 200
    assert crawled.coverage.pending


def test_a_path_that_grows_for_ever_ends(tmp_path: Path) -> None:
    with serve(lambda path: page(("sub/", "下へ"), title=path)) as server:
        run(plan(server.url, max_pages=400), tmp_path)
        assert len(server.pages()) < 20


def test_sitemaps_in_a_circle_are_read_once_each(tmp_path: Path) -> None:
    def index(*paths: str) -> Reply:
        entries = "".join(f"<sitemap><loc>{path}</loc></sitemap>" for path in paths)
        return Reply(f"<sitemapindex>{entries}</sitemapindex>".encode(), media="application/xml")

    packed = gzip.compress(b"<urlset><url><loc>/from-gz.html</loc></url></urlset>")
    site = {
        "/": page(),
        "/robots.txt": Reply(b"Sitemap: /maps/0.xml\n", media="text/plain"),
        "/maps/0.xml": index("/maps/0.xml", "/maps/1.xml", "/maps/2.xml.gz"),
        "/maps/1.xml": index("/maps/0.xml", "/maps/1.xml"),
        "/maps/2.xml.gz": Reply(packed, media="application/x-gzip"),
        "/from-gz.html": page(title="gz"),
    }
    with serve(site) as server:
        crawled = run(plan(server.url), tmp_path)
        paths = server.paths()
    assert len(paths) == len(set(paths))
    assert crawled.paths() >= {"/maps/0.xml", "/maps/1.xml", "/maps/2.xml.gz", "/from-gz.html"}
    assert crawled.coverage.unread == ()


def test_endless_sitemaps_are_cut_off(tmp_path: Path) -> None:
    def site(path: str) -> Reply | str | None:
        if path == "/":
            return page()
        entries = "".join(f"<sitemap><loc>{path}{n}.xml</loc></sitemap>" for n in range(200))
        return Reply(f"<sitemapindex>{entries}</sitemapindex>".encode(), media="text/xml") if ".xml" in path else None

    with serve(site) as server:
        run(plan(server.url), tmp_path)
        assert len(server.log) < 60


def test_an_entity_bomb_lists_nothing(tmp_path: Path) -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "/trap.html">{lol}]><urlset><url><loc>&l9;</loc></url></urlset>'
    )
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel><item><link>/&e;</link></item></channel></rss>'
    site = {
        "/": '<link rel=alternate type="application/rss+xml" href="/feed.xml"><p>home</p>',
        "/sitemap.xml": Reply(bomb.encode(), media="application/xml"),
        "/feed.xml": Reply(outside.encode(), media="application/rss+xml"),
    }
    with serve(site) as server:
        started = time.monotonic()
        run(plan(server.url), tmp_path)
        assert time.monotonic() - started < 3
        assert sorted(server.paths()) == ["/", "/feed.xml", "/robots.txt", "/sitemap.xml"]
