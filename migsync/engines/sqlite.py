"""SQLite, through Python's sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migsync.engines.base import TABLE, Deadline, Engine, ErrorKind, Inspection, MigrationTable
from migsync.errors import Unreachable

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.exc import DBAPIError

LOCK_SECONDS = "migsync_lock_seconds"

FAILURES = {
    sqlite3.SQLITE_BUSY: ErrorKind.LOCKED,
    sqlite3.SQLITE_LOCKED: ErrorKind.LOCKED,
    sqlite3.SQLITE_READONLY: ErrorKind.READ_ONLY,
    sqlite3.SQLITE_PERM: ErrorKind.DENIED,
    sqlite3.SQLITE_AUTH: ErrorKind.DENIED,
}


class SQLite(Engine):
    """SQLite 3.15 and later."""

    name = "sqlite"
    driver = "sqlite+pysqlite"
    if_read_only = "Open it for writing; the file and its directory must be writable for this user."
    now = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"

    def connected(self, connection: DBAPIConnection, init: Iterable[str]) -> None:
        """Otherwise sqlite3 begins only before the first write: what was read first would be another transaction."""
        connection.isolation_level = None
        super().connected(connection, init)

    def begun(self, connection: sa.Connection) -> None:
        """A transaction that will write takes its lock at once; waiting for it later could deadlock."""
        seconds = connection.get_execution_options().get(LOCK_SECONDS)
        if seconds is None:
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(busy_timeout(seconds))
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def absent(self, url: sa.URL) -> str:
        """Connecting would create the file."""
        path = plain_path(url)
        if path is None or path.exists():
            return ""
        if not path.parent.is_dir():
            raise Unreachable(
                f"The directory of {path} does not exist.",
                "Neither migsync nor Django could open the database.",
                "Correct NAME in DATABASES.",
            )
        return f"absent {path.resolve()}"

    def inspect(self, connection: sa.Connection, schema: str) -> Inspection:
        """The schema is always the main one."""
        found = connection.execute(
            sa.text("SELECT 1 FROM sqlite_master WHERE lower(name) = :table AND type IN ('table', 'view')"),
            {"table": TABLE},
        ).first()
        file = next((row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"), "")
        return Inspection(
            identity=identity(file, connection.engine.url),
            schema="",
            table=MigrationTable() if found else None,
            read_only=read_only(connection),
        )

    def begin_read(self, connection: sa.Connection, seconds: float) -> None:
        """A plain BEGIN: the first read decides which moment is seen until the end."""
        connection.exec_driver_sql(busy_timeout(seconds))

    def lock(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """One writer at a time has the whole file; see :meth:`begun`."""
        connection.execution_options(**{LOCK_SECONDS: deadline.left}).begin()

    def unwritable(self, connection: sa.Connection, table: MigrationTable, ids: Iterable[int]) -> dict[int, str]:
        """Text is written back, and a column of numeric affinity, as Django's is, makes a whole number of it again.

        A fraction would lose digits, and a blob would become text.
        """
        clause = table.clause
        rows = connection.execute(sa.select(clause.c.id, sa.func.typeof(clause.c.applied)))
        stored = {id_: kind for id_, kind in rows if kind not in {"text", "null"}}
        numeric = has_numeric_affinity(connection)
        wanted = set(ids)
        return {
            id_: f"its `applied` is stored as {kind}"
            for id_, kind in stored.items()
            if id_ in wanted and not (kind == "integer" and numeric)
        }

    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """By SQLite's primary result code."""
        code = getattr(error.orig, "sqlite_errorcode", None)
        return ErrorKind.OTHER if code is None else FAILURES.get(code & 0xFF, ErrorKind.OTHER)


def busy_timeout(seconds: float) -> str:
    """The statement that says how long to wait for another connection's lock on the file."""
    return f"PRAGMA busy_timeout = {max(1, round(seconds * 1000))}"


def plain_path(url: sa.URL) -> Path | None:
    """The database's file; None for a database in memory and for a ``file:`` URI, which says itself what to create."""
    name = url.database or ""
    return None if name in {"", ":memory:"} or name.startswith("file:") else Path(name)


def identity(file: str, url: sa.URL) -> str:
    """Device and inode, equal under every path to the file."""
    if not file:
        return f"memory {url.database or ''}"
    status = Path(file).stat()
    return f"{status.st_dev}:{status.st_ino}"


def read_only(connection: sa.Connection) -> str:
    """Why nothing can be written, or empty."""
    query: Mapping[str, Any] = connection.engine.url.query
    if query.get("mode") == "ro" or query.get("immutable") == "1":
        return "The database is opened read-only."
    if connection.exec_driver_sql("PRAGMA query_only").scalar():
        return "The connection is set to PRAGMA query_only."
    return ""


def has_numeric_affinity(connection: sa.Connection) -> bool:
    """Whether a whole number that is written as text into `applied` becomes one (https://sqlite.org/datatype3.html)."""
    columns = connection.exec_driver_sql(f"PRAGMA table_info({TABLE})")
    declared = next((row[2].upper() for row in columns if row[1].lower() == "applied"), "")
    textual = any(part in declared for part in ("CHAR", "CLOB", "TEXT", "BLOB", "REAL", "FLOA", "DOUB"))
    return "INT" in declared or (bool(declared) and not textual)
