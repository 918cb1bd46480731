"""``migsync plan`` and ``apply`` of many PostgreSQL schemas, beside bare scripts that read and write the same."""

from __future__ import annotations

import shutil
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil

from tests.benchmarks.measuring import Command, Sample, ratio, run, table
from tests.benchmarks.planning import MIGSYNC
from tests.databases import PostgreSQLDatabase, PostgreSQLDatabases
from tests.postgresql_server import running_server

APPS = 10
FILES = 30
"""In each app; so each schema has 300 records."""
JOBS = 8
TOGETHER = 50
"""Schemas that one transaction makes or changes: each of their tables takes entries of the server's lock table."""
JOURNAL = ("run", "version", "content", "content_seen", "files", "source", "look", "ran")

LOOP = """
DO $$ DECLARE s text; BEGIN
  FOR i IN {first}..{last} LOOP
    s = 't' || lpad(i::text, 5, '0');
    {statements}
  END LOOP;
END $$
"""
MAKE = """
    EXECUTE format('CREATE SCHEMA %I', s);
    EXECUTE format('CREATE TABLE %I.django_migrations (LIKE public.django_migrations INCLUDING ALL)', s);
    EXECUTE format('INSERT INTO %I.django_migrations SELECT id, app, name, applied + $1 * interval ''1 hour 0.001 s'' '
                   'FROM public.django_migrations ORDER BY id', s) USING i;
"""
NAMES_BACK = """
    EXECUTE format('UPDATE %I.django_migrations SET name = right(name, 4) || ''_step_'' || right(name, 4)
                    WHERE app = ''app0''', s);
"""
EMPTY = "EXECUTE format('DELETE FROM %I.migsync_run', s);"
DROP = "".join(f"EXECUTE format('DROP TABLE IF EXISTS %I.migsync_{each}', s);\n" for each in JOURNAL)
EVERY = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^t[0-9]+$' ORDER BY nspname"
FILE = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{above}]
    operations = [migrations.RunSQL("SELECT {number}")]
"""
BARE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
import psycopg

url, every, jobs, write = sys.argv[1:5]
kept = local()

def connect():
    kept.connection = psycopg.connect(url, options="-c TimeZone=UTC")

def one(schema):
    with kept.connection.transaction(), kept.connection.cursor() as cursor:
        cursor.execute(f"SELECT id, app, name, applied::text FROM {schema}.django_migrations ORDER BY id")
        rows = cursor.fetchall()
        if write:
            ids, apps, names, applied = map(list, zip(*(row for row in rows if row[1] == "app0")))
            news = [f"{int(name[:4]) + int(write):04}{name[4:]}" for name in names]
            cursor.execute(
                f"UPDATE {schema}.django_migrations AS m SET name = c.new "
                "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) "
                "AS c (id, app, name, applied, new) WHERE m.id = c.id AND m.app = c.app AND m.name = c.name "
                "AND m.applied::text = c.applied",
                (ids, apps, names, applied, news),
            )
            assert cursor.rowcount == len(ids)
    return len(rows)

with psycopg.connect(url) as connection:
    schemas = [name for name, in connection.execute(every)]
with ThreadPoolExecutor(int(jobs), initializer=connect) as executor:
    print(sum(executor.map(one, schemas)))
"""


@dataclass(frozen=True)
class Bench:
    """A project with one entry for all schemas of a database."""

    database: PostgreSQLDatabase
    directory: Path
    count: int

    @classmethod
    def make(cls, database: PostgreSQLDatabase, directory: Path, count: int) -> Bench:
        """Nothing is to do in it."""
        bench = cls(database, directory / f"schemas{count}", count)
        for number in range(APPS):
            bench._write_app(number, [name(each) for each in range(1, FILES + 1)])
        text = f'[tool.migsync.databases.tenants]\nurl = "{database.url}"\nschemas = """{EVERY}"""\n'
        text += "[tool.migsync.apps]\n" + "".join(f'app{number} = "app{number}/migrations"\n' for number in range(APPS))
        (bench.directory / "pyproject.toml").write_text(text)
        (bench.directory / "bare.py").write_text(BARE)
        database.create_table()
        rows = [
            (number * FILES + each, f"app{number}", name(each), f"2026-01-01 10:00:{each:02}.{each:06}+00")
            for number in range(APPS)
            for each in range(1, FILES + 1)
        ]
        database.insert(rows)
        bench._each(MAKE)
        database.execute("VACUUM ANALYZE")
        return bench

    def _write_app(self, number: int, names: Sequence[str]) -> None:
        migrations = self.directory / f"app{number}" / "migrations"
        shutil.rmtree(migrations, ignore_errors=True)
        migrations.mkdir(parents=True)
        (migrations / "__init__.py").touch()
        for place, one in enumerate(names):
            above = f'("app{number}", "{names[place - 1]}")' if place else ""
            (migrations / f"{one}.py").write_text(FILE.format(above=above, number=place))

    def _each(self, statements: str) -> None:
        """Run statements about ``s``, the name of a schema, for every schema."""
        for first in range(1, self.count + 1, TOGETHER):
            last = min(first + TOGETHER - 1, self.count)
            self.database.execute(LOOP.format(first=first, last=last, statements=statements))

    def rename(self) -> None:
        """Every file of the first app gets another name, by a rewrite."""
        old, new = ([name(each, shift) for each in range(1, FILES + 1)] for shift in (0, 1))
        self._write_app(0, new)
        maps = [f"app0.{before}={after}" for before, after in zip(old, new, strict=True)]
        run(self.migsync("rewrite", *(word for each in maps for word in ("--map", each))))

    def take_back(self, *, tables: bool) -> None:
        """The names of before in every schema, and no run in the journal; nor its `tables`."""
        self._each(NAMES_BACK + (DROP if tables else EMPTY))

    def migsync(self, *arguments: str) -> Command:
        environment = {"MIGSYNC_CACHE": str(self.directory / "cache")}
        title = f"`migsync {' '.join(arguments)}`"
        return Command(title, [*MIGSYNC, *arguments], self.directory, environment=environment)

    def bare(self, title: str, write: str = "") -> Command:
        """The bare script; `write` is how much is added to the numbers of the first app, if anything."""
        with closing(self.database.connect()) as connection:
            address = connection.info.dsn
        return Command(title, [sys.executable, "bare.py", address, EVERY, str(JOBS), write], self.directory)

    def side_by_side(self, commands: Sequence[tuple[Command, Callable[[], object]]], times: int) -> list[list[str]]:
        """Rows of a table: each command in turn, after what is to be done before it; beside the first one."""
        server = ServerWork.of(self.database)
        found: dict[str, list[tuple[Sample, float]]] = {command.name: [] for command, _ in commands}
        for number in range(times):
            for command, before in commands if number % 2 == 0 else reversed(commands):
                before()
                spent = server.seconds
                sample = run(command)
                found[command.name].append((sample, server.seconds - spent))
        rows, base = [], (0.0, 0.0)
        for title, samples in found.items():
            wall = statistics.median(sample.wall for sample, _ in samples)
            client = statistics.median(sample.work for sample, _ in samples)
            served = statistics.median(seconds for _, seconds in samples)
            peak = max(sample.peak for sample, _ in samples)
            base = base if any(base) else (wall, client + served)
            beside = [ratio(wall / base[0]), ratio((client + served) / base[1])]
            rows.append([title, f"{wall:.2f} s", f"{client:.2f} s", f"{served:.2f} s", f"{peak:.0f} MiB", *beside])
        return rows


@dataclass(frozen=True)
class ServerWork:
    """The CPU time of a server on this machine."""

    process: psutil.Process

    @classmethod
    def of(cls, database: PostgreSQLDatabase) -> ServerWork:
        with closing(database.connect()) as connection:
            parent = psutil.Process(connection.info.backend_pid).parent()
        assert parent is not None
        return cls(parent)

    @property
    def seconds(self) -> float:
        """Of all sessions there were, and are."""
        time.sleep(0.1)  # a session ends after its client has gone
        own = self.process.cpu_times()
        spent = own.user + own.system + own.children_user + own.children_system
        for child in self.process.children():
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                spent += times.user + times.system
        return spent


@contextmanager
def sampled_connections(database: PostgreSQLDatabase) -> Iterator[list[int]]:
    """How many connections to the database the server had, again and again."""
    counts: list[int] = []
    ended = threading.Event()
    # Not autovacuum's, and not this one.
    query = (
        "SELECT count(*) - 1 FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_type = 'client backend'"
    )

    def sample() -> None:
        with closing(database.connect(autocommit=True)) as connection:
            while not ended.wait(0.02):
                counts.extend(count for (count,) in connection.execute(query))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield counts
    finally:
        ended.set()
        thread.join()


def name(number: int, shift: int = 0) -> str:
    return f"{number + shift:04}_step_{number:04}"


HEADER = ["", "by the clock", "work", "of the server", "peak memory", "ratio", "ratio of all work"]


def nothing() -> None:
    """To be done before a command."""


def idle(bench: Bench, times: int) -> str:
    """Nothing is to do."""
    commands = [bench.bare("bare script, SELECT"), bench.migsync("plan"), bench.migsync("status")]
    run(commands[1])
    return table(HEADER, bench.side_by_side([(command, nothing) for command in commands], times))


def renames(bench: Bench, times: int) -> str:
    """30 renames in each schema, with the journal's tables there already, or to be made; and nothing to do again."""
    apply = bench.migsync("apply", "--noinput", "--jobs", str(JOBS))
    keep, drop = (partial(bench.take_back, tables=tables) for tables in (False, True))
    run(apply)
    rows = bench.side_by_side(
        [
            (bench.bare("bare script, SELECT and UPDATE", "1"), keep),
            (replace(apply, name=f"{apply.name}, with the journal's tables there"), keep),
            (replace(apply, name=f"{apply.name}, which makes them"), drop),
        ],
        times,
    )
    run(apply)
    again = [bench.bare("bare script, SELECT"), replace(apply, name="the same again"), bench.migsync("plan")]
    idle = bench.side_by_side([(command, nothing) for command in again], times)
    return f"{table(HEADER, rows)}\n\n{table(HEADER, idle)}"


def curve(databases: PostgreSQLDatabases, directory: Path, sizes: Sequence[int]) -> str:
    """How cost, memory and connections grow."""
    rows = []
    for size in sizes:
        with databases.database() as database:
            bench = Bench.make(database, directory, size)
            row = [f"{size:,}"]
            plan, apply = bench.migsync("plan"), bench.migsync("apply", "--noinput", "--jobs", str(JOBS))
            for command in (bench.bare(""), plan, apply):
                if command is apply:
                    bench.rename()
                with sampled_connections(database) as counts:
                    found = run(command)
                row += [f"{found.wall:.2f} s", f"{found.work:.2f} s", f"{found.peak:.0f} MiB", str(max(counts))]
            rows.append(row)
    parts = ["", ", work", ", memory", ", connections"]
    header = [f"{what}{part}" for what in ("bare SELECT", "plan", "apply") for part in parts]
    return table(["schemas", *header], rows)


def report(directory: Path, times: int, *, count: int = 1000, sizes: Sequence[int] = (1000, 3000, 10_000)) -> str:
    """Nothing to do, renames, and the curve."""
    found = []
    with running_server() as server, PostgreSQLDatabases.open(server) as databases:
        if count:
            with databases.database() as database:
                bench = Bench.make(database, directory, count)
                found.append(idle(bench, times))
                bench.rename()
                found.append(renames(bench, times))
        if sizes:
            found.append(curve(databases, directory / "curve", sizes))
    return "\n\n".join(found)
