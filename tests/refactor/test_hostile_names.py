"""Migrations whose names read like parts of our own messages: no command takes a sentence for data."""

from __future__ import annotations

import os
import subprocess

import pytest

from migsync.cli.program import run
from tests.cli.shop import Shop

COPY = "copy to database 9"
QUOTED = '0002_it\'s "quoted" 100%s {0} in databases 7, 8'
RUN_FIRST = "0002_größe, If it ran here, depends on 0001_initial more than once"  # a dot makes it no module
FILES = {
    "shop": {"0001_initial": (), f"0003_{COPY}": ("0001_initial",)},
    "blog": {"0001_initial": (), QUOTED: ("0001_initial",), RUN_FIRST: ("0001_initial",)},
}
MINE = {"blog": RUN_FIRST}
RECORDED = [
    ("shop", "0001_initial"),
    ("shop", f"0003_{COPY}"),
    ("shop", f"0002_{COPY}"),  # held by no file: 0003 cannot have this name
    ("blog", "0001_initial"),
    ("blog", RUN_FIRST),
]
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependencies!r}
    operations = [migrations.RunSQL("SELECT 1 -- " + {name!r}, migrations.RunSQL.noop)]
"""


def git(root, *arguments):
    identity = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=root, env={**os.environ, **identity}, check=True, capture_output=True)


def write_files(root):
    for app, files in FILES.items():
        directory = root / app / "migrations"
        directory.mkdir(parents=True)
        for package in (directory.parent, directory):
            (package / "__init__.py").touch()
        for name, parents in files.items():
            text = MIGRATION.format(dependencies=[(app, parent) for parent in parents], name=name)
            (directory / f"{name}.py").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """One project for all commands, which change nothing; on the branch of git that added one of the files."""
    root = tmp_path_factory.mktemp("hostile")
    shop = Shop(root).write("default", names=())
    (root / "shop" / "migrations" / "__init__.py").unlink()
    (root / "shop" / "migrations").rmdir()
    (root / "shop" / "__init__.py").unlink()
    (root / "shop").rmdir()
    write_files(root)
    shop.settings("INSTALLED_APPS = ['shop', 'blog']\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'")
    shop.record("default", names=())
    for number, (app, name) in enumerate(RECORDED):
        row = (app, name, f"2026-01-0{number + 1} 10:00:00")
        shop.execute("default", "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", row)
    (root / ".gitignore").write_text("*.sqlite3\n__pycache__/\n.cache/\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "rm", "-q", "--cached", f"blog/migrations/{RUN_FIRST}.py")
    git(root, "commit", "-q", "-m", "main")
    git(root, "checkout", "-q", "-b", "mine")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "mine")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(root)
        monkeypatch.setenv("MIGSYNC_CACHE", str(root / ".cache" / "cache.json"))
        monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
        yield shop


DRY = ("--dry-run", "--allow-applied")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan",), [f"shop.0002_{COPY} is recorded"]),
        (("plan", "--map", f"shop.0002_{COPY}=0003_{COPY}"), []),
        (("status",), []),
        (("linearize", "--app", "blog", *DRY, "--diff"), [RUN_FIRST[5:]]),
        (("renumber", "shop", *DRY), [f"default: shop.0003_{COPY} would become 0002_{COPY}"]),
        (("fix-conflicts", "--app", "blog", *DRY, "--diff"), [RUN_FIRST[5:]]),
        (
            ("rebase", "--onto", "main", *DRY),
            [f"default has applied blog.{RUN_FIRST}, but not blog.{QUOTED} of main"],
        ),
        (("squash", "shop", "0001", "0003", *DRY), [COPY]),
        (("tidy", "--dry-run"), []),
        (("remake", "shop", *DRY), []),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else "",
)
def test_a_name_like_a_sentence(project, capsys, arguments, said):
    rows, files = project.rows("default"), sorted(path for path in project.root.rglob("*.py"))
    status = run(list(arguments))
    shown = capsys.readouterr()
    text = shown.out + shown.err
    assert status in (0, 1), text
    assert "Traceback" not in text
    for each in said:
        assert each in text
    assert project.rows("default") == rows
    assert sorted(path for path in project.root.rglob("*.py")) == files
