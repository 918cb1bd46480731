"""The tables of contents: what each migration's file was when ``migrate`` ran it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migsync.engines import engine_named

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0002"
down_revision = "0001"


def upgrade(op: Operations, schema: str | None) -> None:
    """Create ``migsync_content``, one row for each distinct content, and ``migsync_content_seen``, which refers to it.

    `schema_name` is empty for the ``django_migrations`` in the schema of the journal itself.
    """
    engine = engine_named(op.get_context().dialect.name)
    op.create_table(
        "migsync_content",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("document", engine.long_text(), nullable=False),
        schema=schema,
        if_not_exists=True,
        **engine.table_options,
    )
    op.create_table(
        "migsync_content_seen",
        # An identity column, since a sequence would need a privilege of its own.
        sa.Column("number", engine.counter(), sa.Identity(), primary_key=True),
        # Shorter than other names, because it is in an index: old versions of MySQL index 767 bytes.
        sa.Column("schema_name", sa.String(64), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("app", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        # No foreign key to migsync_content: on MySQL it would need one more privilege.
        sa.UniqueConstraint("schema_name", "number", name="migsync_content_seen_schema"),
        schema=schema,
        # Last: where each CREATE commits, this table is there only when the other one is.
        if_not_exists=True,
        **engine.table_options,
    )
