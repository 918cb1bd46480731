"""Runs a script in an engine's own command-line client, as a DBA would."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa

from migsync.rewrites.record import Record
from migsync.sync.journal.tables import read_runs
from migsync.sync.run import Run
from tests.databases import Database, unavailable

STOP = {"postgresql": ["-v", "ON_ERROR_STOP=1"], "mysql": [], "sqlite": ["-bail"]}
TABLES = {
    "postgresql": "SELECT 1 FROM pg_tables WHERE tablename = 'django_migrations'",
    "mysql": "SHOW TABLES LIKE 'django_migrations'",
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'django_migrations'",
}
GO_ON = {"postgresql": [], "mysql": ["--force"], "sqlite": []}


@dataclass(frozen=True)
class Said:
    """What the client printed, on both streams, and its exit status."""

    text: str
    status: int


def run(
    database: Database,
    script: str,
    stop: bool = True,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Said:
    """Run the script; without `stop` the client goes on after an error."""
    try:
        program, *arguments = database.client()
    except pytest.skip.Exception as skipped:
        unavailable(str(skipped))
    # MariaDB wants --no-defaults first; sqlite3 wants options before the file.
    first = arguments[:1] if database.engine == "mysql" else []
    modes = (STOP if stop else GO_ON)[database.engine]
    if database.engine == "sqlite":
        modes = [*modes, "-cmd", ".timeout 10000"]
    with TemporaryDirectory() as directory:
        path = Path(directory) / "script.sql"
        path.write_text(script, encoding="ascii", newline="\n")
        file = ["-f", str(path)] if database.engine == "postgresql" else []
        with path.open() as text:
            done = subprocess.run(
                [program, *first, *modes, *options, *arguments[len(first) :], *file],
                stdin=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**database.env(), **(env or {})},
                encoding="utf-8",
                check=False,
            )
    return Said(done.stdout, done.returncode)


def fill(database: Database, records: Sequence[Record]) -> None:
    """Make the table with these rows and one of another app; or empty it first, where it was filled before."""
    if database.execute(TABLES[database.engine]):
        database.execute("DELETE FROM django_migrations")
    else:
        database.create_table()
    database.insert([*records, (90, "auth", "0001_initial", "2025-01-01 00:00:00")])  # type: ignore[list-item]


def runs(database: Database) -> tuple[Run, ...]:
    """What migsync reads in the journal."""
    engine = sa.create_engine(database.url, poolclass=sa.NullPool)
    with closing(engine.connect()) as connection:
        return read_runs(connection, None)


def shop(database: Database) -> list[tuple[Any, ...]]:
    """The rows of the app of the cases: (id, name, applied)."""
    return [(int(id_), name, applied) for id_, app, name, applied in database.dump() if app == "shop"]
