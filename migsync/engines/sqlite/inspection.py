"""What a SQLite connection reaches: which file, whether it is writable, and how its values are stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from migsync.engines.driver_errors import TABLE
from migsync.engines.target_table import Inspection, MigrationTable

if TYPE_CHECKING:
    import sqlalchemy as sa


def inspect(connection: sa.Connection, schema: str) -> Inspection:
    """What this connection reaches. The table is always looked for in ``main``, whatever `schema` says."""
    import sqlalchemy as sa

    found = connection.execute(
        sa.text("SELECT 1 FROM sqlite_master WHERE lower(name) = :table AND type IN ('table', 'view')"),
        {"table": TABLE},
    ).first()
    file = next((row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"), "")
    return Inspection(
        identity=_identity(file, connection.engine.url),
        schema="",
        table=MigrationTable() if found else None,
        read_only=_read_only(connection),
    )


def unwritable(connection: sa.Connection, table: MigrationTable, ids: Iterable[int]) -> dict[int, str]:
    """The rows among `ids` whose `applied` an undo could not write again, and why: stored as a fraction or a blob.

    Text is written back. A column of numeric affinity, as Django's is, makes a whole number of it again, but a fraction
    would lose digits, and a blob would become text.
    """
    import sqlalchemy as sa

    clause = table.clause
    rows = connection.execute(sa.select(clause.c.id, sa.func.typeof(clause.c.applied)))
    stored = {id_: kind for id_, kind in rows if kind not in {"text", "null"}}
    numeric = _has_numeric_affinity(connection)
    wanted = set(ids)
    return {
        id_: f"its `applied` is stored as {kind}"
        for id_, kind in stored.items()
        if id_ in wanted and not (kind == "integer" and numeric)
    }


def _identity(file: str, url: sa.URL) -> str:
    """Device and inode, equal under every path to the file."""
    if not file:
        return f"memory {url.database or ''}"
    status = Path(file).stat()
    return f"{status.st_dev}:{status.st_ino}"


def _read_only(connection: sa.Connection) -> str:
    """Why nothing can be written, or empty."""
    url = connection.engine.url
    # Django takes a file: URI as NAME, with its own parameters.
    in_name = dict(parse_qsl(urlsplit(url.database or "").query)) if (url.database or "").startswith("file:") else {}
    query: Mapping[str, Any] = {**in_name, **url.query}
    if query.get("mode") == "ro" or query.get("immutable") == "1":
        return "The database is opened read-only."
    if connection.exec_driver_sql("PRAGMA query_only").scalar():
        return "The connection is set to PRAGMA query_only."
    return ""


def _has_numeric_affinity(connection: sa.Connection) -> bool:
    """Whether a whole number that is written as text into `applied` becomes one (https://sqlite.org/datatype3.html)."""
    columns = connection.exec_driver_sql(f"PRAGMA table_info({TABLE})")
    declared = next((row[2].upper() for row in columns if row[1].lower() == "applied"), "")
    textual = any(part in declared for part in ("CHAR", "CLOB", "TEXT", "BLOB", "REAL", "FLOA", "DOUB"))
    return "INT" in declared or (bool(declared) and not textual)
