"""``migsync show APP.NAME``: what ran under a name, how that is known, and the source that is not on disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from migsync.cli.views.migrations import KNOWN
from migsync.sync.provenance import ContentSource
from tests.cli.entries import Entry, Project, record
from tests.cli.test_looks import add, made, migrate, tables
from tests.databases import Database

SOURCES = 'contents = "source"'


def git(root: Path, *arguments: str, at: str = "") -> None:
    name = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    moment = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
    subprocess.run(
        ["git", "-C", str(root), *name, *arguments], check=True, capture_output=True, env={**os.environ, **moment}
    )


def shown(project: Project, name: str) -> dict:
    ended = project.run("show", name, "--format", "json")
    assert ended.status == 0, ended.err
    return ended.json


@pytest.fixture
def looked(tmp_path: Path, database: Database) -> tuple[Project, Database]:
    """0003_sku was recorded between two looks that keep the sources."""
    project = made(tmp_path, record(database), SOURCES)
    add(project, "0003_sku", "0002_price", 3)
    assert project.run("apply", "--noinput").status == 0
    migrate(project, database, 3, "0003_sku")
    assert project.run("apply", "--noinput").status == 0
    return project, database


def test_what_was_seen_and_kept(looked: tuple[Project, Database]) -> None:
    project, database = looked
    path = project.root / "shop" / "migrations" / "0003_sku.py"
    assert tables(database)[-1] == 3, "one row for each distinct file"
    found = shown(project, "shop.0003_sku")
    (row,) = found["databases"]
    assert (row["alias"], row["row"], row["known"], row["event"]) == ("default", 3, "seen", "seen")
    assert row["noted"][:2] == "20"
    assert row["versions"][0]["operations"] == [{"kind": "RunSQL", "subject": ""}]
    assert (row["versions"][0]["is_today"], found["sources"], found["file"]) == (True, [], str(path))
    # The file is lost, and there is no git.
    text = path.read_text()
    path.unlink()
    found = shown(project, "shop.0003_sku")
    assert found["file"] is None
    assert [(one["where"], one["text"]) for one in found["sources"]] == [("default", text)]
    said = project.run("show", "shop.0003_sku").out
    assert "shop.0003_sku  no file on disk" in said
    assert "recorded in row 3 at 2026-04-03 10:00:00.123456" in said
    assert "what ran: presumed: the file was the same before and after the record appeared, noted 20" in said
    assert "    operations = [migrations.RunSQL" in said


def test_a_file_that_was_only_seen_is_found_by_its_name(looked: tuple[Project, Database]) -> None:
    project, _ = looked
    path = add(project, "0004_note", "0003_sku", 4)
    text = path.read_text()
    assert project.run("apply", "--noinput").status == 0
    path.unlink()
    assert project.run("apply", "--noinput").status == 0
    found = shown(project, "shop.0004_note")
    assert [(one["where"], one["text"]) for one in found["sources"]] == [("default", text)]
    assert found["databases"] == [{"alias": "default", "row": None}]


def test_sources_that_are_wanted_later_are_kept_from_the_next_look_on(
    tmp_path: Path, sqlite_database: Database
) -> None:
    project = made(tmp_path, record(sqlite_database))
    assert project.run("apply", "--noinput").status == 0
    assert tables(sqlite_database)[-1] == 0
    project.configure({"default": Entry(sqlite_database.url)}, SOURCES)
    assert project.run("apply", "--noinput").status == 0
    assert tables(sqlite_database)[-1] == 2
    before = tables(sqlite_database)
    assert project.run("apply", "--noinput").status == 0
    assert tables(sqlite_database) == before
    sqlite_database.execute("UPDATE migsync_source SET document = 'eJw='")
    (project.root / "shop/migrations/0002_price.py").unlink()
    assert "migsync_source cannot be read" in project.run("show", "shop.0002_price").err


def test_git_and_names(tmp_path: Path, sqlite_database: Database) -> None:
    project = made(tmp_path, record(sqlite_database))
    git(project.root, "init", "-q")
    git(project.root, "add", "shop")
    git(project.root, "commit", "-qm", "one", "--date", "2026-01-01T00:00:00Z")
    path = project.root / "shop/migrations/0002_price.py"
    text = path.read_text()
    path.unlink()
    found = shown(project, "shop.0002_price")
    assert [(one["where"], one["text"]) for one in found["sources"]] == [("git", text)]
    # An old name, which only a row and the rewrite have.
    (row,) = shown(project, "shop.0003_price")["databases"]
    assert (row["row"], row["known"], row["event"], row["versions"]) == (2, "name", None, [])
    assert "what ran: not known" in project.run("show", "shop.0003_price").out


def test_an_unknown_name_gets_a_suggestion(tmp_path: Path, sqlite_database: Database) -> None:
    project = made(tmp_path, record(sqlite_database))
    ended = project.run("show", "shop.0002_prise")
    assert (ended.status, "Did you mean shop.0002_price" in ended.err) == (64, True)
    assert project.run("show", "shop.").status == 64
    assert "the APP.NAME of a migration" in project.run("show", "0002_price").err
    assert project.run("show", "7").status == 1, "a run, as before"


def test_a_row_that_a_run_renamed_names_the_run(tmp_path: Path, sqlite_database: Database) -> None:
    project = made(tmp_path, record(sqlite_database))
    assert project.run("apply", "--noinput").status == 0
    (row,) = shown(project, "shop.0002_price")["databases"]
    assert (row["runs"], row["name"]) == ([1], "shop.0002_price")
    assert "changed by run 1" in project.run("show", "shop.0002_price").out
    # By its old name as well, which nothing but the run and the rewrite know.
    assert shown(project, "shop.0003_price")["databases"] == [row]
    assert ", as shop.0002_price today" in project.run("show", "shop.0003_price").out


def test_git_is_asked_for_the_name_under_which_a_renamed_row_ran(tmp_path: Path, sqlite_database: Database) -> None:
    project = made(tmp_path, record(sqlite_database))
    old = add(project, "0003_price", "0001_initial", 3)
    git(project.root, "init", "-q")
    git(project.root, "add", "shop")
    git(project.root, "commit", "-qm", "one", at="2026-01-01T00:00:00Z")
    text = old.read_text()
    old.unlink()
    assert project.run("apply", "--noinput").status == 0
    found = shown(project, "shop.0002_price")
    (version,) = found["databases"][0]["versions"]
    assert (found["databases"][0]["known"], version["is_today"]) == ("git", False)
    assert "changed by run 1, ran as shop.0003_price" in project.run("show", "shop.0002_price").out
    assert version["operations"] == [{"kind": "RunSQL", "subject": ""}]
    assert [source["text"] for source in found["sources"]] == [text]


def test_every_way_to_know_what_ran_has_words(looked: tuple[Project, Database]) -> None:
    project, database = looked
    assert KNOWN.keys() | {ContentSource.GIT} == set(ContentSource)
    for event, said in (
        ("stated", "stated with --against-evidence, noted 20"),
        ("applied", "known from the guard of migrate, noted 20"),
        ("faked", "nothing ran: it was faked, noted 20"),
    ):
        database.execute(f"UPDATE migsync_ran SET event = '{event}'")
        assert f"what ran: {said}" in project.run("show", "shop.0003_sku").out
