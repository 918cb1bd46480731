"""`migsync demo`, as it is run on a fresh machine."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from migsync.demo.stage import DemoFailed, Stage
from tests.pitfalls.story import check_said
from tests.recipes.page import session

ROOT = Path(__file__).parents[2]


def demo(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "migsync", "demo", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("with_git", [True, False])
def test_the_whole_story(tmp_path, with_git):
    home = tmp_path / "with spaces" / "démo"
    path = os.environ["PATH"] if with_git else str(tmp_path)
    ended = demo("--dir", str(home), PATH=path, MIGSYNC_CACHE=str(tmp_path / "cache"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert (home / ".git").exists() == with_git
    commands = [line for line in ended.stdout.splitlines() if line.startswith("$ ")]
    assert [command.split()[1:3] for command in commands[-9 if with_git else -8 :]] == [
        ["migsync", "apply"],
        ["python", "manage.py"],
        ["python", "manage.py"],
        ["migsync", "undo"],
        ["migsync", "apply"],
        ["migsync", "log"],
        *([["migsync", "check"]] if with_git else []),
        ["migsync", "doctor"],
        ["migsync", "squash"],
    ]
    assert "lines as before)" in ended.stdout
    assert ended.stdout.count("    rename  0005_alter_item_sku ") == 1, "a plan is shown once"
    assert f"  cd {shlex.quote(str(home))}\n" in ended.stdout
    assert (home / "default.sqlite3").exists()
    for page in ("README.md", "docs/tutorial.md") if with_git else ():
        text = (ROOT / page).read_text(encoding="utf-8")
        for shown in re.findall(r"^```text\n(\$ .*?)^```", text, re.MULTILINE | re.DOTALL):
            for step in session(shown, page):
                check_said(ended.stdout.partition(f"$ {step.words}\n")[2], step.body)


def test_a_directory_that_is_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    ended = demo("--dir", str(tmp_path))
    assert ended.returncode == 1
    assert "not empty" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path, say=lambda text: None, type_=lambda text: None, show=lambda text: None)


@pytest.mark.parametrize(
    "expected", [{"status": 3}, {"seen": ["something else"]}, {"unseen": ["migsync"]}], ids=["status", "seen", "unseen"]
)
def test_a_step_that_does_something_else_stops_the_demo(stage, expected):
    stage.run("migsync --version", seen=["migsync"], unseen=["something else"])
    with pytest.raises(DemoFailed, match="migsync --version"):
        stage.run("migsync --version", **expected)
