"""Whose modules run: migsync's and the standard library's, also where the project has some of the same names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from migsync.project import find_project
from migsync.project.options import Options
from migsync.project.root import Root
from tests.project.projects import app, django_project, write

pytestmark = pytest.mark.fresh  # what is imported, and from where, is the matter

LIBRARY = str(Path(os.__file__).parent)
PATH = ["/pythonpath", LIBRARY, f"{LIBRARY}/lib-dynload", "/site-packages"]
MIGSYNC = Path(sys.executable).with_name("migsync")
# As a scratch file, a left-over, or an attack would be; each says that it ran.
RAN = "import pathlib\npathlib.Path(__file__).parent.joinpath('ran.txt').touch()\n"
STANDARD = ("base64", "calendar", "copy", "json", "secrets", "typing")
FILES = {f"{name}.py": RAN for name in STANDARD}
INSTALLED = {f"{name}.py": RAN for name in ("click", "django", "psycopg", "sqlalchemy")}
PACKAGE = {"migsync/__init__.py": RAN, "migsync/companion/__init__.py": "", "migsync/cli/__init__.py": ""}
COMPUTED = "from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'shop'\n    label = 'sh' + 'op'\n"


def run(root: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def shop(root: Path, more: Mapping[str, str]) -> Path:
    database = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'database.sqlite3'}"
    # The label is computed, so that Django's registry must be asked: a worker.
    settings = f"INSTALLED_APPS = ['shop']\nDATABASES = {{'default': {database}}}\n"
    files = {**app("shop", COMPUTED), **more}
    second = files["shop/migrations/0001_initial.py"].replace(
        "operations", 'dependencies = [("shop", "0001_initial")]\n    operations'
    )
    return django_project(root, settings, {**files, "shop/migrations/0003_second.py": second})


def test_a_project_with_names_of_the_standard_library_and_of_migsync(tmp_path: Path) -> None:
    root = shop(tmp_path, FILES | PACKAGE)
    planned = run(root, MIGSYNC, "plan")
    assert (planned.returncode, planned.stderr) == (0, "")
    done = run(root, MIGSYNC, "renumber", "--noinput")
    assert done.returncode == 0, done.stderr
    assert "Proven" in done.stdout
    assert (root / "shop/migrations/0002_second.py").is_file()
    assert not (root / "ran.txt").exists()


def test_python_m_does_not_search_the_current_directory(tmp_path: Path) -> None:
    root = shop(tmp_path, FILES | {"click.py": RAN, "sqlalchemy.py": RAN})
    planned = run(root, sys.executable, "-m", "migsync", "plan")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert not (root / "ran.txt").exists()


@pytest.mark.parametrize("command", [[MIGSYNC], [sys.executable, "-m", "migsync"]])
def test_without_settings_nothing_of_the_project_runs(tmp_path: Path, command: list[str | Path]) -> None:
    base = {"pyproject.toml": "[tool.migsync]\n", **app("shop", "from base import *\n"), "base.py": RAN}
    write(tmp_path, {**base, **FILES, **INSTALLED, "shop/__init__.py": RAN})
    planned = run(tmp_path, *command, "plan", "--url", "sqlite:///database.sqlite3")
    assert planned.returncode == 0, planned.stderr
    assert not (tmp_path / "ran.txt").exists()


def test_apps_are_found_without_settings(tmp_path: Path) -> None:
    """Reading needs no ``sys.path``."""
    config = "from base import Base\nclass C(Base):\n    name = 'shop'\n    default = True\n"
    base = "from django.apps import AppConfig\nclass Base(AppConfig):\n    label = 'market'\n"
    write(tmp_path, {"pyproject.toml": "[tool.migsync]\n", **app("shop", config), "base.py": base})
    assert [found.label for found in find_project(tmp_path).apps] == ["market"]
    assert str(tmp_path) not in sys.path


def test_the_project_stands_between_the_standard_library_and_installed_packages(tmp_path: Path) -> None:
    root = Root(tmp_path, tmp_path / "src/manage.py")
    src = str(tmp_path / "src")
    expected = [*PATH[1:3], src, str(tmp_path), "/pythonpath", "/site-packages"]
    assert root.runtime("").import_path(PATH) == expected
    # Under manage.py itself, or with PYTHONPATH, they are on the path already.
    assert root.runtime("").import_path([src, "", *PATH]) == expected


def test_an_app_with_a_standard_name_is_found_as_under_manage_py(tmp_path: Path) -> None:
    write(tmp_path, {"profile/__init__.py": "", "test/note.txt": ""})
    assert Root(tmp_path).runtime("").import_path(PATH)[0] == str(tmp_path)


def test_python_path_comes_first(tmp_path: Path) -> None:
    root = Root(tmp_path, options=Options(python_path=("lib",)))
    assert root.runtime("").import_path(PATH) == [
        str(tmp_path / "lib"),
        *PATH[1:3],
        str(tmp_path),
        "/pythonpath",
        PATH[3],
    ]
