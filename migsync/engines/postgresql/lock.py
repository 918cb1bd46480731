"""PostgreSQL's locks, and how long a statement waits for one.

Everything is set for the transaction alone (SET LOCAL, transaction-level locks): behind a pooler, the session goes to
somebody else afterwards.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from migsync.engines.deadline import STATEMENT_SECONDS, Deadline
from migsync.engines.postgresql.inspection import qualified
from migsync.engines.target_table import MigrationTable

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
    epoch FROM clock_timestamp() - statement_timestamp()) * 1000))::bigint::text, true);
"""


def reserve(connection: sa.Connection, table: MigrationTable, deadline: Deadline, *, session: bool = False) -> None:
    """An advisory lock of the transaction, which may stay idle for as long as a ``migrate`` runs; or of the session.

    Only where each schema is a tenant's: there the session has a search path of its own, so no pooler shares it.
    """
    _set_limits(connection, deadline)
    connection.exec_driver_sql(_advisory_lock(table, session=session))


def release(table: MigrationTable) -> str:
    """The statement that ends the lock of a session. Where another session runs it, it is no error."""
    return f"SELECT pg_advisory_unlock({advisory_key(table.schema)})"


def lock_table(connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
    """Locks writers out of the table; readers go on."""
    _set_limits(connection, deadline)
    # psycopg takes a percent sign for a parameter.
    name = qualified(table.schema).replace("%", "%%")
    # The same order as in a script: the other way round, the two could wait for each other.
    connection.exec_driver_sql(
        f"{_advisory_lock(table)}; {LEFT.format(milliseconds=milliseconds(deadline.left))}"
        f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"
    )


def _set_limits(connection: sa.Connection, deadline: Deadline) -> None:
    """For the statements after this one. The role's own limits would end the wait for a lock before its time."""
    statement = milliseconds(deadline.left + STATEMENT_SECONDS)
    connection.exec_driver_sql(
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
