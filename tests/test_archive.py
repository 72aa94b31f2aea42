"""The archive loses nothing: what was written reads back equal, from the WARC alone, after kill -9 and damage."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.archive import Archive, import_site, import_warc
from pipeline.archive import framing as framing_module
from pipeline.errors import ArchiveError, SiteError
from pipeline.models import Cause, Record, Snapshot, Source

NOW = datetime(2026, 11, 20, 9, 30, 15, 123456, tzinfo=UTC)
CODE = "141500"
HOME = "https://www.city.example.jp/"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive") as made:
        yield made


def write(archive: Archive, body: bytes = b"<p>body</p>", *, run_id: str = "run-1", **changes: object) -> Snapshot:
    fields = {
        "code": CODE,
        "run_id": run_id,
        "url": HOME,
        "final_url": HOME,
        "fetched_at": NOW,
        "status": 200,
        "headers": (("Content-Type", "text/html"),),
        "body": body,
        "source": Source.OFFICIAL,
    }
    return archive.write(**{**fields, **changes})  # type: ignore[arg-type]


def warc_of(archive: Archive, run_id: str = "run-1") -> Path:
    return archive.folder / CODE / f"{run_id}.warc.gz"


def rebuilt(path: Path, archive_folder: Path) -> list[tuple[Snapshot, bytes]]:
    """Snapshots and bodies out of a WARC with warcio alone, by the conventions that the WARC's own fields state."""
    found = []
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        for record in records:
            if record.rec_type != "response":
                continue
            field = record.rec_headers.get_header
            body = record.content_stream().read()
            prefix = "X-Archive-Orig-"
            headers = tuple(
                (name.removeprefix(prefix), value)
                for name, value in record.http_headers.headers
                if name.lower() != "content-length"
            )
            snapshot = Snapshot(
                url=field("WARC-X-Asked-URI"),
                final_url=field("WARC-Target-URI"),
                fetched_at=datetime.fromisoformat(field("WARC-Date")),
                status=int(record.http_headers.get_statuscode()),
                headers=headers,
                sha256=hashlib.sha256(body).hexdigest(),
                warc=str(path.relative_to(archive_folder)),
                offset=records.get_record_offset(),
                source=Source(field("WARC-X-Source")),
            )
            assert field("WARC-Payload-Digest") == f"sha256:{snapshot.sha256}"
            found.append((snapshot, body))
    return found


# --- out and back -----------------------------------------------------------------------------------------------------

ANSWERS = [
    pytest.param({}, id="plain"),
    pytest.param({"body": b""}, id="empty body"),
    pytest.param({"body": bytes(range(256)) * 300}, id="binary body"),
    pytest.param({"body": gzip.compress(b"WARC/1.1\r\n" * 99)}, id="a gzip file as body"),
    pytest.param({"body": b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\nWARC/1.1\r\n"}, id="a body that looks like records"),
    pytest.param({"url": HOME + "old", "final_url": HOME + "new/"}, id="redirected"),
    pytest.param({"status": 301, "headers": (("Location", "/new"),)}, id="a redirect"),
    pytest.param({"status": 404}, id="not found"),
    pytest.param({"status": 299}, id="a status without a phrase"),
    pytest.param({"source": Source.PRESS}, id="press"),
    pytest.param({"headers": ()}, id="no headers"),
    pytest.param({"headers": (("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X-E", ""))}, id="repeated and empty"),
    pytest.param({"headers": (("X-Name", '市長 é %E5; f="x"'),)}, id="not ASCII"),
    pytest.param(
        {"headers": (("Content-Encoding", "br"), ("transfer-encoding", "chunked"), ("Content-Length", "5"))},
        id="encodings",
    ),
    pytest.param({"headers": (("X-Archive-Orig-Content-Length", "1"), ("x-archive-orig-a", "2"))}, id="our own prefix"),
    pytest.param({"fetched_at": NOW.astimezone(timezone(timedelta(hours=9)))}, id="another time zone"),
    pytest.param({"fetched_at": NOW.replace(microsecond=0)}, id="a whole second"),
]


@pytest.mark.parametrize("changes", ANSWERS)
def test_an_answer_reads_back_equal_from_the_index_and_from_the_warc_alone(
    archive: Archive, changes: dict[str, object]
) -> None:
    body = changes.get("body", b"<p>body</p>")
    written = write(archive, **changes)  # type: ignore[arg-type]
    assert written.sha256 == hashlib.sha256(body).hexdigest()  # type: ignore[arg-type]
    for name, value in changes.items():
        if name != "body":
            assert getattr(written, name) == value
    assert archive.snapshots("run-1") == [written]
    assert archive.find(written.sha256) == written
    assert archive.body(written.sha256) == body
    if "our own prefix" not in str(changes) and not str(changes).count("x-archive-orig"):
        assert rebuilt(warc_of(archive), archive.folder) == [(written, body)]
    (archive.folder / "index.db").unlink()
    with Archive(archive.folder) as again:
        assert again.snapshots("run-1") == [written]


@settings(max_examples=40, deadline=None)
@given(
    headers=st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=40)), max_size=6),
    path=st.text(max_size=30),
    body=st.binary(max_size=200),
    status=st.integers(100, 599),
)
def test_whatever_is_written_is_what_is_read(
    headers: list[tuple[str, str]], path: str, body: bytes, status: int
) -> None:
    """Headers and addresses that a WARC cannot carry are changed before they are returned, not after."""
    with tempfile.TemporaryDirectory() as folder:
        with Archive(Path(folder)) as archive:
            written = write(archive, body, headers=headers, url=HOME + path, final_url=HOME + path, status=status)
        (archive.folder / "index.db").unlink()
        with Archive(archive.folder) as again:
            assert again.snapshots("run-1") == [written]
            assert again.body(written.sha256) == body


def test_order_is_that_of_writing_and_equal_bodies_are_found_once(archive: Archive) -> None:
    written = [write(archive, b"same" if number % 2 else b"%d" % number) for number in range(6)]
    assert archive.snapshots("run-1") == written
    assert archive.find(hashlib.sha256(b"same").hexdigest()) == written[1]
    assert archive.snapshots("run-2") == []
    assert archive.find("0" * 64) is None


@pytest.mark.parametrize(
    "changes",
    [{"url": "ftp://x.jp/"}, {"final_url": "x.jp"}, {"url": ""}, {"code": "../x"}, {"run_id": "a/b"}, {"run_id": ""}],
)
def test_what_is_no_web_address_or_no_file_name_is_refused(archive: Archive, changes: dict[str, object]) -> None:
    with pytest.raises(ArchiveError):
        write(archive, **changes)  # type: ignore[arg-type]
    assert not list(archive.folder.glob("**/*.warc.gz"))


def test_a_time_without_zone_is_refused(archive: Archive) -> None:
    with pytest.raises(ValueError, match="time zone"):
        write(archive, fetched_at=datetime(2026, 1, 1))


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Archive(tmp_path / "a" / "archive") as archive:
            write(archive)
            files = list(archive.folder.rglob("*"))
            modes = {path.name: path.stat().st_mode & 0o777 for path in [archive.folder, *files]}
    finally:
        os.umask(before)
    assert {name: mode for name, mode in modes.items() if mode not in (0o700, 0o600)} == {}
    assert {"archive", CODE, "run-1.warc.gz", "index.db", "index.db-wal"} <= modes.keys()
    assert modes["archive"] == modes[CODE] == 0o700


def test_reading_a_new_archive_writes_nothing(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive") as archive:
        assert archive.snapshots("run-1") == []
        assert archive.find("0" * 64) is None
        with pytest.raises(ArchiveError, match="no page with sha256"):
            archive.body("0" * 64)
    assert list((tmp_path / "archive").iterdir()) == []


def test_the_warc_passes_warcios_own_check(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(18):
        kept = write(archive, b"x" * number, headers=(("X-Name", "市長"), ("Content-Encoding", "gzip")))
    write(archive, status=304, earlier=kept)
    write(archive, b"{}", record=Record.RESOURCE)
    path = str(warc_of(archive))
    checker = Checker(SimpleNamespace(inputs=[path], verbose=True))
    assert checker.process_all() == 0
    out = capsys.readouterr()
    assert out.out.count("digest pass") == 20
    assert out.out.count("not checked") == 1  # of a revisit, whose body stands elsewhere
    assert out.err == ""


def test_a_revisit_keeps_no_second_body_and_names_the_first(archive: Archive) -> None:
    """304, or the same bytes again: the record says whose body it has, and any reader finds that."""
    first = write(archive, b"<p>body</p>")
    for status in (304, 200):
        again = write(archive, run_id="run-2", status=status, earlier=first, fetched_at=NOW + timedelta(days=1))
        assert (again.sha256, again.record, again.status) == (first.sha256, Record.REVISIT, status)
    assert archive.all(first.sha256) == [first]
    assert archive.body(first.sha256) == b"<p>body</p>"
    (archive.folder / "index.db").unlink()
    with Archive(archive.folder) as rebuilt:
        assert [one.sha256 for one in rebuilt.snapshots("run-2")] == [first.sha256] * 2
        assert [one.status for one in rebuilt.snapshots("run-2")] == [304, 200]
    with warc_of(archive, "run-2").open("rb") as file:
        found = [each for each in ArchiveIterator(file) if each.rec_type == "revisit"]
        assert {each.rec_headers.get_header("WARC-Refers-To-Target-URI") for each in found} == {first.final_url}
        assert {each.rec_headers.get_header("WARC-Payload-Digest") for each in found} == {f"sha256:{first.sha256}"}


@pytest.mark.parametrize("record", [Record.CONVERSION, Record.RESOURCE])
def test_what_was_made_of_a_page_is_told_from_what_was_received(archive: Archive, record: Record) -> None:
    headers = (("Content-Type", "application/json"),)
    made = write(archive, b'{"value": 1}', record=record, headers=headers)
    assert (made.record, made.status, made.header("content-type")) == (record, 200, "application/json")
    (archive.folder / "index.db").unlink()
    with Archive(archive.folder) as rebuilt:
        assert rebuilt.snapshots("run-1") == [made]
        assert rebuilt.body(made.sha256) == b'{"value": 1}'
    with warc_of(archive).open("rb") as file:
        assert [each.rec_type for each in ArchiveIterator(file)] == ["warcinfo", record.value]


def test_the_first_record_says_who_wrote_the_file(archive: Archive) -> None:
    write(archive)
    with warc_of(archive).open("rb") as file:
        first = next(iter(ArchiveIterator(file)))
        text = first.raw_stream.read().decode()
    assert first.rec_type == "warcinfo"
    assert first.rec_headers.protocol == "WARC/1.1"
    assert "software: Akashi" in text
    assert "isPartOf: run-1" in text
    assert "conformsTo: http" in text


# --- damage -----------------------------------------------------------------------------------------------------------


def bodies(count: int, seed: int = 1) -> list[bytes]:
    source = random.Random(seed)
    return [source.randbytes(source.randrange(0, 5_000)) for _ in range(count)]


def test_a_torn_end_is_cut_and_writing_goes_on(tmp_path: Path) -> None:
    """Cut at every kind of place in the last record: the records before it stay, the next one is whole."""
    with Archive(tmp_path / "whole") as archive:
        written = [write(archive, body) for body in bodies(4)]
        content = warc_of(archive).read_bytes()
    last = written[-1].offset
    for cut in [last + 1, last + 2, last + 10, last + 400, len(content) - 8, len(content) - 1]:
        folder = tmp_path / f"cut-{cut}"
        (folder / CODE).mkdir(parents=True)
        (folder / CODE / "run-1.warc.gz").write_bytes(content[:cut])
        with Archive(folder) as archive:
            assert archive.snapshots("run-1") == written[:-1]
            added = write(archive, b"after the crash")
            assert added.offset == last
            assert archive.snapshots("run-1") == [*written[:-1], added]
            assert all(archive.body(each.sha256) for each in archive.snapshots("run-1"))
        assert Checker(SimpleNamespace(inputs=[str(folder / CODE / "run-1.warc.gz")], verbose=False)).process_all() == 0


def test_after_a_power_cut_the_index_forgets_what_the_file_lost(archive: Archive) -> None:
    written = [write(archive, body) for body in bodies(4)]
    archive.close()
    os.truncate(warc_of(archive), written[2].offset + 7)
    with Archive(archive.folder) as again:
        added = write(again, b"after the cut")
        assert again.snapshots("run-1") == [*written[:2], added]
        assert again.find(written[3].sha256) is None


def test_a_crash_before_the_first_record_is_no_obstacle(tmp_path: Path) -> None:
    with Archive(tmp_path / "whole") as archive:
        write(archive)
        content = warc_of(archive).read_bytes()
    for cut in (0, 1, 5, 100):
        folder = tmp_path / f"cut-{cut}"
        (folder / CODE).mkdir(parents=True)
        (folder / CODE / "run-1.warc.gz").write_bytes(content[:cut])
        with Archive(folder) as archive:
            assert archive.snapshots("run-1") == []
            assert archive.body(write(archive, b"anew").sha256) == b"anew"


def test_records_after_a_damaged_one_are_neither_lost_nor_cut(archive: Archive) -> None:
    written = [write(archive, body) for body in bodies(6)]
    path = warc_of(archive)
    archive.close()
    content = bytearray(path.read_bytes())
    middle = (written[2].offset + written[3].offset) // 2
    content[middle : middle + 20] = bytes(20)
    path.write_bytes(content)
    (archive.folder / "index.db").unlink()
    with Archive(archive.folder) as again:
        assert again.snapshots("run-1") == [*written[:2], *written[3:]]
        added = write(again, b"next")
        assert added.offset == len(content)
        assert again.body(written[5].sha256) == bodies(6)[5]


def test_a_record_inside_an_archived_body_cannot_pass_for_one_of_ours(archive: Archive, tmp_path: Path) -> None:
    """A page that is itself a WARC, left without its own record's beginning, must not speak for another address."""
    with Archive(tmp_path / "forger") as forger:
        forged = write(forger, b"met everything", final_url="https://www.city.victim.jp/")
        inner = warc_of(forger).read_bytes()
    noise = random.Random(1).randbytes(100_000)  # makes deflate store the body as it is
    outer = write(archive, noise + inner + noise[::-1])
    path = warc_of(archive)
    archive.close()
    content = path.read_bytes()
    assert inner in content, "the inner file stands in the outer one byte for byte"
    path.write_bytes(content[: content.index(inner) + len(inner) + 5_000])
    assert outer.offset < content.index(inner)
    (archive.folder / "index.db").unlink()
    with Archive(archive.folder) as again:
        assert again.snapshots("run-1") == []
        assert again.find(forged.sha256) is None


def test_a_file_that_is_not_ours_is_left_alone(archive: Archive) -> None:
    path = warc_of(archive)
    path.parent.mkdir()
    path.write_bytes(b"precious" * 1_000)
    with pytest.raises(ArchiveError, match="move it away"):
        write(archive)
    assert path.read_bytes() == b"precious" * 1_000


def test_a_body_that_was_changed_is_refused_and_the_file_named(archive: Archive) -> None:
    written, other = write(archive, b"the truth"), write(archive, b"unhurt")
    content = bytearray(warc_of(archive).read_bytes())
    member = content[written.offset : other.offset]
    forged = gzip.compress(gzip.decompress(member).replace(b"the truth", b"the false"), mtime=0)
    warc_of(archive).write_bytes(content[: written.offset] + forged.ljust(len(member), b"\0")[: len(member)])
    with pytest.raises(ArchiveError, match=r"run-1\.warc\.gz, byte \d+.*bring the file back"):
        archive.body(written.sha256)


def test_a_missing_file_is_named(archive: Archive) -> None:
    written = write(archive)
    warc_of(archive).unlink()
    with pytest.raises(ArchiveError, match=r"run-1\.warc\.gz"):
        archive.body(written.sha256)


def test_a_second_copy_of_a_damaged_body_is_used(archive: Archive) -> None:
    first = write(archive, b"twice", run_id="run-1")
    write(archive, b"twice", run_id="run-2")
    warc_of(archive).write_bytes(b"")
    assert archive.body(first.sha256) == b"twice"


def _delete(path: Path) -> None:
    path.unlink()


def _garbage(path: Path) -> None:
    path.write_bytes(random.Random(3).randbytes(9_000))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4_096:] = b"\xa5" * (len(content) - 4_096)
    path.write_bytes(content)


def _another_schema(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()


@pytest.mark.parametrize("harm", [_delete, _garbage, _empty, _half, _scribble, _another_schema])
@pytest.mark.parametrize("first_use", ["read", "write"])
def test_a_lost_or_damaged_index_is_built_again(tmp_path: Path, harm: Callable[[Path], None], first_use: str) -> None:
    with Archive(tmp_path) as archive:
        written = [write(archive, body, run_id=run) for run in ("run-1", "run-2") for body in bodies(20)]
    harm(tmp_path / "index.db")
    with Archive(tmp_path) as archive:
        if first_use == "write":
            written.append(write(archive, b"one more", run_id="run-2"))
        assert archive.snapshots("run-1") + archive.snapshots("run-2") == written
        assert archive.body(written[-1].sha256) in (b"one more", bodies(20)[-1])


def test_an_index_replaced_under_a_writer_misses_nothing(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        written = [write(archive, b"1"), write(archive, b"2")]
        (tmp_path / "index.db").unlink()
        with Archive(tmp_path) as other:
            assert other.snapshots("run-1") == written
        written.append(write(archive, b"3"))
        assert archive.snapshots("run-1") == written
        with Archive(tmp_path) as other:
            assert other.snapshots("run-1") == written


def test_a_replaced_index_that_lacks_records_of_a_writer_gets_them(tmp_path: Path) -> None:
    """Another process rebuilt the index, and had read this run's file before its last records were written."""
    early, folder = tmp_path / "early", tmp_path / "archive"
    with Archive(folder) as archive:
        written = [write(archive, b"1")]
        shutil.copytree(folder, early)
        (early / "index.db").unlink()
        with Archive(early) as other:
            assert other.snapshots("run-1") == written
        written += [write(archive, b"2"), write(archive, b"3")]
        for leftover in folder.glob("index.db*"):
            leftover.unlink()
        shutil.move(early / "index.db", folder / "index.db")
        written.append(write(archive, b"4"))
        assert archive.snapshots("run-1") == written


def test_a_full_disk_is_said_and_leaves_no_torn_record(tmp_path: Path) -> None:
    script = """
        import resource, signal, sys
        from pipeline.errors import ArchiveError
        from tests.test_archive import Archive, Path, write
        with Archive(Path(sys.argv[1])) as archive:
            first = write(archive, b"small")
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
            import os
            try:
                write(archive, os.urandom(500_000))
            except ArchiveError as error:
                print("said:", error)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            write(archive, b"after")
    """
    done = run_python(script, tmp_path / "archive")
    assert "cannot be written" in done.stdout, done.stderr
    with Archive(tmp_path / "archive") as archive:
        assert [archive.body(each.sha256) for each in archive.snapshots("run-1")] == [b"small", b"after"]
    assert [body for _, body in rebuilt(warc_of(archive), archive.folder)] == [b"small", b"after"]


# --- several processes ------------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parent.parent
WRITER = """
    import random, sys
    from tests.test_archive import Archive, Path, write
    with Archive(Path(sys.argv[1])) as archive:
        source = random.Random(int(sys.argv[2]))
        number = 0
        while True:
            body = b"%d " % number + source.randbytes(source.randrange(20_000))
            snapshot = write(archive, body, run_id=sys.argv[3], url=f"https://x.jp/{number}")
            print(number, snapshot.sha256, flush=True)
            number += 1
"""


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    process = python(script, *arguments)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


# A forked child writes until it is killed: cheaper to start twenty times than an interpreter.
def _write_until_killed(folder: Path, seed: int, tell: int) -> None:
    source = random.Random(seed)
    with Archive(folder) as archive:
        while True:
            body = b"%d " % seed + source.randbytes(source.randrange(60_000))
            snapshot = write(archive, body, url=f"https://x.jp/{seed}")
            os.write(tell, (snapshot.sha256 + "\n").encode())


def _killed_writer(folder: Path, seed: int, after_s: float) -> list[str]:
    read, tell = os.pipe()
    writer = get_context("fork").Process(target=_write_until_killed, args=(folder, seed, tell))
    writer.start()
    os.close(tell)
    first = os.read(read, 65)
    time.sleep(after_s)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join(10)
    with os.fdopen(read, "rb") as told:
        return (first + told.read()).decode().split()


def test_kill_9_loses_no_record_that_was_reported_written(tmp_path: Path) -> None:
    """Twenty writers of one run, each killed at a random moment; the next one takes over the lock at once."""
    source = random.Random(2026)
    told: list[str] = []
    for seed in range(20):
        told += _killed_writer(tmp_path, seed, source.uniform(0, 0.03))
        if seed % 4 == 3:
            with Archive(tmp_path) as archive:
                archive.begin(code=CODE, run_id="run-1")
                found = [each.sha256 for each in archive.snapshots("run-1")]
                assert set(told) <= set(found)
                assert len(found) - len(told) <= seed + 1, "at most the record in flight of each writer is extra"
    with Archive(tmp_path) as archive:
        for sha256 in told:
            assert hashlib.sha256(archive.body(sha256)).hexdigest() == sha256
        indexed = archive.snapshots("run-1")
    assert [snapshot for snapshot, _ in rebuilt(warc_of(archive), tmp_path)] == indexed
    assert len(told) > 40


def test_a_run_is_written_by_one_process_at_a_time_and_freed_by_its_death(tmp_path: Path) -> None:
    writer = python(WRITER, tmp_path, 1, "run-1")
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline(), "the writer has begun"
        with Archive(tmp_path) as archive:
            with pytest.raises(ArchiveError, match="run run-1 is being written by another process"):
                write(archive, run_id="run-1")
            write(archive, run_id="run-2")  # another run of the same archive is free
    finally:
        writer.kill()
        writer.communicate()
    with Archive(tmp_path) as archive:
        assert write(archive, b"mine", run_id="run-1") == archive.snapshots("run-1")[-1]


def test_two_archives_in_one_process_respect_the_lock_too(tmp_path: Path) -> None:
    with Archive(tmp_path) as first, Archive(tmp_path) as second:
        write(first)
        with pytest.raises(ArchiveError, match="being written"):
            write(second)
        first.end(code=CODE, run_id="run-1")
        write(second)
        assert len(first.snapshots("run-1")) == 2


def test_a_forked_child_does_not_keep_its_killed_parents_run_locked(tmp_path: Path) -> None:
    script = """
        import os, sys, time
        from tests.test_archive import Archive, Path, write
        archive = Archive(Path(sys.argv[1]))
        write(archive)
        child = os.fork()
        if child:
            time.sleep(30)
        print(os.getpid(), flush=True)
        time.sleep(30)
    """
    parent = python(script, tmp_path)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.wait(10)
        os.kill(child, 0)  # it lives
        with Archive(tmp_path) as archive:
            write(archive)
            assert len(archive.snapshots("run-1")) == 2
    finally:
        os.kill(child, signal.SIGKILL)
        parent.communicate()


def test_processes_write_different_runs_at_once(tmp_path: Path) -> None:
    """A new folder, so that they also race for the making of the index."""
    script = WRITER.replace("while True", "while number < 60")
    writers = [python(script, tmp_path, number, f"run-{number}") for number in range(3)]
    for writer in writers:
        out, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
        assert len(out.splitlines()) == 60
    with Archive(tmp_path) as archive:
        for number in range(3):
            snapshots = archive.snapshots(f"run-{number}")
            assert [each.url for each in snapshots] == [f"https://x.jp/{n}" for n in range(60)]
            assert archive.body(snapshots[-1].sha256).startswith(b"59 ")


def _body_in_worker(folder: Path, sha256: str) -> bytes:
    with Archive(folder) as archive:
        return archive.body(sha256)


def test_threads_share_an_archive_and_workers_read_beside_a_writer(archive: Archive) -> None:
    with ThreadPoolExecutor(4) as threads:
        snapshots = list(threads.map(lambda number: write(archive, b"%d" % number), range(60)))
    assert sorted(each.offset for each in snapshots) == [each.offset for each in archive.snapshots("run-1")]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        pending = [workers.submit(_body_in_worker, archive.folder, each.sha256) for each in snapshots[:10]]
        write(archive, b"meanwhile")
        assert [each.result() for each in pending] == [b"%d" % number for number in range(10)]


# --- a folder of files ------------------------------------------------------------------------------------------------


def site(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def from_site(archive: Archive, folder: Path, base_url: str = HOME):  # type: ignore[no-untyped-def]
    return import_site(archive, folder, code=CODE, run_id="run-1", base_url=base_url, now=NOW)


SITE_FILES = {
    "index.html": ("", "text/html"),
    "a/index.htm": ("a/", "text/html"),
    "a/b.HTML": ("a/b.HTML", "text/html"),
    "計画 1.pdf": ("%E8%A8%88%E7%94%BB%201.pdf", "application/pdf"),
    "か\u3099.txt": ("%E3%81%8C.txt", "text/plain"),
    "rss.xml": ("rss.xml", "application/xml"),
    "news.rdf": ("news.rdf", "application/xml"),
    "100%#.html": ("100%25%23.html", "text/html"),
    "list.php?id=3&p=2": ("list.php?id=3&p=2", "text/html"),
    "page": ("page", "text/html"),
}


def test_a_folders_files_become_answers_under_the_base_address(archive: Archive, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", dict.fromkeys(SITE_FILES, b"\xef\xbb\xbf<!-- x -->\n<!DOCTYPE html><p>x"))
    site(folder, {".hidden/x.html": b"x", ".x.html": b"x", "logo.png": b"\x89PNG", "main.php": b"<?php echo 1;"})
    found = from_site(archive, folder)
    assert {each.url: each.header("content-type") for each in found} == {
        HOME + address: content_type for address, content_type in SITE_FILES.values()
    }
    assert all(each.status == 200 and each.fetched_at == NOW and each.url == each.final_url for each in found)
    assert list(found) == archive.snapshots("run-1")
    assert found.unread == ()


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://x.jp", "https://x.jp/a.html"),
        ("https://x.jp/", "https://x.jp/a.html"),
        ("https://x.jp/city/", "https://x.jp/city/a.html"),
        ("https://x.jp/city/index.html?top=1", "https://x.jp/city/a.html"),
        ("http://127.0.0.1:8801/", "http://127.0.0.1:8801/a.html"),
    ],
)
def test_the_base_address_is_that_of_its_folder(archive: Archive, tmp_path: Path, base_url: str, expected: str) -> None:
    assert [each.url for each in from_site(archive, site(tmp_path / "s", {"a.html": b"x"}), base_url)] == [expected]


def test_a_folder_read_again_adds_only_what_changed(archive: Archive, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", {"index.html": b"1", "a.html": b"2"})
    first = from_site(archive, folder)
    assert list(from_site(archive, folder)) == list(first) == archive.snapshots("run-1")
    site(folder, {"a.html": b"3"})
    second = from_site(archive, folder)
    assert len(archive.snapshots("run-1")) == 3
    assert {each.url: archive.body(each.sha256) for each in second} == {HOME: b"1", HOME + "a.html": b"3"}


def test_links_out_of_the_folder_and_odd_files_are_refused_and_told(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.archive.importing.MAX_FILE_BYTES", 100)
    folder = site(tmp_path / "site", {"index.html": b"x", "big.html": b"y" * 101, "in/a.html": b"z"})
    secret = site(tmp_path / "outside", {"secret.html": b"secret"})
    (folder / "out.html").symlink_to(secret / "secret.html")
    (folder / "out").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    (folder / "gone.html").symlink_to(folder / "nothing.html")
    (folder / "inside.html").symlink_to(folder / "in" / "a.html")
    os.mkfifo(folder / "pipe.html")
    found = from_site(archive, folder)
    assert {each.url.removeprefix(HOME) for each in found} == {"", "in/a.html", "inside.html"}
    assert {each.url.removeprefix(HOME): each.cause for each in found.unread} == {
        "big.html": Cause.TOO_LARGE,
        "gone.html": Cause.MEDIA,
        "loop": Cause.MEDIA,
        "out": Cause.ADDRESS,
        "out.html": Cause.ADDRESS,
        "pipe.html": Cause.MEDIA,
    }


def test_a_folder_that_cannot_be_read_is_said_plainly(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SiteError, match="there is no folder"):
        from_site(archive, tmp_path / "nowhere")
    with pytest.raises(SiteError, match="is a file"):
        from_site(archive, site(tmp_path, {"file.html": b"x"}) / "file.html")
    with pytest.raises(SiteError, match="holds no HTML"):
        from_site(archive, site(tmp_path / "pictures", {"a.png": b"x", ".index.html": b"x"}))
    with pytest.raises(SiteError, match="http"):
        from_site(archive, site(tmp_path / "s", {"a.html": b"x"}), "file:///etc/")
    monkeypatch.setattr("pipeline.archive.importing.MAX_FILES", 3)
    with pytest.raises(SiteError, match="more than 3 files"):
        from_site(archive, site(tmp_path / "many", {f"{number}.html": b"x" for number in range(4)}))


def test_the_evidence_sites_are_read_whole(archive: Archive, shared: Path) -> None:
    folder = shared / "evidence" / "sites" / "aomine" / "site"
    found = from_site(archive, folder)
    wanted = [path for path in folder.rglob("*") if path.suffix in (".html", ".pdf", ".xml", ".txt")]
    assert len(found) == len(wanted) > 60
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in wanted} == {each.sha256 for each in found}


# --- WARCs of other tools ---------------------------------------------------------------------------------------------

Made = tuple[str, str, list[tuple[str, str]], bytes]


def foreign(path: Path, pages: list[Made], *, compress: bool = True, version: str = "1.0") -> Path:
    """A WARC as warcio's other users write it: request and response pairs, a warcinfo, a dns record."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=compress, warc_version=version)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "other"}))
        for url, status, headers, body in pages:
            http = StatusAndHeaders(status, headers, protocol="HTTP/1.1")
            dated = {"WARC-Date": "2026-11-01T00:00:00Z"}
            asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True)
            response = writer.create_warc_record(
                url,
                "response",
                payload=io.BytesIO(body),
                length=len(body),
                http_headers=http,
                warc_headers_dict=dict(dated),
            )
            request = writer.create_warc_record(url, "request", http_headers=asked, warc_headers_dict=dict(dated))
            writer.write_request_response_pair(request, response)
        writer.write_record(
            writer.create_warc_record(
                "dns:x.jp", "response", payload=io.BytesIO(b"1"), length=1, warc_content_type="text/dns"
            )
        )
    return path


def from_warc(archive: Archive, path: Path, home_url: str | None = HOME):  # type: ignore[no-untyped-def]
    return import_warc(archive, path, code=CODE, run_id="run-1", home_url=home_url)


TEXT = ("<p>" + "市役所の窓口" * 50).encode()
HTML = ("Content-Type", "text/html")


def _deflate(body: bytes, window_bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    return packer.compress(body) + packer.flush()


def _chunked(body: bytes, size: int = 100) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\n"


CODINGS = {
    "plain": ([], TEXT),
    "gzip": ([("Content-Encoding", "gzip")], gzip.compress(TEXT)),
    "two gzip members": ([("Content-Encoding", "x-gzip")], gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
    "gzip undone before": ([("Content-Encoding", "gzip")], TEXT),
    "zlib": ([("Content-Encoding", "deflate")], zlib.compress(TEXT)),
    "bare deflate": ([("Content-Encoding", "deflate")], _deflate(TEXT, -15)),
    "identity": ([("Content-Encoding", "identity")], TEXT),
    "chunked": ([("Transfer-Encoding", "chunked")], _chunked(TEXT)),
    "chunks undone before": ([("Transfer-Encoding", "chunked")], TEXT),
    "chunked gzip": (
        [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")],
        _chunked(gzip.compress(TEXT)),
    ),
    "gzip twice": ([("Content-Encoding", "gzip, gzip")], gzip.compress(gzip.compress(TEXT))),
}


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("coding", CODINGS)
def test_bodies_are_archived_without_their_codings(
    archive: Archive, tmp_path: Path, coding: str, compress: bool
) -> None:
    headers, body = CODINGS[coding]
    path = foreign(tmp_path / "x.warc", [(HOME, "200 OK", [HTML, *headers], body)], compress=compress)
    found = from_warc(archive, path)
    assert found.unread == ()
    assert [archive.body(each.sha256) for each in found] == [TEXT]
    assert found[0].headers == (HTML, *headers)
    assert found[0].fetched_at == datetime(2026, 11, 1, tzinfo=UTC)


BROKEN_CODINGS = {
    "brotli": ([("Content-Encoding", "br")], b"\x0b\x02\x80abc\x03", "coding 'br'"),
    "half a gzip": ([("Content-Encoding", "gzip")], gzip.compress(TEXT)[:-20], "cut short"),
    "a damaged gzip": ([("Content-Encoding", "gzip")], gzip.compress(TEXT)[:30] + bytes(40), "damaged"),
    "half the chunks": ([("Transfer-Encoding", "chunked")], _chunked(TEXT)[:300], "chunks"),
}


@pytest.mark.parametrize("coding", BROKEN_CODINGS)
def test_half_a_body_is_told_and_never_archived_as_a_page(archive: Archive, tmp_path: Path, coding: str) -> None:
    headers, body, said = BROKEN_CODINGS[coding]
    pages = [(HOME + "a", "200 OK", [HTML, *headers], body), (HOME, "200 OK", [HTML], TEXT)]
    found = from_warc(archive, foreign(tmp_path / "x.warc.gz", pages))
    assert [each.url for each in found] == [HOME]
    assert [(each.url, each.cause) for each in found.unread] == [(HOME + "a", Cause.BROKEN)]
    assert said in found.unread[0].detail


def test_statuses_stay_and_page_requisites_are_left_out(archive: Archive, tmp_path: Path) -> None:
    pages: list[Made] = [
        (HOME, "200 OK", [HTML], TEXT),
        (HOME + "old", "301 Moved", [("Location", "/")], b""),
        (HOME + "gone", "404", [HTML], b"gone"),
        (HOME + "x.png", "200 OK", [("Content-Type", "image/png")], b"\x89PNG"),
        (HOME + "x.css", "200 OK", [("content-type", "text/css; charset=utf-8")], b"p{}"),
        (HOME + "x.pdf", "200 OK", [("Content-Type", "application/pdf")], b"%PDF-"),
        (HOME + "none", "200 OK", [], b"<p>"),
    ]
    found = from_warc(archive, foreign(tmp_path / "x.warc.gz", pages))
    assert [(each.url.removeprefix(HOME), each.status) for each in found] == [
        *(("", 200), ("old", 301), ("gone", 404)),
        *(("x.pdf", 200), ("none", 200)),
    ]


def test_pages_of_another_site_are_marked_as_another_speaker(archive: Archive, tmp_path: Path) -> None:
    pages = [(url, "200 OK", [HTML], TEXT) for url in (HOME, "https://news.example.com/1")]
    path = foreign(tmp_path / "x.warc.gz", pages)
    assert [each.source for each in from_warc(archive, path)] == [Source.OFFICIAL, Source.PRESS]
    with pytest.raises(SiteError, match="holds no page of https://other.example.org/"):
        import_warc(archive, path, code=CODE, run_id="run-2", home_url="https://other.example.org/")
    everything = import_warc(archive, path, code=CODE, run_id="run-3", home_url=None)
    assert {each.source for each in everything} == {Source.OFFICIAL}


def test_our_own_warc_comes_back_as_it_was(archive: Archive, tmp_path: Path) -> None:
    for changes in (each.values[0] for each in ANSWERS):
        write(archive, **changes)  # type: ignore[arg-type]
    with Archive(tmp_path / "other") as other:
        found = from_warc(other, warc_of(archive))
        again = from_warc(other, warc_of(archive))
        same = {"warc", "offset"}
        assert found.unread == ()
        assert len(again) == len(found) == len(other.snapshots("run-1"))
        assert [each.model_dump(exclude=same) for each in other.snapshots("run-1")] == [
            each.model_dump(exclude=same) for each in archive.snapshots("run-1")
        ]


def test_a_warc_read_again_adds_nothing(archive: Archive, tmp_path: Path) -> None:
    path = foreign(tmp_path / "x.warc.gz", [(HOME + str(n), "200 OK", [HTML], b"%d" % n) for n in range(5)])
    assert list(from_warc(archive, path)) == list(from_warc(archive, path)) == archive.snapshots("run-1")
    assert len(archive.snapshots("run-1")) == 5


def test_one_gzip_stream_around_all_records_is_read(archive: Archive, tmp_path: Path) -> None:
    plain = foreign(tmp_path / "x.warc", [(HOME + str(n), "200 OK", [HTML], TEXT) for n in range(5)], compress=False)
    path = tmp_path / "x.warc.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(from_warc(archive, path)) == 5


@pytest.mark.parametrize("compress", [True, False])
def test_of_a_torn_file_what_is_whole_is_imported_and_the_rest_told(tmp_path: Path, compress: bool) -> None:
    pages = [(HOME + str(n), "200 OK", [HTML], b"%d" % n + TEXT) for n in range(4)]
    content = foreign(tmp_path / "x.warc", pages, compress=compress).read_bytes()
    for number, cut in enumerate(range(len(content) // 2, len(content), 97)):
        torn = tmp_path / "torn.warc"
        torn.write_bytes(content[:cut])
        with Archive(tmp_path / str(number)) as archive:
            found = from_warc(archive, torn)
            assert [each.url for each in found] == [HOME + str(n) for n in range(len(found))]
            assert len(found.unread) <= 1
            assert len(found) + len(found.unread) > 0
            for each, page in zip(found, pages, strict=False):
                assert archive.body(each.sha256) == page[3]


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"<html>", b"\x1f\x8b\x08garbage", gzip.compress(b"<html>", mtime=0)]
)
def test_what_is_no_warc_is_said_plainly(archive: Archive, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(content)
    with pytest.raises(SiteError, match="no WARC"):
        from_warc(archive, path)


def test_a_warc_without_answers_or_that_is_no_file_is_said_plainly(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="no HTTP answer"):
        from_warc(archive, foreign(tmp_path / "x.warc.gz", []))
    for path in (tmp_path / "nothing.warc", tmp_path):
        with pytest.raises(SiteError, match="there is no file"):
            from_warc(archive, path)


def raw(head: str, content: bytes, *, http: bytes = b"HTTP/1.1 200 OK\r\n\r\n", length: str | None = None) -> bytes:
    size = len(http + content) if length is None else length
    lines = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Date: 2026-11-01T00:00:00Z\r\n{head}Content-Length: {size}\r\n\r\n"
    )
    return lines.encode() + http + content + b"\r\n\r\n"


GOOD = raw(f"WARC-Target-URI: {HOME}\r\n", TEXT)
BOMB_BYTES = 120_000_000
HOSTILE: dict[str, tuple[Callable[[], bytes], bool]] = {
    # name: the record's bytes, and whether a record after it in a gzip member of its own is still read
    "an absurd length": (lambda: raw("", TEXT, length="9" * 17), True),
    "a length beyond numbers": (lambda: raw("", TEXT, length="9" * 400), True),
    "a negative length": (lambda: raw("", TEXT, length="-5"), True),
    "no length": (lambda: raw("", TEXT).replace(b"Content-Length", b"Content-Lengthy"), True),
    "a length too small": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", TEXT, length="60"), True),
    "a length too large": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", TEXT, length="6000"), True),
    "two lengths": (lambda: raw(f"WARC-Target-URI: {HOME}\r\nContent-Length : 60\r\n", TEXT), True),
    "a head without end": (lambda: b"WARC/1.1\r\nX: " + b"a" * BOMB_BYTES, True),
    "a gzip bomb": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", bytes(BOMB_BYTES)), True),
    "an HTTP head without end": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", b"X: " + b"a" * 10**7, http=b""), True),
    "a bomb in the body": (
        lambda: raw(
            f"WARC-Target-URI: {HOME}\r\n",
            gzip.compress(bytes(BOMB_BYTES)),
            http=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        ),
        True,
    ),
    "blank lines without end": (lambda: b"\r\n" * 10**7, True),
    "no status": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", TEXT, http=b"HTTP/1.1 abc\r\n\r\n"), True),
    "no HTTP at all": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", b"\r\n\r\n", http=b""), True),
    "no date": (lambda: raw(f"WARC-Target-URI: {HOME}\r\n", TEXT).replace(b"-11-", b"-77-"), True),
    "cut by its writer": (lambda: raw(f"WARC-Target-URI: {HOME}\r\nWARC-Truncated: length\r\n", TEXT), True),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_record_is_told_and_costs_little(archive: Archive, tmp_path: Path, name: str) -> None:
    make, goes_on = HOSTILE[name]
    path = tmp_path / "x.warc.gz"
    path.write_bytes(b"".join(gzip.compress(each, 6) for each in (GOOD, make(), GOOD)))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = from_warc(archive, path)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert [archive.body(each.sha256) for each in found] == [TEXT] * (1 + goes_on)
    assert len(found.unread) == 1, found.unread
    assert time.process_time() - began < 10
    assert grown_kb < 6 * framing_module.MAX_RECORD_BYTES / 1_024


def test_what_a_damaged_file_says_does_not_reach_the_terminal(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spaced = raw(f"WARC-Target-URI: {HOME}a b\x1b[2J\r\n", TEXT)
    broken = raw(f"WARC-Target-URI: {HOME}\x1b[2J\r\n", TEXT, length="-5")
    path = tmp_path / "x.warc.gz"
    path.write_bytes(b"".join(gzip.compress(each) for each in (spaced, broken, GOOD)))
    found = from_warc(archive, path)
    assert [each.url for each in found] == [HOME + "a%20b%1B[2J", HOME]
    assert [each.url for each in found.unread] == [HOME + "?[2J"]
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")


def test_text_in_a_body_is_never_taken_for_a_record(archive: Archive, tmp_path: Path) -> None:
    """In a plain WARC a wrong length ends the reading: what follows might be the page's own words."""
    forged = raw("WARC-Target-URI: https://www.city.example.jp/forged\r\n", b"met everything")
    path = tmp_path / "x.warc"
    path.write_bytes(GOOD + raw(f"WARC-Target-URI: {HOME}2\r\n", b"x" * 50 + forged, length="60") + GOOD)
    found = from_warc(archive, path)
    assert [each.url for each in found] == [HOME]
    assert [each.url for each in found.unread] == [HOME + "2"]


def test_mutated_warcs_never_crash_and_never_invent_a_page(tmp_path: Path) -> None:
    """Whatever is damaged, the outcome is snapshots, Unread or a SiteError; gzip's checksums keep bodies honest."""
    pages = [(HOME + str(n), "200 OK", [HTML, *CODINGS[c][0]], CODINGS[c][1]) for n, c in enumerate(CODINGS)]
    content = foreign(tmp_path / "x.warc.gz", pages).read_bytes()
    source = random.Random(5)
    whole = hashlib.sha256(TEXT).hexdigest()
    for number in range(150):
        mutated = bytearray(content)
        for _ in range(source.choice((1, 1, 3, 20))):
            mutated[source.randrange(len(mutated))] = source.randrange(256)
        path = tmp_path / "mutated.warc.gz"
        path.write_bytes(mutated)
        with Archive(tmp_path / "archives" / str(number)) as archive:
            try:
                found = from_warc(archive, path)
            except SiteError:
                continue
            assert {each.sha256 for each in found} <= {whole}
            assert len(found) == len(pages) or found.unread
