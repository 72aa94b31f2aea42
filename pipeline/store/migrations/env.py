"""Runs the migrations inside the transaction that pipeline/store/opening.py holds."""

from __future__ import annotations

from alembic import context

from pipeline.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
