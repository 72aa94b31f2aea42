"""The survey of many on the review page: the same figures as in the terminal, renewed by themselves, quick for all."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import classify
from playwright.sync_api import Browser, Page, expect, sync_playwright
from reviewing import PASSWORD, Person, Served, add_people, copied, database_of, serving_here
from selectolax.lexbor import LexborHTMLParser
from test_review_browser import _FAINT, _NAMELESS, CHROMIUM, CONTRAST, FLAGS
from wave_data import WAVE, a_city, a_wave, nation

from pipeline.archive import Archive
from pipeline.desk import Desk
from pipeline.desk.pages import Pages
from pipeline.models import CityState, Role
from pipeline.store.store import Store
from pipeline.web.counts import Counts
from pipeline.web.waves import CITIES_A_PAGE, TILES, tiles

NOW = datetime.now(UTC).replace(microsecond=0)
S = CityState
OLDER = "20260601T000000Z-0001"
MOST_S = 1.0  # for a page of all municipalities, on a busy machine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey of all, begun an hour and a half ago, and an older one of three."""
    began, made = NOW - timedelta(minutes=91), tmp_path_factory.mktemp("waves") / "workspace"
    made.mkdir()
    add_people(database_of(made), 佐藤=Role.REVIEWER, 伊藤=Role.ANALYST, 高橋=Role.ADJUDICATOR)
    with Store(database_of(made)) as store:
        store.waves.begin(a_wave(OLDER), [a_city(at, S.DONE, 0, 9, wave=OLDER) for at in range(3)])
        store.waves.begin(a_wave(cap=50.0, started=began), nation(began))
    return made


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    with serving_here(home) as running:
        yield running


@pytest.fixture
def reader(served: Served) -> Iterator[Person]:
    with Person(served.origin) as person:
        assert person.sign_in("伊藤").status_code == 200
        yield person


def said(text: str) -> str:
    main = LexborHTMLParser(text).css_first("main, body")
    assert main
    return " ".join(main.text().split())


def test_a_workspace_without_one_says_what_begins_one(tmp_path: Path) -> None:
    add_people(database_of(tmp_path), 伊藤=Role.ANALYST)
    with serving_here(tmp_path) as served, Person(served.origin) as person:
        assert "/waves" not in person.sign_in("伊藤").text
        assert "classify nation" in said(person.get("/waves").text)
        assert person.get("/waves/x").status_code == 404


@pytest.mark.parametrize("name", ["佐藤", "伊藤", "高橋"])
def test_whoever_may_sign_in_sees_it_from_the_start_page(served: Served, name: str) -> None:
    with Person(served.origin) as person:
        assert 'href="/waves"' in person.sign_in(name).text
        assert "870 / 1,741" in said(person.get("/waves").text)


def test_the_page_and_the_terminal_say_the_same(home: Path, reader: Person) -> None:
    terminal, page = classify(home, "status"), said(reader.get("/waves").text)
    for told in (r"● done (\d+)", r"✕ failed (\d+)", r"([\d,]+) read", r"\$([\d.]+) spent"):
        found = re.search(told, terminal)
        assert found and found.group(1) in page, told
    assert "1時間に" in page and "あと約" in page and "上限 $50.00" in page
    assert "ホスト名を解決できない 35" in page


def test_figures_in_the_reader_s_language(reader: Person) -> None:
    reader.get("/waves")
    reader.post("/language", language="en", to="/waves")
    page = said(reader.page)
    assert "municipalities an hour" in page and "host name cannot be resolved" in page and "JST" in page
    assert not re.search("[\u3040-\u30ff]", page)


def test_older_ones_are_a_link_away(reader: Person) -> None:
    assert f'href="/waves/{OLDER}"' in reader.get("/waves").text
    older = reader.get(f"/waves/{OLDER}").text
    assert "3 / 3" in said(older) and f'href="/waves/{WAVE}"' in older and 'data-done="1"' in older


def test_one_that_nobody_works_on_says_so_once_and_promises_nothing(home: Path, tmp_path: Path) -> None:
    mine, resting = copied(home, tmp_path / "workspace"), "20260802T000000Z-0003"
    with Store(database_of(mine)) as store:
        store.waves.begin(a_wave(resting), [a_city(at, wave=resting) for at in range(9)])
    with serving_here(mine) as served, Person(served.origin) as person:
        person.sign_in("伊藤")
        page = said(person.get("/waves").text)
    assert page.count("長いあいだ一つも終わっていません") == 1
    assert "あと約" not in page and "1時間に" not in page


@pytest.mark.parametrize("path", ["", "/figures", "/cities"])
def test_one_that_is_unknown_is_not_found(reader: Person, path: str) -> None:
    assert reader.get(f"/waves/20990101T000000Z-0001{path}").status_code == 404


def test_municipalities_by_state_lead_to_their_queue_where_they_are_done(reader: Person) -> None:
    links = LexborHTMLParser(reader.get("/waves").text).css(".stages a")
    assert {link.attributes["href"] for link in links} >= {
        f"/waves/{WAVE}/cities?state={one}" for one in ("done", "failed")
    }
    done = reader.get(f"/waves/{WAVE}/cities?state=done&page=2").text
    assert done.count("/items?code=") == CITIES_A_PAGE
    assert reader.get("/items?code=900001&criteria_set=dx-2024").status_code == 200
    failed = reader.get(f"/waves/{WAVE}/cities?state=failed").text
    assert "/items?code=" not in failed and said(failed).count("no address") == 35
    assert "page=2" not in failed
    last = said(reader.get(f"/waves/{WAVE}/cities?state=no&page=18").text)
    assert last.count("○ 待ち") == 1741 - 17 * CITIES_A_PAGE


def test_looking_by_itself_keeps_nobody_signed_in(reader: Person) -> None:
    assert "set-cookie" in reader.get("/waves").headers
    assert "set-cookie" not in reader.get(f"/waves/{WAVE}/figures").headers


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ({}, {}),
        ({S.DONE: 2, S.WAITING: 1}, {S.DONE: 2, S.WAITING: 1}),
        ({S.DONE: 1740, S.FAILED: 1}, {S.DONE: 99, S.FAILED: 1}),
        ({S.DONE: 500, S.FAILED: 500}, {S.DONE: 50, S.FAILED: 50}),
        (dict.fromkeys(S, 333), dict.fromkeys(S, 14) | {S.DONE: 16}),
        (dict.fromkeys(S, 1) | {S.WAITING: 1735}, dict.fromkeys(S, 1) | {S.WAITING: 94}),
    ],
)
def test_tiles_show_every_state_that_there_is(states: dict[CityState, int], shown: dict[CityState, int]) -> None:
    found = tiles(states)
    assert Counter(found) == shown
    assert len(found) == min(TILES, sum(states.values()))


def test_all_municipalities_are_looked_at_quickly_by_however_many(database_url: str, tmp_path: Path) -> None:
    with Store(database_url) as store, Archive(tmp_path / "archive") as archive:
        store.waves.begin(a_wave(), nation(a_wave().started))
        counts = Counts(Desk(store, Pages(archive), _no_criteria, 0.2))
        start = time.perf_counter()
        assert counts.headway(WAVE).total == 1741
        assert counts.waves() == [WAVE]
        assert len(store.waves.listed(WAVE, [S.WAITING], limit=50, skip=800)) == 1741 - 910 - 800
        assert time.perf_counter() - start < MOST_S


def _no_criteria(_sha256: str) -> object:
    raise AssertionError("no criteria are read to count municipalities")


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ja-JP")
    context.on("weberror", lambda error: pytest.fail(f"script error: {error.error}"))
    yield context.new_page()
    context.close()


def _enter(page: Page, served: Served, path: str = "/waves") -> None:
    page.goto(f"{served.origin}/sign-in")
    page.get_by_label("名前").fill("伊藤")
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_label("パスワード").press("Enter")
    page.wait_for_url(f"{served.origin}/")
    page.goto(served.origin + path)


def test_it_fits_a_phone_and_can_be_read_by_all(page: Page, served: Served) -> None:
    _enter(page, served)
    for path in ("/waves", f"/waves/{WAVE}/cities?state=failed", f"/waves/{WAVE}/cities?state=done"):
        page.goto(served.origin + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.evaluate(_NAMELESS) == [], path
        assert page.evaluate(_FAINT, CONTRAST) == [], path
        assert page.locator("h1").count() == 1
    page.goto(served.origin + "/waves")
    expect(page.get_by_role("progressbar", name="終了した自治体")).to_have_attribute("value", "870")


def test_the_figures_renew_themselves_and_whoever_is_on_a_link_stays_there(
    page: Page, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.web.counts.FRESH_S", -1.0)  # counted at each look
    mine, open_ = copied(home, tmp_path / "workspace"), [S.WAITING, S.CRAWLING, S.JUDGING]
    with serving_here(mine) as served, Store(database_of(mine)) as store:
        page.clock.install()
        _enter(page, served)
        page.get_by_role("link", name="完了 835").focus()
        *most, _last = [one.municipality.code for one in store.waves.cities(WAVE, open_)]
        store.waves.reset(WAVE, open_, most, to=S.DONE)
        _later(page)
        expect(page.get_by_role("link", name=f"完了 {835 + len(most):,}")).to_be_focused()
        assert page.locator("#figures").get_attribute("data-done") == "0"
        store.waves.reset(WAVE, open_, to=S.DONE)
        _later(page)
        expect(page.locator("#figures")).to_have_attribute("data-done", "1")
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        page.clock.run_for(20_000)
        assert asked == []  # nothing is left to ask for


def _later(page: Page) -> None:
    with page.expect_response("**/figures"):
        page.clock.run_for(5000)


def test_a_server_that_is_away_is_told_and_forgotten_when_it_is_back(page: Page, served: Served) -> None:
    page.clock.install()
    _enter(page, served)
    page.route("**/figures", lambda route: route.abort())
    page.clock.run_for(5000)
    expect(page.locator("#renewing")).to_have_text("いま更新できません。ページを開き直してください。")
    page.unroute("**/figures")
    page.clock.run_for(5000)
    expect(page.locator("#renewing")).to_have_text("")
    page.context.clear_cookies()  # the session has ended
    page.clock.run_for(5000)
    expect(page.locator("#renewing")).to_have_text("いま更新できません。ページを開き直してください。")
