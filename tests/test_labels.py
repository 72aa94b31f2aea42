"""The labelled sites in evals/labels: their labels, their quotes, their links, their invented names."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from pipeline import criteria
from pipeline.extract import extract
from pipeline.models import Page, Snapshot
from pipeline.municipality import unregistered

FOLDERS = sorted(path.parent for path in (Path(__file__).resolve().parents[1] / "evals" / "labels").glob("*/site"))
HOST = "127.0.0.1:8080"
FIELDS = {"criterion", "verdict", "evidence", "hard", "trap", "note"}
WITH_EVIDENCE = {"met", "not_met"}
VERDICTS = WITH_EVIDENCE | {"no_evidence", "unobserved", "skip"}

each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def served(folder: Path, path: str) -> Path:
    """The file behind a path; that of a folder is its index.html, and links come with that name left off."""
    return folder / "site" / (path.lstrip("/") + ("index.html" if path.endswith("/") else ""))


@cache
def page(folder: Path, path: str) -> Page:
    body = served(folder, path).read_bytes()
    snapshot = Snapshot(
        url=f"http://{HOST}{path}",
        final_url=f"http://{HOST}{path}",
        fetched_at=datetime(2026, 11, 20, tzinfo=UTC),
        status=200,
        headers=(("Content-Type", "application/pdf" if path.endswith(".pdf") else "text/html"),),
        sha256=hashlib.sha256(body).hexdigest(),
        warc="labels.warc.gz",
        offset=0,
    )
    read = extract(snapshot, body)
    assert isinstance(read, Page), f"{path}: {read}"
    return read


def html(folder: Path) -> list[str]:
    return sorted("/" + path.relative_to(folder / "site").as_posix() for path in (folder / "site").rglob("*.html"))


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def labels(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text("utf-8").splitlines()]


def test_there_are_labelled_sites() -> None:
    assert FOLDERS


@each_folder
def test_the_manifest_fits_the_folder(folder: Path) -> None:
    told, site = manifest(folder), folder / "site"
    assert (told["slug"], told["pages"]) == (folder.name, len(html(folder)))
    assert told["code"] == unregistered(told["name"], None).code
    assert told["pdfs"] == len(list(site.rglob("*.pdf")))
    assert told["sitemap"] == (site / "sitemap.xml").is_file()
    assert told["feed"] is None or (site / told["feed"].lstrip("/")).is_file()


@each_folder
def test_one_label_for_each_criterion_in_its_order(folder: Path) -> None:
    found = labels(folder)
    assert len(found) == 31
    assert [label["criterion"] for label in found] == [criterion.id for criterion in criteria.load("dx-2024").criteria]
    for label in found:
        assert label.keys() == FIELDS
        assert label["verdict"] in VERDICTS
        assert bool(label["evidence"]) == (label["verdict"] in WITH_EVIDENCE), label["criterion"]
        assert label["note"]
        assert bool(label["trap"]) == label["hard"], label["criterion"]


@each_folder
def test_each_quote_stands_in_one_block_of_its_page(folder: Path) -> None:
    for label in labels(folder):
        for evidence in label["evidence"]:
            read, quote = page(folder, evidence["path"]), evidence["quote"]
            if label["criterion"] == "resident-01":
                assert quote == ""
                continue
            assert 10 <= len(quote) <= 200 or "href" in evidence, (label["criterion"], len(quote))
            assert stands(quote, read, evidence), (label["criterion"], quote)
            if "href" in evidence:
                assert (evidence["href"], quote) in [(link.href, link.label) for link in read.links]


def stands(quote: str, read: Page, evidence: dict) -> bool:
    if evidence["path"].endswith(".pdf"):
        return re.sub(r"\s", "", quote) in re.sub(r"\s", "", read.text)
    labels = {link.label for link in read.links} if "href" in evidence else set()
    return quote in labels or any(quote in read.slice(block) for block in read.blocks)


@each_folder
def test_every_link_stays_in_the_site_or_leads_to_an_invented_account(folder: Path) -> None:
    for path in html(folder):
        for link in page(folder, path).links:
            parts = urlsplit(link.href)
            if parts.netloc == HOST:
                assert served(folder, parts.path).is_file(), (path, link.href)
            else:
                assert "example" in link.href, (path, link.href)


@each_folder
def test_every_page_can_be_reached_from_the_home_page(folder: Path) -> None:
    seen, ahead = set(), ["/"]
    while ahead:
        path = ahead.pop()
        file = served(folder, path)
        if file in seen or file.suffix != ".html":
            continue
        seen.add(file)
        links = [urlsplit(link.href) for link in page(folder, path).links]
        ahead += [link.path for link in links if link.netloc == HOST]
    assert {served(folder, path) for path in html(folder)} == seen


@each_folder
def test_nothing_is_loaded_from_elsewhere(folder: Path) -> None:
    for path in html(folder):
        tree = LexborHTMLParser((folder / "site" / path[1:]).read_bytes().decode("ascii", "ignore"))
        assert not tree.css("script, iframe, object, embed, video, audio, form, base, meta[http-equiv=refresh]"), path
        loaded = [node.attributes.get("src") or "" for node in tree.css("[src]")]
        loaded += [node.attributes.get("href") or "" for node in tree.css("link")]
        assert all((folder / "site" / target.lstrip("/")).is_file() for target in loaded), path


@each_folder
def test_no_name_of_the_site_is_in_the_registry(folder: Path, shared: Path) -> None:
    rows = list(csv.DictReader((shared / "data/localgovjp/localgovjp-utf8.csv").read_text("utf-8-sig").splitlines()))
    names = {row["city"] for row in rows} | {row["pref"] for row in rows}
    told = manifest(folder)
    assert not {told["name"], told["prefecture"]} & names
    assert told["kana"] not in {row["citykana"] for row in rows}
    text = "\n".join(page(folder, path).text for path in html(folder))
    assert not {name for name in names if len(name) > 2 and name in text}
