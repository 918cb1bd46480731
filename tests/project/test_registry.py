"""Settings that a swappable dependency needs and that an app sets when its models are imported."""

from __future__ import annotations

from pathlib import Path

from migsync.history import read_history
from migsync.project import find_project
from migsync.project.registry import missing_settings
from migsync.sync.survey import open_survey
from tests.project.projects import app, django_project

MODELS = """
    from django.conf import settings
    {statement}
"""
SWAPPABLE = """
    from django.conf import settings
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [migrations.swappable_dependency(settings.PAGE_MODEL)]
        operations = []
"""


def project_with(root: Path, statement: str) -> Path:
    files = {**app("pages"), "pages/models.py": MODELS.format(statement=statement)}
    files |= {**app("blog"), "blog/migrations/0001_initial.py": SWAPPABLE}
    return django_project(root, 'INSTALLED_APPS = ["pages", "blog"]\nDATABASES = {}\n', files)


def test_django_is_asked_for_what_the_settings_module_does_not_state(tmp_path: Path) -> None:
    root = project_with(tmp_path, "settings.PAGE_MODEL = 'pages.Page'; print('noise')")
    history = open_survey(find_project(root)).history
    assert not history.findings
    assert history.parents(next(key for key in history.order if key.app == "blog"))


def test_django_is_not_asked_without_need(tmp_path: Path) -> None:
    root = project_with(tmp_path, "raise AssertionError('started')")
    (root / "blog/migrations/0001_initial.py").write_text((root / "pages/migrations/0001_initial.py").read_text())
    project = find_project(root)
    history = read_history(project.apps, settings=project.settings)
    assert missing_settings(history, project.settings, project.runtime) == {}


def test_a_django_that_does_not_start_leaves_the_finding(tmp_path: Path) -> None:
    root = project_with(tmp_path, "raise RuntimeError('broken')")
    [finding] = open_survey(find_project(root)).history.findings
    assert "PAGE_MODEL" in finding.found
