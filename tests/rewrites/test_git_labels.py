"""A label that no app has any more, after a revert: git shows by the app's own files whose it was."""

from __future__ import annotations

from pathlib import Path

from migsync.history import App, read_history
from migsync.history.migration import Key
from migsync.rewrites.git_successors import git_successors
from tests.rewrites.evidence.repository import Project

NEW = Key("news", "0002_b")


def labelled(project: Project, label: str) -> None:
    """The app's files depend on each other by this label."""
    for path in project.migrations.glob("0*.py"):
        path.write_text(path.read_text().replace('"shop"', f'"{label}"').replace("'shop'", f"'{label}'"))


def test_an_old_label_is_the_app_whose_files_named_it(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("0001_a")
    project.write("0002_b", "0001_a")
    labelled(project, "news")
    project.commit("as news")
    project.write("0001_a")
    project.write("0002_b", "0001_a")
    project.commit("as shop again")
    project.write("0003_c", "0002_b")
    path = project.migrations / "0003_c.py"
    path.write_text(path.read_text().replace("shop", "news"))
    history = read_history([App("shop", str(project.migrations))])
    assert git_successors(history, [NEW, Key("news", "0009_z"), Key("wares", "0002_b")]).renamed == {
        NEW: ((Key("shop", "0002_b"),),)
    }


def test_a_label_that_only_another_app_had_says_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("0001_a")
    project.write("0002_b", "0001_a")
    project.commit()
    assert not git_successors(read_history([project.app]), [NEW]).renamed
