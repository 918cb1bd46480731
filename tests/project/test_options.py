"""[tool.migsync] is read as written, and what is wrong in it is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migsync.engines.config import SchemaChoice
from migsync.errors import ProjectError
from migsync.project import find_project
from migsync.project.options import DatabaseOptions, Options, read_options
from tests.project.projects import app, write


def read(root: Path, text: str) -> Options | None:
    return read_options(write(root, {"pyproject.toml": text}))


def test_everything(tmp_path: Path) -> None:
    text = """
        [tool.migsync]
        settings = "config.settings"
        rewrites = "names"
        journal = false
        contents = "source"
        lock-timeout = 2.5
        python-path = "src"
        ignore-schemas = ["archive", "old_*"]
        [tool.migsync.apps]
        shop = "src/shop"
        [tool.migsync.databases.main]
        url_env = "DATABASE_URL"
        schema = "tenant"
        [tool.migsync.databases.other]
        alias = "main"
        schemas = "auto"
        migrate = "./migrate {tenant} {arguments}"
    """
    assert read(tmp_path, text) == Options(
        settings="config.settings",
        rewrites="names",
        journal=False,
        contents="source",
        lock_timeout=2.5,
        python_path=("src",),
        ignore_schemas=("archive", "old_*"),
        apps={"shop": "src/shop"},
        databases={
            "main": DatabaseOptions(url_env="DATABASE_URL", schema="tenant"),
            "other": DatabaseOptions(
                alias="main", schemas=SchemaChoice(patterns=("*",)), migrate="./migrate {tenant} {arguments}"
            ),
        },
        file=str(tmp_path / "pyproject.toml"),
    )


def test_no_file_no_table_and_an_empty_table(tmp_path: Path) -> None:
    assert read_options(tmp_path) is None
    assert read(tmp_path, "[project]\nname = 'migsync-user'\n") is None
    assert read(tmp_path, "[tool.migsync]\n") == Options(file=str(tmp_path / "pyproject.toml"))


@pytest.mark.parametrize(
    ("text", "found", "more"),
    [
        ("[tool.migsync]\nsetting = 'x'", "unknown key 'setting'", "Did you mean settings?"),
        ("[tool.migsync]\nlock_timeout = 1", "unknown key 'lock_timeout'", "Did you mean lock-timeout?"),
        ("[tool.migsync]\nzzz = 1", "unknown key 'zzz'", "Its keys are settings, rewrites"),
        ("[tool.migsync.databases.a]\nurl-env = 'X'", "[tool.migsync.databases.a]", "Did you mean url_env?"),
        ("[tool.migsync.databases.a]\nschema = 'x'", "must have exactly one of the keys url, url_env and alias", ""),
        (
            "[tool.migsync.databases.a]\nurl = 'x'\nurl_env = 'X'",
            "must have exactly one of the keys url, url_env and alias",
            "",
        ),
        ("[tool.migsync.databases.a]\nmigrate = './migrate'", "a.migrate must have {arguments} in it", "For"),
        (
            "[tool.migsync.databases.a]\nschemas = 'auto'\nmigrate = 'x {arguments}'",
            "must have {arguments} and {tenant} in it",
            "For",
        ),
        ("[tool.migsync.databases]\na = 'sqlite://'", "tool.migsync.databases.a must be a table, not str", ""),
        ("[tool.migsync]\ncontents = 'sources'", "tool.migsync.contents is 'sources'", "Did you mean source?"),
        ("[tool.migsync]\ncontents = 1", "tool.migsync.contents must be a string", ""),
        ("[tool.migsync]\njournal = 'no'", "tool.migsync.journal must be true or false", ""),
        ("[tool.migsync]\nlock-timeout = -1", "must be a number of seconds", ""),
        ("[tool.migsync]\nlock-timeout = true", "must be a number of seconds", ""),
        ("[tool.migsync]\npython-path = [1]", "must be a list of strings", ""),
        ("[tool.migsync]\nsettings = 1", "must be a string, not int", ""),
        ("[tool]\nmigsync = 1", "tool.migsync must be a table", ""),
        ("[tool.migsync\n", "not valid TOML", "Correct"),
        ("[tool.migsync]\nx = " + "[" * 100_000, "nested too deeply", "Correct"),
        ('[tool.migsync]\nrewrites = "a\\u0000b"', "rewrites: ", "Correct"),
        (f"[tool.migsync]\nrewrites = '{'a' * 256}'", "rewrites: ", "Correct"),
        ('[tool.migsync]\npython-path = ["a\\u001bb"]', "python-path: ", "Correct"),
        ('[tool.migsync.apps]\nshop = "a\\u0000b"', "apps: ", "Correct"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, found: str, more: str) -> None:
    with pytest.raises(ProjectError) as raised:
        read(tmp_path, text)
    assert found in raised.value.found
    assert str(tmp_path / "pyproject.toml") in raised.value.found
    assert more in raised.value.meaning + raised.value.hint


def test_a_wrong_value_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as raised:
        read(tmp_path, "[tool.migsync.databases.a]\nurl = ['postgres://me:secret@db/x']")
    assert "secret" not in str(raised.value)


def test_a_broken_file_of_somebody_else_is_no_matter(tmp_path: Path) -> None:
    assert read(tmp_path, "<<<<<<< HEAD\n") is None


def test_a_table_that_is_none_is_no_matter(tmp_path: Path) -> None:
    assert read(tmp_path, "tool = 'migsync'\n") is None


def test_a_pipe_is_not_waited_for_nor_a_device_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    with pytest.raises(ProjectError, match="a device or a pipe"):
        read_options(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "pyproject.toml").symlink_to("/dev/zero")
    with pytest.raises(ProjectError, match="a device or a pipe"):
        read_options(tmp_path)


def test_options_reach_the_project(tmp_path: Path) -> None:
    text = "[tool.migsync]\nrewrites = 'names'\njournal = false\nlock-timeout = 3\n"
    project = find_project(write(tmp_path, {"pyproject.toml": text, **app("shop")}))
    assert (project.rewrites, project.journal, project.lock_timeout) == (tmp_path / "names", False, 3.0)
