"""The locks of MySQL and MariaDB, and how long a statement waits for one: in whole seconds, which is all they count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from migsync.engines.deadline import STATEMENT_SECONDS, Deadline
from migsync.engines.target_table import MigrationTable
from migsync.errors import NOTHING_CHANGED, LockTimeout

if TYPE_CHECKING:
    import sqlalchemy as sa


def begin_read(connection: sa.Connection, seconds: float) -> None:
    """The isolation is REPEATABLE READ already; the settings end with the connection, which reads only once."""
    limit = max(seconds, STATEMENT_SECONDS)
    mariadb = getattr(connection.dialect, "is_mariadb", False)
    statement = f"max_statement_time = {limit:f}" if mariadb else f"max_execution_time = {round(limit * 1000)}"
    wait = max(1, math.ceil(seconds))
    connection.exec_driver_sql(f"SET innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}, {statement}")
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def reserve(connection: sa.Connection, table: MigrationTable, deadline: Deadline, *, session: bool = True) -> None:
    """A named lock (GET_LOCK), which ends with the session. Its name is hashed: it may have 64 characters."""
    import sqlalchemy as sa

    wait = max(1, math.ceil(deadline.left))
    if getattr(connection.dialect, "is_mariadb", False):
        # The server's own limit would end the wait for a lock before its time. MySQL's is for reads alone.
        connection.exec_driver_sql(f"SET max_statement_time = {wait + STATEMENT_SECONDS:f}")
    got = connection.scalar(
        sa.text("SELECT GET_LOCK(CONCAT('migsync ', SHA1(COALESCE(:schema, DATABASE()))), :wait)"),
        {"schema": table.schema, "wait": wait},
    )
    if got != 1:
        raise LockTimeout(
            f"Could not get the lock within {wait} s: another migsync or migrate holds it.", NOTHING_CHANGED
        )


def begin_note(connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
    """The named lock, and no statement waits longer than for that."""
    wait = max(1, math.ceil(deadline.left))
    connection.exec_driver_sql(f"SET innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}")
    reserve(connection, table, deadline)


def lock_table(connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
    """Begin a transaction with a lock on every row and every gap between them, so that none can be inserted."""
    import sqlalchemy as sa

    # On an empty table, row locks alone would not exclude.
    begin_note(connection, table, deadline)
    # The first read of the transaction: a plain one before it would pin an old snapshot. A sum visits every row, and
    # sends one.
    connection.execute(sa.select(sa.func.sum(table.clause.c.id)).with_for_update()).close()
