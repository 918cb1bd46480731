"""The rows that migrations leave in an empty database, compared by what they mean.

A generated key is another one each time, and so is the clock. What refers to a row is therefore compared by what that
row says, and times and UUIDs only by whether they are there. So are columns that a second run of the old files fills
otherwise, which is made only where there is a difference. Everything else must be the same.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SAWarning

from migsync.companion.proof.catalog import OF_EXTENSIONS, OURS, SCHEMAS
from migsync.companion.proof.schema import executing
from migsync.findings import Finding, Severity

DEPTH: Final = 4
"""So far are references followed: a row, what it refers to, what that refers to, and so on."""
UUID: Final = re.compile(r"^[0-9a-f]{32}$")
SHOWN = 5
WITHOUT = "To go on without this proof: --no-prove-schema --no-prove-transition"
MEANING = "What the migrations write into an empty database is not the same with the new files."

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """How many tables were compared, and how many rows the new files leave in them.

    `anew` are the columns that every run fills otherwise, where that was looked at.
    """

    tables: int = 0
    rows: int = 0
    anew: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """One table's rows; `references`: (its columns, the other table, that one's columns)."""

    rows: Sequence[Values]
    keys: Sequence[str]
    references: Sequence[tuple[tuple[str, ...], str, tuple[str, ...]]]
    veiled: frozenset[str]

    def plain(self, row: Values) -> dict[str, str]:
        """What a row says by itself."""
        referring = {column for columns, _, _ in self.references for column in columns}
        return {
            column: repr(value) if value is None or column not in self.veiled | referring else "something"
            for column, value in row.items()
        }

    def columns(self) -> dict[str, Counter[str]]:
        """What each column says, row by row."""
        said = [self.plain(row) for row in self.rows]
        return {column: Counter(row[column] for row in said) for column in (said[0] if said else ())}


def compare_data(
    old: sa.Connection, new: sa.Connection, again: Callable[[], AbstractContextManager[sa.Connection | None]]
) -> tuple[list[Finding], Rows]:
    """A finding for each table whose rows differ, and how much was compared; tables of only one side are left out.

    `again` runs the old files once more, None where they fail.
    """
    before, after = _read(old), _read(new)
    anew: dict[str, frozenset[str]] = {}
    findings = _differences(before, after)
    if findings:
        with again() as connection:
            anew = _filled_anew(before, _read(connection)) if connection else {}
        findings = _differences(_veil(before, anew), _veil(after, anew)) if anew else findings
    shared = before.keys() & after.keys()
    columns = tuple(f"{name}.{column}" for name in sorted(anew) for column in sorted(anew[name]))
    return findings, Rows(len(shared), sum(len(after[name].rows) for name in shared), columns)


def _differences(before: Mapping[str, _Table], after: Mapping[str, _Table]) -> list[Finding]:
    marks = [_marks(tables) for tables in (before, after)]
    return [
        _difference(name, before[name], after[name], marks[0][name], marks[1][name])
        for name in sorted(before.keys() & after.keys())
        if Counter(marks[0][name]) != Counter(marks[1][name])
    ]


def _filled_anew(first: Mapping[str, _Table], second: Mapping[str, _Table]) -> dict[str, frozenset[str]]:
    """For each table the columns that two runs of the same files fill otherwise."""
    pairs = [(name, first[name].columns(), second[name].columns()) for name in first.keys() & second.keys()]
    found = {name: frozenset(column for column in one if one[column] != two.get(column)) for name, one, two in pairs}
    return {name: columns for name, columns in found.items() if columns}


def _veil(tables: Mapping[str, _Table], anew: Mapping[str, frozenset[str]]) -> dict[str, _Table]:
    return {name: replace(table, veiled=table.veiled | anew.get(name, frozenset())) for name, table in tables.items()}


def _read(connection: sa.Connection) -> dict[str, _Table]:
    metadata = sa.MetaData()
    ask = executing(connection) if connection.dialect.name == "postgresql" else lambda _: ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # types and indexes that it has no class for
        for schema in (None, *(name for (name,) in ask(SCHEMAS))):
            metadata.reflect(connection, schema)
    foreign = {name for (name,) in ask(OF_EXTENSIONS)}
    return {
        name: _table(connection, table)
        for name, table in metadata.tables.items()
        if not OURS.match(table.name) and name not in foreign
    }


def _table(connection: sa.Connection, table: sa.Table) -> _Table:
    names = [column.name for column in table.columns]
    prepared = connection.dialect.identifier_preparer
    columns = ", ".join(map(prepared.quote_identifier, names))
    # Not by the reflected types: values are compared as the driver gives them.
    found = [
        dict(zip(names, map(_value, row), strict=True))
        for row in executing(connection)(f"SELECT {columns} FROM {prepared.format_table(table)}")  # noqa: S608
    ]
    references = [
        (
            tuple(element.parent.name for element in constraint.elements),
            constraint.referred_table.fullname,
            tuple(element.column.name for element in constraint.elements),
        )
        for constraint in table.foreign_key_constraints
    ]
    keys = [column.name for column in table.primary_key.columns]
    return _Table(found, keys, references, frozenset(_veiled(table, found)))


def _value(value: Any) -> Any:  # noqa: ANN401
    return bytes(value) if isinstance(value, memoryview) else value


def _veiled(table: sa.Table, rows: Sequence[Values]) -> Iterator[str]:
    """The columns that no two runs fill alike: generated keys, times, UUIDs."""
    keys = list(table.primary_key.columns)
    for column in table.columns:
        generated = [column] == keys and isinstance(column.type, sa.Integer)
        timed = isinstance(column.type, sa.DateTime | sa.Date | sa.Time)
        if generated or timed or _is_uuid(column, rows):
            yield column.name


def _is_uuid(column: sa.Column[Any], rows: Sequence[Values]) -> bool:
    if isinstance(column.type, sa.Uuid):
        return True
    values = [row[column.name] for row in rows if row[column.name] is not None]
    length = getattr(column.type, "length", None)
    return length == 32 and bool(values) and all(UUID.match(str(value)) for value in values)


def _marks(tables: Mapping[str, _Table]) -> dict[str, list[str]]:
    """For each table, and in the order of its rows, a digest of what each row says and refers to."""
    plain = {name: [table.plain(row) for row in table.rows] for name, table in tables.items()}
    marks = {name: [_digest(sorted(said.items())) for said in rows] for name, rows in plain.items()}
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
        yield [known.get(value, repr(value)) for value in values]


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode(errors="surrogatepass")).hexdigest()


def _difference(name: str, before: _Table, after: _Table, old: Sequence[str], new: Sequence[str]) -> Finding:
    lost, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
    said = [
        f"{sum(marks.values())} only with the {which} files ({_sample(table, other, place, marks)})"
        for which, table, other, place, marks in (
            ("old", before, after, old, lost),
            ("new", after, before, new, added),
        )
        if marks
    ]
    return Finding("data-differs", Severity.ERROR, f"The rows of {name}: {', '.join(said)}.", MEANING, WITHOUT)


def _sample(table: _Table, other: _Table, place: Sequence[str], marks: Counter[str]) -> str:
    """Which row it is, and what no row of the other side says; a text may be a secret: its column alone is named."""
    number = place.index(next(iter(marks)))
    row = table.rows[number]
    key = ", ".join(f"{column}={row[column]}" for column in table.keys if isinstance(row[column], int))
    theirs = other.columns()
    differing = [column for column, said in table.plain(row).items() if said not in theirs.get(column, ())]
    shown = ", ".join(_shown(column, row[column]) for column in differing[:SHOWN])
    more = ", …" if len(differing) > SHOWN else ""
    return f"{key or f'row {number + 1}'}{': ' if shown else ''}{shown}{more}"


def _shown(column: str, value: Any) -> str:  # noqa: ANN401
    return f"{column}={value}" if value is None or isinstance(value, int | float | Decimal) else column
