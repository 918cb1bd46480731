from __future__ import annotations

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.project import Project
from tests.pitfalls.story import files_of

MESSY = (
    "0001_initial: create Item",
    "0003_price: add Item.price",
    "0003_size: after 0001_initial; add Item.size",
    "0004_merge: after 0003_price 0003_size",
    "0006_sku: add Item.sku",
)
MODELS = """from django.db import models


class Item(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9)
    price = models.IntegerField(default=0)
    size = models.IntegerField(default=0)
    sku = models.IntegerField(default=0)
"""


def commit(project, message="as it was"):
    """All files into git."""
    if not (project.root / ".git").exists():
        (project.root / ".gitignore").write_text("*.sqlite3\n__pycache__/\n")
        project.run("git", "init", "-q", "-b", "main")
    project.run("git", "add", "-A")
    ended = project.run("git", "commit", "-q", "-m", message)
    assert ended.status == 0, ended.out + ended.err


def write(project, app, *lines):
    """Migration files as a story writes them."""
    project.write_files(app, files_of(app, lines))


@pytest.fixture
def shop(tmp_path, new_database: NewDatabase):
    """A messy, committed and migrated shop in one SQLite database."""
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", {"default": new_database("sqlite")})
    write(project, "shop", *MESSY)
    (project.root / "shop" / "models.py").write_text(MODELS)
    commit(project)
    project.migrate("default")
    return project


@pytest.fixture
def bare(tmp_path, new_database: NewDatabase):
    """A project without apps yet, and one SQLite database."""
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", {"default": new_database("sqlite")})
