"""What may have changed between `plan` and `apply`, and commands that are given once more."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.releases import MAPPED, NEW, OLD, Release, record
from tests.databases import Database, SQLiteDatabase

BLOG = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    pass\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / ".cache"))


def release_of(root: Path, database: Database, *maps: str) -> Release:
    """The new files beside an app that is not renamed; the database holds the old names."""
    database.create_table()
    record(database, *OLD, at="2024-01-01 10:00:00")
    release = Release.write(root, database, NEW)
    (root / "blog" / "migrations").mkdir(parents=True)
    (root / "blog" / "migrations" / "__init__.py").touch()
    (root / "blog" / "migrations" / "0001_initial.py").write_text(BLOG)
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'blog = "blog/migrations"\n')
    assert not maps or release.run("rewrite", *maps).status == 0
    return release


@pytest.fixture
def release(tmp_path: Path, sqlite_database: Database) -> Release:
    return release_of(tmp_path / "release", sqlite_database, *MAPPED)


@pytest.fixture
def unwritten(tmp_path: Path, sqlite_database: Database) -> Release:
    """The same without a rewrite file."""
    return release_of(tmp_path / "release", sqlite_database)


def save(release: Release, *options: str) -> str:
    file = str(release.root.parent / "plan.json")
    assert release.run("plan", "-o", file, *options).status == 0
    return file


def row_of_another_app(release: Release, _file: str) -> None:
    record(release.database, "0001_initial", app="blog")


def new_file(release: Release, _file: str) -> None:
    (release.root / "shop" / "migrations" / "0004_note.py").write_text(
        BLOG.replace("    pass", '    dependencies = [("shop", "0003_sku")]')
    )


def other_texts(_release: Release, file: str) -> None:
    document = json.loads(Path(file).read_text())
    document["migsync"] = "99.0"
    document["plans"][0]["findings"] = [{"code": "x", "severity": "info", "found": "Another text."}]
    Path(file).write_text(json.dumps(document))


def rewrite_renamed(release: Release, _file: str) -> None:
    (rewrite,) = (release.root / "migration_rewrites").glob("*.toml")
    rewrite.rename(rewrite.with_stem("20200101T000000_other"))


@pytest.mark.parametrize("change", [row_of_another_app, new_file, other_texts, rewrite_renamed])
def test_what_a_saved_plan_does_not_rest_on_may_change(
    release: Release, change: Callable[[Release, str], None]
) -> None:
    file = save(release)
    change(release, file)
    for said in ("applied: 3 changes", "already applied"):
        ended = release.run("apply", file, "--noinput")
        assert ended.status == 0, ended.said
        assert said in ended.said
    assert set(NEW) <= set(release.names())


def test_a_row_of_the_same_app_makes_a_saved_plan_stale(release: Release) -> None:
    file = save(release)
    record(release.database, "0004_note")
    before = release.database.dump()
    ended = release.run("apply", file, "--noinput")
    assert (ended.status, release.database.dump()) == (3, before)
    assert "shop.0004_note (row 5) is new" in ended.said


@pytest.mark.parametrize("options", [(), ("--no-journal",)])
def test_a_deployment_that_is_started_again_has_nothing_to_do(release: Release, options: tuple[str, ...]) -> None:
    """`apply` and `migrate` have run; the job failed later and is run again with the same plan."""
    file = save(release, *options)
    assert release.run("apply", file, "--noinput", *options).status == 0
    record(release.database, "0004_note")
    after = release.database.dump()
    ended = release.run("apply", file, "--noinput", *options)
    assert (ended.status, release.database.dump()) == (0, after), ended.said
    assert "already applied" in ended.said


def test_the_proposed_rewrite_was_committed_meanwhile(unwritten: Release) -> None:
    file = save(unwritten, *MAPPED)
    assert unwritten.run("rewrite", *MAPPED).status == 0
    ended = unwritten.run("apply", file, "--noinput")
    assert ended.status == 0, ended.said
    assert sorted(unwritten.names()) == sorted(NEW)
    assert len(list((unwritten.root / "migration_rewrites").iterdir())) == 1
    assert unwritten.run("plan", "--check").status == 0


def test_the_same_command_for_the_next_database_and_once_more(unwritten: Release, tmp_path: Path) -> None:
    """The first one writes a rewrite, which says what --map says."""
    second = SQLiteDatabase(tmp_path / "second.sqlite3")
    second.create_table()
    record(second, *OLD, at="2024-01-01 10:00:00")
    pyproject = unwritten.root / "pyproject.toml"
    pyproject.write_text(f'[tool.migsync.databases.second]\nurl = "{second.url}"\n' + pyproject.read_text())
    for alias in ("default", "default", "second", "second"):
        ended = unwritten.run("apply", "--noinput", "-d", alias, *MAPPED)
        assert ended.status == 0, ended.said
    assert sorted(unwritten.names()) == sorted(row[2] for row in second.dump()) == sorted(NEW)
    assert len(list((unwritten.root / "migration_rewrites").iterdir())) == 1


@pytest.mark.parametrize("options", [MAPPED, (*MAPPED, "--dedupe", "--app", "shop"), (*MAPPED, "--no-journal")])
def test_the_command_that_plan_prints_makes_this_plan(unwritten: Release, options: tuple[str, ...]) -> None:
    said = unwritten.run("plan", *options).said
    command = said.rpartition("To apply the plan: migsync ")[2].splitlines()[0]
    assert unwritten.run(*shlex.split(command), "--noinput").status == 0
    assert sorted(unwritten.names()) == sorted(NEW)


def test_a_journal_knows_of_every_run(release: Release) -> None:
    """A run that it does not know of would make the next plan and undo wrong."""
    assert release.run("apply", "--noinput").status == 0
    assert release.run("undo", "--noinput").status == 0
    before = release.database.dump()
    for command in (("plan",), ("apply", "--noinput"), ("script", "--out", str(release.root / "sql"))):
        ended = release.run(*command, "--no-journal")
        assert (ended.status, release.database.dump()) == (1, before)
        assert "Run the command again without `--no-journal`" in ended.said
    assert release.run("apply", "--noinput").status == 0
