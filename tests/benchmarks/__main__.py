"""Runs benchmarks by hand and prints their tables, as they stand in the README of this directory.

    python -m tests.benchmarks [start] [plan] [changes] [graph] [apply] [runs] [look] [growth] [schemas] [verify]

Without a name, all of them. PostgreSQL is the tests' own or MIGSYNC_TEST_POSTGRESQL, MariaDB is MIGSYNC_TEST_MARIADB.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import changes, graphing, planning, starting

SIZES = [1000, 2000, 5000, 10_000]


def start(directory: Path, times: int) -> str:
    return starting.report(planning.Project.make(directory, SIZES[-1]), 20 * times)


def plan(directory: Path, times: int) -> str:
    usual = planning.against_django(planning.Project.make(directory, SIZES[-1]), times)
    edited = planning.against_django(planning.Project.make(directory, SIZES[-1], "--edited", "1"), times)
    return f"{usual}\n\nEvery file edited by hand:\n\n{edited}"


def change(directory: Path, times: int) -> str:
    return changes.report(planning.Project.make(directory, SIZES[-1]), times)


def graph(directory: Path, times: int) -> str:
    return graphing.report(planning.Project.make(directory, SIZES[-1]), times)


def apply(directory: Path, times: int) -> str:
    from tests.benchmarks import applying  # not needed by the others, and big: see tests.benchmarks.measuring

    with applying.servers(directory) as databases:
        compared = applying.against_client(databases, directory, SIZES[-1], times)
        statement = applying.against_statement(databases, directory, [SIZES[0], SIZES[-1]], 3 * times)
        whole = applying.whole_command(databases, directory, SIZES[-1], times)
        locked = applying.locked(databases, directory, [SIZES[0], SIZES[-1]], times)
    return f"{compared}\n\n{statement}\n\n{whole}\n\n{locked}"


def runs(directory: Path, times: int) -> str:
    from tests.benchmarks import runs

    return runs.report(directory, times)


def growth(directory: Path, times: int) -> str:
    from tests.benchmarks import applying

    columns, start = {}, {}
    for state, (one, *seconds) in planning.curve(directory, [1, *SIZES], times).items():
        columns[f"plan, {state}"] = seconds
        start[f"plan, {state}"] = one
    with applying.servers(directory) as databases:
        for database in databases:
            title = f"apply, {applying.NAMES[database.engine]}"
            columns[title] = applying.growth(database, directory, SIZES, times)
    return planning.growth_table(SIZES, columns, start)


def look(directory: Path, times: int) -> str:
    from tests.benchmarks import looking

    return looking.report(directory, SIZES[-1], times)


def schemas(directory: Path, times: int) -> str:
    from tests.benchmarks import schemas

    return schemas.report(directory, times)


def verify(directory: Path, times: int) -> str:
    from tests.benchmarks import verifying

    return verifying.report(directory, times)


BENCHMARKS = {
    "start": start,
    "plan": plan,
    "changes": change,
    "graph": graph,
    "apply": apply,
    "runs": runs,
    "look": look,
    "growth": growth,
    "schemas": schemas,
    "verify": verify,
}


def machine() -> str:
    """What ran here, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    libraries = ", ".join(f"{name} {version(name)}" for name in ("Django", "SQLAlchemy", "click", "psycopg", "PyMySQL"))
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {libraries}, load {os.getloadavg()[0]:.1f}"
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--times", type=int, default=5, help="how often each command runs (5)")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if len(asked.names) != 1:
        # Each in a process of its own: what one has imported must not count as the memory of the next one's children.
        for name in asked.names or BENCHMARKS:
            subprocess.run([sys.executable, "-m", "tests.benchmarks", name, "--times", str(asked.times)], check=True)
        return
    (name,) = asked.names
    with tempfile.TemporaryDirectory(prefix="migsync-benchmark-") as directory:
        print(f"## {name}\n\n{machine()}\n\n{BENCHMARKS[name](Path(directory), asked.times)}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
