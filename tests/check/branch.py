"""A git repository with a project of one app, a branch in it, and `migsync check` on that."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migsync.cli.program import run as program_run
from tests.rewrites.evidence.repository import Project

ITEM = 'migrations.CreateModel("Item", [("id", models.AutoField(primary_key=True))])'
FILE = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = [{operations}]
"""


def field(name: str, kind: str = "IntegerField(default=0)") -> str:
    return f'migrations.AddField("item", "{name}", models.{kind})'


def model(*fields: str) -> str:
    """`Item` with fields, as one operation."""
    listed = "".join(f', ("{name}", models.IntegerField(default=0))' for name in fields)
    return f'migrations.CreateModel("Item", [("id", models.AutoField(primary_key=True)){listed}])'


@dataclass(frozen=True)
class Checked:
    """How one `migsync check` ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def codes(self) -> list[str]:
        return [finding["code"] for finding in self.document["findings"]]


class Branch(Project):
    """The app `shop`: 0001_initial makes the model, 0002_price and 0003_sku add a field each. All is on `main`."""

    def __init__(self, root: Path, directory: str = "shop/migrations") -> None:
        super().__init__(root, directory)
        project = root / directory.removesuffix("shop/migrations")
        (project / "manage.py").write_text("")
        (project / "shop" / "__init__.py").touch()
        self.operations("0001_initial", (), ITEM)
        self.operations("0002_price", ["0001_initial"], field("price"))
        self.operations("0003_sku", ["0002_price"], field("sku"))
        self.commit("the start")
        self.git("checkout", "-q", "-b", "work")

    def operations(self, name: str, after: Iterable[str], *operations: str, app: str = "shop") -> None:
        """One file; `after` are names of the app, or ``app.name``."""
        keys = [each.split(".") if "." in each else (app, each) for each in after]
        dependencies = ", ".join(f'("{label}", "{up}")' for label, up in keys)
        directory = self.migrations.parent.parent / app / "migrations"
        directory.mkdir(parents=True, exist_ok=True)
        for package in (directory, directory.parent):
            (package / "__init__.py").touch()
        text = FILE.format(dependencies=dependencies, operations=", ".join(operations))
        (directory / f"{name}.py").write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.migrations / f"{name}.py"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def check(self, *arguments: str, form: str = "json", at: str = "") -> Checked:
        return self.run("check", "--format", form, *arguments, at=at)

    def migsync(self, *arguments: str) -> int:
        """The exit status of another command."""
        ended = self.run(*arguments)
        assert "Traceback" not in ended.err
        return ended.status

    def run(self, *arguments: str, at: str = "") -> Checked:
        """Any command."""
        with chdir(self.root / at), redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            status = program_run([*arguments])
        return Checked(status, out.getvalue(), err.getvalue())
