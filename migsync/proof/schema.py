"""Two databases compared: every difference of their schemas, in words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import SAWarning

from migsync.engines import engine_named
from migsync.engines.catalog import OURS, Execute, Part, differing, words
from migsync.findings import Finding, Severity
from migsync.words import sample

ALEMBICS = re.compile(r"(add|remove)_(table|column)$|modify_")
"""The kinds of differences that Alembic has words for; it knows indexes and constraints by their names alone."""
NAMED = 5
MEANING = "A database built from the new files is another one than the old files build."
HINT = (
    "Where the models do not say so, have a migration bring them and the databases together first.\n"
    "Else leave out the app, or the range, that it comes from; what remake cannot take, migsync squash may."
)


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
    named = {(table, name) for _, table, name in alembics}
    return [
        *(_difference(said) for said, _, _ in alembics),
        *(
            _difference(words(part, before, after))
            for part in differing(before, after)
            if (part.table, part.name) not in named
        ),
        *_integers(integers),
    ]


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


def _alembic(old: sa.Connection, new: sa.Connection) -> tuple[list[tuple[str, str, str]], list[str]]:
    """What Alembic's autogenerate sees differ, and columns that differ in their integer type, where there is but one.

    Of what differs, for each table or column: (in words, table, column or table).
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
    return [_alembic_words(difference) for difference in _flat(found) if ALEMBICS.match(difference[0])], integers


def _included(name: str | None, kind: str) -> bool:
    return kind != "table" or not OURS.match(name or "")


def _flat(differences: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Alembic groups the changes of one column in a list."""
    for difference in differences:
        if isinstance(difference, list):
            yield from difference
        else:
            yield difference


def _alembic_words(difference: tuple[Any, ...]) -> tuple[str, str, str]:
    verb, _, kind = difference[0].partition("_")
    when = "only the new files make it" if verb == "add" else "only the old files make it"
    if verb == "modify":
        _, _, table, column, _, before, after = difference
        return f"The {kind} of {table}.{column}: {_shown(before)} before, {_shown(after)} after.", table, column
    if kind == "column":
        _, _, table, column = difference
        return f"The column {table}.{column.name}: {when}.", table, column.name
    name = difference[1].name
    return f"The table {name}: {when}.", name, name


def _shown(value: Any) -> str:  # noqa: ANN401 -- types, booleans, DefaultClause
    if value is None:
        return "none"
    if isinstance(value, sa.DefaultClause):
        return str(value.arg)
    return str(value) if not isinstance(value, bool) else ("NULL" if value else "NOT NULL")


def _difference(found: str) -> Finding:
    return Finding("schema-differs", Severity.ERROR, found, MEANING, HINT)


def _integers(columns: Sequence[str]) -> Iterator[Finding]:
    if columns:
        yield Finding(
            "integer-types",
            Severity.INFO,
            f"{sample(columns, NAMED)}: another integer type, which is all the same to SQLite.",
            "Where a key becomes a BigAutoField, Django leaves INTEGER in what refers to it; made anew, it is BIGINT.",
        )
