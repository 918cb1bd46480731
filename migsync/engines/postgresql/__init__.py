"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from migsync.engines.base import Engine
from migsync.engines.driver_errors import ErrorKind
from migsync.engines.postgresql.address import DRIVER, settings_address, url_address
from migsync.engines.postgresql.catalog import WITHOUT_JIT, extension_tables, parts, schemas_beside
from migsync.engines.postgresql.comparable import comparable
from migsync.engines.postgresql.inspection import SCHEMA, access, has_table, inspect, qualified, schemas
from migsync.engines.postgresql.lock import BEGINS, begin_read, lock_and_read, lock_table, release, reserve
from migsync.engines.postgresql.rows import delete_rows, read_rows, update_rows
from migsync.engines.postgresql.schema_batch import read_schemas
from migsync.engines.postgresql.scratch import OWNERLESS, claim_database, create_database, end_sessions
from migsync.engines.postgresql.script import NOW, literal, make_script
from migsync.engines.target_table import MigrationTable

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError

    from migsync.engines.catalog import Execute

# `applied` as text depends on these. SET LOCAL leaves no trace in a session that a pooler gives to others.
BEGUN = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'"

RAISE_SEQUENCE = """
SELECT pg_catalog.setval(sequence, :top)
FROM (SELECT pg_catalog.pg_get_serial_sequence(:table, 'id')::regclass AS sequence) AS found
WHERE sequence IS NOT NULL AND has_sequence_privilege(sequence, 'UPDATE')
  AND coalesce(pg_catalog.pg_sequence_last_value(sequence), 0) < :top
"""

SEQUENCE_BEHIND = """
SELECT sequence::text, pg_catalog.pg_sequence_last_value(sequence) IS NOT NULL,
       has_sequence_privilege(sequence, 'SELECT')
FROM (SELECT pg_catalog.pg_get_serial_sequence(:table, 'id')::regclass AS sequence) AS found
WHERE sequence IS NOT NULL AND has_sequence_privilege(sequence, 'USAGE, SELECT')
  AND coalesce(pg_catalog.pg_sequence_last_value(sequence), 0) < :top
"""

# How the packages for tenants migrate one schema. That of django-pgschemas takes several schemas, so they come last.
MIGRATE_SCHEMAS = "python manage.py migrate_schemas {arguments} --schema {tenant}"
MIGRATE = "python manage.py migrate {arguments} --schema {tenant}"

# The classes of SQLSTATE in which the connection is gone: connection exceptions, and shutdowns of the server.
LOST = ("08", "57P01", "57P02", "57P03", "25P03")
LOCK_NOT_AVAILABLE = "55P03"


class PostgreSQL(Engine):
    """PostgreSQL 12 and later, also behind PgBouncer in transaction pooling: no session state is set or needed."""

    name = "postgresql"
    other_names = ("postgres",)
    title = family = "PostgreSQL"
    schemes = frozenset({"postgres", "postgresql", "pgsql", "psql", "postgis", "timescale"})
    backend = "django.db.backends.postgresql"
    backends = frozenset({"postgresql", "postgresql_psycopg2", "postgresql_psycopg3", "postgis"})
    tenant_backends: ClassVar[Mapping[str, str]] = {
        "django_tenants.postgresql_backend": MIGRATE_SCHEMAS,
        "tenant_schemas.postgresql_backend": MIGRATE_SCHEMAS,
        "django_pgschemas.postgresql": MIGRATE,
        "django_pgschemas.postgresql_backend": MIGRATE,  # until 1.0
    }
    other_backends = frozenset({"psqlextra.backend", *tenant_backends})
    has_schemas = True
    sends_many = True
    driver = DRIVER
    driver_module = "psycopg"
    extra = "postgresql"
    # "cannot ALTER TABLE ... because it has pending trigger events"
    schema_after_data = False
    longest_name = 63
    now = NOW
    table_schema = SCHEMA
    current_database = "SELECT current_database()"
    applied_form = "%Y-%m-%d %H:%M:%S+00"
    script_needs = (
        "no open transaction: no BEGIN, no psql -1, and AUTOCOMMIT on",
        "a session that can write, at READ COMMITTED",
    )
    client = "psql -X -v ON_ERROR_STOP=1 -d DATABASE -f {file}"
    operations_module = "django.contrib.postgres.operations"
    operations_first = ("CreateExtension", "CreateCollation", "RemoveCollation")
    ownerless_databases = OWNERLESS
    server_database = "postgres"
    databases_query = "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"

    settings_address = staticmethod(settings_address)
    url_address = staticmethod(url_address)
    inspect = staticmethod(inspect)
    access = staticmethod(access)
    schemas = staticmethod(schemas)
    has_table = staticmethod(has_table)
    read_schemas = staticmethod(read_schemas)
    begin_read = staticmethod(begin_read)
    reserve = staticmethod(reserve)
    release = staticmethod(release)
    lock = staticmethod(lock_table)
    lock_and_read = staticmethod(lock_and_read)
    read_rows = staticmethod(read_rows)
    update_rows = staticmethod(update_rows)
    delete_rows = staticmethod(delete_rows)
    script = staticmethod(make_script)
    claim_database = staticmethod(claim_database)
    create_database = staticmethod(create_database)
    end_sessions = staticmethod(end_sessions)
    parts = staticmethod(parts)
    comparable = staticmethod(comparable)
    schemas_beside = staticmethod(schemas_beside)
    extension_tables = staticmethod(extension_tables)

    def connect_args(self, url: sa.URL, given: Mapping[str, Any]) -> dict[str, Any]:
        """No prepared statements: behind a pooler, another server connection would not know them."""
        stated = {**url.query, **given}
        arguments: dict[str, Any] = {"prepare_threshold": None}
        if "connect_timeout" not in stated:
            arguments["connect_timeout"] = 10
        if "client_encoding" not in stated:
            arguments["client_encoding"] = "utf8"
        return arguments

    def options(self) -> dict[str, Any]:
        """Not a stricter level: with it, a read before the lock would pin an old snapshot."""
        return {"isolation_level": "READ COMMITTED"}

    def begun(self, connection: sa.Connection) -> None:
        """Have the server write `applied` as text in UTC and in ISO form."""
        if not connection.get_execution_options().get(BEGINS):
            connection.exec_driver_sql(BEGUN)

    def look_into(self, connection: sa.Connection, schema: str, *, alone: bool = False) -> None:
        """For this transaction, so that no session keeps it."""
        statement = self.schema_statement(connection, schema).replace("SET", "SET LOCAL", 1)
        connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.exec_driver_sql(WITHOUT_JIT)
        if alone:
            connection.exec_driver_sql("SELECT set_config('migsync.only_schema', current_schema(), true)")

    def schema_statement(self, connection: sa.Connection, schema: str) -> str:
        """The rest of the path is needed: definitions name what is in it without its schema."""
        found = connection.exec_driver_sql("SELECT current_schemas(false)").scalar() or []
        quote = connection.dialect.identifier_preparer.quote_identifier  # it doubles percent signs, for psycopg
        path = ", ".join(quote(name) for name in dict.fromkeys([schema, *found]))
        return f"SET search_path TO {path}".replace("%%", "%")

    def keep_to_schema(self, execute: Execute) -> None:
        """By a setting that the query of `parts` asks for."""
        execute("SELECT set_config('migsync.only_schema', current_schema(), false)")

    def sequence_statement(self, connection: sa.Connection, table: MigrationTable, top: int) -> str:
        """A call of setval, where rows came with their ids, from a dump or a copy."""
        import sqlalchemy as sa

        asked = {"table": qualified(table.schema), "top": top}
        found = connection.execute(sa.text(SEQUENCE_BEHIND), asked).one_or_none()
        if found is None:
            return ""
        sequence, called, readable = found
        if not called:
            # As after RESTART WITH: its value is the next one, and only the sequence itself tells it.
            value = sa.text(f"SELECT last_value FROM {sequence}")  # noqa: S608 -- quoted by the server
            if not readable or connection.execute(value).scalar_one() > top:
                return ""
        return f"SELECT setval({literal(sequence)}, {top});"

    def before_inserts(self, connection: sa.Connection, table: MigrationTable, top: int) -> None:
        """A sequence that is behind, as after a copy of the rows alone, would give ids that are taken."""
        import sqlalchemy as sa

        connection.execute(sa.text(RAISE_SEQUENCE), {"table": qualified(table.schema), "top": top})

    def insert_new(self, table: sa.TableClause) -> sa.Insert:
        """ON CONFLICT DO NOTHING."""
        from sqlalchemy.dialects.postgresql import insert

        return insert(table).on_conflict_do_nothing()

    def insert_many(
        self, connection: sa.Connection, table: sa.TableClause, rows: Sequence[Mapping[str, Any]], *, new: bool = False
    ) -> None:
        """As one JSON document, which costs the driver much less than a parameter for each value."""
        quote = connection.dialect.identifier_preparer
        # Numbers are bigint, and all else is text.
        kinds = {quote.quote(name): "bigint" if isinstance(value, int) else "text" for name, value in rows[0].items()}
        columns = ", ".join(kinds)
        record = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        place = quote.format_table(table)  # with percent signs as psycopg reads them
        connection.exec_driver_sql(
            f"INSERT INTO {place} ({columns}) SELECT {columns} "  # noqa: S608 (names of ours)
            f"FROM json_to_recordset(CAST(%s AS json)) AS new ({record})" + " ON CONFLICT DO NOTHING" * new,
            (json.dumps([dict(row) for row in rows]),),
        )

    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """What the server's SQLSTATE says."""
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state.startswith(LOST):
            return ErrorKind.LOST
        return {
            LOCK_NOT_AVAILABLE: ErrorKind.LOCKED,
            "57014": ErrorKind.TIMED_OUT,  # query_canceled
            "40001": ErrorKind.CONFLICT,  # serialization_failure
            "40P01": ErrorKind.CONFLICT,  # deadlock_detected
            "42501": ErrorKind.DENIED,  # insufficient_privilege
            "25006": ErrorKind.READ_ONLY,  # read_only_sql_transaction
        }.get(state, ErrorKind.OTHER)

    def impatience(self, seconds: int) -> Sequence[str]:
        """By PostgreSQL's default, a statement waits for a lock for ever."""
        return (f"SET lock_timeout = '{seconds}s'",)

    def is_lock_timeout(self, error: BaseException) -> bool:
        """True for the SQLSTATE 55P03: `sqlstate` on an error of psycopg 3, `pgcode` on one of psycopg2."""
        state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        return bool(state == LOCK_NOT_AVAILABLE)
