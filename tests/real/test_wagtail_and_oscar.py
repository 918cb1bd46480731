"""The main job on the migrations of wagtail and django-oscar, through the real commands, on three engines at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import Database
from tests.profiles import IN_CI, THOROUGH
from tests.real.project import RealProject, make_project
from tests.real.renaming import Key, NewNames, choose_names, read_history, rename_files

pytestmark = pytest.mark.real

Dump = list[tuple[str, str, str, str]]

# In these apps the same names mean other migrations afterwards: nothing but the rewrite can tell.
SHIFTED = frozenset({"wagtailusers", "wagtailembeds", "partner"})
NOTHING_TO_DO = "No planned migration operations."


@pytest.fixture
def databases(new_database: NewDatabase) -> dict[str, Database]:
    """A database on each engine, by alias; without MariaDB, outside of CI, on two."""
    databases = {"default": new_database("sqlite"), "postgresql": new_database("postgresql")}
    if IN_CI or os.environ.get("MIGSYNC_TEST_MARIADB"):
        databases["mysql"] = new_database("mysql")
    return databases


def test_apply_follows_the_files_and_undo_is_exact(tmp_path: Path, databases: dict[str, Database]) -> None:
    root = tmp_path / "project"
    root.mkdir()
    project = make_project(root, databases)
    migrate(project, databases)
    before = {alias: database.dump() for alias, database in databases.items()}

    names = rewrite_history(project)
    for said in project.migrate_plans(databases).values():
        assert NOTHING_TO_DO not in said

    project.migsync("rewrite", *names.options())
    project.migsync("apply", "--noinput")
    planned = project.migrate_plans(databases)
    for alias, database in databases.items():
        assert database.dump() == expected(before[alias], names)
        assert NOTHING_TO_DO in planned[alias]

    project.migsync("undo", "--noinput")
    assert {alias: database.dump() for alias, database in databases.items()} == before


def migrate(project: RealProject, databases: dict[str, Database]) -> None:
    """Have every migration recorded everywhere, by Django's ``--fake``; when thorough, on SQLite by running them all.

    What counts here are the rows, and they are the same. tests/real/test_fewer.py runs migrations of wagtail.
    """
    project.record(databases.keys() - ({"default"} if THOROUGH else set()))
    if THOROUGH:
        process = project.start_migrate("default")
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    for said in project.migrate_plans(databases).values():
        assert NOTHING_TO_DO in said


def rewrite_history(project: RealProject) -> NewNames:
    """Give most files another name and make some of them one, so that a few hundred recorded names are wrong."""
    files = read_history(project.history)
    names = choose_names(files, SHIFTED)
    assert len(names.renamed) > 200
    assert sum(len(olds) for olds in names.collapsed.values()) > 100
    rename_files(files, names)
    return names


def expected(before: Dump, names: NewNames) -> Dump:
    """The rows as they must be: ids and applied kept, of a collapsed group the row that was applied last."""
    kept = []
    for number, app, name, applied in before:
        group = next((olds for (label, _), olds in names.collapsed.items() if label == app and name in olds), (name,))
        group_rows = [row for row in before if row[1] == app and row[2] in group]
        if (applied, int(number)) == max((row[3], int(row[0])) for row in group_rows):
            kept.append((number, app, names.of(Key(app, name)), applied))
    return kept
