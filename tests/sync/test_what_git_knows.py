"""All names fit, and only git knows that what ran under them is something else: through the real command on SQLite.

Nothing was noted in the database: the companion is not installed. Days are those of January 2026.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migsync.sync.journal.schema import upgrade_journal
from tests.databases import SQLiteDatabase, django_databases
from tests.rewrites.evidence.repository import GIT
from tests.sync.story import target_of

FILE = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = [{operations}]
"""
CREATE = 'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)), {0}])'
FIELD = '("{0}", models.IntegerField(null=True{1}))'
ADD = 'migrations.AddField("item", "{0}", models.IntegerField(null=True{1}))'
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")\n'


class Project:
    """An app ``shop`` whose first file makes the table, and whose others add fields; one SQLite database."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = SQLiteDatabase(root / "db.sqlite3")
        self.migrations = root / "shop/migrations"
        self.migrations.mkdir(parents=True)
        for package in (self.migrations.parent, self.migrations):
            (package / "__init__.py").touch()
        (root / "manage.py").write_text(MANAGE)
        (root / "config.py").write_text(
            f"INSTALLED_APPS = ['shop']\nUSE_TZ = True\n{django_databases({'default': self.database})}"
        )
        (root / ".gitignore").write_text("*.sqlite3\n__pycache__\ncache\nclone\n")
        self.database.create_table()
        self.git("init", "-q")

    def git(self, *arguments: str, day: float = 1, authored: float | None = None, cwd: Path | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        environment |= {"GIT_COMMITTER_DATE": moment(day), "GIT_AUTHOR_DATE": moment(authored or day)}
        done = subprocess.run(
            [*GIT, *arguments], cwd=cwd or self.root, check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout

    def write(self, *files: tuple[str, str], more: str = "") -> None:
        """Exactly these files, each after the one before it: (name, the fields that it makes)."""
        for path in self.migrations.glob("0*.py"):
            path.unlink()
        above = ""
        for name, fields in files:
            after = f'("shop", "{above}")' if above else ""
            kinds = [FIELD.format(each, more) for each in fields.split()] if not above else []
            operations = (
                ", ".join(ADD.format(each, more) for each in fields.split())
                if above
                else CREATE.format(", ".join(kinds))
            )
            (self.migrations / f"{name}.py").write_text(FILE.format(after=after, operations=operations))
            above = name

    def commit(self, day: float, authored: float | None = None) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"day {day}", day=day, authored=authored)

    def ran(self, *names: str, day: float) -> None:
        for name in names:
            self.database.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', ?, ?)", (name, moment(day))
            )

    def plan(self, *arguments: str, cwd: Path | None = None) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "migsync", "plan", "--format", "json", *arguments],
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return {"status": done.returncode, **json.loads(done.stdout)}

    def migsync(self, status: int, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "migsync", *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def found(self, *arguments: str) -> list[tuple[str, str]]:
        """(code, name) of all that is wrong in the database."""
        (plan,) = self.plan(*arguments)["plans"]
        return [(each["code"], each.get("name", "")) for each in plan["findings"]]

    def renamed(self) -> list[tuple[str, str | None]]:
        """What the plan, which is not blocked, changes: old and new name."""
        found = self.plan()
        assert found["status"] == 0
        changes = found["plans"][0]["changes"]
        return [(each["before"]["name"], each["after"] and each["after"]["name"]) for each in changes]


def moment(day: float) -> str:
    seconds = round((day % 1) * 86400)
    return f"2026-01-{int(day):02d} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}+00:00"[:19]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_exchanged_names_of_which_one_ran(project: Project) -> None:
    project.write(("0001", "a"), ("0003_x", "b"), ("0002_x", "c"))
    project.commit(1)
    project.ran("0001", "0003_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b"), ("0003_x", "c"))
    project.commit(3)
    assert project.renamed() == [("0003_x", "0002_x")]


def test_exchanged_names_that_all_ran(project: Project) -> None:
    project.write(("0001", "a"), ("0003_x", "b"), ("0002_x", "c"))
    project.commit(1)
    project.ran("0001", "0003_x", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b"), ("0003_x", "c"))
    project.commit(3)
    assert project.found() == []


def test_a_new_file_under_an_old_name(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "n"), ("0003_x", "b"))
    assert project.found() == [("ran-elsewhere", "")], "also before it is committed"
    project.commit(3)
    assert project.found() == [("ran-elsewhere", "")]


def test_united_files_with_another_one_under_the_last_name(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"), ("0003_x", "c"), ("0004_x", "d"))
    project.commit(1)
    project.ran("0001", "0002_x", "0003_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b c"), ("0003_x", "d"))
    project.commit(3)
    assert project.renamed() == [("0002_x", None), ("0003_x", "0002_x")]


def test_united_before_all_of_it_ran(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"), ("0003_x", "c"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(3)
    assert project.found() == [("never-ran", "0002_x")]


def test_a_reset_by_hand(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"), ("0003_x", "c"))
    project.commit(1)
    project.ran("0001", day=2)
    project.write(
        ("0001", "a b c"),
    )
    project.commit(3)
    assert project.found() == [("never-ran", "0001")]
    project.ran("0002_x", "0003_x", day=2.5)
    assert "never-ran" not in dict(project.found())


def test_an_edit_after_it_ran_and_one_before(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(3)
    project.ran("0001", "0002_x", day=4)
    assert project.found() == []
    project.database.execute("UPDATE django_migrations SET applied = ?", (moment(2),))
    assert project.found() == [("never-ran", "0002_x")]


def test_an_edit_that_no_database_sees(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b"), more=", help_text='x'")
    project.commit(3)
    assert project.found() == []


def test_a_file_that_was_committed_after_it_ran(project: Project) -> None:
    """As on a laptop."""
    project.write(("0001", "a"))
    project.commit(1)
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(3)
    project.ran("0001", "0002_x", day=2)
    assert project.found() == []
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(4)
    assert project.found() == [("never-ran", "0002_x")]


def test_an_amended_commit(project: Project) -> None:
    """The edit was made before the database ran the file, and committed again later: either may have run."""
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(5, authored=2)
    project.ran("0001", "0002_x", day=3)
    assert project.found() == []
    project.write(("0001", "a"), ("0002_x", "b c d"))
    project.commit(6)
    assert project.found() == [("never-ran", "0002_x")], "neither has d"


def test_a_branch_that_is_merged_later(project: Project) -> None:
    """A laptop may have run the branch, and the server what it was merged into."""
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.git("checkout", "-qb", "branch")
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(2)
    project.git("checkout", "-q", "-")
    project.ran("0001", "0002_x", day=3)
    assert project.found() == []
    project.git("merge", "-q", "--no-ff", "branch", day=4)
    assert project.found() == []
    project.database.execute("UPDATE django_migrations SET applied = ?", (moment(1.5),))
    assert project.found() == [("never-ran", "0002_x")], "before the branch"
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(5)
    assert project.found() == []


def test_a_shallow_clone_knows_nothing_of_before(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(3)
    project.write(("0001", "a"), ("0002_x", "b c d"))
    project.commit(5)
    clone = project.root / "clone"
    project.git("clone", "-q", "--depth", "2", f"file://{project.root}", str(clone))
    assert project.plan(cwd=clone)["status"] == 0
    assert [each["findings"] for each in project.plan(cwd=clone)["plans"]] == [[]]
    project.database.execute("UPDATE django_migrations SET applied = ?", (moment(4),))
    (plan,) = project.plan(cwd=clone)["plans"]
    assert [each["code"] for each in plan["findings"]] == ["never-ran"]


def test_without_git_and_with_an_unreadable_cache(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = project.root / "cache"
    monkeypatch.setenv("MIGSYNC_CACHE", str(cache))
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b c"))
    assert project.found() == [("never-ran", "0002_x")]
    (kept,) = cache.glob("*.versions")
    for content in (b"", b"{", b'{"migsync": 1, "rest": 0, "tips": {"/": 3}}', kept.read_bytes()[:-9]):
        kept.write_bytes(content)
        assert project.found() == [("never-ran", "0002_x")]
    shutil.rmtree(project.root / ".git")
    assert project.found() == []


def test_later_commits_are_added_to_the_cache(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(project.root / "cache"))
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    assert project.found() == []
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(3)
    assert project.found() == [("never-ran", "0002_x")]
    project.git("checkout", "-q", "HEAD~1")
    assert project.found() == []
    project.git("checkout", "-q", "-")
    assert project.found() == [("never-ran", "0002_x")]
    project.write(("0001", "a"), ("0002_x", "b"))
    project.git("commit", "-q", "-a", "--amend", "--allow-empty", "-m", "back", day=4)
    assert project.found() == []


def test_an_edit_without_consequences_beside_a_rename(project: Project) -> None:
    """What ran is compared as tables: that the edited files differ from those of git is no news by itself."""
    project.write(("0001_a", "p"), ("0002_b", "q r"), ("0003_c", "s"))
    project.commit(1)
    project.ran("0001_a", "0002_b", "0003_c", day=2)
    project.write(("0001_a", "p q"), ("0002_b", "r"), ("0004_c", "s"))
    project.commit(3)
    document = project.plan()
    assert [change["after"]["name"] for plan in document["plans"] for change in plan["changes"]] == ["0004_c"]
    assert [each["code"] for each in document["findings"]] == ["proven-pair"]


def test_what_a_person_states_is_noted_and_not_asked_again(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(3)
    assert "what ran: 2 by git" in project.migsync(1, "plan")
    with target_of(project.database) as target, closing(target.connect()) as connection:
        upgrade_journal(connection, target.table.schema)
        connection.commit()
    before = project.database.dump()
    said = project.migsync(0, "plan", "--against-evidence")
    assert "did not run in full" in said
    assert project.plan()["status"] == 1, "a plan notes nothing"
    assert "noted that 1 file is taken for what ran" in project.migsync(0, "apply", "--noinput", "--against-evidence")
    assert project.database.dump() == before
    assert "what ran: 1 stated, 1 by git" in project.migsync(0, "plan")
    (database,) = project.plan()["databases"]
    assert [(each["name"], each["known"]) for each in database["records"]] == [("0001", "git"), ("0002_x", "stated")]
    project.write(("0001", "a"), ("0002_x", "b c d"))
    assert project.found() == [("never-ran", "0002_x")], "from then on"


def test_each_record_has_its_source(project: Project) -> None:
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.ran("0001", "0002_x", "0003_y", day=2)
    project.write(("0001", "a"), ("0002_x", "b c"), ("0003_y", "d"))
    (database,) = project.plan()["databases"]
    known = [(each["name"], each["known"], len(each.get("sources", ()))) for each in database["records"]]
    assert known == [("0001", "git", 0), ("0002_x", "git", 1), ("0003_y", "name", 0)]


def test_two_commits_of_one_second(project: Project) -> None:
    """A rebase makes many; the file was what the last of them says."""
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(1)
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    assert project.found() == []
    project.write(("0001", "a"), ("0002_x", "b"))
    project.commit(3)
    project.write(("0001", "a"), ("0002_x", "b c d"))
    project.commit(3)
    assert project.found() == [("never-ran", "0002_x")]


def test_a_file_that_was_renamed_and_edited_is_one_question(project: Project) -> None:
    """That its operations would run twice follows from the question, and is not reported beside it."""
    project.write(("0001", "a"), ("0002_x", "b c"))
    project.commit(1)
    project.ran("0001", "0002_x", day=2)
    project.write(("0001", "a"), ("0003_y", "b d"))
    project.commit(3)
    assert project.found() == [("open-pair", "0002_x")]
    project.write(("0001", "a"), ("0003_y", "b d"), ("0004_z", "c"))
    assert project.found() == [("open-pair", "0002_x"), ("runs-twice", "0004_z")], "no question about this file"
