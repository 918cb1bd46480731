"""A whole schema in the server's own words, by engine: every table, column, index, constraint, view, trigger.

The order of columns is left out, and so are names that Django or the server made up by themselves: they tell under
which name of a table or a column something was made first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from migsync.engines.definitions import normal, table_items

OURS: Final = re.compile(r"^(django_migrations|migsync_\w+|sqlite_\w+)$")
GENERATED: Final = re.compile(
    r"_[0-9a-f]{8}(_uniq|_like|_idx|_pk|_check|_fk(_\w*)?)?$"  # Django: _create_index_name
    r"|_(pkey|key\d*|check\d*|fkey\d*|excl\d*|chk_\d+|ibfk_\d+)$|^CONSTRAINT_\d+$"  # PostgreSQL, MySQL, MariaDB
)
OFTEN_UNNAMED: Final = frozenset({"index", "unique constraint", "primary key", "foreign key", "check", "constraint"})

Row = tuple[Any, ...]
Execute = Callable[[str], Iterable[Row]]
"""Runs one statement, in which ``%`` stands for itself, and gives its rows."""


class Part(NamedTuple):
    """One thing in a schema. `table` is empty for what belongs to none; a thing without a name has its definition."""

    kind: str
    table: str
    name: str


# Each query gives (kind, table, name, definition). What an extension brings along is left out. All schemas count: a
# scratch database holds nothing but what the migrations made. A name that is not in the current one is qualified.
SPACES: Final = """
WITH space AS (
SELECT n.oid, n.nspname, CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END AS prefix
  FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), own AS (
SELECT c.oid, c.relkind, c.relpersistence, space.prefix || c.relname AS name, EXISTS (
         SELECT FROM pg_depend d WHERE d.deptype = 'e' AND (d.classid = 'pg_class'::regclass AND d.objid = c.oid
             OR d.classid = 'pg_type'::regclass AND d.objid = c.reltype)) AS extension
  FROM pg_class c JOIN space ON space.oid = c.relnamespace
), rel AS (
SELECT * FROM own WHERE NOT extension
), typ AS (
SELECT t.*, space.prefix || t.typname AS name FROM pg_type t JOIN space ON space.oid = t.typnamespace
 WHERE NOT EXISTS (
         SELECT FROM pg_depend d WHERE d.deptype = 'e' AND d.classid = 'pg_type'::regclass AND d.objid = t.oid)
)
"""
POSTGRESQL: Final = f"""{SPACES}
SELECT 'schema', '', nspname, '' FROM space WHERE prefix <> '' AND nspname <> 'public' AND NOT EXISTS (
       SELECT FROM pg_depend d WHERE d.deptype = 'e' AND d.classid = 'pg_namespace'::regclass AND d.objid = space.oid)
UNION ALL
SELECT 'table', rel.name, rel.name, concat_ws(' ', rel.relpersistence, obj_description(rel.oid, 'pg_class'))
  FROM rel WHERE rel.relkind IN ('r', 'p')
UNION ALL
SELECT 'column', rel.name, a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
                 CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE 'NULL' END,
                 CASE WHEN a.attgenerated <> '' THEN 'GENERATED' WHEN d.oid IS NOT NULL THEN 'DEFAULT' END,
                 regexp_replace(pg_get_expr(d.adbin, d.adrelid), 'nextval\\(.*\\)', 'nextval()'),
                 CASE a.attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY' END,
                 col_description(rel.oid, a.attnum))
  FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE rel.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT CASE con.contype WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique constraint'
                        WHEN 'c' THEN 'check' ELSE 'constraint' END,
       rel.name, con.conname, pg_get_constraintdef(con.oid)
  FROM pg_constraint con JOIN rel ON rel.oid = con.conrelid WHERE con.contype <> 'n'
UNION ALL
SELECT 'index', rel.name, c.relname,
       regexp_replace(pg_get_indexdef(c.oid), '^CREATE (UNIQUE )?INDEX .*? USING ', '\\1USING ')
  FROM pg_index i JOIN rel ON rel.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
UNION ALL
SELECT 'sequence', coalesce(owner.name, ''), coalesce(a.attname, rel.name),
       concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqmin, s.seqmax, s.seqincrement, s.seqcycle)
  FROM pg_sequence s JOIN rel ON rel.oid = s.seqrelid
  LEFT JOIN pg_depend d ON d.objid = rel.oid AND d.classid = 'pg_class'::regclass
   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  LEFT JOIN rel owner ON owner.oid = d.refobjid
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
UNION ALL
SELECT CASE rel.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, '', rel.name, pg_get_viewdef(rel.oid)
  FROM rel WHERE rel.relkind IN ('v', 'm')
UNION ALL
SELECT 'trigger', rel.name, t.tgname, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
  FROM pg_trigger t JOIN rel ON rel.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'function', '', p.oid::regprocedure::text, concat_ws(' ', pg_get_function_result(p.oid), p.prosrc)
  FROM pg_proc p JOIN space ON space.oid = p.pronamespace
 WHERE NOT EXISTS (
         SELECT FROM pg_depend d WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass AND d.objid = p.oid)
UNION ALL
SELECT 'type', '', typ.name, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
  FROM pg_enum e JOIN typ ON e.enumtypid = typ.oid GROUP BY typ.name
UNION ALL
SELECT 'type', '', rel.name, (
       SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM rel WHERE rel.relkind = 'c'
UNION ALL
SELECT 'domain', '', typ.name,
       concat_ws(' ', format_type(typ.typbasetype, typ.typtypmod), CASE WHEN typ.typnotnull THEN 'NOT NULL' END,
                 'DEFAULT ' || typ.typdefault, (
                 SELECT string_agg(pg_get_constraintdef(con.oid), ' ' ORDER BY pg_get_constraintdef(con.oid))
                   FROM pg_constraint con WHERE con.contypid = typ.oid AND con.contype <> 'n'))
  FROM typ WHERE typ.typtype = 'd'
UNION ALL
SELECT 'policy', space.prefix || tablename, policyname, concat_ws(' ', permissive, roles, cmd, qual, with_check)
  FROM pg_policies JOIN space ON space.nspname = schemaname
UNION ALL
SELECT 'extension', '', extname, '' FROM pg_extension
"""  # noqa: S608 -- constants
SCHEMAS: Final = f"{SPACES} SELECT nspname FROM space WHERE prefix <> ''"  # noqa: S608
"""Those beside the current one that can hold tables."""
OF_EXTENSIONS: Final = f"{SPACES} SELECT name FROM own WHERE extension"  # noqa: S608
"""The tables that are no migration's work, named as the catalog does."""
MYSQL: Final = """
SELECT 'view', '', table_name, view_definition FROM information_schema.views WHERE table_schema = DATABASE()
UNION ALL
SELECT 'trigger', event_object_table, trigger_name, CONCAT_WS(' ', action_timing, event_manipulation, action_statement)
  FROM information_schema.triggers WHERE trigger_schema = DATABASE()
UNION ALL
SELECT 'routine', '', routine_name, routine_definition
  FROM information_schema.routines WHERE routine_schema = DATABASE()
"""
MYSQL_TABLES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
)
SQLITE: Final = "SELECT type, tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
INTEGER: Final = re.compile(r"^(big|small)int\b(?!.* primary key)")
"""SQLite has one type for these. Only of a primary key does it matter that it is called ``integer``."""
INDEX_NAME: Final = re.compile(r'^create (unique )?index ("[^"]*"|\S+) on ("[^"]*"|[^\s(]+) ?')


def read_catalog(execute: Execute, engine: str) -> dict[Part, str]:
    """Every part with its definition; tables of Django's and migsync's bookkeeping left out.

    `engine` is ``postgresql``, ``mysql`` or ``sqlite``. A part that has no name of its own, and is there several times,
    has their number for a definition.
    """
    found: dict[Part, str] = {}
    for kind, table, name, definition in READERS[engine](execute):
        if OURS.match(table or name):
            continue
        if name and not (kind in OFTEN_UNNAMED and GENERATED.search(name)):
            found[Part(kind, table, name)] = definition
            continue
        part = Part(kind, table, definition)
        found[part] = str(int(found.get(part, "0")) + 1)
    return found


def _postgresql(execute: Execute) -> Iterator[tuple[str, str, str, str]]:
    for row in execute(POSTGRESQL):
        kind, table, name, definition = map(_text, row)
        yield kind, table, name, " ".join(definition.split())


def _mysql(execute: Execute) -> Iterator[tuple[str, str, str, str]]:
    [(database,)] = execute("SELECT DATABASE()")
    place = f"`{_text(database)}`."
    for row in execute(MYSQL):
        kind, table, name, definition = map(_text, row)
        yield kind, table, name, normal(definition.replace(place, ""))
    for (table,) in list(execute(MYSQL_TABLES)):
        name = _text(table)
        [(_, statement)] = execute(f"SHOW CREATE TABLE `{name}`")
        yield "table", name, name, ""
        items = table_items(_text(statement).replace(place, ""))
        columns = {item.name for item in items if item.kind == "column"}
        for kind, own, definition in items:
            # A key without a name is called like its first column.
            yield kind, name, "" if kind != "column" and own in columns else own, definition


def _sqlite(execute: Execute) -> Iterator[tuple[str, str, str, str]]:
    for row in execute(SQLITE):
        kind, table, name, statement = map(_text, row)
        if kind == "table":
            yield kind, table, name, ""
            items = table_items(statement)
            keyed = any(item.kind == "primary key" for item in items)
            for item in items:
                yield item.kind, table, item.name, item.definition if keyed else INTEGER.sub("integer", item.definition)
        elif kind == "index":
            yield kind, table, name, INDEX_NAME.sub(r"\1", normal(statement))
        else:
            yield kind, "" if kind == "view" else table, name, normal(statement)


READERS: Final[Mapping[str, Callable[[Execute], Iterator[tuple[str, str, str, str]]]]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "sqlite": _sqlite,
}


def words(part: Part, before: Mapping[Part, str], after: Mapping[Part, str]) -> str:
    """One difference between two catalogs as a sentence."""
    where = f" on {part.table}" if part.table and part.table != part.name else ""
    what = f"The {part.kind} {part.name}{where}"
    if part not in after:
        return f"{what}: only the old files make it."
    if part not in before:
        return f"{what}: only the new files make it."
    return f"{what}: {before[part] or 'none'} before, {after[part] or 'none'} after."


def differing(before: Mapping[Part, str], after: Mapping[Part, str]) -> list[Part]:
    """The parts that two catalogs do not have in common, sorted; of a table that only one has, the table alone."""
    parts = sorted(part for part in before.keys() | after.keys() if before.get(part) != after.get(part))
    tables = {part.table for part in parts if part.kind == "table" and (part in before) != (part in after)}
    return [part for part in parts if part.kind == "table" or part.table not in tables]


def _text(value: Any) -> str:  # noqa: ANN401 -- some drivers give bytes for columns of information_schema
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)
