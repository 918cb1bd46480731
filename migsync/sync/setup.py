"""The journal's tables made at a person's word, before any run needs them."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from migsync.engines import Deadline, ErrorKind, MigrationTable
from migsync.sync.journal.schema import upgrade_journal
from migsync.sync.journal.tables import NEWEST, journal_version
from migsync.sync.preconditions import check_target
from migsync.sync.target import Target

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migsync.engines import Engine

RETRIED = frozenset([ErrorKind.LOCKED, ErrorKind.CONFLICT])


def make_journal(target: Target, *, lock_timeout: float) -> str:
    """Create the tables, or bring older ones up to date; the version that was there before, empty for none.

    Takes the lock that runs take, and none on ``django_migrations``. Raises StalePlan where there is no such table,
    ReadOnly, NotPermitted, LockTimeout and the other errors of a target.
    """
    table, behaviour, deadline = check_target(target), target.behaviour, Deadline(lock_timeout)
    while True:
        try:
            with closing(target.connect()) as connection:
                return _make(connection, behaviour, table, deadline)
        except DBAPIError as error:
            if behaviour.error_kind(error) not in RETRIED or deadline.passed:
                raise target.explain(error, writing=True) from error


def _make(connection: sa.Connection, behaviour: Engine, table: MigrationTable, deadline: Deadline) -> str:
    try:
        behaviour.begin_note(connection, table, deadline)
        found = journal_version(connection, table.schema)
        if found != NEWEST:
            upgrade_journal(connection, table.schema)
            connection.commit()
    finally:
        # Nothing is left to take back after a COMMIT.
        with suppress(SQLAlchemyError):
            connection.rollback()
    return found
