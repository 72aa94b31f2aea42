"""The tables as the newest migration leaves them, in types that SQLite and PostgreSQL share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
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
    TypeDecorator,
    UniqueConstraint,
)

# The newest file of migrations/versions; a database at this version is opened without loading Alembic.
VERSION = "0004"

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


class Time(TypeDecorator[datetime]):
    """A moment, in whatever zone it is given, back in UTC: SQLite would keep the hour and forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Any) -> datetime | None:
        return value and _utc(value)

    def process_result_value(self, value: datetime | None, _dialect: Any) -> datetime | None:
        return value and _utc(value)


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


runs = Table(
    "runs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("code", Key, nullable=False),
    Column("criteria_id", Key, nullable=False),
    Column("criteria_sha256", String(64), nullable=False),
    Column("state", String, nullable=False),
    Column("started", Time, nullable=False),
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
    Column("urgent", Boolean, nullable=False),  # judges disagree, or a hint: first in the queue
    Column("judge", String, nullable=False),
    Column("criteria_sha256", String(64), nullable=False),
    Column("prompt_sha256", String(64)),
    Column("digest", String(64), nullable=False),
    Column("lot", Double, nullable=False),  # drawn for double coding where it is below the share (log.lot)
    Column("body", Body, nullable=False),
    UniqueConstraint("run_id", "criterion"),
    Index(None, "digest"),
    # Everything that counting the queue needs, so that it reads no bodies ...
    Index("ix_judgements_queue", "run_id", "urgent", "confidence", "code", "criterion", "digest", "lot"),
    sqlite_autoincrement=True,
)
# ... and its order (line.DOUBT), so that the next item is found without sorting all of them.
_order = (judgements.c.urgent.desc(), *(judgements.c[name] for name in ("confidence", "code", "criterion")))
Index("ix_judgements_doubt", *_order, *(judgements.c[name] for name in ("run_id", "digest", "lot", "number")))

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
    Column("decided_at", Time, nullable=False),
    Column("stage", String, nullable=False),  # where the item stands after this line (log.stage) ...
    Column("first", Key),  # ... and the one or two people whom that concerns
    Column("second", Key),
    Column("body", Body, nullable=False),
    Index("ix_decisions_stage", "of", "number", "stage", "first", "second"),
    Index(None, "stage", "of"),
    Index(None, "code", "number"),
    Index(None, "reviewer", "number"),
    Index(None, "decided_at", "action", "reviewer"),
    sqlite_autoincrement=True,
)

# password: an argon2 hash, empty for people who come in by a link or through a proxy. epoch: see models.User.
users = Table(
    "users",
    metadata,
    Column("name", Key, primary_key=True),
    Column("role", String, nullable=False),
    Column("password", String, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("added", Time, nullable=False),
)

# Who holds which item, until when; a lease that has expired is nobody's.
leases = Table(
    "leases",
    metadata,
    Column("number", Integer, ForeignKey("judgements.number"), primary_key=True, autoincrement=False),
    Column("holder", Key, nullable=False),
    Column("expires", Time, nullable=False),
    Index(None, "holder"),
)

# Items that a person put off: served to them again when nothing else is left, the longest put off first.
skips = Table(
    "skips",
    metadata,
    Column("reviewer", Key, primary_key=True),
    Column("number", Integer, ForeignKey("judgements.number"), primary_key=True, autoincrement=False),
    Column("skipped", Time, nullable=False),
)

# What a self-reported survey says against a proposal, by that proposal's digest: an item judged otherwise has none.
hints = Table(
    "hints",
    metadata,
    Column("of", String(64), primary_key=True),
    Column("source", Key, primary_key=True),
    Column("body", Body, nullable=False),
)

# committed: billionths of a US dollar that calls of this wave have cost or may yet cost; cap: what they may at most.
waves = Table(
    "waves",
    metadata,
    Column("id", Key, primary_key=True),
    Column("body", Body, nullable=False),
    Column("committed", BigInteger, nullable=False),
    Column("cap", BigInteger),
)

wave_cities = Table(
    "wave_cities",
    metadata,
    Column("wave", Key, ForeignKey("waves.id"), primary_key=True),
    Column("code", Key, primary_key=True),
    Column("state", String, nullable=False),
    Column("run_id", Key, nullable=False),
    Column("cause", String, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("body", Body, nullable=False),  # WaveCity as of its last change of state
    Index(None, "wave", "state"),
)

# Which worker has a municipality, until when; whoever it was, after that anybody may take it.
holds = Table(
    "holds",
    metadata,
    Column("code", Key, primary_key=True),
    Column("holder", Key, nullable=False),
    Column("until", Time, nullable=False),
    Index(None, "holder"),
)

# When a place that several workers ask (an IP address, a host, a model's server) may be asked next.
turns = Table(
    "turns",
    metadata,
    Column("place", Key, primary_key=True),
    Column("next", Time, nullable=False),
)
