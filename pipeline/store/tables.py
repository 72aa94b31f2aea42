"""The tables as the newest migration leaves them, in types that SQLite and PostgreSQL share."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# The newest file of migrations/versions; a database at this version is opened without loading Alembic.
VERSION = "0001"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Ids and codes sort by byte in both databases: a run's id sorts by time, and a locale must not reorder it.
Key = String().with_variant(String(collation="C"), "postgresql")

# A noun whole, as JSON. Text and not a JSON type: PostgreSQL's jsonb refuses \u0000, which pages do contain, and
# nothing queries inside; what is queried has a column of its own.
Body = Text

runs = Table(
    "runs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("code", Key, nullable=False),
    Column("criteria_id", Key, nullable=False),
    Column("criteria_sha256", String(64), nullable=False),
    Column("state", String, nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("body", Body, nullable=False),  # Run without its coverage, which a queue does not need
    Column("coverage", Body),
    Index(None, "code", "id"),
)

judgements = Table(
    "judgements",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", Key, ForeignKey("runs.id"), nullable=False),
    Column("code", Key, nullable=False),
    Column("criterion", Key, nullable=False),
    Column("verdict", String, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("urgent", Boolean, nullable=False),  # judges or pages contradict each other: first in the queue
    Column("judge", String, nullable=False),
    Column("criteria_sha256", String(64), nullable=False),
    Column("prompt_sha256", String(64)),
    Column("digest", String(64), nullable=False),
    Column("body", Body, nullable=False),
    UniqueConstraint("run_id", "criterion"),
    Index(None, "digest"),
    # Everything that the order of the queue needs, so that sorting it reads no bodies.
    Index("ix_judgements_queue", "run_id", "urgent", "confidence", "code", "criterion", "digest"),
    sqlite_autoincrement=True,
)

# Append-only: triggers of the first migration refuse every change of a line.
decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("code", Key, nullable=False),
    Column("criterion", Key, nullable=False),
    Column("of", String(64), nullable=False),
    Column("action", String, nullable=False),
    Column("verdict", String),
    Column("reviewer", String, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("stands", Boolean, nullable=False),  # whether the item is decided after this line (log.standing)
    Column("body", Body, nullable=False),
    Index("ix_decisions_standing", "of", "number", "stands"),
    Index(None, "code", "number"),
    sqlite_autoincrement=True,
)
