"""Forward only: an older release never takes the rows of a newer one back by itself."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.releases import MAPPED, NEW, NEWER, OLD, Release, record
from tests.databases import Database


class Releases(NamedTuple):
    newer: Release
    older: Release
    database: Database


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / ".cache"))


def releases(tmp_path: Path, database: Database) -> Releases:
    """A database that was migrated with the older release, and that the newer one has applied its rewrite to."""
    database.create_table()
    record(database, *OLD, at="2024-01-01 10:00:00")
    older = Release.write(tmp_path / "older", database, OLD)
    newer = Release.write(tmp_path / "newer", database, NEWER, *MAPPED)
    assert newer.run("apply", "--noinput").status == 0
    return Releases(newer, older, database)


def test_an_older_release_that_is_started_again_changes_nothing(tmp_path: Path, database: Database) -> None:
    """Case 51: the newer release is applied and has recorded a migration; then an old image restarts."""
    newer, older, _ = releases(tmp_path, database)
    record(database, "0004_note")
    before = database.dump()
    for arguments in (["--noinput"], ["--noinput", "--backwards"], ["--noinput", "--accept"]):
        ended = older.run("apply", *arguments)
        assert ended.status == 1
        assert "shop.0004_note" in ended.said
        assert "not even with --backwards" in ended.said
        assert database.dump() == before
    assert older.at_terminal([], "apply").status == 1
    assert database.dump() == before
    assert newer.run("apply", "--noinput").status == 0
    assert newer.django().pending == ()


def test_going_back_needs_the_word(tmp_path: Path, database: Database) -> None:
    newer, older, _ = releases(tmp_path, database)
    ahead = database.dump()
    for command in (["plan"], ["plan", "--check"], ["apply", "--noinput"], ["apply", "--dry-run"]):
        ended = older.run(*command)
        assert (ended.status, database.dump()) == (1, ahead), ended.said
        assert "ahead of the files" in ended.said
        assert "rewrite --map" in ended.said
        assert "migsync apply --backwards" in ended.said
    assert older.run("plan", "--backwards").status == 0
    assert "back to older names" in older.run("plan", "--backwards").said
    assert older.run("apply", "--backwards").status == 1  # the word is no answer to the question
    assert older.run("apply", "--backwards", "--noinput").status == 0
    assert sorted(older.names()) == sorted(OLD)
    assert older.django().pending == ()
    assert older.run("plan", "--check").status == 0
    assert newer.run("apply", "--noinput").status == 0
    assert database.dump() == ahead


def test_at_a_terminal_a_person_is_asked(tmp_path: Path, sqlite_database: Database) -> None:
    _, older, database = releases(tmp_path, sqlite_database)
    ahead = database.dump()
    assert older.at_terminal([], "plan").status == 1
    ended = older.at_terminal(["n"], "apply")
    assert (ended.status, database.dump()) == (1, ahead)
    assert "Go back to older names in default?" in ended.said
    assert ended.said.count("ahead of the files") == 1  # a No is not followed by the same error again
    assert "Nothing was changed." in ended.said
    ended = older.at_terminal(["y", "n"], "apply")
    assert (ended.status, database.dump()) == (1, ahead)
    assert "Make 3 changes in default (back to older names)?" in ended.said
    assert older.at_terminal(["y", "y"], "apply").status == 0
    assert sorted(older.names()) == sorted(OLD)


def test_a_saved_plan_that_goes_back_needs_the_word_too(tmp_path: Path, sqlite_database: Database) -> None:
    _, older, database = releases(tmp_path, sqlite_database)
    ahead, saved, out = database.dump(), str(tmp_path / "plan.json"), ("--out", str(tmp_path / "sql"))
    ended = older.run("plan", "--backwards", "-o", saved)
    assert f"migsync apply {saved} --backwards" in ended.said
    for command in (["apply", saved, "--noinput"], ["script", saved, *out], ["script", *out]):
        ended = older.run(*command)
        assert (ended.status, database.dump()) == (1, ahead)
        assert "--backwards" in ended.said
    assert not (tmp_path / "sql").exists()
    assert older.at_terminal(["n"], "apply", saved).status == 1
    assert older.run("script", saved, *out, "--backwards").status == 0
    assert older.run("apply", saved, "--noinput", "--backwards").status == 0
    assert sorted(older.names()) == sorted(OLD)


def test_a_program_reads_it_as_a_finding(tmp_path: Path, sqlite_database: Database) -> None:
    _, older, database = releases(tmp_path, sqlite_database)
    document = older.run("plan", "--format", "json").json
    assert document["databases"][0]["state"] == "ahead"
    assert [(found["code"], found["severity"]) for found in document["plans"][0]["findings"]] == [
        ("database-ahead", "error")
    ]
    assert older.run("status", "--format", "json").json["databases"][0]["state"] == "ahead"
    assert "ahead of the files" in older.run("status").said
    record(database, "0004_note")
    document = older.run("plan", "--format", "json", "--backwards").json
    assert document["databases"][0]["state"] == "ahead"
    assert [found["code"] for found in document["plans"][0]["findings"]] == ["newer-records"]
    assert document["plans"][0]["changes"] == []


def test_a_leftover_from_before_does_not_stand_in_the_way(tmp_path: Path, sqlite_database: Database) -> None:
    sqlite_database.create_table()
    record(sqlite_database, "0002_leftover", *OLD, at="2024-01-01 10:00:00")
    older = Release.write(tmp_path / "older", sqlite_database, OLD)
    newer = Release.write(tmp_path / "newer", sqlite_database, NEW, *MAPPED)
    before = sqlite_database.dump()
    assert newer.run("apply", "--noinput").status == 0
    assert older.run("apply", "--noinput", "--backwards").status == 0
    assert sqlite_database.dump() == before


@pytest.mark.parametrize("app", ["shop", "billing"])
def test_records_of_a_newer_release_can_be_pruned_by_name(tmp_path: Path, sqlite_database: Database, app: str) -> None:
    """Also those of an app that the older files do not have; the advice is one that works."""
    _, older, database = releases(tmp_path, sqlite_database)
    record(database, "0004_note", app=app)
    ended = older.run("apply", "--noinput", "--backwards")
    assert ended.status == 1
    assert f"--prune {app}.0004_note --backwards" in ended.said
    assert older.run("apply", "--noinput", "--backwards", "--prune", f"{app}.0004_note").status == 0
    assert sorted(older.names()) == sorted(OLD)
