"""The review page in a real browser, as reviewers use it: by keys alone, by mouse, two people at once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from reviewing import PASSWORD, Served, add_people, database_of, serving_here

from pipeline.models import Action, Filter, QueueItem, Role, Verdict
from pipeline.store.log import lot
from pipeline.store.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SHARE = 0.2
CONTRAST = 4.5  # WCAG 2.2, 1.4.3 (AA)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--disable-sync", "--no-first-run"]
        )
        yield running
        running.close()


@pytest.fixture
def served(workspace: Path) -> Iterator[Served]:
    with serving_here(workspace) as running:
        yield running


@pytest.fixture
def team(workspace: Path) -> Iterator[Served]:
    roles = {"佐藤": Role.REVIEWER, "鈴木": Role.REVIEWER, "高橋": Role.ADJUDICATOR}
    add_people(database_of(workspace), **roles)
    with serving_here(workspace) as running:
        yield running


@pytest.fixture
def desk(browser: Browser, served: Served) -> Iterator[Page]:
    """The page of the one person who works alone, signed in. A script error fails the test."""
    context = _context(browser)
    page = context.new_page()
    page.goto(served.link)
    yield page
    context.close()


def _context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="ja-JP")
    context.set_default_timeout(10_000)
    context.on("weberror", lambda error: pytest.fail(f"script error: {error.error}"))
    return context


def _signed_in(browser: Browser, served: Served, name: str) -> Page:
    page = _context(browser).new_page()
    page.goto(f"{served.origin}/sign-in")
    page.get_by_label("名前").fill(name)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_label("パスワード").press("Enter")
    expect(page.get_by_role("link", name="確認を始める")).to_be_visible()
    return page


def _shown(page: Page) -> int:
    return int(page.locator(".columns").get_attribute("data-item") or 0)


def _press(page: Page, key: str) -> None:
    """A key that decides and leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)


def _items(workspace: Path) -> list[QueueItem]:
    with Store(database_of(workspace)) as store:
        return store.listed(Filter())


def test_a_whole_city_by_keys_alone(desk: Page, workspace: Path) -> None:
    """Every judgement of the demo city, from the first key to the last, with the evidence in view each time."""
    _press(desk, "g")
    seen, in_view = [], 0
    while desk.locator(".columns").count():
        seen.append(_shown(desk))
        if desk.locator("#evidence").count():
            assert _in_view(desk), f"item {seen[-1]}: the highlighted evidence is not in view"
            in_view += 1
        _press(desk, "a")
    expect(desk.get_by_role("heading", level=1)).to_have_text("今あなたが判断できる項目はありません")
    assert len(seen) == len(set(seen)) == 31
    assert in_view >= 24
    assert all(one.decisions[-1].action is Action.APPROVE for one in _items(workspace))
    _press(desk, "u")
    assert _shown(desk) == seen[-1]


def _in_view(page: Page) -> bool:
    """Whether the mark lies within the page's pane and within the window."""
    return bool(
        page.evaluate(
            """() => {
                const mark = document.getElementById('evidence').getBoundingClientRect();
                const pane = document.getElementById('page').getBoundingClientRect();
                const bar = document.getElementById('decide').getBoundingClientRect();
                return mark.top >= pane.top && mark.top < pane.bottom && mark.top >= 0 && mark.top < bar.top;
            }"""
        )
    )


def test_amending_by_keys_alone(desk: Page, workspace: Path) -> None:
    """A `no_evidence` becomes `met` by a paragraph that the person walks to with j and picks with q."""
    item = next(one for one in _items(workspace) if one.judgement.verdict is Verdict.NO_EVIDENCE)
    desk.goto(f"{desk.url}items/{item.number}")
    desk.keyboard.press("1")  # without a quote nothing is sent
    expect(desk.locator("#say")).to_have_text(re.compile("先に根拠の文を選んでください"))
    for _ in range(3):
        desk.keyboard.press("j")
    line = desk.evaluate("document.activeElement.textContent")
    desk.keyboard.press("q")
    expect(desk.locator(".picked q")).to_be_visible()
    desk.keyboard.press("n")
    desk.keyboard.type("aと1とxはメモの文字です")  # keys that decide are letters while one writes
    desk.keyboard.press("Escape")
    _press(desk, "1")
    with Store(database_of(workspace)) as store:
        (decision,) = store.item(item.number).decisions
    assert (decision.action, decision.verdict) == (Action.AMEND, Verdict.MET)
    assert decision.quotes[0].text in line
    assert decision.note == "aと1とxはメモの文字です"


def test_a_quote_selected_by_mouse_is_verified(desk: Page, workspace: Path) -> None:
    item = next(one for one in _items(workspace) if one.judgement.quotes and one.judgement.verdict is Verdict.MET)
    desk.goto(f"{desk.url}items/{item.number}")
    other = desk.locator("#page .line.paragraph:not(:has(mark))").first
    other.click(click_count=3)
    desk.get_by_role("button", name="文を根拠にする").click()
    expect(desk.locator(".picked q")).to_be_visible()
    picked = desk.locator(".picked q").inner_text()
    desk.get_by_role("button", name="外す").click()
    expect(desk.locator(".picked")).to_have_count(0)
    other.click(click_count=3)
    desk.get_by_role("button", name="文を根拠にする").click()
    expect(desk.locator(".picked q")).to_be_visible()
    with desk.expect_navigation():
        desk.get_by_role("button", name="非該当").click()
    with Store(database_of(workspace)) as store:
        (decision,) = store.item(item.number).decisions
    assert (decision.verdict, [one.text for one in decision.quotes]) == (Verdict.NOT_MET, [picked])


def test_rejecting_takes_as_many_keys_as_approving(desk: Page, workspace: Path) -> None:
    desk.goto(f"{desk.url}next?verdict=met")
    first = _shown(desk)
    _press(desk, "x")
    second = _shown(desk)
    _press(desk, "a")
    with Store(database_of(workspace)) as store:
        assert store.item(first).decisions[0].action is Action.REJECT
        assert store.item(second).decisions[0].action is Action.APPROVE


def test_a_held_key_decides_once(desk: Page, workspace: Path) -> None:
    """A key that repeats while it is held down must not approve what nobody has looked at."""
    _press(desk, "g")
    with desk.expect_navigation():
        desk.keyboard.down("a")
    for _ in range(5):
        desk.keyboard.down("a")  # auto-repeat: down without up
    desk.wait_for_load_state()
    desk.wait_for_timeout(300)
    with Store(database_of(workspace)) as store:
        assert len(store.log()) == 1


def test_two_blind_coders_and_an_adjudicator(browser: Browser, team: Served, workspace: Path) -> None:
    """Each in a browser of their own; only the third one sees the answers, and both stay in the log."""
    drawn = next(
        one
        for one in _items(workspace)
        if lot(one.municipality.code, one.judgement) < SHARE and one.judgement.verdict is Verdict.MET
    )
    secret = drawn.judgement.rationale
    first, second, third = (_signed_in(browser, team, name) for name in ("佐藤", "鈴木", "高橋"))
    for page, key, quoted in ((first, "1", True), (second, "3", False)):
        page.goto(f"{team.origin}/items/{drawn.number}")
        expect(page.locator(".blind")).to_be_visible()
        assert secret not in page.content()
        if quoted:
            page.keyboard.press("j")
            page.keyboard.press("q")
            expect(page.locator(".picked q")).to_be_visible()
        _press(page, key)
    third.goto(f"{team.origin}/next")
    assert _shown(third) == drawn.number  # disputes come first
    expect(third.get_by_role("heading", name=re.compile("独立判定: 佐藤"))).to_be_visible()
    expect(third.get_by_role("heading", name=re.compile("独立判定: 鈴木"))).to_be_visible()
    assert secret in third.content()
    _press(third, "[")
    with Store(database_of(workspace)) as store:
        settled = store.item(drawn.number)
    assert [(line.action, line.reviewer) for line in settled.decisions[:2]] == [
        (Action.CODE, "佐藤"),
        (Action.CODE, "鈴木"),
    ]
    assert settled.decisions[2].verdict is Verdict.MET and settled.decisions[2].reviewer == "高橋"
    third.goto(f"{team.origin}/")
    expect(third.get_by_role("row", name=re.compile(f"^{drawn.judgement.criterion}"))).to_contain_text("0.00")
    for page in (first, second, third):
        page.context.close()


def test_a_stale_tab_is_told_and_keeps_what_was_typed(desk: Page, workspace: Path) -> None:
    url = desk.url
    desk.goto(f"{url}items/2")
    tab = desk.context.new_page()
    tab.goto(f"{url}items/2")
    tab.get_by_label(re.compile("メモ・理由")).fill("あとで消えては困る")
    _press(desk, "a")
    with tab.expect_navigation():
        tab.get_by_role("button", name="却下").click()
    expect(tab.get_by_role("alert")).to_contain_text("状態が変わりました")
    expect(tab.get_by_label(re.compile("メモ・理由"))).to_have_value("あとで消えては困る")
    with Store(database_of(workspace)) as store:
        assert [line.action for line in store.item(2).decisions] == [Action.APPROVE]


def test_every_control_has_a_name_and_text_can_be_read(desk: Page) -> None:
    """What a screen reader says of buttons, links and fields, and the contrast of everything that is written."""
    url = desk.url
    for path in ("", "items", "log", "items/1", "items/21"):
        desk.goto(url + path)
        nameless = desk.evaluate(_NAMELESS)
        assert nameless == [], path
        assert desk.evaluate(_FAINT, CONTRAST) == [], path
        assert desk.locator("h1").count() == 1


_NAMELESS = """() =>
    [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, iframe')]
        .filter(one => one.getClientRects().length)
        .filter(one => !(one.textContent.trim() || one.ariaLabel || one.title || (one.labels || []).length))
        .map(one => one.outerHTML)"""

_FAINT = """(least) => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
        const part = (one) => (one /= 255) <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const ground = (one) => {
        for (; one; one = one.parentElement) {
            const colour = numbers(getComputedStyle(one).backgroundColor);
            if (colour.length < 4 || colour[3] > 0.5) return colour;
        }
        return [255, 255, 255];
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (texts.nextNode()) {
        const one = texts.currentNode.parentElement;
        if (!texts.currentNode.textContent.trim() || !one.getClientRects().length) continue;
        const [a, b] = [light(numbers(getComputedStyle(one).color)), light(ground(one))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < least) faint.push(`${texts.currentNode.textContent.trim().slice(0, 30)} ${contrast.toFixed(2)}`);
    }
    return faint;
}"""


def test_it_works_without_scripts(browser: Browser, served: Served, workspace: Path) -> None:
    context = browser.new_context(java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(served.link)
    page.get_by_role("link", name="確認を始める").click()
    number = int(page.locator(".columns").get_attribute("data-item") or 0)
    page.get_by_role("button", name="承認").click()
    assert int(page.locator(".columns").get_attribute("data-item") or 0) != number
    with Store(database_of(workspace)) as store:
        assert [line.action for line in store.item(number).decisions] == [Action.APPROVE]
    context.close()


def test_the_snapshot_is_shown_in_a_sandbox(desk: Page) -> None:
    desk.goto(f"{desk.url}items/1")
    desk.get_by_text("写しをここに表示").click()
    frame = desk.frame_locator("iframe")
    expect(frame.locator("h1").first).to_contain_text("なぎのり")
    assert desk.locator("iframe").get_attribute("sandbox") == ""
