"""Many rows of ``django_migrations`` changed by one statement: their images are arrays, which ``unnest`` makes rows."""

# ruff: noqa: S608 - names of ours; every value is a parameter

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from migsync.engines.postgresql.inspection import qualified
from migsync.engines.target_table import MigrationTable, Row, renamed_columns

if TYPE_CHECKING:
    import sqlalchemy as sa

COLUMNS = ("id", "app", "name", "applied")
# `applied` as it was read, see BEGUN; with "C", a collation cannot take two names for one.
UNCHANGED = """
WHERE m.id = c.id AND m.app COLLATE "C" = c.app AND m.name COLLATE "C" = c.name
  AND m.applied::text COLLATE "C" IS NOT DISTINCT FROM c.applied
"""


def rows_query(table: MigrationTable) -> str:
    """A query for all rows, ordered by id."""
    return f"SELECT id, app, name, applied::text FROM {_name(table)} ORDER BY id"


def read_rows(connection: sa.Connection, table: MigrationTable) -> Sequence[Row]:
    """As the driver gives them: SQLAlchemy would make an object of each."""
    result = connection.exec_driver_sql(rows_query(table))
    rows = cast("Any", result.cursor).fetchall()
    result.close()
    return cast("Sequence[Row]", rows)


def update_rows(connection: sa.Connection, table: MigrationTable, pairs: Sequence[tuple[Row, Row]]) -> int:
    """UPDATE … FROM unnest(…)."""
    columns = renamed_columns(pairs)
    values = dict(zip(COLUMNS, map(list, zip(*(before for before, _ in pairs), strict=True)), strict=True))
    values |= {f"new_{column}": [after[COLUMNS.index(column)] for _, after in pairs] for column in columns}
    setters = ", ".join(f"{column} = c.new_{column}" for column in columns)
    return _execute(connection, f"UPDATE {_name(table)} AS m SET {setters} FROM {_images(values)}", values)


def delete_rows(connection: sa.Connection, table: MigrationTable, rows: Sequence[Row]) -> int:
    """DELETE … USING unnest(…)."""
    values = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    return _execute(connection, f"DELETE FROM {_name(table)} AS m USING {_images(values)}", values)


def _execute(connection: sa.Connection, statement: str, values: dict[str, list[object]]) -> int:
    return connection.exec_driver_sql(statement + UNCHANGED, tuple(map(_array, values.values()))).rowcount


def _array(values: list[object]) -> str:
    """The text of an array: psycopg would write it value by value, in Python, while the table is locked."""
    # Quotes, backslashes and null are as in JSON, which escapes nothing else but control characters; names have none.
    return "{" + json.dumps(values, ensure_ascii=False)[1:-1] + "}"


def _images(values: dict[str, list[object]]) -> str:
    arrays = ", ".join("%s::bigint[]" if name == "id" else "%s::text[]" for name in values)
    return f"unnest({arrays}) AS c ({', '.join(values)})"


def _name(table: MigrationTable) -> str:
    # psycopg takes a percent sign for a parameter.
    return qualified(table.schema).replace("%", "%%")
