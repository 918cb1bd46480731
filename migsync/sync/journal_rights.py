"""The rights on the journal's tables that migsync needs, as GRANT statements for an administrator."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from migsync.errors import JournalNotPermitted
from migsync.sync.journal import RUN_TABLE
from migsync.sync.journal_version import VERSION_TABLE

READING = {RUN_TABLE: "SELECT", VERSION_TABLE: "SELECT"}
WRITING = {RUN_TABLE: "SELECT, INSERT", VERSION_TABLE: "SELECT"}
TABLES_COMMAND = "migsync script --journal-tables --out sql"


def grants(dialect: sa.Dialect, schema: str | None, account: str, *, writing: bool) -> Iterator[str]:
    """One statement for each table. `schema` is MySQL's database; `account` comes quoted from the server."""
    for name, rights in (WRITING if writing else READING).items():
        table = sa.table(name, schema=schema or None)
        yield f"GRANT {rights} ON {dialect.identifier_preparer.format_table(table)} TO {account};"


def way_on(error: JournalNotPermitted, statements: str, *, writing: bool) -> str:
    """What to do about a right that is missing; `statements` are those of :func:`grants`."""
    if error.right == "CREATE" or (writing and not error.seen):
        return (
            "The SQL that this command writes creates the journal's tables, and grants this user the rights on them. "
            f"Have an administrator run it.\n{TABLES_COMMAND}"
        )
    return f"{'Have' if error.seen else 'If the journal exists, have'} an administrator run:\n{statements}"
