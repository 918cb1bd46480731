"""Operations on one table that holds rows, run by Django on SQLite in memory, and what they come to."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ConnectionHandler, connections, migrations, models
from django.db.migrations.state import ProjectState
from django.utils import timezone
from django.utils.functional import empty

APP = "shop"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ITEM = migrations.CreateModel(
    "Item",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("number", models.IntegerField(null=True)),
        ("text", models.CharField(max_length=10, null=True)),
        ("note", models.TextField(default="")),
    ],
)
ROWS = migrations.RunSQL(
    ["INSERT INTO shop_item (number, text, note) VALUES (7, '8', 'some longer text'), (NULL, NULL, '')"]
)
STOP = migrations.RunSQL(["SELECT 1"])


@contextmanager
def django() -> Iterator[None]:
    """Django's settings for the time being, where the time stands still."""
    others = dict(vars(settings))
    vars(settings).clear()
    settings._wrapped = empty
    settings.configure(USE_TZ=True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for ready in ("apps_ready", "models_ready", "ready"):
                patch.setattr(apps, ready, True)
            patch.setattr(timezone, "now", lambda: NOW)
            yield
    finally:
        vars(settings).clear()
        vars(settings).update(others)


def five() -> int:
    return 5


def noon() -> datetime:
    return NOW


@contextmanager
def migrated(database: Mapping[str, Any], files: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ProjectState]]:
    """The connection to a database, given as in ``DATABASES``, and the state, after the operations of these files."""
    connection = ConnectionHandler({"default": {**database}})["default"]
    connections["default"] = connection  # where a transaction looks for it
    try:
        state = ProjectState()
        for operations in files:
            with connection.schema_editor() as editor:
                for operation in operations:
                    new = state.clone()
                    operation.state_forwards(APP, new)
                    operation.database_forwards(APP, editor, state, new)
                    state = new
        yield connection, state
    finally:
        del connections["default"]
        connection.close()


def outcome(*files: Sequence[Any]) -> dict[str, Any]:
    """The state, the columns, the indexes and the rows after the operations of these files."""
    with migrated({"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}, files) as (connection, state):
        ((_, name),) = state.models
        model = state.models[APP, name]
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA table_info('{APP}_{name}')")
            columns = {column[1]: column[2:] for column in cursor.fetchall()}
            cursor.execute(f"SELECT {', '.join(columns)} FROM {APP}_{name} ORDER BY id")
            cursor.execute(
                f"SELECT i.name, l.\"unique\" FROM pragma_index_list('{APP}_{name}') l, pragma_index_info(l.name) i"
            )
            indexes = sorted(cursor.fetchall())
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    fields = {name: field.deconstruct()[1:] for name, field in model.fields.items()}
    return {"model": name, "fields": fields, "columns": columns, "indexes": indexes, "rows": rows}


KINDS = {
    "integer": (models.IntegerField, {}, [1, 5, five]),
    "big": (models.BigIntegerField, {}, [1, 5, five]),
    "positive": (models.PositiveSmallIntegerField, {}, [1, 5]),
    "short": (models.CharField, {"max_length": 10}, ["a", "5", ""]),
    "long": (models.CharField, {"max_length": 30}, ["a", "5"]),
    "slug": (models.SlugField, {}, ["a", "5"]),
    "text": (models.TextField, {}, ["a", "5"]),
    "decimal": (models.DecimalField, {"max_digits": 8, "decimal_places": 2}, [Decimal("1.25"), Decimal(5)]),
    "coarse": (models.DecimalField, {"max_digits": 8, "decimal_places": 1}, [Decimal("1.25"), Decimal(5)]),
    "time": (models.DateTimeField, {}, [noon, NOW.replace(year=2020)]),
}
ALIKE = [["integer", "big", "positive"], ["short", "long", "slug", "text"], ["decimal", "coarse"], ["time"]]


class Story:
    """Random operations on the fields of a model, named as Django's autodetector would, and with what a person adds."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.model = "item"
        self.kinds = {"number": "integer", "text": "short", "note": "text"}
        self.names = iter(f"f{number}" for number in range(99))

    def operations(self) -> list[Any]:
        """From two to seven operations."""
        return [self._operation() for _ in range(self.rng.randint(2, 7))]

    def _operation(self) -> Any:
        match self.rng.choice("+++~~~~~~rr-ms") if self.kinds else "+":
            case "+":
                name = next(self.names)
                self.kinds[name] = self.rng.choice([*KINDS])
                return migrations.AddField(self.model, name, *self._field(name, needed=True))
            case "~":
                name = self._name()
                if self.rng.random() < 0.5:
                    near = next(kinds for kinds in ALIKE if self.kinds[name] in kinds)
                    self.kinds[name] = self.rng.choice(near if self.rng.random() < 0.8 else [*KINDS])
                return migrations.AlterField(self.model, name, *self._field(name, needed=False))
            case "r":
                name, new = self._name(), next(self.names)
                self.kinds[new] = self.kinds.pop(name)
                return migrations.RenameField(self.model, name, new)
            case "-":
                name = self._name()
                del self.kinds[name]
                return migrations.RemoveField(self.model, name)
            case "m":
                old, self.model = self.model, f"item{next(self.names)}"
                return migrations.RenameModel(old, self.model)
        return STOP

    def _name(self) -> str:
        # The latest most of the time: that is where operations meet.
        names = [*self.kinds]
        return names[-1] if self.rng.random() < 0.6 else self.rng.choice(names)

    def _field(self, name: str, *, needed: bool) -> tuple[models.Field, bool]:
        """A field, and whether its default is to stay; `needed`: a row must get something."""
        rng = self.rng
        kind, given, defaults = KINDS[self.kinds[name]]
        given = {**given, "null": rng.random() < 0.4}
        default = rng.random() < 0.5 or (needed and not given["null"])
        if default:
            given["default"] = rng.choice(defaults)
        if rng.random() < 0.1 and not callable(value := rng.choice(defaults)):
            given["db_default"] = value
        if rng.random() < 0.2:
            given["db_index"] = rng.random() < 0.8
        if issubclass(kind, models.CharField) and rng.random() < 0.2:
            given["blank"] = True
        if kind is models.DateTimeField and not default and rng.random() < 0.5:
            given["auto_now_add"] = True
        return kind(**given), not default or rng.random() < 0.5
