"""The archive on storage that several machines share: the same answers, whoever wrote them and whatever was killed."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import secrets
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import boto3
import psycopg
import pytest
from databases import Cluster
from moto.server import ThreadedMotoServer
from test_archive import ANSWERS, CODE, HOME, NOW, bodies, from_site, python, run_python, site, write
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from pipeline import demo
from pipeline.archive import Archive, Place, import_warc
from pipeline.archive import bucket as buckets
from pipeline.archive import shared as sharing
from pipeline.archive import table as tables
from pipeline.criteria import load
from pipeline.errors import ArchiveError, InputError, StorageError
from pipeline.models import Record
from pipeline.panel import Wish, panel
from pipeline.reading import pages_of
from pipeline.run import Order, survey
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import open_archive


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 on loopback, to which clients of this process and of its children go."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        patch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder, sqlite", "folder, postgresql", "s3, postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    storage, index = request.param.split(", ")
    database = request.getfixturevalue("postgresql_url") if index == "postgresql" else ""
    return Place(tmp_path / "index", request.getfixturevalue("made_" + storage), database)


@pytest.fixture
def made_folder(tmp_path: Path) -> str:
    return f"file://{tmp_path}/share"


@pytest.fixture
def made_s3(s3: str) -> str:
    name = f"akashi-{secrets.token_hex(4)}"
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    return f"s3://{name}/archives/ours"


@pytest.fixture
def archive(place: Place) -> Iterator[Archive]:
    with Archive(place) as made:
        yield made


def stored(place: Place) -> buckets.Bucket:
    return buckets.bucket(place.storage)


def lose_index(place: Place) -> None:
    """As after a drop of the table or a new machine."""
    sharing._everywhere.clear()
    if place.database:
        with psycopg.connect(place.database.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS archive_index_1")
    else:
        shutil.rmtree(place.folder)


def lose_rows(place: Place, warc: str) -> None:
    """As where the writer was killed between the object and its row, or the database came from a backup."""
    if place.database:
        with psycopg.connect(place.database.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DELETE FROM archive_index_1 WHERE warc = %s", (warc,))
        return
    with sqlite3.connect(place.folder / "index.db") as connection:
        connection.execute("DELETE FROM snapshot WHERE warc = ?", (warc,))
    connection.close()


# --- out and back -----------------------------------------------------------------------------------------------------


def test_answers_read_back_equal_from_the_index_and_from_the_objects_alone(archive: Archive, place: Place) -> None:
    changed = [dict(case.values[0]) for case in ANSWERS]  # type: ignore[call-overload]
    sent = [changes.setdefault("body", b"<p>%d</p>" % number) for number, changes in enumerate(changed)]
    written = [write(archive, **changes) for changes in changed]  # type: ignore[arg-type]
    for one, body, changes in zip(written, sent, changed, strict=True):
        assert archive.find(one.sha256) == one
        assert archive.body(one.sha256) == body
        assert all(getattr(one, name) == value for name, value in changes.items() if name != "body")
    assert archive.snapshots("run-1") == written
    lose_index(place)
    with Archive(place) as again:
        assert again.snapshots("run-1") == written
        assert [again.body(one.sha256) for one in written] == sent


def test_every_object_is_a_warc_that_any_tool_reads(archive: Archive, place: Place, tmp_path: Path) -> None:
    first = write(archive, b"<p>page</p>")
    made = write(archive, b"{}", record=Record.RESOURCE)
    again = write(archive, status=304, earlier=first)
    for number, one in enumerate((first, made, again)):
        path = tmp_path / f"{number}.warc.gz"
        path.write_bytes(stored(place).read(one.warc))
        assert Checker(SimpleNamespace(inputs=[str(path)], verbose=False)).process_all() == 0
        with path.open("rb") as file:
            records = ArchiveIterator(file)
            kinds = [(record.rec_type, records.get_record_offset()) for record in records]
        assert kinds == [("warcinfo", 0), (one.record.value, one.offset)]
    assert stored(place).names() == sorted(one.warc for one in (first, made, again))
    assert all(one.warc.startswith(f"run-1/{CODE}/") for one in (first, made, again))


def test_a_revisit_keeps_no_second_body_and_leads_to_the_first(archive: Archive, place: Place) -> None:
    first = write(archive, b"<p>body</p>", run_id="run-1")
    later = write(archive, run_id="run-2", status=304, earlier=first, fetched_at=NOW + timedelta(days=1))
    assert archive.last_page(HOME, ["run-1", "run-2"]) == later
    assert archive.last_page(HOME, ["run-1"]) == first
    assert archive.last_page(HOME, []) is None
    lose_index(place)
    with Archive(place) as again:
        assert again.original(later) == first
        assert again.all(first.sha256) == [first]
        assert again.body(later.sha256) == b"<p>body</p>"


def test_the_order_is_that_of_writing_though_a_clock_goes_back(
    archive: Archive, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the run goes on on a machine whose clock is behind."""
    written = [write(archive, b"%d" % number) for number in range(3)]

    class Yesterday(datetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> Yesterday:  # type: ignore[override]
            return super().now(zone) - timedelta(days=1)

    monkeypatch.setattr(sharing, "datetime", Yesterday)
    with Archive(place) as elsewhere:
        written += [write(elsewhere, b"later %d" % number) for number in range(3)]
        assert elsewhere.snapshots("run-1") == written
    assert stored(place).names() == [one.warc for one in written]


def test_the_first_of_several_is_the_same_for_everybody(archive: Archive, place: Place) -> None:
    """Not the first that came into this index: run by run, as they sort."""
    second = write(archive, b"same", run_id="run-2")
    first = write(archive, b"same", run_id="run-1")
    assert archive.all(first.sha256) == [first, second]
    lose_index(place)
    with Archive(place) as again:
        assert again.all(first.sha256) == [first, second]
        assert again.original(second) == first


def test_a_very_long_address_and_every_kind_of_text(archive: Archive) -> None:
    url = HOME + "?q=" + "".join(random.Random(1).choices("abcdefgh0123456789%", k=20_000)) + "漢é"
    written = write(archive, url=url, final_url=url, headers=(("X-Name", "市長 é \udce9\0 '\"\\"),))
    assert archive.last_page(written.final_url, ["run-1"]) == written
    assert archive.snapshots("run-1") == [written]


@pytest.mark.parametrize("changes", [{"url": "ftp://x.jp/"}, {"code": "../x"}, {"run_id": "a/b"}, {"run_id": ""}])
def test_what_is_no_web_address_or_no_file_name_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with Archive(Place(tmp_path / "index", str(tmp_path / "share"))) as archive:
        with pytest.raises(ArchiveError):
            write(archive, **changes)  # type: ignore[arg-type]
        assert not list((tmp_path / "share").rglob("*.warc.gz"))


def test_what_is_written_in_a_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Archive(Place(tmp_path / "index", str(tmp_path / "share"))) as archive:
            write(archive)
    finally:
        os.umask(before)
    made = [tmp_path / "share", *(tmp_path / "share").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}


def test_reading_a_new_archive_finds_nothing_and_leaves_the_storage_alone(archive: Archive, place: Place) -> None:
    assert archive.snapshots("run-1") == []
    assert archive.find("0" * 64) is None
    with pytest.raises(ArchiveError, match="no page with sha256"):
        archive.body("0" * 64)
    assert stored(place).names() == []


def test_a_folder_imported_and_a_warc_of_another_tool_imported_again(
    archive: Archive, place: Place, tmp_path: Path
) -> None:
    pages = {"index.html": b"<html><p>home", "a/b.html": b"<html><p>b"}
    imported = from_site(archive, site(tmp_path / "site", pages))
    assert sorted(archive.body(one.sha256) for one in imported) == sorted(pages.values())
    assert from_site(archive, tmp_path / "site") == imported, "the second import of a run adds nothing"
    whole = tmp_path / "all.warc.gz"
    whole.write_bytes(b"".join(stored(place).read(one.warc) for one in archive.snapshots("run-1")))
    other = import_warc(archive, whole, code=CODE, run_id="run-2", home_url=HOME)
    assert [one.sha256 for one in other] == [one.sha256 for one in imported]
    assert other.unread == ()


def test_the_archive_of_one_machine_copied_into_the_storage_is_read(place: Place, tmp_path: Path) -> None:
    with Archive(tmp_path / "archive") as before:
        old = [write(before, body) for body in bodies(5)]
    for path in (tmp_path / "archive").glob("*/*.warc.gz"):
        stored(place).put(f"{path.parent.name}/{path.name}", path.read_bytes())
    with Archive(place) as archive:
        assert archive.snapshots("run-1") == old
        assert [archive.body(one.sha256) for one in old] == bodies(5)
        added = write(archive, b"one more")
        assert archive.snapshots("run-1") == [*old, added]


# --- what was lost ----------------------------------------------------------------------------------------------------


def test_a_record_without_its_row_is_found_when_its_run_is_read_or_written(archive: Archive, place: Place) -> None:
    written = [write(archive, b"%d" % number) for number in range(4)]
    archive.close()
    lose_rows(place, written[1].warc)
    lose_rows(place, written[3].warc)
    with Archive(place) as again:
        again.begin(code=CODE, run_id="run-1")
        assert again.last_page(HOME, ["run-1"]) == written[3]
    lose_rows(place, written[3].warc)
    with Archive(place) as again:
        assert again.snapshots("run-1") == written


def test_a_body_without_its_row_is_found_though_nobody_named_its_run(archive: Archive, place: Place) -> None:
    kept, lost = write(archive, b"kept"), write(archive, b"lost")
    archive.close()
    lose_rows(place, lost.warc)
    sharing._everywhere.clear()
    with Archive(place) as again:
        assert again.body(lost.sha256) == b"lost"
        assert again.body(kept.sha256) == b"kept"


def test_an_index_dropped_under_a_writer_misses_nothing(archive: Archive, place: Place) -> None:
    written = [write(archive, b"1"), write(archive, b"2")]
    if place.database:
        lose_index(place)
    else:
        (place.folder / "index.db").unlink()
    written.append(write(archive, b"3"))
    assert archive.snapshots("run-1") == written
    assert archive.body(written[0].sha256) == b"1"


def test_a_damaged_object_is_named_and_hides_no_other(archive: Archive, place: Place) -> None:
    written = [write(archive, body) for body in (b"first", b"second", b"third")]
    damaged = bytearray(stored(place).read(written[1].warc))
    damaged[written[1].offset + 40 : written[1].offset + 60] = bytes(20)
    stored(place).put(written[1].warc, bytes(damaged))
    with pytest.raises(ArchiveError, match=rf"{written[1].warc}, byte \d+.*bring the file back") as said:
        archive.body(written[1].sha256)
    assert not isinstance(said.value, StorageError)
    lose_index(place)
    with Archive(place) as again:
        assert again.snapshots("run-1") == [written[0], written[2]]
    stored(place).remove(written[2].warc)
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.body(written[2].sha256)
    second = write(archive, b"third", run_id="run-2")
    assert archive.body(second.sha256) == b"third", "another copy is used"


def test_a_forged_body_is_refused(archive: Archive, place: Place) -> None:
    truth, forged = write(archive, b"the truth"), write(archive, b"forgeries")
    stored(place).put(truth.warc, stored(place).read(forged.warc))
    with pytest.raises(ArchiveError, match="another sha256|no WARC record|not a"):
        archive.body(truth.sha256)


# --- several processes ------------------------------------------------------------------------------------------------

OPENED = """
    import random, sys
    from tests.test_archive import Path, write
    from pipeline.archive import Archive, Place
    with Archive(Place(Path(sys.argv[1]), sys.argv[2], sys.argv[3])) as archive:
"""
WRITER = (
    OPENED
    + """
        source, number = random.Random(int(sys.argv[4])), 0
        while number < int(sys.argv[5]):
            body = b"%d %d " % (int(sys.argv[4]), number) + source.randbytes(source.randrange(20_000))
            print(write(archive, body, url=f"https://x.jp/{number}").sha256, flush=True)
            number += 1
"""
)


def _arguments(place: Place) -> tuple[str, str, str]:
    return str(place.folder), place.storage, place.database


@pytest.mark.parametrize("place", ["folder, sqlite", "s3, postgresql"], indirect=True)
def test_two_processes_write_one_run_and_lose_nothing(place: Place) -> None:
    """Each with an index of its own where there is no database: as on two machines."""
    places = [place, place if place.database else replace(place, folder=place.folder.with_name("other machine"))]
    writers = [python(WRITER, *_arguments(each), number, 20) for number, each in enumerate(places)]
    told = []
    for writer in writers:
        out, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
        told.append(out.split())
    sharing._everywhere.clear()
    for each in places:
        with Archive(each) as archive:
            found = [one.sha256 for one in archive.snapshots("run-1")]
            assert sorted(found) == sorted(told[0] + told[1])
            assert [one for one in found if one in told[0]] == told[0], "each one's in the order of its writing"
            assert all(hashlib.sha256(archive.body(one)).hexdigest() == one for one in found)


@pytest.mark.parametrize("place", ["folder, postgresql"], indirect=True)
def test_kill_9_loses_no_record_that_was_reported_written(place: Place) -> None:
    """Three writers of one run at once, each killed at a random moment."""
    source, told = random.Random(2026), []
    writers = [python(WRITER, *_arguments(place), seed, 10_000) for seed in range(3)]
    for writer in writers:
        assert writer.stdout is not None
        told.append(writer.stdout.readline().strip())
    for writer in writers:
        time.sleep(source.uniform(0, 0.2))
        writer.kill()
        assert writer.stdout is not None
        told += writer.stdout.read().split()
        writer.communicate()
    sharing._everywhere.clear()
    with Archive(place) as archive:
        found = [one.sha256 for one in archive.snapshots("run-1")]
        told = [one for one in told if len(one) == 64]
        assert set(told) <= set(found) and len(found) <= len(told) + 3
        assert all(archive.body(one) for one in found)


@pytest.mark.parametrize("place", ["s3, postgresql"], indirect=True)
def test_a_writer_killed_between_the_object_and_its_row(place: Place) -> None:
    script = (
        OPENED
        + """
        write(archive, b"first")
        import os, signal
        archive._storage.index.add = lambda owned: os.kill(os.getpid(), signal.SIGKILL)
        write(archive, b"in flight")
"""
    )
    killed = run_python(script, *_arguments(place))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with Archive(place) as archive:
        archive.begin(code=CODE, run_id="run-1")
        assert [archive.body(one.sha256) for one in archive.snapshots("run-1")] == [b"first", b"in flight"]


def _body_in_worker(place: Place, sha256: str) -> bytes:
    with Archive(place) as archive:
        return archive.body(sha256)


def test_threads_share_an_archive_and_other_processes_open_it_by_its_place(archive: Archive, place: Place) -> None:
    with ThreadPoolExecutor(8) as threads:
        written = list(threads.map(lambda number: write(archive, b"%d" % number), range(40)))
    assert sorted(one.warc for one in written) == [one.warc for one in archive.snapshots("run-1")]
    if place.storage.startswith("s3"):
        return  # a process takes seconds to start
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
        pending = [workers.submit(_body_in_worker, archive.place, one.sha256) for one in written[:5]]
        assert [each.result() for each in pending] == [b"%d" % number for number in range(5)]


def test_many_archives_of_one_process_share_their_connections(postgresql_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "index", str(tmp_path / "share"), postgresql_url)
    archives = [Archive(place) for _ in range(32)]
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda pair: write(pair[1], b"%d" % pair[0], run_id=f"run-{pair[0]}"), enumerate(archives)))
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        counted = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert counted.fetchone()[0] <= 16  # type: ignore[index]
    for each in archives:
        each.close()
    assert tables._engines == {}


# --- what fails -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["folder, postgresql"], indirect=True)
def test_a_database_that_restarts_is_waited_for(
    place: Place, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Archive(place) as archive:
        first = write(archive, b"before")
        name = place.database.rpartition("/")[2]
        cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cluster.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with ThreadPoolExecutor(1) as threads:
            pending = threads.submit(write, archive, b"meanwhile")
            time.sleep(0.5)
            assert not pending.done()
            cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            second = pending.result(timeout=20)
        assert archive.snapshots("run-1") == [first, second]
        cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cluster.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        monkeypatch.setattr(tables, "PATIENCE_S", 0.3)
        with pytest.raises(StorageError, match="nothing is lost") as said:
            write(archive, b"too long")
        assert "akashi:***@" in str(said.value)
        cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert archive.body(first.sha256) == b"before"
    with Archive(place) as archive:
        assert [archive.body(one.sha256) for one in archive.snapshots("run-1")][2] == b"too long"


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    script = (
        OPENED
        + """
        from pipeline.errors import ArchiveError
        write(archive, b"small")
        import os, resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            write(archive, os.urandom(500_000))
        except ArchiveError as error:
            print("said:", error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        write(archive, b"after")
"""
    )
    place = Place(tmp_path / "index", str(tmp_path / "share"))
    done = run_python(script, *_arguments(place))
    assert "cannot be written (File too large); make room" in done.stdout, done.stderr
    with Archive(place) as archive:
        assert [archive.body(one.sha256) for one in archive.snapshots("run-1")] == [b"small", b"after"]
    left = [path for path in (tmp_path / "share").rglob("*") if path.is_file()]
    assert len(left) == 3, left  # two answers and the mark


def test_a_store_out_of_reach_is_tried_again_and_then_said(
    made_s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "index", made_s3)
    with Archive(place) as archive:
        kept = write(archive)
        store = archive._storage._bucket  # type: ignore[attr-defined]
        asked, real = [], store._files

        class Failing:
            def __getattr__(self, name: str) -> object:
                def act(*given: object, **named: object) -> object:
                    asked.append(name)
                    if len(asked) < 3:
                        raise OSError(16, "Please reduce your request rate.")
                    return getattr(real, name)(*given, **named)

                return act

        monkeypatch.setattr(buckets, "WAITS_S", (0.0, 0.0, 0.0))
        monkeypatch.setattr(store, "_files", Failing())
        assert archive.body(write(archive, b"at the third").sha256) == b"at the third"
        monkeypatch.undo()
        assert asked[:4] == ["pipe_file"] * 3 + ["cat_file"], asked
        assert len(archive.snapshots("run-1")) == 2
        boto3.resource("s3").Bucket(made_s3.split("/")[2]).objects.all().delete()
        boto3.client("s3").delete_bucket(Bucket=made_s3.split("/")[2])
        monkeypatch.setattr(buckets, "WAITS_S", (0.0,))
        with pytest.raises(StorageError, match=r"s3://akashi-\w+/archives/ours/run-1.* cannot be written"):
            write(archive, b"nowhere to go")
        assert kept in archive.snapshots("run-1")


def test_a_share_that_is_not_mounted_is_no_empty_archive(postgresql_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "index", str(tmp_path / "share"), postgresql_url)
    with Archive(place) as archive:
        kept = write(archive)
    (tmp_path / "share").rename(tmp_path / "elsewhere")
    with Archive(place) as archive:
        with pytest.raises(StorageError, match="holds no archive, though the index knows of one; mount it"):
            write(archive, b"onto the disk below")
        with pytest.raises(StorageError, match="holds no archive"):
            pages_of({kept.sha256}, archive)  # never as if the page were gone
    assert not (tmp_path / "share").exists()
    with Archive(replace(place, storage=str(tmp_path / "elsewhere"))) as archive:
        assert archive.body(kept.sha256) == b"<p>body</p>", "paths in the index are below the root"


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("nosuch://x", "CLASSIFY_ARCHIVE=nosuch://x names no storage"),
        ("gdrive://me:secret@x/y", "CLASSIFY_ARCHIVE=gdrive://x/y needs"),
    ],
)
def test_what_names_no_storage_is_said(tmp_path: Path, storage: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Archive(Place(tmp_path, storage))


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r"pip install 'akashi\[cluster\]'"):
        Archive(Place(tmp_path, "s3://bucket/prefix"))


# --- a survey ---------------------------------------------------------------------------------------------------------


def _concluded(settings: Settings) -> tuple[list[object], set[str]]:
    """(criterion, verdict, quotes) of the run, and the sha256s of its pages. What is measured differs each time."""
    with Store(settings.database_url) as store, open_archive(settings) as archive:
        (run,) = store.runs()
        judged = sorted((item.judgement for item in store.items(run.id)), key=lambda one: one.criterion)
        found = [(one.criterion, one.verdict, [quote.text for quote in one.quotes]) for one in judged]
        pages = {one.sha256 for one in archive.snapshots(run.id) if one.is_page}
        return [one for one in found if one[0] != "resident-02"], pages


def test_a_survey_concludes_the_same_wherever_its_pages_are_kept(
    surveyed: Path, tmp_path: Path, postgresql_url: str
) -> None:
    moved = Settings(home=tmp_path, cache=tmp_path / "cache", db=postgresql_url, archive=f"{tmp_path}/share")
    with demo.serve() as url:
        city = demo.MUNICIPALITY.model_copy(update={"home_url": url})
        order = Order(city, load("dx-2024"), as_of=demo.AS_OF, delay_s=0, allow_private=True)
        survey(order, settings=moved, panel=panel(Wish(judges="rules"), moved), watch=lambda *_: None)
    assert _concluded(moved) == _concluded(Settings(home=surveyed, db=""))
    assert len(list((tmp_path / "share").glob("*/*/*.warc.gz"))) > 40
    assert not (tmp_path / "archive").exists()
