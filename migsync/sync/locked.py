"""What a target holds while it is locked: its records, and its journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from migsync.engines import Deadline, ErrorKind, MigrationTable
from migsync.rewrites.record import Record, as_records
from migsync.sync.journal.tables import from_answers, journal_queries, journal_version, read_runs
from migsync.sync.recorder import Step, check_rows, read_records
from migsync.sync.run import Run

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migsync.sync.target import Target


@dataclass(frozen=True)
class Locked:
    """The records, and the runs of the journal, which has this `version`; empty for none, or where it is not asked for.

    `now` is the server's time if it was read.
    """

    records: tuple[Record, ...]
    version: str = ""
    runs: tuple[Run, ...] = ()
    now: str = ""


def lock_target(
    target: Target, connection: sa.Connection, table: MigrationTable, deadline: Deadline, step: Step, *, journaled: bool
) -> Locked:
    """Take the lock and read what is there; the journal only where it is `journaled`. Raises the driver's errors."""
    behaviour = target.behaviour
    if not behaviour.sends_many:
        behaviour.lock(connection, table, deadline)
        step("locked", connection)
        records = read_records(connection, behaviour, table)
        step("read", connection)
        return _with_journal(connection, table, records, journaled=journaled)
    # A statement about a table that is not there would fail: only what was seen before is asked for at once.
    seen = table.schema if journaled and target.version_seen else None
    queries = journal_queries(connection, behaviour, seen) if seen else ()
    try:
        rows, answers = behaviour.lock_and_read(connection, table, deadline, queries)
    except DBAPIError as error:
        if not queries or behaviour.error_kind(error) not in (ErrorKind.OTHER, ErrorKind.DENIED):
            raise
        # The journal may have been dropped since, or a right is missing: one by one, the statement says which. The lock
        # is gone with the transaction.
        target.version_seen = ""
        connection.rollback()
        return lock_target(target, connection, table, deadline, step, journaled=journaled)
    step("locked", connection)
    records = as_records(rows)
    check_rows(records)
    step("read", connection)
    if not answers:
        return _with_journal(connection, table, records, journaled=journaled)
    return Locked(records, *from_answers(answers))


def _with_journal(
    connection: sa.Connection, table: MigrationTable, records: tuple[Record, ...], *, journaled: bool
) -> Locked:
    version = journal_version(connection, table.schema) if journaled else ""
    return Locked(records, version, read_runs(connection, table.schema, version=version))
