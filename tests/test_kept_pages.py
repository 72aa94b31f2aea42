"""Extracted pages on disk: the same pages as without them, whatever happens to the file, and never without the body."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import cache as cache_module
from pipeline import demo, extracting
from pipeline.archive import Archive, import_site
from pipeline.cache import Pages
from pipeline.errors import ArchiveError
from pipeline.models import Cause, Coverage, Municipality, Page, Record, Run, RunState, Unread
from pipeline.reading import Read, read

NOW = datetime(2026, 11, 20, tzinfo=UTC)
HOME = "http://www.city.example.lg.jp/"
CODE = "999991"


def run_of(day: int) -> Run:
    return Run(
        id=f"202611{day}T000000000000Z-{CODE}",
        municipality=Municipality(code=CODE, name="青空市", home_url=HOME),
        criteria_id="dx-2024",
        criteria_sha256="0" * 64,
        as_of=date(2026, 11, 20),
        judge="rules",
        state=RunState.CRAWLING,
        started=NOW,
    )


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the demo's files archived by two runs, a PDF that is none among them."""
    base = tmp_path_factory.mktemp("archived")
    site = base / "site"
    shutil.copytree(demo.SITE / "kurashi" / "todoke", site / "todoke")
    for name in ("index.html", "rss.xml", "sitemap.xml", "news/index.html", "pdf/jinzai_hoshin.pdf"):
        (site / name).parent.mkdir(exist_ok=True)
        shutil.copy(demo.SITE / name, site / name)
    (site / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    with Archive(base / "archive") as archive:
        for day in (20, 21):
            run = run_of(day)
            import_site(
                archive, site, code=CODE, run_id=run.id, base_url=HOME, now=NOW + timedelta(days=day - 20)
            )  # fmt: skip
    return base / "archive"


@pytest.fixture
def archive(archived: Path, tmp_path: Path) -> Iterator[Archive]:
    with Archive(Path(shutil.copytree(archived, tmp_path / "archive"))) as opened:
        yield opened


def seen(archive: Archive, day: int = 20, folder: Path | None = None) -> Read:
    gathered = Coverage(home_read=True, found=0, fetched=0, read=0, started=NOW, finished=NOW)
    if folder is None:
        return read(archive, run_of(day), gathered, lambda *_: None)
    with Pages(folder) as kept:
        return read(archive, run_of(day), gathered, lambda *_: None, kept)


def noted(patch: pytest.MonkeyPatch) -> list[str]:
    """Any body that is extracted again is written down."""
    extracted: list[str] = []
    whole = extracting.extract

    def told(snapshot, body):  # type: ignore[no-untyped-def]
        extracted.append(snapshot.url)
        return whole(snapshot, body)

    patch.setattr(extracting, "extract", told)
    return extracted


def test_a_second_survey_reads_the_same_pages_without_extracting_them(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, PDFs and what could not be read included; what may have been the machine's fault is tried again."""
    without = seen(archive)
    first = seen(archive, 20, tmp_path / "pages")
    extracted = noted(monkeypatch)
    second = seen(archive, 21, tmp_path / "pages")
    assert [path.removeprefix(HOME) for path in extracted] == ["broken.pdf"]
    for other in (first, second):
        assert list(other.pages) == list(without.pages)
        assert [page.model_dump_json() for page in other.pages.values()] == [
            page.model_dump_json() for page in without.pages.values()
        ]
        assert (other.lists, other.coverage) == (without.lists, without.coverage)
    assert any(page.media == "pdf" for page in second.pages.values())
    assert Cause.BROKEN in {one.cause for one in second.coverage.unread}


def _flip(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        database.execute("UPDATE Cache SET value = substr(value, 1, 200) || 'A' || substr(value, 202)")


def _swap(folder: Path) -> None:
    """Every row under the key of another."""
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        rows = database.execute("SELECT rowid, value FROM Cache ORDER BY rowid").fetchall()
        for (rowid, _), (_, value) in zip(rows, rows[1:] + rows[:1], strict=True):
            database.execute("UPDATE Cache SET value = ? WHERE rowid = ?", (value, rowid))


def _other_kinds(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        database.execute("UPDATE Cache SET value = x'00ff' WHERE rowid % 3 = 0")
        database.execute("UPDATE Cache SET mode = 4 WHERE rowid % 3 = 1")
        database.execute("UPDATE Cache SET value = '' WHERE rowid % 3 = 2")


HARM: dict[str, Callable[[Path], None]] = {
    "deleted": shutil.rmtree,
    "a byte of each row": _flip,
    "rows under other keys": _swap,
    "rows of other kinds": _other_kinds,
}


@pytest.mark.parametrize("name", HARM)
def test_a_cache_that_was_harmed_changes_nothing(name: str, archive: Archive, tmp_path: Path) -> None:
    first = seen(archive, 20, tmp_path / "pages")
    HARM[name](tmp_path / "pages")
    again = seen(archive, 21, tmp_path / "pages")
    assert dict(again.pages) == dict(first.pages)
    assert again.coverage == first.coverage


def test_a_page_whose_body_the_archive_has_lost_is_no_page(archive: Archive, tmp_path: Path) -> None:
    """The archive is the truth: what is quoted must be there."""
    seen(archive, 20, tmp_path / "pages")
    for warc in archive.folder.rglob("*.warc.gz"):
        warc.write_bytes(warc.read_bytes()[:5000])
    with pytest.raises(ArchiveError, match="cannot be read"):
        seen(archive, 20, tmp_path / "pages")


def test_other_code_another_address_or_speaker_is_another_key(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = archive.snapshots(run_of(20).id)[0]
    keys = {extracting._key(extracting._essence(document))}
    for change in (
        {"final_url": HOME + "x"},
        {"source": "press"},
        {"headers": (("Content-Type", "text/plain"),)},
        {"sha256": "0" * 64},
        {"fetched_at": NOW + timedelta(days=1)},
    ):
        keys.add(extracting._key(extracting._essence(document.model_copy(update=change))))
    monkeypatch.setattr(extracting, "version", lambda: "other code")
    keys.add(extracting._key(extracting._essence(document)))
    assert len(keys) == 7
    same = document.model_copy(
        update={"warc": "x", "offset": 9, "fetched_at": document.fetched_at + timedelta(hours=1)}
    )
    assert extracting._key(extracting._essence(same)) == extracting._key(extracting._essence(document))


def test_the_oldest_pages_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cache_module._PAGE_SETTINGS, "size_limit", 400_000)
    unread = Unread(url="http://a.example/", cause=Cause.EMPTY, detail="")
    with Pages(tmp_path) as kept:
        for number in range(400):
            page = Page(sha256="0" * 64, url="", text="".join(map(chr, range(number, number + 4000))), blocks=())
            kept.put(f"{number}", page)
        kept.put("last", unread)
        assert kept.get("last") == unread
        assert kept.get("399") is not None
        assert kept.get("0") is None
    assert sum(file.stat().st_size for file in tmp_path.glob("cache.db")) < 2_000_000


def test_what_a_browser_made_is_read_by_itself_though_its_bytes_be_those_of_an_answer(tmp_path: Path) -> None:
    """A short page with an empty frame is unread as an answer and read as rendered; neither is kept for the other."""
    words = "本日の受付は終了しました。次の受付は来週月曜日の午前九時に始まりますので、お待ちください。"
    body = f'<p>{words}</p><div id="app"></div><script src="/a.js"></script>'.encode()

    def once(record: Record, day: int) -> int:
        with Archive(tmp_path / "archive") as archive:
            archive.write(
                code=CODE,
                run_id=run_of(day).id,
                url=HOME,
                final_url=HOME,
                fetched_at=NOW,
                status=200,
                headers=(("content-type", "text/html; charset=utf-8"),),
                body=body,
                record=record,
            )
            return len(seen(archive, day, tmp_path / "pages").pages)

    assert [once(Record.RESPONSE, 20), once(Record.CONVERSION, 21), once(Record.RESPONSE, 22)] == [0, 1, 0]
