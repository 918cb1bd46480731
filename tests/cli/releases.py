"""Releases of one project over one database, each in a directory of its own; migsync runs in this process."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from migsync.cli.program import run
from migsync.history import App, History, read_history
from migsync.history.migration import Key
from tests.databases import Database
from tests.history.judge import Verdict, judge

OLD = {"0001_initial": "", "0003_price": "0001_initial", "0004_merge": "0003_price", "0005_sku": "0004_merge"}
NEW = {"0001_initial": "", "0002_price": "0001_initial", "0003_sku": "0002_price"}
NEWER = NEW | {"0004_note": "0003_sku"}
MAPPED = ("--map", "shop.0003_price=0002_price", "--map", "shop.0005_sku=0003_sku", "--remove", "shop.0004_merge")


class Terminal(io.StringIO):
    """A stream that says it is a terminal; as standard input it holds the answers."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Ended:
    """How one command ended: its exit status, and standard output and error together."""

    status: int
    said: str
    out: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@dataclass(frozen=True)
class Release:
    """The files of one release, in `root`."""

    root: Path
    database: Database

    @classmethod
    def write(cls, root: Path, database: Database, files: Mapping[str, str], *maps: str) -> Release:
        """`files` map a name to the one before it; an operation is told by the name after its number."""
        migrations = root / "shop" / "migrations"
        migrations.mkdir(parents=True)
        (migrations / "__init__.py").touch()
        (root / "pyproject.toml").write_text(
            f'[tool.migsync.databases.default]\nurl = "{database.url}"\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
        )
        for name, above in files.items():
            operations = "" if "merge" in name else f"migrations.RunSQL('SELECT 1 -- {name[5:]}')"
            dependency = f'("shop", "{above}")' if above else ""
            (migrations / f"{name}.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                f"    dependencies = [{dependency}]\n    operations = [{operations}]\n"
            )
        release = cls(root, database)
        if maps:
            assert release.run("rewrite", *maps).status == 0
        return release

    def run(self, command: str, *arguments: str) -> Ended:
        """One command, without a terminal."""
        return self._run(io.StringIO, "", command, *arguments)

    def at_terminal(self, answers: Iterable[str], command: str, *arguments: str) -> Ended:
        """One command at a terminal, with a line for each question."""
        return self._run(Terminal, "".join(f"{answer}\n" for answer in answers), command, *arguments)

    def _run(self, stream: type[io.StringIO], answers: str, command: str, *arguments: str) -> Ended:
        out, err = stream(), stream()
        with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "stdin", stream(answers)):
            status = run([command, "--root", str(self.root), *arguments])
        assert "Traceback" not in err.getvalue(), err.getvalue()
        return Ended(status, out.getvalue() + err.getvalue(), out.getvalue())

    def history(self) -> History:
        return read_history([App("shop", str(self.root / "shop/migrations"))])

    def django(self) -> Verdict:
        """What Django makes of these files and the rows."""
        history = self.history()
        rows = {Key(app, name) for _, app, name, _ in self.database.dump()}
        return judge(list(history.migrations.values()), list(history.apps.values()), {}, rows)

    def names(self) -> list[str]:
        return [name for _, _, name, _ in self.database.dump()]


def record(database: Database, *names: str, app: str = "shop", at: str = "2030-01-01 10:00:00") -> None:
    """Record names as Django's recorder does: the database gives the id."""
    for name in names:
        database.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', '{at}')")
