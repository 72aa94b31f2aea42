"""classify status: a survey of many in the terminal and for programs, from the database as it is."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from commands import classify, start
from reviewing import database_of
from wave_data import a_city, a_wave, nation

from pipeline.models import CityState, Wave, WaveCity
from pipeline.store.store import Store
from pipeline.terminal.waves import lasting

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTILE = "[red]市\x1b[2J\u202e"


def record(home: Path, wave: Wave, cities: list[WaveCity]) -> None:
    with Store(database_of(home)) as store:
        store.waves.begin(wave, cities)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace with a survey of all that was begun an hour and a half ago."""
    began = NOW - timedelta(minutes=91)
    wave = a_wave(cap=50.0, started=began)
    record(tmp_path, wave, nation(began))
    with Store(database_of(tmp_path)) as store:
        assert store.waves.reserve(wave.id, Decimal("9.5"))
    return tmp_path


def test_without_a_survey_it_says_what_begins_one(tmp_path: Path) -> None:
    assert "`classify nation` begins one" in classify(tmp_path, "status", code=2)
    assert "wave x: there is none here" in classify(tmp_path, "status", "--wave", "x", code=2)


def test_it_says_how_far_all_of_them_have_come(home: Path) -> None:
    told = classify(home, "status")
    for words in (
        "870 of 1,741 settled (49 %)",
        "● done 835",
        "✕ failed 35",
        "△ cancelled 0",
        "an hour (",
        "in about 1 h ",
        "$8.3500 spent in judgements, $1.1500 set aside; of $50.00 at most",
        "40 being worked on, the longest 10 of them",
        "汐凪0市 900000: www.city0.example: no address",
        "--failed",
    ):
        assert words in told, told


def test_the_newest_is_shown_and_any_other_by_its_id(home: Path) -> None:
    later = "20260801T000000Z-0002"
    record(home, a_wave(later), [a_city(1, wave=later)])
    assert f"Wave {later}" in classify(home, "status")
    assert "870 of 1,741" in classify(home, "status", "--wave", a_wave().id)


KEYS = {
    "": "wave criteria as_of began at ended elapsed_s worked_s total settled states pages money pace eta working "
    "troubles slowest",
    "money": "spent set_aside cap",
    "pace": "per_hour settled over_s unknown",
    "eta": "likely earliest latest unknown",
    "states": "waiting crawling crawled judging done failed cancelled",
}
ROWS = {
    "working": "code name state since pages",
    "troubles": "cause count first",
    "slowest": "code name state seconds pages",
}


def test_programs_find_the_same_keys_always(home: Path) -> None:
    """As docs/operators.md says; a wave in which nothing has happened has them all, too."""
    empty = "20260801T000000Z-0002"
    record(home, a_wave(empty), [a_city(1, wave=empty)])
    full = json.loads(classify(home, "status", "--wave", a_wave().id, "--json"))
    for found in (full, json.loads(classify(home, "status", "--json"))):
        for part, keys in KEYS.items():
            assert list(found[part] if part else found) == keys.split()
    for part, keys in ROWS.items():
        assert list(full[part][0]) == keys.split()
    assert (full["total"], full["states"]["done"], full["money"]["spent"]) == (1741, 835, 8.35)
    docs = (Path(__file__).parent.parent / "docs" / "operators.md").read_text("utf-8")
    assert all(f"`{key}`" in docs for keys in [*KEYS.values(), *ROWS.values()] for key in keys.split())


def test_all_that_failed_is_listed_with_what_tries_again(home: Path) -> None:
    told = classify(home, "status", "--failed")
    assert told.count("no address") == 35
    assert "classify --city 900000" in told and "`classify nation`" in told
    found = json.loads(classify(home, "status", "--failed", "--json"))
    assert len(found) == 35
    assert found[0] == {
        "code": "900000", "name": "汐凪0市", "cause": "dns", "detail": "www.city0.example: no address", "tries": 1
    }  # fmt: skip


def test_where_nothing_failed_it_says_so(tmp_path: Path) -> None:
    record(tmp_path, a_wave(), [a_city(1, CityState.DONE, 0, 1)])
    told = classify(tmp_path, "status", "--failed")
    assert "0 failed" in told and "classify --city" not in told


def test_words_of_others_move_no_cursor_and_colour_nothing(tmp_path: Path) -> None:
    record(tmp_path, a_wave(), [a_city(1, CityState.FAILED, 0, 1, name=HOSTILE, cause=HOSTILE, detail=HOSTILE)])
    for told in (classify(tmp_path, "status"), classify(tmp_path, "status", "--failed")):
        assert "[red]市?[2J?" in told and "\x1b[2J" not in told and "\u202e" not in told


@pytest.mark.parametrize("other", ["--json", "--failed"])
def test_what_is_drawn_anew_is_no_single_look(home: Path, other: str) -> None:
    assert "--watch" in classify(home, "status", "--watch", other, code=2)


def test_watching_ends_when_all_are_settled(tmp_path: Path) -> None:
    record(tmp_path, a_wave(), [a_city(1, CityState.CRAWLING, 0)])
    with start(tmp_path, "status", "--watch") as watching:
        time.sleep(1)
        assert watching.poll() is None
        with Store(database_of(tmp_path)) as store:
            store.waves.move(a_wave().id, "900001", state=CityState.DONE, ended=NOW)
        told, errors = watching.communicate(timeout=20)
    assert (watching.returncode, errors) == (0, "")
    assert "1 of 1 settled (100 %)" in told


def until_open(pid: int, path: Path) -> None:
    """Returns a moment after the process has opened the file: by then it draws what it reads there."""
    deadline = time.monotonic() + 30
    while not any(one.exists() and one.resolve() == path for one in Path(f"/proc/{pid}/fd").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)


def test_ctrl_c_ends_watching_quietly(tmp_path: Path) -> None:
    record(tmp_path, a_wave(), [a_city(1, CityState.CRAWLING, 0)])
    with start(tmp_path, "status", "--watch") as watching:
        until_open(watching.pid, tmp_path / "akashi.db")
        watching.send_signal(signal.SIGINT)
        told, errors = watching.communicate(timeout=20)
    assert (watching.returncode, errors) == (0, "")
    assert "0 of 1 settled" in told


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (90061, "1 d 1 h")],
)
def test_a_duration_in_words(seconds: float, said: str) -> None:
    assert lasting(seconds) == said
