"""Writes a Django project of many apps and migrations, all recorded in one SQLite database.

    python -m tests.benchmarks.project DIRECTORY --migrations 10000 --apps 300

The files are written by Django's own MigrationWriter from a story that is told in one order for all apps, so that a
dependency on another app is on what was its newest migration then, as with ``makemigrations``. The models are those
that the migrations lead to: ``makemigrations --check`` finds nothing. Some migrations move data with functions, some
were edited by hand, a few are merges. The same arguments give the same project, but for the dates in the comments.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.writer import MigrationWriter

from tests.databases import SQLiteDatabase

TOPICS = "billing catalogue checkout content delivery email forum inventory ledger loyalty pricing profile search"
THINGS = "account address article batch category document event invoice item label message note order page payment"
MORE = "plan price product quota rating refund report review rule session shipment stock ticket token voucher"
PROPERTIES = "active amount code comment count created deadline external_id height kind level locale modified name"
OTHERS = "number origin paid position priority private quantity reference score slug state title total value weight"
NAMES = (THINGS + " " + MORE).split()
FIELDS = (PROPERTIES + " " + OTHERS).split()

# The shares of migrations with functions, edited by hand, and merging two branches. In wagtail and django-oscar a
# third of all files is not as makemigrations writes them.
DATA, EDITED, MERGES = 0.10, 0.15, 0.02
# How many steps a migration has. In wagtail and django-oscar a file has 2.3 operations and 1.5 kB.
STEPS = [1, 1, 1, 2, 2, 3, 4, 6]

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
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
{apps}
]
"""

APP = """\
from django.apps import AppConfig


class Config(AppConfig):
    name = "{label}"
"""

DATA_MIGRATION = '''\
from django.db import migrations


def {function}(apps, schema_editor):
    """Rows from before have no {field}."""
    {model} = apps.get_model("{app}", "{model}")
    alias = schema_editor.connection.alias
    for row in {model}.objects.using(alias).filter(pk__gt={start}).iterator(chunk_size=2000):
        if row.pk % 2:
            row.save(update_fields=["{field}"])


class Migration(migrations.Migration):

    dependencies = [
{dependencies}    ]

    operations = [
        migrations.RunPython({function}, migrations.RunPython.noop),
    ]
'''


@dataclass
class App:
    """One app while its story is told: its models' fields, its migrations so far, and the ends of its branches."""

    label: str
    models: dict[str, dict[str, models.Field[Any, Any]]] = field(default_factory=dict)
    indexes: dict[str, list[models.Index]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.names) + 1


class Story:
    """What happened to all apps, migration by migration."""

    def __init__(self, root: Path, count: int, apps: int, edited: float, seed: int) -> None:
        self.root = root
        self.count = count
        self.edited = edited
        self.random = random.Random(seed)
        labels = [f"{topic}_{name}" for topic, name in product(TOPICS.split(), NAMES)]
        self.random.shuffle(labels)
        self.apps = [App(label) for label in sorted(labels[:apps])]
        if len(self.apps) < apps:
            raise ValueError(f"there are names for {len(labels)} apps")
        self.recorded: list[tuple[str, str]] = []

    def tell(self) -> None:
        """Write every migration. A few apps have many, most have some, as in real projects."""
        for app in self.apps:
            (self.root / app.label / "migrations").mkdir(parents=True)
            (self.root / app.label / "migrations" / "__init__.py").touch()
            (self.root / app.label / "__init__.py").touch()
        started: list[App] = []
        waiting = list(self.apps)
        weights = [self.random.paretovariate(1.5) for _ in self.apps]
        while left := self.count - len(self.recorded):
            if waiting and (not started or left <= len(waiting) + 1 or self.random.random() < 2 * len(waiting) / left):
                started.append(waiting.pop(0))
                self.create(started[-1])
            else:
                self.change(self.random.choices(started, weights[: len(started)])[0], left)

    def create(self, app: App) -> None:
        operations = [self.create_model(app, user=index == 0) for index in range(self.random.randint(1, 4))]
        self.write(app, operations, initial=True)

    def change(self, app: App, left: int) -> None:
        chance = self.random.random()
        if chance < DATA:
            self.write_data(app)
        elif chance > 1 - MERGES and left > 1 and app.number > 2 and len(app.models) < len(NAMES):
            # A branch that began one migration earlier, and what brings both together again.
            self.write(app, [self.create_model(app)], parents=[app.names[-2]])
            self.write(app, [], name="merge_" + "_".join(leaf[:4] for leaf in app.leaves))
        else:
            steps = self.random.choice(STEPS)
            self.write(app, [operation for _ in range(steps) for operation in self.step(app)])

    def create_model(self, app: App, *, user: bool = False) -> migrations.CreateModel:
        name = self.random.choice([name.title() for name in NAMES if name.title() not in app.models])
        fields: dict[str, models.Field[Any, Any]] = {"id": auto()}
        for field_name in self.random.sample(FIELDS, self.random.randint(3, 9)):
            fields[field_name] = self.field()
        if user and self.random.random() < 0.5:
            fields["owner"] = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
        app.models[name] = fields
        return migrations.CreateModel(name, list(fields.items()))

    def step(self, app: App) -> Iterator[Any]:
        """One change, in the proportions of a grown project."""
        model = self.random.choice(list(app.models))
        fields = app.models[model]
        plain = [name for name in fields if name in FIELDS]
        free = [name for name in FIELDS if name not in fields]
        kind = self.random.choices(("add", "alter", "model", "link", "remove", "index"), (40, 28, 6, 10, 8, 8))[0]
        taken = {name for index in app.indexes.get(model, []) for name in index.fields}
        if kind == "add" and free:
            name = self.random.choice(free)
            fields[name] = self.field(null=True)
            yield migrations.AddField(model.lower(), name, fields[name])
        elif kind == "model" and len(app.models) < len(NAMES):
            yield self.create_model(app)
        elif kind == "link" and not {"related", "owner"} & fields.keys():
            other = self.random.choice([app for app in self.apps if app.models])
            to = f"{other.label}.{self.random.choice(list(other.models)).lower()}"
            fields["related"] = models.ForeignKey(to, models.SET_NULL, null=True, blank=True, related_name="+")
            yield migrations.AddField(model.lower(), "related", fields["related"])
        elif kind == "remove" and len(plain) > 4 and (gone := [name for name in plain if name not in taken]):
            name = self.random.choice(gone)
            del fields[name]
            yield migrations.RemoveField(model.lower(), name)
        elif kind == "index" and (open_ := [name for name in plain if name not in taken]):
            name = self.random.choice(open_)
            index = models.Index(fields=[name], name=f"{app.label[:12]}_{model[:7]}_{name[:6]}".lower())
            app.indexes.setdefault(model, []).append(index)
            yield migrations.AddIndex(model.lower(), index)
        elif plain:
            name = self.random.choice(plain)
            fields[name] = self.field(null=True)
            yield migrations.AlterField(model.lower(), name, fields[name])

    def field(self, *, null: bool = False) -> models.Field[Any, Any]:
        number = self.random.randint(8, 250)
        options: dict[str, Any] = {"null": True, "blank": True} if null else {}
        if self.random.random() < 0.6:
            options["verbose_name"] = f"{self.random.choice(FIELDS)} of the {self.random.choice(NAMES)}"
        if self.random.random() < 0.4:
            options["help_text"] = f"Shown to {self.random.choice(NAMES)} editors, at most {number} of them are kept."
        states = [("new", "New"), ("open", f"Open for {number} days"), ("done", "Done"), ("void", "Void")]
        kinds = (
            lambda: models.CharField(max_length=number, **options),
            lambda: models.CharField(max_length=20, choices=states, **options),
            lambda: models.TextField(**options),
            lambda: models.IntegerField(default=number, **options),
            lambda: models.DecimalField(max_digits=12, decimal_places=number % 6, **options),
            lambda: models.DateTimeField(**options),
            lambda: models.BooleanField(default=bool(number % 2), **options),
            lambda: models.SlugField(max_length=number, **options),
        )
        return self.random.choice(kinds)()

    def dependencies(self, app: App, operations: list[Any], parents: list[str] | None) -> list[Any]:
        own = [(app.label, name) for name in (parents if parents is not None else app.leaves)]
        others: dict[Any, None] = {}
        for operation in operations:
            named = dict(getattr(operation, "fields", ())).values()
            for each in (getattr(operation, "field", None), *named):
                if isinstance(each, models.ForeignKey):
                    others.update(self.needs(app, each))
        return [*own, *others]

    def needs(self, app: App, link: models.ForeignKey[Any, Any]) -> Iterator[tuple[Any, None]]:
        to = str(link.remote_field.model)
        if to == settings.AUTH_USER_MODEL:
            yield migrations.swappable_dependency(settings.AUTH_USER_MODEL), None
            return
        label = to.partition(".")[0]
        other = next(other for other in self.apps if other.label == label)
        if other is not app:
            yield (label, other.names[-1]), None

    def write(
        self,
        app: App,
        operations: list[Any],
        *,
        name: str = "",
        initial: bool = False,
        parents: list[str] | None = None,
    ) -> None:
        body = {"operations": operations, "dependencies": self.dependencies(app, operations, parents)}
        migration: Any = type("Migration", (migrations.Migration,), body)("", app.label)
        migration.initial = initial or None
        number = app.number if parents is None else app.number - 1
        migration.name = self.free_name(app, f"{number:04d}_{name or migration.suggest_name()}")
        text = MigrationWriter(migration).as_string()
        if self.random.random() < self.edited:
            text = edited(text, self.random.randrange(4))
        self.record(app, migration.name, text, parents)

    def write_data(self, app: App) -> None:
        model = self.random.choice(list(app.models))
        field_name = self.random.choice([name for name in app.models[model] if name in FIELDS])
        function = f"fill_{model.lower()}_{field_name}"
        text = DATA_MIGRATION.format(
            app=app.label,
            model=model,
            field=field_name,
            function=function,
            start=len(self.recorded),
            dependencies="".join(f'        ("{app.label}", "{name}"),\n' for name in app.leaves),
        )
        self.record(app, self.free_name(app, f"{app.number:04d}_{function}"), text, None)

    @staticmethod
    def free_name(app: App, name: str) -> str:
        return name if name not in app.names else f"{name}_again"

    def record(self, app: App, name: str, text: str, parents: list[str] | None) -> None:
        (self.root / app.label / "migrations" / f"{name}.py").write_text(text)
        app.leaves = [name] if parents is None else [*app.leaves, name]
        app.names.append(name)
        self.recorded.append((app.label, name))


def auto() -> models.Field[Any, Any]:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def edited(text: str, way: int) -> str:
    """The file as a person leaves it; the meaning is the same."""
    match way:
        case 0:
            return '"""Written for the release notes: what changes and why."""\n' + text
        case 1:
            return text.replace("    dependencies = [", "    # The order matters here.\n    dependencies = [")
        case 2:
            return text.replace("    operations = [", "    elidable = False\n\n    operations = [")
        case _:
            return text.replace("class Migration(", "TIMEOUT = 30\n\n\nclass Migration(")


def model_module(app: App) -> str:
    """The app's ``models.py``."""
    imports = {"from django.db import models"}
    classes = []
    for name, fields in app.models.items():
        lines = [f"class {name}(models.Model):"]
        for field_name, each in fields.items():
            if field_name == "id":
                continue
            code, needed = MigrationWriter.serialize(each)
            imports |= {line for line in needed if line != "from django.db import migrations"}
            lines.append(f"    {field_name} = {code}")
        if app.indexes.get(name):
            lines += ["", "    class Meta:", "        indexes = ["]
            lines += [f"            {MigrationWriter.serialize(index)[0]}," for index in app.indexes[name]]
            lines.append("        ]")
        classes.append("\n".join(lines) + "\n")
    return "\n".join(sorted(imports)) + "\n\n\n" + "\n\n".join(classes)


def make_project(root: Path, *, count: int, apps: int, edited: float = EDITED, seed: int = 1) -> None:
    """Write the project into `root`, which must not exist."""
    settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"], USE_TZ=True)
    django.setup()
    root.mkdir(parents=True)
    story = Story(root, count, apps, edited, seed)
    story.tell()
    for app in story.apps:
        (root / app.label / "models.py").write_text(model_module(app))
        (root / app.label / "apps.py").write_text(APP.format(label=app.label))
    (root / "manage.py").write_text(MANAGE)
    (root / "site_of_many").mkdir()
    (root / "site_of_many" / "__init__.py").touch()
    installed = "\n".join(f'    "{app.label}",' for app in story.apps)
    (root / "site_of_many" / "settings.py").write_text(SETTINGS.format(apps=installed))
    record(root / "db.sqlite3", story.recorded)


def record(path: Path, keys: list[tuple[str, str]]) -> None:
    """Every migration of the project, and those of Django's own apps, as ``migrate`` would have recorded them."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    order = [key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)]
    database = SQLiteDatabase(path)
    database.create_table()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)",
            [
                (app, name, f"2026-{1 + place // 840:02d}-{1 + place // 30 % 28:02d} 10:{place % 60:02d}:07.123456")
                for place, (app, name) in enumerate(dict.fromkeys([*order, *keys]))
            ],
        )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--migrations", type=int, default=10_000)
    parser.add_argument("--apps", type=int, default=300)
    parser.add_argument("--edited", type=float, default=EDITED, help="the share of files edited by hand")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    make_project(asked.directory, count=asked.migrations, apps=asked.apps, edited=asked.edited, seed=asked.seed)


if __name__ == "__main__":
    main(sys.argv[1:])
