"""A WARC of ours in other hands: what was rendered and measured comes along, what others keep as such does not."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.archive import Archive, Imported, import_warc
from pipeline.archive.answer import ASKED
from pipeline.errors import SiteError
from pipeline.models import Cause, Coverage, Load, Municipality, Record, Run, RunState, Source, Speed
from pipeline.reading import Read, read

CODE, RUN = "141500", "20261120T000000000000Z-141500"
HOME = "https://www.city.example.jp/"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
FRAME = '<title>架空市</title><div id="app"></div><script src="/app.js"></script>'
FILLED = (
    "<title>架空市</title><h1>架空市</h1><p>本市では、申請の受付にRPAを導入しています。</p>"
    + "<p>窓口のご案内</p>" * 20
)


def write(archive: Archive, body: str, record: Record, *, minute: int = 0, url: str = HOME) -> None:
    media = "application/json" if record is Record.RESOURCE else "text/html; charset=utf-8"
    archive.write(
        code=CODE,
        run_id=RUN,
        url=url,
        final_url=url,
        fetched_at=NOW + timedelta(minutes=minute),
        status=200,
        headers=(("Content-Type", media),),
        body=body.encode(),
        record=record,
    )


def measurement(url: str = HOME) -> str:
    loads = tuple(Load(started=NOW, url=url, status=200, lcp_ms=ms) for ms in (900.0, 1000.0, 1100.0))
    return Speed(url=url, loads=loads, browser="Chromium 1").model_dump_json(exclude={"sha256"})


def imported(path: Path, folder: Path) -> Imported:
    with Archive(folder) as archive:
        return import_warc(archive, path, code=CODE, run_id=RUN, home_url=HOME)


def seen(folder: Path) -> Read:
    run = Run(
        id=RUN,
        municipality=Municipality(code=CODE, name="架空市", home_url=HOME),
        criteria_id="dx-2024",
        criteria_sha256="0" * 64,
        as_of=date(2026, 11, 20),
        judge="rules",
        origin="warc:x",
        state=RunState.CRAWLING,
        started=NOW,
    )
    gathered = Coverage(home_read=True, found=1, fetched=1, read=1, started=NOW, finished=NOW)
    with Archive(folder) as archive:
        return read(archive, run, gathered, lambda *_: None)


def test_what_was_rendered_and_measured_comes_along(tmp_path: Path) -> None:
    with Archive(tmp_path / "ours") as archive:
        write(archive, FRAME, Record.RESPONSE)
        write(archive, FILLED, Record.CONVERSION, minute=1)
        write(archive, measurement(), Record.RESOURCE, minute=2)
    found = imported(tmp_path / "ours" / CODE / f"{RUN}.warc.gz", tmp_path / "theirs")
    assert [one.record for one in found] == [Record.RESPONSE, Record.CONVERSION, Record.RESOURCE]
    ours, theirs = seen(tmp_path / "ours"), seen(tmp_path / "theirs")
    assert theirs == ours
    assert ["RPAを導入" in page.text for page in theirs.pages.values()] == [True]
    assert theirs.speed is not None and [load.lcp_ms for load in theirs.speed.loads] == [900, 1000, 1100]
    assert imported(tmp_path / "ours" / CODE / f"{RUN}.warc.gz", tmp_path / "theirs") == found, "nothing is added twice"


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([(Record.RESPONSE, FRAME), (Record.CONVERSION, FILLED)], "RPAを導入"),
        ([(Record.RESPONSE, FRAME), (Record.CONVERSION, FILLED), (Record.RESPONSE, FRAME)], Cause.SCRIPT),
        ([(Record.CONVERSION, FILLED), (Record.RESPONSE, FILLED.replace("導入", "廃止"))], "RPAを廃止"),
        ([(Record.CONVERSION, FILLED), (Record.RESPONSE, FRAME), (Record.CONVERSION, FILLED + "今")], "今"),
        ([(Record.CONVERSION, FILLED)], "RPAを導入"),
    ],
    ids=["rendered", "asked again and not rendered", "plain by now", "rendered again", "the answer is lost"],
)
def test_what_was_rendered_stands_for_the_answer_it_was_made_of(
    tmp_path: Path, records: list[tuple[Record, str]], says: str | Cause
) -> None:
    """And for no later one, though its bytes be the same: what fills the frame may have changed."""
    with Archive(tmp_path) as archive:
        for minute, (record, body) in enumerate(records):
            write(archive, body, record, minute=minute)
    found = seen(tmp_path)
    if isinstance(says, Cause):
        assert found.pages == {}
        assert [one.cause for one in found.coverage.unread] == [says]
    else:
        assert [says in page.text for page in found.pages.values()] == [True]


def test_a_measurement_of_another_page_is_not_the_home_pages(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        write(archive, FILLED, Record.RESPONSE)
        write(archive, measurement("https://www.town.example.jp/"), Record.RESOURCE)
        write(archive, '{"name": "another measurement"}', Record.RESOURCE, minute=1)
    assert seen(tmp_path).speed is None
    assert len(seen(tmp_path).pages) == 1


def foreign(path: Path, kind: str, media: str, body: bytes, *fields: str) -> Path:
    """A file with a page and a record that another tool wrote."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + FILLED.encode()
    records = []
    for name, block, content_type, more in (
        ("response", page, "application/http; msgtype=response", ()),
        (kind, body, media, fields),
    ):
        head = [f"WARC-Type: {name}", f"WARC-Target-URI: {HOME}", "WARC-Date: 2026-11-20T00:00:00Z", *more]
        head += [f"Content-Type: {content_type}", f"Content-Length: {len(block)}"]
        records.append(("\r\n".join(["WARC/1.1", *head]) + "\r\n\r\n").encode() + block + b"\r\n\r\n")
    path.write_bytes(b"".join(map(gzip.compress, records)))
    return path


@pytest.mark.parametrize("kind", ["conversion", "resource", "metadata", "continuation"])
def test_what_other_tools_keep_beside_answers_is_no_page(tmp_path: Path, kind: str) -> None:
    path = foreign(tmp_path / "x.warc.gz", kind, "text/html", b"<p>" + "RPAを廃止しました。".encode())
    found = imported(path, tmp_path / "theirs")
    assert [one.record for one in found] == [Record.RESPONSE]
    assert found.unread == ()


@pytest.mark.parametrize(
    "field", [(f"{ASKED}: {HOME}", "WARC-Truncated: length"), (f"{ASKED}: {HOME}", "WARC-X-Source: nobody")]
)
def test_a_broken_record_of_ours_is_told(tmp_path: Path, field: tuple[str, ...]) -> None:
    path = foreign(tmp_path / "x.warc.gz", "conversion", "text/html", FILLED.encode(), *field)
    found = imported(path, tmp_path / "theirs")
    assert [one.record for one in found] == [Record.RESPONSE]
    assert [(one.url, one.cause) for one in found.unread] == [(HOME, Cause.BROKEN)]


def test_measurements_alone_are_no_site(tmp_path: Path) -> None:
    with Archive(tmp_path / "ours") as archive:
        write(archive, measurement(), Record.RESOURCE)
    with pytest.raises(SiteError, match="holds no HTTP answer"):
        imported(tmp_path / "ours" / CODE / f"{RUN}.warc.gz", tmp_path / "theirs")


def test_what_was_rendered_elsewhere_is_another_speakers(tmp_path: Path) -> None:
    with Archive(tmp_path / "ours") as archive:
        write(archive, FILLED, Record.RESPONSE)
        write(archive, FILLED, Record.CONVERSION, url="https://news.example.org/")
    found = imported(tmp_path / "ours" / CODE / f"{RUN}.warc.gz", tmp_path / "theirs")
    assert [one.source for one in found] == [Source.OFFICIAL, Source.PRESS]
