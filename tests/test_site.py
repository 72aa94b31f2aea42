"""The static site: whole by itself, the same bytes each time, found by any spelling, and never over anybody's files."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from browsing import needs_chromium
from commands import classify
from edition_data import AT, TOWNS, approved, opened, place, published, surveyed, wish
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from selectolax.lexbor import LexborHTMLParser

from pipeline.crawl.chromium import find
from pipeline.editions import publish
from pipeline.editions.shelf import Shelf
from pipeline.errors import InputError
from pipeline.models import Municipality
from pipeline.municipality.romaji import english, folded, hepburn
from pipeline.site import build
from pipeline.site.search import romaji_keys, search_keys

CONTRAST = 4.5  # WCAG 2.2, 1.4.3 (AA)
FIRST = place().code


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two editions of six invented towns, one of them corrected twice. Not to be changed."""
    from edition_data import many

    made = tmp_path_factory.mktemp("many")
    many(made)
    return made


@pytest.fixture(scope="module")
def site(home: Path) -> Path:
    out = home / "site"
    build(Shelf(home / "editions"), out, names=["dx-2026", "dx-2025"])
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def tree(path: Path) -> LexborHTMLParser:
    return LexborHTMLParser(path.read_text("utf-8"))


def own_pages(site: Path) -> list[Path]:
    """The site's own pages, not the editions' files."""
    return [one for one in sorted(site.rglob("*.html")) if "editions" not in one.relative_to(site).parts]


# --- what it says -----------------------------------------------------------------------------------------------------


def test_every_link_leads_somewhere_within_the_site(site: Path) -> None:
    checked = 0
    for page in sorted(site.rglob("*.html")):
        for link in tree(page).css("a[href], link[href], img[src], script[src], iframe[src]"):
            address = link.attributes.get("href") or link.attributes.get("src") or ""
            parts = urlsplit(address)
            if "reports" in page.parts and parts.scheme in ("http", "https"):
                continue  # a report links to what it cites
            assert not parts.scheme and not parts.netloc, f"{page}: {address}"
            target = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
            assert target.is_file() and target.is_relative_to(site.resolve()), f"{page}: {address}"
            if parts.fragment and not parts.fragment.startswith(":~:"):
                assert tree(target).css_first(f'[id="{parts.fragment}"]'), f"{page}: {address}"
            checked += 1
    assert checked > 200


def test_every_file_is_reached_from_the_index(site: Path) -> None:
    seen, left = set[Path](), [site / "index.html"]
    while left:
        page = left.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.suffix == ".html":
            links = (link.attributes.get("href") or "" for link in tree(page).css("a[href]"))
            left += [(page.parent / unquote(urlsplit(one).path)).resolve() for one in links if urlsplit(one).path
                     and not urlsplit(one).scheme]  # fmt: skip
    there = {one for one in site.resolve().rglob("*") if one.is_file()}
    hidden = {str(one.relative_to(site.resolve())) for one in there - {one.resolve() for one in seen}}
    assert hidden == {"404.html", "akashi-site.json"} | {
        str(one.relative_to(site)) for one in site.rglob("errata/*") if one.suffix != ".html"
    }


def test_frozen_files_are_copied_as_they_are_and_the_evidence_stays(home: Path, site: Path) -> None:
    frozen = {one: body for one, body in contents(home / "editions" / "dx-2026").items() if "evidence" not in one}
    assert contents(site / "editions" / "dx-2026") == frozen
    assert not list(site.rglob("evidence"))


def test_errata_stand_beside_the_report_that_they_correct(site: Path) -> None:
    for language in ("", "en/"):
        town = tree(site / language / "m" / f"{FIRST}.html")
        newest, older = town.css("section.standing")
        assert [one.text() for one in newest.css(".errata a")] == (
            ["Erratum 1", "Erratum 2"] if language else ["正誤 第1号", "正誤 第2号"]
        )
        assert newest.css_first("s").text() == "7" and newest.css_first(".score b").text() == "5"
        assert not older.css(".errata") and older.css_first(".score b").text() == "7"
        row = tree(site / language / "e" / "dx-2026.html").css_first(f'tr[data-code="{FIRST}"]')
        assert len(row.css(".errata li")) == 2 and "2027-02-01" in row.text()
    english = (site / "en/editions/dx-2026/errata/0001.html").read_text("utf-8")
    assert '<html lang="en">' in english and "● met" in english and "○ no evidence" in english


def test_equal_points_share_a_rank_and_what_waits_has_none(home: Path, site: Path) -> None:
    def ranks(name: str) -> list[tuple[str, str]]:
        rows = tree(site / "e" / f"{name}.html").css("table.ranking tbody tr")
        return [(row.css_first(".rank").text(strip=True), row.css_first("th a").text()) for row in rows]

    old = {name: rank for rank, name in ranks("dx-2025")}
    assert old["白浜原市"] == old["大浦戸市"] == "2同点"
    assert old["汐見ヶ丘町"] == "4" and old["府津見市"] == "1" and old["十条野町"] == "—"
    new = {name: rank for rank, name in ranks("dx-2026")}
    assert (new["大浦戸市"], new["白浜原市"], new["汐見ヶ丘町"]) == ("2", "3", "4")  # 5 points, after two errata


def test_towns_are_listed_by_prefecture(site: Path) -> None:
    found = {
        region.css_first("h3").text(): {one.text() for one in region.css("li a span")}
        for region in tree(site / "index.html").css("section.region")
    }
    assert found == {
        name: {town for town, _, prefecture, _ in TOWNS if prefecture == name} for name in ("架空県", "遠海県")
    }


@pytest.mark.parametrize("language", ["ja", "en"])
def test_pages_are_built_for_everybody(site: Path, language: str) -> None:
    for path in own_pages(site):
        if ("en" in path.relative_to(site).parts) != (language == "en"):
            continue
        page = tree(path)
        assert page.css_first("html").attributes["lang"] == language
        assert len(page.css("h1")) == len(page.css("main#main")) == 1
        assert page.css_first("a.skip").attributes["href"] == "#main"
        levels = [int(one.tag[1]) for one in page.css("h1, h2, h3, h4")]
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), path
        assert page.css_first("title").text().strip()
        for table in page.css("table"):
            assert table.css_first("caption") and all("scope" in one.attributes for one in table.css("th"))


def test_only_the_search_may_run_and_nothing_is_loaded(site: Path) -> None:
    for path in own_pages(site):
        page = tree(path)
        policy = page.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"] or ""
        assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "http" not in policy
        assert len(page.css("script")) == (1 if path.name == "index.html" else 0)
        assert not page.css("[style], [onclick], [src]")


def test_the_site_is_the_same_bytes_each_time(home: Path, site: Path, tmp_path: Path) -> None:
    build(Shelf(home / "editions"), tmp_path / "again", names=["dx-2026", "dx-2025"])
    assert contents(tmp_path / "again") == contents(site)
    build(Shelf(home / "editions"), tmp_path / "again", names=["dx-2026", "dx-2025"])
    assert contents(tmp_path / "again") == contents(site)
    assert [one.name for one in tmp_path.iterdir()] == ["again"]


# --- which editions ---------------------------------------------------------------------------------------------------


def test_without_names_the_newest_edition_of_each_municipality_is_shown(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        one, other = place(), place("千鳥沢村")
        for town in (one, other):
            approved(sources, surveyed(sources, town))
        publish(wish("old-both", at=AT.replace(year=2024)), sources, shelf)
        publish(wish("old-one", at=AT.replace(year=2025), codes=(one.code,)), sources, shelf)
        publish(wish("new-one", codes=(one.code,)), sources, shelf)
        assert build(shelf, tmp_path / "site").editions == ("new-one", "old-both")
        assert build(shelf, tmp_path / "site", names=["old-one", "old-one"]).editions == ("old-one",)
        with pytest.raises(InputError, match="no edition 'none'"):
            build(shelf, tmp_path / "site", names=["none"])


def test_a_tampered_edition_is_not_shown(tmp_path: Path) -> None:
    published(tmp_path)
    report = tmp_path / "editions" / "dx-2026" / "reports" / "ja" / f"{FIRST}.html"
    report.chmod(0o644)
    report.write_text("x")
    told = classify(tmp_path, "site", "build", "--out", str(tmp_path / "site"), code=2)
    assert "is not as it was published" in told
    assert not (tmp_path / "site").exists()


def test_an_edition_cannot_name_files_outside_itself(tmp_path: Path) -> None:
    edition = published(tmp_path)
    secret = tmp_path / "editions" / "secret.txt"
    secret.write_text("x")
    file = edition.files[0].model_copy(update={"path": "../secret.txt", "sha256": hashlib.sha256(b"x").hexdigest()})
    path = tmp_path / "editions" / "dx-2026" / "edition.json"
    path.unlink()
    path.write_text(edition.model_copy(update={"files": (file,)}).model_dump_json(), "utf-8")
    with pytest.raises(InputError, match="is not in the edition"):
        build(Shelf(tmp_path / "editions"), tmp_path / "site")


# --- where it goes ----------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_ours_is_left_alone(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "diary.txt").write_text("mine")
    told = classify(home, "site", "build", "--out", str(out), code=2)
    assert "not empty, and no site of Akashi" in told
    assert contents(out) == {"diary.txt": b"mine"}
    assert "a file is there" in classify(home, "site", "build", "--out", str(out / "diary.txt"), code=2)


@pytest.mark.parametrize("change", ["added", "edited"])
def test_what_somebody_put_into_our_folder_is_named_and_kept(change: str, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shelf = Shelf(home / "editions")
    build(shelf, out)
    path = out / ("CNAME" if change == "added" else "index.html")
    path.write_text("mine")
    with pytest.raises(InputError, match=path.name):
        build(shelf, out)
    assert path.read_text() == "mine"
    path.unlink()
    if change == "added":
        assert build(shelf, out).municipalities == 6


def test_a_link_to_a_folder_stays_a_link_and_an_empty_folder_will_do(home: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    build(Shelf(home / "editions"), tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "index.html").is_file()


def test_a_sitemap_is_written_where_the_address_is_known(home: Path, tmp_path: Path) -> None:
    build(Shelf(home / "editions"), tmp_path / "out", base_url="https://dx.example.jp/survey")
    root = ElementTree.parse(tmp_path / "out" / "sitemap.xml").getroot()
    found = [one.text or "" for one in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert "https://dx.example.jp/survey/index.html" in found and not any("404" in one for one in found)
    for address in found:
        assert (tmp_path / "out" / address.removeprefix("https://dx.example.jp/survey/")).is_file()
    home_link = tree(tmp_path / "out" / "404.html").css_first("main a").attributes["href"]
    assert home_link == "https://dx.example.jp/survey/index.html"
    build(Shelf(home / "editions"), tmp_path / "out")
    assert not (tmp_path / "out" / "sitemap.xml").exists()


@pytest.mark.parametrize(
    "address", ["ftp://x.example/", "dx.example", "javascript:alert(1)", "https://x.example/?a", "https://a b/"]
)
def test_an_address_that_cannot_be_is_refused(address: str, home: Path, tmp_path: Path) -> None:
    told = classify(home, "site", "build", "--out", str(tmp_path / "out"), "--base-url", address, code=2)
    assert "--base-url" in told and not (tmp_path / "out").exists()


def test_without_editions_the_command_says_what_to_do(tmp_path: Path) -> None:
    assert "classify publish NAME" in classify(tmp_path, "site", "build", "--out", str(tmp_path / "out"), code=2)


HOSTILE = '"><img src=x onerror=alert(1)></script><script>alert(2)</script> \u202e'


def test_names_and_titles_of_others_stay_text(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        town = place(HOSTILE, kana=HOSTILE, prefecture=HOSTILE)
        approved(sources, surveyed(sources, town))
        publish(wish(title=HOSTILE.replace("\u202e", "")), sources, shelf)
        build(shelf, tmp_path / "site")
    for path in own_pages(tmp_path / "site"):
        page = tree(path)
        assert "\u202e" not in path.read_text("utf-8")
        assert not page.css("img, [onerror]")
        assert len(page.css("script")) == (1 if path.name == "index.html" else 0)


# --- search -----------------------------------------------------------------------------------------------------------


def test_an_english_name_needs_no_kana() -> None:
    assert english(Municipality(code="x0123456789", name="夢", kana="*")) == ""


def test_search_keys_fold_width_case_and_kana() -> None:
    town = Municipality(code="x0123456789", name="ＡＢ市", kana="シラハマ", prefecture="遠海県")
    assert search_keys(town) == "遠海県ab市 しらはま x0123456789"
    assert romaji_keys(town) == "sirahama"
    assert "sirahamabara" in romaji_keys(place()).split()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=find(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    made.set_default_timeout(10_000)
    made.on("weberror", lambda error: pytest.fail(f"script error: {error.error}"))
    yield made
    made.close()


SEARCHES = [
    ("白浜原", {"白浜原市"}), ("しらはま", {"白浜原市"}), ("シラハマ", {"白浜原市"}), ("ｼﾗﾊﾏ", {"白浜原市"}),
    ("shirahamabara", {"白浜原市"}), ("Sirahama", {"白浜原市"}), ("Shirahamabara City", {"白浜原市"}),
    ("oourato", {"大浦戸市"}), ("Ōurato-shi", {"大浦戸市"}), ("ourato", {"大浦戸市"}), ("futsumi", {"府津見市"}),
    ("hutumi", {"府津見市"}), ("juujou", {"十条野町"}), ("jūjōno", {"十条野町"}), ("zyuzyono", {"十条野町"}),
    ("架空県", {"府津見市", "千鳥沢村", "十条野町"}), ("架空県　村", {"千鳥沢村"}), (FIRST, {"白浜原市"}),
    ("chidor", {"千鳥沢村"}), ("ch", {name for name, *_ in TOWNS}), ("無い町", set()), (".*", set()),
    ("", {name for name, *_ in TOWNS}),
]  # fmt: skip


@needs_chromium
@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_town_is_found_by_any_spelling(context: BrowserContext, site: Path, language: str) -> None:
    page = context.new_page()
    page.goto((site / ("" if language == "ja" else "en") / "index.html").as_uri())
    box = page.get_by_role("searchbox")
    expect(box).to_be_visible()
    for typed, wanted in SEARCHES:
        box.fill(typed)
        seen = {one.inner_text() for one in page.locator(".towns li:visible a span").all()}
        assert seen == wanted, typed
        assert page.locator(".region:visible").count() == len({p for name, _, p, _ in TOWNS if name in wanted})
        told = page.get_by_role("status").inner_text()
        assert (str(len(wanted)) in told) is bool(wanted), typed
    box.fill("府津見")
    page.keyboard.press("Enter")
    page.locator(".towns li:visible a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("府津見市")


@needs_chromium
def test_what_is_typed_is_folded_as_the_command_line_folds_it(browser: Browser, site: Path) -> None:
    words = [
        "jouetsu",
        "sanjo",
        "gumma",
        "ohtsu",
        "ohi",
        "dzu",
        "kyoutango",
        "nn",
        "fuji",
        "matcha",
        "macchi",
        "niigata",
    ]
    words += [hepburn(kana) for _, kana, *_ in TOWNS]
    script = (Path(__file__).parent.parent / "pipeline/site/templates/search.js").read_text("utf-8")
    parts = re.search(r"const RESPELLED = .*?\];", script, re.S), re.search(r"const folded = .*?\n  \};", script, re.S)
    assert all(parts)
    page = browser.new_page()
    source = "\n".join(part.group() for part in parts if part)
    assert page.evaluate(f"(words) => {{ {source}\n return words.map(folded); }}", words) == [
        folded(word).lower() for word in words
    ]
    page.close()


@needs_chromium
def test_without_scripts_it_is_a_plain_list(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator(".towns li:visible").count() == len(TOWNS)
    assert not page.get_by_role("searchbox").is_visible()
    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="千鳥沢村").click()
    page.get_by_role("link", name="Report 日本語").first.click()
    assert page.locator("h1").inner_text().endswith("千鳥沢村")
    context.close()


CONTRASTS = """() => {
  const part = (v) => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  const lit = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((v) => part(Number(v)));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !one.checkVisibility()) continue;
    let under = one;
    while (under && getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
    if (!under || ["STYLE", "SCRIPT"].includes(one.tagName)) continue;
    const both = [lit(getComputedStyle(one).color), lit(getComputedStyle(under).backgroundColor)];
    const ratio = (Math.max(...both) + .05) / (Math.min(...both) + .05);
    found.push([one.className + " " + one.textContent.trim().slice(0, 30), ratio]);
  }
  return found;
}"""


@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_the_screen_and_can_be_read(context: BrowserContext, site: Path, width: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    paths = ["index.html", "e/dx-2026.html", f"en/m/{FIRST}.html", "404.html", "editions/dx-2026/errata/0001.html"]
    for path in paths:
        page.goto((site / path).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        measured = page.evaluate(CONTRASTS)
        assert len(measured) > 3
        assert [one for one in measured if one[1] < CONTRAST] == [], path
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0


def test_a_build_that_was_killed_is_cleaned_up_by_the_next(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for left in (".out.akashi-part", ".out.akashi-old"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "index.html").write_text("half")
    build(Shelf(home / "editions"), out)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    shutil.rmtree(out)
