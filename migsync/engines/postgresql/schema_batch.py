"""Many schemas read by one statement, which returns a row for each of them."""

# ruff: noqa: S608 - names, each of them quoted

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from migsync.engines.postgresql.inspection import in_schema, inspect_database
from migsync.engines.schema_reader import SchemaRows, TableRead

if TYPE_CHECKING:
    import sqlalchemy as sa

# What the user may not use is left out: whoever reads it by itself gets the error.
READABLE = """
SELECT n.nspname, array_agg(c.relname::text)
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
WHERE n.nspname = ANY (:schemas) AND c.relname = ANY (:tables) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
GROUP BY n.nspname HAVING bool_and(pg_catalog.has_table_privilege(c.oid, 'SELECT'))
"""


def read_schemas(
    connection: sa.Connection, schemas: Sequence[str], reads: Sequence[TableRead]
) -> dict[str, SchemaRows]:
    """The rows as JSON: a value for the driver in place of a row of them, of which there may be 300 in each schema."""
    import sqlalchemy as sa

    about = inspect_database(connection)
    asked = {"schemas": list(schemas), "tables": [read.table for read in reads]}
    there = {
        schema: frozenset(tables)
        for schema, tables in connection.execute(sa.text(READABLE), asked)
        if reads[0].table in tables
    }
    if not there:
        return {}
    branches = (_branch(place, schema, tables, reads) for place, (schema, tables) in enumerate(there.items()))
    # psycopg takes a percent sign for a parameter.
    rows = connection.exec_driver_sql("\nUNION ALL\n".join(branches).replace("%", "%%")).all()
    names = list(there)
    return {
        names[place]: SchemaRows(
            in_schema(about, names[place], there=True), _by_table(texts, there[names[place]], reads)
        )
        for place, *texts in rows
    }


def _by_table(texts: Sequence[str], there: Collection[str], reads: Sequence[TableRead]) -> dict[str, Sequence[str]]:
    found, place = {}, 0
    for read in reads:
        if read.table in there:
            found[read.table] = texts[place : place + len(read.groups)]
        place += len(read.groups)
    return found


def _branch(place: int, schema: str, there: Collection[str], reads: Sequence[TableRead]) -> str:
    columns, sources = [str(place)], []
    for number, read in enumerate(reads):
        if read.table in there:
            sources.append(f"({_aggregate(schema, read)}) AS t{number}")
            columns += [f"t{number}.g{group}" for group in range(len(read.groups))]
        else:
            columns += ["NULL::text"] * len(read.groups)
    return f"SELECT {', '.join(columns)} FROM {', '.join(sources)}"


def _aggregate(schema: str, read: TableRead) -> str:
    """A query for one row: the groups of columns ``g0``, ``g1`` and so on."""
    table = f"{_quoted(schema)}.{_quoted(read.table)}"
    if read.own_schema:
        table = f"(SELECT * FROM {table} WHERE schema_name = '') AS own"
    if read.last:
        table = f"(SELECT * FROM {table} ORDER BY {_quoted(read.order)} DESC LIMIT 1) AS last"
    order = f"ORDER BY {_quoted(read.order)}"
    groups = (
        f"coalesce(json_agg({value} {order}), '[]')::text AS g{place}" for place, value in enumerate(_values(read))
    )
    return f"SELECT {', '.join(groups)} FROM {table}"


def _values(read: TableRead) -> Iterator[str]:
    for group in read.groups:
        columns = [f"{_quoted(name)}::text" if name in read.as_text else _quoted(name) for name in group]
        yield columns[0] if len(columns) == 1 else f"json_build_array({', '.join(columns)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
