"""Pages that only a script fills: told as unread, and read in a real browser where that is asked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import check_evidence
import pytest
from browsing import alive, archived_view, chromiums, is_renderer, needs_chromium
from commands import classify
from crawling import Crawled, plan, run
from hostile import Reply, Server, filler, page, path_of, serve
from living import Doc, Site
from scripted_sites import LONG, RPA, city, fill, hostile_pages, scripted

from pipeline import demo
from pipeline.archive import Archive
from pipeline.charset import decode
from pipeline.crawl import browser, render, rendering
from pipeline.criteria import load
from pipeline.models import Cause, Judgement, Record, Verdict
from pipeline.panel import Wish, panel
from pipeline.report.links import link
from pipeline.run import Order, survey
from pipeline.settings import Settings
from pipeline.store.store import Store


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a loopback server come to rest sooner than the web's."""
    monkeypatch.setattr(render, "STILL_S", 0.3)
    monkeypatch.setattr(render, "LOOK_EVERY_S", 0.1)


@pytest.fixture
def spa() -> Iterator[Server]:
    with serve(city()) as server:
        yield server


def surveyed(home: Path, url: str, **changes: object) -> dict[str, Judgement]:
    settings = Settings(home=home, cache=home / "cache", db="")
    place = demo.MUNICIPALITY.model_copy(update={"home_url": url})
    order = Order(place, load("dx-2024"), demo.AS_OF, delay_s=0.0, allow_private=True, **changes)  # type: ignore[arg-type]
    done = survey(order, settings=settings, panel=panel(Wish(judges="rules"), settings), watch=lambda *_: None)
    with Store(settings.database_url) as store:
        return {item.judgement.criterion: item.judgement for item in store.items(done.run.id)}


def rendered(crawled: Crawled) -> dict[str, str]:
    """Path asked to path shown, of the pages that a browser made."""
    made = (one for one in crawled.snapshots if one.record is Record.CONVERSION)
    return {"/" + one.url.split("/", 3)[3]: "/" + one.final_url.split("/", 3)[3] for one in made}


# --- told -------------------------------------------------------------------------------------------------------------


def test_an_application_that_was_not_run_is_unobserved_and_never_absent(spa: Server, tmp_path: Path) -> None:
    judged = surveyed(tmp_path, spa.url)
    assert {one.verdict for one in judged.values()} == {Verdict.UNOBSERVED, Verdict.NOT_JUDGED}
    assert judged["ops-08"].verdict is Verdict.UNOBSERVED
    assert {one.cause for one in judged["ops-08"].unread} == {Cause.SCRIPT}
    assert spa.paths().count("/assets/app.js") == 0


def test_one_scripted_page_leaves_open_what_its_link_speaks_of(tmp_path: Path) -> None:
    site = {
        "/": page(("/rpa.html", "RPAによる業務の自動化"), ("/a.html", "くらしの窓口")),
        "/a.html": page(("/", "ホーム"), title="くらしの窓口"),
        "/rpa.html": scripted("show()"),
    }
    with serve(site) as server:
        judged = surveyed(tmp_path, server.url)
    assert judged["ops-08"].verdict is Verdict.UNOBSERVED
    assert [(one.cause, one.label) for one in judged["ops-08"].unread] == [(Cause.SCRIPT, "RPAによる業務の自動化")]
    assert judged["ops-01"].verdict is Verdict.NO_EVIDENCE


def test_the_survey_says_what_to_do_about_scripted_pages(spa: Server, tmp_path: Path) -> None:
    told = classify(tmp_path, *command(tmp_path, spa.url), "--speed", "never")
    assert "Pages filled by scripts and not read: 1" in told
    assert "--render auto" in told
    assert "akashi[browser]" in told


def test_without_a_browser_a_survey_that_needs_one_does_not_begin(spa: Server, tmp_path: Path) -> None:
    asked = (*command(tmp_path, spa.url), "--render", "auto")
    told = classify(tmp_path, *asked, code=2, CLASSIFY_CHROMIUM="/no/such/browser")
    assert "CLASSIFY_CHROMIUM names /no/such/browser" in told
    assert spa.log == []


def test_a_folder_is_not_rendered(tmp_path: Path) -> None:
    told = classify(tmp_path, "--city", "demo", "--site", str(tmp_path), "--render", "auto", code=2)
    assert "--render auto" in told


def command(home: Path, url: str) -> tuple[str, ...]:
    registry = home / "registry.csv"
    registry.write_text(
        "pid,pref,cid,city,citykana,lat,lng,url,phrase,lgcode\n"
        "1,北海道,1100,札幌市,さっぽろし,43,141,https://sapporo.example/,,011002\n",
        "utf-8",
    )
    place = ("--city", "架空市", "--url", url, "--registry", str(registry))
    return (*place, "--allow-private", "--delay", "0", "--as-of", "2026-11-20")


# --- rendered ---------------------------------------------------------------------------------------------------------


@needs_chromium
def test_a_rendered_application_is_judged_by_what_its_readers_see(spa: Server, tmp_path: Path) -> None:
    judged = surveyed(tmp_path, spa.url, render=True)
    rpa = judged["ops-08"]
    assert rpa.verdict is Verdict.MET
    quote = rpa.quotes[0]
    assert quote.text in RPA
    assert quote.url == spa.url + "dx/rpa"
    with Archive(tmp_path / "archive") as archive:
        kept = archive.find(quote.page_sha256)
        body = archive.body(quote.page_sha256)
    assert kept is not None
    assert kept.record is Record.CONVERSION
    assert quote.text in decode(body, kept.header("content-type")).text
    target = link(quote.url, quote.text).target
    assert target is not None
    assert target.startswith(f"{spa.url}dx/rpa#:~:text=")
    # The answer as received is archived too, and nothing is judged from it.
    with Archive(tmp_path / "archive") as archive:
        run_id = Path(kept.warc).name.removesuffix(".warc.gz")
        at = [one.record for one in archive.snapshots(run_id) if one.url == quote.url]
    assert at == [Record.RESPONSE, Record.CONVERSION]
    assert all(one.verdict is not Verdict.UNOBSERVED for one in judged.values())
    view = archived_view(tmp_path, quote.page_sha256)
    assert quote.text in view.text
    assert view.headers["content-security-policy"].startswith("sandbox;")
    queue = tmp_path / "queue.jsonl"
    classify(tmp_path, "queue", "export", "--city", demo.MUNICIPALITY.name, "--out", str(queue))
    counts, lost = check_evidence.check(tmp_path / "archive", queue)
    assert lost == [] and counts.total() > 0, "the checker that knows none of our code finds it"
    # Whoever is handed the WARC judges from the rendered page too.
    theirs = surveyed(tmp_path / "theirs", spa.url, origin=f"warc:{tmp_path / 'archive' / kept.warc}")["ops-08"]
    assert (theirs.verdict, theirs.quotes) == (rpa.verdict, rpa.quotes)


@needs_chromium
def test_an_empty_frame_that_has_not_changed_says_nothing_of_what_fills_it(tmp_path: Path) -> None:
    """The second survey need not be sent the frame, and renders it anew; what was rendered before is never today's."""
    ended = "RPAの利用は、令和8年9月30日をもって終了しました。代わりの仕組みはありません。"
    site = framed(RPA)
    with serve(site) as server:
        first = surveyed(tmp_path, server.url, render=True)["ops-08"]
        site.docs |= framed(ended).docs
        site.bodies.clear()
        server.log.clear()
        second = surveyed(tmp_path, server.url, render=True)["ops-08"]
        asked = [one for one in server.log if one.path == "/rpa.html"]
        without = surveyed(tmp_path, server.url)["ops-08"]
    assert (first.verdict, second.verdict) == (Verdict.MET, Verdict.NOT_MET)
    assert ended in second.quotes[0].text
    assert ["If-None-Match" in one.headers for one in asked] == [True, False], "by the crawl, then by the browser"
    assert site.bodies.count("/rpa.html") == 1, "the crawl was sent nothing"
    with Archive(tmp_path / "archive") as archive:
        last = sorted({one.warc for one in archive.all(second.quotes[0].page_sha256)})[0]
        run_id = Path(last).name.removesuffix(".warc.gz")
        kept = [(one.record, one.status) for one in archive.snapshots(run_id) if one.url.endswith("/rpa.html")]
    assert kept == [(Record.REVISIT, 304), (Record.CONVERSION, 200)]
    assert without.verdict is Verdict.UNOBSERVED
    assert [one.cause for one in without.unread] == [Cause.SCRIPT]


def framed(words: str) -> Site:
    """A plain home page and one that a script fills with these words, whose frame keeps its entity tag."""
    frame = '<!DOCTYPE html><title>RPA</title><body><div id="app"></div><script src="/app.js"></script>'
    return Site(
        {
            "/": Doc(
                page(("/rpa.html", "RPAによる業務の自動化"), ("/a.html", "くらしの窓口"), title="架空市"), etag=True
            ),
            "/a.html": Doc(page(("/", "ホーム"), title="くらしの窓口"), etag=True),
            "/rpa.html": Doc(frame, etag=True),
            "/app.js": Doc(fill(words + filler("rpa")), media="text/javascript"),
        }
    )


def crawled_hostile(folder: Path, names: Sequence[str]) -> tuple[dict[str, Cause], dict[str, str], list[str], Crawled]:
    """Of these pages: why they are unread, where the others were shown; every path that was asked of the site, and the
    crawl. Fails where another host was asked for anything."""
    with serve(lambda _: "<p>elsewhere</p>") as elsewhere:
        pages = hostile_pages(elsewhere.url)
        pages["/"] = page(*((name, name) for name in names))
        pages["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /closed/\n", media="text/plain")
        with serve(lambda path: pages.get(path.split("?")[0])) as site:
            crawled = run(plan(site.url, render=True, max_pages=60, max_bytes=2_000_000), folder)
        assert elsewhere.log == []
    told = {path: cause for path, cause in crawled.causes().items() if path in names}
    return told, {path: shown for path, shown in rendered(crawled).items() if path in names}, site.paths(), crawled


@needs_chromium
def test_a_page_that_leads_away_or_breaks_is_unread_and_the_crawl_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "MAX_FAILURES", 99)
    unread = {
        "/broken-api.html": Cause.SCRIPT,
        "/empty.html": Cause.SCRIPT,
        "/huge.html": Cause.SCRIPT,
        "/loop-a.html": Cause.REDIRECT,
        "/reload.html": Cause.REDIRECT,
        "/away.html": Cause.REDIRECT,
        "/away-later.html": Cause.REDIRECT,
        "/forbidden-next.html": Cause.ROBOTS,
        "/forbidden-part.html": Cause.ROBOTS,
        "/forbidden-hop.html": Cause.ROBOTS,
    }
    shown = {
        "/fine.html": "/fine.html",
        "/dialogs.html": "/dialogs.html",
        "/popups.html": "/popups.html",
        "/on.html": "/on-there.html",
        "/shadow.html": "/shadow.html",
    }
    told, made, asked, crawled = crawled_hostile(tmp_path, (*unread, *shown))
    assert told == unread
    assert made == shown
    assert "/linked.html" in asked, "a link made by script was followed"
    # Where a server redirects a page's step is known only when it is there: that one is asked for, and not read.
    assert [path for path in asked if path.startswith("/closed/")] == ["/closed/hop.html"]
    assert "rendered in a browser: it stays empty" in {one.detail for one in crawled.coverage.unread}
    with Archive(tmp_path / "archive") as archive:
        kept = [one for one in crawled.snapshots if one.record is Record.CONVERSION]
        bodies = {path_of(one.final_url): archive.body(one.sha256).decode() for one in kept}
    assert bodies.keys() == set(shown.values())
    in_shadow = bodies["/shadow.html"].partition("<script")[0]
    assert "表題" in in_shadow and LONG in in_shadow, "what stands in a shadow tree is on the page"


@needs_chromium
def test_a_page_that_never_rests_or_eats_the_machine_is_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "RENDER_S", 1.5)
    monkeypatch.setattr(browser, "CLOSE_S", 1.0)
    names = ("/never-loads.html", "/dom.html", "/memory.html", "/busy.html")
    told, made, *_ = crawled_hostile(tmp_path, (*names, "/ticker.html"))
    assert told == dict.fromkeys(names, Cause.SCRIPT)
    assert made == {"/ticker.html": "/ticker.html"}


def test_a_browser_that_makes_nothing_of_the_site_is_not_asked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "MAX_FAILURES", 2)
    pages = {f"/{number}.html": scripted("1 + 1") for number in range(5)}
    with serve(pages | {"/": page(*((name, name) for name in pages))}) as site:
        crawled = run(plan(site.url, render=True, chromium="/no/such/browser"), tmp_path)
    details = [one.detail.partition("(")[0] for one in crawled.coverage.unread]
    assert details.count("rendered in a browser: Chromium could not be started ") == 2
    assert details.count("only a script fills this page") == 3


@needs_chromium
def test_pages_are_opened_a_delay_apart_and_no_more_than_the_budget(spa: Server, tmp_path: Path) -> None:
    crawled = run(plan(spa.url, render=True, max_pages=2, delay_s=0.3), tmp_path)
    assert len(rendered(crawled)) == 2
    views = [one.at for one in spa.log if one.path.startswith("/api")]
    assert len(views) == 2
    starts = [one.at for one in spa.log if one.path in ("/", "/dx", "/kurashi", "/robots.txt", "/sitemap.xml")]
    gaps = [later - earlier for earlier, later in zip(starts, starts[1:], strict=False)]
    assert min(gaps) > 0.28


# --- no browser is left behind ----------------------------------------------------------------------------------------


@needs_chromium
def test_no_browser_outlives_the_crawl(tmp_path: Path) -> None:
    with serve({"/": scripted("for (;;) {}")}) as site:
        crawls = {how: _begun(site, tmp_path / how.name) for how in (signal.SIGINT, signal.SIGKILL)}
        running = {how: _opened_by(crawl.pid) for how, crawl in crawls.items()}
        for how, crawl in crawls.items():
            # Ctrl-C reaches the whole foreground group; a kill one process.
            os.killpg(crawl.pid, how) if how is signal.SIGINT else crawl.send_signal(how)
        for how, crawl in crawls.items():
            crawl.wait(15)
            until = time.monotonic() + 10
            while alive(running[how]) and time.monotonic() < until:
                time.sleep(0.05)
            assert not alive(running[how]), how


def _begun(site: Server, folder: Path) -> subprocess.Popen[bytes]:
    order = {"url": site.url, "folder": str(folder), "changes": {"render": True}}
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("crawling.py")), json.dumps(order)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _opened_by(crawl: int) -> set[int]:
    """The processes of its browser, once that has a page open."""
    until = time.monotonic() + 20
    while not (found := {pid for pid in chromiums(crawl) if is_renderer(pid)}) and time.monotonic() < until:
        time.sleep(0.05)
    assert found, "the page was opened in a browser"
    return chromiums(crawl)
