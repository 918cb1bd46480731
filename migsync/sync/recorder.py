"""The rows of one ``django_migrations``: read with their exact values, and changed with exact row counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from migsync.engines import Engine, MigrationTable
from migsync.engines.driver_errors import TABLE
from migsync.errors import TargetError, UnexpectedResult
from migsync.rewrites.record import Record, as_records, name_problem, names_sound
from migsync.sync.comparison import INTERFERED
from migsync.sync.plan import Change
from migsync.words import count

BATCH = 150
"""Rows per INSERT: four parameters a row stay below the 999 that old versions of SQLite take."""

Step = Callable[[str, sa.Connection], None]


def read_records(connection: sa.Connection, behaviour: Engine, table: MigrationTable) -> tuple[Record, ...]:
    """All rows, ordered by id, `applied` as text that the server made.

    Raises TargetError for a row that cannot be worked with: no id, an id twice, or a name that is none.
    """
    records = as_records(behaviour.read_rows(connection, table))
    check_rows(records)
    return records


def check_rows(records: Sequence[Record]) -> None:
    """Raises TargetError for the first row that cannot be worked with."""
    if _are_sound(records):
        return
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


def _are_sound(records: Sequence[Record]) -> bool:
    """Whether no row can have a problem, asked of all at once: this is done under the lock."""
    ids = [record[0] for record in records]
    texts = {record[1] for record in records}.union([record[2] for record in records])
    return set(map(type, ids)) <= {int} and len(set(ids)) == len(ids) and names_sound(texts)


class Write(NamedTuple):
    """One kind of change: what makes it and counts the rows, and how many they must be."""

    execute: Callable[[], int]
    rows: int


Writes = Sequence[Write]


def prepare_writes(
    connection: sa.Connection, behaviour: Engine, table: MigrationTable, changes: Sequence[Change]
) -> Writes:
    """What renames and removes rows, to be executed under the lock; this is to be called before it."""
    renamed = [(change.before, change.after) for change in changes if change.before and change.after]
    removed = [change.before for change in changes if change.before and not change.after]
    prepared = []
    if renamed:
        prepared.append(Write(behaviour.prepare_update(connection, table, renamed), len(renamed)))
    if removed:
        prepared.append(Write(behaviour.prepare_delete(connection, table, removed), len(removed)))
    return prepared


def write_changes(
    connection: sa.Connection,
    behaviour: Engine,
    table: MigrationTable,
    records: Sequence[Record],
    prepared: Writes,
    changes: Sequence[Change],
    step: Step,
) -> None:
    """Make the changes to the `records`, with those that are `prepared`; raises UnexpectedResult for a wrong row count.

    Updates, deletes, inserts: so that an id that is freed can be taken. By id, so chains and swaps need no order.
    """
    inserted = [change.after for change in changes if change.after and not change.before]
    # A row goes so that `migrate` records it again.
    if inserted or any(change.after is None for change in changes):
        ids = [row.id for row in (*records, *(change.after for change in changes if change.after))]
        behaviour.before_inserts(connection, table, max((id_ for id_ in ids if id_ is not None), default=0))
    for number, write in enumerate((*prepared, *_inserts(connection, table, inserted)), start=1):
        step(f"before write {number}", connection)
        touched = write.execute()
        if touched != write.rows:
            raise UnexpectedResult(f"A statement changed {count(touched, 'row')} instead of {write.rows}.", *INTERFERED)
        step(f"after write {number}", connection)


def _inserts(connection: sa.Connection, table: MigrationTable, inserted: Sequence[Record]) -> Iterator[Write]:
    known = [row._asdict() for row in inserted if row.id is not None]
    # The column is left out: NULL in it is an error on PostgreSQL.
    unknown = [
        {column: value for column, value in row._asdict().items() if column != "id"}
        for row in inserted
        if row.id is None
    ]
    for rows in (*_batches(known), *_batches(unknown)):
        yield Write(partial(_insert, connection, table, rows), len(rows))


def _insert(connection: sa.Connection, table: MigrationTable, rows: Sequence[dict[str, Any]]) -> int:
    # SQLAlchemy keeps the row count of an INSERT only when it is asked to.
    options = {"preserve_rowcount": True}
    return connection.execute(table.clause.insert().values(rows), execution_options=options).rowcount


def _batches(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
