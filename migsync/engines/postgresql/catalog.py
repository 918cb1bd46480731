"""The catalog of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from migsync.engines.catalog import Execute, PartRow, decoded

# The options of a column that ALTER TABLE … SET takes. Some servers keep notes of their own there.
SET_OPTIONS: Final = """(SELECT string_agg(option, ', ' ORDER BY option) FROM unnest(a.attoptions) AS option
                     WHERE starts_with(option, 'n_distinct'))"""

# Where there are thousands of tables, it takes longer to compile the statements than to run them.
WITHOUT_JIT: Final = "SELECT set_config(name, 'off', true) FROM pg_settings WHERE name = 'jit'"

# What an extension brings along is left out. All schemas count: a scratch database holds nothing but what the
# migrations made; look_into() may name the only one. A name that is not in the current schema is qualified.
SPACES: Final = """
WITH space AS (
SELECT n.oid, n.nspname, CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END AS prefix
  FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND n.nspname = coalesce(nullif(current_setting('migsync.only_schema', true), ''), n.nspname)
), own AS (
SELECT c.oid, c.relkind, c.relpersistence, c.relowner, c.relacl, space.prefix || c.relname AS name,
       concat_ws(' ', CASE WHEN c.relrowsecurity THEN 'ROW SECURITY' END,
                 CASE WHEN c.relforcerowsecurity THEN 'FORCED' END,
                 CASE WHEN c.relkind IN ('r', 'p') AND c.relreplident <> 'd'
                      THEN 'REPLICA IDENTITY ' || c.relreplident::text END,
                 'WITH ' || c.reloptions::text,
                 'TOAST ' || (SELECT t.reloptions::text FROM pg_class t WHERE t.oid = c.reltoastrelid),
                 CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
                 pg_get_expr(c.relpartbound, c.oid),
                 'INHERITS ' || (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                                   FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relkind IN ('r', 'p', 'f'))
       ) AS storage, EXISTS (
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


def _granted(acl: str, owner: str) -> str:
    """The privileges of others than the owner, as an expression; NULL where there are none."""
    return f"""(
       SELECT string_agg(concat_ws(' ', privilege_type, 'TO', coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC'),
                                   CASE WHEN is_grantable THEN 'WITH GRANT OPTION' END), ', '
                         ORDER BY privilege_type, grantee::regrole::text)
         FROM aclexplode({acl}) WHERE grantee <> {owner})"""  # noqa: S608 -- constants


# Newer versions have a constraint (contype 'n') for each NOT NULL, which the column says already. What nextval() names
# is left out: a sequence keeps its first name when its table is renamed.
PARTS: Final = f"""{SPACES}
SELECT 'schema', '', nspname, '' FROM space WHERE prefix <> '' AND nspname <> 'public' AND NOT EXISTS (
       SELECT FROM pg_depend d WHERE d.deptype = 'e' AND d.classid = 'pg_namespace'::regclass AND d.objid = space.oid)
UNION ALL
SELECT 'table', rel.name, rel.name,
       concat_ws(' ', rel.relpersistence, rel.storage, obj_description(rel.oid, 'pg_class'))
  FROM rel WHERE rel.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column', rel.name, a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
                 CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE 'NULL' END,
                 CASE WHEN a.attgenerated <> '' THEN 'GENERATED' WHEN d.oid IS NOT NULL THEN 'DEFAULT' END,
                 regexp_replace(pg_get_expr(d.adbin, d.adrelid), 'nextval\\(.*\\)', 'nextval()'),
                 CASE a.attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY' END,
                 '-- ' || nullif(concat_ws(' ',
                   CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END,
                   'STATISTICS ' || nullif(a.attstattarget, -1), {SET_OPTIONS},
                   {_granted("a.attacl", "rel.relowner")},
                   col_description(rel.oid, a.attnum)), ''))
  FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE rel.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
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
SELECT CASE rel.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, '', rel.name,
       concat_ws(' ', rel.storage, pg_get_viewdef(rel.oid))
  FROM rel WHERE rel.relkind IN ('v', 'm')
UNION ALL
SELECT 'rule', rel.name, r.rulename, concat_ws(' ', r.ev_enabled, pg_get_ruledef(r.oid))
  FROM pg_rewrite r JOIN rel ON rel.oid = r.ev_class WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'statistics', rel.name, s.stxname, pg_get_statisticsobjdef(s.oid)
  FROM pg_statistic_ext s JOIN rel ON rel.oid = s.stxrelid
UNION ALL
SELECT 'publication', '', p.pubname,
       concat_ws(' ', CASE WHEN p.puballtables THEN 'ALL TABLES' END, p.pubinsert, p.pubupdate, p.pubdelete,
                 p.pubtruncate, p.pubviaroot, (
                 SELECT string_agg(r.prrelid::regclass::text, ', ' ORDER BY r.prrelid::regclass::text)
                   FROM pg_publication_rel r WHERE r.prpubid = p.oid))
  FROM pg_publication p
UNION ALL
SELECT 'event trigger', '', evtname, concat_ws(' ', evtevent, evtenabled, evtfoid::regprocedure, evttags::text)
  FROM pg_event_trigger
UNION ALL
SELECT 'default privileges', '', concat_ws(' ', defaclnamespace::regnamespace, defaclobjtype), defaclacl::text
  FROM pg_default_acl
UNION ALL
SELECT 'grants', rel.name, '', {_granted("rel.relacl", "rel.relowner")} FROM rel
 WHERE rel.relkind NOT IN ('i', 'I') AND {_granted("rel.relacl", "rel.relowner")} IS NOT NULL
UNION ALL
SELECT 'grants', '', 'schema ' || n.nspname, {_granted("n.nspacl", "n.nspowner")}
  FROM pg_namespace n JOIN space ON space.oid = n.oid WHERE {_granted("n.nspacl", "n.nspowner")} IS NOT NULL
UNION ALL
SELECT 'trigger', rel.name, t.tgname, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
  FROM pg_trigger t JOIN rel ON rel.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'function', '', p.oid::regprocedure::text,
       concat_ws(' ', CASE WHEN p.prokind = 'a' THEN pg_get_function_result(p.oid) ELSE pg_get_functiondef(p.oid) END,
                 {_granted("coalesce(p.proacl, acldefault('f', p.proowner))", "p.proowner")})
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
RARE: Final = (
    *("am", "cast", "collation", "conversion", "foreign_data_wrapper", "foreign_server", "language"),
    *("opclass", "operator", "opfamily", "ts_config", "ts_dict", "ts_parser", "ts_template"),
)
"""Catalogs of which only a description is compared."""
# What the server itself brings has lower numbers.
DESCRIBED: Final = " UNION ALL ".join(
    f"""
SELECT 'object', '', pg_describe_object('pg_{catalog}'::regclass, oid, 0), '' FROM pg_{catalog} o
 WHERE oid >= 16384 AND NOT EXISTS (
       SELECT FROM pg_depend d
        WHERE d.deptype IN ('e', 'i') AND d.classid = 'pg_{catalog}'::regclass AND d.objid = o.oid)
"""  # noqa: S608 -- constants
    for catalog in RARE
)
SCHEMAS: Final = f"{SPACES} SELECT nspname FROM space WHERE prefix <> ''"  # noqa: S608
"""Those beside the current one that can hold tables."""
OF_EXTENSIONS: Final = f"{SPACES} SELECT name FROM own WHERE extension"  # noqa: S608
"""The tables that are no migration's work, named as the catalog does."""


def parts(execute: Execute) -> Iterator[PartRow]:
    """Every part of the schema; a definition is on one line."""
    for row in (*execute(PARTS), *execute(DESCRIBED)):
        kind, table, name, definition = map(decoded, row)
        yield kind, table, name, " ".join(definition.split())


def schemas_beside(execute: Execute) -> list[str]:
    """The schemas that can hold tables, without the current one."""
    return [name for (name,) in execute(SCHEMAS)]


def extension_tables(execute: Execute) -> list[str]:
    """The tables that an extension brought along."""
    return [name for (name,) in execute(OF_EXTENSIONS)]
