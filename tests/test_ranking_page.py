"""The ranking as a page: everything of others escaped, nothing loaded, readable in both languages and without a script,
and sorted, searched and filtered by keys alone."""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from browsing import needs_chromium
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from ranking_data import nation, place, survey, surveys
from selectolax.lexbor import LexborHTMLParser
from test_review_browser import _FAINT, _NAMELESS, CHROMIUM, CONTRAST, FLAGS

from pipeline.criteria import load
from pipeline.errors import InputError
from pipeline.municipality import Kinds
from pipeline.municipality.prefectures import HOST_LABELS
from pipeline.ranking import Ranking, html, rank
from pipeline.ranking.drawing import bar, prefecture_map
from pipeline.ranking.words import CATALOGS

ROOM = Path(__file__).parent.parent / "pipeline" / "ranking"
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
GAP = re.compile(r"%\(\w+\)s")
HOSTILE = '<img src=x onerror="alert(1)">"\'&市\u202e'


def parsed(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


@pytest.fixture(scope="module")
def whole() -> Ranking:
    results, people = nation(load("dx-2024"))
    return rank(results, Kinds(people))


@pytest.fixture(scope="module")
def page(whole: Ranking) -> LexborHTMLParser:
    return parsed(html(whole))


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_table_says_what_the_ranking_says(whole: Ranking, page: LexborHTMLParser) -> None:
    shown = [
        tuple(int(row.css_first(f"td.{each}").attributes["data-v"] or -1) for each in ("rank", "score"))
        for row in page.css("#places tbody tr")
    ]
    assert shown == [(one.rank, one.place.points) for one in whole.ranked]
    ranges = [cell.text(strip=True) for cell in page.css("#places td.range")]
    assert ranges == [f"{one.best}–{one.worst}" if one.best < one.worst else str(one.best) for one in whole.ranked]
    tied = [cell.text(strip=True) for cell in page.css("#places td.rank small")]
    assert tied == [f"同順位{one.ties}" for one in whole.ranked if one.ties > 1]
    assert len(page.css("#places td.part")) == 3 * len(whole.ranked)


def test_who_is_not_ranked_is_named_with_the_reason(whole: Ranking, page: LexborHTMLParser) -> None:
    named = page.css_first("section[aria-labelledby=unconfirmed]").text()
    assert "最下位ではありません" in named
    assert len(whole.unconfirmed) == 3 and all(one.municipality.name in named for one in whole.unconfirmed)


def test_the_map_has_every_prefecture_and_tells_in_text_what_it_shades(whole: Ranking, page: LexborHTMLParser) -> None:
    tiles = {tile.attributes["data-prefecture"]: tile for tile in page.css(".tile")}
    assert set(tiles) == set(HOST_LABELS)
    for group in whole.prefectures:
        text = tiles[group.id].text()
        assert f"{group.mean:.1f}" in text and f"{group.surveyed}団体" in text
    shades = {group.mean: int(tiles[group.id].attributes["class"].split()[1][-1]) for group in whole.prefectures}
    assert [shades[mean] for mean in sorted(shades)] == sorted(shades.values())
    assert [row.attributes["data-group"] for row in page.css("#map tbody tr")] == [one.id for one in whole.prefectures]


def test_tiles_do_not_lie_on_one_another(whole: Ranking) -> None:
    drawn = prefecture_map(whole.prefectures, whole.possible)
    assert drawn and len({(tile.x, tile.y) for tile in drawn.tiles}) == 47


def test_a_single_prefecture_has_bars_and_no_map() -> None:
    told = [survey("MMMMNNNNN", place("甲市", "東京都")), survey("MMMNNNNNN", place("乙町", "東京都"))]
    page = parsed(html(rank(told, Kinds())))
    assert not page.css("#map") and len(page.css("#classes tbody tr svg.bar")) == 2


def test_a_bar_ends_where_the_points_and_what_is_open_end() -> None:
    one = rank(surveys({"甲市": "MMMuuUNNN"}), Kinds()).ranked[0].place
    drawn = bar(one, 90)
    assert (drawn.points, drawn.awaiting, drawn.unseen) == (30, 50, 60)


def test_other_wordings_and_other_days_are_told() -> None:
    other = load("dx-2024")
    first = other.criteria[0].model_copy(update={"counts_ja": "ほかの数え方"})
    other = other.model_copy(update={"version": "9", "criteria": (first, *other.criteria[1:])})
    told = [
        survey("M" * 31, place("甲市"), asked=load("dx-2024"), as_of=date(2025, 3, 31)),
        survey("N" * 31, place("乙市"), asked=load("dx-2024"), as_of=date(2026, 3, 31)),
        survey("M" * 31, place("丙市"), asked=other),
    ]
    page = parsed(html(rank(told, Kinds())))
    assert "第9版で31 / 31点" in page.css_first("section[aria-labelledby=other]").text()
    assert "基準日は市区町村により異なります" in page.css_first(".summary").text()
    assert "2025年3月31日" in page.css_first(".edition").text()


def test_where_nothing_is_confirmed_the_page_says_so() -> None:
    assert "まだありません" in html(rank(surveys({"甲市": "mmmmmmmmm"}), Kinds()))


# --- what it does not let in ------------------------------------------------------------------------------------------


def test_names_of_others_are_text_and_nothing_else() -> None:
    city = place("甲市").model_copy(update={"name": HOSTILE, "prefecture": HOSTILE, "kana": HOSTILE})
    told = [survey("MNNNNNNNN", city), survey("mmmmmmmmm", city.model_copy(update={"code": "x0000000000"}))]
    text = html(rank(told, Kinds()))
    page = parsed(text)
    assert not page.css("img") and "\u202e" not in text
    assert page.css_first("#places th.place span").text() == HOSTILE.replace("\u202e", "\ufffd")


def test_the_policy_allows_this_style_and_this_script_alone(whole: Ranking) -> None:
    text = html(whole)
    page = parsed(text)
    policy = page.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"] or ""
    assert "unsafe" not in policy and policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (found,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, flags=re.S)
        digest = base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    every = [one for one in page.css("*") if one.attributes]
    assert not [one for one in every if any(name == "style" or name.startswith("on") for name in one.attributes)]
    assert not page.css("link, img, iframe, object, embed, [src], use")


def test_reports_are_linked_where_they_are_given(whole: Ranking) -> None:
    known = [one.place.municipality.code for one in whole.ranked]
    page = parsed(html(whole, links={known[0]: 'reports/a b"<.html#x'}))
    assert [one.attributes["href"] for one in page.css("#places a")] == ["reports/a%20b%22%3C.html#x"]


@pytest.mark.parametrize(
    "link", ["https://other.example/", "//other.example", "javascript:alert(1)", "/a", "\\\\a", "a\n"]
)
def test_a_link_that_leads_elsewhere_is_refused(whole: Ranking, link: str) -> None:
    with pytest.raises(InputError, match="not relative"):
        html(whole, links={"142093": link})


def test_a_language_that_is_not_spoken_is_refused(whole: Ranking) -> None:
    with pytest.raises(InputError, match="ja, en"):
        html(whole, "fr")


# --- words ------------------------------------------------------------------------------------------------------------


def translated() -> dict[str, str]:
    with (CATALOGS / "en.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale="en") if one.id}


def said() -> set[str]:
    """Arguments of `_` in templates and code."""
    options = {"templates/**.html": {"silent": "false"}}
    methods = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
    return {str(message) for _, _, message, _, _ in extract_from_dir(ROOM, methods, options)}


def unsaid() -> Iterator[str]:
    """Japanese texts of the code that are no argument of `_`, docstrings apart."""
    for path in ROOM.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield from [node.value] if JAPANESE.search(node.value) else []


def test_the_english_catalog_is_complete_and_holds_nothing_else() -> None:
    assert set(translated()) == said()
    assert set(unsaid()) - said() <= {"北海道", "、"}


def test_no_translation_is_empty_japanese_or_loses_a_gap() -> None:
    for message, text in translated().items():
        assert text.strip() and not JAPANESE.search(text), message
        assert sorted(GAP.findall(message)) == sorted(GAP.findall(text)), message


def test_the_english_page_is_english_but_for_names(whole: Ranking) -> None:
    page = parsed(html(whole, "en"))
    assert page.css_first("html").attributes["lang"] == "en"
    for one in page.css("script, style, [dir=auto], [data-prefecture] small"):
        one.decompose()
    assert not JAPANESE.search(page.css_first("body").text())


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def opened(browser: Browser, folder: Path, ranking: Ranking, language: str = "ja", **how: object) -> Page:
    """The page in a browser; anything that the policy blocks, any script error and any request fails the test."""
    path = folder / f"{language}.html"
    path.write_text(html(ranking, language, {code: f"{code}.html" for code in codes_of(ranking)}), "utf-8")
    context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900}, **how)  # type: ignore[arg-type]
    context.on("weberror", lambda error: pytest.fail(f"script error: {error.error}"))
    context.on("console", lambda told: pytest.fail(told.text))
    made = context.new_page()
    asked: list[str] = []
    made.on("request", lambda request: asked.append(request.url))
    made.goto(path.as_uri())
    assert asked == [path.as_uri()]
    return made


def codes_of(ranking: Ranking) -> list[str]:
    return [one.municipality.code for one in ranking.places]


def column(page: Page, name: str) -> list[float]:
    cells = page.locator(f"#places tbody tr:not([hidden]) td.{name}")
    return [float(value) for value in cells.evaluate_all("cells => cells.map(cell => cell.dataset.v)")]


@needs_chromium
def test_columns_are_sorted_by_keys_and_the_order_is_told(browser: Browser, tmp_path: Path, whole: Ranking) -> None:
    page = opened(browser, tmp_path, whole)
    button = page.locator("#places thead").get_by_role("button", name="得点")
    button.focus()
    page.keyboard.press("Enter")
    points = [float(one.place.points) for one in whole.ranked]
    head = page.locator("#places th.score").first
    expect(head).to_have_attribute("aria-sort", "descending")
    assert column(page, "score") == sorted(points, reverse=True)
    page.keyboard.press("Space")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert column(page, "score") == sorted(points)
    expect(page.locator("#order")).to_have_text("得点の小さい順に並べました")
    assert page.locator("#places [aria-sort]").count() == 1
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("市区町村")
    page.context.close()


@needs_chromium
def test_every_column_can_be_sorted_and_loses_no_row(browser: Browser, tmp_path: Path, whole: Ranking) -> None:
    page = opened(browser, tmp_path, whole)
    for button in page.locator("#places thead button").all():
        button.click()
        assert sorted(column(page, "rank")) == sorted(float(one.rank) for one in whole.ranked)
    page.locator("#places thead").get_by_role("button", name="順位", exact=True).click()
    assert column(page, "rank") == sorted(float(one.rank) for one in whole.ranked)
    page.context.close()


@needs_chromium
def test_searching_and_filtering_leave_the_ranks_as_they_are(browser: Browser, tmp_path: Path, whole: Ranking) -> None:
    page = opened(browser, tmp_path, whole)
    rows = page.locator("#places tbody tr:visible")
    page.get_by_label("名前で探す").fill("雪代")
    expect(rows).to_have_count(1)
    expect(page.locator("#shown")).to_have_text(f"{len(whole.ranked)}団体のうち1団体を表示")
    expect(rows.locator("td.rank b")).to_have_text("1")
    page.get_by_role("button", name="絞り込みを解除").click()
    expect(rows).to_have_count(len(whole.ranked))
    page.get_by_role("combobox", name="都道府県").select_option("東京都")
    tokyo = [one for one in whole.ranked if one.place.municipality.prefecture == "東京都"]
    expect(rows).to_have_count(len(tokyo))
    assert column(page, "rank") == [float(one.rank) for one in tokyo]
    page.get_by_role("combobox", name="区分").select_option(tokyo[0].place.population_class.id)
    same = [one for one in tokyo if one.place.population_class == tokyo[0].place.population_class]
    expect(rows).to_have_count(len(same))
    page.context.close()


@needs_chromium
def test_kana_of_either_kind_finds_a_place(browser: Browser, tmp_path: Path) -> None:
    city = place("甲市").model_copy(update={"kana": "コウシ"})
    page = opened(browser, tmp_path, rank([survey("MNNNNNNNN", city)], Kinds()))
    for typed in ("こうし", "コウシ", "ｺｳｼ", city.code.upper()):
        page.get_by_label("名前で探す").fill(typed)
        expect(page.locator("#places tbody tr:visible")).to_have_count(1)
    page.get_by_label("名前で探す").fill("おつし")
    expect(page.locator("#places tbody tr:visible")).to_have_count(0)
    page.context.close()


@needs_chromium
def test_without_scripts_the_table_is_whole_and_no_dead_control_is_shown(
    browser: Browser, tmp_path: Path, whole: Ranking
) -> None:
    page = opened(browser, tmp_path, whole, java_script_enabled=False)
    assert page.locator("#places tbody tr:visible").count() == len(whole.ranked)
    assert page.locator("input:visible, select:visible, button:visible").count() == 0
    page.context.close()


@needs_chromium
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_control_has_a_name_and_text_can_be_read(
    browser: Browser, tmp_path: Path, whole: Ranking, language: str
) -> None:
    page = opened(browser, tmp_path, whole, language)
    assert page.evaluate(_NAMELESS) == []
    page.evaluate("document.querySelector('.map').remove()")  # its text has fills, held against its tiles below
    assert page.evaluate(_FAINT, CONTRAST) == []
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.querySelectorAll('[id]')].length") == page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(one => one.id)).size"
    )
    named = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')]"
        ".flatMap(one => [one.getAttribute('aria-labelledby'), one.getAttribute('aria-describedby')])"
        ".filter(Boolean).flatMap(ids => ids.split(' ')).filter(id => !document.getElementById(id))"
    )
    assert named == []
    page.context.close()


@needs_chromium
def test_text_on_every_tile_can_be_read_and_greys_keep_their_order(
    browser: Browser, tmp_path: Path, whole: Ranking
) -> None:
    """Colours as the browser computes them, of all six shades."""
    page = opened(browser, tmp_path, whole)
    shades = page.evaluate(
        """() => [0, 1, 2, 3, 4, 5].map(shade => {
            const tile = document.querySelector('.tile');
            tile.setAttribute('class', `tile shade-${shade}`);
            const fill = part => getComputedStyle(tile.querySelector(part)).fill;
            return ['rect', 'text'].map(part => fill(part).match(/\\d+/g).map(Number));
        })"""
    )
    lights = [(light(ground), light(text)) for ground, text in shades]
    for ground, text in lights:
        assert (max(ground, text) + 0.05) / (min(ground, text) + 0.05) >= CONTRAST
    assert [ground for ground, _ in lights] == sorted((ground for ground, _ in lights), reverse=True)
    page.context.close()


def light(colour: list[int]) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [one / 255 for one in colour]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_never_wider_than_the_screen(browser: Browser, tmp_path: Path, whole: Ranking, width: int) -> None:
    for language in ("ja", "en"):
        page = opened(browser, tmp_path, whole, language)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.context.close()


@needs_chromium
def test_in_print_every_page_repeats_the_heads_and_every_place_is_there(
    browser: Browser, tmp_path: Path, whole: Ranking
) -> None:
    import pypdfium2

    page = opened(browser, tmp_path, whole)
    with pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True, print_background=True)) as printed:
        # NFKC: some fonts give a printed kanji back as the radical of the same shape.
        told = [unicodedata.normalize("NFKC", sheet.get_textpage().get_text_range()) for sheet in printed]
    texts = ["".join(text.split()) for text in told]
    everything = "".join(texts)
    assert [one.place.municipality.name for one in whole.ranked if one.place.municipality.name not in everything] == []
    inside = [text for text in texts if sum(one.place.municipality.name in text for one in whole.ranked) > 5]
    assert len(inside) >= 2 and all("基準日" in text and "区分" in text for text in inside)
    assert "絞り込みを解除" not in everything
    page.context.close()
