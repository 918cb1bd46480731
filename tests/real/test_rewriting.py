"""linearize, renumber and fix-conflicts on other people's migrations, through the real commands, on three engines.

The files are brought into disorder first. Every migration is recorded by Django's own executor, without being run: what
counts here are names. pretalx and pretix need a Python of their own each (3.12, say), with migsync from this checkout::

    for site in pretalx pretix; do
        python3.12 -m venv ../$site && ../$site/bin/pip install $site -e '.[postgresql,mysql]'
    done
    export MIGSYNC_TEST_PRETALX=$PWD/../pretalx/bin/python MIGSYNC_TEST_PRETIX=$PWD/../pretix/bin/python
    python -m pytest tests/real/test_rewriting.py

It passed on the three engines with pretalx 2026.1.2 (on Django 6.0.10) and pretix 2026.8.0 (on Django 5.2.19).
"""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import Database, SQLiteDatabase, unavailable
from tests.profiles import IN_CI
from tests.real.disorder import bring_ends, bring_forks, bring_gaps, in_app_parents
from tests.real.project import WAGTAIL_AND_OSCAR, Kind, RealProject, make_project, site, use_databases
from tests.real.renaming import File, Key, read_history

pytestmark = pytest.mark.real

Dump = list[tuple[str, str, str, str]]
Tree = dict[str, tuple[bytes, int]]

NOTHING: Counter[str] = Counter()
NOTHING_TO_DO = "No planned migration operations."
KINDS = ("wagtail_and_oscar", "pretalx", "pretix")


def kind_named(name: str) -> Kind:
    if name == "wagtail_and_oscar":
        return WAGTAIL_AND_OSCAR
    variable = f"MIGSYNC_TEST_{name.upper()}"
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"no {name}: set {variable} to a Python that has it")
    return site(name, python)


def engines() -> dict[str, str]:
    """The engine of each alias; without MariaDB, outside of CI, two."""
    found = {"default": "sqlite", "postgresql": "postgresql"}
    if os.environ.get("MIGSYNC_TEST_MARIADB"):
        found["mysql"] = "mysql"
    elif IN_CI:
        unavailable("no MariaDB")
    return found


@dataclass(frozen=True)
class Recorded:
    """A project in disorder, the rows that Django recorded for it on each engine, and what makemigrations says."""

    project: RealProject
    rows: dict[str, Dump]
    model_changes: str
    merges: set[Key]


@pytest.fixture(scope="module", params=KINDS)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    kind = kind_named(request.param)
    directory = tmp_path_factory.mktemp(request.param)
    root = directory / "project"
    root.mkdir()
    with ExitStack() as stack:
        databases: dict[str, Database] = {}
        for alias, engine in engines().items():
            if engine == "sqlite":
                databases[alias] = SQLiteDatabase(directory / "recorded.sqlite3")
            else:
                servers = request.getfixturevalue(f"{engine}_databases")
                databases[alias] = stack.enter_context(servers.database())
        project = make_project(root, databases, kind)
        bring_gaps(project.history)
        merges = bring_forks(project.history)
        project.record(databases)
        rows = {alias: database.dump() for alias, database in databases.items()}
        yield Recorded(project, rows, project.make_plan(), merges)


@dataclass
class Case:
    """A copy of the project, with databases of its own that hold the recorded rows."""

    project: RealProject
    databases: dict[str, Database]
    recorded: Recorded

    @property
    def dumps(self) -> dict[str, Dump]:
        return {alias: database.dump() for alias, database in self.databases.items()}

    @property
    def files(self) -> dict[Key, File]:
        return read_history(self.project.history)

    @property
    def tree(self) -> Tree:
        """Every file of the history and its mode; Python's own and migsync's aside."""
        paths = [path for path in self.project.history.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        root = self.project.history
        return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode) for path in paths}

    def add_records(self, keys: list[Key]) -> None:
        """Record these as applied, everywhere."""
        for database in self.databases.values():
            row = max(database.dump(), key=lambda row: int(row[0]))
            database.insert((int(row[0]) + place, *key, row[3]) for place, key in enumerate(keys, start=1))


@pytest.fixture
def case(recorded: Recorded, new_database: NewDatabase, tmp_path: Path) -> Case:
    root = tmp_path / "project"
    shutil.copytree(recorded.project.root, root, ignore=_settings_cache)
    databases = {alias: new_database(engine) for alias, engine in engines().items()}
    project = RealProject(root, recorded.project.kind)
    use_databases(project, databases)
    for alias, database in databases.items():
        database.create_table()
        database.insert((int(row[0]), *row[1:]) for row in recorded.rows[alias])
    return Case(project, databases, recorded)


def _settings_cache(directory: str, _: list[str]) -> set[str]:
    """What Python compiled of the settings, which are written anew in the same second; of the history it is kept."""
    return {"__pycache__"} if Path(directory).name == "project" else set()


def test_linearize_puts_every_app_in_line(case: Case) -> None:
    before, rows, tree = case.files, case.dumps, case.tree

    case.project.migsync("linearize", "--update-db", "--noinput")

    after = case.files
    merges = merges_in(before)
    assert merges >= case.recorded.merges
    assert len(after) == len(before) - len(merges)
    for app, names in by_app(after).items():
        squashed = {key.name for key in after if key.app == app and after[key].replaces & after.keys()}
        assert [int(re.sub(r"\D.*", "", name)) for name in names if name not in squashed] == list(
            range(1, len(names) - len(squashed) + 1)
        )
    for key, parents in in_app_parents(after).items():
        assert len(parents) <= 1, f"{key}: {parents}"
    stays_in_line(case, before, rows, gone=merges)
    comes_back(case, rows, tree)


def test_renumber_closes_gaps_and_doubles(case: Case) -> None:
    before, rows, tree = case.files, case.dumps, case.tree

    case.project.migsync("renumber", "--update-db", "--noinput")

    after = case.files
    assert len(after) == len(before)
    for app, names in by_app(after).items():
        numbers = [int(re.sub(r"\D.*", "", name)) for name in names if name[0].isdigit()]
        assert set(numbers) == set(range(1, max(numbers) + 1)), app
    stays_in_line(case, before, rows, gone=set())
    comes_back(case, rows, tree)


def test_fix_conflicts_whose_branches_are_applied_in_some_apps(case: Case) -> None:
    branches = list(bring_ends(case.project.history).values())
    applied, pending = branches[::2], branches[1::2]
    assert applied and pending
    before, others = case.files, case.dumps
    case.add_records([key for branch in applied for key in branch])
    rows, tree = case.dumps, case.tree
    assert "Conflicting migrations" in case.project.migrate_plans(["default"])["default"]

    first = [f"--first={branch[0].app}.{branch[0].name}" for branch in applied]
    case.project.migsync("fix-conflicts", "--update-db", "--noinput", *first)

    stays_in_line(case, before, rows, gone=set(), pending=Counter(key.app for branch in pending for key in branch))
    kept = {key.app for branch in pending for key in branch}
    for alias, dump in case.dumps.items():
        assert [row for row in dump if row[1] in kept] == [row for row in others[alias] if row[1] in kept]
    comes_back(case, rows, tree)


def stays_in_line(
    case: Case, before: dict[Key, File], rows: dict[str, Dump], *, gone: set[Key], pending: Counter[str] = NOTHING
) -> None:
    """Nothing is to be migrated but branches in `pending` apps; the models still fit, and each row is what it must be.

    Ids and applied are what they were, and each row's name is now that of the file with the same operations.
    """
    planned, model_changes = case.project.outlook(case.databases)
    for said in planned.values():
        assert (NOTHING_TO_DO in said) == (not pending)
        assert Counter(re.findall(r"^(\w+)\.\d+_branch(?:_end)?$", said, re.MULTILINE)) == pending, said
    assert model_changes == case.recorded.model_changes
    after = case.files
    changed = 0
    for alias, dump in case.dumps.items():
        old = [row for row in rows[alias] if Key(row[1], row[2]) not in gone]
        assert [(row[0], row[1], row[3]) for row in dump] == [(row[0], row[1], row[3]) for row in old]
        for was, now in zip(old, dump, strict=True):
            if (key := Key(*was[1:3])) in before:
                assert operations(before[key]) == operations(after[Key(*now[1:3])]), (was, now)
                changed += was != now
            else:
                assert was == now
    assert changed


def comes_back(case: Case, rows: dict[str, Dump], tree: Tree) -> None:
    """Undo restores rows and files, byte for byte."""
    case.project.migsync("undo", "--noinput", "--files")
    assert case.dumps == rows
    assert case.tree == tree


def operations(file: File) -> str:
    return operations_in(file.source)


@cache
def operations_in(source: str) -> str:
    definition = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "Migration")
    return "\n".join(
        ast.unparse(node.value)
        for node in definition.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "operations"
    )


def merges_in(files: dict[Key, File]) -> set[Key]:
    """The migrations with several parents in their app, and without operations; no squash, nor what one replaces."""
    parents = in_app_parents(files)
    squashed = {key for key, file in files.items() if file.replaces}.union(*(file.replaces for file in files.values()))
    several = {key for key in files.keys() - squashed if len(parents[key]) > 1}
    return {key for key in several if operations(files[key]) == "[]"}


def by_app(files: dict[Key, File]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in sorted(files):
        found.setdefault(key.app, []).append(key.name)
    return found
