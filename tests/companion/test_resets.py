"""Migrations that were made anew by hand, through the real commands on each engine, judged by ``migrate``.

Names fit, or are gone: a database that had all of the old migrations has the new one, and one that had the first only
must not be taken for it.
"""

from __future__ import annotations

import pytest

from tests.companion.test_what_ran import Project
from tests.companion.test_what_ran import project as project  # a fixture
from tests.rewrites.evidence.repository import Project as Repository

OLD = (("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))


def reset(project: Project, *, git: bool) -> None:
    """All files are deleted, and one is made that has everything."""
    if git:
        repository = Repository(project.root / "unused", git=False)
        repository.git("init", "-q", cwd=project.root)
        (project.root / ".gitignore").write_text("__pycache__\n*.sqlite3\n")
        for message in ("add", "commit"):
            more = ("-A",) if message == "add" else ("-q", "-m", "work")
            repository.git(message, *more, cwd=project.root)
    project.write(("0001_initial", "a b c"))


def forget(project: Project) -> None:
    """The database was migrated without the guard."""
    for table in ("migsync_ran", "migsync_content_seen", "migsync_content"):
        project.database.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("known", ["git", "guarded", "both"])
def test_a_database_that_had_all_of_it(project: Project, known: str) -> None:
    project.write(*OLD)
    project.migrate()
    if known == "git":
        forget(project)
    reset(project, git=known != "guarded")
    said = project.plan()
    assert "shop.0001_initial, shop.0002_x and shop.0003_y became shop.0001_initial." in said
    assert "Together they made the same tables as shop.0001_initial makes" in said
    before = project.database.dump()
    assert project.migsync("apply", "--noinput")[0] == 0
    assert project.names() == ["0001_initial"]
    assert "No planned migration operations" in project.manage("migrate", "--plan")[1]
    assert "up to date" in project.plan()
    # The tables are those that a new database gets.
    tables = project.manage("inspectdb")
    project.migrate("shop", "zero")
    project.migrate()
    assert project.manage("inspectdb") == tables
    assert "up to date" in project.plan()
    assert before


def test_undone_and_done_again(project: Project) -> None:
    project.write(*OLD)
    project.migrate()
    before = project.database.dump()
    reset(project, git=False)
    assert project.migsync("apply", "--noinput")[0] == 0
    after = project.database.dump()
    assert project.migsync("undo", "--noinput")[0] == 0
    assert project.database.dump() == before
    assert "needs 3 changes" in project.plan()
    assert project.migsync("apply", "--noinput")[0] == 0
    assert project.database.dump() == after


@pytest.mark.parametrize("known", ["git", "guarded"])
def test_a_database_that_is_behind(project: Project, known: str) -> None:
    project.write(*OLD)
    project.migrate("shop", "0001")
    if known == "git":
        forget(project)
    reset(project, git=known == "git")
    said = project.plan(1)
    assert "blocked" in said
    assert "shop.0001_initial ran, but with other operations" in said
    assert "item.b" in said
    assert "item.c" in said
