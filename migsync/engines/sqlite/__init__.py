"""SQLite, through Python's sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from migsync.engines.base import Engine
from migsync.engines.driver_errors import ErrorKind
from migsync.engines.sqlite.address import DRIVER, settings_address, url_address
from migsync.engines.sqlite.catalog import parts
from migsync.engines.sqlite.comparable import comparable
from migsync.engines.sqlite.inspection import inspect, unwritable
from migsync.engines.sqlite.lock import begin, begin_read, lock_table
from migsync.engines.sqlite.rows import delete_rows, update_rows
from migsync.engines.sqlite.script import NOW, make_script
from migsync.errors import Unreachable

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.exc import DBAPIError

KINDS = {
    sqlite3.SQLITE_BUSY: ErrorKind.LOCKED,
    sqlite3.SQLITE_LOCKED: ErrorKind.LOCKED,
    sqlite3.SQLITE_READONLY: ErrorKind.READ_ONLY,
    sqlite3.SQLITE_PERM: ErrorKind.DENIED,
    sqlite3.SQLITE_AUTH: ErrorKind.DENIED,
}
"""By SQLite's primary result codes."""


class SQLite(Engine):
    """SQLite 3.15 and later."""

    name = "sqlite"
    title = family = "SQLite"
    schemes = frozenset({"sqlite", "sqlite3", "spatialite"})
    backend = "django.db.backends.sqlite3"
    backends = frozenset({"sqlite3", "spatialite"})
    driver = DRIVER
    driver_module = "sqlite3"
    file_suffix = ".sqlite3"
    rebuild_prefix = "new__"
    one_integer_type = True
    now = NOW
    current_database = "SELECT file FROM pragma_database_list WHERE name = 'main'"
    script_needs = ("no open transaction; in one, nothing is kept before you COMMIT", "a file that can be written")
    client = "sqlite3 -bail -cmd '.timeout 10000' DATABASE < {file}"
    if_read_only = "Make the file and its directory writable for this user, then run the command again."

    settings_address = staticmethod(settings_address)
    url_address = staticmethod(url_address)
    begun = staticmethod(begin)
    inspect = staticmethod(inspect)
    begin_read = staticmethod(begin_read)
    lock = begin_note = staticmethod(lock_table)
    unwritable = staticmethod(unwritable)
    update_rows = staticmethod(update_rows)
    delete_rows = staticmethod(delete_rows)
    script = staticmethod(make_script)
    parts = staticmethod(parts)
    comparable = staticmethod(comparable)

    def connected(self, connection: DBAPIConnection, init: Iterable[str]) -> None:
        """Turn off the driver's own BEGIN, which comes before the first write: reads before that would be outside."""
        connection.isolation_level = None
        super().connected(connection, init)

    def insert_new(self, table: sa.TableClause) -> sa.Insert:
        """INSERT OR IGNORE."""
        import sqlalchemy as sa

        return sa.insert(table).prefix_with("OR IGNORE")

    def absent(self, url: sa.URL) -> str:
        """An identity by the path where there is no such file: connecting would create it."""
        path = _plain_path(url)
        if path is None or path.exists():
            return ""
        if not path.parent.is_dir():
            raise Unreachable(
                f"The directory of the database file {path} does not exist.",
                "Neither migsync nor Django can open the database.",
                "Create the directory, or correct NAME in DATABASES (or the URL).",
            )
        return f"absent {path.resolve()}"

    def counter(self) -> sa.types.TypeEngine[int]:
        """INTEGER, of up to 64 bits: a key of this very type is the row's own number."""
        import sqlalchemy as sa

        return sa.Integer()

    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """What SQLite's primary result code says."""
        return _kind(error.orig)

    def impatience(self, seconds: int) -> Sequence[str]:
        """Without waiting for the disk as well: nobody will miss a scratch file after a power cut."""
        return (f"PRAGMA busy_timeout = {seconds * 1000}", "PRAGMA synchronous = OFF", "PRAGMA journal_mode = MEMORY")

    def is_lock_timeout(self, error: BaseException) -> bool:
        """True for SQLITE_BUSY and SQLITE_LOCKED, also with an extended code."""
        return _kind(error) is ErrorKind.LOCKED


def _kind(error: BaseException | None) -> ErrorKind:
    # An extended code has the primary one in its last byte: SQLITE_BUSY_SNAPSHOT is SQLITE_BUSY, too.
    code = getattr(error, "sqlite_errorcode", None)
    return ErrorKind.OTHER if code is None else KINDS.get(code & 0xFF, ErrorKind.OTHER)


def _plain_path(url: sa.URL) -> Path | None:
    """The database's file; None for a database in memory and for a ``file:`` URI, which says itself what to create."""
    name = url.database or ""
    return None if name in {"", ":memory:"} or name.startswith("file:") else Path(name)
