"""Scratch databases on a PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

UNUSED = (
    "SELECT datname FROM pg_database d WHERE datdba = current_user::regrole "
    "AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)"
)
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"


def create_database(connection: sa.Connection, name: str) -> list[str]:
    """Create the database; the schemas that it needs are those of the connection's search path."""
    import sqlalchemy as sa

    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    connection.execute(sa.text(f"CREATE DATABASE {quoted}"))
    schemas = connection.scalar(sa.text("SELECT current_schemas(false)")) or ()
    return [schema for schema in schemas if schema != "public"]


def end_sessions(connection: sa.Connection, name: str) -> None:
    """End the sessions in the database: by themselves they end a moment after their processes, if those were killed."""
    import sqlalchemy as sa

    connection.execute(sa.text(TERMINATE), {"name": name})
