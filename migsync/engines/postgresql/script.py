"""A script for PostgreSQL: one DO block, which is one statement and so atomic under every client.

Run with psql 15 and 18: with and without ON_ERROR_STOP, standard_conforming_strings off, odd TimeZone and DateStyle.
What stands in the block is read before any SET LOCAL in it takes effect, so no literal may depend on a setting.
"""
# ruff: noqa: S608 - text is made here, never sent: every value goes through `literal`

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from textwrap import indent

from migsync.engines.postgresql.lock import advisory_key
from migsync.engines.postgresql.session import CHANGE, KEPT, RESTORE, SESSION, needs
from migsync.engines.script import JSON_COLUMNS, LOCK_SECONDS, ScriptPlan

NOW = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
"""The server's UTC time as text, ``2026-11-20T10:45:00.123456Z``."""
AUTHOR = "left(session_user || '@' || coalesce(host(inet_client_addr()), 'local'), 255)"


def make_script(plan: ScriptPlan, journal_ddl: str) -> str:
    """The statements; `journal_ddl` is empty for a script without a journal."""
    body = "\n".join(_body(plan, journal_ddl))
    tag = dollar_quote(body)
    return f"DO {tag}\n{body}\n{tag};\n"


def literal(text: str | None) -> str:
    """`text` as an SQL literal in ASCII that means the same whatever standard_conforming_strings is."""
    if text is None:
        return "NULL"
    quoted = text.replace("'", "''")
    if text.isascii() and "\\" not in text:
        return f"'{quoted}'"
    return "E'" + "".join(_escaped(character) for character in quoted) + "'"


def identifier(name: str) -> str:
    """A name, quoted where it must be."""
    from sqlalchemy.dialects.postgresql.base import PGDialect
    from sqlalchemy.sql.compiler import IdentifierPreparer

    # Another style of parameters would double a percent sign.
    return IdentifierPreparer(PGDialect(paramstyle="named")).quote(name)  # type: ignore[no-untyped-call]


def dollar_quote(body: str) -> str:
    """A dollar quote that does not occur in `body`."""
    tags = (f"$migsync{number or ''}$" for number in count())
    return next(tag for tag in tags if tag not in body)


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isascii():
        return character
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"


def _table(plan: ScriptPlan, name: str) -> str:
    schema = plan.schema
    return f"{identifier(schema)}.{name}" if schema else name


def _body(plan: ScriptPlan, journal_ddl: str) -> Iterator[str]:
    state = _state(plan)
    yield _DECLARE
    yield needs(literal(_table(plan, "django_migrations")))
    yield SESSION.format(seconds=LOCK_SECONDS)
    yield from _changes(plan)
    yield from _lock(plan)
    if plan.journal:
        yield from _journal_tables(plan, journal_ddl)
    yield "    -- Write nothing unless every row is as planned and no other row has a new name."
    yield state
    if plan.journal:
        yield f"    standing := (\n{indent(plan.standing(_table(plan, 'migsync_run')), ' ' * 8)}\n    );"
    yield from _gate(plan)
    yield from _writes(plan)
    if plan.rows:
        yield "    -- Check what was written."
        yield state
        yield f"    IF NOT ({plan.is_after()}) THEN"
        yield "        RAISE EXCEPTION 'migsync: failed, nothing changed: rows differ from those written (a trigger?)';"
        yield "    END IF;"
    if plan.journal:
        yield from _journal_row(plan)
    yield RESTORE
    yield "    IF caller_commits THEN"
    yield f"        RAISE INFO 'migsync: {plan.count} changed in your transaction, not {plan.done} before you COMMIT';"
    yield "    ELSE"
    yield f"        RAISE INFO 'migsync: {plan.done}, {plan.count}';"
    yield "    END IF;"
    yield "END"


_DECLARE = """\
DECLARE
    present bigint;    -- rows that have an id of the plan
    as_before bigint;  -- those that are as before the plan
    as_after bigint;   -- those that are as after the plan
    bearers bigint;    -- rows that have a new name of the plan
    inserted bigint;   -- those that are a new row of the plan
    named bigint := 0; -- rows that the plan deletes without knowing their id
    beside bigint;     -- other rows of the same apps
    kept bigint;       -- those that are as they were when the plan was made
    standing text;     -- the last run of the plan that is in force
    written bigint;    -- rows that the last statement changed
    caller_commits boolean := now() <> statement_timestamp();  -- a transaction was open before this statement
    settings text[] := ARRAY[
        current_setting('lock_timeout'), current_setting('TimeZone'), current_setting('DateStyle'),
        current_setting('client_min_messages')
    ];
BEGIN"""


def _changes(plan: ScriptPlan) -> Iterator[str]:
    yield ""
    yield "    -- A row without name is inserted; a row without new_name is deleted."
    yield "    CREATE TEMPORARY TABLE migsync_change ("
    yield "        n bigint, id bigint, applied text, app text, name text, new_app text, new_name text"
    yield "    ) ON COMMIT DROP;"
    if plan.rows:
        yield f"    INSERT INTO {CHANGE} VALUES"
        yield (
            ",\n".join(
                "        ("
                + ", ".join([str(row.n), "NULL" if row.id is None else str(row.id), *map(literal, row[2:])])
                + ")"
                for row in plan.rows
            )
            + ";"
        )
    yield ""
    yield "    -- The other rows of these apps, which stay as they are."
    yield "    CREATE TEMPORARY TABLE migsync_kept (id bigint, applied text, app text, name text) ON COMMIT DROP;"
    if plan.kept:
        yield f"    INSERT INTO {KEPT} VALUES"
        yield ",\n".join(f"        ({', '.join([str(row.id), *map(literal, row[1:])])})" for row in plan.kept) + ";"


def _lock(plan: ScriptPlan) -> Iterator[str]:
    schema = plan.schema
    yield ""
    yield "    -- Readers continue. Writers wait, and so does migrate in a project with migsync.companion."
    # In the order of `lock_table`: the other way round, the two could wait for each other.
    if schema:
        yield f"    PERFORM pg_advisory_xact_lock({advisory_key(schema)});"
    yield f"    LOCK TABLE {_table(plan, 'django_migrations')} IN SHARE ROW EXCLUSIVE MODE;"
    yield ""


def _journal_tables(plan: ScriptPlan, journal_ddl: str) -> Iterator[str]:
    yield f"    IF to_regclass({literal(_table(plan, 'migsync_run'))}) IS NULL THEN"
    yield indent(journal_ddl.rstrip("\n"), " " * 8)
    yield "    END IF;"
    yield ""


_IMAGE = "ROW(m.app, m.name, m.applied::text)"
_OLD = f"{_IMAGE} IS NOT DISTINCT FROM ROW(c.app, c.name, c.applied)"
_SAME = f"{_IMAGE} IS NOT DISTINCT FROM ROW(k.app, k.name, k.applied)"
_NEW = f"{_IMAGE} IS NOT DISTINCT FROM ROW(c.new_app, c.new_name, c.applied)"


def _state(plan: ScriptPlan) -> str:
    table = _table(plan, "django_migrations")
    # By bytes, as Python compares texts: the collation of the database may order them otherwise.
    counted = plan.counted('(m.applied::text COLLATE "C", m.id) > (c.applied COLLATE "C", c.id)')
    older = f"\n     WHERE {counted}" if counted else ""
    state = f"""\
    SELECT count(*),
           count(*) FILTER (WHERE {_OLD}),
           count(*) FILTER (WHERE {_NEW})
      INTO present, as_before, as_after
      FROM {CHANGE} AS c JOIN {table} AS m ON m.id = c.id;
    SELECT count(*), count(*) FILTER (WHERE c.id IS NULL AND m.applied::text IS NOT DISTINCT FROM c.applied)
      INTO bearers, inserted
      FROM {CHANGE} AS c JOIN {table} AS m ON m.app = c.new_app AND m.name = c.new_name{older};"""
    if plan.removed_by_name:
        state += f"""
    SELECT count(*) INTO named
      FROM {CHANGE} AS c JOIN {table} AS m ON m.app = c.app AND m.name = c.name
     WHERE c.id IS NULL AND m.applied::text IS NOT DISTINCT FROM c.applied;"""
    if plan.kept is not None:
        state += f"""
    SELECT count(*), count(k.id) INTO beside, kept
      FROM {table} AS m LEFT JOIN {KEPT} AS k ON m.id = k.id AND {_SAME}
     WHERE {_beside(plan)};"""
    return state


def _beside(plan: ScriptPlan) -> str:
    """SQL: the row `m` is of an app that the plan changes, and not one of the plan's rows."""
    apps = ", ".join(map(literal, plan.apps))
    return f"m.app IN ({apps}) AND NOT EXISTS (SELECT 1 FROM {CHANGE} AS c WHERE c.id = m.id)"


def _gate(plan: ScriptPlan) -> Iterator[str]:
    state = plan.before
    yield f"    IF NOT ({plan.is_before()}) THEN"
    yield f"        IF {plan.is_already()} THEN"
    yield indent(RESTORE, "        ")
    yield f"            RAISE INFO 'migsync: already {plan.done}';"
    yield "            RETURN;"
    yield "        END IF;"
    if plan.rows:
        others = "" if plan.kept is None else "; other rows of these apps not as planned: %"
        differing = "" if plan.kept is None else f", greatest(beside, {len(plan.kept)}) - kept"
        yield f"""\
        RAISE EXCEPTION
            'migsync: stale, nothing changed: % of {plan.count} not as planned; new names already taken: %{others}',
            {state.present + state.named} - as_before - named, greatest(bearers - {plan.bearers}, 0){differing}
            USING HINT = 'Make a new plan: migsync plan', DETAIL = coalesce((
                SELECT string_agg(said, ' ') FROM (
{indent(" UNION ALL ".join(_stale_rows(plan)), " " * 20)}
                    LIMIT 10) AS found), '');"""
    else:
        yield "        RAISE EXCEPTION 'migsync: stale, nothing changed';"
    yield "    END IF;"
    yield ""


def _stale_rows(plan: ScriptPlan) -> Iterator[str]:
    """Queries for the rows that are not as planned, in words."""
    table = _table(plan, "django_migrations")
    not_there = "SELECT format('Row %s is not %s.%s, applied %s.', {0}.id, {0}.app, {0}.name, {0}.applied) AS said"
    yield f"""\
({not_there.format("c")}
   FROM {CHANGE} AS c
  WHERE c.id IS NOT NULL AND c.name IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM {table} AS m WHERE m.id = c.id AND {_OLD})
  ORDER BY c.n)"""
    if plan.kept is not None:
        yield f"""\
({not_there.format("k")}
   FROM {KEPT} AS k
  WHERE NOT EXISTS (SELECT 1 FROM {table} AS m WHERE m.id = k.id AND {_SAME})
  ORDER BY k.id)"""
        yield f"""\
(SELECT format('Row %s, %s.%s, is not in the plan.', m.id, m.app, m.name)
   FROM {table} AS m
  WHERE {_beside(plan)} AND NOT EXISTS (SELECT 1 FROM {KEPT} AS k WHERE k.id = m.id)
  ORDER BY m.id)"""


def _writes(plan: ScriptPlan) -> Iterator[str]:
    table = _table(plan, "django_migrations")
    # Before the renames: one of them may give a row the very image that this looks for.
    if plan.removed_by_name:
        yield f"    DELETE FROM {table} AS m USING {CHANGE} AS c"
        yield "     WHERE c.id IS NULL AND c.new_name IS NULL AND m.app = c.app AND m.name = c.name"
        yield "       AND m.applied::text IS NOT DISTINCT FROM c.applied;"
        yield _counted(len(plan.removed_by_name))
    if plan.removed:
        yield f"    DELETE FROM {table} AS m USING {CHANGE} AS c WHERE m.id = c.id AND c.new_name IS NULL;"
        yield _counted(len(plan.removed))
    if plan.renamed:
        yield f"    UPDATE {table} AS m SET app = c.new_app, name = c.new_name"
        yield f"      FROM {CHANGE} AS c WHERE m.id = c.id AND c.name IS NOT NULL AND c.new_name IS NOT NULL;"
        yield _counted(len(plan.renamed))
    if plan.returned or plan.inserted:
        yield _raise_sequence(plan)
    if plan.returned:
        yield f"    INSERT INTO {table} (id, app, name, applied)"
        yield "    SELECT id, new_app, new_name, applied::timestamptz"
        yield f"      FROM {CHANGE} WHERE name IS NULL AND id IS NOT NULL ORDER BY n;"
        yield _counted(len(plan.returned))
    if plan.inserted:
        yield f"    INSERT INTO {table} (app, name, applied)"
        yield "    SELECT new_app, new_name, applied::timestamptz"
        yield f"      FROM {CHANGE} WHERE name IS NULL AND id IS NULL ORDER BY n;"
        yield _counted(len(plan.inserted))


def _counted(rows: int) -> str:
    return f"""\
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> {rows} THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not {rows}', written;
    END IF;
"""


def _raise_sequence(plan: ScriptPlan) -> str:
    """A sequence that is behind, as after a copy of the rows alone, would give ids that are taken."""
    top = max((row.id or 0 for row in plan.returned), default=0)
    table = _table(plan, "django_migrations")
    return f"""\
    PERFORM setval(sequence, top)
       FROM (SELECT pg_get_serial_sequence({literal(table)}, 'id')::regclass AS sequence,
                    greatest(max(id), {top}) AS top FROM {table}) AS found
      WHERE sequence IS NOT NULL AND has_sequence_privilege(sequence, 'UPDATE')
        AND coalesce(pg_sequence_last_value(sequence), 0) < top;"""


def _journal_row(plan: ScriptPlan) -> Iterator[str]:
    runs, values = _table(plan, "migsync_run"), plan.journal_row
    undoes = "standing" if plan.undone_plan else literal(plan.undoes or None)
    texts = ",\n".join(f"           {literal(values[column])}" for column in JSON_COLUMNS)
    yield f"""
    INSERT INTO {runs} (
        number, id, kind, plan_id, at, author, version, reason, undoes, {", ".join(JSON_COLUMNS)})
    SELECT next, {literal(plan.run_id)} || lpad(to_hex(next), 8, '0'), {literal(values["kind"])},
           {literal(values["plan_id"])},
           {NOW},
           {AUTHOR},
           {literal(values["version"])}, {literal(values["reason"])},
           {undoes},
{texts}
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM {runs}) AS counted;
{_counted(1)}"""
