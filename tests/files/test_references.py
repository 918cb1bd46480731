"""Names in other files are found and told, with line and new name; what only looks alike is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.findings import Severity
from migsync.history import Key
from tests.files.proposals import Project, keys


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.add("shop.0001_a")
    project.add("shop.0003_b", "shop.0001_a")
    project.add("shop.initial", "shop.0001_a")
    project.add("blog.0003_b")
    return project


RENAMED = keys(shop="0003_b>0002_b initial>0003_initial")


def lines(project: Project, path: str, text: str) -> list[tuple[int, str]]:
    project.write(path, text)
    proposal = project.propose(renamed=RENAMED)
    assert not proposal.blocked
    assert {finding.severity for finding in proposal.findings} <= {Severity.WARNING}
    assert all(finding.file == str(project.root / path) for finding in proposal.findings)
    return [(finding.line, finding.name) for finding in proposal.findings]


@pytest.mark.parametrize(
    "code",
    [
        'import_module("shop.migrations.0003_b")',
        'importlib.import_module("site.shop.migrations.0003_b")',
        "from shop.migrations import initial",
        "from shop.migrations.initial import forwards",
        'migrate_to = [("shop", "0003_b")]',
        'call_command("migrate", "shop", "0003_b")',
        'executor.migrate([["blog", "0003_b"], ["shop", "0003_b"]])',
        'KNOWN = {"shop.0003_b": 1}',
        'PATH = "shop/migrations/0003_b.py"',
        'app, name = "shop", "0003_b"',
    ],
)
def test_python(project: Project, code: str) -> None:
    found = lines(project, "tests/test_it.py", f"# shop.0003_b\n\n{code}\n")
    assert found == [(3, "initial" if "initial" in code else "0003_b")]


@pytest.mark.parametrize(
    "code",
    [
        '"""The docstring of shop.0003_b."""',
        "# shop.0003_b",
        'migrate_to = [("blog", "0003_b")]',
        'name = "0003_b"',
        'name = "xshop.0003_b"',
        'name = "shop.0003_bb"',
        "from other.migrations import initial",
        'name = ("shop", "0002_b")',
        "not python at all: shop.0003_b",
    ],
)
def test_python_that_names_nothing_of_it(project: Project, code: str) -> None:
    assert lines(project, "tests/test_it.py", f"{code}\n") == []


def test_a_name_by_itself_may_be_meant(project: Project) -> None:
    code = 'class T:\n    app = "shop"\n    start = "0003_b"\n'
    project.write("tests/test_it.py", code)
    (finding,) = project.propose(renamed=RENAMED).findings
    assert (finding.line, "may mean shop.0003_b" in finding.found) == (3, True)
    assert "shop.0002_b" in finding.hint


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Makefile", "reset:\n\tpython manage.py migrate shop 0003_b\n"),
        ("pyproject.toml", '[tool.ruff]\nexclude = ["shop/migrations/0003_b.py"]\n'),
        ("setup.cfg", "[x]\nskip = shop.0003_b\n"),
        ("ci/steps.yml", "steps:\n  - migrate: ['shop', '0003_b']\n"),
        (".env", ""),
    ],
)
def test_settings(project: Project, path: str, text: str) -> None:
    assert lines(project, path, text) == ([(2, "0003_b")] if text else [])


@pytest.mark.parametrize(
    "path", [".hidden/a.py", "node_modules/a.py", "env/a.py", "lib/site-packages/a.py", "notes.md"]
)
def test_places_that_are_not_looked_at(project: Project, path: str) -> None:
    project.write("env/pyvenv.cfg", "")
    assert lines(project, path, 'x = "shop.0003_b"\n') == []


def test_migration_files_are_told_of_for_imports_only(project: Project) -> None:
    # An import with the name as a literal is updated; of this name, nobody knows where it is imported.
    text = (
        "from importlib import import_module\nfrom django.db import migrations\n"
        "OLDER = 'shop.migrations.0003_b'\nolder = import_module(OLDER)\n\n\n"
        "class Migration(migrations.Migration):\n    dependencies = [('shop', '0003_b')]\n"
        "    operations = [migrations.RunPython(older.forwards)]\n"
    )
    path = project.write("blog/migrations/0004_c.py", text)
    (finding,) = project.propose(renamed=RENAMED).findings
    assert (finding.file, finding.line) == (str(path), 3)


def test_rewrites_tell_of_old_names_for_ever(project: Project) -> None:
    assert lines(project, "migration_rewrites/a.toml", 'format = 1\nid = "1"\ncommand = "x shop.0003_b"\n') == []


def test_what_is_removed(project: Project) -> None:
    project.write("conftest.py", 'START = ("shop", "0003_b")\n')
    removed = {Key("shop", "0003_b"): (Key("shop", "0001_a"),)}
    (finding,) = project.propose(removed=removed).findings
    assert "becomes shop.0001_a" in finding.found


def test_odd_bytes(project: Project) -> None:
    path = project.root / "odd.py"
    path.write_bytes(b"# coding: latin-1\nx = 'caf\xe9', 'shop.0003_b'\n")
    (project.root / "odd.toml").write_bytes(b"\xff\xfe shop.0003_b\n")
    assert [finding.line for finding in project.propose(renamed=RENAMED).findings] == [2, 1]
