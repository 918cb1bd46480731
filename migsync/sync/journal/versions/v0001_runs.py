"""The table of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migsync.engines import engine_named

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade(op: Operations, schema: str | None) -> None:
    """Create ``migsync_run``. Its JSON is ASCII; `reason` and `author` are what a person typed."""
    engine = engine_named(op.get_context().dialect.name)
    op.create_table(
        "migsync_run",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False, unique=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("plan_id", sa.String(32), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("undoes", sa.String(32)),
        sa.Column("passed", engine.long_text(), nullable=False),
        sa.Column("returned", engine.long_text(), nullable=False),
        sa.Column("changes", engine.long_text(), nullable=False),
        sa.Column("digests", engine.long_text(), nullable=False),
        schema=schema,
        # On MySQL each CREATE commits: a journal that was interrupted after this one goes on from here.
        if_not_exists=True,
        **engine.table_options,
    )
