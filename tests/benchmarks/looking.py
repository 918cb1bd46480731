"""What a look of ``migsync apply`` takes, with the contents of many migrations to note, and with nothing to note."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from migsync.engines.config import DatabaseConfig
from migsync.history import App, History, Key, Migration, build_history
from migsync.history.contents import Action, Contents, Operation, OperationStep, PartKind
from migsync.sync import look
from migsync.sync.journal.schema import upgrade_journal
from migsync.sync.target import Target, open_target
from tests.benchmarks.applying import NAMES, servers
from tests.benchmarks.measuring import table
from tests.databases import Database

APPS = 300
TABLES = ("migsync_look", "migsync_files", "migsync_ran", "migsync_content", "django_migrations")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def operation(text: str) -> Operation:
    step = OperationStep(Action.SET, PartKind.FIELD, "item", text, digest(text)[:32])
    return Operation("AddField", digest(text)[:32], digest(text)[32:], f"item.{text}", steps=(step,))


def migrations(count: int) -> Iterator[Migration]:
    """As in wagtail and django-oscar, 2 or 3 operations each."""
    for number in range(count):
        app, place = f"app{number % APPS}", number // APPS
        above = (Key(app, f"{place - 1:04}_change"),) if place else ()
        contents = Contents(tuple(operation(f"{number}_{each}") for each in range(2 + number % 2)))
        key = Key(app, f"{place:04}_change")
        yield Migration(key, dependencies=above, contents=contents, source=digest(str(number)))


def history(count: int) -> History:
    return build_history(list(migrations(count)), [App(f"app{number}", f"/app{number}") for number in range(APPS)])


def prepare(database: Database, target: Target, files: History, *, recorded: bool) -> None:
    """A first look before `files` are recorded, and then the records; or neither."""
    for name in TABLES:
        database.execute(f"DELETE FROM {name}")
    if recorded:
        look.take_look(target, files, target.snapshot())
        rows = [(number, *key, "2026-11-20 10:45:00.123456") for number, key in enumerate(files.migrations, 1)]
        database.insert(rows)


def measured(
    target: Target, files: History, before: Callable[[], object], times: int
) -> tuple[float, float, float, int]:
    """Seconds of this process's work, those of the write alone, seconds by the clock, and the statements."""
    work, wall, written = [], [], []
    write = look._write

    def timed(*arguments: Any) -> bool:
        started = time.process_time()
        try:
            return write(*arguments)
        finally:
            written.append(time.process_time() - started)

    statements = 0
    for _ in range(times):
        before()
        held = target.snapshot()
        count: list[int] = []
        listener = lambda *_, count=count: count.append(1)  # noqa: E731
        sa.event.listen(target._engine, "before_cursor_execute", listener)
        started, clock = time.process_time(), time.perf_counter()
        with patch.object(look, "_write", timed):
            look.take_look(target, files, held)
        work.append(time.process_time() - started)
        wall.append(time.perf_counter() - clock)
        sa.event.remove(target._engine, "before_cursor_execute", listener)
        statements = len(count)
    return statistics.median(work), statistics.median(written or [0]), statistics.median(wall), statements


def report(directory: Path, count: int, times: int) -> str:
    """Each engine: the first look, the one that notes all contents, and one with nothing to note."""
    files, rows = history(count), []
    with servers(directory) as databases:
        for database in databases:
            database.create_table()
            with open_target(DatabaseConfig("default", database.url)) as target:
                with closing(target.connect()) as connection:
                    upgrade_journal(connection, target.table.schema if target.table else None)
                    connection.commit()
                for what, before in {
                    f"the first: {count:,} files": lambda: prepare(database, target, files, recorded=False),  # noqa: B023
                    f"{count:,} contents to note": lambda: prepare(database, target, files, recorded=True),  # noqa: B023
                    "nothing to note": lambda: None,
                }.items():
                    *seconds, statements = measured(target, files, before, times)
                    shown = [f"{each * 1000:.0f} ms" for each in seconds]
                    rows.append([NAMES[database.engine], what, *shown, f"{statements}"])
    return table(["", "a look", "work", "of that to write", "by the clock", "statements"], rows)
