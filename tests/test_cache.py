"""Answers on disk: what others planted there is a miss or a plain error, what was paid for stays."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cache import Answers, Entry
from pipeline.errors import StoreError

ROOT = Path(__file__).resolve().parents[1]
KEY = "a" * 64


def entry(raw: str = "{}", model: str = "m") -> Entry:
    return Entry(
        raw=raw,
        model=model,
        criterion="ops-08",
        municipality="011002",
        prompt_sha256="p" * 64,
        criteria_sha256="c" * 64,
        page_sha256s=("d" * 64,),
        cost_usd=0.25,
        stored_at="2026-11-20T00:00:00+00:00",
    )


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def plant(folder: Path, **columns: object) -> None:
    row = {"key": KEY, "raw": 1, "store_time": 1.0, "access_time": 1.0, "mode": 1, "filename": None, "value": "x"}
    row |= columns
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        names, gaps = ", ".join(row), ", ".join("?" * len(row))
        database.execute(f"INSERT INTO Cache ({names}) VALUES ({gaps})", tuple(row.values()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache with one good answer under another key."""
    folder = tmp_path / "cache" / "answers"
    with Answers(folder) as answers:
        answers.put("good", entry())
    return folder


GOOD = json.dumps({"format": 1, **entry("planted").model_dump(mode="json")})
ROWS: dict[str, dict[str, object]] = {
    "none": {"mode": 0},
    "unknown mode": {"mode": 5},
    "mode as text": {"mode": "4"},
    "no mode": {"mode": None},
    "binary inline": {"mode": 2, "value": b"x"},
    "text inline": {"mode": 3, "value": GOOD},
    "raw bytes": {"value": GOOD.encode()},
    "raw number": {"value": 7},
    "raw float": {"value": 0.5},
    "nothing": {"value": None},
    "not JSON": {"value": "{"},
    "another form": {"value": "[]"},
    "nested without end": {"value": "[" * 200_000},
    "another format": {"value": GOOD.replace('"format": 1', '"format": 2')},
    "no format": {"value": json.dumps(entry().model_dump(mode="json"))},
    "a field too many": {"value": GOOD.replace('"format": 1', '"format": 1, "x": 1')},
    "a field of another type": {"value": GOOD.replace("0.25", '"0.25"')},
    "cost that is no number": {"value": GOOD.replace("0.25", "NaN")},
    "raw that is no text": {"value": GOOD.replace('"planted"', "{}")},
    "huge": {"value": "x" * 30_000_000},
    "file above": {"mode": 3, "filename": "../../outside.txt", "value": None},
    "file above, raw": {"filename": "../../outside.txt", "value": GOOD},
    "file above, binary": {"mode": 2, "filename": "../../outside.txt", "value": None},
    "absolute file": {"mode": 3, "filename": "/etc/hostname", "value": None},
    "expired long ago": {"value": GOOD, "expire_time": 1.0},
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_we_did_not_write_is_a_miss_and_can_be_written_over(folder: Path, name: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(GOOD)
    plant(folder, **ROWS[name])
    with Answers(folder) as answers:
        assert answers.get(KEY) is None
        assert [key for key, _ in answers.entries()] == ["good"]
        answers.put(KEY, entry("paid"))
        assert answers.get(KEY) == entry("paid")
        assert answers.get("good") == entry()
    assert outside.read_text() == GOOD


@pytest.mark.parametrize("way", ["inline", "file", "file above", "key", "key and value"])
def test_nothing_is_ever_unpickled(folder: Path, way: str, tmp_path: Path) -> None:
    marker, bomb = tmp_path / "ran", pickle.dumps(Bomb(tmp_path / "ran"))
    (folder / "bomb.val").write_bytes(bomb)
    (tmp_path / "bomb.val").write_bytes(bomb)
    rows: dict[str, dict[str, object]] = {
        "inline": {"mode": 4, "value": bomb},
        "file": {"mode": 4, "filename": "bomb.val", "value": None},
        "file above": {"mode": 4, "filename": "../../bomb.val", "value": None},
        "key": {"key": bomb, "raw": 0, "value": GOOD},
        "key and value": {"key": bomb, "raw": 0, "mode": 4, "value": bomb},
    }
    plant(folder, **rows[way])
    with Answers(folder) as answers:
        assert answers.get(KEY) is None
        assert [key for key, _ in answers.entries()] == ["good"]
        answers.put(KEY, entry())
        assert answers.drop([KEY]) == 1
        assert answers.clear() == (2 if way.startswith("key") else 1)
    assert not marker.exists()
    assert (folder / "bomb.val").exists()
    assert (tmp_path / "bomb.val").exists()
    pickle.loads(bomb)
    assert marker.exists(), "the bomb itself works"


@pytest.mark.parametrize("key", [None, 7, 0.5, b"bytes", "", "x" * 1_000_000])
def test_keys_of_any_type_keep_no_good_answer_from_being_listed(folder: Path, key: object) -> None:
    plant(folder, key=key, value=GOOD if not isinstance(key, str) else "x")
    with Answers(folder) as answers:
        assert [found for found, _ in answers.entries()] == ["good"]


SETTINGS: dict[str, object] = {
    "_directory": "../../elsewhere",
    "get": "x",
    "_disk": "x",
    "disk_fetch": "x",
    "disk_evil": 1,
    "sqlite_writable_schema": 1,
    "sqlite_journal_mode": "wal; DROP TABLE Cache",
    "statistics": "1",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_strange_settings_are_refused_before_they_are_obeyed(folder: Path, name: str) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        database.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (name, SETTINGS[name]))
    with pytest.raises(StoreError, match="not a cache of this program"):
        Answers(folder)
    assert not (folder.parents[1] / "elsewhere").exists()


def test_known_settings_found_in_the_file_do_not_count(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        for name, value in (("size_limit", 1), ("cull_limit", 100), ("statistics", 1), ("disk_min_file_size", 0)):
            database.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (name, value))
    with Answers(folder) as answers:
        for number in range(30):
            answers.put(f"{number}", entry("x" * 1000))
        assert len(list(answers.entries())) == 31
    assert sorted(path.name for path in folder.iterdir()) == ["cache.db"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END",
        "CREATE TRIGGER Settings_x AFTER INSERT ON Cache BEGIN UPDATE Settings SET value = 'x'; END",
        "CREATE VIEW v AS SELECT * FROM Cache",
        "CREATE TABLE t (x)",
    ],
)
def test_a_strange_schema_is_refused(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        database.execute(statement)
    with pytest.raises(StoreError, match="not a cache of this program"):
        Answers(folder)


def test_a_trigger_of_a_known_name_with_other_work_is_refused(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        database.execute("DROP TRIGGER Settings_count_insert")
        database.execute("CREATE TRIGGER Settings_count_insert AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END")
    with pytest.raises(StoreError, match="Settings_count_insert"):
        Answers(folder)


def test_what_is_not_a_database_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(StoreError, match="cannot be used"):
        Answers(tmp_path)


def test_answers_are_for_their_owner_alone_and_survive_reopening(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "answers"
    folder.mkdir(parents=True, mode=0o755)
    with Answers(folder) as answers:
        answers.put(KEY, entry("質問"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    (folder / "cache.db").chmod(0o644)
    with Answers(folder) as answers:
        assert answers.get(KEY) == entry("質問")
    assert (folder / "cache.db").stat().st_mode & 0o777 == 0o600


def test_links_are_refused_and_what_they_point_to_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (tmp_path / "answers").symlink_to(outside)
    with pytest.raises(StoreError, match="a link"):
        Answers(tmp_path / "answers")
    assert outside.stat().st_mode & 0o777 == 0o755
    assert not list(outside.iterdir())
    (tmp_path / "file.db").write_bytes(b"")
    own = tmp_path / "own"
    own.mkdir()
    (own / "cache.db").symlink_to(tmp_path / "file.db")
    with pytest.raises(StoreError, match="a link"):
        Answers(own)


def test_a_folder_that_cannot_be_made_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Answers(tmp_path / "file" / "answers")


def test_a_folder_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    if os.geteuid():
        tmp_path.chmod(0o500)
        place = tmp_path / "answers"
    else:
        place = Path("/proc/answers")  # not even root makes folders there
    with pytest.raises(StoreError, match="cannot be used"):
        Answers(place)


def test_the_first_answer_of_a_key_stays(folder: Path) -> None:
    with Answers(folder) as answers:
        answers.put(KEY, entry("first"))
        answers.put(KEY, entry("second"))
        found = answers.get(KEY)
        assert found is not None
        assert found.raw == "first"


def test_any_text_comes_back_as_it_went(folder: Path) -> None:
    with Answers(folder) as answers:
        answers.put(KEY, entry("\u2028\x00\x1b[31m😀"))
        assert answers.get(KEY) == entry("\u2028\x00\x1b[31m😀")


def test_dropping_and_clearing_count_what_there_was(folder: Path) -> None:
    with Answers(folder) as answers:
        for number in range(3):
            answers.put(f"{number}", entry(model=f"m{number}"))
        assert answers.drop(["0", "absent"]) == 1
        assert answers.clear() == 3
        assert list(answers.entries()) == []


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1]); sys.path.insert(0, sys.argv[1] + "/tests")
from pipeline.cache import Answers
from test_cache import entry
with Answers(Path(sys.argv[2])) as answers:
    for number in range(int(sys.argv[4])):
        answers.put(f"{number}", entry(sys.argv[3]))
        print(number, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(ROOT), str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_writing_the_same_keys_at_once_agree_on_one_answer_each(tmp_path: Path) -> None:
    writers = [writer(tmp_path / "answers", name, 60) for name in "abc"]
    for one in writers:
        one.communicate()
    assert [one.returncode for one in writers] == [0, 0, 0]
    with Answers(tmp_path / "answers") as answers:
        found = dict(answers.entries())
    assert len(found) == 60
    assert {one.raw for one in found.values()} <= set("abc")


def test_a_writer_killed_at_any_moment_leaves_every_answer_that_it_reported(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    for pause in (0.0, 0.02, 0.07):
        with writer(folder, "x", 100_000) as one:
            assert one.stdout is not None
            one.stdout.readline()
            time.sleep(pause)
            one.send_signal(signal.SIGKILL)
            reported = 1 + sum(line.endswith("\n") for line in one.stdout.readlines())
        with Answers(folder) as answers:
            assert len(list(answers.entries())) >= reported
