"""What the crawl promises of a well-behaved site, over real loopback servers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
from crawling import CODE, LATE_LOG_S, RUN, hurry_s, plan, run
from hostile import Reply, page, redirect, serve

from pipeline.archive import Archive
from pipeline.crawl import Progress, crawl
from pipeline.models import Cause, Source

TERMS = (("ops-01", ("予約システム", "施設予約")), ("ops-08", ("RPA",)), ("resident-06", ("チャットボット",)))
PDF = Reply(b"%PDF-1.4\n%%EOF", media="application/pdf")
XML = "application/xml"


def test_every_kind_of_link_is_followed(tmp_path: Path) -> None:
    home = """<html><head><link rel="canonical" href="/canonical.html">
    <meta http-equiv="refresh" content="9; url=/refresh.html">
    <base href="/deep/"></head><body><a href="anchor.html">a</a><map><area href="/area.html" alt="x"></map>
    <iframe src="/frame.html"></iframe><div onclick="location.href='/onclick.html'">x</div>
    <a href="javascript:void(0)" onclick="window.open('/opened.html','w')">x</a>
    <table><tr data-href="/data.html"><td>x</td></tr></table>
    <a href="javascript:location.href='/script.html'">x</a><select><option value="/option.html">x</option></select>
    <a href="/file.pdf">pdf</a><a href="/memo.txt">txt</a><a href=" /broken space.html">x</a></body></html>"""
    names = ["canonical", "refresh", "deep/anchor", "area", "frame", "onclick", "opened", "data", "script", "option"]
    site = {f"/{name}.html": page(title=name) for name in names} | {
        "/": home, "/file.pdf": PDF, "/memo.txt": Reply(b"memo", media="text/plain"), "/broken%20space.html": page()
    }  # fmt: skip
    with serve(site) as server:
        crawled = run(plan(server.url), tmp_path)
    assert crawled.paths() == set(site)
    assert crawled.coverage.read == len(site)
    assert crawled.coverage.unread == ()


def test_old_frame_pages_are_followed(tmp_path: Path) -> None:
    site = {"/": '<frameset><frame src="menu.html"><frame src="main.html"></frameset>',
            "/menu.html": page(("news.html", "お知らせ")), "/main.html": page(), "/news.html": page()}  # fmt: skip
    with serve(site) as server:
        assert run(plan(server.url), tmp_path).paths() == set(site)


def test_a_splash_page_that_a_script_leaves_is_left(tmp_path: Path) -> None:
    site = {"/": '<script>window.location.href = "/top.html";</script>', "/top.html": page()}
    with serve(site) as server:
        assert run(plan(server.url), tmp_path).paths() == set(site)


def test_a_server_that_speaks_no_tls_has_its_own_cause(tmp_path: Path) -> None:
    with serve({"/": page()}) as server:
        crawled = run(plan(server.url.replace("http:", "https:")), tmp_path)
    assert crawled.causes() == {"/": Cause.TLS}


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "euc_jp", "iso2022_jp"])
def test_labels_are_read_in_the_pages_own_charset(charset: str, tmp_path: Path) -> None:
    """The relevant link comes last on the page and must be asked first."""
    links = (
        "".join(f'<a href="/{n}.html">観光案内{n}</a>' for n in range(9)) + '<a href="/z.html">公共施設予約のご案内</a>'
    )
    home = f'<html><head><meta charset="{charset}"></head><body>{links}</body></html>'.encode(charset)
    with serve(lambda path: Reply(home, media="text/html") if path == "/" else page(title=path)) as server:
        run(plan(server.url, terms=TERMS, max_pages=3), tmp_path)
        assert server.pages()[:2] == ["/", "/z.html"]


def test_best_first_over_several_steps(tmp_path: Path) -> None:
    """The page that matters is three steps down, named by its links only; 60 others wait beside the way."""
    other = [(f"/x/{n}.html", f"くらし{n}") for n in range(60)]
    site = {
        "/": page(*other, ("/soshiki/1.html", "RPAの取り組み")),
        "/soshiki/1.html": page(("/soshiki/2.html", "詳しくはこちら"), title="RPAの取り組み"),
        "/soshiki/2.html": page(("/soshiki/3.pdf", "RPA導入の結果"), title="業務改善"),
        "/soshiki/3.pdf": PDF,
    } | {path: page(*other, title=label) for path, label in other}
    with serve(site) as server:
        run(plan(server.url, terms=TERMS, max_pages=5), tmp_path)
        assert server.pages()[:4] == ["/", "/soshiki/1.html", "/soshiki/2.html", "/soshiki/3.pdf"]


def test_a_hungry_criterion_goes_before_the_fiftieth_page_of_another(tmp_path: Path) -> None:
    many = [(f"/rpa/{n}.html", f"RPAの事例 その{n}") for n in range(80)]
    with serve(
        lambda path: page(*many, ("/chat.html", "チャット ボット")) if path == "/" else page(title=path)
    ) as server:
        run(plan(server.url, terms=(("ops-08", ("RPA",)), ("resident-06", ("ボット",))), max_pages=90), tmp_path)
        place = server.pages().index("/chat.html")
    assert place < 40


def test_feeds_and_site_maps_are_archived_and_their_entries_asked(tmp_path: Path) -> None:
    rss = "<item><title>お知らせ</title><link>/rss-entry.html</link></item>"
    rss = f'<rss version="2.0"><channel><title>x</title><link>/</link>{rss}</channel></rss>'
    rdf = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        '<item rdf:about="/rdf-entry.html"><title>x</title></item></rdf:RDF>'
    )
    atom = '<entry><title>x</title><link rel="alternate" href="/atom-entry.html"/></entry>'
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom">{atom}</feed>'
    listed = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>/listed.html</loc>'
        '<image:image xmlns:image="i"><image:loc>/no.html</image:loc></image:image></url>'
    )
    home = (
        '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
        '<link rel="alternate" type="application/atom+xml" href="/atom">'
        '<a href="/news.rdf">RSS</a><a href="/sitemap.html">サイトマップ</a>'
    )
    pages = ["/rss-entry.html", "/rdf-entry.html", "/atom-entry.html", "/listed.html", "/from-map.html"]
    site: dict[str, Reply | str] = {path: page(title=path) for path in pages} | {
        "/": home, "/sitemap.html": page(("/from-map.html", "x")), "/sitemap.xml": Reply(listed.encode(), media=XML),
        "/rss.xml": Reply(rss.encode(), media="text/xml"),
        "/news.rdf": Reply(rdf.encode(), media="application/rdf+xml"),
        "/atom": Reply(atom.encode(), media="application/atom+xml"),
    }  # fmt: skip
    with serve(site) as server:
        crawled = run(plan(server.url), tmp_path)
    assert crawled.paths() == set(site)
    assert crawled.coverage.read == len(pages) + 2, "feeds and sitemaps are archived and are not pages"
    assert crawled.coverage.unread == ()


def test_robots_rules_are_kept_and_told(tmp_path: Path) -> None:
    robots = b"User-agent: survey\nDisallow: /\n\nUser-agent: *\nDisallow: /private/\nAllow: /private/open.html\n"
    site = {
        "/robots.txt": Reply(robots, media="text/plain"),
        "/": page(("/private/secret.html", "施設予約"), ("/private/open.html", "開"), ("/hop.html", "飛")),
        "/private/open.html": page(),
        "/hop.html": redirect("/private/hopped.html"),
    }
    with serve(site) as server:
        crawled = run(plan(server.url, user_agent="Akashi/0.1 (+survey of municipal web pages)"), tmp_path)
        assert "/private/secret.html" not in server.paths()
        assert "/private/hopped.html" not in server.paths()
    assert crawled.causes() == {"/private/secret.html": Cause.ROBOTS, "/hop.html": Cause.ROBOTS}
    assert {one.label for one in crawled.coverage.unread} == {"施設予約", "飛"}
    assert "/robots.txt" in crawled.paths()


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_failing_robots_txt_means_stay_away(status: int, tmp_path: Path) -> None:
    site = {"/robots.txt": Reply(b"", status=status, headers=(("Retry-After", "0"),)), "/": page()}
    with serve(site) as server:
        crawled = run(plan(server.url), tmp_path)
        assert set(server.paths()) == {"/robots.txt"}
    assert not crawled.coverage.home_read
    assert crawled.causes() == {"/": Cause.ROBOTS_UNREACHABLE}
    assert crawled.paths(status) == {"/robots.txt"}


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_no_robots_txt_means_no_rules(status: int, tmp_path: Path) -> None:
    with serve({"/robots.txt": Reply(b"Disallow: /", status=status), "/": page()}) as server:
        assert run(plan(server.url), tmp_path).coverage.home_read


def test_crawl_delay_is_kept_by_the_servers_own_log(tmp_path: Path) -> None:
    site = {
        "/robots.txt": Reply(b"User-agent: *\nCrawl-delay: 0.3\n"),
        "/": page(("/a", "a"), ("/b", "b")),
        "/a": page(),
    }
    with serve(site) as server:
        run(plan(server.url, delay_s=0.05), tmp_path)
        times = [request.at for request in server.log]
    assert len(times) == 5
    assert hurry_s(times, 0.3) < LATE_LOG_S


def test_a_crawl_delay_of_an_hour_is_a_no(tmp_path: Path) -> None:
    site = {"/robots.txt": Reply(b"User-agent: *\nCrawl-delay: 3600\n"), "/": page(("/a", "a"))}
    with serve(site) as server:
        crawled = run(plan(server.url), tmp_path)
        assert server.paths() == ["/robots.txt"]
    assert [(one.cause, one.detail) for one in crawled.coverage.unread] == [
        (Cause.ROBOTS, "robots.txt asks for 3600 s between two requests")
    ]


def test_the_pace_is_kept_between_starts(tmp_path: Path) -> None:
    with serve({"/": page(("/a", "a"), ("/b", "b"), ("/c", "c"))}, slowness_s=0.1) as server:
        run(plan(server.url, delay_s=0.2), tmp_path)
        times = [request.at for request in server.log]
    assert hurry_s(times, 0.2) < LATE_LOG_S
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 0.6, (
        "a delay runs from start to start, not from end to start"
    )


def test_hosts_on_two_addresses_are_asked_side_by_side(tmp_path: Path) -> None:
    with (
        serve({"/": page(title="one")}, slowness_s=0.3) as one,
        serve({"/": page(title="two")}, host="127.0.0.2", slowness_s=0.3) as two,
    ):
        run(plan("", extra=(one.url, two.url), allow_private=(one.place, two.place)), tmp_path)
        assert abs(one.log[0].at - two.log[0].at) < 0.25


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_busy_server_is_asked_again_after_the_time_it_names(form: str, tmp_path: Path) -> None:
    def busy_once() -> Iterator[Reply]:
        in_two_seconds = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        yield Reply(b"", status=503, headers=(("Retry-After", "1" if form == "seconds" else in_two_seconds),))
        yield from itertools.repeat(page(title="ok"))

    answers = busy_once()
    with serve(
        lambda path: next(answers) if path == "/busy" else page(("/busy", "b")) if path == "/" else None
    ) as server:
        crawled = run(plan(server.url), tmp_path)
        asked = [request.at for request in server.log if request.path == "/busy"]
    assert "/busy" in crawled.paths()
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 0.99


@pytest.mark.parametrize("retry_after", ["", "soon", "-1", "Wed, 21 Oct 99999999999 07:28:00 GMT"])
def test_a_time_that_cannot_be_read_means_a_short_pause(retry_after: str, tmp_path: Path) -> None:
    busy = Reply(b"<p>later</p>", status=503, headers=(("Retry-After", retry_after),))
    with serve({"/": busy}) as server:
        crawled = run(plan(server.url), tmp_path)
        assert server.paths().count("/") == 2
    assert crawled.causes() == {"/": Cause.SERVER}


def test_a_server_that_asks_for_an_hour_is_left_alone(tmp_path: Path) -> None:
    busy = Reply(b"<p>later</p>", status=429, headers=(("Retry-After", "3600"),))
    with serve({"/": page(("/busy", "混雑")), "/busy": busy}) as server:
        crawled = run(plan(server.url), tmp_path)
        assert server.paths().count("/busy") == 1
    assert crawled.causes() == {"/busy": Cause.FORBIDDEN}


def test_a_dead_host_costs_a_few_tries_only(tmp_path: Path) -> None:
    with serve({"/": page()}) as server:
        dead = server.place
    extra = tuple(f"http://{dead}/{n}.html" for n in range(40))
    crawled = run(plan("", extra=extra, allow_private=(dead,)), tmp_path)
    assert len(crawled.coverage.unread) == 40
    assert (crawled.coverage.finished - crawled.coverage.started).total_seconds() < 5


def test_the_site_ends_at_its_host_and_services_elsewhere_are_leaves(tmp_path: Path) -> None:
    """A booking service is fetched for its label and not followed; other hosts and social services are not asked."""
    with serve({"/yoyaku/": page(("/yoyaku/more.html", "施設予約の続き"))}, host="127.0.0.2") as service:
        host = f"http://{service.place}"
        links = (
            (f"{host}/yoyaku/", "施設予約"),
            (f"{host}/news.html", "新聞社"),
            ("https://www.youtube.com/@x", "施設予約の動画"),
        )
        with serve({"/": page(*links)}) as server:
            crawled = run(plan(server.url, terms=TERMS, allow_private=("*",)), tmp_path)
        assert service.log == [], "an address of figures is no service's name"
    assert crawled.coverage.unread == ()
    assert crawled.coverage.found == 1


def test_pages_given_by_hand_are_fetched_and_not_followed(tmp_path: Path) -> None:
    press = {"/article.html": page(("/other.html", "施設予約")), "/robots.txt": Reply(b"User-agent: *\nDisallow: /no")}
    with serve(press, host="127.0.0.2") as paper, serve({"/": page()}) as server:
        extra = (paper.url + "article.html", paper.url + "no.html", "ftp://example.com/")
        crawled = run(plan(server.url, terms=TERMS, extra=extra, allow_private=(server.place, paper.place)), tmp_path)
        assert paper.paths() == ["/robots.txt", "/article.html"]
    sources = {snapshot.url: snapshot.source for snapshot in crawled.snapshots}
    assert sources[paper.url + "article.html"] is Source.PRESS
    assert sources[server.url] is Source.OFFICIAL
    assert {(one.cause, one.source) for one in crawled.coverage.unread} == {
        (Cause.ROBOTS, Source.PRESS),
        (Cause.ADDRESS, Source.PRESS),
    }


def test_a_home_page_that_moved_to_a_strangers_host_is_not_taken(tmp_path: Path) -> None:
    with (
        serve({"/": page(title="カジノ")}, host="127.0.0.2") as stranger,
        serve({"/": redirect(stranger.url)}) as server,
    ):
        crawled = run(plan(server.url, allow_private=(server.place, stranger.place)), tmp_path)
        assert stranger.log == []
    assert not crawled.coverage.home_read
    assert crawled.causes() == {"/": Cause.REDIRECT}


def test_redirects_are_followed_and_their_targets_not_asked_twice(tmp_path: Path) -> None:
    site = {"/": redirect("/top/"), "/top/": page(("/old", "旧"), ("/new.html", "新"), ("/older", "古")),
            "/old": redirect("/new.html", 301), "/older": redirect("/old"), "/new.html": page(title="新")}  # fmt: skip
    with serve(site) as server:
        crawled = run(plan(server.url), tmp_path)
        assert server.paths().count("/new.html") == 1
        assert server.paths().count("/top/") == 1
    assert crawled.coverage.unread == ()
    assert {snapshot.final_url for snapshot in crawled.snapshots if snapshot.status == 200} == {
        server.url + "top/", server.url + "new.html"
    }  # fmt: skip


def test_one_page_under_many_names_is_asked_once(tmp_path: Path) -> None:
    names = (
        "/a/index.html",
        "/a/",
        "/a/?PHPSESSID=0123456789abcdef",
        "/a/;jsessionid=1",
        "/a/#top",
        "/a/?utm_source=x",
        "/b/../a/",
    )
    with serve({"/": page(*((name, "a") for name in names)), "/a/": page()}) as server:
        run(plan(server.url), tmp_path)
        assert server.pages() == ["/", "/a/"]


def test_cookies_are_not_sent_back(tmp_path: Path) -> None:
    home = Reply(page(("/a", "a")).encode(), headers=(("Set-Cookie", "id=1; Path=/"),))
    with serve({"/": home, "/a": page()}) as server:
        run(plan(server.url), tmp_path)
        assert all("Cookie" not in request.headers for request in server.log)
        assert {request.headers["User-Agent"] for request in server.log} == {"Akashi"}


def test_the_budget_counts_pages_and_the_rest_is_told(tmp_path: Path) -> None:
    many = [(f"/{n}.html", f"施設予約 {n}" if n == 77 else f"記事{n}") for n in range(100)]
    seen: list[Progress] = []
    with serve(lambda path: page(*many) if path == "/" else page(title=path) if ".html" in path else None) as server:
        crawled = run(plan(server.url, terms=TERMS, max_pages=20), tmp_path, seen.append)
    assert crawled.coverage.read == 20
    assert crawled.coverage.found == 101
    assert len(crawled.coverage.pending) == 81
    assert "/77.html" in crawled.paths()
    assert seen[-1].fetched == seen[-1].budget == 20
    assert seen[-1].waiting == 81


def test_a_finished_crawl_is_not_crawled_again_but_a_larger_budget_goes_on(tmp_path: Path) -> None:
    many = [(f"/{n}.html", f"記事{n}") for n in range(10)]
    with serve(lambda path: page(*many) if path == "/" else page(title=path) if ".html" in path else None) as server:
        first = run(plan(server.url, max_pages=5), tmp_path)
        asked = len(server.log)
        again = run(plan(server.url, max_pages=5), tmp_path)
        assert len(server.log) == asked
        assert again.coverage == first.coverage
        more = run(plan(server.url, max_pages=50), tmp_path)
        assert len(server.pages()) == len(set(server.pages())) == 11
    assert more.coverage.read == 11


def test_a_cancelled_crawl_goes_on_where_it_was(tmp_path: Path) -> None:
    many = [(f"/{n}.html", f"記事{n}") for n in range(15)]
    with serve(lambda path: page(*many) if path == "/" else page(title=path) if ".html" in path else None) as server:
        order = plan(server.url)
        task: asyncio.Task[object]

        def progress(now: Progress) -> None:
            if now.fetched == 5:
                task.cancel()

        async def cancelled() -> None:
            nonlocal task
            path = tmp_path / "frontier.db"
            with Archive(tmp_path / "archive") as archive:
                walk = crawl(order, archive=archive, code=CODE, run_id=RUN, frontier_path=path, progress=progress)
                task = asyncio.create_task(walk)
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(cancelled())
        begun = len(server.log)
        crawled = run(order, tmp_path)
        assert 3 < begun < 17
        assert len(server.log) <= 17 + 3, "the one under way and robots.txt again"
    assert crawled.coverage.read == 16


@pytest.mark.parametrize("name", ["aomine", "hinokuni", "tanigawa"])
def test_all_pages_of_a_whole_site_are_archived(name: str, shared: Path, tmp_path: Path) -> None:
    root = shared / "evidence" / "sites" / name / "site"

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
    try:
        crawled = run(plan(f"http://127.0.0.1:{listener.server_address[1]}/"), tmp_path)
    finally:
        listener.shutdown()
        listener.server_close()
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix in (".html", ".pdf")]
    assert {unquote(path) for path in crawled.paths()} >= {"/" + file.removesuffix("index.html") for file in files}
    assert crawled.coverage.unread == ()
    assert crawled.coverage.pending == ()
