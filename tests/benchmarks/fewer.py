"""``manage.py migrate`` on an empty database before and after squash and remake: wagtail and oscar. Prints Markdown.

    python -m tests.benchmarks.fewer [--directory DIR] [--times 3] [--postgresql postgresql://root@127.0.0.1:5432/]

The rewrites are made without proofs, which tests/real/test_fewer.py has. Every run is of a new, empty database.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.measuring import Command, Figures, measure, ratio, table
from tests.databases import Database, PostgreSQLDatabases, Server, SQLiteDatabase
from tests.real.project import RealProject, make_project
from tests.real.test_fewer import REFUSED

BEFORE = "as published"
QUICK = ("--noinput", "--allow-applied", "--no-prove-schema", "--no-prove-transition")
# wagtaildocs can be made anew; it was left out when the figures of FEWER.md were taken.
LEFT_OUT = REFUSED | {"wagtaildocs"}
AFTER_SQUASH, AFTER_REMAKE = "`squash --all-safe`", "`remake`"
CARRIED = re.compile(r"^\S+: .* (?:is carried over|is copied|are copied) into ", re.MULTILINE)


def rewritten(directory: Path, databases: Mapping[str, Database]) -> dict[str, tuple[RealProject, str]]:
    """The project for each way, and what migsync said when it made it."""
    made = {}
    for place, name in enumerate((BEFORE, AFTER_SQUASH, AFTER_REMAKE)):
        root = directory / f"project{place}"
        root.mkdir()
        project = make_project(root, databases)
        apps = sorted({path.name for path in project.history.iterdir() if path.is_dir()} - LEFT_OUT)
        commands = {BEFORE: (), AFTER_SQUASH: ("squash", "--all-safe"), AFTER_REMAKE: ("remake", *apps)}
        made[name] = project, project.migsync(*commands[name], *QUICK) if commands[name] else ""
    return made


def files(project: RealProject) -> int:
    """How many migrations are on disk."""
    return len([path for path in project.history.glob("*/*.py") if path.stem != "__init__"])


def emptied(database: Database) -> Callable[[], object]:
    """What brings a database back to nothing."""
    if isinstance(database, SQLiteDatabase):
        return lambda: database.path.unlink(missing_ok=True)
    return lambda: database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def measured(projects: Mapping[str, RealProject], alias: str, database: Database, times: int) -> dict[str, Figures]:
    """Django's own command on an empty database; what Python compiles is kept, as on a machine that runs tests."""
    commands = [
        Command(
            name,
            [sys.executable, "manage.py", "migrate", "--noinput", "--skip-checks", "--verbosity", "0"],
            project.root,
            emptied(database),
            {"PROJECT_DEFAULT": alias},
        )
        for name, project in projects.items()
    ]
    return measure(commands, times)


def report(made: Mapping[str, tuple[RealProject, str]], alias: str, database: Database, times: int) -> str:
    """The table of one engine; a ratio says how many times faster it is than before."""
    figures = measured({name: project for name, (project, _) in made.items()}, alias, database, times)
    floor = figures[BEFORE]
    return table(
        [database.engine, "files", "carried over", "by the clock", "work", "faster", "in work"],
        [
            [
                name,
                str(files(project)),
                str(len(CARRIED.findall(said))),
                f"{figures[name].wall:.1f} s",
                f"{figures[name].work:.1f} s",
                f"{ratio(floor.wall / figures[name].wall)} x",
                f"{ratio(floor.work / figures[name].work)} x",
            ]
            for name, (project, said) in made.items()
        ],
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--directory", type=Path, help="where the projects are made, and kept")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--postgresql", default="postgresql://root@127.0.0.1:5432/", help="a server for a database")
    asked = parser.parse_args(arguments)
    directory = asked.directory or Path(tempfile.mkdtemp(prefix="migsync-benchmark-"))
    directory.mkdir(exist_ok=True)
    try:
        with ExitStack() as stack:
            servers = stack.enter_context(PostgreSQLDatabases.open(Server.from_url(asked.postgresql, 5432)))
            databases: dict[str, Database] = {
                "default": SQLiteDatabase(directory / "empty.sqlite3"),
                "postgresql": stack.enter_context(servers.database()),
            }
            made = rewritten(directory, databases)
            for alias, database in databases.items():
                print(f"{report(made, alias, database, asked.times)}\n\nload {os.getloadavg()[0]:.1f}\n", flush=True)
    finally:
        if asked.directory is None:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
