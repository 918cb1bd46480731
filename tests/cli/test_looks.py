"""``migsync apply`` looks: it notes what the files are where that can be noted, and nothing else changes by that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from migsync.sync import look
from tests.cli.entries import FILE, Entry, Project, names, record
from tests.databases import Database
from tests.sync.story import target_of
from tests.sync.test_look import known


def made(root: Path, database: Database, more: str = "") -> Project:
    return Project.make(root, {"default": Entry(database.url)}, more)


def migrate(project: Project, database: Database, number: int, name: str) -> None:
    """What an unguarded ``migrate`` does, once its file is there."""
    database.insert([(number, "shop", name, f"2026-04-0{number} 10:00:00.123456")])


def add(project: Project, name: str, after: str, number: int) -> Path:
    path = project.root / "shop" / "migrations" / f"{name}.py"
    path.write_text(FILE.format(above=f'("shop", "{after}")', number=number))
    return path


def tables(database: Database) -> list[int]:
    found = ("migsync_run", "migsync_look", "migsync_files", "migsync_ran", "migsync_content", "migsync_source")
    return [database.execute(f"SELECT count(*) FROM {table}")[0][0] for table in found]


def test_the_first_change_begins_and_each_apply_goes_on(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database))
    add(project, "0003_sku", "0002_price", 3)
    assert project.run("apply", "--noinput").status == 0
    assert tables(database) == [1, 1, 2, 0, 0, 0]
    assert project.run("apply", "--noinput").out.endswith("Nothing to do.\n")
    assert tables(database) == [1, 1, 2, 0, 0, 0]
    migrate(project, database, 3, "0003_sku")
    path = add(project, "0004_late", "0003_sku", 4)
    migrate(project, database, 4, "0004_late")
    for command in ("plan", "status", "apply --dry-run", "show 1", "log"):
        assert project.run(*command.split()).status == 0
    assert tables(database) == [1, 1, 2, 0, 0, 0]
    assert project.run("apply").status == 0, "nobody has to be asked"
    assert tables(database) == [1, 2, 4, 1, 1, 0]
    with target_of(database) as target:
        assert known(target) == [(3, "0003_sku", "seen")]
    # An undo keeps ids, and is no look.
    assert project.run("undo", "--noinput").status == 0
    assert tables(database) == [2, 2, 4, 1, 1, 0]
    path.write_text(path.read_text() + "\n")
    assert project.run("apply", "--noinput").status == 0
    assert tables(database) == [3, 3, 6, 1, 1, 0]
    with target_of(database) as target:
        assert known(target) == [(3, "0003_sku", "seen")]


def test_an_idle_apply_makes_no_tables(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database, ("0001_initial", "0002_price")))
    shutil.rmtree(tmp_path / "migration_rewrites")
    assert project.run("apply", "--noinput").status == 0
    with target_of(database) as target:
        assert target.journal_version() == ""


@pytest.mark.parametrize("how", ["journal = false", "--no-journal", "blocked"])
def test_no_look_is_taken(tmp_path: Path, sqlite_database: Database, how: str) -> None:
    project = made(tmp_path, record(sqlite_database))
    assert project.run("apply", "--noinput").status == 0
    add(project, "0003_sku", "0002_price", 3)
    before = tables(sqlite_database)
    if how == "journal = false":
        project.configure({"default": Entry(sqlite_database.url)}, how)
    if how == "blocked":
        add(project, "0003_other", "0002_price", 4)
    project.run("apply", "--noinput", *(["--no-journal"] if how == "--no-journal" else []))
    assert tables(sqlite_database) == before


def test_a_saved_plan_that_is_applied_looks_too(tmp_path: Path, sqlite_database: Database) -> None:
    project = made(tmp_path, record(sqlite_database))
    plan = str(tmp_path / "plan.json")
    assert project.run("plan", "-o", plan).status == 0
    assert project.run("apply", plan, "--noinput").status == 0
    assert tables(sqlite_database)[:2] == [1, 1]


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
def test_a_look_that_fails_changes_no_result(
    tmp_path: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    project = made(tmp_path, record(sqlite_database))

    def fail(*_: object) -> bool:
        raise error

    monkeypatch.setattr(look, "write_look", fail)
    ended = project.run("apply", "--noinput")
    assert ended.status == 0
    assert names(sqlite_database) == ("0001_initial", "0002_price")
    told = "could not note what the migration files are: the disk is full"
    assert (told in ended.err) is isinstance(error, OSError)
