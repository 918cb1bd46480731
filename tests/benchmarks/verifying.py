"""``migsync verify`` beside ``manage.py migrate`` on an empty database: 340 migrations, 150 tables, PostgreSQL.

Work is that of the command's processes and of the server's, which is one of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from tests.benchmarks.measuring import Command, ratio, run, table
from tests.benchmarks.planning import MIGSYNC
from tests.databases import Database, PostgreSQLDatabases
from tests.pitfalls.project import Project
from tests.postgresql_server import running_server
from tests.project.projects import write

APPS, TABLES, MIGRATIONS = 10, 15, 34
"""Tables and migrations are those of each app."""
MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = [
        {operation},
    ]
"""
CREATE = """migrations.CreateModel("Model{0}", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=50, db_index=True)),
            ("slug", models.SlugField(unique=True)),
            ("text", models.TextField(default="")),
            ("made", models.DateTimeField(null=True)),
            ("before", models.ForeignKey("Model{1}", models.CASCADE, null=True)),
        ])"""
CHANGES = (
    'migrations.AddField("Model{0}", "added{1}", models.IntegerField(default=0))',
    'migrations.AddIndex("Model{0}", models.Index(fields=["made"], name="{2}_index{1}"))',
    'migrations.AlterField("Model{0}", "name", models.CharField(max_length=1{1:02}, db_index=True))',
)


def make(root: Path, databases: Mapping[str, Database]) -> Project:
    """A project with such migrations."""
    root.mkdir(parents=True)
    project = Project(root, databases)
    for app in (f"app{letter}" for letter in "abcdefghijklmnop"[:APPS]):
        project.write_files(app, ())
        before = ""
        for number in range(1, MIGRATIONS + 1):
            model = (number - 1) % TABLES + 1
            if number <= TABLES:
                operation = CREATE.format(number, max(1, number - 1))
            else:
                operation = CHANGES[number % len(CHANGES)].format(model, number, app)
            name = f"{number:04}_step"
            after = f'("{app}", "{before}")' if before else ""
            write(project.migrations(app), {f"{name}.py": MIGRATION.format(after=after, operation=operation)})
            before = name
    return project


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock; of work of the command, and of the server."""

    wall: float
    work: float
    server: float


def server_work(postmaster: psutil.Process) -> float:
    """The work of all processes of a server, those that have ended included."""
    alive = sum(sum(process.cpu_times()[:2]) for process in postmaster.children())
    return alive + sum(postmaster.cpu_times()[:4])


@contextmanager
def databases() -> Iterator[tuple[PostgreSQLDatabases, psutil.Process]]:
    """Databases on a server that nobody else uses, and the process of that."""
    with running_server() as server, PostgreSQLDatabases.open(server) as found:
        yield found, psutil.Process(found.connection.info.backend_pid).parent()


def taken(command: Command, server: psutil.Process) -> Taken:
    before = server_work(server)
    sample = run(command)
    return Taken(sample.wall, sample.work, server_work(server) - before)


def one_round(server: PostgreSQLDatabases, process: psutil.Process, directory: Path) -> list[Taken]:
    """One project, with databases of its own."""
    with server.database() as first, server.database() as second:
        project = make(directory / "project", {"default": first, "other": second})
        environment = {"MIGSYNC_CACHE": str(directory / "cache")}
        verify = Command("verify", [*MIGSYNC, "verify", "-d", "default"], project.root, environment=environment)
        migrate = replace(verify, arguments=[sys.executable, "manage.py", "migrate"])
        steps = [taken(migrate, process), taken(verify, process)]
        assert project.manage_all(["migrate", "--database", "other"])[0].status == 0
        return [*steps, taken(replace(verify, arguments=[*MIGSYNC, "verify", "-d", "other"]), process)]


def report(directory: Path, times: int) -> str:
    """The table of `migrate`, the build, and a further database."""
    with databases() as (server, process):
        rounds = [one_round(server, process, directory / f"verifying{number}") for number in range(times)]
    names = (
        "`manage.py migrate`, an empty database",
        "`migsync verify`, with the build",
        "`migsync verify`, a further database with the same files",
    )
    best = [min((steps[place] for steps in rounds), key=lambda each: each.work + each.server) for place in range(3)]
    base = best[0]
    rows = [
        [
            name,
            f"{each.wall:.1f} s",
            f"{each.work:.1f} s",
            f"{each.server:.1f} s",
            ratio((each.work + each.server) / (base.work + base.server)),
        ]
        for name, each in zip(names, best, strict=True)
    ]
    return table(["", "by the clock", "work", "work of the server", "ratio of all work"], rows)
