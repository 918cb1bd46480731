"""``migsync`` and nothing else: what the project is, what needs attention, and the next command."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from migsync.cli.program import run
from migsync.cli.views.overviews import LONG
from tests.cli.entries import FILE, Entry, Project, record
from tests.databases import Database

if TYPE_CHECKING:
    import pytest


def shown() -> str:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        assert run([]) == 0, err.getvalue()
    return out.getvalue()


def last(text: str) -> list[str]:
    """The commands to go on with."""
    return [each.rpartition(": ")[2] for each in text.split("\n\n")[-1].splitlines()]


def test_what_is_found_and_the_next_command(
    tmp_path: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.make(tmp_path, {"default": Entry(sqlite_database.url)})
    monkeypatch.chdir(tmp_path / "shop")
    sqlite_database.execute("CREATE TABLE other (id int)")
    assert last(shown())[0] == "python manage.py migrate"
    record(sqlite_database)
    found = shown()
    assert f"project     {tmp_path}\n" in found
    assert "migrations  2 in 1 app: shop (2)\n" in found
    assert "rewrites    1 in " in found
    assert "  default  SQLite  needs 1 change: 1 rename\n" in found
    assert last(found) == ["migsync plan", "migsync --help"]
    assert project.run("apply", "--noinput").status == 0
    assert last(shown()) == ["migsync doctor", "migsync --help"]
    sqlite_database.execute("DELETE FROM django_migrations WHERE name = '0001_initial'")
    found = shown()
    assert "Error: shop.0002_price " in found
    assert last(found) == ["migsync doctor", "migsync --help"]


def test_a_long_history_may_be_squashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = tmp_path / "shop" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "__init__.py").touch()
    for number in range(1, LONG + 1):
        above = f'("shop", "{number - 1:04}_x")' if number > 1 else ""
        (migrations / f"{number:04}_x.py").write_text(FILE.format(above=above, number=number))
    (tmp_path / "pyproject.toml").write_text('[tool.migsync.apps]\nshop = "shop"\n')
    monkeypatch.chdir(tmp_path)
    found = shown()
    assert f"{LONG} in 1 app: shop ({LONG})" in found
    assert "databases   none" in found
    assert "migsync squash --suggest" in last(found)


def test_outside_a_project_it_is_the_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    assert shown().startswith("Usage: ")


def test_a_project_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.migsync]\nnonsense = 1\n")
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as err:
        assert run([]) == 1
    assert "unknown key 'nonsense'" in err.getvalue()
