"""Display speed, measured in a real Chromium: cold, spaced, honest about every load that gave no value."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from browsing import archived_view, needs_chromium
from commands import classify
from crawling import plan
from hostile import Reply, Server, filler, page, redirect, serve
from test_browser_render import command, surveyed

from pipeline import demo
from pipeline.archive import Archive
from pipeline.crawl import display_speed, speed
from pipeline.criteria import load
from pipeline.judge import probes
from pipeline.models import Cause, Load, Measurement, Record, Speed, Unread, Verdict
from pipeline.run import Order, observe
from pipeline.settings import Settings
from pipeline.store.store import Store

CRITERION = load("dx-2024").criterion("resident-02")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a loopback server come to rest sooner than the web's."""
    monkeypatch.setattr(speed, "QUIET_S", 0.2)
    monkeypatch.setattr(speed, "LOOK_EVERY_S", 0.1)


def measured(server: Server, **changes: object) -> Speed:
    return asyncio.run(display_speed(plan(server.url, **changes), progress=lambda *_: None))


def home(*, script: str = "", image: str = "") -> str:
    return f"<!DOCTYPE html><title>市</title><body>{script}<h1>ようこそ</h1><p>{filler('home') * 5}</p>{image}"


# --- measured ---------------------------------------------------------------------------------------------------------


@needs_chromium
def test_five_cold_loads_a_delay_apart() -> None:
    cached = (("Cache-Control", "public, max-age=86400"), ("Set-Cookie", "seen=1; Path=/"))
    image = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    site = {
        "/": Reply(home(image='<img src="/logo.svg">').encode(), headers=cached),
        "/logo.svg": Reply(image, media="image/svg+xml", headers=cached),
    }
    with serve(site) as server:
        found = measured(server, delay_s=0.4, user_agent="Akashi/0.1 (+test)")
    assert [one.status for one in found.loads] == [200] * 5
    assert all(one.lcp_ms is not None and 0 < one.lcp_ms < 10_000 for one in found.loads)
    assert {one.element for one in found.loads} <= {"p", "h1"}
    assert server.paths().count("/logo.svg") == 5, "nothing is kept between two loads"
    views = [one for one in server.log if one.path == "/"]
    assert len(views) == 5
    assert all("Cookie" not in one.headers for one in views)
    assert all(later.at - earlier.at > 0.35 for earlier, later in zip(views, views[1:], strict=False))
    assert "Akashi/0.1 (+test)" in views[0].headers["User-Agent"]
    assert found.agent == views[0].headers["User-Agent"]
    assert found.browser.startswith("Chromium ")


LIE = """<script>
  window.PerformanceObserver = class { constructor(tell) { this.tell = tell }
    observe() { this.tell({getEntries: () => [{startTime: 1, size: 1, url: "", element: null}]}) } };
  Object.defineProperty(Array.prototype, "at", {value: () => ({startTime: 1, url: "", element: null})});
  performance.getEntriesByType = () => [];</script>"""


def slow(handler: BaseHTTPRequestHandler) -> None:
    """The home page after a second, whose scripts say that it was there at once."""
    time.sleep(1.0)
    body = home(script=LIE).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@needs_chromium
def test_each_load_has_its_servers_time_or_none_and_no_script_can_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that answers otherwise each time it is asked."""
    monkeypatch.setattr(speed, "LOAD_S", 2.5)
    gone = threading.Event()
    with serve(lambda _: home()) as elsewhere:
        answers = {
            "": Reply(act=slow),
            "503": Reply(home().encode(), status=503),
            "nothing was painted": "<title>x</title>",
            "status 403": redirect(elsewhere.url),
            "no load event": home(script='<script src="/hangs.js"></script>'),
        }
        monkeypatch.setattr(speed, "LOADS", len(answers))
        turn = iter(answers.values())
        hangs = {"/hangs.js": Reply(act=lambda _: gone.wait(6) and None)}
        with serve(lambda path: next(turn) if path == "/" else hangs.get(path)) as server:
            first, *others = measured(server).loads
            gone.set()
        assert elsewhere.log == []
    assert first.lcp_ms is not None and first.lcp_ms >= 1000
    assert [one.lcp_ms for one in others] == [None] * len(others)
    assert all(word in one.why for word, one in zip(answers, (first, *others), strict=True)), [o.why for o in others]


@needs_chromium
def test_robots_and_a_closed_door_are_kept() -> None:
    closed = Reply(b"User-agent: *\nDisallow: /\n", media="text/plain")
    with serve({"/": home(), "/robots.txt": closed}) as server:
        assert "robots.txt" in measured(server).refused
        assert server.pages() == []
        found = measured(server, allow_private=())
        assert "not a public address" in found.refused or "not a web port" in found.refused


def test_without_a_browser_it_says_what_to_install() -> None:
    found = asyncio.run(display_speed(plan("http://127.0.0.1:9/", chromium="/no/such"), progress=lambda *_: None))
    assert found.loads == ()
    assert "CLASSIFY_CHROMIUM" in found.refused


# --- concluded --------------------------------------------------------------------------------------------------------


def of(*ms: float | None) -> Speed:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    loads = tuple(
        Load(started=at, url="https://city.example/", status=200, lcp_ms=one, why="" if one else "status 503")
        for one in ms
    )
    return Speed(url="https://city.example/", loads=loads, browser="Chromium 1", agent="Akashi", sha256="ab" * 32)


@pytest.mark.parametrize(
    ("ms", "verdict", "value"),
    [
        ((900, 1000, 1100, 1200, 9000), Verdict.MET, 1.1),
        ((2400, 2500, 2500, 2600, 2700), Verdict.MET, 2.5),
        ((2400, 2500, 2500.1, 2600, 2700), Verdict.NOT_MET, 2.51),
        ((3000, 3100, 3200, 3300, 3400), Verdict.NOT_MET, 3.2),
        ((1000, None, 3000, None, 2000), Verdict.MET, 2.0),
    ],
)
def test_the_median_decides(ms: tuple[float | None, ...], verdict: Verdict, value: float) -> None:
    proposal = probes.display_speed(CRITERION, of(*ms), None)
    assert proposal.verdict is verdict
    assert isinstance(proposal.measurement, Measurement)
    assert (proposal.measurement.value, proposal.measurement.threshold) == (value, 2.5)
    assert proposal.measurement.urls == ("https://city.example/",)
    assert proposal.measurement.sha256s == ("ab" * 32,)
    assert "web.dev" in proposal.measurement.threshold_source


def test_nothing_is_guessed() -> None:
    unread = Unread(url="https://city.example/", cause=Cause.SERVER)
    refused = Speed(url="https://city.example/", refused="robots.txt forbids it")
    for found, home_unread, word in (
        (None, None, "--speed never"),
        (refused, None, "robots.txt forbids it"),
        (of(100, 100, None, None, None), None, "status 503"),
        (of(100, 100, 100, 100, 100), unread, "server"),
    ):
        proposal = probes.display_speed(CRITERION, found, home_unread)
        assert proposal.verdict is Verdict.NOT_JUDGED
        assert proposal.measurement is None
        assert word in proposal.rationale


# --- the walk ---------------------------------------------------------------------------------------------------------


@needs_chromium
def test_a_survey_measures_once_and_judges_again_from_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "LOADS", 3)
    site = {"/": page(("/a.html", "くらしの窓口")), "/a.html": page(("/", "ホーム"), title="くらしの窓口")}
    with serve(site) as server:
        told = classify(tmp_path, *command(tmp_path, server.url))
    views = server.paths().count("/")
    assert views == 4, "one for the crawl, three for the measurement"
    assert "LCP" in told
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store, Archive(tmp_path / "archive") as archive:
        run = store.runs()[0]
        first = next(i.judgement for i in store.items(run.id) if i.judgement.criterion == "resident-02")
        [record] = [one for one in archive.snapshots(run.id) if one.record is Record.RESOURCE]
        kept = json.loads(archive.body(record.sha256))
    assert first.verdict in (Verdict.MET, Verdict.NOT_MET)
    assert first.measurement is not None
    assert first.measurement.sha256s == (record.sha256,)
    assert sorted(-(-round(one["lcp_ms"] * 10) // 100) / 100 for one in kept["loads"])[1] == first.measurement.value
    assert run.coverage is not None
    assert run.coverage.read == 2
    assert server.url not in {one.url for one in run.coverage.unread}
    view = archived_view(tmp_path, record.sha256)
    assert view.headers["content-type"] == "text/plain; charset=utf-8"
    assert view.json() == kept
    classify(
        tmp_path, "judge", "--city", "架空市", "--registry", str(tmp_path / "registry.csv"), CLASSIFY_CHROMIUM="/no"
    )
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        again = next(i.judgement for i in store.items(run.id) if i.judgement.criterion == "resident-02")
    assert again.measurement == first.measurement
    # Whoever is handed the WARC judges from what was measured too, and takes it for no page.
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    classify(theirs, *command(theirs, server.url), "--warc", str(tmp_path / "archive" / record.warc))
    with Store(f"sqlite:///{theirs / 'akashi.db'}") as store:
        [given] = store.runs()
        handed = next(i.judgement for i in store.items(given.id) if i.judgement.criterion == "resident-02")
    assert (handed.verdict, handed.measurement) == (first.verdict, first.measurement)
    assert given.coverage is not None
    assert given.coverage.read == run.coverage.read


@needs_chromium
def test_an_unfinished_run_does_not_measure_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "LOADS", 1)
    settings = Settings(home=tmp_path, cache=tmp_path / "cache", db="")
    with serve({"/": page(("/a.html", "窓口")), "/a.html": page()}) as server:
        place = demo.MUNICIPALITY.model_copy(update={"home_url": server.url})
        order = Order(place, load("dx-2024"), demo.AS_OF, delay_s=0.0, allow_private=True, speed=True)
        first = observe(order, settings=settings, watch=lambda *_: None).seen.speed
        views = len(server.log)
        again = observe(order, settings=settings, watch=lambda *_: None).seen.speed
        assert len(server.log) == views
    assert first is not None
    assert len(first.loads) == 1
    assert again == first


def test_a_survey_without_a_browser_says_so_and_goes_on(tmp_path: Path) -> None:
    with serve({"/": page(("/a.html", "窓口")), "/a.html": page()}) as server:
        told = classify(tmp_path, *command(tmp_path, server.url), CLASSIFY_CHROMIUM="/no/such/browser")
        assert server.paths().count("/") == 1
    assert "CLASSIFY_CHROMIUM names" in told


def test_a_home_page_that_is_down_is_not_measured(tmp_path: Path) -> None:
    with serve({"/": Reply(b"<p>oops</p>", status=500)}) as server:
        judged = surveyed(tmp_path, server.url, speed=True)["resident-02"]
        assert server.paths().count("/") <= 2, "the crawl's two tries"
    assert judged.verdict is Verdict.NOT_JUDGED
    assert "server" in judged.rationale
