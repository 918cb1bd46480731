"""MySQL and MariaDB, through PyMySQL."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from migsync.engines.base import STATEMENT_SECONDS, TABLE, Deadline, Engine, ErrorKind, Inspection, MigrationTable
from migsync.errors import LockTimeout

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

# TIMESTAMP columns depend on the zone; a literal that was read must be writable again whatever the server's mode is
# (zero dates, id 0), and what does not fit must be an error, not a warning.
SESSION = (
    "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES',"
    " character_set_results = utf8mb4"
)

ABOUT = """
SHOW GLOBAL VARIABLES WHERE Variable_name IN
('server_uuid', 'server_uid', 'server_id', 'hostname', 'port', 'datadir', 'read_only', 'innodb_read_only')
"""

NO_SUCH_TABLE = 1146
NO_DATABASE = 1046
LOCKED = {1205, 3572}
# 1412: the table was made, or altered, after the transaction's snapshot; 1684: it is being made just now.
CONFLICT = {1213, 1020, 1412, 1684}
TIMED_OUT = {1969, 3024}
LOST = {0, 1053, 1927, 2006, 2013, 2055, 4031}
DENIED = {1044, 1045, 1142, 1143, 1227, 1370}
READ_ONLY = {1290, 1792, 1836}


class MySQL(Engine):
    """MySQL 8 and MariaDB 10.6 and later."""

    name = "mysql"
    driver = "mysql+pymysql"
    extra = "mysql"
    now = "DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')"
    transactional_ddl = False
    kept_if_set = ("applied",)  # a TIMESTAMP column may be ON UPDATE CURRENT_TIMESTAMP

    def connect_args(self, url: sa.URL, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every name must pass, whatever the project says for its own connections."""
        return {"charset": "utf8mb4"}

    def options(self) -> dict[str, Any]:
        """READ COMMITTED takes no gap locks: rows could be inserted beside the locked ones."""
        return {"isolation_level": "REPEATABLE READ"}

    def connected(self, connection: DBAPIConnection, init: Iterable[str]) -> None:
        """Ours come last: the project's `init_command` often sets the mode, too."""
        super().connected(connection, (*init, SESSION))

    def begin_read(self, connection: sa.Connection, seconds: float) -> None:
        """The isolation is REPEATABLE READ already; the settings end with the connection, which reads only once."""
        limit = max(seconds, STATEMENT_SECONDS)
        mariadb = getattr(connection.dialect, "is_mariadb", False)
        statement = f"max_statement_time = {limit:f}" if mariadb else f"max_execution_time = {round(limit * 1000)}"
        wait = max(1, math.ceil(seconds))
        connection.exec_driver_sql(f"SET innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}, {statement}")
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def inspect(self, connection: sa.Connection, schema: str) -> Inspection:
        """Asked with SHOW: naming a variable that the server does not have is an error."""
        about: dict[str, str] = {name.lower(): value for name, value in connection.execute(sa.text(ABOUT))}
        database, session_read_only, user = connection.execute(
            sa.text(f"SELECT DATABASE(), {self.session_read_only(connection)}, CURRENT_USER()")
        ).one()
        return Inspection(
            identity=f"{server(about)}/{schema or database}",
            schema=schema,
            table=self.table(connection, schema),
            read_only=read_only(about, bool(session_read_only)),
            account=account(user),
        )

    def session_read_only(self, connection: sa.Connection) -> str:
        """The variable's name, which MySQL and MariaDB 11 changed."""
        name = connection.execute(
            sa.text("SHOW SESSION VARIABLES WHERE Variable_name IN ('transaction_read_only', 'tx_read_only')")
        ).first()
        return f"@@SESSION.{name[0]}" if name else "0"

    def table(self, connection: sa.Connection, schema: str) -> MigrationTable | None:
        """Asked by reading it: information_schema hides a table that one may not read."""
        table = MigrationTable(schema or None)
        try:
            connection.execute(sa.select(table.clause.c.id).limit(0))
        except DBAPIError as error:
            if number(error) in {NO_SUCH_TABLE, NO_DATABASE}:
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
            return MigrationTable(schema or None, unsafe=f"{TABLE} is a {storage} table, which cannot roll back.")
        return table

    def lock(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """Locks every row and every gap; in whole seconds, which is all that MySQL counts."""
        wait = max(1, math.ceil(deadline.left))
        connection.exec_driver_sql(f"SET innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}")
        # On an empty table, row locks alone would not exclude.
        self.reserve(connection, table, deadline)
        # The first read of the transaction: a plain one before it would pin an old snapshot.
        connection.execute(sa.select(table.clause).order_by(table.clause.c.id).with_for_update()).close()

    def reserve(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """A named lock of the session; in whole seconds, which is all that MySQL counts."""
        wait = max(1, math.ceil(deadline.left))
        if getattr(connection.dialect, "is_mariadb", False):
            # The server's own limit would end the wait for a lock before its time. MySQL's is for reads alone.
            connection.exec_driver_sql(f"SET max_statement_time = {wait + STATEMENT_SECONDS:f}")
        got = connection.scalar(
            sa.text("SELECT GET_LOCK(CONCAT('migsync ', SHA1(COALESCE(:schema, DATABASE()))), :wait)"),
            {"schema": table.schema, "wait": wait},
        )
        if got != 1:
            raise LockTimeout(f"Another migsync or migrate has held the lock for {wait} s.", "Nothing was changed.")

    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """By the server's error number."""
        code = number(error)
        if error.connection_invalidated or code in LOST:
            return ErrorKind.LOST
        for codes, kind in (
            (LOCKED, ErrorKind.LOCKED),
            (CONFLICT, ErrorKind.CONFLICT),
            (TIMED_OUT, ErrorKind.TIMED_OUT),
            (DENIED, ErrorKind.DENIED),
            (READ_ONLY, ErrorKind.READ_ONLY),
        ):
            if code in codes:
                return kind
        return ErrorKind.OTHER


def number(error: DBAPIError) -> int:
    """The server's or the driver's error number; -1 where there is none."""
    arguments = error.orig.args if error.orig is not None else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else -1


def account(user: str) -> str:
    """``name@host``, as CURRENT_USER() says it, quoted for a GRANT."""
    name, _, host = user.rpartition("@")
    return "@".join("'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in (name, host))


def server(about: Mapping[str, str]) -> str:
    """What tells servers apart. MariaDB has no server_uuid, and its server_uid is equal in two containers alike."""
    if about.get("server_uuid"):
        return about["server_uuid"]
    told = [about.get(name, "") for name in ("server_uid", "server_id", "hostname", "port", "datadir")]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def read_only(about: Mapping[str, str], session: bool) -> str:
    """Why nothing should be written, or empty. Also for those who could: what is written to a replica breaks it."""
    if about.get("read_only", "OFF").upper() not in {"OFF", "0"}:
        return "This server is in read_only mode, as a replica is."
    if about.get("innodb_read_only", "OFF").upper() not in {"OFF", "0"}:
        return "This server is in innodb_read_only mode."
    return "Transactions are read-only in this session." if session else ""
