"""A real Django project in a directory: its migration files, its databases, and the two commands that a person has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.shop import Ended
from tests.databases import Database, django_databases
from tests.project.projects import django_project, write

Dump = list[tuple[str, str, str, str]]

OPERATIONS = {
    "create": '"{model}", [("id", models.BigAutoField(primary_key=True, serialize=False)), '
    '("name", models.CharField(max_length=9))]',
    "add": '"{model}", "{column}", models.IntegerField(default=0)',
    "alter": '"{model}", "{column}", models.IntegerField(default={default})',
}
CLASSES = {"create": "CreateModel", "add": "AddField", "alter": "AlterField"}
# Several commands of manage.py in one process: the JSON of their arguments in, [status, output, errors] of each out.
COMMANDS = """
import contextlib, io, json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from django.core.management import execute_from_command_line
ended = []
for arguments in json.loads(sys.argv[1]):
    status, out, err = 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as error:
            status = error.code or 0
        except Exception as error:
            status = 1
            print(f"{type(error).__name__}: {error}", file=err)
    ended.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(ended))
"""
DROPPED = ("DJANGO_SETTINGS_MODULE", "NO_COLOR", "FORCE_COLOR", "MIGSYNC_CACHE")


@dataclass(frozen=True)
class File:
    """One migration file. `operations` are ``create Item``, ``add Item.price`` and ``alter Item.price 12``."""

    name: str
    operations: tuple[str, ...] = ()
    after: tuple[tuple[str, str], ...] = ()
    replaces: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The file as ``makemigrations`` would write it."""
        replaces = f"    replaces = {_listed(map(_key, self.replaces))}\n\n" if self.replaces else ""
        return (
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            f"{replaces}"
            f"    dependencies = {_listed(map(_key, self.after))}\n\n"
            f"    operations = {_listed(map(_operation, self.operations))}\n"
        )


def _listed(items: Iterable[str]) -> str:
    lines = "".join(f"        {item},\n" for item in items)
    return f"[\n{lines}    ]" if lines else "[]"


def _key(key: tuple[str, str]) -> str:
    return f'("{key[0]}", "{key[1]}")'


def _operation(text: str) -> str:
    verb, what, *value = text.split()
    model, _, column = what.partition(".")
    arguments = OPERATIONS[verb].format(model=model, column=column, default=value[0] if value else "0")
    return f"migrations.{CLASSES[verb]}({arguments})"


@dataclass
class Project:
    """The project at `root`.

    `apps` are the directories of its apps by label, `modules` those of migrations that are not in their app,
    `packages` those that hold other people's apps and are on Python's path; all from the root. `extra` ends the
    settings.
    """

    root: Path
    databases: Mapping[str, Database]
    apps: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    extra: str = ""

    def write_settings(self) -> None:
        """The settings, with the apps that there are by now."""
        installed = [place.replace("/", ".") for place in self.apps.values()] + list(self.packages)
        modules = {label: place.replace("/", ".") for label, place in self.modules.items()}
        paths = [str(self.root / place) for place in self.packages.values()]
        text = (
            f"import sys\nsys.path += {paths!r}\n"
            f"INSTALLED_APPS = {installed!r}\nMIGRATION_MODULES = {modules!r}\nUSE_TZ = True\n"
            'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n'
            f"{django_databases(self.databases)}{self.extra}\n"
        )
        django_project(self.root, text)

    def place_app(self, label: str, directory: str, migrations: str = "") -> None:
        """An app that is not at ``<label>/``, or whose migrations are not in it."""
        self.apps[label] = directory
        if migrations:
            self.modules[label] = migrations
        name = directory.replace("/", ".")
        config = f"class Config(AppConfig):\n    name = {name!r}\n    label = {label!r}\n"
        write(self.root, {f"{directory}/apps.py": f"from django.apps import AppConfig\n\n\n{config}"})
        self.write_settings()

    def migrations(self, app: str) -> Path:
        """The directory of an app's migrations."""
        if app in self.packages:
            return self.root / self.packages[app] / app / "migrations"
        return self.root / self.modules.get(app, f"{self.apps[app]}/migrations")

    def write_files(self, app: str, files: Iterable[File]) -> None:
        """Write (over) an app's files; those that are not named stay."""
        if app not in self.apps and app not in self.packages:
            self.apps[app] = app
            self.write_settings()
        place = self.migrations(app)
        write(place.parent, {"__init__.py": "", f"{place.name}/__init__.py": ""})
        if app in self.apps:
            write(self.root / self.apps[app], {"__init__.py": ""})
        for file in files:
            (place / f"{file.name}.py").write_text(file.text)

    def write_model(self, app: str, model: str, added: Iterable[str]) -> None:
        """The app's models.py, with one model as ``create`` and ``add`` make it."""
        columns = ["id = models.BigAutoField(primary_key=True)", "name = models.CharField(max_length=9)"]
        columns += [f"{column} = models.IntegerField(default=0)" for column in added]
        body = "".join(f"    {column}\n" for column in columns)
        text = f"from django.db import models\n\n\nclass {model}(models.Model):\n{body}"
        write(self.root, {f"{self.apps[app]}/models.py": text})

    def rename(self, app: str, names: Mapping[str, str]) -> None:
        """Rename files by hand, all at once, and what depends on them in any app."""
        texts = {old: (self.migrations(app) / f"{old}.py").read_text() for old in names}
        for old in names:
            self.remove(app, old)
        for old, new in names.items():
            (self.migrations(app) / f"{new}.py").write_text(texts[old])

        def renamed(match: re.Match[str]) -> str:
            return _key((app, names.get(match[1], match[1])))

        for path in self.root.glob("**/[0-9]*.py"):
            path.write_text(re.sub(rf'\("{app}", "(\w+)"\)', renamed, path.read_text()))

    def remove(self, app: str, name: str) -> None:
        """Delete one file."""
        (self.migrations(app) / f"{name}.py").unlink()

    def migsync(self, *arguments: str) -> Ended:
        """``migsync ARGUMENTS``; a traceback is never an answer."""
        ended = self.run(sys.executable, "-m", "migsync", *arguments)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def manage(self, *arguments: str) -> Ended:
        """``python manage.py ARGUMENTS``."""
        return self.run(sys.executable, "manage.py", *arguments)

    def manage_all(self, *commands: list[str]) -> list[Ended]:
        """Several commands of ``manage.py``, in one process, for it is the starting that takes long."""
        ended = self.run(sys.executable, "-c", COMMANDS, json.dumps(commands))
        assert ended.status == 0, ended.err
        return [Ended(*each) for each in json.loads(ended.out)]

    def environment(self) -> dict[str, str]:
        """What the commands find in their environment."""
        ours = {name: value for name, value in os.environ.items() if name not in DROPPED}
        git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        for role in ("AUTHOR", "COMMITTER"):
            git |= {f"GIT_{role}_NAME": "a person", f"GIT_{role}_EMAIL": "person@example.com"}
        cache = {"MIGSYNC_CACHE": str(self.root.parent / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        return {**ours, **git, **cache}

    def run(self, *command: str) -> Ended:
        """One command in the project's directory, without a terminal."""
        ended = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def migrate(self, alias: str, *upto: str) -> None:
        """Really migrate one database, some time ago."""
        self.migrate_all([[alias, *upto]])

    def migrate_all(self, commands: Sequence[Sequence[str]]) -> None:
        """The same several times, each an alias and how far."""
        arguments = [["migrate", *upto, "--database", alias, "--verbosity", "0"] for alias, *upto in commands]
        for ended in self.manage_all(*arguments):
            assert ended.status == 0, ended.err
        for alias in {alias for alias, *_ in commands}:
            self.age(alias)

    def age(self, alias: str) -> None:
        """Give all records times of the year 2020, in the order of their ids."""
        database = self.databases[alias]
        for number, *_ in database.dump():
            when = f"2020-01-01 {int(number) // 60:02}:{int(number) % 60:02}:00.{int(number):06}"
            database.execute(f"UPDATE django_migrations SET applied = '{when}' WHERE id = {number}")

    def pending(self, alias: str) -> list[str]:
        """What ``manage.py migrate --plan`` would run, as ``app.name``; an error is told in its last line."""
        return self.pending_all([alias])[0]

    def pending_all(self, aliases: Iterable[str]) -> list[list[str]]:
        """The same for each of the aliases."""
        ended = self.manage_all(*(["migrate", "--plan", "--database", alias] for alias in aliases))
        return [
            each.err.strip().splitlines()[-1:]
            if each.status
            else [line for line in each.out.splitlines() if re.fullmatch(r"\w+\.\w+", line)]
            for each in ended
        ]

    def dumps(self) -> dict[str, Dump]:
        """Every row of every database that has records, as text made by the server."""
        return {alias: database.dump() for alias, database in self.databases.items() if has_table(database)}

    def files(self) -> dict[str, str]:
        """The text of every file that migsync could have written."""
        patterns = ("**/[0-9]*.py", "migration_rewrites/*")
        paths = [path for pattern in patterns for path in self.root.glob(pattern)]
        return {str(path.relative_to(self.root)): path.read_text() for path in sorted(paths)}


def columns(database: Database, table: str) -> list[str]:
    """The names of a table's columns; none where there is no such table."""
    if database.engine == "sqlite":
        return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    place = "current_schema()" if database.engine == "postgresql" else "DATABASE()"
    rows = database.execute(
        f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' "
        f"AND table_schema = {place} ORDER BY ordinal_position"
    )
    return [row[0] for row in rows]


def has_table(database: Database) -> bool:
    """Whether the database has records at all."""
    return "applied" in columns(database, "django_migrations")
