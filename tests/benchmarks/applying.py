"""``migsync apply`` of many renames, against a bare script of as many UPDATEs; and how long the table is locked."""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migsync.engines.config import DatabaseConfig
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import write_rewrite
from migsync.sync.apply import apply_plan
from migsync.sync.plan import Change, Plan
from migsync.sync.plan_file import PlanFile, save_plans
from migsync.sync.scripts import apply_script
from migsync.sync.target import open_target
from tests.benchmarks.measuring import Command, measure, ratio, run, table
from tests.databases import Database, MySQLDatabases, PostgreSQLDatabase, PostgreSQLDatabases, Server, SQLiteDatabase
from tests.postgresql_server import running_server

NAMES = {"postgresql": "PostgreSQL", "mysql": "MariaDB", "sqlite": "SQLite"}
# Rows of other apps, which no change touches.
OTHERS = 1000


@dataclass(frozen=True)
class Bench:
    """One database with rows to rename, and a plan of all their renames."""

    database: Database
    directory: Path
    count: int

    @classmethod
    def make(cls, database: Database, directory: Path, count: int) -> Bench:
        bench = cls(database, directory / f"{database.engine}{count}", count)
        (bench.directory / "shop" / "migrations").mkdir(parents=True)
        (bench.directory / "pyproject.toml").write_text(
            f'[tool.migsync.databases.default]\nurl = "{database.url}"\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
        )
        (bench.directory / "bare.sql").write_text(
            "BEGIN;\n"
            + "".join(
                f"UPDATE django_migrations SET name = '{name(number + 1)}' WHERE id = {number + OTHERS};\n"
                for number in range(1, count + 1)
            )
            + "COMMIT;\n"
        )
        database.create_table()
        bench.reset()
        plan = bench.plan()
        apply_plan_once(bench, plan)  # the journal is there from the first run on
        bench.reset()
        save_plans(bench.directory / "plan.json", PlanFile((plan,)))
        (bench.directory / "script.sql").write_text(apply_script(plan))
        return bench

    def write_files(self) -> None:
        """The migration files by their new names, and the rewrite that says so."""
        old, new = ([name(number + shift) for number in range(1, self.count + 1)] for shift in (0, 1))
        for number, one in enumerate(new):
            above = f'("shop", "{new[number - 1]}")' if number else ""
            (self.directory / "shop" / "migrations" / f"{one}.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n\n"
                f"    dependencies = [{above}]\n\n    operations = []\n"
            )
        (self.directory / "shop" / "migrations" / "__init__.py").touch()
        app = AppRewrite(before=tuple(old), after=tuple(new), renamed=tuple(zip(old, new, strict=True)))
        rewrites = self.directory / "migration_rewrites"
        rewrites.mkdir()
        write_rewrite(rewrites, Rewrite((), "renumber shop", "2026-11-21T10:00:00Z", {"shop": app}))

    def reset(self) -> None:
        """The rows as they were, and a table without the dead rows of the run before."""
        journal = "migsync_run" in self.tables()
        for statement in ("DELETE FROM django_migrations", *(["DELETE FROM migsync_run"] if journal else ())):
            self.database.execute(statement)
        rows = [(number, "other", f"{number:04d}_other", APPLIED) for number in range(1, OTHERS + 1)]
        rows += [(number + OTHERS, "shop", name(number), APPLIED) for number in range(1, self.count + 1)]
        self.database.insert(rows)
        if self.database.engine == "postgresql":
            self.database.execute("VACUUM FULL ANALYZE django_migrations")

    def tables(self) -> set[str]:
        query = {
            "sqlite": "SELECT name FROM sqlite_master",
            "postgresql": "SELECT tablename FROM pg_tables",
            "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
        }
        return {row[0] for row in self.database.execute(query[self.database.engine])}

    @property
    def config(self) -> DatabaseConfig:
        return DatabaseConfig("default", self.database.url)

    def plan(self) -> Plan:
        with open_target(self.config) as target:
            records = target.read() or ()
            changes = tuple(Change(row, renamed(row), "benchmark") for row in records if row.app == "shop")
            after = [renamed(row) if row.app == "shop" else row for row in records]
            return Plan(target.ref, changes, fingerprints(records, ["shop"]), fingerprints(after, ["shop"]))

    def apply(self) -> Command:
        arguments = [sys.executable, "-m", "migsync", "apply", "plan.json", "--noinput"]
        return Command("`migsync apply`", arguments, self.directory, self.reset)

    def client(self, title: str, file: str) -> Command:
        environment = self.database.env()
        return Command(
            title, self.database.client(), self.directory, self.reset, environment, input=self.directory / file
        )


APPLIED = "2026-11-20 10:45:00.123456"


def name(number: int) -> str:
    return f"{number:05d}_alter_item_price_and_more"


def renamed(row: Record) -> Record:
    return row._replace(name=name(int(row.name[:5]) + 1))


def apply_plan_once(bench: Bench, plan: Plan) -> dict[str, float]:
    """Apply in this process; the seconds from the lock to each of the later steps.

    Without Python's collector of cycles, as the command runs (see migsync/__main__.py).
    """
    at: dict[str, float] = {}

    def step(what: str, _: object) -> None:
        at[what] = time.perf_counter()

    gc.collect()
    gc.disable()
    try:
        with open_target(bench.config) as target:
            apply_plan(target, plan, faults=step, lock_timeout=60)
    finally:
        gc.enable()
    return {what: moment - at["locked"] for what, moment in at.items()}


def against_client(databases: list[Database], directory: Path, count: int, times: int) -> str:
    """The whole command, the script that migsync writes, and the bare script."""
    rows = []
    for database in databases:
        bench = Bench.make(database, directory, count)
        client = Path(database.client()[0]).name
        commands = [
            bench.client(f"bare script, `{client}`", "bare.sql"),
            bench.client(f"migsync's script, `{client}`", "script.sql"),
            bench.apply(),
        ]
        measure(commands, 1)
        figures = measure(commands, times)
        floor = figures[commands[0].name]
        rows += [
            [NAMES[database.engine], found.name, f"{found.wall:.2f} s", ratio(found.wall / floor.wall)]
            for found in figures.values()
        ]
    return table(["", f"{count:,} renames", "by the clock", "ratio"], rows)


def statement(engine: str, plan: Plan) -> str:
    """One UPDATE of all rows, by id and with the whole image before, as a person writes it for the engine's client."""
    rows = [(*change.before, change.after.name) for change in plan.changes if change.before and change.after]
    same = "m.id = c.id AND m.app = c.app AND m.name = c.name AND m.applied = c.applied"
    if engine == "mysql":
        kinds = {"id": "BIGINT", "app": "VARCHAR(255)", "name": "VARCHAR(255)", "applied": "CHAR(26)", "new": "TEXT"}
        columns = ", ".join(f"{column} {kind} PATH '$[{place}]'" for place, (column, kind) in enumerate(kinds.items()))
        images = f"JSON_TABLE('{json.dumps(rows)}', '$[*]' COLUMNS ({columns})) AS c"
        return f"UPDATE django_migrations AS m JOIN {images} ON {same} SET m.name = c.new;\n"
    values = ",\n".join(f"({id_}, '" + "', '".join(texts) + "')" for id_, *texts in rows)
    if engine == "postgresql":
        same = same.replace("c.applied", "c.applied::timestamptz")
        images = f"(VALUES {values}) AS c (id, app, name, applied, new)"
        return f"UPDATE django_migrations AS m SET name = c.new FROM {images} WHERE {same};\n"
    images = f"WITH c (id, app, name, applied, new) AS (VALUES {values})"
    return f"{images} UPDATE django_migrations AS m SET name = c.new FROM c WHERE {same};\n"


def against_statement(databases: list[Database], directory: Path, counts: list[int], times: int) -> str:
    """How long the table is locked beside one set-based UPDATE by the engine's own client, one after the other."""
    rows = []
    for database in databases:
        for count in counts:
            database.execute("DROP TABLE IF EXISTS django_migrations")
            bench = Bench.make(database, directory / "statement", count)
            plan = bench.plan()
            (bench.directory / "statement.sql").write_text(statement(database.engine, plan))
            client = bench.client("one statement", "statement.sql")
            alone, held = [], []
            for _ in range(times):
                alone.append(run(client).wall)
                bench.reset()
                held.append(apply_plan_once(bench, plan)["after commit"])
            pairs = [lock / one for one, lock in zip(alone, held, strict=True)]
            found = [f"{statistics.median(alone):.3f} s", f"{statistics.median(held):.3f} s"]
            rows.append([NAMES[database.engine], f"{count:,}", *found, ratio(statistics.median(pairs))])
    return table(["", "renames", "one UPDATE by the client", "lock held", "ratio"], rows)


def whole_command(databases: list[Database], directory: Path, count: int, times: int) -> str:
    """``migsync apply`` and ``migsync plan`` of names that a rewrite changed, beside one UPDATE by the client, in turn.

    Every name is used again for the migration before it, as where a file was put in front of all others.
    """
    rows = []
    for database in databases:
        database.execute("DROP TABLE IF EXISTS django_migrations")
        bench = Bench.make(database, directory / "whole", count)
        (bench.directory / "statement.sql").write_text(statement(database.engine, bench.plan()))
        bench.write_files()
        environment = {"MIGSYNC_CACHE": str(directory / "whole" / "cache")}
        commands = [
            bench.client("one UPDATE by the client", "statement.sql"),
            *(
                Command(
                    f"`{' '.join(words)}`", [sys.executable, "-m", *words], bench.directory, bench.reset, environment
                )
                for words in (("migsync", "plan"), ("migsync", "apply", "--noinput"))
            ),
        ]
        measure(commands, 1)
        figures = measure(commands, times)
        alone, plan, apply = (figures[command.name].samples for command in commands)
        pairs = [(done.wall - before.wall) / one.wall for one, before, done in zip(alone, plan, apply, strict=True)]
        seconds = [f"{figures[command.name].wall:.2f} s" for command in commands]
        rows.append([NAMES[database.engine], f"{count:,}", *seconds, ratio(statistics.median(pairs))])
    return table(["", "renames", "one UPDATE", "`plan`", "`apply`", "apply less plan, in UPDATEs"], rows)


def locked(databases: list[Database], directory: Path, counts: list[int], times: int) -> str:
    """How long writers wait, as `apply_plan` counts it, and on PostgreSQL as another connection sees it."""
    rows = []
    for database in databases:
        for count in counts:
            database.execute("DROP TABLE IF EXISTS django_migrations")
            bench = Bench.make(database, directory / "locked", count)
            plan = bench.plan()
            inside, outside = [], []
            for _ in range(times):
                bench.reset()
                with watched(database) as seen:
                    inside.append(apply_plan_once(bench, plan)["after commit"])
                outside += seen()
            other = f"{sorted(outside)[len(outside) // 2]:.2f} s" if outside else ""
            rows.append([NAMES[database.engine], f"{count:,}", f"{sorted(inside)[len(inside) // 2]:.2f} s", other])
    return table(["", "renames", "lock held", "seen from outside"], rows)


@contextmanager
def watched(database: Database) -> Iterator[Callable[[], list[float]]]:
    """Polls PostgreSQL's pg_locks meanwhile; what is yielded gives the seconds between the first and last sight."""
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        assert isinstance(database, PostgreSQLDatabase)
        with database.connect(autocommit=True) as connection:
            while not stop.is_set():
                held = connection.execute(
                    "SELECT 1 FROM pg_locks WHERE relation = 'django_migrations'::regclass"
                    " AND mode = 'ShareRowExclusiveLock' AND granted"
                ).fetchone()
                if held:
                    seen.append(time.perf_counter())

    if not isinstance(database, PostgreSQLDatabase):
        yield list
        return
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: [seen[-1] - seen[0]] if seen else []
    finally:
        stop.set()
        thread.join()


def growth(database: Database, directory: Path, counts: list[int], times: int) -> list[float]:
    """The seconds from the lock to after COMMIT for so many renames."""
    found = []
    for count in counts:
        database.execute("DROP TABLE IF EXISTS django_migrations")
        bench = Bench.make(database, directory / "growth", count)
        plan = bench.plan()
        taken = []
        for _ in range(times):
            bench.reset()
            taken.append(apply_plan_once(bench, plan)["after commit"])
        found.append(min(taken))
    return found


@contextmanager
def servers(directory: Path) -> Iterator[list[Database]]:
    """A database on each engine that there is: by MIGSYNC_TEST_POSTGRESQL and MIGSYNC_TEST_MARIADB, as in the tests."""
    with ExitStack() as stack:
        url = os.environ.get("MIGSYNC_TEST_POSTGRESQL")
        server = Server.from_url(url, 5432) if url else stack.enter_context(running_server())
        found: list[Database] = [stack.enter_context(stack.enter_context(PostgreSQLDatabases.open(server)).database())]
        if url := os.environ.get("MIGSYNC_TEST_MARIADB"):
            mysql = stack.enter_context(MySQLDatabases.open(Server.from_url(url, 3306)))
            found.append(stack.enter_context(mysql.database()))
        found.append(SQLiteDatabase(directory / "apply.sqlite3"))
        yield found
