"""The catalog of a MySQL or MariaDB database: what ``SHOW CREATE TABLE`` says, taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from migsync.engines.catalog import Execute, PartRow, decoded
from migsync.engines.create_table import normal, table_items

OTHER_PARTS: Final = """
SELECT 'view', '', table_name, view_definition FROM information_schema.views WHERE table_schema = DATABASE()
UNION ALL
SELECT 'trigger', event_object_table, trigger_name, CONCAT_WS(' ', action_timing, event_manipulation, action_statement)
  FROM information_schema.triggers WHERE trigger_schema = DATABASE()
UNION ALL
SELECT 'routine', '', routine_name, routine_definition
  FROM information_schema.routines WHERE routine_schema = DATABASE()
"""
TABLES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
)


def parts(execute: Execute) -> Iterator[PartRow]:
    """Every part of the schema, without the name of the database in it."""
    [(database,)] = execute("SELECT DATABASE()")
    place = f"`{decoded(database)}`."
    for row in execute(OTHER_PARTS):
        kind, table, name, definition = map(decoded, row)
        yield kind, table, name, normal(definition.replace(place, ""))
    for (table,) in list(execute(TABLES)):
        name = decoded(table)
        [(_, statement)] = execute(f"SHOW CREATE TABLE `{name}`")
        yield "table", name, name, ""
        items = table_items(decoded(statement).replace(place, ""))
        columns = {item.name for item in items if item.kind == "column"}
        for kind, own, definition in items:
            # A key without a name is called like its first column.
            yield kind, name, "" if kind != "column" and own in columns else own, definition
