"""A second survey asks for what has changed, and believes no server more than it says."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from crawling import CODE, RUN, Crawled, plan, run
from hostile import Server, page, path_of, redirect, serve
from living import Doc, Site, send

from pipeline.archive import Archive
from pipeline.models import Cause, Record

SECOND, THIRD = "20270101T000000Z-990101", "20280101T000000Z-990101"
OLD = 1_700_000_000.0  # long before any fetch
MENU = [(f"/{name}.html", f"{name}のご案内") for name in ("a", "b", "c")]


def small(**more: Doc) -> Site:
    """A home page with links to a, b and c; `more` says how they are."""
    usual = {f"/{name}.html": Doc(page(title=f"{name}のページ"), etag=True) for name in ("a", "b", "c")}
    usual |= {f"/{name}.html": doc for name, doc in more.items()}
    return Site({"/": Doc(page(*MENU, title="市"), etag=True), **usual})


def first(server: Server, folder: Path) -> Crawled:
    found = run(plan(server.url), folder)
    server.log.clear()
    return found


def again(server: Server, folder: Path, run_id: str = SECOND, earlier: tuple[str, ...] = (RUN,)) -> Crawled:
    return run(plan(server.url), folder, run_id=run_id, earlier=earlier)


def kinds(crawled: Crawled) -> dict[str, tuple[int, Record]]:
    return {path_of(one.url): (one.status, one.record) for one in crawled.snapshots if one.is_page}


# --- what a second survey costs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("doc", [{"etag": True}, {"etag": True, "weak": True}, {"modified": OLD}], ids=str)
def test_an_unchanged_page_is_not_sent_again_and_its_links_are_followed(doc: dict[str, object], tmp_path: Path) -> None:
    """All of a site but its robots.txt, which does not exist: the server's own log says that it sent no body."""
    site = small()
    site.docs = {path: Doc(one.body, **doc) for path, one in site.docs.items()}  # type: ignore[arg-type]
    site.docs["/robots.txt"] = Doc("User-agent: *\nDisallow: /x\n", media="text/plain", **doc)  # type: ignore[arg-type]
    site.docs["/sitemap.xml"] = Doc(
        "<urlset><url><loc>/d.html</loc></url></urlset>", media="application/xml", **doc  # type: ignore[arg-type]
    )  # fmt: skip
    site.docs["/d.html"] = Doc(page(title="dのページ"), **doc)  # type: ignore[arg-type]
    with serve(site) as server:
        before = first(server, tmp_path)
        assert sorted(site.bodies) == sorted(site.docs)
        site.bodies.clear()
        after = again(server, tmp_path)
        assert site.bodies == []
        assert sorted(server.paths()) == sorted(site.docs)
    assert set(kinds(after).values()) == {(304, Record.REVISIT)}
    assert {one.sha256 for one in after.snapshots} == {one.sha256 for one in before.snapshots}
    assert (after.coverage.read, after.coverage.fetched) == (before.coverage.read, before.coverage.fetched)
    with Archive(tmp_path / "archive") as archive:
        for one in after.snapshots:
            assert archive.body(one.sha256)
            assert archive.original(one).fetched_at < one.fetched_at


def test_the_same_bytes_without_validators_are_kept_once(tmp_path: Path) -> None:
    site = small(a=Doc(page(title="aのページ")))
    with serve(site) as server:
        first(server, tmp_path)
        after = again(server, tmp_path)
    assert kinds(after)["/a.html"] == (200, Record.REVISIT)
    assert site.bodies.count("/a.html") == 2


def test_a_changed_page_is_sent_and_archived_whole(tmp_path: Path) -> None:
    site = small()
    with serve(site) as server:
        first(server, tmp_path)
        site.docs["/b.html"] = Doc(page(("/new.html", "新しいご案内"), title="bは変わった"), etag=True)
        site.docs["/new.html"] = Doc(page(title="新しい"), etag=True)
        site.bodies.clear()
        after = again(server, tmp_path)
    assert sorted(site.bodies) == ["/b.html", "/new.html"]
    assert kinds(after)["/b.html"] == kinds(after)["/new.html"] == (200, Record.RESPONSE)


def test_a_third_survey_asks_by_what_the_second_heard(tmp_path: Path) -> None:
    """A tag that changes though the bytes do not, and a 304 that says no tag at all."""

    def new_tag_each_time(handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        handler.server.seen = getattr(handler.server, "seen", 0) + 1  # type: ignore[attr-defined]
        tag = f'"{handler.server.seen}"'  # type: ignore[attr-defined]
        send(handler, 200, [("ETag", tag), ("Content-Type", doc.media)], doc.body.encode())

    def silent(handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        if doc.unchanged(handler):
            send(handler, 304, [])
        else:
            send(handler, 200, [*doc.headers(), ("Content-Type", doc.media)], doc.body.encode())

    site = small(
        a=Doc(page(title="aのページ"), etag=True, answers=new_tag_each_time),
        b=Doc(page(title="bのページ"), etag=True, answers=silent),
    )
    with serve(site) as server:
        first(server, tmp_path)
        again(server, tmp_path)
        server.log.clear()
        third = again(server, tmp_path, THIRD, (RUN, SECOND))
        sent = {one.path: one.headers.get("If-None-Match") for one in server.log}
    assert sent["/a.html"] == '"2"'
    assert sent["/b.html"] == site.docs["/b.html"].tag
    assert kinds(third)["/a.html"] == (200, Record.REVISIT)
    assert kinds(third)["/b.html"] == (304, Record.REVISIT)
    with Archive(tmp_path / "archive") as archive:
        assert all(archive.original(one).record is Record.RESPONSE for one in third.snapshots if one.is_page)


# --- servers that are wrong -------------------------------------------------------------------------------------------


def test_a_304_that_speaks_of_another_page_is_not_believed(tmp_path: Path) -> None:
    """It names another tag, or a later date, than what was asked by: the page has changed, and is asked for in full."""

    def wrong(handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        conditional = "If-None-Match" in handler.headers or "If-Modified-Since" in handler.headers
        send(
            handler,
            304 if conditional else 200,
            [*doc.headers(), ("Content-Type", doc.media)],
            None if conditional else doc.body.encode(),
        )

    site = small(a=Doc("x" * 99, etag=True, answers=wrong), b=Doc("y" * 99, modified=OLD, answers=wrong))
    with serve(site) as server:
        first(server, tmp_path)
        site.docs["/a.html"] = replace(site.docs["/a.html"], body=page(title="aは変わった"))
        site.docs["/b.html"] = replace(site.docs["/b.html"], body=page(title="bは変わった"), modified=OLD + 90)
        after = again(server, tmp_path)
        assert server.paths().count("/a.html") == server.paths().count("/b.html") == 2
    assert kinds(after)["/a.html"] == kinds(after)["/b.html"] == (200, Record.RESPONSE)


def test_a_304_that_was_not_asked_for_is_a_failure(tmp_path: Path) -> None:
    def always(handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        send(handler, 304, [])

    site = small(a=Doc("", answers=always))
    with serve(site) as server:
        assert first(server, tmp_path).causes()["/a.html"] is Cause.PROTOCOL
        site.docs["/b.html"] = Doc("", answers=always)  # without validators before, and asked by a tag now
        after = again(server, tmp_path)
    assert after.causes()["/a.html"] is Cause.PROTOCOL
    assert kinds(after)["/b.html"] == (304, Record.REVISIT)


def test_a_304_with_a_body_spoils_no_other_answer(tmp_path: Path) -> None:
    """What follows it on the connection is not taken for the next page."""

    def talkative(handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        if doc.unchanged(handler):
            send(handler, 304, [("Content-Length", "40"), *doc.headers()], b"<p>" + b"x" * 37)
        else:
            send(handler, 200, [*doc.headers(), ("Content-Type", doc.media)], doc.body.encode())

    site = small()
    site.docs = {path: replace(doc, answers=talkative) for path, doc in site.docs.items()}
    with serve(site) as server:
        before = first(server, tmp_path)
        after = again(server, tmp_path)
    assert {one.sha256 for one in after.snapshots} == {one.sha256 for one in before.snapshots}
    assert after.coverage.read == 4 and after.coverage.unread == ()


def test_a_date_of_the_very_minute_of_the_fetch_is_not_asked_by(tmp_path: Path) -> None:
    site = small(a=Doc(page(title="aのページ"), modified=time.time()))
    with serve(site) as server:
        first(server, tmp_path)
        again(server, tmp_path)
        assert all("If-Modified-Since" not in one.headers for one in server.log)


def test_a_tag_that_no_header_may_carry_is_not_sent(tmp_path: Path) -> None:
    def odd(handler: BaseHTTPRequestHandler, doc: Doc) -> None:
        handler.wfile.write(
            b'HTTP/1.1 200 OK\r\nETag: "\xe3\x81\x82"\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n'
        )
        handler.wfile.write(b"<p>abcd  ")

    site = small(a=Doc("", answers=odd))
    with serve(site) as server:
        first(server, tmp_path)
        after = again(server, tmp_path)
        assert not any(one.headers.get("If-None-Match") for one in server.log if one.path == "/a.html")
    assert kinds(after)["/a.html"] == (200, Record.REVISIT)


# --- where validators go ----------------------------------------------------------------------------------------------


def test_validators_go_to_the_address_they_came_from_and_nowhere_else(tmp_path: Path) -> None:
    """/a leads to /b now, and /c, which led to /d, is a page: neither is asked by what another address had said."""
    docs = {"/": Doc(page(*MENU, title="市"), etag=True), "/a.html": Doc(page(title="aのページ"), etag=True)}
    docs |= {"/b.html": Doc(page(title="bのページ"), etag=True), "/d.html": Doc(page(title="dのページ"), etag=True)}
    site = Site(docs)
    moved = {"/c.html": "/d.html"}
    with serve(lambda path: redirect(moved[path]) if path in moved else site(path)) as server:
        first(server, tmp_path)
        moved = {"/a.html": "/e.html"}
        docs |= {"/c.html": Doc(page(title="cのページ"), etag=True), "/e.html": docs["/a.html"]}
        again(server, tmp_path)
        sent = {one.path: one.headers.get("If-None-Match") for one in server.log}
    assert sent["/a.html"] == docs["/a.html"].tag
    assert sent["/e.html"] is None and sent["/c.html"] is None


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_page_whose_body_the_archive_has_lost_is_asked_for_in_full(harm: str, tmp_path: Path) -> None:
    site = small()
    with serve(site) as server:
        before = first(server, tmp_path)
        warc = tmp_path / "archive" / CODE / f"{RUN}.warc.gz"
        if harm == "gone":
            warc.unlink()
        else:
            content = bytearray(warc.read_bytes())
            lost = next(one for one in before.snapshots if one.url.endswith("/b.html"))
            content[lost.offset + 60 : lost.offset + 90] = bytes(30)
            warc.write_bytes(content)
        site.bodies.clear()
        after = again(server, tmp_path)
    assert sorted(site.bodies) == (sorted(site.docs) if harm == "gone" else ["/b.html"])
    with Archive(tmp_path / "archive") as archive:
        assert all(archive.body(one.sha256) for one in after.snapshots if one.is_page)


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def _numbered(count: int) -> Site:
    def links(number: int) -> list[tuple[str, str]]:
        return [(f"/{(number * 3 + step) % count}.html", f"記事{step}") for step in range(1, 7)]

    docs = {f"/{number}.html": Doc(page(*links(number), title=f"第{number}号"), etag=True) for number in range(count)}
    return Site({"/": Doc(page(*links(0), title="市"), etag=True), **docs})


def test_kill_9_in_the_second_survey_loses_nothing(tmp_path: Path) -> None:
    site, moments = _numbered(50), random.Random(7)
    with serve(site) as server:
        first(server, tmp_path)
        for number in range(0, 50, 7):
            site.docs[f"/{number}.html"] = Doc(site.docs[f"/{number}.html"].body + "<p>更新しました。</p>", etag=True)
        order = {"url": server.url, "folder": str(tmp_path), "changes": {"delay_s": 0.02}}
        order["more"] = {"run_id": SECOND, "earlier": [RUN]}
        command = [sys.executable, str(Path(__file__).with_name("crawling.py")), json.dumps(order)]
        kept: list[tuple[str, int, str]] = []
        killed = 0
        for _ in range(3):
            seen = len(server.log)
            child = subprocess.Popen(command)
            deadline = time.monotonic() + 20
            while len(server.log) == seen and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(moments.uniform(0.05, 0.3))
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
            with Archive(tmp_path / "archive") as archive:
                now = [(one.url, one.status, one.sha256) for one in archive.snapshots(SECOND)]
            assert now[: len(kept)] == kept
            kept = now
        assert killed >= 2 and kept
        site.bodies.clear()
        done = again(server, tmp_path)
    changed = {f"/{number}.html" for number in range(0, 50, 7)}
    assert {path for path, (status, _) in kinds(done).items() if status == 200} == changed
    assert done.coverage.read == 51 and done.coverage.unread == ()
    assert set(site.bodies) <= changed
    with Archive(tmp_path / "archive") as archive:
        assert all(archive.body(one.sha256) for one in done.snapshots if one.is_page)


# --- redirects --------------------------------------------------------------------------------------------------------


def test_a_redirect_is_archived_even_where_it_leads_to_a_page_already_read(tmp_path: Path) -> None:
    site = small()
    with serve(lambda path: redirect("/b.html", 301) if path == "/a.html" else site(path)) as server:
        crawled = first(server, tmp_path)
    moved = [one for one in crawled.snapshots if one.status == 301]
    assert [(path_of(one.url), path_of(one.final_url), one.header("location")) for one in moved] == [
        ("/a.html", "/a.html", "/b.html")
    ]
    assert crawled.coverage.fetched == len(crawled.snapshots)
