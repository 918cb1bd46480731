"""Reading the rows of one ``django_migrations``."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from migsync.engines import MigrationTable
from migsync.engines.driver_errors import TABLE
from migsync.errors import TargetError
from migsync.rewrites.record import Record, name_problem


def read_records(connection: sa.Connection, table: MigrationTable) -> tuple[Record, ...]:
    """All rows, ordered by id, `applied` as text that the server made.

    Raises TargetError for a row that cannot be worked with: no id, an id twice, or a name that is none.
    """
    clause = table.clause
    columns = (clause.c.id, clause.c.app, clause.c.name, sa.cast(clause.c.applied, sa.Text))
    rows = connection.execute(sa.select(*columns).order_by(clause.c.id)).all()
    records = tuple(Record(*row) for row in rows)
    check_rows(records)
    return records


def check_rows(records: Iterable[Record]) -> None:
    """Raises TargetError for the first row that cannot be worked with."""
    seen: set[int] = set()
    for record in records:
        if not isinstance(record.id, int) or record.id in seen:
            raise TargetError(
                f"{TABLE} has a row with the id {record.id!r} that is no id of its own.",
                "Rows are told apart by their ids.",
                "Give every row a different whole number as id.",
            )
        seen.add(record.id)
        for text in (record.app, record.name):
            problem = name_problem(text)
            if problem:
                raise TargetError(
                    f"Row {record.id} of {TABLE} has {problem}: {text!r:.120}",
                    "No migration file can have this name, and no script could carry it safely.",
                    f"Correct the row, or delete it if nothing needs it: DELETE FROM {TABLE} WHERE id = {record.id}",  # noqa: S608 (to be read)
                )
