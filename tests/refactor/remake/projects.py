"""A project as its owners have it: models, migrations that Django made of them, and some written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from tests.pitfalls.project import Project, columns
from tests.project.projects import write
from tests.refactor.conftest import commit

__all__ = ["check", "columns", "commit", "make", "migration", "names"]


def migration(operations: str, *after: str, above: str = "", attributes: str = "") -> str:
    """The text of a migration file: `operations` as they stand in the list, `after` as ``shop.0001_initial``."""
    keys = ", ".join(f'("{key.partition(".")[0]}", "{key.partition(".")[2]}")' for key in after)
    return (
        "from django.db import migrations, models\n\n\n"
        f"{dedent(above)}\n\n"
        "class Migration(migrations.Migration):\n"
        f"{attributes}    dependencies = [{keys}]\n\n    operations = [{operations}]\n"
    )


def make(project: Project, models: Mapping[str, str], files: Mapping[str, Mapping[str, str]]) -> Project:
    """Write the apps' models (their classes) and migration files (name to text), and commit all."""
    for app, classes in models.items():
        text = f"from django.db import models\n\n\n{dedent(classes)}"
        write(project.root, {f"{app}/__init__.py": "", f"{app}/migrations/__init__.py": ""})
        (project.root / app / "models.py").write_text(text)
        for name, content in files.get(app, {}).items():
            (project.migrations(app) if app in project.apps else project.root / app / "migrations").joinpath(
                f"{name}.py"
            ).write_text(content)
        project.apps[app] = app
    project.write_settings()
    commit(project)
    return project


def names(project: Project, app: str) -> list[str]:
    """The names of an app's migration files, in order."""
    return sorted(path.stem for path in project.migrations(app).glob("[0-9]*.py"))


def check(project: Project) -> None:
    """Django's own word: every database is up to date with the files, and a new one can be migrated with them."""
    ended = project.manage_all(
        ["makemigrations", "--check", "--dry-run"],
        *(["migrate", "--check", "--database", alias] for alias in project.databases if alias != "fresh"),
        *([["migrate", "--database", "fresh", "--verbosity", "0"]] if "fresh" in project.databases else []),
    )
    assert [each.status for each in ended] == [0] * len(ended), [each.out + each.err for each in ended]
