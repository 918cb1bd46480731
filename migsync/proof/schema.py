"""Two databases compared: every difference of their schemas, in words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import SAWarning

from migsync.engines import engine_named
from migsync.engines.catalog import OURS, Execute, Part, differing
from migsync.findings import Finding
from migsync.findings.schema import integer_types, schema_differs

ALEMBICS = re.compile(r"(add|remove)_(table|column)$|modify_")
"""The kinds of differences that are taken from Alembic; it knows indexes and constraints by their names alone."""


def compare_schemas(old: sa.Connection, new: sa.Connection) -> list[Finding]:
    """Every difference between two databases, bookkeeping tables left out.

    A note says which columns SQLite was told other integer types of: it has one.
    """
    with warnings.catch_warnings():
        # Indexes on expressions, which SQLite's reflection leaves out, and types it has no class for: the catalog
        # holds both.
        warnings.simplefilter("ignore", SAWarning)
        warnings.filterwarnings("ignore", module="alembic")
        alembics, integers = _alembic(old, new)
    before, after = (catalog(connection) for connection in (old, new))
    # What Alembic has named, or what goes with a whole table, is said already.
    named = {(table, name) for table, name, _ in alembics}
    found = [
        *(finding for _, _, finding in alembics),
        *(
            schema_differs(
                kind=part.kind, part=part.name, table=part.table, before=before.get(part), after=after.get(part)
            )
            for part in differing(before, after)
            if (part.table, part.name) not in named
        ),
    ]
    return [*found, integer_types(columns=integers, engine=engine_named(old.dialect.name).title)] if integers else found


def differing_parts(old: sa.Connection, new: sa.Connection) -> frozenset[Part]:
    """The parts of the catalogs that differ."""
    before, after = (catalog(connection) for connection in (old, new))
    return frozenset(differing(before, after))


def executing(connection: sa.Connection) -> Execute:
    """How the catalog asks this connection: its statements have a single ``%`` where they mean one."""
    # PostgreSQL's and MySQL's drivers take a % for a placeholder as soon as SQLAlchemy hands them parameters, if only
    # an empty tuple.
    options = {"no_parameters": True}
    return lambda statement: [tuple(row) for row in connection.exec_driver_sql(statement, execution_options=options)]


def catalog(connection: sa.Connection) -> dict[Part, str]:
    """The catalog of the database that it is connected to."""
    return engine_named(connection.dialect.name).catalog(executing(connection))


def _alembic(old: sa.Connection, new: sa.Connection) -> tuple[list[tuple[str, str, Finding]], list[str]]:
    """What Alembic's autogenerate sees differ, and columns that differ in their integer type, where there is but one.

    Of what differs, for each table or column: (table, column or table, finding).
    """
    metadata = sa.MetaData()
    # Alembic compares a database with models; the tables of the new database are the models.
    metadata.reflect(new)
    integers = []
    one_integer_type = engine_named(old.dialect.name).one_integer_type

    def compare_type(_: object, __: object, column: sa.Column[Any], before: Any, after: Any) -> bool | None:  # noqa: ANN401
        # None leaves the comparison to Alembic; False says that both are the same type.
        if not (one_integer_type and isinstance(before, sa.Integer) and isinstance(after, sa.Integer)):
            return None
        if type(before) is not type(after):
            integers.append(f"{column.table.name}.{column.name}")
        return False

    options = {
        "compare_type": compare_type,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: _included(name, kind),
        "include_object": lambda _, name, kind, *__: _included(name, kind),
    }
    found = compare_metadata(MigrationContext.configure(old, opts=options), metadata)
    return [_alembic_finding(difference) for difference in _flat(found) if ALEMBICS.match(difference[0])], integers


def _included(name: str | None, kind: str) -> bool:
    return kind != "table" or not OURS.match(name or "")


def _flat(differences: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Alembic groups the changes of one column in a list."""
    for difference in differences:
        if isinstance(difference, list):
            yield from difference
        else:
            yield difference


def _alembic_finding(difference: tuple[Any, ...]) -> tuple[str, str, Finding]:
    verb, _, kind = difference[0].partition("_")
    if verb == "modify":
        _, _, table, column, _, old, new = difference
        finding = schema_differs(
            kind="column", part=column, table=table, attribute=kind, before=_shown(old), after=_shown(new)
        )
        return table, column, finding
    # A part that only one side has; there is nothing to say about it but that.
    before, after = (None, "") if verb == "add" else ("", None)
    table, part = (difference[2], difference[3].name) if kind == "column" else (difference[1].name,) * 2
    return table, part, schema_differs(kind=kind, part=part, table=table, before=before, after=after)


def _shown(value: Any) -> str:  # noqa: ANN401 -- types, booleans, DefaultClause
    if value is None:
        return "none"
    if isinstance(value, sa.DefaultClause):
        return str(value.arg)
    return str(value) if not isinstance(value, bool) else ("NULL" if value else "NOT NULL")
