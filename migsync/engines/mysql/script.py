"""A script for MySQL and MariaDB: every statement depends on the gate, and so does the COMMIT.

``mariadb --force`` runs on after an error, and a deadlock rolls back the transaction under the statements that follow.
So: autocommit is off, each row count is checked and shuts the gate, the rows are read back, and only an open gate
prepares a COMMIT; whatever else happened is rolled back. A lost connection loses the variables, and so the gate.
"""
# ruff: noqa: S608 - text is made here, never sent: every value goes through `literal`

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent

from migsync.engines.mysql.session import NEEDS, SESSION, prepared
from migsync.engines.script import JSON_COLUMNS, LEGEND, LOCK_SECONDS, ROWS_A_STATEMENT, ScriptPlan, number, pieces

NOW = "DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')"
"""The server's UTC time as text, ``2026-11-20T10:45:00.123456Z``."""


def make_script(plan: ScriptPlan, journal_ddl: str) -> str:
    """The statements; `journal_ddl` is empty for a script without a journal."""
    parts = [
        *_tables(plan, journal_ddl),
        _lock(plan),
        *_gate(plan),
        *_writes(plan),
        *_journal_row(plan),
        *_end(plan),
    ]
    return "\n".join(parts) + "\n"


def literal(text: str | None) -> str:
    """`text` as an SQL literal in ASCII that means the same with and without NO_BACKSLASH_ESCAPES."""
    if text is None:
        return "NULL"
    if text.isascii() and "\\" not in text:
        return "'" + text.replace("'", "''") + "'"
    return f"_utf8mb4 0x{text.encode().hex()}"


def identifier(name: str) -> str:
    """A quoted name."""
    return "`" + name.replace("`", "``") + "`"


def _table(plan: ScriptPlan, name: str) -> str:
    schema = plan.schema
    return f"{identifier(schema)}.{name}" if schema else name


def _database(plan: ScriptPlan) -> str:
    return literal(plan.schema) if plan.schema else "DATABASE()"


_CREATE = """\
-- A row without name is inserted; a row without new_name is deleted. Names are binary, so that letter case and
-- trailing spaces count.
DROP TEMPORARY TABLE IF EXISTS migsync_change, migsync_kept, migsync_outcome;
CREATE TEMPORARY TABLE migsync_outcome (outcome VARCHAR(190) PRIMARY KEY) ENGINE = InnoDB;
CREATE TEMPORARY TABLE migsync_change (
    n BIGINT PRIMARY KEY, id BIGINT, applied VARBINARY(64),
    app VARBINARY(1020), name VARBINARY(1020), new_app VARBINARY(1020), new_name VARBINARY(1020),
    KEY (id), KEY (new_name(255))
) ENGINE = InnoDB;"""

_KEPT = """\
-- The other rows of these apps, which stay as they are.
CREATE TEMPORARY TABLE migsync_kept (
    id BIGINT PRIMARY KEY, applied VARBINARY(64), app VARBINARY(1020), name VARBINARY(1020)
) ENGINE = InnoDB;"""


def _tables(plan: ScriptPlan, journal_ddl: str) -> Iterator[str]:
    yield NEEDS.format(database=_database(plan))
    yield SESSION.format(seconds=LOCK_SECONDS)
    for statement in filter(None, map(str.strip, journal_ddl.split(";\n"))):
        yield prepared(statement)
    yield _CREATE
    yield from _inserts("migsync_change", [(*map(number, row[:2]), *map(literal, row[2:])) for row in plan.rows])
    if plan.kept is not None:
        yield _KEPT
        yield from _inserts("migsync_kept", [(number(row.id), *map(literal, row[1:])) for row in plan.kept])
    if plan.journal:
        for column in JSON_COLUMNS:
            first, *others = pieces(plan.journal_row[column])
            yield f"SET @migsync_{column} = {literal(first)};"
            for piece in others:
                yield f"SET @migsync_{column} = CONCAT(@migsync_{column}, {literal(piece)});"
    yield ""


def _inserts(table: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        yield f"INSERT INTO {table} VALUES"
        yield ",\n".join(f"    ({', '.join(row)})" for row in rows[start : start + ROWS_A_STATEMENT]) + ";"


def _lock(plan: ScriptPlan) -> str:
    # First all variables are set: they live as long as the session, and an earlier script must not open this gate.
    database = _database(plan)
    locked = f"SELECT COUNT(*) INTO @migsync_locked FROM {_table(plan, 'django_migrations')} FOR UPDATE"
    return f"""\
SET @migsync_open = 0, @migsync_again = 0, @migsync_gate = 0, @migsync_lock = NULL, @migsync_safe = NULL,
    @migsync_locked = NULL, @migsync_present = NULL, @migsync_as_before = NULL, @migsync_as_after = NULL,
    @migsync_bearers = NULL, @migsync_inserted = NULL, @migsync_named = 0, @migsync_standing = NULL,
    @migsync_beside = 0, @migsync_kept = 0, @migsync_done = NULL;
SELECT ENGINE = 'InnoDB' INTO @migsync_safe FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = 'django_migrations';

-- Readers continue. Writers wait, and so does migrate in a project with migsync.companion. The locking read
-- begins the transaction: a plain read before it would fix an older snapshot.
SELECT IF(@migsync_stop = '', GET_LOCK(CONCAT('migsync ', SHA1({database})), {LOCK_SECONDS}), 0) INTO @migsync_lock;
SET SESSION autocommit = IF(@migsync_stop = '', 0, @@SESSION.autocommit);
{prepared("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")}
{prepared(locked)}
"""


# The columns of migsync_change are binary, so that letter case and trailing spaces count. A name must have the same
# bytes to be found, which it has not in a latin1 table: it is converted first.
def _image(prefix: str) -> str:
    return (
        f"CONVERT(m.app USING utf8mb4) = c.{prefix}app AND CONVERT(m.name USING utf8mb4) = c.{prefix}name"
        " AND CAST(m.applied AS CHAR) <=> c.applied"
    )


def _state(plan: ScriptPlan) -> str:
    table = _table(plan, "django_migrations")
    counted = plan.counted("(CAST(m.applied AS CHAR), m.id) > (c.applied, c.id)")
    older = f"\n WHERE {counted}" if counted else ""
    state = f"""\
SELECT COUNT(*),
       COUNT(CASE WHEN {_image("")} THEN 1 END),
       COUNT(CASE WHEN {_image("new_")} THEN 1 END)
  INTO @migsync_present, @migsync_as_before, @migsync_as_after
  FROM migsync_change AS c JOIN {table} AS m ON m.id = c.id;
SELECT COUNT(*), COUNT(CASE WHEN c.id IS NULL AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END)
  INTO @migsync_bearers, @migsync_inserted
  FROM {table} AS m JOIN migsync_change AS c
       ON c.new_name = CONVERT(m.name USING utf8mb4) AND c.new_app = CONVERT(m.app USING utf8mb4){older};
"""
    if plan.removed_by_name:
        state += f"""\
SELECT COUNT(*) INTO @migsync_named
  FROM migsync_change AS c JOIN {table} AS m ON c.id IS NULL AND {_image("")};
"""
    if plan.kept is not None:
        state += f"""\
SELECT COUNT(*), COUNT(k.id) INTO @migsync_beside, @migsync_kept
  FROM {_beside(plan)} AND {_SAME}
 WHERE {_of_apps(plan)};
"""
    return state


_SAME = (
    "CONVERT(m.app USING utf8mb4) = k.app AND CONVERT(m.name USING utf8mb4) = k.name"
    " AND CAST(m.applied AS CHAR) <=> k.applied"
)


def _beside(plan: ScriptPlan) -> str:
    """SQL: every row `m`, with its row `c` of the plan and the one `k` that stays."""
    return (
        f"{_table(plan, 'django_migrations')} AS m LEFT JOIN migsync_change AS c ON c.id = m.id"
        " LEFT JOIN migsync_kept AS k ON k.id = m.id"
    )


def _of_apps(plan: ScriptPlan) -> str:
    """SQL: the row `m` is of an app that the plan changes, and not one of the plan's rows."""
    apps = ", ".join(f"CAST({literal(app)} AS BINARY)" for app in plan.apps)
    return f"c.n IS NULL AND CAST(CONVERT(m.app USING utf8mb4) AS BINARY) IN ({apps})"


def _gate(plan: ScriptPlan) -> Iterator[str]:
    standing = ""
    if plan.journal:
        standing = f"SET @migsync_standing = (\n{indent(plan.standing(_table(plan, 'migsync_run')), '    ')}\n);\n"
    before, already = plan.is_before("@migsync_"), plan.is_already("@migsync_")
    yield f"""\
{LEGEND}{_state(plan)}{standing}
-- Write nothing unless every row is as planned and no other row has a new name.
SET @migsync_gate = COALESCE(
    {before}, 0);
SET @migsync_again = COALESCE(NOT @migsync_gate AND
    {already}, 0);
SET @migsync_open = COALESCE(@migsync_stop = '' AND @migsync_gate = 1 AND @migsync_lock = 1 AND @migsync_safe = 1
    AND @migsync_locked >= 0, 0);
"""
    if plan.rows:
        yield from _stale_rows(plan)


_SHUT = "@migsync_stop = '' AND @migsync_gate = 0 AND @migsync_again = 0"


def _stale_rows(plan: ScriptPlan) -> Iterator[str]:
    yield f"""\
-- List the rows that are not as planned.
SELECT CONCAT('row ', c.id, ' is not ', CONVERT(c.app USING utf8mb4), '.', CONVERT(c.name USING utf8mb4),
              COALESCE(CONCAT(', applied ', CONVERT(c.applied USING utf8mb4)), '')) AS stale
  FROM migsync_change AS c LEFT JOIN {_table(plan, "django_migrations")} AS m
       ON m.id = c.id AND {_image("")}
 WHERE m.id IS NULL AND c.id IS NOT NULL AND c.name IS NOT NULL AND {_SHUT}
 ORDER BY c.n LIMIT 10;
"""
    if plan.kept is not None:
        yield f"""\
SELECT CONCAT('row ', k.id, ' is not ', CONVERT(k.app USING utf8mb4), '.', CONVERT(k.name USING utf8mb4),
              COALESCE(CONCAT(', applied ', CONVERT(k.applied USING utf8mb4)), '')) AS stale
  FROM migsync_kept AS k LEFT JOIN {_table(plan, "django_migrations")} AS m
       ON m.id = k.id AND {_SAME}
 WHERE m.id IS NULL AND {_SHUT}
 ORDER BY k.id LIMIT 10;
SELECT CONCAT('row ', m.id, ', ', m.app, '.', m.name, ', is not in the plan') AS stale
  FROM {_beside(plan)}
 WHERE k.id IS NULL AND {_of_apps(plan)}
   AND {_SHUT}
 ORDER BY m.id LIMIT 10;
"""


_VALUES = "CONVERT(new_app USING utf8mb4), CONVERT(new_name USING utf8mb4), CONVERT(applied USING utf8mb4)"


def _writes(plan: ScriptPlan) -> Iterator[str]:
    table = _table(plan, "django_migrations")
    # Before the renames: one of them may give a row the very image that this looks for.
    if plan.removed_by_name:
        yield f"DELETE m FROM {table} AS m JOIN migsync_change AS c"
        yield f"    ON c.id IS NULL AND c.new_name IS NULL AND {_image('')}"
        yield " WHERE @migsync_open = 1;"
        yield _counted(len(plan.removed_by_name))
    if plan.removed:
        yield f"DELETE m FROM {table} AS m JOIN migsync_change AS c ON c.id = m.id"
        yield " WHERE c.new_name IS NULL AND @migsync_open = 1;"
        yield _counted(len(plan.removed))
    if plan.renamed:
        # A TIMESTAMP column may be ON UPDATE CURRENT_TIMESTAMP: what is set stays.
        yield f"UPDATE {table} AS m JOIN migsync_change AS c ON c.id = m.id"
        yield "   SET m.app = CONVERT(c.new_app USING utf8mb4), m.name = CONVERT(c.new_name USING utf8mb4),"
        yield "       m.applied = m.applied"
        yield " WHERE c.name IS NOT NULL AND c.new_name IS NOT NULL AND @migsync_open = 1;"
        yield _counted(len(plan.renamed))
    if plan.returned:
        yield f"INSERT INTO {table} (id, app, name, applied)"
        yield f"SELECT id, {_VALUES}"
        yield "  FROM migsync_change WHERE name IS NULL AND id IS NOT NULL AND @migsync_open = 1 ORDER BY n;"
        yield _counted(len(plan.returned))
    if plan.inserted:
        yield f"INSERT INTO {table} (app, name, applied)"
        yield f"SELECT {_VALUES}"
        yield "  FROM migsync_change WHERE name IS NULL AND id IS NULL AND @migsync_open = 1 ORDER BY n;"
        yield _counted(len(plan.inserted))


def _counted(rows: int) -> str:
    return f"SET @migsync_open = (@migsync_open = 1 AND ROW_COUNT() = {rows});\n"


def _journal_row(plan: ScriptPlan) -> Iterator[str]:
    if not plan.journal:
        return
    runs, values = _table(plan, "migsync_run"), plan.journal_row
    undoes = "@migsync_standing" if plan.undone_plan else literal(plan.undoes or None)
    lengths = " AND ".join(f"LENGTH(@migsync_{column}) = {len(values[column])}" for column in JSON_COLUMNS)
    yield f"""\
-- The journal.
SET @migsync_open = COALESCE(@migsync_open = 1 AND {lengths}, 0);
SELECT COALESCE(MAX(number), 0) + 1 INTO @migsync_number FROM {runs};
INSERT INTO {runs} (
    number, id, kind, plan_id, at, author, version, reason, undoes, {", ".join(JSON_COLUMNS)})
SELECT @migsync_number, CONCAT('{plan.run_id}', LPAD(LOWER(HEX(@migsync_number)), 8, '0')),
       {literal(values["kind"])}, {literal(values["plan_id"])},
       {NOW},
       LEFT(USER(), 255), {literal(values["version"])}, {literal(values["reason"])}, {undoes},
       {", ".join(f"@migsync_{column}" for column in JSON_COLUMNS)}
  FROM DUAL WHERE @migsync_open = 1;
{_counted(1)}"""


def _end(plan: ScriptPlan) -> Iterator[str]:
    if plan.rows:
        yield "-- Check what was written."
        yield _state(plan)
        yield f"SET @migsync_open = COALESCE(@migsync_open = 1 AND\n    {plan.is_after('@migsync_')}, 0);"
        yield ""
    expected = plan.before.present + plan.before.named
    others = ""
    if plan.kept is not None:
        others = f""",
                '; other rows of these apps not as planned: ',
                GREATEST(@migsync_beside, {len(plan.kept)}) - @migsync_kept"""
    yield f"""\
SET @migsync_sql = IF(@migsync_open = 1, 'COMMIT', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_done = (@migsync_open = 1 AND ROW_COUNT() = 0);
{prepared("ROLLBACK")}
DEALLOCATE PREPARE migsync_statement;

SET @migsync_said = CASE
    WHEN COALESCE(@migsync_stop, 'x') <> '' THEN @migsync_stop
    WHEN @migsync_done = 1 THEN 'migsync: {plan.done}, {plan.count}'
    WHEN @migsync_again = 1 THEN 'migsync: already {plan.done}'
    WHEN @migsync_lock IS NULL OR @migsync_lock = 0
        THEN 'migsync: not {plan.done}, nothing changed: another migsync holds the lock'
    WHEN @migsync_locked IS NULL
        THEN 'migsync: not {plan.done}, nothing changed: django_migrations could not be locked'
    WHEN @migsync_safe IS NULL OR @migsync_safe = 0
        THEN 'migsync: not {plan.done}, nothing changed: django_migrations is not an InnoDB table; it cannot roll back'
    WHEN @migsync_gate = 1 THEN 'migsync: failed, rolled back, nothing changed'
    ELSE CONCAT('migsync: stale, nothing changed: ', {expected} - @migsync_as_before - @migsync_named,
                ' of {plan.count} not as planned; new names already taken: ',
                GREATEST(@migsync_bearers - {plan.bearers}, 0){others})
END;
SELECT @migsync_said AS outcome;
DO IF(@migsync_lock = 1, RELEASE_LOCK(CONCAT('migsync ', SHA1({_database(plan)}))), 0);
SET SESSION time_zone = @migsync_time_zone, sql_mode = @migsync_sql_mode,
    innodb_lock_wait_timeout = @migsync_row_wait, lock_wait_timeout = @migsync_table_wait,
    sql_safe_updates = @migsync_safe_updates, sql_select_limit = @migsync_limit, sql_big_selects = @migsync_big,
    autocommit = IF(@migsync_stop = '', @migsync_autocommit, @@SESSION.autocommit);
DROP TEMPORARY TABLE IF EXISTS migsync_change, migsync_kept;

-- For the exit status: if nothing was {plan.done}, insert the same key twice, an error that shows the outcome.
INSERT INTO migsync_outcome
SELECT @migsync_said FROM (SELECT 1 UNION ALL SELECT 2) AS twice
 WHERE NOT COALESCE(@migsync_done = 1 OR @migsync_again = 1, 0);
DROP TEMPORARY TABLE IF EXISTS migsync_outcome;"""
