"""People, leases and blind coding: who is served which item, and where an item stands after each line of the log."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_LOW_CONFIDENCE = "low_confidence"
_UNMEASURED = 1.0
_BATCH = 500
_TRIGGER = "decisions_no_update"
_TRIGGER_SQL = (
    "CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions"
    " BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END"
)


def upgrade() -> None:
    _create_tables()
    _draw_lots()
    _tell_stages()


def _create_tables() -> None:
    op.create_table(
        "users",
        sa.Column("name", _key, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("added", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "leases",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", _key, nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_leases"),
        sa.ForeignKeyConstraint(["number"], ["judgements.number"], name="fk_leases_number"),
    )
    op.create_index("ix_leases_holder", "leases", ["holder"])
    op.create_table(
        "skips",
        sa.Column("reviewer", _key, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("skipped", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reviewer", "number", name="pk_skips"),
        sa.ForeignKeyConstraint(["number"], ["judgements.number"], name="fk_skips_number"),
    )


def _draw_lots() -> None:
    """As log.lot draws them: by the digest's last eight digits, 0 where the judge doubts, 1 where a probe measured."""
    op.add_column("judgements", sa.Column("lot", sa.Double(), nullable=False, server_default=str(_UNMEASURED)))
    connection = op.get_bind()
    query = sa.text("SELECT number, digest, body FROM judgements WHERE judge <> 'probe'")
    found = connection.execute(query, execution_options={"yield_per": _BATCH})  # the bodies of a nation do not fit
    lots = [{"number": row.number, "lot": _lot(row.digest, json.loads(row.body))} for row in found]
    if lots:
        connection.execute(sa.text("UPDATE judgements SET lot = :lot WHERE number = :number"), lots)
    op.drop_index("ix_judgements_queue", "judgements")
    queue = ["run_id", "urgent", "confidence", "code", "criterion", "digest", "lot"]
    op.create_index("ix_judgements_queue", "judgements", queue)
    doubt = ["confidence", "code", "criterion", "run_id", "digest", "lot", "number"]
    op.create_index("ix_judgements_doubt", "judgements", [sa.text("urgent DESC"), *doubt])


def _lot(digest: str, judgement: dict[str, Any]) -> float:
    if judgement["measurement"]:
        return _UNMEASURED
    return 0.0 if _LOW_CONFIDENCE in judgement["flags"] else int(digest[-8:], 16) / 16**8


def _tell_stages() -> None:
    """The stage after each line; the log's own columns stay as they are, and its trigger is back afterwards."""
    op.add_column("decisions", sa.Column("stage", sa.String(), nullable=False, server_default="open"))
    op.add_column("decisions", sa.Column("first", _key))
    op.add_column("decisions", sa.Column("second", _key))
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    op.execute("ALTER TABLE decisions DISABLE TRIGGER USER" if postgresql else f"DROP TRIGGER {_TRIGGER}")
    stages = list(_stages(connection))
    if stages:
        change = 'UPDATE decisions SET stage = :stage, "first" = :first WHERE number = :number'
        connection.execute(sa.text(change), stages)
    op.execute("ALTER TABLE decisions ENABLE TRIGGER USER" if postgresql else _TRIGGER_SQL)
    op.drop_index("ix_decisions_standing", "decisions")
    op.drop_column("decisions", "stands")
    op.create_index("ix_decisions_stage", "decisions", ["of", "number", "stage", "first", "second"])
    op.create_index("ix_decisions_stage_of", "decisions", ["stage", "of"])
    op.create_index("ix_decisions_reviewer_number", "decisions", ["reviewer", "number"])
    pace = ["decided_at", "action", "reviewer"]
    op.create_index("ix_decisions_decided_at_action_reviewer", "decisions", pace)


def _stages(connection: sa.Connection) -> list[dict[str, object]]:
    """Of a log without codings: decided, or returned to the person who had decided, or open."""
    query = sa.text('SELECT number, "of", action, reviewer FROM decisions ORDER BY number')
    stacks: dict[str, list[tuple[str, str]]] = {}
    stages: list[dict[str, object]] = []
    for row in connection.execute(query):
        stack = stacks.setdefault(row.of, [])
        if row.action != "undo":
            stack.append((row.action, row.reviewer))
        elif stack:
            stack.pop()
        returned = bool(stack) and stack[-1][0] == "return"
        stage = "returned" if returned else "decided" if stack else "open"
        stages.append({"number": row.number, "stage": stage, "first": stack[-2][1] if returned else None})
    return stages
