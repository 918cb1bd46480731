"""Values about one ``django_migrations``: where it is, one row of it, and what a connection tells about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from migsync.engines.driver_errors import TABLE

if TYPE_CHECKING:
    import sqlalchemy as sa

Row: TypeAlias = tuple[int | None, str, str, str | None]
"""Id, app, name, and `applied` as the server writes it as text."""


def renamed_columns(pairs: Iterable[tuple[Row, Row]]) -> tuple[str, ...]:
    """Which of app and name differ in any pair of a row before and after; at least the name.

    Only these are in the UPDATE: the user may have no right to the others.
    """
    app, name = False, False
    for before, after in pairs:
        app = app or before[1] != after[1]
        name = name or before[2] != after[2]
    # A row of a plan whose name does not change is written as it is, so that the row counts stay exact.
    return ("app",) * app + ("name",) * (name or not app)


@dataclass(frozen=True, slots=True)
class MigrationTable:
    """Where ``django_migrations`` is. `schema` is None where the connection's own is meant.

    `unsafe` says why it cannot be changed in one transaction, `remedy` what to do about that; empty where it can.
    """

    schema: str | None = None
    unsafe: str = ""
    remedy: str = ""

    @property
    def clause(self) -> sa.TableClause:
        """The table for statements. Without types, so that every driver lets the server decide how it reads a value."""
        import sqlalchemy as sa

        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in ("id", "app", "name", "applied")]
        return sa.table(TABLE, *columns, schema=self.schema)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a connection tells about a target: its identity, the schema to qualify with, and whether it can be written.

    `table` is None in a fresh database; `read_only` is the reason, or empty. `database` is the identity of the database
    that the schema is in, on an engine whose databases have schemas; else empty. `account` is the user
    of this connection, quoted for a GRANT; empty where the engine has no users.
    """

    identity: str
    schema: str
    table: MigrationTable | None
    read_only: str = ""
    database: str = ""
    account: str = ""


def select_rows(connection: sa.Connection, table: MigrationTable) -> Sequence[Row]:
    """All rows, ordered by id, by a plain SELECT."""
    found = connection.execute(_rows(), execution_options=schema_options(table.schema))
    return cast("Sequence[Row]", found.all())


def schema_options(schema: str | None) -> dict[str, Any]:
    """Execution options for a statement about tables without a schema, which are in this one.

    So SQLAlchemy compiles the statement once for all schemas, which costs more than to execute it.
    """
    return {"schema_translate_map": {None: schema}} if schema else {}


@cache
def _rows() -> sa.Select[Any]:
    import sqlalchemy as sa

    columns: list[sa.Column[Any]] = [sa.Column(name) for name in ("id", "app", "name", "applied")]
    table = sa.Table(TABLE, sa.MetaData(), *columns)
    # As a datetime, `applied` would not always come back as it was: SQLAlchemy gives SQLite's text six digits more and
    # takes its offset away, and nothing but text holds PostgreSQL's ``infinity``.
    return sa.select(table.c.id, table.c.app, table.c.name, sa.cast(table.c.applied, sa.Text)).order_by(table.c.id)
