"""What a MySQL or MariaDB connection reaches: which server, whether it is writable, how the table is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from migsync.engines.access import RIGHTS, TableAccess
from migsync.engines.driver_errors import TABLE
from migsync.engines.target_table import Inspection, MigrationTable

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError

ABOUT = """
SHOW GLOBAL VARIABLES WHERE Variable_name IN
('server_uuid', 'server_uid', 'server_id', 'hostname', 'port', 'datadir', 'read_only', 'innodb_read_only')
"""

# A pattern of a GRANT escapes as LIKE does. What comes by a role is not in these tables.
RIGHTS_OF = """
SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = :account
UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
      WHERE GRANTEE = :account AND COALESCE(:schema, DATABASE()) LIKE TABLE_SCHEMA
UNION SELECT PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES
      WHERE GRANTEE = :account AND TABLE_NAME = :table AND TABLE_SCHEMA = COALESCE(:schema, DATABASE())
"""
ROLES = "SELECT DATABASE(), (SELECT COUNT(*) FROM information_schema.APPLICABLE_ROLES)"
WITHOUT_TRANSACTIONS = """
SELECT t.TABLE_NAME, t.ENGINE FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND t.TABLE_TYPE = 'BASE TABLE' AND e.TRANSACTIONS = 'NO'
ORDER BY t.TABLE_NAME
"""

NO_SUCH_TABLE = 1146
NO_DATABASE = 1046


def inspect(connection: sa.Connection, schema: str) -> Inspection:
    """What this connection reaches. SHOW is used, since SELECT fails for a variable that the server does not have."""
    import sqlalchemy as sa

    about: dict[str, str] = {name.lower(): value for name, value in connection.execute(sa.text(ABOUT))}
    database, session_read_only, user = connection.execute(
        sa.text(f"SELECT DATABASE(), {_session_read_only(connection)}, CURRENT_USER()")
    ).one()
    return Inspection(
        identity=f"{_server(about)}/{schema or database}",
        schema=schema,
        table=_table(connection, schema),
        read_only=_read_only(about, bool(session_read_only)),
        account=_account(user),
    )


def _session_read_only(connection: sa.Connection) -> str:
    """SQL for whether the session is read-only: MySQL and MariaDB 11 renamed the variable."""
    import sqlalchemy as sa

    name = connection.execute(
        sa.text("SHOW SESSION VARIABLES WHERE Variable_name IN ('transaction_read_only', 'tx_read_only')")
    ).first()
    return f"@@SESSION.{name[0]}" if name else "0"


def _table(connection: sa.Connection, schema: str) -> MigrationTable | None:
    """Asked by reading it: information_schema hides a table that one may not read."""
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError

    table = MigrationTable(schema or None)
    try:
        connection.execute(sa.select(table.clause.c.id).limit(0))
    except DBAPIError as error:
        if error_number(error) in {NO_SUCH_TABLE, NO_DATABASE}:
            return None
        raise
    storage = connection.scalar(
        sa.text(
            "SELECT ENGINE FROM information_schema.TABLES"
            " WHERE TABLE_NAME = :table AND TABLE_SCHEMA = COALESCE(:schema, DATABASE())"
        ),
        {"table": TABLE, "schema": schema or None},
    )
    if storage and storage.upper() != "INNODB":
        return MigrationTable(
            schema or None,
            unsafe=f"{TABLE} uses the storage engine {storage}, which has no transactions.",
            remedy=f"Convert it to InnoDB (ALTER TABLE {TABLE} ENGINE=InnoDB), then run the command again.",
        )
    return table


def access(connection: sa.Connection, table: MigrationTable, account: str) -> TableAccess:
    """What the user may do. Of a user with roles, it is taken to be everything: what they bring is not told."""
    import sqlalchemy as sa

    asked = {"schema": table.schema, "account": account, "table": TABLE}
    database, roles = connection.execute(sa.text(ROLES)).one()
    rights = set(connection.scalars(sa.text(RIGHTS_OF), asked))
    stored = connection.execute(sa.text(WITHOUT_TRANSACTIONS), {"schema": table.schema}).all()
    without = tuple((name, storage) for name, storage in stored)
    if roles or rights <= {"USAGE"}:
        return TableAccess(without_transactions=without)
    quoted = connection.dialect.identifier_preparer.quote_identifier(table.schema or database)
    missing = tuple(right for right in RIGHTS if right not in rights)
    creates = "CREATE" in rights
    return TableAccess(
        missing,
        creates,
        f"GRANT {', '.join(missing)} ON {quoted}.{TABLE} TO {account};" if missing else "",
        "" if creates else f"GRANT CREATE, SELECT, INSERT, UPDATE ON {quoted}.* TO {account};",
        without,
    )


def error_number(error: DBAPIError) -> int:
    """The server's or the driver's error number; -1 where there is none."""
    arguments = error.orig.args if error.orig is not None else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else -1


def _account(user: str) -> str:
    """``name@host``, as CURRENT_USER() says it, quoted for a GRANT."""
    name, _, host = user.rpartition("@")
    return "@".join("'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in (name, host))


def _server(about: Mapping[str, str]) -> str:
    """What tells servers apart. MariaDB has no server_uuid, and its server_uid is equal in two containers alike."""
    if about.get("server_uuid"):
        return about["server_uuid"]
    told = [about.get(name, "") for name in ("server_uid", "server_id", "hostname", "port", "datadir")]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def _read_only(about: Mapping[str, str], session: bool) -> str:
    """Why nothing should be written, or empty. Also for those who could: what is written to a replica breaks it."""
    if about.get("read_only", "OFF").upper() not in {"OFF", "0"}:
        return "This server is in read_only mode, as a replica is."
    if about.get("innodb_read_only", "OFF").upper() not in {"OFF", "0"}:
        return "This server is in innodb_read_only mode."
    return "Transactions are read-only in this session." if session else ""
