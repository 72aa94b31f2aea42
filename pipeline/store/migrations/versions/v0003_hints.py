"""What a self-reported survey says against a proposal, for the people who review it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "hints",
        sa.Column("of", sa.String(64), nullable=False),
        sa.Column("source", _key, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("of", "source", name="pk_hints"),
    )
