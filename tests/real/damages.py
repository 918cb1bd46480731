"""Damages at random places of a database that a product's own ``migrate`` made, and what must be said of each.

Everything is asked of the database itself: nothing here knows what migsync finds.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pymysql

from tests.databases import Database

FAILURES = (sqlite3.Error, psycopg.Error, pymysql.err.MySQLError)
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    "mysql": "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'",
}
COLUMNS = {
    "sqlite": "SELECT name, type FROM pragma_table_info('{0}')",
    "postgresql": "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = '{0}'::regclass AND attnum > 0 AND NOT attisdropped",
    "mysql": "SELECT column_name, column_type FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = '{0}'",
}
INDEXES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = '{0}'",
    "postgresql": "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indrelid = '{0}'::regclass"
    " AND NOT EXISTS (SELECT FROM pg_constraint con WHERE con.conindid = i.indexrelid)",
    "mysql": "SELECT DISTINCT index_name FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND table_name = '{0}' AND index_name <> 'PRIMARY'",
}
RETYPES = {"postgresql": 'ALTER TABLE {0} ALTER "{1}" TYPE {2}', "mysql": "ALTER TABLE {0} MODIFY `{1}` {2}"}
VARCHAR = re.compile(r"^(varchar|character varying)\((\d+)\)$")


@dataclass(frozen=True)
class Damaged:
    """What was done: `parts` as (kind, table, name) must be named, and of the other parts of `table` any may be."""

    what: str
    table: str
    parts: tuple[tuple[str, str, str], ...]
    extra: str = ""
    """A table that no migration makes."""


@dataclass
class Place:
    """A database, and which of its tables are still whole."""

    database: Database
    rng: random.Random
    touched: set[str] = field(default_factory=set)

    def tables(self) -> list[str]:
        """Whole tables, in random order."""
        found = {str(row[0]) for row in self.database.execute(TABLES[self.database.engine])}
        own = sorted(each for each in found - self.touched if not each.startswith(("django_migrations", "sqlite_")))
        return self.rng.sample(own, len(own))

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Columns with their types, in random order."""
        found = [(str(name), str(kind)) for name, kind in self._ask(COLUMNS, table)]
        return self.rng.sample(found, len(found))

    def indexes(self, table: str) -> list[str]:
        """Indexes that belong to no constraint, in random order."""
        found = [str(name) for (name,) in self._ask(INDEXES, table)]
        return self.rng.sample(found, len(found))

    def quoted(self, name: str) -> str:
        """A name as this engine takes it."""
        return f"`{name}`" if self.database.engine == "mysql" else f'"{name}"'

    def tried(self, statement: str) -> bool:
        """Whether the database took a statement."""
        try:
            self.database.execute(statement)
        except FAILURES:
            return False
        return True

    def _ask(self, queries: dict[str, str], table: str) -> Sequence[tuple[object, ...]]:
        return self.database.execute(queries[self.database.engine].format(table))


def column_dropped(place: Place) -> Damaged | None:
    """A column goes, with what the server drops along with it."""
    for table in place.tables():
        for column, _ in place.columns(table):
            if column != "id" and place.tried(f"ALTER TABLE {place.quoted(table)} DROP COLUMN {place.quoted(column)}"):
                return Damaged(f"column {table}.{column} dropped", table, (("column", table, column),))
    return None


def index_dropped(place: Place) -> Damaged | None:
    """An index goes."""
    for table in place.tables():
        for index in place.indexes(table):
            on = f" ON {place.quoted(table)}" if place.database.engine == "mysql" else ""
            if place.tried(f"DROP INDEX {place.quoted(index)}{on}"):
                return Damaged(f"index {index} of {table} dropped", table, (("index", table, ""),))
    return None


def type_changed(place: Place) -> Damaged | None:
    """A text becomes shorter."""
    for table in place.tables():
        for column, kind in place.columns(table):
            if not (found := VARCHAR.match(kind)):
                continue
            other = f"{found[1]}({int(found[2]) - 1})"
            if _retyped(place, table, column, kind, other):
                return Damaged(f"column {table}.{column} made {other}", table, (("column", table, column),))
    return None


def _retyped(place: Place, table: str, column: str, kind: str, other: str) -> bool:
    if place.database.engine != "sqlite":
        return place.tried(RETYPES[place.database.engine].format(place.quoted(table), column, other))
    with closing(place.database.connect()) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        old, new = f'"{column}" {kind}', f'"{column}" {other}'
        changed = connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ? AND instr(sql, ?)", (old, new, table, old)
        )
        connection.commit()
        return changed.rowcount == 1


def table_renamed(place: Place) -> Damaged | None:
    """A table gets another name."""
    for table in place.tables():
        other = f"{table}_old"
        if place.tried(f"ALTER TABLE {place.quoted(table)} RENAME TO {place.quoted(other)}"):
            place.touched.add(other)
            return Damaged(f"table {table} renamed", table, (("table", table, table),), other)
    return None


OF_TABLES: tuple[Callable[[Place], Damaged | None], ...] = (column_dropped, index_dropped, type_changed, table_renamed)


def damage_tables(place: Place) -> list[Damaged]:
    """Each damage once, each at a table of its own."""
    done = []
    for damage in place.rng.sample(OF_TABLES, len(OF_TABLES)):
        if found := damage(place):
            place.touched.add(found.table)
            done.append(found)
    return done


ADDITION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("{app}", "{after}")]
    operations = [
        migrations.CreateModel("Addition", [("id", models.AutoField(primary_key=True)), ("made", models.DateField())]),
        migrations.AddIndex("Addition", models.Index(fields=["made"], name="{app}_addition")),
    ]
"""


def write_addition(history: Path, app: str, after: str) -> str:
    """Write one more migration of an app, which no database has run; its name."""
    name = "9999_addition"
    (history / app / f"{name}.py").write_text(ADDITION.format(app=app, after=after))
    return name
