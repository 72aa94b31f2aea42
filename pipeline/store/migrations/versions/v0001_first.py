"""Runs, judgements, and the append-only log of decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_key = sa.String().with_variant(sa.String(collation="C"), "postgresql")

# A replaced row is deleted without its delete trigger unless recursive_triggers is on, so a line that exists is refused
# on insert too: whichever program writes, a line of the log stays as it was.
_SQLITE_TRIGGERS = (
    "CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions"
    " BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END",
    "CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions"
    " BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END",
    "CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions"
    " WHEN EXISTS (SELECT 1 FROM decisions WHERE number = NEW.number)"
    " BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END",
)
_POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION decisions_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'decisions are append-only'; END $$",
    "CREATE TRIGGER decisions_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions"
    " FOR EACH STATEMENT EXECUTE FUNCTION decisions_append_only()",
)


def upgrade() -> None:
    _create_runs()
    _create_judgements()
    _create_decisions()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _key, nullable=False),
        sa.Column("code", _key, nullable=False),
        sa.Column("criteria_id", _key, nullable=False),
        sa.Column("criteria_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("coverage", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_code_id", "runs", ["code", "id"])


def _create_judgements() -> None:
    op.create_table(
        "judgements",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", _key, nullable=False),
        sa.Column("code", _key, nullable=False),
        sa.Column("criterion", _key, nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("criteria_sha256", sa.String(64), nullable=False),
        sa.Column("prompt_sha256", sa.String(64)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_judgements"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_judgements_run_id"),
        sa.UniqueConstraint("run_id", "criterion", name="uq_judgements_run_id_criterion"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_judgements_digest", "judgements", ["digest"])
    queue = ["run_id", "urgent", "confidence", "code", "criterion", "digest"]
    op.create_index("ix_judgements_queue", "judgements", queue)


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("code", _key, nullable=False),
        sa.Column("criterion", _key, nullable=False),
        sa.Column("of", sa.String(64), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("verdict", sa.String()),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_decisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_standing", "decisions", ["of", "number", "stands"])
    op.create_index("ix_decisions_code_number", "decisions", ["code", "number"])
