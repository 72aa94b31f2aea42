"""What an archive holds becomes pages, and every address that did not give its own page is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.archive import Archive
from pipeline.models import Cause, Coverage, Municipality, Run, RunState, Source
from pipeline.reading import Read, read

HOME = "http://www.city.example.lg.jp/"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
LABELS = ("RPAの取り組み", "施設予約", "市税の納付")
LINKS = "".join(f"<li><a href=/p{number}.html>{label}</a></li>" for number, label in enumerate(LABELS))
FRONT = f"<title>青空市</title><h1>青空市</h1><p>ようこそ。</p><ul>{LINKS}</ul>"


def seen(folder: Path, bodies: dict[str, str], sources: dict[str, Source] | None = None) -> Read:
    run = Run(
        id="20261120T000000000000Z-999991",
        municipality=Municipality(code="999991", name="青空市", home_url=HOME),
        criteria_id="dx-2024",
        criteria_sha256="0" * 64,
        as_of=date(2026, 11, 20),
        judge="rules",
        state=RunState.CRAWLING,
        started=NOW,
    )
    gathered = Coverage(
        home_read=True, found=len(bodies), fetched=len(bodies), read=len(bodies), started=NOW, finished=NOW
    )
    with Archive(folder) as archive:
        for path, body in bodies.items():
            archive.write(
                code="999991",
                run_id=run.id,
                url=HOME + path,
                final_url=HOME + path,
                fetched_at=NOW,
                status=200,
                headers=(("content-type", f"text/{'xml' if path.endswith('xml') else 'html'}; charset=utf-8"),),
                body=body.encode(),
                source=(sources or {}).get(path, Source.OFFICIAL),
            )
        return read(archive, run, gathered, lambda *_: None)


def test_the_same_few_words_at_every_address_are_no_pages(tmp_path: Path) -> None:
    """A firewall or a maintenance page that answers 200: nobody has seen what stands there."""
    walls = {f"p{number}.html": f"<title>確認</title><p>Incident ID: 18273645{number}</p>" for number in range(3)}
    coverage = seen(tmp_path, {"": FRONT, "a.html": "<p>市の案内です。</p>", **walls}).coverage
    assert [(one.label, one.cause) for one in coverage.unread] == [(label, Cause.EMPTY) for label in LABELS]
    assert (coverage.home_read, coverage.read) == (True, 2)


def test_every_address_of_an_empty_body_is_told(tmp_path: Path) -> None:
    scripts = {
        f"p{number}.html": "<title>青空市</title><div id=app></div><script src=a.js></script>" for number in range(3)
    }
    pages = {"": FRONT, "a.html": "<p>市の案内です。</p>", **scripts}
    assert [one.label for one in seen(tmp_path, pages).coverage.unread] == list(LABELS)


def test_one_page_at_two_addresses_or_with_figures_of_its_own_is_read(tmp_path: Path) -> None:
    notes = {f"p{number}.html": f"<title>お知らせ</title><p>第{number}回の催しです。</p>" for number in range(3)}
    mirror = {"a.html": "<p>市の案内です。</p>", "b.html": "<p>市の案内です。</p>"}
    assert seen(tmp_path, {"": FRONT, **notes, **mirror}).coverage.unread == ()


def test_a_robots_file_that_answers_as_the_home_page_does_not_hide_it(tmp_path: Path) -> None:
    assert len(seen(tmp_path, {"robots.txt": FRONT, "": FRONT}).pages) == 1


def test_a_home_page_that_leads_nowhere_is_no_site(tmp_path: Path) -> None:
    coverage = seen(tmp_path, {"": "<title>青空市</title><p>3秒後に移動します</p>"}).coverage
    assert not coverage.home_read
    assert [one.detail for one in coverage.unread] == ["it led to no other page"]


def test_another_speakers_feed_says_nothing_of_how_often_the_site_changes(tmp_path: Path) -> None:
    feed = "<rss><channel><item><pubDate>2026-11-19</pubDate></item></channel></rss>"
    bodies = {"": FRONT, "a.html": "<p>市の案内です。</p>"} | {
        f"{source}.xml": feed.replace("19", str(10 + number)) for number, source in enumerate(Source)
    }
    found = seen(tmp_path, bodies, {f"{source}.xml": source for source in Source})
    assert [one.url for one in found.lists] == [HOME + "official.xml"]


def test_of_a_page_archived_on_several_days_the_last_counts(tmp_path: Path) -> None:
    """As a WARC of two surveys holds it: what stood there before is no evidence of today."""
    with Archive(tmp_path) as archive:
        for day, says in ((3, "二代目"), (1, "初代"), (2, "先代")):
            archive.write(
                code="999991",
                run_id="20261120T000000000000Z-999991",
                url=HOME,
                final_url=HOME,
                fetched_at=NOW - timedelta(days=9 - day),
                status=200,
                headers=(("content-type", "text/html; charset=utf-8"),),
                body=f"<p>{says}の市長です。</p>".encode(),
            )
    assert [page.text for page in seen(tmp_path, {}).pages.values()] == ["二代目の市長です。"]
