"""Revisits: what a WARC says it has seen again is read where its body is at hand, and told plainly where not."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.archive import Archive, import_warc
from pipeline.models import Cause, Record, Snapshot

CODE, RUN = "141500", "run-1"
HOME = "https://www.city.example.jp/"
TEXT = ("<p>" + "市役所の窓口" * 50).encode()
HTML = [("Content-Type", "text/html")]
FIRST, THEN = "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z"
LOST = "sha1:" + "A" * 32


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive") as made:
        yield made


class Tool:
    """Another tool's WARC, written record by record with warcio."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._writer = WARCWriter(self._file, gzip=True)
        self.digest = ""

    def page(self, url: str = HOME, body: bytes = TEXT) -> Tool:
        http = StatusAndHeaders("200 OK", HTML, protocol="HTTP/1.1")
        made = self._writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=http,
            warc_headers_dict={"WARC-Date": FIRST},
        )
        self._writer.write_record(made)
        self.digest = made.rec_headers.get_header("WARC-Payload-Digest")
        return self

    def bare_page(self, url: str = HOME, body: bytes = TEXT) -> Tool:
        """Without digests, which WARC does not demand."""
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
        head = f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Date: {FIRST}\r\nWARC-Target-URI: {url}\r\n"
        self._file.write(gzip.compress(f"{head}Content-Length: {len(http)}\r\n\r\n".encode() + http + b"\r\n\r\n"))
        return self

    def again(self, status: str | None, digest: str, *, of: str = HOME, since: str = FIRST, url: str = HOME) -> Tool:
        http = StatusAndHeaders(status, [("ETag", '"1"')], protocol="HTTP/1.1") if status else None
        made = self._writer.create_revisit_record(
            url, digest, of, since, http_headers=http, warc_headers_dict={"WARC-Date": THEN}
        )
        self._writer.write_record(made)
        return self

    def close(self) -> None:
        self._file.close()


def imported(archive: Archive, path: Path):  # type: ignore[no-untyped-def]
    return import_warc(archive, path, code=CODE, run_id=RUN, home_url=HOME)


@pytest.mark.parametrize("status", ["304 Not Modified", "200 OK", None])
@pytest.mark.parametrize("url", [HOME, HOME + "mirror.html"])
def test_a_revisit_whose_body_is_in_the_same_file_is_read(
    archive: Archive, tmp_path: Path, status: str | None, url: str
) -> None:
    tool = Tool(tmp_path / "x.warc.gz").page()
    tool.again(status, tool.digest, url=url).close()
    first, again = imported(archive, tmp_path / "x.warc.gz")
    assert (again.sha256, again.final_url, again.record) == (first.sha256, url, Record.REVISIT)
    assert again.is_page and again.fetched_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert archive.original(again) == first
    assert archive.body(again.sha256) == TEXT
    (archive.folder / "index.db").unlink()
    with Archive(archive.folder) as rebuilt:
        assert rebuilt.snapshots(RUN) == [first, again]
        assert len(imported(rebuilt, tmp_path / "x.warc.gz")) == len(rebuilt.snapshots(RUN)) == 2


def test_a_body_may_stand_behind_its_revisit_and_be_named_in_one_way_only(archive: Archive, tmp_path: Path) -> None:
    tool = Tool(tmp_path / "x.warc.gz")
    tool.again("200 OK", LOST, url=HOME + "by-time.html")
    tool.bare_page()
    tool.page(HOME + "other.html", b"<p>other")
    tool.again("200 OK", tool.digest, url=HOME + "by-digest.html", of=HOME + "nowhere.html").close()
    found = imported(archive, tmp_path / "x.warc.gz")
    assert found.unread == ()
    bodies = {one.url.removeprefix(HOME): archive.body(one.sha256) for one in found}
    assert bodies == {"": TEXT, "other.html": b"<p>other", "by-time.html": TEXT, "by-digest.html": b"<p>other"}


@pytest.mark.parametrize(("digest", "since"), [(LOST, FIRST), (LOST, "2020-01-01T00:00:00Z")])
def test_a_revisit_whose_body_is_elsewhere_is_told(archive: Archive, tmp_path: Path, digest: str, since: str) -> None:
    """The same address and time, but another body, is elsewhere too."""
    Tool(tmp_path / "x.warc.gz").page().again("304", digest, since=since).close()
    found = imported(archive, tmp_path / "x.warc.gz")
    assert len(found) == 1
    assert [(one.url, one.cause) for one in found.unread] == [(HOME, Cause.ELSEWHERE)]
    assert "does not hold" in found.unread[0].detail


def test_our_own_second_run_says_where_its_bodies_are(archive: Archive, tmp_path: Path) -> None:
    def write(run_id: str, earlier: Snapshot | None = None) -> Snapshot:
        return archive.write(
            code=CODE,
            run_id=run_id,
            url=HOME,
            final_url=HOME,
            fetched_at=datetime.now(UTC),
            status=304 if earlier else 200,
            headers=(("Content-Type", "text/html"),),
            body=TEXT,
            earlier=earlier,
        )

    first = write("run-1")
    write("run-2", first)
    with (archive.folder / CODE / "run-2.warc.gz").open("rb") as file:
        _, record = ArchiveIterator(file)
        named = record.rec_headers.get_header("WARC-Refers-To-Date")
        assert datetime.fromisoformat(named) == first.fetched_at
        assert record.rec_headers.get_header("WARC-Refers-To-Target-URI") == HOME
        assert record.http_headers.get_header("Content-Length") is None  # it would be that of no body
    second = archive.folder / CODE / "run-2.warc.gz"
    both = tmp_path / "both.warc.gz"
    both.write_bytes(second.read_bytes() + (archive.folder / CODE / "run-1.warc.gz").read_bytes())
    with Archive(tmp_path / "other") as other:
        found = imported(other, both)
        assert [(one.sha256, one.status) for one in found] == [(first.sha256, 200), (first.sha256, 304)]
        assert [other.original(one).status for one in found] == [200, 200]


def test_a_file_of_revisits_alone_is_no_site(archive: Archive, tmp_path: Path) -> None:
    from pipeline.errors import SiteError

    Tool(tmp_path / "x.warc.gz").again("304", LOST).close()
    with pytest.raises(SiteError, match="holds no HTTP answer .*which this WARC does not hold"):
        imported(archive, tmp_path / "x.warc.gz")
