"""The commands that messages print are typed as they stand: each does what the message says, and no more."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from migsync.cli.commands.plan import plan
from migsync.cli.next_command import next_command
from migsync.cli.program import program
from tests.cli.releases import MAPPED, NEW, NEWER, OLD, Ended, Release, record
from tests.databases import Database, SQLiteDatabase

LEFTOVER = "0002_leftover"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / ".cache"))


def typed(release: Release, ended: Ended, name: str, *more: str) -> Ended:
    """Run the last `migsync NAME` that was printed, exactly as it was printed."""
    (line,) = re.findall(rf": (migsync {name}\b.*)$", ended.said, re.MULTILINE)
    command, *arguments = shlex.split(line)[1:]
    assert arguments.count("--root") == 1, line
    del arguments[arguments.index("--root") : arguments.index("--root") + 2]
    return release.run(command, *arguments, *more)


@pytest.mark.parametrize("options", [("--prune", f"shop.{LEFTOVER}"), ("--map", f"shop.{LEFTOVER}=0004_note")])
@pytest.mark.parametrize("saved", [False, True])
def test_apply_repeats_what_the_plan_was_asked(
    tmp_path: Path, sqlite_database: Database, options: tuple[str, str], *, saved: bool
) -> None:
    sqlite_database.create_table()
    record(sqlite_database, *NEW, LEFTOVER)
    release = Release.write(tmp_path / "a project", sqlite_database, NEWER)
    assert release.run("apply", "--noinput").status == 1
    file = ("-o", str(tmp_path / "the plan.json")) if saved else ()
    planned = release.run("plan", *options, *file)
    assert planned.status == 0
    assert typed(release, planned, "apply", "--noinput").status == 0
    assert release.run("plan", "--check").status == 0


def test_the_hint_of_a_finding_can_be_typed_for_another_project(tmp_path: Path, sqlite_database: Database) -> None:
    sqlite_database.create_table()
    record(sqlite_database, *NEW, next(iter(NEW)))
    release = Release.write(tmp_path / "a project", sqlite_database, NEW)
    refused = release.run("plan")
    assert refused.status == 1
    assert typed(release, refused, "plan").status == 0


def test_the_hint_of_an_error_can_be_typed_for_another_project(tmp_path: Path, sqlite_database: Database) -> None:
    sqlite_database.create_table()
    record(sqlite_database, *NEW)
    release = Release.write(tmp_path / "a project", sqlite_database, NEW)
    refused = release.run("undo", "f" * 12)
    assert (refused.status, "unknown-run" in refused.said) == (1, True)
    assert typed(release, refused, "log").status == 0


def test_undo_takes_back_what_was_applied_and_nothing_else(tmp_path: Path, sqlite_database: Database) -> None:
    other = SQLiteDatabase(tmp_path / "other.sqlite3")
    for database in (sqlite_database, other):
        database.create_table()
        record(database, *OLD)
    release = Release.write(tmp_path / "project", sqlite_database, NEW, *MAPPED)
    settings = release.root / "pyproject.toml"
    settings.write_text(f'{settings.read_text()}\n[tool.migsync.databases.other]\nurl = "{other.url}"\n')
    assert release.run("apply", "--noinput", "--database", "default").status == 0
    kept, before = sqlite_database.dump(), other.dump()
    applied = release.run("apply", "--noinput")
    assert applied.status == 0
    assert other.dump() != before
    assert "--noinput" not in applied.said
    assert typed(release, applied, "undo", "--noinput").status == 0
    assert (sqlite_database.dump(), other.dump()) == (kept, before)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:hunter22@127.0.0.1/shop", "URL"),
        ("postgresql://user@127.0.0.1/shop?password=hunter22", "URL"),
        ("postgresql://user@127.0.0.1/shop", "postgresql://user@127.0.0.1/shop"),
    ],
)
def test_a_url_is_repeated_unless_it_holds_a_password(url: str, shown: str) -> None:
    arguments = ["--url", url, "--no-journal", "-d", "url"]
    with program.make_context("migsync", ["plan"]) as group, plan.make_context("plan", arguments, parent=group):
        printed = next_command("apply")
    assert printed == f"migsync apply --database url --no-journal --url {shown}"


@pytest.mark.parametrize("seconds", ["30", "0.5"])
def test_a_number_of_seconds_is_repeated_as_it_was_typed(seconds: str) -> None:
    arguments = ["--lock-timeout", seconds]
    with program.make_context("migsync", ["plan"]) as group, plan.make_context("plan", arguments, parent=group):
        assert next_command("apply") == f"migsync apply --lock-timeout {seconds}"
