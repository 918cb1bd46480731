"""Scratch databases on a PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

# Of the sessions of its own role, every user sees the name.
OWNERLESS = (
    "SELECT datname FROM pg_database d WHERE datdba = current_user::regrole AND starts_with(datname, :prefix) "
    "AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE d.datname IN (a.datname, a.application_name))"
)
# A session that does nothing for long must not end: it has a claim. (Older servers have no such limit.)
CLAIM = (
    "SELECT set_config('application_name', :name, false)",
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'",
)
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"


def claim_database(connection: sa.Connection, name: str) -> None:
    """Give the session the name of the database, which all sessions of the server can see."""
    import sqlalchemy as sa

    for statement in CLAIM:
        connection.execute(sa.text(statement), {"name": name} if ":name" in statement else {})


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
