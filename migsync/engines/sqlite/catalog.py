"""The catalog of a SQLite database: the statements that it keeps, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from migsync.engines.catalog import Execute, PartRow, decoded
from migsync.engines.create_table import normal, table_items

# The indexes that SQLite makes by itself for constraints have no statement.
STATEMENTS: Final = "SELECT type, tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
INTEGER: Final = re.compile(r"^(big|small)int\b(?!.* primary key)")
"""SQLite has one type for these. Only of a primary key does it matter that it is called ``integer``."""
INDEX_NAME: Final = re.compile(r'^create (unique )?index ("[^"]*"|\S+) on ("[^"]*"|[^\s(]+) ?')
COLUMN: Final = r'(?:"[^"]*"|\w+)(?: (?:asc|desc))?'
COLUMNS: Final = re.compile(rf"(?:unique )?\({COLUMN}(?:, ?{COLUMN})*\)")
BARE_COLUMN: Final = re.compile(r"(?<=[(,])( ?)(\w+)")


def parts(execute: Execute) -> Iterator[PartRow]:
    """Every part of the schema."""
    for row in execute(STATEMENTS):
        kind, table, name, statement = map(decoded, row)
        if kind == "table":
            yield kind, table, name, ""
            items = table_items(statement)
            keyed = any(item.kind == "primary key" for item in items)
            for item in items:
                yield item.kind, table, item.name, item.definition if keyed else INTEGER.sub("integer", item.definition)
        elif kind == "index":
            definition = INDEX_NAME.sub(r"\1", normal(statement))
            # As Django writes it: people leave the quotes out.
            if COLUMNS.fullmatch(definition):
                definition = BARE_COLUMN.sub(r'\1"\2"', definition)
            yield kind, table, name, definition
        else:
            yield kind, "" if kind == "view" else table, name, normal(statement)
