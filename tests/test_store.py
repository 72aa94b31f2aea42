"""The store keeps what it was given, refuses what it must not keep, and loses no decision."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from databases import obstructed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queue_data import CITY, NOW, OTHER_CITY, item, judgement, measurement, quote, run, save, told
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pipeline.errors import DecisionError, StaleError, StoreError
from pipeline.models import (
    Action,
    Cause,
    Coverage,
    Decision,
    Flag,
    Pending,
    QueueItem,
    Run,
    RunState,
    Unread,
    Verdict,
)
from pipeline.review import queue
from pipeline.store.log import refusal
from pipeline.store.opening import open_database, writing
from pipeline.store.store import Store
from pipeline.store.tables import metadata

ODD_TEXTS = [
    "\0",
    "a\0b\0",
    "𠮷野家で㈱髙島屋①Ⅱ㎡",
    "👩‍👩‍👧 e\u0301 は\u3099",
    "\u202eRLO\u200b\ufeff\u2028\u2029",
    "'; DROP TABLE decisions; --",
    '{"verdict": "met"}\\u0000\\',
    "\x1b[31m\r\n\t\x7f",
    "\uffff\U0010ffff",
    "あ" * 200_000,
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "workspace" / "akashi.db"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store(database_url) as opened:
        yield opened


def approve(one: QueueItem, reviewer: str = "佐藤") -> Decision:
    return queue.approve(one, reviewer=reviewer, now=NOW)


def coverage() -> Coverage:
    return Coverage(
        home_read=True,
        found=3,
        fetched=2,
        read=1,
        unread=(Unread(url="https://city.example/a", cause=Cause.NEEDS_OCR, label="計画\0"),),
        pending=(Pending(url="https://city.example/b", label="予約"),),
        started=NOW,
        finished=NOW + timedelta(minutes=9),
        max_pages=400,
    )


# --- opening ----------------------------------------------------------------------------------------------------------


def test_folder_and_file_are_the_owners_alone(file: Path) -> None:
    with Store(f"sqlite:///{file}") as store:
        save(store)
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
        assert len(list(file.parent.iterdir())) == 3  # the database, its WAL and the WAL's index


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Store(f"sqlite:///{tmp_path / 'akashi.db'}").close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_every_connection_is_set_for_safety(file: Path) -> None:
    engine = open_database(f"sqlite:///{file}")
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            found = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
            }
            assert found == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
            assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000
    engine.dispose()


def test_a_writing_transaction_holds_the_write_lock_from_its_beginning(file: Path) -> None:
    engine = open_database(f"sqlite:///{file}")
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    with writing(engine) as connection, connection.begin():
        connection.execute(text("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    with engine.connect() as connection, connection.begin():  # and a reading one does not
        connection.execute(text("SELECT count(*) FROM runs"))
        other.execute("BEGIN IMMEDIATE")
    other.close()
    engine.dispose()


def test_a_database_is_opened_again_with_what_it_held(database_url: str) -> None:
    with Store(database_url) as store:
        before = save(store)
    with Store(database_url) as store:
        assert store.items("r1") == before


def test_opening_a_current_database_does_not_load_alembic(database_url: str) -> None:
    Store(database_url).close()
    code = "import sys; from pipeline.store.store import Store; Store(sys.argv[1]); print('alembic' in sys.modules)"
    command = [sys.executable, "-c", code, database_url]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_database_of_a_newer_version_is_left_alone(database_url: str, file: Path) -> None:
    Store(database_url).close()
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(StoreError, match=r"newer Akashi \(version 9999, this one knows 0004\): update Akashi"):
        Store(database_url)
    assert _execute(database_url, "SELECT version_num FROM alembic_version") == [("9999",)]
    assert before == (file.read_bytes() if file.exists() else None)


def test_what_is_not_a_database_is_refused(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"This is a diary, not a database. " * 99)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{file}")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("akashi.db", "not a database URL"),
        ("", "not a database URL"),
        ("oracel://x", "oracel"),
        ("sqlite:////dev/null/akashi.db", "cannot open the database"),
        ("mysql+pymysql://me:secret@127.0.0.1:1/akashi", "cannot open the database"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/akashi", "cannot open the database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(url: str, why: str) -> None:
    with pytest.raises(StoreError, match=why) as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_a_database_in_memory_works_within_its_thread() -> None:
    with Store("sqlite://") as store:
        (one,) = save(store)
        store.record(approve(one))
        assert store.waiting() == []


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_comes_back_as_it_was_saved(store: Store) -> None:
    crawling = run(state=RunState.CRAWLING, sources=("https://press.example/1",))
    store.save_run(crawling)
    assert store.run("r1") == crawling
    done = run(finished=NOW, coverage=coverage())
    store.save_run(done)
    assert store.run("r1") == done
    assert store.runs() == [done]
    assert store.run("r2") is None


def test_the_latest_run_by_state(store: Store) -> None:
    for run_id, state in [("r1", RunState.DONE), ("r3", RunState.CRAWLING), ("r2", RunState.DONE)]:
        store.save_run(run(run_id, state=state))
    store.save_run(run("r9", OTHER_CITY))
    store.save_run(run("R9", OTHER_CITY))  # sorted by byte, whatever the language of the database
    assert [one.id for one in store.runs()] == ["R9", "r1", "r2", "r3", "r9"]
    assert [one.id for one in store.runs(CITY.code)] == ["r1", "r2", "r3"]
    assert store.latest_run(CITY.code) == run("r3", state=RunState.CRAWLING)
    assert store.latest_run(CITY.code, state=RunState.DONE) == run("r2")
    assert store.latest_run(CITY.code, state=RunState.JUDGING) is None
    assert store.latest_run("011002") is None


@pytest.mark.parametrize("changed", [run(city=OTHER_CITY), run(criteria_id="another")])
def test_a_run_never_becomes_another_run(store: Store, changed: Run) -> None:
    store.save_run(run())
    with pytest.raises(StoreError, match="use a new id"):
        store.save_run(changed)
    assert store.run("r1") == run()


# --- judgements -------------------------------------------------------------------------------------------------------


def test_judgements_come_back_as_they_were_saved(store: Store) -> None:
    judged = [
        judgement(
            "ops-01", quotes=(quote(dated=date(2024, 4, 1), context="前\n後", href="https://a.example/"), quote("x"))
        ),
        judgement("ops-02", Verdict.NO_EVIDENCE, searched=("b" * 64,), unread=coverage().unread),
        judgement("resident-01", measurement=measurement(1 / 3, values=(0.1, 1e-300, 5e300))),
        judgement(
            "ops-03", Verdict.NOT_JUDGED, prompt_sha256="d" * 64, flags=(Flag.QUOTE_NOT_FOUND,), cost_usd=0.1 + 0.2
        ),
    ]
    items = save(store, *judged)
    assert [one.judgement for one in items] == judged
    assert [one.number for one in items] == [1, 2, 3, 4]
    assert items[1] == store.item(2) == item(judged[1], number=2)


def test_saving_again_keeps_the_numbers_people_type(store: Store) -> None:
    before = save(store, judgement("ops-01"), judgement("ops-02"))
    save(store, judgement("ops-01"), of=run("r2", OTHER_CITY))
    again = save(store, judgement("ops-03"), judgement("ops-02", Verdict.NO_EVIDENCE), judgement("ops-01"))
    assert [(one.number, one.judgement.criterion) for one in again] == [(1, "ops-01"), (2, "ops-02"), (4, "ops-03")]
    assert again[0] == before[0]
    assert again[1].judgement.verdict is Verdict.NO_EVIDENCE
    assert again[1].digest != before[1].digest
    assert save(store, judgement("ops-01"), judgement("ops-02", Verdict.NO_EVIDENCE), judgement("ops-03")) == again


def test_judgements_are_saved_all_or_none(store: Store) -> None:
    forged = judgement("ops-02").model_copy(update={"quotes": ()})
    with pytest.raises(StoreError, match="ops-02"):
        save(store, judgement("ops-01"), forged)
    assert store.items("r1") == []


def test_judgements_need_their_run(store: Store) -> None:
    with pytest.raises(StoreError, match="run r1 is not saved"):
        store.save_judgements(run(), [judgement()])


@pytest.mark.parametrize(
    "forged",
    [
        {"quotes": ()},
        {"quotes": (), "verdict": Verdict.NOT_MET},
        {"quotes": (quote().model_copy(update={"text": "べつの文"}),)},
        {"quotes": (quote().model_copy(update={"text": "", "end": 7}),)},
        {"quotes": (quote().model_copy(update={"page_sha256": "b"}),)},
        {"quotes": ("RPAを導入しました",)},
        {"verdict": "maybe"},
        {"confidence": 1.5},
        {"confidence": float("nan")},
        {"measurement": measurement().model_copy(update={"value": float("nan")})},
        {"measurement": measurement(float("inf"))},
        {"criterion": "OPS 1"},
    ],
    ids=str,
)
def test_what_is_not_a_grounded_judgement_is_not_stored(store: Store, forged: dict) -> None:
    """Invariant 2 at the store's door: model_copy validates nothing, the store does."""
    with pytest.raises(StoreError, match="cannot be stored"):
        save(store, judgement().model_copy(update=forged))
    assert store.items("r1") == []


def test_what_was_changed_behind_the_stores_back_is_not_read_as_a_judgement(store: Store, database_url: str) -> None:
    save(store)
    body = _execute(database_url, "SELECT body FROM judgements")[0][0]
    forged = body.replace('"quotes":[{', '"quotes":[],"claims":[{')
    _execute(database_url, "UPDATE judgements SET body = :body", body=forged)
    for read in (lambda: store.items("r1"), lambda: store.item(1), store.waiting):
        with pytest.raises(StoreError, match="judgement 1 in the database is not valid"):
            read()


@pytest.mark.parametrize("odd", ODD_TEXTS, ids=lambda odd: ascii(odd)[:24])
def test_odd_text_comes_back_unchanged(store: Store, odd: str) -> None:
    city = CITY.model_copy(update={"name": odd})
    of = run(city=city, coverage=coverage().model_copy(update={"pending": (Pending(url=odd, label=odd),)}))
    judged = judgement(rationale=odd, quotes=(quote(odd, context=odd, title=odd, url=odd),))
    (one,) = save(store, judged, of=of)
    decision = queue.approve(one, reviewer="佐藤", now=NOW, note=odd)
    store.record(decision)
    assert store.run("r1") == of
    assert store.item(1).judgement == judged
    assert store.item(1).municipality == city
    assert store.decisions(CITY.code) == [decision]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_text_is_stored_as_it_is_or_refused(store: Store, odd: str) -> None:
    """Lone surrogates are not Unicode text: they are refused, never replaced, and nothing else is."""
    judged = judgement(rationale=odd, quotes=(quote(odd),))
    lone = any("\ud800" <= character <= "\udfff" for character in odd)
    if lone:
        with pytest.raises(StoreError, match="cannot be stored"):
            save(store, judged)
    else:
        assert save(store, judged)[0].judgement == judged


@pytest.mark.parametrize("field", ["note", "reviewer"])
def test_lone_surrogates_in_a_decision_are_refused(store: Store, field: str) -> None:
    (one,) = save(store)
    with pytest.raises((StoreError, DecisionError)):
        store.record(approve(one).model_copy(update={field: "\udc80"}))
    with pytest.raises(StoreError, match="run r1 cannot be stored"):
        store.save_run(run(judge="\udc80"))
    assert store.decisions(CITY.code) == []


# --- the queue --------------------------------------------------------------------------------------------------------


def test_what_waits_comes_in_the_order_of_doubt(store: Store) -> None:
    disagree, contradicted = (Flag.OLD_PAGE, Flag.JUDGES_DISAGREE), (Flag.CONTRADICTED,)
    first = run("r1", OTHER_CITY)
    save(store, judgement("ops-01", confidence=0.9, flags=disagree), judgement("ops-02", confidence=0.3), of=first)
    save(
        store,
        judgement("ops-01", confidence=0.95, flags=contradicted),
        judgement("ops-02", Verdict.NO_EVIDENCE, confidence=0.3),
        judgement("ops-03", Verdict.NOT_JUDGED, confidence=0.0, flags=(Flag.LOW_CONFIDENCE,)),
        judgement("policy-01", Verdict.UNOBSERVED, confidence=1.0),
        judgement("policy-02", Verdict.NO_EVIDENCE, confidence=0.3),
        of=run("r2"),
    )
    order = [(one.municipality.code, one.judgement.criterion) for one in store.waiting()]
    assert order == [
        (OTHER_CITY.code, "ops-01"),
        (CITY.code, "ops-03"),
        (CITY.code, "ops-02"),
        (CITY.code, "policy-02"),
        (OTHER_CITY.code, "ops-02"),
        (CITY.code, "ops-01"),
        (CITY.code, "policy-01"),
    ]
    assert store.waiting(limit=3) == store.waiting()[:3]
    assert store.waiting(CITY.code) == [one for one in store.waiting() if one.municipality == CITY]
    assert store.waiting("011002") == []


def test_only_the_latest_finished_run_of_each_survey_waits(store: Store) -> None:
    save(store, judgement("ops-01"), of=run("r1"))
    save(store, judgement("ops-02"), of=run("r2"))
    save(store, judgement("ops-03"), of=run("r3", state=RunState.JUDGING))
    save(store, judgement("ops-04"), of=run("r0", criteria_id="another"))
    save(store, judgement("ops-05"), of=run("r1b", OTHER_CITY))
    assert sorted(one.run_id for one in store.waiting()) == ["r0", "r1b", "r2"]
    store.save_run(run("r3"))
    assert sorted(one.run_id for one in store.waiting()) == ["r0", "r1b", "r3"]


def test_a_confirmation_stands_in_a_later_run_until_its_evidence_changes(store: Store) -> None:
    (one,) = save(store, of=run("r1"))
    store.record(approve(one))
    (same,) = save(store, judgement(confidence=0.9, quotes=(quote(start=99),)), of=run("r2"))
    assert queue.standing(same.decisions) == approve(one)
    assert store.waiting() == []
    (changed,) = save(store, judgement(quotes=(quote("RPAを試行しました"),)), of=run("r3"))
    assert changed.decisions == ()
    assert store.waiting() == [changed]
    save(store, of=run("r4"))
    assert store.waiting() == []  # the page is back to what was confirmed


def test_a_confirmation_is_of_one_municipality(store: Store) -> None:
    (here,) = save(store, of=run("r1"))
    (there,) = save(store, of=run("r2", OTHER_CITY))
    store.record(approve(here))
    assert store.waiting() == [there]
    assert store.decisions(OTHER_CITY.code) == []


def test_an_item_leaves_and_enters_the_queue_with_its_log(store: Store) -> None:
    (one,) = save(store)
    steps = [
        (lambda it: approve(it), 0),
        (lambda it: queue.undo(it, reviewer="佐藤", now=NOW), 1),
        (lambda it: queue.reject(it, reviewer="佐藤", now=NOW - timedelta(days=9)), 0),  # clocks may be wrong
        (lambda it: queue.send_back(it, reviewer="鈴木", now=NOW, note="理由"), 1),
        (lambda it: queue.undo(it, reviewer="鈴木", now=NOW), 0),
        (lambda it: queue.undo(it, reviewer="鈴木", now=NOW), 1),
        (lambda it: approve(it), 0),
    ]
    log = []
    for step, left in steps:
        log.append(step(store.item(one.number)))
        store.record(log[-1])
        assert len(store.waiting()) == left
        assert (queue.standing(store.item(one.number).decisions) is None) == bool(left)
    assert list(store.item(one.number).decisions) == store.decisions(CITY.code) == log


@pytest.mark.parametrize("number", [7, 0, -1, 10**30])
def test_an_item_that_does_not_exist(store: Store, number: int) -> None:
    with pytest.raises(DecisionError, match=f"no item {number} in the queue"):
        store.item(number)
    assert store.items("r7") == []


# --- decisions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        ({"of": "f" * 64}, "no judgement on ops-01"),
        ({"criterion": "ops-02"}, "no judgement on ops-02"),
        ({"municipality": OTHER_CITY.code}, "no judgement on ops-01"),
        ({"quotes": ()}, "confirms exactly"),
        ({"action": Action.AMEND, "verdict": Verdict.NOT_MET, "quotes": ()}, "needs a quote"),
        ({"action": Action.AMEND, "verdict": None}, "it needs the verdict that a person reached"),
        ({"action": Action.UNDO, "verdict": None, "quotes": ()}, "no decision to undo"),
        ({"reviewer": " "}, "name of the person"),
    ],
    ids=str,
)
def test_a_decision_the_rules_refuse_is_not_recorded(store: Store, forged: dict, why: str) -> None:
    (one,) = save(store)
    with pytest.raises(DecisionError, match=why):
        store.record(approve(one).model_copy(update=forged))
    assert store.decisions(CITY.code) == []
    assert store.waiting() == [one]


def test_a_decision_that_is_not_valid_is_not_recorded(store: Store) -> None:
    (one,) = save(store)
    with pytest.raises(StoreError, match="cannot be stored"):
        store.record(approve(one).model_copy(update={"quotes": (quote().model_copy(update={"end": 8}),)}))


def test_the_second_of_two_people_is_told_who_was_first(store: Store) -> None:
    (seen,) = save(store)
    store.record(approve(seen))
    with pytest.raises(DecisionError, match=r"131016 ops-01: already decided \(approve: met\) by 佐藤"):
        store.record(queue.reject(seen, reviewer="鈴木", now=NOW))  # decided from the page as it was loaded before
    assert store.decisions(CITY.code) == [approve(seen)]


def test_a_decision_from_an_outdated_screen_is_refused(store: Store) -> None:
    (seen,) = save(store)
    store.record(told(seen, "鈴木 note"))
    with pytest.raises(StaleError, match="131016 ops-01 has changed since it was shown"):
        store.record(approve(seen), version=seen.version)
    assert [one.action for one in store.decisions(CITY.code)] == [Action.NOTE]
    store.record(approve(seen), version=store.item(seen.number).version)
    assert queue.standing(store.item(seen.number).decisions) == approve(seen)


_SQL = {
    "sqlite": [
        "UPDATE OR REPLACE decisions SET reviewer = 'x'",
        'INSERT OR REPLACE INTO decisions (number, code, criterion, "of", action, reviewer, decided_at, stage, body)'
        " SELECT number, code, criterion, \"of\", 'reject', reviewer, decided_at, stage, body FROM decisions",
        "REPLACE INTO decisions SELECT * FROM decisions",
    ],
    "postgresql": ["TRUNCATE decisions", "TRUNCATE decisions, skips CASCADE", "DELETE FROM ONLY decisions WHERE false"],
    "": [
        "UPDATE decisions SET verdict = 'not_met'",
        "UPDATE decisions SET number = number + 100",
        "UPDATE decisions SET stage = 'open'",
        "DELETE FROM decisions",
        "DELETE FROM decisions WHERE number = 1",
        "INSERT INTO decisions SELECT * FROM decisions WHERE true ON CONFLICT (number) DO UPDATE SET reviewer = 'x'",
    ],
}


@pytest.mark.parametrize(
    ("database_url", "statement"),
    [(kind, one) for kind in ("sqlite", "postgresql") for one in _SQL[""] + _SQL[kind]],
    indirect=["database_url"],
)
def test_the_log_is_append_only_for_every_program(store: Store, database_url: str, statement: str) -> None:
    (one,) = save(store)
    store.record(approve(one))
    before = _execute(database_url, "SELECT * FROM decisions")
    with pytest.raises(DBAPIError, match="decisions are append-only"):
        _execute(database_url, statement)
    assert _execute(database_url, "SELECT * FROM decisions") == before
    assert len(before) == 1


def test_a_judgement_cannot_lose_its_run(store: Store, database_url: str) -> None:
    save(store)
    engine = open_database(database_url)
    with pytest.raises(DBAPIError, match="(?i)foreign key"), writing(engine) as connection, connection.begin():
        connection.execute(metadata.tables["runs"].delete())
    with engine.connect() as connection:
        assert len(connection.execute(select(metadata.tables["runs"])).all()) == 1
    engine.dispose()


# --- several processes ------------------------------------------------------------------------------------------------


_OPEN = """
with Store(url) as store:
    store.save_run(run(sys.argv[2]))
"""

_DECIDE = """
with Store(url) as store:
    for number in map(int, sys.argv[3:]):
        try:
            store.record(queue.approve(store.item(number), reviewer=sys.argv[2], now=NOW))
        except DecisionError as error:
            assert "already decided" in str(error)
"""


_WAIT_FOR_THE_SIGNAL = """
import sys
from queue_data import NOW, run
from pipeline.errors import DecisionError
from pipeline.review import queue
from pipeline.store.store import Store
url = sys.argv[1]
print(flush=True)
input()
"""


def _together(url: str, script: str, *arguments: Sequence[object]) -> None:
    """Runs the script in one process for each list of arguments, all let go at the same moment; all must succeed."""
    with contextlib.ExitStack() as stack:
        children = []
        for one in arguments:
            command = [sys.executable, "-c", _WAIT_FOR_THE_SIGNAL + script, url, *map(str, one)]
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            child = subprocess.Popen(command, cwd=Path(__file__).parent, text=True, **pipes)
            children.append(stack.enter_context(child))
            stack.callback(child.kill)
        assert [child.stdout.readline() for child in children] == ["\n"] * len(children)
        for child in children:
            child.stdin.write("\n")
            child.stdin.flush()
        assert [(child.communicate(timeout=60)[1], child.returncode) for child in children] == [("", 0)] * len(children)


def test_processes_may_create_one_database_at_once(database_url: str) -> None:
    _together(database_url, _OPEN, ["r0"], ["r1"], ["r2"], ["r3"])
    with Store(database_url) as store:
        assert len(store.runs()) == 4


def test_two_people_at_once_lose_no_decision(store: Store, database_url: str) -> None:
    """Each of two processes decides 30 items of its own and, from opposite ends, 30 that both want."""
    numbers = [one.number for one in save(store, *(judgement(f"ops-{number:02}") for number in range(1, 91)))]
    mine, ours, yours = numbers[:30], numbers[30:60], numbers[60:]
    _together(database_url, _DECIDE, ["佐藤", *ours, *mine], ["鈴木", *ours[::-1], *yours])
    items = store.items("r1")
    assert [len(one.decisions) for one in items] == [1] * 90
    assert {one.decisions[0].reviewer for one in items[:30]} == {"佐藤"}
    assert {one.decisions[0].reviewer for one in items[60:]} == {"鈴木"}
    assert store.waiting() == []


def test_the_second_decision_at_one_moment_is_refused(postgresql_url: str) -> None:
    """Both stand before the log, which cannot be written yet: only one of them may have looked whether it is empty."""
    with Store(postgresql_url) as store, ThreadPoolExecutor() as pool:
        (one,) = save(store)
        with obstructed(postgresql_url, "LOCK TABLE decisions IN SHARE MODE") as until:  # read, and not written
            recorded = [pool.submit(store.record, approve(one, name)) for name in ("佐藤", "鈴木")]
            until(2)
        refused = [str(one.exception()) for one in recorded if one.exception()]
        assert len(refused) == len(store.decisions(CITY.code)) == 1
        assert "already decided (approve: met)" in refused[0]


def test_two_who_create_a_database_at_one_moment_follow_each_other(postgresql_url: str) -> None:
    with ThreadPoolExecutor() as pool, obstructed(postgresql_url, "CREATE TABLE runs (mine TEXT)") as until:
        opened = [pool.submit(Store, postgresql_url) for _ in range(2)]
        until(2)
    for one in opened:
        with one.result() as store:
            assert store.runs() == []


def test_threads_may_share_a_store(store: Store) -> None:
    items = save(store, *(judgement(f"ops-{number:02}") for number in range(1, 21)))
    workers = [threading.Thread(target=lambda one=one: store.record(approve(one))) for one in items]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(store.decisions(CITY.code)) == 20


_DECIDE_FOR_EVER = """
import sys
from datetime import UTC, datetime
from pipeline.review import queue
from pipeline.store.store import Store
with Store(sys.argv[1]) as store:
    while True:
        item = store.item(1)
        step = queue.undo if queue.standing(item.decisions) else queue.approve
        store.record(step(item, reviewer="R", now=datetime.now(UTC)))
        print(len(item.decisions) + 1, flush=True)
"""


def test_a_killed_process_loses_no_recorded_decision(store: Store, database_url: str) -> None:
    save(store)
    acknowledged = 0
    for _ in range(3):
        command = [sys.executable, "-c", _DECIDE_FOR_EVER, database_url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(10):
                acknowledged = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        assert child.returncode == -signal.SIGKILL
        recorded = len(store.decisions(CITY.code))
        assert acknowledged <= recorded <= acknowledged + 1  # the last may be recorded and not yet acknowledged
    log = store.item(1).decisions
    assert [refusal(line, judgement(), log[:before]) for before, line in enumerate(log)] == [""] * len(log)
    if database_url.startswith("sqlite"):
        assert _execute(database_url, "PRAGMA integrity_check") == [("ok",)]


def _execute(url: str, statement: str, **values: object) -> list[tuple]:
    """As another program would, without the settings of ours."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        found = connection.execute(text(statement), values)
        return [tuple(row) for row in found] if found.returns_rows else []
