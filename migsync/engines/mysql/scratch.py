"""Scratch databases on a MySQL or MariaDB server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

# The sessions of other users are not in the list without the privilege PROCESS. Whether a lock is in use, all can see.
OWNERLESS = (
    "SELECT schema_name FROM information_schema.schemata s "
    "WHERE LEFT(schema_name, CHAR_LENGTH(:prefix)) = :prefix AND IS_USED_LOCK(schema_name) IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM information_schema.processlist p WHERE p.db = s.schema_name)"
)
LONGEST_WAIT = 31536000
"""The greatest `wait_timeout` of all servers: a year, in seconds."""


def claim_database(connection: sa.Connection, name: str) -> None:
    """Take a lock of the name of the database, which ends with the session."""
    import sqlalchemy as sa

    connection.exec_driver_sql(f"SET SESSION wait_timeout = {LONGEST_WAIT}")
    connection.execute(sa.text("SELECT GET_LOCK(:name, 0)"), {"name": name}).close()


def create_database(connection: sa.Connection, name: str) -> tuple[str, ...]:
    """Create the database, with the character set and the collation of the connection's own."""
    import sqlalchemy as sa

    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    like = connection.execute(sa.text("SELECT @@character_set_database, @@collation_database")).one()
    connection.execute(sa.text(f"CREATE DATABASE {quoted} CHARACTER SET {like[0]} COLLATE {like[1]}"))
    return ()
