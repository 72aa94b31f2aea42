"""Waves: surveys of many municipalities, who works on which of them, and when a shared place may be asked next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "waves",
        sa.Column("id", _key, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("committed", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_waves"),
    )
    op.create_table(
        "wave_cities",
        sa.Column("wave", _key, nullable=False),
        sa.Column("code", _key, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("run_id", _key, nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("wave", "code", name="pk_wave_cities"),
        sa.ForeignKeyConstraint(["wave"], ["waves.id"], name="fk_wave_cities_wave_waves"),
    )
    op.create_index("ix_wave_cities_wave_state", "wave_cities", ["wave", "state"])
    op.create_table(
        "holds",
        sa.Column("code", _key, nullable=False),
        sa.Column("holder", _key, nullable=False),
        sa.Column("until", _time, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_holds"),
    )
    op.create_index("ix_holds_holder", "holds", ["holder"])
    op.create_table(
        "turns",
        sa.Column("place", _key, nullable=False),
        sa.Column("next", _time, nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_turns"),
    )
