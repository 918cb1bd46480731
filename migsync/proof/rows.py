"""The rows that migrations leave in an empty database, compared by what they mean.

A generated key is another one each time, and so is the clock. What refers to a row is therefore compared by what that
row says, and times and UUIDs only by whether they are there; so is what not even two runs of the old files write alike
(a token, a salted password). Everything else must be the same.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SAWarning

from migsync.engines import engine_named
from migsync.engines.catalog import OURS
from migsync.findings import Finding
from migsync.findings.rows import data_by_chance, data_differs
from migsync.proof.schema import executing

DEPTH: Final = 4
"""So far are references followed: a row, what it refers to, what that refers to, and so on."""
UUID: Final = re.compile(r"^[0-9a-f]{32}$")
SHOWN = 5

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """How many tables were compared, and how many rows the new files leave in them."""

    tables: int = 0
    rows: int = 0


@dataclass(frozen=True)
class _Table:
    """One table's rows; `references` are its foreign keys: (its columns, the other table, that one's columns).

    The other table is named as in the tables' mapping: ``name``, or ``schema.name`` in a schema beside the current one.

    Of the columns that are `veiled`, only whether a row has a value is compared.
    """

    rows: Sequence[Values]
    references: Sequence[tuple[tuple[str, ...], str, tuple[str, ...]]]
    veiled: frozenset[str]

    def plain(self, row: Values) -> dict[str, str]:
        """What a row says by itself."""
        # A foreign key mostly holds a generated key, another one each time; _marks() puts in what that row says.
        referring = {column for columns, _, _ in self.references for column in columns}
        return {
            column: repr(value) if value in (None, "") or column not in self.veiled | referring else "something"
            for column, value in row.items()
        }


def compare_data(
    old: sa.Connection, new: sa.Connection, again: sa.Connection | None = None
) -> tuple[list[Finding], Rows]:
    """A finding for each table whose rows differ, and how much was compared; tables of only one side are left out.

    `again` is a database that the old files filled a second time: a note says what they did not write alike.
    """
    before, after = _read(old), _read(new)
    unlike = _unlike(before, _read(again)) if again else {}
    before, after = (
        {name: replace(table, veiled=table.veiled | unlike.get(name, set())) for name, table in tables.items()}
        for tables in (before, after)
    )
    # A table of one side alone is the schema proof's to tell.
    shared = sorted(before.keys() & after.keys())
    marks = [_marks(tables) for tables in (before, after)]
    findings = [
        _difference(name, before[name], after[name], marks[0][name], marks[1][name])
        for name in shared
        if Counter(marks[0][name]) != Counter(marks[1][name])
    ]
    findings += [data_by_chance(table=name, columns=sorted(columns)) for name, columns in sorted(unlike.items())]
    return findings, Rows(len(shared), sum(len(after[name].rows) for name in shared))


def _read(connection: sa.Connection) -> dict[str, _Table]:
    metadata = sa.MetaData()
    engine, execute = engine_named(connection.dialect.name), executing(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # types and indexes that it has no class for
        for schema in (None, *engine.schemas_beside(execute)):
            metadata.reflect(connection, schema)
    foreign = engine.extension_tables(execute)
    return {
        name: _table(connection, table)
        for name, table in metadata.tables.items()
        if not OURS.match(table.name) and name not in foreign
    }


def _unlike(once: Mapping[str, _Table], again: Mapping[str, _Table]) -> dict[str, set[str]]:
    """By table, the columns that the same files filled otherwise, where they made as many rows."""
    found: dict[str, set[str]] = {}
    for name in once.keys() & again.keys():
        before, after = ([table.plain(row) for row in table.rows] for table in (once[name], again[name]))
        # With other numbers of rows, every column differs, and all of them would be veiled.
        if len(before) == len(after) and (columns := _different(before, after)):
            found[name] = columns
    return found


def _different(before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]) -> set[str]:
    """The columns that do not hold the same values, whichever rows they are in."""
    columns = {column for row in (*before, *after) for column in row}
    return {
        column
        for column in columns
        if Counter(row.get(column) for row in before) != Counter(row.get(column) for row in after)
    }


def _table(connection: sa.Connection, table: sa.Table) -> _Table:
    names = [column.name for column in table.columns]
    # Not by the reflected types: values are compared as the driver gives them.
    bare = sa.table(table.name, *map(sa.column, names), schema=table.schema)
    # SQLAlchemy puts the table before each column. SQLite takes a quoted name that it does not know for a text, unless
    # a table stands before it.
    found = [
        dict(zip(names, map(_value, row), strict=True))
        for row in connection.execute(sa.select(*bare.columns).select_from(bare))
    ]
    references = [
        (
            tuple(element.parent.name for element in constraint.elements),
            constraint.referred_table.key,
            tuple(element.column.name for element in constraint.elements),
        )
        for constraint in table.foreign_key_constraints
    ]
    return _Table(found, references, frozenset(_veiled(table, found)))


def _value(value: Any) -> Any:  # noqa: ANN401
    return bytes(value) if isinstance(value, memoryview) else value


def _veiled(table: sa.Table, rows: Sequence[Values]) -> Iterator[str]:
    """The columns that no two runs fill alike: generated keys, times, UUIDs."""
    keys = list(table.primary_key.columns)
    for column in table.columns:
        # A key of several columns, or of text, is not generated: its values are what the migration has chosen.
        generated = [column] == keys and isinstance(column.type, sa.Integer)
        timed = isinstance(column.type, sa.DateTime | sa.Date | sa.Time)
        if generated or timed or _is_uuid(column, rows):
            yield column.name


def _is_uuid(column: sa.Column[Any], rows: Sequence[Values]) -> bool:
    if isinstance(column.type, sa.Uuid):
        return True
    values = [row[column.name] for row in rows if row[column.name] is not None]
    length = getattr(column.type, "length", None)
    # Where there is no type for it, Django has UUIDs in a char(32) without hyphens.
    return length == 32 and bool(values) and all(UUID.match(str(value)) for value in values)


def _marks(tables: Mapping[str, _Table]) -> dict[str, list[str]]:
    """For each table, and in the order of its rows, a digest of what each row says and refers to."""
    plain = {name: [table.plain(row) for row in table.rows] for name, table in tables.items()}
    marks = {name: [_digest(sorted(said.items())) for said in rows] for name, rows in plain.items()}
    # Each round a row's mark takes in those of the rows that it refers to, and with them what those refer to: an order
    # after one round says "customer X", after two "customer X in group Y". Rows that refer in a circle end with DEPTH.
    first = marks
    for _ in range(DEPTH):
        marks = {
            name: [
                _digest([own, *referred])
                for own, *referred in zip(first[name], *_referred(tables, table, marks), strict=True)
            ]
            for name, table in tables.items()
        }
    return marks


def _referred(tables: Mapping[str, _Table], table: _Table, marks: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """For each reference of a table, the marks of the rows that its rows refer to."""
    for columns, other, theirs in sorted(table.references):
        rows = tables[other].rows if other in tables else ()
        known = {
            tuple(row[name] for name in theirs): mark for row, mark in zip(rows, marks.get(other, ()), strict=True)
        }
        values = [tuple(row[name] for name in columns) for row in table.rows]
        # Not known: NULL, or a row of a table that is not compared.
        yield [known.get(value, repr(value)) for value in values]


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode(errors="surrogatepass")).hexdigest()


def _difference(name: str, before: _Table, after: _Table, old: Sequence[str], new: Sequence[str]) -> Finding:
    marks = (Counter(old) - Counter(new), Counter(new) - Counter(old))
    rows = [
        [row for row, mark in zip(table.rows, place, strict=True) if mark in only]
        for table, place, only in zip((before, after), (old, new), marks, strict=True)
    ]
    different = _different(
        *([table.plain(row) for row in each] for table, each in zip((before, after), rows, strict=True))
    )
    old_row, new_row = (_sample(each[0], different) if each else "" for each in rows)
    return data_differs(table=name, old=marks[0].total(), new=marks[1].total(), old_row=old_row, new_row=new_row)


def _sample(row: Values, different: Collection[str]) -> str:
    """The first columns of a row, those before all that make the difference."""
    ordered = sorted(row.items(), key=lambda item: item[0] not in different)
    shown = ", ".join(f"{column}={value!r}" for column, value in ordered[:SHOWN])
    return f"{shown[:200]}…" if len(shown) > 200 or len(row) > SHOWN else shown
