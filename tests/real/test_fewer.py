"""squash and remake on wagtail's migrations, through the real commands: proven, in step, and taken back byte for byte.

Every migration is recorded by Django's own executor, without being run: it is the proofs that run them all, the old and
the new files, on scratch databases. With wagtail alone that is a minute of work: of the squash the transition is proven
on SQLite, and of the remake, schema and data on PostgreSQL; when thorough, both of both. With oscar beside it, each
proven on both engines, it is six, and four by the clock::

    MIGSYNC_TEST_WHOLE=1 python -m pytest tests/real/test_fewer.py

Not in CI, which it would make longer than 12 minutes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import Database
from tests.profiles import IN_CI, THOROUGH
from tests.real.project import WAGTAIL, WAGTAIL_AND_OSCAR, RealProject, make_project, use_databases

pytestmark = [pytest.mark.real, pytest.mark.skipif(IN_CI and not THOROUGH, reason="too long for CI")]

WHOLE = bool(os.environ.get("MIGSYNC_TEST_WHOLE"))
ENGINES = {"default": "SQLite", "postgresql": "PostgreSQL"}
NOTHING_TO_DO = "No planned migration operations."

# What a remake refuses, and rightly: data migrations that need columns of those days (wagtailcore), operations of its
# own that change the models' state (wagtailsearch), an index that no model shows any more (communication), and a model
# that went to communication since, when order, which would come before and after that, refers to it (customer).
REFUSED = {"wagtailcore", "wagtailsearch", "communication", "customer"}

Dump = list[tuple[str, str, str, str]]


@dataclass
class Case:
    """The project, its databases by alias with every migration recorded, and what there was before."""

    project: RealProject
    databases: dict[str, Database]
    report: Path

    def __post_init__(self) -> None:
        self.before = self.dumps, self.tree
        # oscar has files that say what they replaced once: Django records those names too.
        self.replaced = {row[1:3] for rows in self.before[0].values() for row in rows} - self.names
        self.model_changes = self.project.make_plan()

    @property
    def dumps(self) -> dict[str, Dump]:
        return {alias: database.dump() for alias, database in self.databases.items()}

    @property
    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file of the history and its mode; what Python compiled aside."""
        root = self.project.history
        paths = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode) for path in paths}

    @property
    def names(self) -> set[tuple[str, str]]:
        """The migrations on disk."""
        return {(path.parent.name, path.stem) for path in self.project.history.glob("*/[0-9]*.py")}

    def migsync(self, *arguments: str) -> str:
        """Run a command with its proofs; what it proved, from the report."""
        self.project.migsync(*arguments, "--update-db", "--noinput", "--report", str(self.report))
        text = self.report.read_text()
        return text.partition("### Proven")[2].partition("###")[0]


@pytest.fixture
def case(new_database: NewDatabase, tmp_path: Path) -> Case:
    root = tmp_path / "project"
    root.mkdir()
    databases = {alias: new_database(engine.lower()) for alias, engine in ENGINES.items()}
    project = make_project(root, databases, WAGTAIL_AND_OSCAR if WHOLE else WAGTAIL)
    project.record(databases)
    return Case(project, databases, tmp_path / "report.md")


def test_fewer_files_and_every_database_in_step(case: Case, new_database: NewDatabase) -> None:
    before = len(case.names)

    proven = case.migsync("squash", "--all-safe", *on("default", "transition"))
    is_proven(proven, "default", "transition")
    assert before - len(case.names) >= (150 if WHOLE else 60)
    in_step(case)
    comes_back(case)

    apps = {app for app, _ in case.names} - REFUSED
    proven = case.migsync("remake", *sorted(apps), *on("postgresql", "schema"))
    is_proven(proven, "postgresql", "schema")
    assert before - len(case.names) >= (120 if WHOLE else 40)
    in_step(case)
    if THOROUGH:  # the proof has run the new files; this is Django alone
        runs_from_scratch(case, new_database)
    comes_back(case)


def on(alias: str, proof: str) -> tuple[str, ...]:
    """What to prove and where: this on this engine, when thorough all there, or as a whole wherever it is in use."""
    if WHOLE:
        return ()
    return tuple(
        word
        for each in ("schema", "transition")
        for word in ([f"--prove-{each}", alias] if each == proof or THOROUGH else [f"--no-prove-{each}"])
    )


def is_proven(said: str, alias: str, proof: str) -> None:
    """Schema and data, or the transition, of something."""
    print(said)
    if proof == "schema" or WHOLE or THOROUGH:
        schema_is_proven(said, ENGINES.values() if WHOLE else [ENGINES[alias]])
    if proof == "transition" or WHOLE or THOROUGH:
        found = re.search(r"of (\d+) databases that are behind, (\d+) come out the same", said)
        assert found and 0 < int(found[2]) < int(found[1]), said


def schema_is_proven(said: str, engines: Iterable[str]) -> None:
    for engine in engines:
        found = re.search(rf"build the same on {engine} \((\d+) tables, (\d+) columns", said)
        assert found and int(found[1]) > 50 and int(found[2]) > 300, said
        found = re.search(rf"leave the same rows on {engine} \((\d+) rows", said)
        assert found and int(found[1]) > 100, said


def in_step(case: Case) -> None:
    """Nothing is to be migrated, the models still fit, and each row that is left has its id and its `applied`."""
    planned, model_changes = case.project.outlook(case.databases)
    for said in planned.values():
        assert NOTHING_TO_DO in said
    assert model_changes == case.model_changes
    own = {app for app, _ in case.names}
    for alias, rows in case.dumps.items():
        there = {row[1:3] for row in rows if row[1] in own}
        assert case.names <= there <= case.names | case.replaced
        old = {(number, app, applied) for number, app, _, applied in case.before[0][alias]}
        assert {(number, app, applied) for number, app, _, applied in rows} < old
        others = [row for row in case.before[0][alias] if row[1] not in own]
        assert [row for row in rows if row[1] not in own] == others


def runs_from_scratch(case: Case, new_database: NewDatabase) -> None:
    """An empty database gets all of it from the new files."""
    empty = new_database("sqlite")
    use_databases(case.project, {"default": empty})
    process = case.project.start_migrate("default")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert NOTHING_TO_DO in case.project.migrate_plans(["default"])["default"]
    assert case.names <= {row[1:3] for row in empty.dump()}
    use_databases(case.project, case.databases)


def comes_back(case: Case) -> None:
    """Undo restores rows and files, byte for byte."""
    case.project.migsync("undo", "--noinput", "--files")
    assert (case.dumps, case.tree) == case.before
