"""The table of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade(op: Operations, schema: str | None) -> None:
    """Create ``migsync_run``. Its JSON is ASCII; `reason` and `author` are what a person typed."""
    from sqlalchemy.dialects.mysql import LONGTEXT  # not needed by those who only ask for the revision

    long_text = sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb")
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
        sa.Column("passed", long_text, nullable=False),
        sa.Column("returned", long_text, nullable=False),
        sa.Column("changes", long_text, nullable=False),
        sa.Column("digests", long_text, nullable=False),
        schema=schema,
        # On MySQL each CREATE commits: a journal that was interrupted after this one goes on from here.
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mariadb_engine="InnoDB",
        mariadb_charset="utf8mb4",
    )
