"""A database of an earlier version is brought up to date, in one transaction, and its log stays as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from queue_data import CITY, OTHER_CITY, decided, item, judgement, measurement, quote, run, save, told
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pipeline.errors import StoreError
from pipeline.models import Decision, Flag, Judgement, QueueItem, Run, Verdict
from pipeline.store import migrations
from pipeline.store.log import digest, lot, stage, standing
from pipeline.store.store import Store
from pipeline.store.tables import VERSION, metadata

LOW = (Flag.OLD_PAGE, Flag.LOW_CONFIDENCE)
SURE, DOUBTED, MEASURED = "by the digest", 0.0, 1.0
JUDGED: list[tuple[Judgement, str | float]] = [
    (judgement("ops-01", confidence=0.9), SURE),
    (judgement("ops-02", confidence=0.4, flags=LOW), DOUBTED),
    (judgement("ops-03", confidence=0.55, flags=LOW), DOUBTED),  # a judge may have a threshold of its own
    (judgement("ops-04", confidence=0.4), SURE),
    (judgement("ops-05", judge="probe", measurement=measurement()), MEASURED),
    (judgement("ops-06", measurement=measurement()), MEASURED),
    (judgement("ops-07", Verdict.NOT_JUDGED, judge="probe", confidence=0.0, flags=LOW), MEASURED),
    (judgement("ops-08", rationale='"flags":["low_confidence"]', quotes=(quote("\0𠮷"),)), SURE),
    (judgement("ops-09", Verdict.NO_EVIDENCE), SURE),
]
LOGS = {
    "ops-01": "佐藤 approve, 鈴木 return, 佐藤 amend, 高橋 return, 佐藤 undo, 佐藤 undo",
    "ops-02": "佐藤 approve, 鈴木 undo, 高橋 reject, 佐藤 return, 佐藤 undo, 佐藤 undo, 鈴木 approve",
    "ops-03": "佐藤 approve, 鈴木 return",
    "ops-04": "佐藤 approve, 佐藤 undo",
    "ops-09": "鈴木 approve",
}
STATEMENTS = {
    "sqlite": ["REPLACE INTO decisions SELECT * FROM decisions"],
    "postgresql": ["TRUNCATE decisions"],
    "": ["UPDATE decisions SET stage = 'open'", "DELETE FROM decisions WHERE number = 1"],
}


@pytest.fixture
def engine(database_url: str) -> Engine:
    """The database as another program sees it: nothing is migrated by opening it."""
    engine = create_engine(database_url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        Path(engine.url.database).parent.mkdir()
    return engine


@pytest.fixture
def old(engine: Engine) -> Iterator[list[Decision]]:
    """A database that version 0001 wrote: two runs and a log. Gives the log."""
    with engine.begin() as connection:
        upgrade(connection, "0001")
        runs = [run("r1"), run("r2", OTHER_CITY), run("r3")]
        write(connection, "runs", [run_row(one) for one in runs])
        write(connection, "judgements", [judgement_row(of, judged) for of in runs for judged, _ in JUDGED])
        log = list(interleaved())
        write(connection, "decisions", [decision_row(line, before) for line, before in log])
    return [line for line, _ in log]


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def write(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    reflected = MetaData()
    reflected.reflect(connection, only=[table])
    connection.execute(reflected.tables[table].insert(), rows)


def run_row(of: Run) -> dict[str, Any]:
    kept = {"id": of.id, "criteria_id": of.criteria_id, "criteria_sha256": of.criteria_sha256, "state": of.state.value}
    return kept | {"code": of.municipality.code, "started": of.started, "body": of.model_dump_json()}


def judgement_row(of: Run, judged: Judgement) -> dict[str, Any]:
    kept = {name: getattr(judged, name) for name in ("criterion", "confidence", "judge", "criteria_sha256")}
    about = {"run_id": of.id, "code": of.municipality.code, "digest": digest(of.municipality.code, judged)}
    return kept | about | {"verdict": judged.verdict.value, "urgent": False, "body": judged.model_dump_json()}


def decision_row(line: Decision, before: list[Decision]) -> dict[str, Any]:
    kept = {name: getattr(line, name) for name in ("criterion", "of", "reviewer", "decided_at")}
    kept |= {"code": line.municipality, "action": line.action.value, "verdict": line.verdict and line.verdict.value}
    return kept | {"stands": standing([*before, line]) is not None, "body": line.model_dump_json()}


def interleaved() -> Iterator[tuple[Decision, list[Decision]]]:
    """The first line of every log, then the second of every log, each with the lines before it on its item."""
    judged = {one.criterion: one for one, _ in JUDGED}
    items: dict[str, QueueItem] = {name: item(judged[name]) for name in LOGS}
    for steps in zip_longest(*(words.split(", ") for words in LOGS.values())):
        for name, step in zip(LOGS, steps, strict=True):
            if step:
                line, before = told(items[name], step), list(items[name].decisions)
                items[name] = decided(items[name], line)
                yield line, before


def rows(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement)).mappings())


def test_lots_are_drawn_as_they_would_be_today(engine: Engine, database_url: str, old: list[Decision]) -> None:
    Store(database_url).close()
    drawn = [
        (row["code"], Judgement.model_validate_json(row["body"]), row["lot"])
        for row in rows(engine, "SELECT * FROM judgements ORDER BY number")
    ]
    assert [found for _, _, found in drawn] == [lot(code, judged) for code, judged, _ in drawn]
    assert len(drawn) == 3 * len(JUDGED)
    for (_, judged, found), (_, expected) in zip(drawn, JUDGED * 3, strict=True):
        assert 0 < found < 1 if expected == SURE else found == expected, judged.criterion


def test_every_line_is_given_the_stage_after_it(engine: Engine, database_url: str, old: list[Decision]) -> None:
    Store(database_url).close()
    stages = rows(engine, 'SELECT number, stage, "first", "second" FROM decisions ORDER BY number')
    for row, (line, before) in zip(stages, interleaved(), strict=True):
        after, people = stage([*before, line])
        assert (row["stage"], row["first"], row["second"]) == (after.value, *(*people, None, None)[:2])
    assert {row["stage"] for row in stages} == {"open", "decided", "returned"}


def test_the_lines_of_the_log_stay_as_they_were(engine: Engine, database_url: str, old: list[Decision]) -> None:
    query = "SELECT * FROM decisions ORDER BY number"
    before = [dict(row) for row in rows(engine, query)]
    with Store(database_url) as store:
        assert store.decisions(CITY.code) == old
    after = [dict(row) for row in rows(engine, query)]
    assert [row | {"stands": None} for row in before] == [{name: row.get(name) for name in before[0]} for row in after]
    assert [row["number"] for row in after] == list(range(1, len(old) + 1))


def test_people_go_on_where_they_were(engine: Engine, database_url: str, old: list[Decision]) -> None:
    with Store(database_url) as store:
        waiting = {one.judgement.criterion for one in store.waiting(CITY.code)}
        assert waiting == {one.criterion for one, _ in JUDGED} - {"ops-02", "ops-09"}
        (returned,) = (one for one in store.waiting(CITY.code) if one.judgement.criterion == "ops-03")
        store.record(told(returned, "佐藤 approve"))
        assert store.serving.last_line() == len(old) + 1
        assert store.users.all() == []


@pytest.mark.parametrize(
    ("database_url", "statement"),
    [(kind, one) for kind in ("sqlite", "postgresql") for one in STATEMENTS[""] + STATEMENTS[kind]],
    indirect=["database_url"],
)
def test_the_log_is_append_only_afterwards(
    engine: Engine, database_url: str, old: list[Decision], statement: str
) -> None:
    Store(database_url).close()
    with pytest.raises(DBAPIError, match="decisions are append-only"), engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("revision", ["base", "0001", "0002", "0003"])
def test_the_migrations_end_at_the_tables(engine: Engine, database_url: str, revision: str) -> None:
    with engine.begin() as connection:
        upgrade(connection, revision)
    Store(database_url).close()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == VERSION
        assert compare_metadata(context, metadata) == []


def test_an_interrupted_first_migration_leaves_nothing_behind(engine: Engine, database_url: str) -> None:
    """The whole migration is one transaction: a table that is in the way undoes all of it."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE decisions (mine TEXT)"))
    with pytest.raises(StoreError, match="decisions.* already exists"):
        Store(database_url)
    assert inspect(engine).get_table_names() == ["decisions"]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE decisions"))
    with Store(database_url) as store:
        assert save(store)


def test_an_interrupted_later_migration_leaves_the_old_version(
    engine: Engine, database_url: str, old: list[Decision]
) -> None:
    """What is in the way is met by its last statement, when the log's guard was off and on again."""
    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX ix_decisions_reviewer_number ON runs (id)"))
    before, tables = rows(engine, "SELECT * FROM decisions"), inspect(engine).get_table_names()
    with pytest.raises(StoreError, match="ix_decisions_reviewer_number.* already exists"):
        Store(database_url)
    assert rows(engine, "SELECT version_num FROM alembic_version") == [{"version_num": "0001"}]
    assert (rows(engine, "SELECT * FROM decisions"), inspect(engine).get_table_names()) == (before, tables)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text("UPDATE decisions SET reviewer = 'x'"))
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_decisions_reviewer_number"))
    with Store(database_url) as store:
        assert store.decisions(CITY.code) == old
