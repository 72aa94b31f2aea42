"""A run goes on from its archive alone: whatever becomes of the frontier's file, nothing that was answered is asked."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browsing import needs_chromium
from crawling import CODE, RUN, Crawled, plan, run
from hostile import Reply, Server, page, path_of, redirect, serve
from living import Doc
from living import Site as Living
from scripted_sites import city
from test_crawl_kill import DELAY_S, archived, start

from pipeline.archive import Archive
from pipeline.crawl import Progress, crawl, render, replay
from pipeline.models import Record, Source

MENU = [(path, f"{path}のご案内") for path in (
    "/a.html", "/moved.html", "/moved-too.html", "/off.html", "/circle.html", "/gone.html", "/busy.html", "/no.html",
    "/plan.pdf", "/odd.html", "/two-hops.html", "/empty.html")]  # fmt: skip
PDF = Reply(b"%PDF-1.4 ...", media="application/pdf")
RSS = Reply(b"<rss><channel><item><link>/fed.html</link></item></channel></rss>", media="application/rss+xml")


def site() -> Callable[[str], Reply | str | None]:
    """Every way in which an address answers: pages, lists, redirects of all kinds, errors, and a server that is busy at
    first."""
    asked: Counter[str] = Counter()
    listed = b"<urlset><url><loc>/listed.html</loc></url></urlset>"
    known: dict[str, Reply | str] = {
        "/": page(*MENU, ("/feed.xml", "RSS"), title="市"),
        "/robots.txt": redirect("/rules.txt"),
        "/rules.txt": Reply(b"User-agent: *\nDisallow: /no.html\nSitemap: /map.xml.gz\n", media="text/plain"),
        "/map.xml.gz": Reply(gzip.compress(listed), media="application/gzip"),
        "/sitemap.xml": Reply(listed, media="application/xml"),
        "/feed.xml": RSS,
        "/a.html": page(("/b.html", "くわしく"), ("/moved.html", "もう一度"), title="a"),
        "/moved.html": redirect("/a.html"),
        "/moved-too.html": redirect("/a.html"),
        "/two-hops.html": redirect("/hop.html", status=301),
        "/hop.html": redirect("/end.html", status=308),
        "/off.html": redirect("http://elsewhere.example/"),
        "/circle.html": redirect("/circle-2.html"),
        "/circle-2.html": redirect("/circle.html"),
        "/plan.pdf": PDF,
        "/odd.html": Reply(page(title="odd").encode(), media="", headers=(("X-Odd", "a\tb"),)),
        "/empty.html": Reply(b""),
        **{f"/{name}.html": page(("/", "ホーム"), title=name) for name in ("b", "end", "fed", "listed")},
    }

    def answer(path: str) -> Reply | str | None:
        asked[path] += 1
        if path == "/busy.html":
            return Reply(status=503, headers=(("Retry-After", "0"),)) if asked[path] == 1 else page(title="busy")
        return Reply(b"<p>no</p>", status=410) if path == "/gone.html" else known.get(path)

    return answer


def account(crawled: Crawled) -> dict[str, object]:
    return crawled.coverage.model_dump(exclude={"started", "finished"})


def lose(folder: Path) -> None:
    for path in folder.glob("frontier.db*"):
        path.unlink()


def copied(folder: Path, to: Path) -> None:
    with closing(sqlite3.connect(folder / "frontier.db")) as here, closing(sqlite3.connect(to)) as there:
        here.backup(there)


def put_back(copy: Path, folder: Path) -> None:
    lose(folder)
    (folder / "frontier.db").write_bytes(copy.read_bytes())


def again(server: Server, folder: Path, **changes: object) -> Crawled:
    server.log.clear()
    return run(plan(server.url, **changes), folder)


@pytest.mark.parametrize("max_pages", [400, 6], ids=["whole", "budget spent"])
def test_without_its_frontier_a_crawl_is_told_again_by_its_archive(max_pages: int, tmp_path: Path) -> None:
    with serve(site()) as server:
        before = run(plan(server.url, max_pages=max_pages), tmp_path)
        asked = server.paths()
        lose(tmp_path)
        after = again(server, tmp_path, max_pages=max_pages)
        assert server.log == []
    assert len(asked) > max_pages or len(asked) > 20
    assert after.snapshots == before.snapshots
    assert account(after) == account(before)
    assert after.coverage.started == min(one.fetched_at for one in before.snapshots)


def test_an_older_frontier_of_any_moment_comes_to_the_same_end(tmp_path: Path) -> None:
    copies: list[Path] = []

    def copy(_: Progress) -> None:
        copies.append(tmp_path / f"copy-{len(copies)}.db")
        copied(tmp_path / "here", copies[-1])

    with serve(site()) as server:
        before = run(plan(server.url), tmp_path / "here", copy)
        assert len(copies) > 15
        for one in copies[::3]:
            put_back(one, tmp_path / "here")
            after = again(server, tmp_path / "here")
            assert server.log == []
            assert (after.snapshots, account(after)) == (before.snapshots, account(before))


def test_what_gave_nothing_to_archive_is_asked_again(tmp_path: Path) -> None:
    """An image is no page, and a name that nobody knows gives no answer: both are tried anew, and told alike."""
    pictures = {
        "/": page(("/a.html", "a"), ("/b.html", "b")),
        "/a.html": page(),
        "/b.html": Reply(b"", media="image/x"),
    }
    with serve(pictures) as server:
        before = run(plan(server.url), tmp_path)
        lose(tmp_path)
        after = again(server, tmp_path)
        assert server.paths() == ["/b.html"]
    assert account(after) == account(before)


def test_a_body_that_cannot_be_read_any_more_is_asked_for_again(tmp_path: Path) -> None:
    with serve({"/": page(("/a.html", "a"), title="市"), "/a.html": page(title="a")}) as server:
        before = run(plan(server.url), tmp_path)
        lose(tmp_path)
        damaged = next(one for one in before.snapshots if path_of(one.url) == "/a.html")
        with (tmp_path / "archive" / damaged.warc).open("r+b") as warc:
            warc.seek(damaged.offset + 20)
            warc.write(bytes(40))
        again(server, tmp_path)
        assert server.paths() == ["/a.html"]
        with Archive(tmp_path / "archive") as archive:
            assert archive.body(damaged.sha256)


def test_old_rules_are_not_relied_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9309: robots.txt of yesterday may have changed, the pages that it allowed are archived all the same."""
    with serve(site()) as server:
        before = run(plan(server.url), tmp_path)
        lose(tmp_path)
        monkeypatch.setattr(replay, "ROBOTS_HOLD", timedelta(0))
        after = again(server, tmp_path)
        assert server.paths() == ["/robots.txt", "/rules.txt"]
    assert len(after.snapshots) == len(before.snapshots) + 1
    assert account(after) == account(before)


def test_an_unchanged_page_of_an_earlier_run_is_told_again_as_that(tmp_path: Path) -> None:
    """A 304 of this run stands for an earlier body; an answer of an earlier run stands for nothing of this one."""
    second = "20270101T000000Z-990101"
    docs = {"/": Doc(page(("/a.html", "a"), ("/b.html", "b"), title="市"), etag=True), "/b.html": Doc(page(title="b"))}
    living = Living({**docs, "/a.html": Doc(page(title="a"), etag=True)})

    def survey(server: Server) -> Crawled:
        server.log.clear()
        return run(plan(server.url), tmp_path, run_id=second, earlier=(RUN,))

    with serve(living) as server:
        run(plan(server.url), tmp_path)
        before = survey(server)
        assert {path_of(one.url) for one in before.snapshots if one.record is Record.REVISIT} == {
            "/",
            "/a.html",
            "/b.html",
        }
        for path in tmp_path.glob(f"{second}.db*"):
            path.unlink()
        after = survey(server)
        assert server.log == []
    assert (after.snapshots, account(after)) == (before.snapshots, account(before))


def test_what_a_file_brought_into_a_run_is_no_answer_of_the_site(tmp_path: Path) -> None:
    """A survey of a WARC asks the addresses that were typed, though the WARC holds something under them."""
    with serve({"/": page(title="today")}) as server:
        with Archive(tmp_path / "archive") as archive:
            archive.write(
                code=CODE, run_id=RUN, url=server.url, final_url=server.url, fetched_at=datetime.now(UTC), status=200,
                headers=(("Content-Type", "text/html"),), body=b"<p>of long ago</p>", source=Source.OFFICIAL,
            )  # fmt: skip
        run(plan("", extra=(server.url,), allow_private=("*",)), tmp_path)
        assert server.paths() == ["/robots.txt", "/"]


@needs_chromium
def test_a_rendered_page_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "STILL_S", 0.3)
    with serve(city()) as server:
        before = run(plan(server.url, render=True), tmp_path)
        assert any(one.record is Record.CONVERSION for one in before.snapshots)
        lose(tmp_path)
        after = again(server, tmp_path, render=True)
        assert server.log == []
    assert (after.snapshots, account(after)) == (before.snapshots, account(before))


def test_kill_9_and_a_frontier_that_is_lost_or_old(tmp_path: Path) -> None:
    """As on another machine, which has the archive and no frontier, or one from when it last held the city."""
    moments, there, copy = random.Random(8), tmp_path / "killed", tmp_path / "copy.db"
    fates = itertools.cycle(("lost", "old", "lost", "lost"))
    there.mkdir()
    with serve(site()) as server:
        whole = run(plan(server.url), tmp_path / "whole")
        asked_once = Counter(server.paths())
    with serve(site(), port=int(server.place.rpartition(":")[2]), slowness_s=0.02) as server:
        kills = 0
        for fate in itertools.islice(fates, 5):
            seen, child = len(server.log), start(server.url, there, 400)
            while len(server.log) == seen and child.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0.0, 0.4))
            child.send_signal(signal.SIGKILL)
            kills += child.wait() == -signal.SIGKILL
            if fate == "lost":
                copied(there, copy)
                lose(there)
            elif copy.exists():
                put_back(copy, there)
        assert start(server.url, there, 400).wait(timeout=30) == 0
        after = Counter(server.paths())
    assert kills >= 3
    assert set(after) == set(asked_once)
    assert sum(after.values()) - sum(asked_once.values()) <= kills
    assert all(count <= asked_once[path] + kills for path, count in after.items())
    told = [(one.url, one.status, one.sha256) for one in whole.snapshots]
    assert sorted(archived(there)) == sorted(told)
    resumed = run(plan(server.url, delay_s=DELAY_S), there)
    assert account(resumed) == account(whole)


def test_a_cancelled_crawl_leaves_no_write_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is slow, as on a network: what is being written is there when the crawl has ended, and once only."""
    write, writing, ended = Archive.write, threading.Event(), threading.Event()

    def slow(self: Archive, **answer: object) -> object:
        writing.set()
        time.sleep(0.2)
        try:
            return write(self, **answer)  # type: ignore[arg-type]
        finally:
            ended.set()

    async def cut(url: str, archive: Archive) -> None:
        task = asyncio.create_task(
            crawl(
                plan(url), archive=archive, code=CODE, run_id=RUN, frontier_path=tmp_path / "frontier.db",
                progress=lambda _: None,
            )
        )  # fmt: skip
        while not writing.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert ended.is_set()

    with serve({"/": page(title="市")}) as server:
        with Archive(tmp_path / "archive") as archive, monkeypatch.context() as patched:
            patched.setattr(Archive, "write", slow)
            asyncio.run(cut(server.url, archive))
        run(plan(server.url), tmp_path)
        assert Counter(server.paths()) == {"/robots.txt": 1, "/": 1, "/sitemap.xml": 1}
