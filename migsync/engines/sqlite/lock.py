"""SQLite's lock: one writer at a time has the whole file, and readers go on until it commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migsync.engines.deadline import Deadline
from migsync.engines.target_table import MigrationTable

if TYPE_CHECKING:
    import sqlalchemy as sa

LOCK_SECONDS = "migsync_lock_seconds"
"""The execution option of a connection whose next transaction will write: how long to wait for the lock."""


def begin(connection: sa.Connection) -> None:
    """A transaction that will write takes its lock at once; waiting for it later could deadlock."""
    seconds = connection.get_execution_options().get(LOCK_SECONDS)
    if seconds is None:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(_busy_timeout(seconds))
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def begin_read(connection: sa.Connection, seconds: float) -> None:
    """A plain BEGIN: the first read decides which moment is seen until the end."""
    connection.exec_driver_sql(_busy_timeout(seconds))


def lock_table(connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
    """Begin a transaction that holds the write lock of the whole file (BEGIN IMMEDIATE, see :func:`begin`)."""
    connection.execution_options(**{LOCK_SECONDS: deadline.left}).begin()


def _busy_timeout(seconds: float) -> str:
    """The statement that says how long to wait for another connection's lock on the file."""
    return f"PRAGMA busy_timeout = {max(1, round(seconds * 1000))}"
