"""Apps with data migrations, squashed by migsync and run by Django; what they did stands in the table of notes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migsync.refactor.squash.squash import ask_squash
from migsync.worker.protocol import SquashedRange, SquashSpec
from tests.proof.projects import ID, Site

MODELS = "class Note(models.Model):\n    text = models.CharField(max_length=200)\n"
INITIAL = f"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel('Note', [{ID}, ('text', models.CharField(max_length=200))]),
    ]
"""
MIGRATE = "import config, django; django.setup()\nfrom django.core.management import call_command\n"


@dataclass(frozen=True)
class Squashed:
    """What became of the apps: the answers, and the notes after the squashes alone were run."""

    answers: Mapping[str, SquashedRange]
    notes: Mapping[str, list[str]]


def squash(root: Path, apps: Mapping[str, Mapping[str, bytes]], *, optimize: bool = True) -> Squashed:
    """Squash every app whole, take its old migrations away, and migrate an empty database.

    `apps` are files by app and name; ``_name`` is no migration.
    """
    site = Site(root).settings(*apps)
    requests = []
    for app, files in apps.items():
        names = ["0001_initial", *sorted(name for name in files if not name.startswith("_"))]
        site.app(app, MODELS, {"0001_initial": INITIAL})
        for name, content in files.items():
            (root / app / "migrations" / f"{name}.py").write_bytes(content)
        requests.append(SquashSpec(app, tuple(names), "0001_squashed", optimize=optimize))
    answers = dict(zip(apps, ask_squash(site.project, requests), strict=True))
    for request in requests:
        directory = root / request.app / "migrations"
        for name in request.names:
            (directory / f"{name}.py").unlink()
        (directory / "0001_squashed.py").write_text(answers[request.app].text, encoding="utf-8")
    _migrate(root)
    with sqlite3.connect(root / "db.sqlite3") as connection:
        notes = {
            app: [row[0] for row in connection.execute(f"SELECT text FROM {app}_note ORDER BY id")] for app in apps
        }
    connection.close()
    return Squashed(answers, notes)


def _migrate(root: Path) -> None:
    command = f"{MIGRATE}call_command('migrate', verbosity=0)\ncall_command('makemigrations', check=True, verbosity=0)"
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", command],
        cwd=root,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
