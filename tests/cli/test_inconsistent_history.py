"""InconsistentMigrationHistory (case 54): the message names the cause, and what it prints works. Django judges."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import Database
from tests.pitfalls.project import File, Project
from tests.project.projects import write

FIRST = File("0001_initial", ("create Item",))
USER = """
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class User(AbstractBaseUser):
    name = models.CharField(max_length=9, unique=True)
    USERNAME_FIELD = "name"
"""
WORD = ("--noinput", "--reason", "the table is there")


@pytest.fixture
def project(tmp_path: Path, new_database: Callable[[str], Database]) -> Project:
    return Project(tmp_path / "project", {"default": new_database("sqlite")})


def commit(project: Project) -> str:
    """All files into git; the commit."""
    (project.root / ".gitignore").write_text("*.sqlite3\n__pycache__/\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "files"]):
        assert project.run("git", *words).status == 0
    return project.run("git", "rev-parse", "HEAD").out.strip()


def said(project: Project) -> str:
    """What `plan` says, on one line, of a database on which `migrate` does not start."""
    assert "InconsistentMigrationHistory" in project.manage("migrate").err
    planned = project.migsync("plan")
    assert planned.status == 1
    return " ".join(planned.out.split())


def test_a_dependency_that_was_added_late_and_the_files_of_before(project: Project) -> None:
    other = File("0001_initial", ("create Post",), after=(("shop", "0001_initial"),))
    project.write_files("shop", [FIRST])
    project.write_files("blog", [other])
    project.migrate("default")
    project.write_files("shop", [File("0002_price", ("add Item.price",), after=(("shop", "0001_initial"),))])
    commit(project)
    project.write_files("blog", [File("0001_initial", ("create Post",), after=(("shop", "0002_price"),))])
    late = commit(project)
    text = said(project)
    assert f"blog.0001_initial states the dependency since commit {late[:10]}" in text
    commands = re.search(r"before that commit: (git checkout \S+) (python manage.py .+?) (git checkout -)", text)
    assert commands
    for command in commands.groups():
        words = command.split()
        assert (project.manage(*words[2:]) if words[0] == "python" else project.run(*words)).status == 0
    assert project.manage("migrate").status == 0
    assert project.migsync("plan").status == 0


def test_the_last_migration_of_an_app_is_another_one_since_a_commit(project: Project) -> None:
    project.write_files("shop", [FIRST])
    project.write_files("blog", [File("0001_initial", ("create Post",), after=(("shop", "__latest__"),))])
    project.migrate("default")
    commit(project)
    project.write_files("shop", [File("0002_price", ("add Item.price",), after=(("shop", "0001_initial"),))])
    newer = commit(project)
    text = said(project)
    assert f"depends on `__latest__` of shop. That is shop.0002_price since commit {newer[:10]}" in text
    named = re.search(r'needs into blog\.0001_initial: \("shop", "(\w+)"\)', text)
    assert named
    path = project.migrations("blog") / "0001_initial.py"
    path.write_text(path.read_text().replace("__latest__", named[1]))
    assert project.manage("migrate").status == 0


def test_a_custom_user_model_that_came_late_takes_the_table(project: Project) -> None:
    project.extra = "INSTALLED_APPS += ['django.contrib.contenttypes', 'django.contrib.auth']\n"
    project.write_files("shop", [FIRST])
    path = project.migrations("shop") / "0001_initial.py"
    swappable = "migrations.swappable_dependency(settings.AUTH_USER_MODEL)"
    text = path.read_text().replace("dependencies = []", f"dependencies = [{swappable}]")
    path.write_text(f"from django.conf import settings\n{text}")
    project.migrate("default")
    project.extra += "AUTH_USER_MODEL = 'users.User'\n"
    project.write_files("users", [File("0001_initial", ("create User",))])
    write(project.root, {"users/models.py": USER})
    text = said(project)
    assert "the model that the setting AUTH_USER_MODEL names" in text
    assert "Or set AUTH_USER_MODEL back" in text
    assert "--map" not in text
    assert "migsync plan --record users.0001_initial" in text
    assert project.migsync("apply", "--record", "users.0001_initial", *WORD).status == 0
    assert project.manage("migrate").status == 0
