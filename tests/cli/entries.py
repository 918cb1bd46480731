"""A project that names its databases by URL in pyproject.toml, and the program run in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migsync.cli.program import run
from tests.databases import Database

OLD = ("0001_initial", "0003_price")
NEW = ("0001_initial", "0002_price")
FILE = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{above}]
    operations = [migrations.RunSQL("SELECT {number}")]
"""


@dataclass(frozen=True)
class Entry:
    """``[tool.migsync.databases.NAME]``."""

    url: str
    schema: str = ""
    schemas: str | list[str] = ""
    tenants: str | list[str] = ""
    alias: str = ""


@dataclass(frozen=True)
class Ended:
    """How one command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """One app, `shop`, whose second migration was renamed, with a rewrite that says so; there are no settings."""

    root: Path

    @classmethod
    def make(cls, root: Path, entries: Mapping[str, Entry], more: str = "") -> Project:
        migrations = root / "shop" / "migrations"
        migrations.mkdir(parents=True)
        (migrations / "__init__.py").touch()
        for number, name in enumerate(NEW):
            above = f'("shop", "{NEW[number - 1]}")' if number else ""
            (migrations / f"{name}.py").write_text(FILE.format(above=above, number=number))
        project = cls(root)
        project.configure(entries, more)
        assert project.run("rewrite", "--map", "shop.0003_price=0002_price").status == 0
        return project

    def configure(self, entries: Mapping[str, Entry], more: str = "") -> None:
        """Write pyproject.toml; `more` are further lines of ``[tool.migsync]``."""
        text = f'[tool.migsync]\n{more}\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
        for alias, entry in entries.items():
            text += f"[tool.migsync.databases.{alias}]\nurl = {json.dumps(entry.url)}\nschema = '{entry.schema}'\n"
            more_keys = {"schemas": entry.schemas, "tenants": entry.tenants, "alias": entry.alias}
            text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in more_keys.items() if value)
        (self.root / "pyproject.toml").write_text(text)

    def run(self, *arguments: str) -> Ended:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            status = run([*arguments, "--root", str(self.root)])
        return Ended(status, out.getvalue(), err.getvalue())


def record(database: Database, names: tuple[str, ...] = OLD) -> Database:
    """Give the database its django_migrations, one row a name."""
    database.create_table()
    database.insert([(number, "shop", name, f"2026-03-0{number} 10:00:00") for number, name in enumerate(names, 1)])
    return database


def names(database: Database) -> tuple[str, ...]:
    return tuple(name for _, _, name, _ in database.dump())


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """A database that has the old names."""
    return record(sqlite_database)


@pytest.fixture
def project(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with that database, and a cache of its own."""
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    return Project.make(tmp_path, {"default": Entry(database.url)})
