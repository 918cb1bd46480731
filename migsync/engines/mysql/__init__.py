"""MySQL and MariaDB, through PyMySQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from migsync.engines.base import Engine
from migsync.engines.driver_errors import ErrorKind
from migsync.engines.mysql.address import DRIVER, settings_address, url_address
from migsync.engines.mysql.catalog import parts
from migsync.engines.mysql.comparable import comparable
from migsync.engines.mysql.inspection import access, error_number, inspect
from migsync.engines.mysql.lock import begin_note, begin_read, lock_table, reserve
from migsync.engines.mysql.rows import delete_rows, prepare_delete, prepare_update, read_rows, update_rows
from migsync.engines.mysql.scratch import OWNERLESS, claim_database, create_database
from migsync.engines.mysql.script import NOW, make_script

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.exc import DBAPIError

# TIMESTAMP columns depend on the zone; a literal that was read must be writable again whatever the server's mode is
# (zero dates, id 0), and what does not fit must be an error, not a warning. Where a backslash is nothing but that,
# PyMySQL quotes a long text fast. GROUP_CONCAT cuts off what is longer than its limit.
SESSION = (
    "SET time_zone = '+00:00',"
    " sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_BACKSLASH_ESCAPES',"
    " character_set_results = utf8mb4, group_concat_max_len = 1073741824"
)

LOCK_WAIT_TIMEOUT = 1205
# 3572: a lock that NOWAIT did not get at once.
LOCKED = {LOCK_WAIT_TIMEOUT, 3572}
# 1213: a deadlock; 1020: a row has changed since the snapshot (MariaDB).
# 1412: the table was made, or altered, after the transaction's snapshot; 1684: it is being made just now.
CONFLICT = {1213, 1020, 1412, 1684}
# MariaDB's max_statement_time, MySQL's max_execution_time.
TIMED_OUT = {1969, 3024}
# 0 is PyMySQL's own, for a connection that is closed already.
LOST = {0, 1053, 1927, 2006, 2013, 2055, 4031}
DENIED = {1044, 1045, 1142, 1143, 1227, 1370}
READ_ONLY = {1290, 1792, 1836}


class MySQL(Engine):
    """MySQL 8 and MariaDB 10.6 and later."""

    name = "mysql"
    other_names = ("mariadb",)
    title = "MySQL"
    family = "MySQL/MariaDB"
    schemes = frozenset({"mysql", "mysql2", "mysqlgis", "mariadb"})
    backend = "django.db.backends.mysql"
    backends = frozenset({"mysql"})
    other_backends = frozenset({"mysql.connector.django"})
    driver = DRIVER
    driver_module = "pymysql"
    extra = "mysql"
    transactional_ddl = False
    longest_name = 64
    fields_without_default = frozenset({"TextField", "BinaryField", "JSONField"})
    now = NOW
    from_nothing = " FROM DUAL"
    current_database = "SELECT DATABASE()"
    applied_form = "%Y-%m-%d %H:%M:%S.000000"
    script_needs = ("no open transaction", "a server that is not read-only")
    client = "mariadb DATABASE < {file}    (or mysql)"
    # The two names are those of SQLAlchemy's dialects.
    table_options: ClassVar[dict[str, Any]] = {
        f"{dialect}_{option}": value
        for dialect in ("mysql", "mariadb")
        for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"))
    }
    ownerless_databases = OWNERLESS
    databases_query = "SELECT schema_name FROM information_schema.schemata ORDER BY 1"

    settings_address = staticmethod(settings_address)
    url_address = staticmethod(url_address)
    inspect = staticmethod(inspect)
    access = staticmethod(access)
    begin_read = staticmethod(begin_read)
    reserve = staticmethod(reserve)
    begin_note = staticmethod(begin_note)
    lock = staticmethod(lock_table)
    read_rows = staticmethod(read_rows)
    update_rows = staticmethod(update_rows)
    delete_rows = staticmethod(delete_rows)
    prepare_update = staticmethod(prepare_update)
    prepare_delete = staticmethod(prepare_delete)
    script = staticmethod(make_script)
    claim_database = staticmethod(claim_database)
    create_database = staticmethod(create_database)
    parts = staticmethod(parts)
    comparable = staticmethod(comparable)

    def connect_args(self, url: sa.URL, given: Mapping[str, Any]) -> dict[str, Any]:
        """Always utf8mb4, whatever the project sets for its connections: a name can have any character."""
        return {"charset": "utf8mb4"}

    def options(self) -> dict[str, Any]:
        """Not READ COMMITTED, which takes no gap locks: rows could be inserted beside the locked ones."""
        return {"isolation_level": "REPEATABLE READ"}

    def connected(self, connection: DBAPIConnection, init: Iterable[str]) -> None:
        """Our own statements run last, because the `init_command` of a project often sets the SQL mode too."""
        super().connected(connection, (*init, SESSION))

    def insert_new(self, table: sa.TableClause) -> sa.Insert:
        """INSERT IGNORE: "ON DUPLICATE KEY UPDATE" would need the right to UPDATE."""
        import sqlalchemy as sa

        return sa.insert(table).prefix_with("IGNORE")

    def long_text(self) -> sa.types.TypeEngine[str]:
        """LONGTEXT: a TEXT holds 64 KB."""
        from sqlalchemy.dialects.mysql import LONGTEXT

        return LONGTEXT()

    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """What the server's error number says."""
        code = error_number(error)
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

    def impatience(self, seconds: int) -> Sequence[str]:
        """By MySQL's default (lock_wait_timeout), a statement waits for the lock of a table for a year."""
        return (f"SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}",)

    def is_lock_timeout(self, error: BaseException) -> bool:
        """By the server's number, with which mysqlclient and PyMySQL begin the arguments of an error."""
        return error.args[:1] == (LOCK_WAIT_TIMEOUT,)
