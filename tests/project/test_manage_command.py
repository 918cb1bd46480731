"""``manage.py migsync`` is the same command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.projects import app, django_project

SETTINGS = """
    INSTALLED_APPS = ["migsync.companion", "shop"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x.sqlite3"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return django_project(tmp_path, SETTINGS, app("shop"))


def run(project: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(project / "manage.py"), "migsync", *arguments],
        cwd=cwd or project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )


def test_help_is_clicks(project: Path) -> None:
    process = run(project, "--help")
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("Usage: manage.py migsync ")
    assert "--pythonpath" not in process.stdout
    help_of_plan = run(project, "plan", "--help")
    assert help_of_plan.stdout.startswith("Usage: manage.py migsync plan")


def test_wrong_usage_has_its_exit_status(project: Path) -> None:
    assert run(project, "plan", "--no-such-option").returncode == 64


def test_from_another_directory_with_the_settings_of_the_process(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    process = run(project, "plan", "--settings=config.settings", "--format=json", cwd=elsewhere)
    assert process.returncode == 0, process.stderr
    assert '"default"' in process.stdout
