"""Rows of ``django_migrations`` changed by one prepared statement, run once for each of them inside this process."""

# ruff: noqa: S608 - names of ours; every value is a parameter

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migsync.engines.driver_errors import TABLE
from migsync.engines.target_table import MigrationTable, Row, renamed_columns

if TYPE_CHECKING:
    import sqlalchemy as sa

UNCHANGED = "WHERE id = ? AND app = ? COLLATE BINARY AND name = ? COLLATE BINARY AND CAST(applied AS TEXT) IS ?"


def update_rows(connection: sa.Connection, table: MigrationTable, pairs: Sequence[tuple[Row, Row]]) -> int:
    """UPDATE by ``executemany``, whose row count is that of all rows."""
    columns = renamed_columns(pairs)
    first, last = (1, 3) if len(columns) == 2 else (1, 2) if columns == ("app",) else (2, 3)
    setters = ", ".join(f"{column} = ?" for column in columns)
    values = [(*after[first:last], *before) for before, after in pairs]
    return connection.exec_driver_sql(f"UPDATE {TABLE} SET {setters} {UNCHANGED}", values).rowcount


def delete_rows(connection: sa.Connection, table: MigrationTable, rows: Sequence[Row]) -> int:
    """DELETE by ``executemany``."""
    return connection.exec_driver_sql(f"DELETE FROM {TABLE} {UNCHANGED}", list(map(tuple, rows))).rowcount
