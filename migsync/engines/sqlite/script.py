"""A script for SQLite: one INSERT into a view, whose trigger does everything.

The trigger's work is part of that one statement, so it takes the write lock first, is atomic, and is undone by
RAISE(ABORT), under every client. BEGIN IMMEDIATE would not do: where it fails because the database is locked, a client
that runs on after an error goes on without a transaction. A COMMIT can fail too, after success was printed.

In a transaction that is open already, all of this is part of it, and nothing is kept before its COMMIT: the outcome
says so.
"""
# ruff: noqa: S608 - text is made here, never sent: every value goes through `literal`

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import indent

from migsync.engines.script import JSON_COLUMNS, LEGEND, ROWS_A_STATEMENT, RUN_TABLE, ScriptPlan, number, pieces

NOW = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
"""The server's UTC time as text, ``2026-11-20T10:45:00.123456Z``."""


def make_script(plan: ScriptPlan, journal_ddl: str) -> str:
    """The statements; `journal_ddl` is empty for a script without a journal."""
    parts = [
        _NEEDS,
        *_tables(plan, journal_ddl),
        _state(plan),
        *_stale_rows(plan),
        *_trigger(plan),
        *_outcome(plan),
    ]
    return "\n".join(parts) + "\n"


def literal(text: str | None) -> str:
    """`text` as an SQL expression in ASCII, whatever the encoding of the database is."""
    if text is None:
        return "NULL"
    return (
        " || ".join(
            f"'{part}'" if ascii_only else f"char({', '.join(str(ord(character)) for character in part)})"
            for ascii_only, run in groupby(text.replace("'", "''"), str.isascii)
            for part in ["".join(run)]
        )
        or "''"
    )


_DROP = """\
DROP VIEW IF EXISTS temp.migsync_state;
DROP TABLE IF EXISTS temp.migsync_change;
DROP TABLE IF EXISTS temp.migsync_kept;
DROP TABLE IF EXISTS temp.migsync_session;
DROP TABLE IF EXISTS temp.migsync_json;
DROP TABLE IF EXISTS temp.migsync_outcome;"""

# A COMMIT turns defer_foreign_keys off, and outside a transaction each statement that writes ends in one.
_NEEDS = f"""\
{_DROP}
-- What this script needs; otherwise it stops here, before anything is changed. `open`: a transaction is open.
CREATE TEMPORARY TABLE migsync_session (
    tables INTEGER, open INTEGER,
    CONSTRAINT "migsync: nothing changed: this file has no table django_migrations" CHECK (tables)
);
PRAGMA defer_foreign_keys = ON;
INSERT INTO temp.migsync_session
SELECT count(*), 0 FROM main.sqlite_master WHERE type = 'table' AND name = 'django_migrations';
UPDATE temp.migsync_session SET open = (SELECT defer_foreign_keys FROM pragma_defer_foreign_keys);
PRAGMA defer_foreign_keys = OFF;
"""

_CREATE = """\
-- A row without name is inserted; a row without new_name is deleted.
CREATE TEMPORARY TABLE migsync_change (
    n INTEGER PRIMARY KEY, id INTEGER, applied TEXT, app TEXT, name TEXT, new_app TEXT, new_name TEXT
);
CREATE INDEX temp.migsync_change_id ON migsync_change (id);
CREATE INDEX temp.migsync_change_new_name ON migsync_change (new_name, new_app);
CREATE TEMPORARY TABLE migsync_outcome (outcome TEXT);"""


_KEPT = """\
-- The other rows of these apps, which stay as they are.
CREATE TEMPORARY TABLE migsync_kept (id INTEGER PRIMARY KEY, applied TEXT, app TEXT, name TEXT);"""


def _inserts(table: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        yield f"INSERT INTO temp.{table} VALUES"
        yield ",\n".join(f"    ({', '.join(row)})" for row in rows[start : start + ROWS_A_STATEMENT]) + ";"


def _tables(plan: ScriptPlan, journal_ddl: str) -> Iterator[str]:
    if journal_ddl:
        yield journal_ddl
    yield _CREATE
    yield from _inserts("migsync_change", [(*map(number, row[:2]), *map(literal, row[2:])) for row in plan.rows])
    if plan.kept is not None:
        yield _KEPT
        yield from _inserts("migsync_kept", [(number(row.id), *map(literal, row[1:])) for row in plan.kept])
    if plan.journal:
        yield f"CREATE TEMPORARY TABLE migsync_json ({', '.join(f'{column} TEXT' for column in JSON_COLUMNS)});"
        cut = {column: pieces(plan.journal_row[column]) for column in JSON_COLUMNS}
        first = ",\n".join(f"    {literal(texts[0])}" for texts in cut.values())
        yield f"INSERT INTO temp.migsync_json VALUES (\n{first}\n);"
        for column, texts in cut.items():
            for piece in texts[1:]:
                yield f"UPDATE temp.migsync_json SET {column} = {column} || {literal(piece)};"
    yield ""


# The columns of migsync_change stand on the left: theirs is the collation (BINARY) and the affinity (TEXT).
_BEFORE = "c.app = m.app AND c.name = m.name AND c.applied IS CAST(m.applied AS TEXT)"
_AFTER = "c.new_app = m.app AND c.new_name = m.name AND c.applied IS CAST(m.applied AS TEXT)"


def _state(plan: ScriptPlan) -> str:
    by_id = "FROM temp.migsync_change AS c JOIN main.django_migrations AS m ON m.id = c.id"
    # SQLite never reorders a CROSS JOIN: each row is looked up by an index of migsync_change, since django_migrations
    # has none on names.
    by_name = "FROM main.django_migrations AS m CROSS JOIN temp.migsync_change AS c"
    counted = plan.counted("(CAST(m.applied AS TEXT), m.id) > (c.applied, c.id)")
    older = f"\n        AND {counted}" if counted else ""
    counts = [
        f"(SELECT count(*) {by_id}) AS present",
        f"(SELECT count(*) {by_id}\n      WHERE {_BEFORE}) AS as_before",
        f"(SELECT count(*) {by_id}\n      WHERE {_AFTER}) AS as_after",
        f"(SELECT count(*) {by_name}\n      WHERE c.new_name = m.name AND c.new_app = m.app{older}) AS bearers",
    ]
    if plan.inserted:
        counts.append(f"(SELECT count(*) {by_name}\n      WHERE c.id IS NULL AND {_AFTER}) AS inserted")
    if plan.removed_by_name:
        counts.append(f"(SELECT count(*) {by_name}\n      WHERE c.id IS NULL AND {_BEFORE}) AS named")
    if plan.kept is not None:
        counts.append(f"(SELECT count(*) {_beside(plan)}) AS beside")
        counts.append(
            "(SELECT count(*) FROM temp.migsync_kept AS k JOIN main.django_migrations AS m ON m.id = k.id"
            f"\n      WHERE {_SAME}) AS kept"
        )
    if plan.journal:
        counts.append(f"(\n{indent(plan.standing(RUN_TABLE), ' ' * 8)}\n    ) AS standing")
    select = ",\n    ".join(counts)
    return f"""\
{LEGEND}CREATE TEMPORARY VIEW migsync_state AS SELECT
    {select};
"""


_SAME = "k.app = m.app AND k.name = m.name AND k.applied IS CAST(m.applied AS TEXT)"


def _beside(plan: ScriptPlan) -> str:
    """SQL: the rows `m` of the apps that the plan changes, without the plan's rows."""
    apps = ", ".join(map(literal, plan.apps))
    return (
        f"FROM main.django_migrations AS m\n      WHERE m.app COLLATE BINARY IN ({apps})"
        " AND m.id NOT IN (SELECT c.id FROM temp.migsync_change AS c WHERE c.id IS NOT NULL)"
    )


def _stale_rows(plan: ScriptPlan) -> Iterator[str]:
    if not plan.rows:
        return
    yield f"""\
-- List the rows that are not as planned.
SELECT 'migsync: row ' || c.id || ' is not ' || c.app || '.' || c.name || coalesce(', applied ' || c.applied, '')
  FROM temp.migsync_change AS c, temp.migsync_state AS s
 WHERE NOT ({plan.is_before("s.")})
   AND NOT ({plan.is_already("s.")})
   AND c.id IS NOT NULL AND c.name IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM main.django_migrations AS m WHERE m.id = c.id AND {_BEFORE})
 ORDER BY c.n LIMIT 10;
SELECT 'migsync: new names already taken: ' || (bearers - {plan.bearers})
  FROM temp.migsync_state
 WHERE bearers > {plan.bearers} AND NOT ({plan.is_already()});
"""
    if plan.kept is not None:
        shut = f"(SELECT NOT ({plan.is_before()}) AND NOT ({plan.is_already()}) FROM temp.migsync_state)"
        yield f"""\
SELECT 'migsync: row ' || k.id || ' is not ' || k.app || '.' || k.name || coalesce(', applied ' || k.applied, '')
  FROM temp.migsync_kept AS k
 WHERE NOT EXISTS (SELECT 1 FROM main.django_migrations AS m WHERE m.id = k.id AND {_SAME})
   AND {shut}
 ORDER BY k.id LIMIT 10;
SELECT 'migsync: row ' || m.id || ', ' || m.app || '.' || m.name || ', is not in the plan'
  {_beside(plan)}
   AND m.id NOT IN (SELECT k.id FROM temp.migsync_kept AS k)
   AND {shut}
 ORDER BY m.id LIMIT 10;
"""


# Such a value is not the same any more when it comes back from text.
_NO_FRACTIONS = """\
    SELECT RAISE(ABORT, 'migsync: nothing changed: `applied` of a row to be removed is not stored as text')
      FROM temp.migsync_change AS c JOIN main.django_migrations AS m ON m.id = c.id
     WHERE c.new_name IS NULL AND typeof(m.applied) IN ('real', 'blob');
"""


def _trigger(plan: ScriptPlan) -> Iterator[str]:
    # RAISE(IGNORE) ends the trigger where it stands, without an error; RAISE(ABORT) takes back all that it did.
    before, already = plan.is_before(), plan.is_already()
    yield f"""\
CREATE TEMPORARY TRIGGER migsync_sync INSTEAD OF INSERT ON migsync_state BEGIN
    -- Write nothing unless every row is as planned and no other row has a new name.
    INSERT INTO migsync_outcome
    SELECT 'migsync: already {plan.done}' FROM temp.migsync_state
     WHERE NOT ({before})
       AND {already};
    SELECT RAISE(IGNORE) FROM temp.migsync_outcome;
    SELECT RAISE(ABORT, 'migsync: nothing changed: the checks at the beginning of the script failed')
     WHERE NOT EXISTS (SELECT 1 FROM temp.migsync_session);
    SELECT RAISE(ABORT, 'migsync: stale, nothing changed') FROM temp.migsync_state
     WHERE NOT ({before});
"""
    if plan.removed:
        yield _NO_FRACTIONS
    yield from _writes(plan)
    if plan.rows:
        yield f"""\
    -- Check what was written.
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: rows differ from those written (a trigger?)')
      FROM temp.migsync_state
     WHERE NOT ({plan.is_after()});
"""
    if plan.journal:
        yield from _journal_row(plan)
    yield f"""\
    INSERT INTO migsync_outcome
    SELECT CASE WHEN open THEN 'migsync: {plan.count} changed in your transaction, not {plan.done} before you COMMIT'
           ELSE 'migsync: {plan.done}, {plan.count}' END
      FROM temp.migsync_session;"""
    yield "END;"
    yield ""


def _writes(plan: ScriptPlan) -> Iterator[str]:
    # Before the renames: one of them may give a row the very image that this looks for.
    if plan.removed_by_name:
        yield "    DELETE FROM django_migrations"
        yield "     WHERE EXISTS (SELECT 1 FROM temp.migsync_change AS c WHERE c.id IS NULL AND c.new_name IS NULL"
        yield "           AND c.app = django_migrations.app AND c.name = django_migrations.name"
        yield "           AND c.applied IS CAST(django_migrations.applied AS TEXT));"
        yield _counted(len(plan.removed_by_name))
    if plan.removed:
        yield "    DELETE FROM django_migrations"
        yield "     WHERE id IN (SELECT id FROM temp.migsync_change WHERE new_name IS NULL);"
        yield _counted(len(plan.removed))
    if plan.renamed:
        yield "    UPDATE django_migrations"
        yield "       SET app = (SELECT c.new_app FROM temp.migsync_change AS c WHERE c.id = django_migrations.id),"
        yield "           name = (SELECT c.new_name FROM temp.migsync_change AS c WHERE c.id = django_migrations.id)"
        yield "     WHERE id IN (SELECT id FROM temp.migsync_change WHERE name IS NOT NULL AND new_name IS NOT NULL);"
        yield _counted(len(plan.renamed))
    if plan.returned:
        yield "    INSERT INTO django_migrations (id, app, name, applied)"
        yield "    SELECT id, new_app, new_name, applied FROM temp.migsync_change"
        yield "     WHERE name IS NULL AND id IS NOT NULL ORDER BY n;"
        yield _counted(len(plan.returned))
    if plan.inserted:
        yield "    INSERT INTO django_migrations (app, name, applied)"
        yield "    SELECT new_app, new_name, applied FROM temp.migsync_change"
        yield "     WHERE name IS NULL AND id IS NULL ORDER BY n;"
        yield _counted(len(plan.inserted))


def _counted(rows: int) -> str:
    return f"""\
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the number of rows written is not {rows}')
     WHERE changes() <> {rows};
"""


def _journal_row(plan: ScriptPlan) -> Iterator[str]:
    values = plan.journal_row
    undoes = "standing" if plan.undone_plan else literal(plan.undoes or None)
    state = ", (SELECT standing FROM temp.migsync_state)" if plan.undone_plan else ""
    lengths = " OR ".join(f"length({column}) <> {len(values[column])}" for column in JSON_COLUMNS)
    yield f"""\
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the text for the journal is incomplete')
      FROM temp.migsync_json
     WHERE {lengths};
    INSERT INTO {RUN_TABLE} (
        number, id, kind, plan_id, at, author, version, reason, undoes, {", ".join(JSON_COLUMNS)})
    SELECT next, '{plan.run_id}' || printf('%08x', next), {literal(values["kind"])}, {literal(values["plan_id"])},
           {NOW}, 'script', {literal(values["version"])}, {literal(values["reason"])},
           {undoes},
           {", ".join(JSON_COLUMNS)}
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM {RUN_TABLE}), temp.migsync_json{state};
{_counted(1)}"""


def _outcome(plan: ScriptPlan) -> Iterator[str]:
    yield "INSERT INTO temp.migsync_state (present) VALUES (0);"
    yield ""
    yield f"SELECT coalesce((SELECT outcome FROM temp.migsync_outcome), 'migsync: not {plan.done}, nothing changed');"
    yield _DROP
