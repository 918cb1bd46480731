"""Scratch databases on a MySQL or MariaDB server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

UNUSED = (
    "SELECT schema_name FROM information_schema.schemata s "
    "WHERE NOT EXISTS (SELECT 1 FROM information_schema.processlist p WHERE p.db = s.schema_name)"
)


def create_database(connection: sa.Connection, name: str) -> tuple[str, ...]:
    """Create the database, with the character set and the collation of the connection's own."""
    import sqlalchemy as sa

    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    like = connection.execute(sa.text("SELECT @@character_set_database, @@collation_database")).one()
    connection.execute(sa.text(f"CREATE DATABASE {quoted} CHARACTER SET {like[0]} COLLATE {like[1]}"))
    return ()
