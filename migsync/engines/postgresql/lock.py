"""PostgreSQL's locks, and how long a statement waits for one.

Everything is set for the transaction alone (SET LOCAL, transaction-level locks): behind a pooler, the session goes to
somebody else afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from migsync.engines.deadline import STATEMENT_SECONDS, Deadline
from migsync.engines.postgresql.inspection import qualified
from migsync.engines.postgresql.rows import read_rows, rows_query
from migsync.engines.target_table import MigrationTable, Row

if TYPE_CHECKING:
    import sqlalchemy as sa


def begin_read(connection: sa.Connection, seconds: float) -> None:
    """One snapshot for all statements; catalog functions such as ``to_regclass`` see the present all the same."""
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    statement = max(seconds, STATEMENT_SECONDS)
    connection.exec_driver_sql(
        f"SET LOCAL lock_timeout = {milliseconds(seconds)}; SET LOCAL statement_timeout = {milliseconds(statement)}"
    )


# What is left of the time when the first lock has been waited for.
LEFT = """
SELECT pg_catalog.set_config('lock_timeout', greatest(1, {milliseconds} - ceil(extract(
    epoch FROM clock_timestamp() - statement_timestamp()) * 1000))::bigint::text, true)
"""


def reserve(connection: sa.Connection, table: MigrationTable, deadline: Deadline, *, session: bool = False) -> None:
    """An advisory lock of the transaction, which may stay idle for as long as a ``migrate`` runs; or of the session.

    Only where each schema is a tenant's: there the session has a search path of its own, so no pooler shares it.
    """
    limits, lock = _limits(deadline), _advisory_lock(table, session=session)
    if (connection.dialect.server_version_info or ()) < STATEMENTS_TIMED:
        connection.exec_driver_sql(limits)
        connection.exec_driver_sql(lock)
    else:
        connection.exec_driver_sql(f"{limits}; {lock}")


def release(table: MigrationTable) -> str:
    """The statement that ends the lock of a session. Where another session runs it, it is no error."""
    return f"SELECT pg_catalog.pg_advisory_unlock({advisory_key(table.schema)})"


def lock_table(connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
    """Locks writers out of the table; readers go on."""
    connection.exec_driver_sql(_limits(deadline))
    # psycopg takes a percent sign for a parameter.
    name = qualified(table.schema).replace("%", "%%")
    # The same order as in a script: the other way round, the two could wait for each other.
    connection.exec_driver_sql(
        f"{_advisory_lock(table)}; {LEFT.format(milliseconds=milliseconds(deadline.left))}; "
        f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"
    )


BEGINS = "migsync_begins"
"""An execution option: the first statement of the transaction makes the settings that each transaction begins with."""

# The settings of a transaction that writes, and of its limits, as one statement.
SETTINGS = """
SELECT pg_catalog.set_config('TimeZone', 'UTC', true), pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
       pg_catalog.set_config('lock_timeout', '{lock}', true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true),
       pg_catalog.set_config('statement_timeout', '{statement}', true)
"""
STATEMENTS_TIMED = (13,)
"""Since this version, each of several statements that are sent at once has a time limit of its own."""


def lock_and_read(
    connection: sa.Connection, table: MigrationTable, deadline: Deadline, queries: Sequence[str]
) -> tuple[Sequence[Row], list[Sequence[Any]]]:
    """Each statement sees what was committed when it begins, so those after the LOCK see all that was."""
    if (connection.dialect.server_version_info or ()) < STATEMENTS_TIMED:
        lock_table(connection, table, deadline)
        return read_rows(connection, table), [connection.exec_driver_sql(query).all() for query in queries]
    left = deadline.left
    name = qualified(table.schema).replace("%", "%%")
    statements = [
        SETTINGS.format(lock=milliseconds(left), statement=milliseconds(left + STATEMENT_SECONDS)),
        _advisory_lock(table),
        LEFT.format(milliseconds=milliseconds(left)),
        f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE",
        rows_query(table),
        *queries,
    ]
    connection.execution_options(**{BEGINS: True})
    try:
        # The first one returns a row: after one that does not, SQLAlchemy would close the cursor.
        result = connection.exec_driver_sql(";".join(statements))
    finally:
        connection.execution_options(**{BEGINS: False})
    cursor = cast("Any", result.cursor)
    for _ in statements[:4]:
        cursor.nextset()
    found = [cursor.fetchall()]
    while cursor.nextset():
        found.append(cursor.fetchall())
    result.close()
    return found[0], found[1:]


def _limits(deadline: Deadline) -> str:
    """For the statements after this one. The role's own limits would end the wait for a lock before its time."""
    statement = milliseconds(deadline.left + STATEMENT_SECONDS)
    return (
        f"SET LOCAL lock_timeout = {milliseconds(deadline.left)}; "
        f"SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = {statement}"
    )


def _advisory_lock(table: MigrationTable, *, session: bool = False) -> str:
    function = "pg_advisory_lock" if session else "pg_advisory_xact_lock"
    return f"SELECT {function}({advisory_key(table.schema)})"


def milliseconds(seconds: float) -> int:
    """A duration as PostgreSQL's settings count it, where 0 would mean for ever."""
    return max(1, round(seconds * 1000))


def advisory_key(schema: str | None) -> int:
    """The number of the advisory lock of one target; such locks are each database's own."""
    digest = hashlib.sha256(f"migsync {schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
