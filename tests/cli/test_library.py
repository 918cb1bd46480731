"""A library in its own repository, and a project that installs it: names change in the one, rows in the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.shop import Ended
from tests.pitfalls.project import DROPPED, File
from tests.project.projects import django_project, write

MODELS = """\
from django.db import models


class Good(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9)
    size = models.IntegerField(default=0)
    price = models.IntegerField(default=0)
"""
FILES = (
    File("0001_initial", ("create Good",)),
    File("0002_price", ("add Good.price",), (("goods", "0001_initial"),)),
    File("0004_size", ("add Good.size",), (("goods", "0002_price"),)),
)


def run(where: Path, *command: str, **environ: str) -> Ended:
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    environ = {**kept, "MIGSYNC_CACHE": str(where / ".cache"), "COLUMNS": "200", **environ}
    done = subprocess.run(
        [sys.executable, *command], cwd=where, env=environ, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def migsync(where: Path, *arguments: str) -> str:
    ended = run(where, "-m", "migsync", *arguments)
    assert ended.status == 0, ended.out + ended.err
    return ended.out


@pytest.fixture
def goods(tmp_path: Path) -> Path:
    """The repository of a library, in the layout with ``src``."""
    texts = {f"src/goods/migrations/{file.name}.py": file.text for file in FILES}
    files = {
        "pyproject.toml": '[tool.migsync.apps]\ngoods = "goods"\n',
        "src/goods/__init__.py": "",
        "src/goods/models.py": MODELS,
        "src/goods/migrations/__init__.py": "",
        **texts,
    }
    return write(tmp_path / "library", files)


def site(root: Path, path: Path) -> Path:
    """A project that has the library at `path` on its search path."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(root / "db.sqlite3")}
    django_project(
        root,
        f"import sys\nsys.path.append({str(path)!r})\nINSTALLED_APPS = ['goods']\nUSE_TZ = True\n"
        f"DATABASES = {{'default': {database!r}}}\n",
    )
    return root


def names(where: Path) -> list[str]:
    """What Django has applied of the library."""
    ended = run(where, "manage.py", "showmigrations", "--plan")
    assert "[ ]" not in ended.out, ended.out
    return [line.split("goods.")[1] for line in ended.out.splitlines() if "goods." in line]


def test_names_change_in_a_library_and_rows_in_projects(goods: Path, tmp_path: Path) -> None:
    """A squash is proven in the repository, and its rewrite ships; a project follows."""
    project = site(tmp_path / "project", goods / "src")
    assert run(project, "manage.py", "migrate", "-v0").status == 0
    out = migsync(goods, "squash", "goods", "0001", "0004", "--noinput", "--no-prove-transition")
    assert "same schema on SQLite, same rows on SQLite" in out
    assert "src/goods/migration_rewrites" in out
    assert "In projects that install the library, with the new files: migsync apply" in out
    # Installed in a zip archive this time.
    archive = tmp_path / "goods.whl"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted((goods / "src/goods").rglob("*.*")):
            opened.write(path, path.relative_to(goods / "src"))
    site(project, archive)
    plan = json.loads(migsync(project, "plan", "--format", "json"))
    assert [len(each["passed"]) for each in plan["plans"]] == [1]
    assert "of the package goods" in migsync(project, "apply", "--noinput")
    assert names(project) == [path.stem for path in (goods / "src/goods/migrations").glob("0*.py")]


def test_a_rename_by_hand_in_a_library(goods: Path) -> None:
    migrations = goods / "src/goods/migrations"
    (migrations / "0004_size.py").rename(migrations / "0003_size.py")
    out = migsync(goods, "rewrite", "--map", "goods.0004_size=0003_size")
    assert "src/goods/migration_rewrites/" in out
    refused = run(goods, "-m", "migsync", "plan")
    assert refused.status == 1
    assert "A library has no databases" in refused.err
