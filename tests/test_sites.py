"""The generated municipal sites keep what a measurement rests on: same bytes each time, evidence within reach."""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2
import pytest

from benchmarks.sites import SHAPES, Answer, Site, build, serve
from benchmarks.sites.__main__ import walk
from benchmarks.sites.words import departments, fields, names, series, spots

ROOT = Path(__file__).parent.parent
PAGES = 400
SETTLED_BY_TEXT_OR_LINK = 28
DIGEST = """
import hashlib
from benchmarks.sites import SHAPES, build
for shape in SHAPES:
    site = build(shape, 3, 200)
    bodies = hashlib.sha256(repr((site.paths, site.evidence, site.near)).encode())
    for path in site.paths[::20]:
        bodies.update(site.answer(path).body)
    print(shape, bodies.hexdigest())
"""


@cache
def small(shape: str, seed: int = 1) -> Site:
    return build(shape, seed, PAGES)


def test_the_pools_of_words_name_each_other_rightly() -> None:
    topics = {f"{c.slug}/{t.slug}" for f in fields() for c in f.categories for g in c.groups for t in g.topics}
    elsewhere = {"org", "home", "lang", *(one.key for one in series())}
    assert {spot.place.split(" ")[0] for spot in spots()} <= topics | elsewhere
    known = {one.name for one in departments()}
    assert {name for f in fields() for c in f.categories for name in c.departments} <= known
    assert {name for one in series() for name in one.departments} <= known | {"*"}
    assert len({spot.criterion for spot in spots() if spot.settles}) == SETTLED_BY_TEXT_OR_LINK
    assert len(names()["place"]) == len(set(names()["place"]))


@cache
def answers(shape: str) -> dict[str, Answer]:
    site = small(shape)
    return {path: site.answer(path) for path in site.paths}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_page_answers_and_is_reached_by_links(shape: str) -> None:
    site = small(shape)
    assert PAGES * 0.9 < len(site.paths) < PAGES * 2  # old sites, months and evidence take their room however small
    assert len(set(site.paths)) == len(site.paths)
    assert {answer.status for answer in answers(shape).values()} == {200}
    depth, _, _ = walk(site, answers(shape).__getitem__)
    assert set(site.paths) == set(depth)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_criterion_is_settled_by_a_few_pages(shape: str) -> None:
    site = small(shape)
    assert len(site.evidence) == SETTLED_BY_TEXT_OR_LINK
    pages = {path for paths in site.evidence.values() for path in paths}
    assert 40 <= len(pages) <= 75
    assert pages <= set(site.paths)
    assert all(1 <= len(paths) <= 6 for paths in site.evidence.values())


@pytest.mark.parametrize("shape", SHAPES)
def test_what_settles_a_criterion_stands_on_the_pages_named_for_it_and_on_no_other(shape: str) -> None:
    site = small(shape)
    told = {text for node in site.plan.nodes for text in node.facts if "⟨" not in text}
    evidence = {path for paths in (*site.evidence.values(), *site.near.values()) for path in paths}
    for node in site.plan.nodes:
        if node.kind in ("pdf", "file"):
            continue
        text = answers(shape)[node.path].body.decode(site.plan.charset)
        body = text[max(0, text.find("<body")) :]
        found = {one for one in told if one in body}
        own = [one for one in node.facts if one in told]
        assert set(own) <= found
        assert all(any(one in text for text in own) for one in found)
        assert not found or node.path in evidence
    for criterion, near in site.near.items():
        assert not set(near) & set(site.evidence.get(criterion, ())), criterion


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pdf_holds_the_sentence_that_settles(shape: str) -> None:
    site = small(shape)
    files = [node for node in site.plan.nodes if node.kind == "pdf" and node.proves]
    assert files
    for node in files[:4]:  # all are written by the same lines
        document = pypdfium2.PdfDocument(answers(shape)[node.path].body)
        text = "".join(page.get_textpage().get_text_range() for page in document)
        document.close()
        assert all(fact in text.replace("\r", "").replace("\n", "") for fact in node.facts)


def test_the_same_arguments_give_the_same_bytes_in_any_process() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    one, other = (process.communicate()[0] for process in processes)
    assert one == other
    assert len(one.split()) == 2 * len(SHAPES)


def test_a_large_site_has_about_the_pages_asked_for() -> None:
    assert abs(len(build(SHAPES[0], 1).paths) - 8000) < 8000 * 0.02


def test_seeds_give_different_sites() -> None:
    one, other = small(SHAPES[0]), small(SHAPES[0], 2)
    assert one.evidence != other.evidence
    assert hashlib.sha256(one.answer("/").body).digest() != hashlib.sha256(other.answer("/").body).digest()


def test_the_server_answers_as_the_site_does_on_one_connection() -> None:
    site = small(SHAPES[0])
    with serve(site) as address:
        client = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        for path in (site.home, site.paths[-1], "/robots.txt", "/no/such/page"):
            client.request("GET", path)
            answer = client.getresponse()
            expected = site.answer(path, address)
            assert (answer.status, answer.read()) == (expected.status, expected.body)
        client.close()
