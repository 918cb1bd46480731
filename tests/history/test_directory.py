"""Which files are migrations: what Django's loader would import."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from migsync.history import App, read_history
from migsync.history.directory import read_directory

NAMES = [
    "0001_initial.py",
    "0002_b.py",
    "0002_b.pyc",
    "0003_compiled.pyc",
    "0004_ext.abi3.so",
    "0005.dotted.py",
    "no_suffix",
    "_helpers.py",
    "~backup.py",
    "0006_c.py~",
    "0007_d.py.orig",
    ".hidden.py",
    ".py",
    "readme.txt",
    "0008 space.py",
    "\u00e9.py",
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ["__init__.py", *NAMES]:
        (tmp_path / name).touch()
    for package in ("0009_package", "0010_shadow", "0011_no_init", "__pycache__"):
        (tmp_path / package).mkdir()
    (tmp_path / "0009_package" / "__init__.py").touch()
    (tmp_path / "0010_shadow" / "__init__.py").touch()
    (tmp_path / "0010_shadow.py").touch()
    (tmp_path / "0011_no_init.py").touch()
    return tmp_path


def test_the_modules_are_those_that_django_imports(directory: Path) -> None:
    expected = {
        name for _, name, is_pkg in pkgutil.iter_modules([str(directory)]) if not is_pkg and name[0] not in "_~"
    }
    package = read_directory(str(directory))
    assert package is not None
    assert {module.name for module in package.files} == expected
    assert {"0001_initial", "0003_compiled", "0004_ext", "0011_no_init"} < expected
    assert [module.name for module in package.files] == sorted(expected)


def test_source_comes_before_compiled_code(directory: Path) -> None:
    package = read_directory(str(directory))
    assert package is not None
    by_name = {module.name: module for module in package.files}
    assert by_name["0002_b"].is_source
    assert not by_name["0003_compiled"].is_source
    assert not by_name["0004_ext"].is_source


def test_no_directory_and_no_package(tmp_path: Path) -> None:
    assert read_directory(str(tmp_path / "missing")) is None
    (tmp_path / "migrations.py").touch()
    assert read_directory(str(tmp_path / "migrations.py")) is None
    package = read_directory(str(tmp_path))
    assert package is not None
    assert not package.is_package


def test_a_directory_without_init_holds_no_migrations_and_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "0001_initial.py").write_text("not even Python")
    history = read_history([App("shop", str(tmp_path)), App("third", str(tmp_path), first_party=False)])
    assert history.migrations == {}
    assert history.apps["shop"].directory is None
    assert [finding.code for finding in history.findings] == ["no-init"]
