"""Files whose operations only running them shows: Django's project state says which tables they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from migsync.errors import ProjectError
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.evidence import Evidence, find_evidence
from migsync.rewrites.evidence.pairs import Verdict
from migsync.rewrites.evidence.past_files import PastFiles
from migsync.rewrites.evidence.rendered import Renderings
from migsync.rewrites.git import GitHistory
from migsync.worker.runtime import Runtime
from tests.project.projects import django_project
from tests.rewrites.evidence.repository import Project
from tests.rewrites.evidence.test_resets import became

OPERATIONS = """
from django.db import migrations, models

class Add(migrations.AddField):
    pass

class Note(migrations.RunSQL):
    pass
"""
FILE = """
from django.db import migrations, models

{more}

class Migration(migrations.Migration):
    dependencies = {after}
    operations = [{operations}]
"""
INTEGER = "models.IntegerField(null=True)"
MADE = f'migrations.CreateModel("item", [("a", {INTEGER}), %s])'
COMPUTED = f'def more():\n    return [migrations.AddField("item", name, {INTEGER}) for name in ("c", "d")]'
OURS = "from shop.operations import Add, Note"
OLD = {
    "0001_initial": (MADE % "", ""),
    "0002_b": (f'Add("item", "b", {INTEGER})', OURS),
    "0003_c": ("*more()", COMPUTED),
}
NEW = MADE % ", ".join(f'("{name}", {INTEGER})' for name in "bcd")


class Shop(Project):
    """An app whose files are written as operations, with what they need."""

    def files(self, files: Mapping[str, tuple[str, str]]) -> None:
        for path in self.migrations.glob("0*.py"):
            path.unlink()
        above = ""
        for name, (operations, more) in files.items():
            after = [("shop", above)] if above else []
            text = FILE.format(after=after, operations=operations, more=more)
            (self.migrations / f"{name}.py").write_text(text)
            above = name

    def runtime(self) -> Runtime:
        return Runtime(self.root, "config.settings", (str(self.root),))

    def found(self, cache: Path, *recorded: str, runs: bool = True) -> Evidence:
        def stopped() -> Runtime:
            raise ProjectError("Nothing may be run.", "", "")

        with GitHistory([self.app]) as git:
            renderings = Renderings(self.runtime if runs else stopped, cache)
            past, render = PastFiles(lambda: git.of("shop")), renderings.of(self.app, git)
            return find_evidence(self.history(), "shop", AppRecords(recorded), past, render=render)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    project = Shop(tmp_path / "project")
    files = {"shop/__init__.py": "", "shop/operations.py": dedent(OPERATIONS)}
    django_project(project.root, "INSTALLED_APPS = ['shop']\nUSE_TZ = True\n", files)
    project.files(OLD)
    project.commit()
    return project


def test_a_reset_of_operations_that_only_running_shows(shop: Shop, tmp_path: Path) -> None:
    shop.files({"0001_initial": (NEW, ""), "0002_e": (f'migrations.AddField("item", "e", {INTEGER})', "")})
    cache = tmp_path / "tables"
    assert became(shop.found(cache, *OLD)) == ["0001_initial+0002_b+0003_c -> 0001_initial"]
    # Asked for once.
    assert became(shop.found(cache, *OLD, runs=False)) == ["0001_initial+0002_b+0003_c -> 0001_initial"]
    # Another file, another question.
    shop.files({"0001_initial": (NEW.replace('"d"', '"x"'), "")})
    assert became(shop.found(cache, *OLD, runs=False)) == []
    assert became(shop.found(cache, *OLD)) == []


def test_code_that_is_gone_is_taken_from_the_commit_of_the_files(shop: Shop, tmp_path: Path) -> None:
    (shop.root / "shop/operations.py").unlink()
    shop.files({"0001_initial": (NEW, "")})
    shop.commit()
    assert became(shop.found(tmp_path / "tables", *OLD)) == ["0001_initial+0002_b+0003_c -> 0001_initial"]


def test_old_files_that_cannot_be_run_are_a_question_with_the_reason(shop: Shop, tmp_path: Path) -> None:
    second = f'migrations.AddField("item", "b", {INTEGER}), Note("SELECT 1")'
    broken = {"0001_initial": OLD["0001_initial"], "0002_b": (second, f"{OURS}\nimport gone_for_good")}
    shop.files(broken)
    shop.commit()
    shop.files({"0001_all": (MADE % f'("b", {INTEGER})', "")})
    evidence = shop.found(tmp_path / "tables", *broken)
    assert became(evidence, Verdict.HINT) == ["0001_initial+0002_b -> 0001_all"]
    assert "No module named 'gone_for_good'" in evidence.open[0].reasons[-1]
    assert "also not with the code of their commit" in evidence.open[0].reasons[-1]


def test_a_file_that_vanishes_meanwhile_is_no_traceback(shop: Shop, tmp_path: Path) -> None:
    with GitHistory([shop.app]) as git:
        state = git.of("shop")[0]
        (shop.migrations / "0003_c.py").unlink()
        answer = Renderings(shop.runtime, tmp_path / "tables").of(shop.app, git)(state, ["0001_initial"], ["0003_c"])
    assert answer == "The files on disk cannot be read: No such file or directory."
