"""Migrations that were made anew by hand, through the real commands, judged by ``migrate``.

Names fit, or are gone: a database that had all of the old migrations has the new one, and one that had the first only
must not be taken for it.
"""

from __future__ import annotations

import pytest

from tests.companion.test_what_ran import ON_SQLITE, Project
from tests.companion.test_what_ran import project as project  # a fixture
from tests.databases import ENGINES
from tests.profiles import THOROUGH
from tests.rewrites.evidence.repository import Project as Repository

OLD = (("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))


def reset(project: Project, *, git: bool) -> None:
    """All files are deleted, and one is made that has everything."""
    if git:
        (project.root / ".gitignore").write_text("__pycache__\n*.sqlite3\n.migsync\n")
        Repository(project.root / "unused", git=False).git("init", "-q", cwd=project.root)
        git_in(project, "add", "-A")
        git_in(project, "commit", "-q", "-m", "work")
    project.write(("0001_initial", "a b c"))


def git_in(project: Project, *arguments: str) -> None:
    Repository(project.root / "unused", git=False).git(*arguments, cwd=project.root)


def forget(project: Project) -> None:
    """The database was migrated without the guard."""
    for table in ("migsync_ran", "migsync_content_seen", "migsync_content"):
        project.database.execute(f"DELETE FROM {table}")


CASES = [(known, engine) for known in ("git", "guarded", "both") for engine in ENGINES]


@pytest.mark.parametrize(
    ("known", "database"),
    [case for case in CASES if THOROUGH or "guarded" in case or "sqlite" in case],
    indirect=["database"],
)
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


@ON_SQLITE
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


@ON_SQLITE
def test_a_database_that_is_behind(project: Project) -> None:
    project.write(*OLD)
    project.migrate("shop", "0001")
    reset(project, git=False)
    said = project.plan(1)
    assert "blocked" in said
    assert "shop.0001_initial ran, but with other operations" in said
    assert "item.b" in said
    assert "item.c" in said
    assert "git checkout" not in said


@ON_SQLITE
@pytest.mark.parametrize("rewrite", [True, False])
def test_a_database_that_is_behind_runs_the_old_files_from_git(project: Project, rewrite: bool) -> None:
    """With the rewrite of another database, and before there is one: the commands that are printed lead out."""
    project.write(*OLD)
    project.migrate("shop", "0001")
    reset(project, git=True)
    if not rewrite:
        forget(project)
        # Git counts in seconds: all of this happens in one of them.
        project.database.execute("UPDATE django_migrations SET applied = '2020-01-01 00:00:00'")
    else:
        collapse = "shop.0001_initial=0001_initial+0002_x+0003_y"
        assert project.migsync("rewrite", "--collapse", collapse)[0] == 0
    said = project.plan(1)
    assert ("Not recorded here: 0002_x and 0003_y." if rewrite else "ran, but with other operations") in said
    assert "This database does not have: item." in said
    git_in(project, "add", "-A")
    git_in(project, "commit", "-q", "-m", "reset")
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith(("git ", "python "))]
    start = next(number for number, line in enumerate(commands) if line.startswith("git checkout"))
    checkout, migrate, back = (line.split()[1:] for line in commands[start : start + 3])
    git_in(project, *checkout)
    assert project.run(*migrate)[0] == 0
    git_in(project, *back)
    assert "needs 3 changes" in project.plan()
    assert project.migsync("apply", "--noinput")[0] == 0
    assert "No planned migration operations" in project.manage("migrate", "--plan")[1]
    assert "up to date" in project.plan()
