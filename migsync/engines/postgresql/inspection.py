"""What a PostgreSQL connection reaches: the schema of ``django_migrations``, which server, whether it is writable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migsync.engines.access import RIGHTS, TableAccess
from migsync.engines.driver_errors import TABLE
from migsync.engines.target_table import Inspection, MigrationTable
from migsync.errors import NotPermitted

if TYPE_CHECKING:
    import sqlalchemy as sa

WHERE = """
SELECT c.oid::bigint AS oid, n.nspname AS schema
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(:name)
"""

# The same for the name alone, without a parameter that every driver would write in its own way.
SCHEMA = f"""
SELECT n.nspname, current_schema()
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass('{TABLE}')
"""  # noqa: S608 (a name of ours)

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

ACCESS = """
SELECT has_table_privilege(c.oid, 'SELECT') AS "SELECT", has_table_privilege(c.oid, 'INSERT') AS "INSERT",
       has_table_privilege(c.oid, 'UPDATE') AS "UPDATE", has_table_privilege(c.oid, 'DELETE') AS "DELETE",
       has_schema_privilege(c.relnamespace, 'CREATE') AS "CREATE",
       c.oid::regclass::text AS "table", c.relnamespace::regnamespace::text AS "schema",
       (SELECT d.objid::regclass::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a
        ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.refobjid = c.oid AND d.deptype = 'a' AND a.attname = 'id' AND d.classid = 'pg_class'::regclass
          AND NOT has_sequence_privilege(d.objid, 'USAGE') LIMIT 1) AS "sequence"
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(:table)
"""

# By the index on relname, whatever the number of tables; every role may read pg_class.
SCHEMAS = """
SELECT n.nspname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = :table AND c.relkind IN ('r', 'p')
  AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname
"""

SYSTEM = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"


def inspect(connection: sa.Connection, schema: str) -> Inspection:
    """What this connection reaches. Without a `schema`, the search path decides once; then every name is qualified."""
    import sqlalchemy as sa

    about = inspect_database(connection)
    found = connection.execute(sa.text(WHERE), {"name": qualified(schema)}).one_or_none()
    if found is None:
        hidden = connection.execute(sa.text(HIDDEN), {"table": TABLE, "schema": schema}).scalar()
        if hidden:
            raise NotPermitted(
                f"The user lacks USAGE on the schema {hidden}, which contains {TABLE}.",
                "Without it, migsync cannot read the rows.",
                f"Grant USAGE on the schema {hidden} to this user.",
            )
    return in_schema(about, found.schema if found else schema or about.schema, there=bool(found))


def inspect_database(connection: sa.Connection) -> Inspection:
    """What is the same for all schemas; `schema` is the current one."""
    import sqlalchemy as sa

    about = connection.execute(sa.text(ABOUT)).one()
    # Not every role may read the server's identifier; then the address has to tell servers apart.
    server = connection.scalar(sa.text(SYSTEM)) if about.knows_itself else about.address
    database = f"{server}/{about.database}"
    return Inspection(database, about.schema or "", None, _read_only(about), database, about.account)


def in_schema(database: Inspection, schema: str, *, there: bool) -> Inspection:
    """The same for one schema; `there` says whether the table is in it."""
    table = MigrationTable(schema) if there else None
    return replace(database, identity=f"{database.database}/{schema}", schema=schema, table=table)


def schemas(connection: sa.Connection) -> tuple[str, ...]:
    """Those of the system, and those of temporary tables, have names that begin with ``pg_``."""
    import sqlalchemy as sa

    return tuple(connection.scalars(sa.text(SCHEMAS), {"table": TABLE}))


def qualified(schema: str | None, table: str = TABLE) -> str:
    """The table's name as ``to_regclass`` reads it."""
    if not schema:
        return table
    return '"' + schema.replace('"', '""') + '".' + table


def has_table(connection: sa.Connection, table: str, schema: str | None) -> bool:
    """By a statement that is not compiled anew for each schema, as SQLAlchemy's is."""
    asked = (qualified(schema, table),)
    return bool(connection.exec_driver_sql("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", asked).scalar())


def access(connection: sa.Connection, table: MigrationTable, account: str) -> TableAccess:
    """What the role may do, by itself or as a member of another one."""
    import sqlalchemy as sa

    found = connection.execute(sa.text(ACCESS), {"table": qualified(table.schema)}).mappings().one_or_none()
    if found is None:
        return TableAccess()
    missing = tuple(right for right in RIGHTS if not found[right])
    grants = [f"GRANT {', '.join(missing)} ON {found['table']} TO {account};"] if missing else []
    # An INSERT takes the id from the sequence of a serial column; that of an identity column needs no right.
    if found["sequence"]:
        grants.append(f"GRANT USAGE ON SEQUENCE {found['sequence']} TO {account};")
    return TableAccess(
        (*missing, *(["USAGE of its sequence"] if found["sequence"] else [])),
        found["CREATE"],
        "\n".join(grants),
        "" if found["CREATE"] else f"GRANT CREATE ON SCHEMA {found['schema']} TO {account};",
    )


def _read_only(about: sa.Row[Any]) -> str:
    """Why nothing can be written, or empty."""
    if about.standby:
        return "This server is a standby: it replays what its primary commits."
    if about.read_only:
        return "Transactions are read-only here (default_transaction_read_only)."
    return ""
