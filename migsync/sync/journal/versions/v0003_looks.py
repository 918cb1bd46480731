"""The tables of looks: what the project's own files were when ``migsync apply`` looked, and what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migsync.engines import engine_named

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0003"
down_revision = "0002"


def upgrade(op: Operations, schema: str | None) -> None:
    """Create ``migsync_look`` with ``migsync_files``, ``migsync_source``, and ``migsync_ran``.

    ``migsync_ran`` takes the place of ``migsync_content_seen``, which stays and is read. It has one column more: a
    column that is added to a table cannot be added "if it is not there" on every engine, and a script must be safe to
    run again.
    """
    engine = engine_named(op.get_context().dialect.name)
    for name in ("migsync_files", "migsync_source"):
        op.create_table(
            name,
            sa.Column("digest", sa.String(64), primary_key=True),
            sa.Column("document", engine.long_text(), nullable=False),
            schema=schema,
            if_not_exists=True,
            **engine.table_options,
        )
    op.create_table(
        "migsync_look",
        sa.Column("schema_name", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("anchor", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.String(16), nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("files", sa.String(64), nullable=False),
        sa.Column("sources", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        schema=schema,
        if_not_exists=True,
        **engine.table_options,
    )
    op.create_table(
        "migsync_ran",
        sa.Column("number", engine.counter(), sa.Identity(), primary_key=True),
        sa.Column("schema_name", sa.String(64), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("app", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("moment", sa.String(16), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.UniqueConstraint("schema_name", "number", name="migsync_ran_schema"),
        schema=schema,
        if_not_exists=True,
        **engine.table_options,
    )
