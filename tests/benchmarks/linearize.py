"""``migsync linearize`` side by side with django-migraid's, and how its time grows. Prints Markdown.

    python -m tests.benchmarks.linearize [--directory DIR] [--times 1] [--sizes 1000,3000,10000] [--without-migraid]

django-migraid is installed into an environment of the benchmark's own, with the newest Django that it says it supports.
Both get a copy of the same project, in git: 50 apps of 20 migrations, every number with a gap, all of them recorded in
SQLite, each migration after the first depending on one of another app. Both change files and records in one run.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

MIGRAID = "django-migraid==0.3.0b9"
DJANGO = "Django==5.1.*"  # the newest in django-migraid's classifiers
ROOT = Path(__file__).resolve().parents[2]

MANAGE = """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_many.settings")
execute_from_command_line(sys.argv)
"""
SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not a secret"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}}}
INSTALLED_APPS = {apps!r}
"""
MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
{dependencies}    ]

    operations = [
        {operation},
    ]
"""
AUTO = "('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID'))"
TABLE = (
    'CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, '
    '"app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL)'
)


@dataclass(frozen=True)
class Sample:
    """One run, in seconds: by the clock, and what the processors worked in it, processes that it started included."""

    wall: float
    work: float


def make_project(root: Path, apps: int, migrations: int) -> None:
    """Write the project: `migrations` in all, in `apps` apps, numbered 1, 3, 5, ...; committed in git, all recorded."""
    labels = [f"app{number:03d}" for number in range(apps)]
    rows: list[tuple[str, str]] = []
    (root / "site_of_many").mkdir(parents=True)
    (root / "site_of_many" / "__init__.py").touch()
    (root / "site_of_many" / "settings.py").write_text(SETTINGS.format(apps=labels))
    (root / "manage.py").write_text(MANAGE)
    (root / ".gitignore").write_text("db.sqlite3\n__pycache__\n")
    for place, label in enumerate(labels):
        package = root / label / "migrations"
        package.mkdir(parents=True)
        (root / label / "__init__.py").touch()
        (package / "__init__.py").touch()
        size = migrations // apps + (place < migrations % apps)
        names = [name_of(number) for number in range(1, size + 1)]
        for number, name in enumerate(names, start=1):
            dependencies = [(label, names[number - 2])] if number > 1 else []
            if place and number > 1:
                dependencies.append((labels[place - 1], name))
            (package / f"{name}.py").write_text(migration(number, dependencies))
        fields = "".join(f"    field{number} = models.IntegerField(null=True)\n" for number in range(1, size + 1))
        (root / label / "models.py").write_text(
            f"from django.db import models\n\n\nclass Thing(models.Model):\n{fields}"
        )
        rows += [(label, name) for name in names]
    with closing(sqlite3.connect(root / "db.sqlite3")) as connection, connection:
        connection.execute(TABLE)
        statement = "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-01-02 03:04:05.678901')"
        connection.executemany(statement, rows)
    for command in (["init"], ["add", "-A"], ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-m", "All"]):
        subprocess.run(
            ["git", "-C", str(root), *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def name_of(number: int) -> str:
    return f"{2 * number - 1:04d}_{'initial' if number == 1 else f'thing_field{number}'}"


def migration(number: int, dependencies: Sequence[tuple[str, str]]) -> str:
    field = "models.IntegerField(null=True)"
    operation = f"migrations.AddField('thing', 'field{number}', {field})"
    if number == 1:
        operation = f"migrations.CreateModel('Thing', [{AUTO}, ('field1', {field})])"
    lines = "".join(f"        ({app!r}, {name!r}),\n" for app, name in dependencies)
    return MIGRATION.format(dependencies=lines, operation=operation)


def run(command: Sequence[str], root: Path, cache: Path) -> Sample:
    """Run a command in the project; raises CalledProcessError when it does not succeed."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "DJANGO_SETTINGS_MODULE": "site_of_many.settings",
        "PYTHONPATH": os.pathsep.join([str(root), str(ROOT)]),
        "MIGSYNC_CACHE": str(cache),
        # git, for what the two do with it
        "GIT_AUTHOR_NAME": "b",
        "GIT_AUTHOR_EMAIL": "b@b",
        "GIT_COMMITTER_NAME": "b",
        "GIT_COMMITTER_EMAIL": "b@b",
    }
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, cwd=root, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, os.times()
    work = after.children_user + after.children_system - before.children_user - before.children_system
    return Sample(wall, work)


def check(root: Path, apps: int, migrations: int) -> None:
    """Every app is a chain without gaps on disk, and the records say the same; raises AssertionError."""
    on_disk = {(path.parts[-3], path.stem) for path in root.glob("*/migrations/[0-9]*.py")}
    with closing(sqlite3.connect(root / "db.sqlite3")) as connection:
        recorded = set(connection.execute("SELECT app, name FROM django_migrations"))
    assert recorded == on_disk
    assert len(on_disk) == migrations
    numbers = sorted(int(name[:4]) for _, name in on_disk)
    sizes = [migrations // apps + (place < migrations % apps) for place in range(apps)]
    assert numbers == sorted(number for size in sizes for number in range(1, size + 1))


def new_place(directory: Path) -> Path:
    """A directory of its own, which stays: just after files are removed, ext4 is ten times slower to make some."""
    return Path(tempfile.mkdtemp(dir=directory))


def migsync_once(directory: Path, apps: int, migrations: int) -> Sample:
    place = new_place(directory)
    make_project(place / "project", apps, migrations)
    command = [sys.executable, "-m", "migsync", "linearize", "--update-db", "--noinput"]
    sample = run(command, place / "project", place / "cache")
    check(place / "project", apps, migrations)
    return sample


def migraid_once(directory: Path, python: Path, apps: int, migrations: int) -> Sample:
    place = new_place(directory)
    make_project(place / "project", apps, migrations)
    command = [str(python.with_name("migraid")), "linearize", "--update-db", "--noinput"]
    sample = run(command, place / "project", place / "cache")
    check(place / "project", apps, migrations)
    return sample


def side_by_side(directory: Path, times: int) -> str:
    """Both in turn, on 50 apps of 20; the ratio of the medians."""
    environment = directory / "migraid"
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", MIGRAID, DJANGO], check=True)
    samples: dict[str, list[Sample]] = {MIGRAID: [], "migsync": []}
    for _ in range(times):
        samples["migsync"].append(migsync_once(directory, 50, 1000))
        samples[MIGRAID].append(migraid_once(directory, python, 50, 1000))
    middle = {
        name: Sample(median([each.wall for each in found]), median([each.work for each in found]))
        for name, found in samples.items()
    }
    lines = [f"| {name} | {sample.wall:.1f} s | {sample.work:.1f} s |" for name, sample in middle.items()]
    walls, works = middle[MIGRAID].wall / middle["migsync"].wall, middle[MIGRAID].work / middle["migsync"].work
    lines.append(f"| django-migraid takes | {walls:.1f} x | {works:.1f} x |")
    return "\n".join(["| 50 apps of 20 | by the clock | work |", "| --- | ---: | ---: |", *lines])


def growth(directory: Path, sizes: Sequence[int]) -> str:
    """Time against the number of migrations, with the exponent between each size and the next."""
    lines = ["| migrations | apps | by the clock | work | exponent of work |", "| ---: | ---: | ---: | ---: | ---: |"]
    last: tuple[int, Sample] | None = None
    for size in sizes:
        apps = max(1, round(size * 300 / 10_000))
        sample = migsync_once(directory, apps, size)
        exponent = f"{math.log(sample.work / last[1].work) / math.log(size / last[0]):.2f}" if last else ""
        lines.append(f"| {size} | {apps} | {sample.wall:.1f} s | {sample.work:.1f} s | {exponent} |")
        last = size, sample
    return "\n".join(lines)


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--directory", type=Path, help="where the projects and the environment are made, and kept")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--sizes", default="1000,3000,10000")
    parser.add_argument("--without-migraid", action="store_true")
    asked = parser.parse_args(arguments)
    directory = asked.directory or Path(tempfile.mkdtemp(prefix="migsync-benchmark-"))
    try:
        if not asked.without_migraid:
            print(side_by_side(directory, asked.times), flush=True)
            print()
        if asked.sizes:
            print(growth(directory, [int(size) for size in asked.sizes.split(",")]))
    finally:
        if asked.directory is None:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
