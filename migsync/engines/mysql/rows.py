"""Many rows of ``django_migrations`` at once: on MariaDB as JSON, which costs the driver much less than a row each.

MySQL reads JSON too, but nobody has tried these statements there: it gets plain ones.
"""

# ruff: noqa: S608 - names of ours; every value is a parameter

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migsync.engines.target_table import MigrationTable, Row, renamed_columns, select_rows

if TYPE_CHECKING:
    import sqlalchemy as sa

# CASE is searched row by row, so the work grows with the square of this.
CASES = 150
# VARCHAR counts characters, and longer values would be cut off silently: no app or name is longer than this.
DOCUMENT = "@rows"
IMAGES = f"""JSON_TABLE({DOCUMENT}, '$[*]' COLUMNS (
    id BIGINT PATH '$[0]', app VARCHAR(255) PATH '$[1]', name VARCHAR(255) PATH '$[2]', applied VARCHAR(64) PATH '$[3]',
    new_app VARCHAR(255) PATH '$[4]', new_name VARCHAR(255) PATH '$[5]'
)) AS c ON m.id = c.id"""
# As bytes of one character set: `=` ignores case and trailing spaces, and fails where the two have other collations.
SAME = "CAST(CONVERT(m.{0} USING utf8mb4) AS BINARY) = CAST(CONVERT(c.{0} USING utf8mb4) AS BINARY)"
UNCHANGED = (
    f"WHERE {SAME.format('app')} AND {SAME.format('name')}"
    " AND CAST(CAST(m.applied AS CHAR) AS BINARY) <=> CAST(CONVERT(c.applied USING utf8mb4) AS BINARY)"
)

# Each block must fit into a packet.
BLOCK = 1000
# JSON_ARRAY would do the same, and take a third longer under the lock.
QUOTED = "COALESCE(JSON_QUOTE({}), 'null')"
READ = f"""SELECT GROUP_CONCAT(CONCAT(
    '[', id, ',', {QUOTED.format("CONVERT(app USING utf8mb4)")}, ',', {QUOTED.format("CONVERT(name USING utf8mb4)")},
    ',', {QUOTED.format("CAST(applied AS CHAR)")}, ']'
) ORDER BY id) FROM {{}} GROUP BY id DIV {{}} ORDER BY id DIV {{}}"""


def read_rows(connection: sa.Connection, table: MigrationTable) -> Sequence[Row]:
    """All rows, ordered by id, in one text for each block of them."""
    if not _has_json(connection):
        return select_rows(connection, table)
    blocks = connection.exec_driver_sql(READ.format(_name(connection, table), BLOCK, BLOCK)).scalars()
    return [row for block in blocks for row in json.loads(f"[{block}]")]


def update_rows(connection: sa.Connection, table: MigrationTable, pairs: Sequence[tuple[Row, Row]]) -> int:
    """UPDATE of the columns that change. `applied` is set to what it is: it may be ON UPDATE CURRENT_TIMESTAMP."""
    return prepare_update(connection, table, pairs)()


def prepare_update(
    connection: sa.Connection, table: MigrationTable, pairs: Sequence[tuple[Row, Row]]
) -> Callable[[], int]:
    """The same in two steps. On MariaDB the first one sends the rows, which is a third of the work."""
    columns = renamed_columns(pairs)
    if not _has_json(connection):
        batches = [pairs[start : start + CASES] for start in range(0, len(pairs), CASES)]
        return lambda: sum(connection.execute(_cases(table, batch, columns)).rowcount for batch in batches)
    setters = ", ".join(f"m.{column} = c.new_{column}" for column in columns)
    statement = f"UPDATE {_name(connection, table)} AS m JOIN {IMAGES} SET {setters}, m.applied = m.applied {UNCHANGED}"
    return _prepare(connection, statement, [(*before, *after[1:3]) for before, after in pairs])


def delete_rows(connection: sa.Connection, table: MigrationTable, rows: Sequence[Row]) -> int:
    """DELETE; on MySQL by the ids alone."""
    return prepare_delete(connection, table, rows)()


def prepare_delete(connection: sa.Connection, table: MigrationTable, rows: Sequence[Row]) -> Callable[[], int]:
    """The same in two steps."""
    if not _has_json(connection):
        clause, ids = table.clause, [row[0] for row in rows]
        batches = [ids[start : start + CASES] for start in range(0, len(ids), CASES)]
        deletes = [clause.delete().where(clause.c.id.in_(batch)) for batch in batches]
        return lambda: sum(connection.execute(delete).rowcount for delete in deletes)
    return _prepare(connection, f"DELETE m FROM {_name(connection, table)} AS m JOIN {IMAGES} {UNCHANGED}", rows)


def _has_json(connection: sa.Connection) -> bool:
    return bool(getattr(connection.dialect, "is_mariadb", False))


def _prepare(connection: sa.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> Callable[[], int]:
    """Put the rows into variables of the session; what is returned executes the statement on each of them."""
    longest = connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
    kind, variables = statement[:6].lower(), list[str]()
    # A character has up to four bytes.
    for number, document in enumerate(_documents(rows, longest // 5)):
        variables.append(f"@rows_{kind}_{number}")
        connection.exec_driver_sql(f"SET {variables[-1]} = %s", (document,))
    statements = [statement.replace(DOCUMENT, variable) for variable in variables]
    return lambda: sum(connection.exec_driver_sql(each).rowcount for each in statements)


def _documents(rows: Sequence[tuple[Any, ...]], length: int) -> Iterator[str]:
    """The rows as JSON arrays of at most this length, or of one row."""
    document = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    if len(document) <= length or len(rows) == 1:
        yield document
        return
    middle = len(rows) // 2
    yield from _documents(rows[:middle], length)
    yield from _documents(rows[middle:], length)


def _cases(table: MigrationTable, pairs: Sequence[tuple[Row, Row]], columns: Sequence[str]) -> sa.Update:
    import sqlalchemy as sa

    clause = table.clause
    places = {"app": 1, "name": 2}
    values: dict[str, sa.ColumnElement[Any]] = {
        column: sa.case({after[0]: after[places[column]] for _, after in pairs}, value=clause.c.id)
        for column in columns
    }
    values["applied"] = clause.c.applied
    return clause.update().where(clause.c.id.in_([before[0] for before, _ in pairs])).values(values)


def _name(connection: sa.Connection, table: MigrationTable) -> str:
    # PyMySQL takes a percent sign for a parameter.
    return connection.dialect.identifier_preparer.format_table(table.clause).replace("%", "%%")
