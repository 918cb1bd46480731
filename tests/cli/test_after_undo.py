"""No command leads into a state that the next one does not understand: what comes after an undo."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest

from tests.cli.releases import MAPPED, NEW, NEWER, OLD, Release, record
from tests.databases import Database

BEHIND = list(OLD)[:2]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / ".cache"))


def rolled_out(
    tmp_path: Path, database: Database, *since: str, files: dict[str, str] = NEWER
) -> tuple[Release, Release]:
    """The newer and the older release; the newer one was applied to a database that was behind, and then migrated."""
    database.create_table()
    record(database, *BEHIND, at="2024-01-01 10:00:00")
    older = Release.write(tmp_path / "older", database, OLD)
    newer = Release.write(tmp_path / "newer", database, files, *MAPPED)
    assert newer.run("apply", "--noinput").status == 0
    record(database, *since)
    return newer, older


def test_apply_after_an_undo_leaves_what_was_there_before_it(tmp_path: Path, database: Database) -> None:
    """Case 52: migrations were recorded under the new names between the run and the undo."""
    newer, _ = rolled_out(tmp_path, database, "0003_sku", "0004_note")
    before = database.dump()
    ended = newer.run("undo", "--noinput")
    assert ended.status == 0
    assert "shop.0003_sku (row 3) keeps its name: it was recorded after the run." in ended.said
    assert newer.names() == ["0001_initial", "0003_price", "0003_sku", "0004_note"]
    undone = database.dump()
    for command in (["plan"], ["status"], ["log"], ["rewrite"], ["script", "--out", str(tmp_path / "sql")]):
        ended = newer.run(*command)
        assert ended.status == 0, ended.said
        assert "blocked" not in ended.said
    assert "needs 1 change" in newer.run("plan").said
    assert newer.run("plan", "--check").status == 2
    assert database.dump() == undone
    assert newer.run("apply", "--noinput").status == 0
    assert database.dump() == before
    assert newer.django().pending == ()


def test_an_undo_of_the_undo_with_rows_recorded_in_between(tmp_path: Path, database: Database) -> None:
    """Under names that the rewrite gave they stay; under names that it took away, apply takes all rows along."""
    newer, older = rolled_out(tmp_path, database)
    assert newer.run("undo", "--noinput").status == 0
    record(database, "0003_sku")
    assert newer.run("undo", "2", "--noinput").status == 0
    assert newer.names() == ["0001_initial", "0002_price", "0003_sku"]
    assert newer.run("plan", "--check").status == 0
    assert newer.run("undo", "3", "--noinput").status == 0
    database.execute("DELETE FROM django_migrations WHERE name = '0003_sku'")
    record(database, "0004_merge", "0005_sku")
    assert older.django().pending == ()
    ended = newer.run("undo", "4", "--noinput")
    assert ended.status == 1
    assert "To bring all records forward, this one too: migsync apply" in ended.said
    assert newer.run("apply", "--noinput").status == 0
    assert newer.names() == ["0001_initial", "0002_price", "0003_sku"]
    assert [key.name for key in newer.django().pending] == ["0004_note"]


def test_runs_that_build_on_each_other_are_undone_newest_first(tmp_path: Path, sqlite_database: Database) -> None:
    """Also where the later run touched other rows: its rewrite was made on top of the earlier one."""
    newer, _ = rolled_out(tmp_path, sqlite_database, "0003_sku", files=NEW)
    before = sqlite_database.dump()
    files = {"0001_initial": "", "0002_price": "0001_initial", "0004_sku": "0002_price"}
    latest = Release.write(tmp_path / "latest", sqlite_database, files)
    shutil.copytree(newer.root / "migration_rewrites", latest.root / "migration_rewrites")
    assert latest.run("rewrite", "--map", "shop.0003_sku=0004_sku").status == 0
    assert latest.run("apply", "--noinput").status == 0
    applied = sqlite_database.dump()
    ended = latest.run("undo", "1", "--noinput")
    assert ended.status == 1
    assert "Undo run 2 first, then run 1: migsync undo 2" in ended.said
    assert sqlite_database.dump() == applied
    assert latest.run("undo", "2", "--noinput").status == 0
    assert sqlite_database.dump() == before
    assert latest.run("undo", "1", "--noinput").status == 0
    assert latest.names() == ["0001_initial", "0003_price", "0003_sku"]
    assert latest.run("apply", "--noinput").status == 0
    assert sqlite_database.dump() == applied


def test_rows_recorded_between_the_undo_and_the_next_apply(tmp_path: Path, database: Database) -> None:
    """By the older files, and by a process of the newer release that was still running."""
    newer, _ = rolled_out(tmp_path, database)
    assert newer.run("undo", "--noinput").status == 0
    record(database, "0004_merge", "0003_sku")
    assert newer.run("apply", "--noinput").status == 0
    assert newer.names() == ["0001_initial", "0002_price", "0003_sku"]
    assert [key.name for key in newer.django().pending] == ["0004_note"]


def test_the_older_files_after_an_undo(tmp_path: Path, database: Database) -> None:
    """A row that stayed would run again under its older name; it goes back with the word."""
    newer, older = rolled_out(tmp_path, database, "0003_sku", files=NEW)
    before = database.dump()
    assert newer.run("undo", "--noinput").status == 0
    ended = older.run("apply", "--noinput")
    assert ended.status == 1
    assert "ahead of the files" in ended.said
    assert older.run("apply", "--noinput", "--backwards").status == 0
    assert older.names() == ["0001_initial", "0003_price", "0005_sku", "0004_merge"]
    assert older.django().pending == ()
    assert older.run("plan", "--check").status == 0
    assert newer.run("apply", "--noinput").status == 0
    assert database.dump() == before


def test_the_older_files_never_pass_a_migration_of_the_newer_release(tmp_path: Path, sqlite_database: Database) -> None:
    newer, older = rolled_out(tmp_path, sqlite_database, "0003_sku", "0004_note")
    assert newer.run("undo", "--noinput").status == 0
    undone = sqlite_database.dump()
    ended = older.run("apply", "--noinput", "--backwards")
    assert ended.status == 1
    assert "shop.0004_note (row 4)" in ended.said
    assert sqlite_database.dump() == undone


def test_an_undo_is_refused_where_a_row_would_mean_another_migration(tmp_path: Path, sqlite_database: Database) -> None:
    """A swap: 0002_b was recorded since the run, and before the run it was the name of what is 0002_a now."""
    database = sqlite_database
    database.create_table()
    record(database, "0001_initial", "0002_a", at="2024-01-01 10:00:00")
    files = {"0001_initial": "", "0002_b": "0001_initial", "0002_a": "0002_b"}
    newer = Release.write(
        tmp_path / "newer", database, files, "--map", "shop.0002_a=0002_b", "--map", "shop.0002_b=0002_a"
    )
    assert newer.run("apply", "--noinput").status == 0
    assert newer.names() == ["0001_initial", "0002_b"]
    record(database, "0002_a")
    before = database.dump()
    ended = newer.run("undo", "--noinput")
    assert ended.status == 1
    assert "name" in ended.said
    assert database.dump() == before
    assert newer.run("plan", "--check").status == 0


def test_a_row_that_a_remake_left_under_its_name_does_not_keep_it_from_being_undone(
    tmp_path: Path, database: Database
) -> None:
    """One migration became two, and the first has the old name: its row is not touched, and was there before.

    Names do not tell where such a database stands. After the undo the journal does.
    """
    database.create_table()
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
    record(database, "0001_initial", at=f"{now:%Y-%m-%d %H:%M:%S}")
    files = {"0001_initial": "", "0002_rest": "0001_initial"}
    newer = Release.write(tmp_path / "newer", database, files, "--collapse", "shop.0001_initial+0002_rest=0001_initial")
    before = database.dump()
    assert newer.run("apply", "--noinput", "--position", "shop=none").status == 0
    assert newer.names() == ["0001_initial", "0002_rest"]
    assert newer.run("undo", "--noinput").status == 0
    assert database.dump() == before
    assert newer.run("apply", "--noinput").status == 0
    assert newer.names() == ["0001_initial", "0002_rest"]
