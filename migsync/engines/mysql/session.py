"""The session in which a script runs: what it must be, and what the script makes of it.

A transaction that is open already is not the script's to end, and CREATE TABLE, START TRANSACTION, SET autocommit and
ROLLBACK would all end it. So these are prepared as well, and a session that is not as needed prepares ``DO 0`` instead.
"""

from __future__ import annotations

# MariaDB alone reads what is in /*M! */, and MySQL alone what is in /*!50701 */. MySQL has no variable for an open
# transaction, but SET TRANSACTION fails in one. A wrong value for a variable is an error that shows the sentence, and
# needs no table to say so.
NEEDS = """\
-- What this script needs; otherwise it stops here, before anything is changed. No transaction may be open.
SET @migsync_stop = NULL, @migsync_there = NULL;
/*!50701 SET TRANSACTION ISOLATION LEVEL REPEATABLE READ */;
SET @migsync_stop = IF(0 /*!50701 + (ROW_COUNT() <> 0) */ /*M! + @@SESSION.in_transaction */,
    'migsync: nothing changed: a transaction is open; COMMIT or ROLLBACK it first', NULL);
SELECT COUNT(*) INTO @migsync_there FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = 'django_migrations';
SET @migsync_stop = COALESCE(@migsync_stop, CASE
    WHEN @@GLOBAL.read_only THEN 'migsync: nothing changed: this server is read-only; connect to the primary one'
    WHEN {database} IS NULL THEN 'migsync: nothing changed: no database is selected; name it in the command'
    WHEN COALESCE(@migsync_there, 0) = 0
        THEN CONCAT('migsync: nothing changed: the database ', {database}, ' has no table django_migrations')
    ELSE ''
END);
SELECT @migsync_stop AS outcome FROM DUAL WHERE @migsync_stop <> '';
SET @migsync_safe_updates = @@SESSION.sql_safe_updates;
SET SESSION sql_safe_updates = IF(@migsync_stop = '', 'OFF', @migsync_stop);
"""

# The session as migsync's own is, so that every value that was read can be written: zero dates, id 0. A client with
# --safe-updates sets limits that would cut the work short.
SESSION = """\
SET @migsync_time_zone = @@SESSION.time_zone, @migsync_sql_mode = @@SESSION.sql_mode,
    @migsync_autocommit = @@SESSION.autocommit, @migsync_row_wait = @@SESSION.innodb_lock_wait_timeout,
    @migsync_table_wait = @@SESSION.lock_wait_timeout, @migsync_limit = @@SESSION.sql_select_limit,
    @migsync_big = @@SESSION.sql_big_selects;
SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES',
    innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds},
    sql_select_limit = 18446744073709551615, sql_big_selects = 1,
    autocommit = IF(@migsync_stop = '', 1, @@SESSION.autocommit);
"""


def prepared(statement: str) -> str:
    """A statement that is not run where the session is not as needed."""
    return f"""\
SET @migsync_sql = IF(@migsync_stop = '', {_quoted(statement)}, 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;"""


def _quoted(statement: str) -> str:
    return "'" + statement.replace("'", "''") + "'"
