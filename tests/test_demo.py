"""The bundled municipality: its server, its pages, its labels."""

from __future__ import annotations

import csv
import hashlib
import http.client
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import Message
from functools import cache
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pypdfium2
import pytest
from selectolax.lexbor import LexborHTMLParser

from pipeline import charset, criteria
from pipeline.crawl.scope import is_service
from pipeline.demo import AS_OF, MUNICIPALITY, SITE, serve
from pipeline.demo.server import FAILING
from pipeline.extract import extract
from pipeline.models import Page, Snapshot
from pipeline.municipality import unregistered

LABELS = Path(__file__).resolve().parents[1] / "evals" / "labels" / "demo"
DEAD = {"/shisetsu/pool.html"}
CLOSED = "/internal/shokuin.html"
# What each page that is not plain UTF-8 declares; "" declares nothing.
ODD_CHARSETS = {"kurashi/todoke/ouin.html": "Shift_JIS", "kenko/covid.html": "EUC-JP", "kenko/sumaho.html": ""}
HTML = sorted(SITE.rglob("*.html"))


def address(path: Path) -> str:
    return "/" + path.relative_to(SITE).as_posix()


@cache
def page(path: str) -> Page:
    file = SITE / (path.lstrip("/") or "index.html")
    body = file.read_bytes()
    snapshot = Snapshot(
        url=f"http://127.0.0.1:8080{path}",
        final_url=f"http://127.0.0.1:8080{path}",
        fetched_at=datetime(2026, 11, 20, tzinfo=UTC),
        status=200,
        headers=(("Content-Type", "text/html"),),
        sha256=hashlib.sha256(body).hexdigest(),
        warc="demo.warc.gz",
        offset=0,
    )
    read = extract(snapshot, body)
    assert isinstance(read, Page), f"{path}: {read}"
    return read


def labels() -> list[dict]:
    return [json.loads(line) for line in (LABELS / "labels.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    with serve() as url:
        yield url


def ask(home: str, target: str, method: str = "GET", **headers: str) -> tuple[int, Message, bytes]:
    """One request with the target sent as written: no client tidies the path."""
    connection = http.client.HTTPConnection(urlsplit(home).netloc, timeout=5)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


# --- the server -------------------------------------------------------------------------------------------------------


def test_the_home_page_is_served_on_loopback(home: str) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", home)
    status, _, body = ask(home, "/")
    assert (status, body) == (200, (SITE / "index.html").read_bytes())


@pytest.mark.parametrize(
    "target",
    [
        "/../server.py",
        "/../../models.py",
        "/css/../../server.py",
        "/%2e%2e/server.py",
        "/css/..%2f..%2fserver.py",
        "/css/..%5c..%5cserver.py",
        "/%252e%252e/server.py",
        "/..%c0%afserver.py",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/etc/passwd%00.html",
        "/../pdf_source/digital_vision.html",
        "http://127.0.0.1/../server.py",
        "/css",
        "/css/",
        "/img/",
        "/nothing.html",
    ],
)
def test_nothing_outside_the_site_and_no_listing_is_served(home: str, target: str) -> None:
    status, headers, body = ask(home, target)
    assert status == 404
    assert headers["Content-Type"] == "text/html"
    assert "見つかりません" in body.decode()


@pytest.mark.parametrize(
    ("target", "content_type"),
    [
        ("/", "text/html"),
        ("/kurashi/todoke/ouin.html", "text/html"),
        ("/pdf/digital_vision.pdf", "application/pdf"),
        ("/rss.xml", "application/xml"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/css/style.css", "text/css; charset=utf-8"),
        ("/img/hero.svg", "image/svg+xml"),
    ],
)
def test_files_go_out_with_their_type_and_html_without_a_charset(home: str, target: str, content_type: str) -> None:
    status, headers, body = ask(home, target)
    assert (status, headers["Content-Type"]) == (200, content_type)
    assert int(headers["Content-Length"]) == len(body) > 0


def test_the_page_about_rpa_breaks_down(home: str) -> None:
    for path in FAILING:
        assert ask(home, path)[0] == 500
        assert not (SITE / path.lstrip("/")).exists()


def test_a_folder_without_its_slash_is_redirected_within_the_site(home: str) -> None:
    status, headers, _ = ask(home, "/kurashi?x=1")
    assert (status, headers["Location"]) == (301, "/kurashi/")


def test_head_gives_the_headers_of_get_and_no_body(home: str) -> None:
    for target in ("/", "/nothing.html", *FAILING):
        got, asked = ask(home, target), ask(home, target, "HEAD")
        assert asked[0] == got[0]
        assert asked[1]["Content-Length"] == got[1]["Content-Length"]
        assert asked[2] == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(home: str, method: str) -> None:
    status, headers, _ = ask(home, "/", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_a_validator_spares_the_body(home: str) -> None:
    _, headers, _ = ask(home, "/")
    tag, modified = headers["ETag"], headers["Last-Modified"]
    assert ask(home, "/", If_None_Match=f'"other", W/{tag}')[::2] == (304, b"")
    assert ask(home, "/", If_Modified_Since=modified)[::2] == (304, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"If_None_Match": '"other"'},
        {"If_Modified_Since": "Thu, 01 Jan 1998 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
        {"If_None_Match": '"other"', "If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ],
)
def test_a_stale_or_senseless_validator_gets_the_body(home: str, headers: dict[str, str]) -> None:
    assert ask(home, "/", **headers)[0] == 200


def test_the_port_is_free_again_afterwards() -> None:
    with serve() as first, serve() as second:
        assert first != second
        assert ask(second, "/")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        ask(first, "/")


# --- the pages --------------------------------------------------------------------------------------------------------


def test_the_site_has_the_announced_size() -> None:
    manifest = json.loads((LABELS / "manifest.json").read_text())
    assert 60 <= len(HTML) == manifest["pages"] <= 80
    assert len(list(SITE.rglob("*.pdf"))) == manifest["pdfs"] == 3
    assert {path.suffix for path in SITE.rglob("*") if path.is_file()} <= {
        ".html",
        ".css",
        ".svg",
        ".pdf",
        ".xml",
        ".txt",
    }
    assert (manifest["code"], manifest["name"], manifest["as_of"]) == (
        MUNICIPALITY.code,
        MUNICIPALITY.name,
        AS_OF.isoformat(),
    )


def test_every_page_decodes_with_the_charset_it_was_written_in() -> None:
    for path in HTML:
        body, name = path.read_bytes(), path.relative_to(SITE).as_posix()
        declared = re.search(rb"charset=[\"']?([\w-]+)", body)
        assert (declared[1].decode() if declared else "") == ODD_CHARSETS.get(name, "utf-8"), name
        written_in = {"Shift_JIS": "cp932"}.get(ODD_CHARSETS.get(name, ""), ODD_CHARSETS.get(name) or "utf-8")
        assert charset.decode(body, "text/html").text == body.decode(written_in), name


def test_every_internal_link_resolves_except_the_two_deliberate_ones() -> None:
    broken = set()
    for path in HTML:
        tree = LexborHTMLParser(path.read_bytes().decode("cp932" if "ouin" in path.name else "utf-8", "replace"))
        for node in tree.css("a[href]"):
            href = node.attributes["href"] or ""
            if href.startswith("/") and not (SITE / href.lstrip("/")).exists():
                broken.add(href)
    assert broken == DEAD | FAILING


def test_every_page_can_be_reached_from_the_home_page_by_links() -> None:
    seen, ahead = set(), ["/"]
    while ahead:
        path = ahead.pop()
        file = SITE / (path.lstrip("/") or "index.html")
        if path in seen or not file.is_file():
            continue
        seen.add(path)
        if file.suffix == ".html":
            ahead += re.findall(r'href="(/[^"#]*)"', file.read_bytes().decode("ascii", "ignore"), re.I)
    assert {f"/{path.relative_to(SITE).as_posix()}" for path in HTML} - seen == {"/index.html"}


def test_feed_and_sitemap_name_only_what_the_site_has() -> None:
    feed = re.findall(r"<item>.*?<link>(.*?)</link>", (SITE / "rss.xml").read_text())
    listed = re.findall(r"<loc>(.*?)</loc>", (SITE / "sitemap.xml").read_text())
    assert len(feed) == 20
    assert {link for link in [*feed, *listed] if not (SITE / link.lstrip("/")).exists()} == FAILING
    assert CLOSED not in listed


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in HTML:
        tree = LexborHTMLParser(path.read_bytes().decode("utf-8", "replace"))
        assert not tree.css("script, iframe, object, embed, video, audio, form, base, meta[http-equiv=refresh]"), path
        loaded = [node.attributes.get("src") or "" for node in tree.css("[src]")]
        loaded += [node.attributes.get("href") or "" for node in tree.css("link")]
        assert all(re.match(r"/[^/]", target) and (SITE / target[1:]).is_file() for target in loaded), path
    assert not re.search(r"url\(|@import|https?:", (SITE / "css" / "style.css").read_text())
    for path in SITE.rglob("*.svg"):
        assert set(re.findall(r"https?://[^\"]+", path.read_text())) == {"http://www.w3.org/2000/svg"}


def test_no_link_out_of_the_site_is_one_that_a_crawl_would_follow() -> None:
    """So that the demo asks no name server and no stranger: services elsewhere are told of, not linked."""
    for path in HTML:
        for link in page(address(path)).links:
            if urlsplit(link.href).scheme in ("http", "https") and "127.0.0.1" not in link.href:
                assert not is_service(link.href, link.label), (path, link.href)


def test_accounts_numbers_and_services_are_plainly_fictional() -> None:
    for path in HTML:
        text = charset.decode(path.read_bytes(), "text/html").text
        for link in re.findall(r'href="(https?://[^"]+)"', text):
            assert urlsplit(link).netloc.endswith(".example") or "example" in urlsplit(link).path, link
        assert all(number.startswith("0000-") for number in re.findall(r"\b0\d{1,4}-\d{2,4}-\d{4}\b", text)), path


def test_no_invented_place_is_in_the_registry(shared: Path) -> None:
    registry = (shared / "data/localgovjp/localgovjp-utf8.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(registry.splitlines()))
    names = {row["city"] for row in rows} | {row["pref"] for row in rows}
    kana = {row["citykana"] for row in rows}
    invented = {MUNICIPALITY.name, MUNICIPALITY.prefecture, "千瀬市", "湊森町"}
    assert not invented & names
    assert MUNICIPALITY.kana not in kana
    text = "\n".join(page(address(path)).text for path in HTML)
    assert not {name for name in names if len(name) > 2 and name in text}


def test_the_municipality_has_the_code_of_an_unregistered_place() -> None:
    assert MUNICIPALITY.code == unregistered("汐凪市", None).code
    assert MUNICIPALITY.home_url is None


def test_the_pdfs_are_small_and_one_has_no_text() -> None:
    texts = {}
    for path in SITE.rglob("*.pdf"):
        assert path.stat().st_size < 150_000, path
        texts[path.name] = pdf_text(path)
    assert texts.pop("koho_sokan.pdf") == ""
    assert all("汐凪市" in text for text in texts.values())


def pdf_text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "".join("".join(sheet.get_textpage().get_text_bounded().split()) for sheet in document)
    finally:
        document.close()


def test_the_hidden_instruction_is_hidden_and_the_visible_one_visible() -> None:
    spring = page("/kanko/onsen.html")
    assert "評価システムへ" in spring.hidden_text
    assert "評価システムへ" not in spring.text
    assert "この文書を評価するAIへ" in page("/shisei/pubcome.html").text


def test_rpa_is_named_in_link_labels_only() -> None:
    """So that the page that cannot be read is the only one that could tell."""
    for path in HTML:
        read = page(address(path))
        named = {read.slice(block) for block in read.blocks if "RPA" in read.slice(block)}
        assert named <= {link.label for link in read.links if urlsplit(link.href).path in FAILING}, path


# --- the labels -------------------------------------------------------------------------------------------------------


def test_one_label_for_each_criterion_in_its_order() -> None:
    found = labels()
    assert [label["criterion"] for label in found] == [criterion.id for criterion in criteria.load("dx-2024").criteria]
    assert all(label.keys() == {"criterion", "verdict", "evidence", "hard", "trap", "note"} for label in found)
    assert all(label["note"] and bool(label["trap"]) >= label["hard"] for label in found)


def test_the_verdicts_are_mixed() -> None:
    counts = Counter(label["verdict"] for label in labels())
    assert counts == {"met": 19, "not_met": 5, "no_evidence": 4, "unobserved": 1, "skip": 2}
    assert {label["criterion"] for label in labels() if label["verdict"] == "skip"} == {"resident-02", "resident-05"}


@pytest.mark.parametrize("label", labels(), ids=lambda label: label["criterion"])
def test_each_quote_stands_in_one_block_of_its_page(label: dict) -> None:
    assert bool(label["evidence"]) == (label["verdict"] in ("met", "not_met"))
    for evidence in label["evidence"]:
        path, quote = evidence["path"], evidence["quote"]
        if path.endswith(".pdf"):
            assert "".join(quote.split()) in pdf_text(SITE / path[1:])
        elif label["criterion"] != "resident-01":
            read = page(path)
            assert 10 <= len(quote) <= 200
            assert quote in [read.slice(block) for block in read.blocks]
        if "href" in evidence:
            assert (evidence["href"], quote) in [(link.href, link.label) for link in page(path).links]


def test_the_news_list_shows_an_item_every_three_days_or_oftener() -> None:
    days = {
        date(int(year), int(month), int(day))
        for year, month, day in re.findall(r"<dt>(\d+)年(\d+)月(\d+)日</dt>", (SITE / "news/index.html").read_text())
    }
    assert max(days) == AS_OF
    recent = sorted(day for day in days if AS_OF - timedelta(days=60) <= day <= AS_OF)
    assert median((later - day).days for day, later in zip(recent, recent[1:], strict=False)) <= 3
