"""The journal: one row per run, in the database that the run changed, written in the run's own transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from migsync.decoder import DecodeError, Decoder, Fields, array, choice, integer, load_json, optional, table, text
from migsync.engines import Engine
from migsync.errors import TargetError
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.journal_version import journal_version
from migsync.sync.plan import Change
from migsync.sync.run import Run, RunKind

T = TypeVar("T")

RUN_TABLE = "migsync_run"
COLUMNS = (
    "id",
    "number",
    "kind",
    "plan_id",
    "at",
    "author",
    "version",
    "reason",
    "undoes",
    "passed",
    "returned",
    "changes",
    "digests",
)


def run_table(schema: str | None) -> sa.TableClause:
    """The table for statements, without types: the server decides how it reads a value."""
    return sa.table(RUN_TABLE, *(sa.column(name) for name in COLUMNS), schema=schema)


def read_runs(connection: sa.Connection, schema: str | None, run_id: str | None = None) -> tuple[Run, ...]:
    """Every run (or the one with this id), oldest first; empty where there is no journal.

    Raises TargetError for a row that cannot be read.
    """
    if not journal_version(connection, schema):
        return ()
    table = run_table(schema)
    query = sa.select(table).order_by(table.c.number)
    if run_id is not None:
        query = query.where(table.c.id == run_id)
    return tuple(from_row(row) for row in connection.execute(query).mappings())


def write_run(connection: sa.Connection, behaviour: Engine, schema: str | None, run: Run) -> Run:
    """Write the run under the next number and the server's time; returns it with both. The caller holds the lock."""
    table = run_table(schema)
    last, now = connection.execute(
        sa.select(sa.select(sa.func.max(table.c.number)).scalar_subquery(), sa.literal_column(behaviour.now))
    ).one()
    numbered = replace(run, number=(last or 0) + 1, at=now)
    connection.execute(table.insert().values(**as_row(numbered)))
    return numbered


def as_row(run: Run) -> dict[str, Any]:
    """The run as the values of its columns."""
    return {
        "id": run.id,
        "number": run.number,
        "kind": str(run.kind),
        "plan_id": run.plan_id,
        "at": run.at,
        "author": run.author,
        "version": run.version,
        "reason": run.reason,
        "undoes": run.undoes or None,
        "passed": as_json([rewrite.as_dict() for rewrite in run.passed]),
        "returned": as_json([rewrite.as_dict() for rewrite in run.returned]),
        "changes": as_json([change.as_dict() for change in run.changes]),
        "digests": as_json(dict(run.digests)),
    }


def from_row(row: Mapping[Any, Any]) -> Run:
    """The inverse of :func:`as_row`; raises TargetError for a row that migsync cannot have written."""
    try:
        fields = Fields(row, COLUMNS)
        return Run(
            id=fields.get("id", text),
            number=fields.get("number", integer),
            kind=fields.get("kind", choice(RunKind)),
            plan_id=fields.get("plan_id", text),
            at=fields.get("at", text),
            author=fields.get("author", text),
            version=fields.get("version", text),
            reason=fields.get("reason", optional(text)) or "",
            undoes=fields.get("undoes", optional(text)) or "",
            passed=fields.get("passed", packed(array(Rewrite.from_dict))),
            returned=fields.get("returned", packed(array(Rewrite.from_dict))),
            changes=fields.get("changes", packed(array(Change.from_dict))),
            digests=fields.get("digests", packed(table(text))),
        )
    except DecodeError as error:
        raise TargetError(
            f"Run {row['number']} in {RUN_TABLE} cannot be read: {error}",
            "Its row was edited or cut off: what this database has been through is not certain.",
            "Restore the row from a backup.",
        ) from error


def as_json(value: Iterable[Any]) -> str:
    """ASCII, so that any character set of a database holds it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def packed(decode: Decoder[T]) -> Decoder[T]:
    """A column that holds a JSON document as text."""
    return lambda value: decode(load_json(text(value)))
