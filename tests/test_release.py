"""What must say the version of today, or which formats it reads and writes."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from migsync import __version__
from migsync.rewrites.rewrite import FORMAT
from migsync.sync.journal.tables import NEWEST
from migsync.sync.plan_file import FORMAT_VERSION

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parents[1]


def test_the_changelog_has_the_version_below_what_is_not_released():
    sections = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sections[:2] == ["Unreleased", __version__]


def test_the_pages_name_the_version_and_its_formats():
    upgrade = (ROOT / "docs/how-to/upgrade.md").read_text(encoding="utf-8")
    assert f" to {__version__}\n" in upgrade
    assert f"`format = {FORMAT}`" in upgrade
    assert f"({NEWEST})" in upgrade
    assert f"`format_version` {FORMAT_VERSION} " in upgrade
    assert f"migsync=={__version__}]" in (ROOT / "docs/how-to/ci.md").read_text(encoding="utf-8")


def test_the_page_of_versions_says_what_the_matrix_runs():
    page = (ROOT / "docs/reference/versions.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    constants = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in source.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    rows = dict(re.findall(r"^\| (\w+) \|[^|]*\| ([^|]+) \|$", page, re.MULTILINE))
    assert rows["Python"] == ", ".join(constants["PYTHONS"])
    assert rows["Django"] == ", ".join(constants["DJANGOS"])
    classified = [name.rpartition(" ")[2] for name in project["classifiers"] if re.search(r":: \d+\.\d+$", name)]
    assert sorted(classified) == sorted([*constants["PYTHONS"], *constants["DJANGOS"]])
    assert project["requires-python"] == f">={constants['PYTHONS'][0]}"


def test_the_page_of_versions_names_the_postgresql_of_the_tests():
    from tests.postgresql_server import POSTGRES_VERSIONS

    page = (ROOT / "docs/reference/versions.md").read_text(encoding="utf-8")
    assert f"| PostgreSQL | | {', '.join(map(str, sorted(POSTGRES_VERSIONS)))} |" in page
