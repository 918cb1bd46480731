"""What of a schema neither reflection nor Alembic compares: the server's own words for it, by engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

OURS: Final = re.compile(r"^(django_migrations|migsync_\w+)$")


class Part(NamedTuple):
    """One thing in a schema. `table` is empty for what belongs to none."""

    kind: str
    table: str
    name: str


# Each query gives (kind, table, name, definition). What an extension brings along is left out.
POSTGRESQL: Final = """
SELECT 'constraint', rel.relname, con.conname, pg_get_constraintdef(con.oid)
  FROM pg_constraint con JOIN pg_class rel ON rel.oid = con.conrelid JOIN pg_namespace n ON n.oid = rel.relnamespace
 WHERE n.nspname = ANY (current_schemas(false)) AND con.contype <> 'n'
UNION ALL
SELECT 'index', tablename, indexname, regexp_replace(indexdef, ' ON \\S+ USING', ' USING')
  FROM pg_indexes WHERE schemaname = ANY (current_schemas(false))
UNION ALL
SELECT 'sequence', '', sequencename, concat_ws(' ', data_type, start_value, min_value, max_value, increment_by, cycle)
  FROM pg_sequences WHERE schemaname = ANY (current_schemas(false))
UNION ALL
SELECT 'view', '', viewname, definition FROM pg_views WHERE schemaname = ANY (current_schemas(false))
UNION ALL
SELECT 'materialized view', '', matviewname, definition
  FROM pg_matviews WHERE schemaname = ANY (current_schemas(false))
UNION ALL
SELECT 'trigger', rel.relname, t.tgname, pg_get_triggerdef(t.oid)
  FROM pg_trigger t JOIN pg_class rel ON rel.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'function', '', p.oid::regprocedure::text, p.prosrc
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = ANY (current_schemas(false))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'type', '', t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname
UNION ALL
SELECT 'extension', '', extname, '' FROM pg_extension
"""
MYSQL: Final = """
SELECT 'table options', table_name, table_name, CONCAT_WS(' ', engine, table_collation)
  FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
UNION ALL
SELECT 'column', table_name, column_name, CONCAT_WS(' ', column_type, collation_name, extra)
  FROM information_schema.columns WHERE table_schema = DATABASE()
UNION ALL
SELECT 'view', '', table_name, view_definition FROM information_schema.views WHERE table_schema = DATABASE()
UNION ALL
SELECT 'trigger', event_object_table, trigger_name, CONCAT_WS(' ', action_timing, event_manipulation, action_statement)
  FROM information_schema.triggers WHERE trigger_schema = DATABASE()
UNION ALL
SELECT 'routine', '', routine_name, routine_definition
  FROM information_schema.routines WHERE routine_schema = DATABASE()
"""
# Uniques inside CREATE TABLE have no name: SQLAlchemy does not see all of them, and Alembic leaves them aside.
SQLITE: Final = """
SELECT type, CASE type WHEN 'view' THEN '' ELSE tbl_name END, name, sql
  FROM sqlite_master WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL
UNION ALL
SELECT 'sequence', name, name, CASE WHEN upper(sql) LIKE '%AUTOINCREMENT%' THEN 'AUTOINCREMENT' ELSE 'none' END
  FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
UNION ALL
SELECT 'unique constraint', m.name, group_concat(c.name, ', '), ''
  FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c
 WHERE m.type = 'table' AND i.origin = 'u' GROUP BY m.name, i.name
"""
QUERIES: Final[Mapping[str, str]] = {
    "postgresql": POSTGRESQL,
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "sqlite": SQLITE,
}


def read_catalog(connection: sa.Connection) -> dict[Part, str]:
    """Every part with its definition; tables of Django's and migsync's bookkeeping left out."""
    database = connection.engine.url.database or ""
    found = dict(_from_reflection(connection))
    for row in connection.exec_driver_sql(QUERIES[connection.dialect.name].replace("%", "%%")):
        kind, table, name, definition = (_text(value) for value in row)
        found[Part(kind, table, name)] = " ".join(definition.replace(f"`{database}`.", "").split())
    return {part: definition for part, definition in found.items() if not OURS.match(part.table or part.name)}


def _from_reflection(connection: sa.Connection) -> Iterator[tuple[Part, str]]:
    inspector = sa.inspect(connection)
    for (_, table), key in inspector.get_multi_pk_constraint().items():
        columns = key["constrained_columns"] if key else []
        yield Part("primary key", table, ", ".join(columns)), ", ".join(columns)
    for (_, table), checks in inspector.get_multi_check_constraints().items():
        for check in checks:
            text = check["sqltext"]
            yield Part("check", table, str(check.get("name") or text)), text


def _text(value: Any) -> str:  # noqa: ANN401 -- some drivers give bytes for columns of information_schema
    return value.decode() if isinstance(value, bytes) else str(value or "")
