"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migsync.engines.base import STATEMENT_SECONDS, TABLE, Deadline, Engine, ErrorKind, Inspection, MigrationTable
from migsync.errors import NotPermitted

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

# `applied` as text depends on the first two. SET LOCAL leaves no trace in a session that a pooler gives to others.
BEGUN = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'"

WHERE = """
SELECT c.oid::bigint AS oid, n.nspname AS schema
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(:name)
"""

# to_regclass passes over schemas of the search path that the role may not use: that is no fresh database.
HIDDEN = """
SELECT n.nspname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = :table AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND n.nspname = ANY (string_to_array(translate(current_setting('search_path'), '" ', ''), ',') || :schema ::text)
"""

ABOUT = """
SELECT current_schema() AS schema, pg_is_in_recovery() AS standby,
       current_setting('default_transaction_read_only') = 'on' AS read_only,
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS knows_itself,
       (SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = current_database()) AS database,
       concat_ws(':', inet_server_addr(), inet_server_port(), current_database()) AS address,
       quote_ident(current_user) AS account
"""

# By the index on relname, whatever the number of tables; every role may read pg_class.
SCHEMAS = """
SELECT n.nspname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = :table AND c.relkind IN ('r', 'p')
  AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname
"""

RAISE_SEQUENCE = """
SELECT pg_catalog.setval(sequence, :top)
FROM (SELECT pg_catalog.pg_get_serial_sequence(:table, 'id')::regclass AS sequence) AS found
WHERE sequence IS NOT NULL AND has_sequence_privilege(sequence, 'UPDATE')
  AND coalesce(pg_catalog.pg_sequence_last_value(sequence), 0) < :top
"""

LOST = ("08", "57P01", "57P02", "57P03", "25P03")


class PostgreSQL(Engine):
    """PostgreSQL 12 and later, also behind PgBouncer in transaction pooling: no session state is set or needed."""

    name = "postgresql"
    driver = "postgresql+psycopg"
    extra = "postgresql"
    now = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

    def connect_args(self, url: sa.URL, given: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing is prepared: behind a pooler, another server connection would not know it."""
        stated = {**url.query, **given}
        arguments: dict[str, Any] = {"prepare_threshold": None}
        if "connect_timeout" not in stated:
            arguments["connect_timeout"] = 10
        if "client_encoding" not in stated:
            arguments["client_encoding"] = "utf8"
        return arguments

    def options(self) -> dict[str, Any]:
        """Under a stricter default, a read before the lock would pin an old snapshot."""
        return {"isolation_level": "READ COMMITTED"}

    def begun(self, connection: sa.Connection) -> None:
        """Every text of `applied` is UTC, in ISO form."""
        connection.exec_driver_sql(BEGUN)

    def begin_read(self, connection: sa.Connection, seconds: float) -> None:
        """One snapshot for all statements; catalog functions such as ``to_regclass`` see the present all the same."""
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        statement = max(seconds, STATEMENT_SECONDS)
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout = {milliseconds(seconds)}; SET LOCAL statement_timeout = {milliseconds(statement)}"
        )

    def inspect(self, connection: sa.Connection, schema: str) -> Inspection:
        """The schema is found once; from then on the search path is of no matter."""
        about = connection.execute(sa.text(ABOUT)).one()
        found = connection.execute(sa.text(WHERE), {"name": qualified(schema)}).one_or_none()
        if found is None:
            hidden = connection.execute(sa.text(HIDDEN), {"table": TABLE, "schema": schema}).scalar()
            if hidden:
                raise NotPermitted(
                    f"No right to USE the schema {hidden}, where {TABLE} is.",
                    "Without it the rows cannot be read.",
                    f"Grant USAGE on schema {hidden}.",
                )
        where = found.schema if found else schema or about.schema or ""
        server = connection.scalar(sa.text(SYSTEM)) if about.knows_itself else about.address
        return Inspection(
            identity=f"{server}/{about.database}/{where}",
            database=f"{server}/{about.database}",
            schema=where,
            table=MigrationTable(where) if found else None,
            read_only=read_only(about),
            account=about.account,
        )

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """Those of the system, and those of temporary tables, have names that begin with ``pg_``."""
        return tuple(connection.scalars(sa.text(SCHEMAS), {"table": TABLE}))

    def reserve(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """An advisory lock of the transaction, which may stay idle for as long as a ``migrate`` runs."""
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds(deadline.left)}")
        # The role's own limit would end the wait for a lock before its time.
        statement = milliseconds(deadline.left + STATEMENT_SECONDS)
        connection.exec_driver_sql(
            f"SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = {statement}"
        )
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_key(table)})

    def lock(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """Locks writers out of the table; transaction-level, so a pooler keeps nothing of it."""
        self.reserve(connection, table, deadline)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds(deadline.left)}")
        # psycopg takes a percent sign for a parameter.
        name = qualified(table.schema).replace("%", "%%")
        connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")

    def before_inserts(self, connection: sa.Connection, table: MigrationTable, top: int) -> None:
        """A sequence that is behind, as after a copy of the rows alone, would give ids that are taken."""
        connection.execute(sa.text(RAISE_SEQUENCE), {"table": qualified(table.schema), "top": top})

    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """By SQLSTATE."""
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state.startswith(LOST):
            return ErrorKind.LOST
        return {
            "55P03": ErrorKind.LOCKED,
            "57014": ErrorKind.TIMED_OUT,
            "40001": ErrorKind.CONFLICT,
            "40P01": ErrorKind.CONFLICT,
            "42501": ErrorKind.DENIED,
            "25006": ErrorKind.READ_ONLY,
        }.get(state, ErrorKind.OTHER)


SYSTEM = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"


def milliseconds(seconds: float) -> int:
    """A duration as PostgreSQL's settings count it, where 0 would mean for ever."""
    return max(1, round(seconds * 1000))


def qualified(schema: str | None) -> str:
    """The table's name as ``to_regclass`` reads it."""
    if not schema:
        return TABLE
    return '"' + schema.replace('"', '""') + '".' + TABLE


def advisory_key(table: MigrationTable) -> int:
    """The number of the advisory lock of one target; such locks are each database's own."""
    digest = hashlib.sha256(f"migsync {table.schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def read_only(about: sa.Row[Any]) -> str:
    """Why nothing can be written, or empty."""
    if about.standby:
        return "This server is a standby: it replays what its primary commits."
    if about.read_only:
        return "Transactions are read-only here (default_transaction_read_only)."
    return ""
