"""What the page about threats says: each line has a test, and here are those that belong nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
import traceback
from pathlib import Path

import pytest

from migsync import api
from tests.cli.entries import Entry, Project, record
from tests.databases import Database

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "threats.md"
PASSWORD = "s3cr3tPASS"
RAN = "from pathlib import Path\nPath(__file__).with_name('ran.txt').touch()\n"


@pytest.mark.pure
def test_every_line_of_the_page_has_a_test_that_is_there() -> None:
    rows = re.findall(r"^\| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    lines = [row.rpartition(" | ")[2] for row in rows if not row.startswith("---") and not row.endswith("| test")]
    assert len(lines) > 30
    for told in lines:
        place, name = told.strip("`").split("::")
        assert f"def {name}(" in (ROOT / place).read_text(encoding="utf-8"), told


def test_check_runs_nothing_of_the_project(tmp_path: Path) -> None:
    migrations = tmp_path / "shop" / "migrations"
    migrations.mkdir(parents=True)
    for name in ("manage.py", "settings.py", "shop/__init__.py", "shop/migrations/__init__.py", "conftest.py"):
        (tmp_path / name).write_text(RAN + "DATABASES = {}\nINSTALLED_APPS = ['shop']\n")
    operations = "from django.db import migrations\nclass Migration(migrations.Migration):\n    operations = []\n"
    (migrations / "0001_initial.py").write_text(RAN + operations)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@x", *words], cwd=tmp_path, check=True)
    (migrations / "0001_initial.py").rename(migrations / "0001_first.py")
    found = api.check(tmp_path)
    assert found.apps == ("shop",)
    assert not list(tmp_path.rglob("ran.txt"))


def test_an_error_does_not_show_the_file_that_a_link_leads_to(tmp_path: Path, sqlite_database: Database) -> None:
    root, secret = tmp_path / "project", tmp_path / "secret"
    root.mkdir()
    secret.write_text(f"root:{PASSWORD}:0:0\n")
    project = Project.make(root, {"default": Entry(record(sqlite_database).url)})
    link = root / "migration_rewrites" / "20260101T000000_link.toml"
    link.symlink_to(secret)
    plan = root / "plan.json"
    plan.symlink_to(secret)
    for command in (("plan",), ("apply", str(plan), "--noinput"), ("check",), ("show", str(plan))):
        ended = project.run(*command)
        assert ended.status
        assert PASSWORD not in ended.out + ended.err
    link.unlink()
    (root / "shop" / "migrations" / "0003_link.py").symlink_to(secret)
    ended = project.run("plan")
    assert ended.status == 1
    assert PASSWORD not in ended.out + ended.err


REWRITE = "migration_rewrites/20260101T000000_x.toml"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        *((name, what) for name in (REWRITE, "pyproject.toml") for what in ("a pipe", "a gigabyte")),
        ("plan.json", "a gigabyte"),  # a pipe that a person names is read: migsync apply <(ssh host cat plan.json)
    ],
)
def test_huge_files_and_pipes_are_refused(tmp_path: Path, sqlite_database: Database, name: str, what: str) -> None:
    project = Project.make(tmp_path, {"default": Entry(record(sqlite_database).url)})
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(path)
    else:
        path.touch()
        os.truncate(path, 2**30)  # sparse: it takes no room
    ended = project.run("apply", *([str(path)] if name == "plan.json" else []), "--noinput")
    assert ended.status == 1
    assert "larger than" in ended.err or "a device or a pipe" in ended.err
    assert "Traceback" not in ended.err


def test_a_password_in_a_reason_is_not_kept(tmp_path: Path, sqlite_database: Database) -> None:
    project = Project.make(tmp_path, {"default": Entry(record(sqlite_database).url)})
    reason = f"moved to postgresql://me:{PASSWORD}@db/shop, see TICKET-7"
    written = project.run("script", "--out", str(tmp_path / "sql"), "--reason", reason)
    assert (written.status, len(list((tmp_path / "sql").iterdir()))) == (0, 2)
    assert project.run("apply", "--noinput", "--reason", reason).status == 0
    assert "postgresql://me:***@db/shop, see TICKET-7" in project.run("log").out
    assert project.run("undo", "--noinput", "--reason", reason).status == 0
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert kept == []


def test_no_password_in_exceptions_and_values_of_the_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    (tmp_path / "shop" / "migrations" / "__init__.py").touch()
    urls = [f"{scheme}://me:{PASSWORD}@127.0.0.1:1/x" for scheme in ("postgresql", "mysql")]
    text = "".join(f'[tool.migsync.databases.d{number}]\nurl = "{url}"\n' for number, url in enumerate(urls))
    (tmp_path / "pyproject.toml").write_text(f'[tool.migsync.apps]\nshop = "shop"\n{text}')
    project = api.find_project(root=tmp_path)
    found = api.survey(project)
    assert [each.state for each in found.databases] == ["error", "error"]
    assert PASSWORD not in repr(project) + repr(found)
    with pytest.raises(api.NotAllDone) as raised:
        api.apply(project)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value)) + repr(raised.value.results)
