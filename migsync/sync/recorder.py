"""The rows of one ``django_migrations``: read with their exact values, and changed with exact row counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from migsync.engines import Engine, MigrationTable
from migsync.engines.driver_errors import TABLE
from migsync.errors import TargetError, UnexpectedResult
from migsync.rewrites.record import Record, name_problem
from migsync.sync.comparison import INTERFERED
from migsync.sync.plan import Change, ChangeKind
from migsync.words import count

# Rows per statement. CASE is searched row by row, so the work grows with the square of it; five parameters a row stay
# below the 999 that old versions of SQLite take.
BATCH = 150

T = TypeVar("T")

Step = Callable[[str, sa.Connection], None]


def read_records(connection: sa.Connection, table: MigrationTable) -> tuple[Record, ...]:
    """All rows, ordered by id, `applied` as text that the server made.

    Raises TargetError for a row that cannot be worked with: no id, an id twice, or a name that is none.
    """
    clause = table.clause
    # As a datetime, `applied` would not always come back as it was: SQLAlchemy gives SQLite's text six digits more and
    # takes its offset away, and nothing but text holds PostgreSQL's ``infinity``.
    columns = (clause.c.id, clause.c.app, clause.c.name, sa.cast(clause.c.applied, sa.Text))
    rows = connection.execute(sa.select(*columns).order_by(clause.c.id)).all()
    records = tuple(Record(*row) for row in rows)
    check_rows(records)
    return records


def check_rows(records: Iterable[Record]) -> None:
    """Raises TargetError for the first row that cannot be worked with."""
    seen: set[int] = set()
    for record in records:
        # Nothing else tells rows apart: Django makes no unique constraint on (app, name).
        if not isinstance(record.id, int) or record.id in seen:
            raise TargetError(
                f"{TABLE} has {'several rows' if record.id in seen else 'a row'} with the id {record.id!r}.",
                "migsync identifies rows by their ids.",
                "Give every row a different whole number as id, then run the command again.",
            )
        seen.add(record.id)
        for text in (record.app, record.name):
            problem = name_problem(text)
            if problem:
                raise TargetError(
                    f"Row {record.id} of {TABLE} has {problem}: {text!r:.120}",
                    "This cannot be the name of a migration, and no script could contain it safely.",
                    f"Correct the row, or delete it if nothing needs it: DELETE FROM {TABLE} WHERE id = {record.id}",  # noqa: S608 (to be read)
                )


class Statement(NamedTuple):
    """One statement and its exact row count."""

    sql: sa.Update | sa.Delete | sa.Insert
    rows: int


def write_changes(
    connection: sa.Connection,
    behaviour: Engine,
    table: MigrationTable,
    records: Sequence[Record],
    changes: Sequence[Change],
    step: Step,
) -> None:
    """Make the changes to the `records`; raises UnexpectedResult for a wrong row count."""
    if any(change.kind is ChangeKind.INSERT for change in changes):
        rows = [*records, *(change.after for change in changes if change.after)]
        behaviour.before_inserts(connection, table, max((row.id for row in rows if row.id is not None), default=0))
    for number, statement in enumerate(statements(table.clause, changes, behaviour.kept_if_set), start=1):
        step(f"before write {number}", connection)
        # SQLAlchemy keeps the row count of an INSERT only when it is asked to.
        touched = connection.execute(statement.sql, execution_options={"preserve_rowcount": True}).rowcount
        if touched != statement.rows:
            raise UnexpectedResult(
                f"A statement changed {count(touched, 'row')} instead of {statement.rows}.", *INTERFERED
            )
        step(f"after write {number}", connection)


def statements(table: sa.TableClause, changes: Sequence[Change], kept: Sequence[str]) -> Iterator[Statement]:
    """Updates, deletes, inserts: so that an id that is freed can be taken. By id, so chains and swaps need no order."""
    by_kind: dict[ChangeKind, list[Change]] = {kind: [] for kind in ChangeKind}
    for change in changes:
        by_kind[change.kind].append(change)
    for batch in batches(by_kind[ChangeKind.RENAME]):
        yield renames(table, batch, kept)
    for batch in batches(by_kind[ChangeKind.REMOVE]):
        ids = [change.before.id for change in batch if change.before]
        yield Statement(table.delete().where(table.c.id.in_(ids)), len(ids))
    inserted = [change.after._asdict() for change in by_kind[ChangeKind.INSERT] if change.after]
    for rows in batches([row for row in inserted if row["id"] is not None]):
        yield Statement(table.insert().values(rows), len(rows))
    # The column is left out: NULL in it is an error on PostgreSQL.
    for rows in batches([without_id(row) for row in inserted if row["id"] is None]):
        yield Statement(table.insert().values(rows), len(rows))


def renames(table: sa.TableClause, changes: Sequence[Change], kept: Sequence[str]) -> Statement:
    """One UPDATE for many rows, of the columns that change; those `kept` are set to what they are."""
    pairs = [(change.before, change.after) for change in changes if change.before and change.after]
    values: dict[str, sa.ColumnElement[Any]] = {
        column: sa.case({after.id: getattr(after, column) for _, after in pairs}, value=table.c.id)
        for column in ("app", "name")
        if any(getattr(before, column) != getattr(after, column) for before, after in pairs)
    }
    values |= {column: table.c[column] for column in kept}
    update = table.update().where(table.c.id.in_([after.id for _, after in pairs]))
    # A row of a plan whose name does not change is written as it is, so that the row counts stay exact.
    return Statement(update.values(values or {"name": table.c.name}), len(pairs))


def without_id(row: dict[str, Any]) -> dict[str, Any]:
    """The values of a row whose id the database is to give."""
    return {column: value for column, value in row.items() if column != "id"}


def batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in slices of at most BATCH."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
