"""Judged by Django: what has one effect makes the same SQL, and the operations that are read are those it imports."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from tests.history.operations.test_operations import added

FIELDS = 300
# Prints the SQL that makes a table with each of the fields, on SQLite and on PostgreSQL.
MAKE = """
import json, sys
import django
from django.conf import settings
settings.configure(
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "postgresql": {"ENGINE": "django.db.backends.postgresql", "NAME": "never-connected"},
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", SILENCED_SYSTEM_CHECKS=["*"],
)
django.setup()
from django.apps.registry import Apps
from django.db import connections, models

def other(registry, name):
    meta = type("Meta", (), {"apps": registry, "app_label": "shop"})
    return type(name, (models.Model,), {"Meta": meta, "__module__": "shop"})

def sql(alias, source):
    registry = Apps()
    other(registry, "Order"), other(registry, "Client")
    meta = type("Meta", (), {"apps": registry, "app_label": "shop"})
    field = eval("models." + source, {"models": models})
    model = type("Item", (models.Model,), {"Meta": meta, "__module__": "shop", "price": field})
    registry.clear_cache()
    editor = connections[alias].SchemaEditorClass(connections[alias], collect_sql=True)
    editor.deferred_sql = []
    editor.create_model(model)
    return [str(line) for line in [*editor.collected_sql, *editor.deferred_sql]]

connections["postgresql"].pg_version = 150000
# What Django would ask a server.
editor = connections["postgresql"].SchemaEditorClass
editor.quote_value = lambda self, value: repr(value)
editor._is_collation_deterministic = lambda self, name: True
for line in sys.stdin:
    source = json.loads(line)
    print(json.dumps([sql(alias, source) for alias in ("default", "postgresql")]))
"""
CLASSES: dict[str, list[str]] = {
    **{name: ["max_length=9"] for name in ("CharField", "EmailField", "URLField", "SlugField", "FileField")},
    "TextField": ["db_collation='C'"],
    "BinaryField": ["max_length=5"],
    "DecimalField": ["max_digits=5, decimal_places=2", "max_digits=6, decimal_places=2"],
    "ForeignKey": ["db_constraint=False", "db_index=False", "to_field='id'"],
    "OneToOneField": ["db_constraint=False"],
    "ManyToManyField": ["db_table='links'"],
    **{name: [] for name in ("IntegerField", "BigIntegerField", "PositiveIntegerField", "BooleanField", "FloatField")},
    **{name: [] for name in ("DateField", "DateTimeField", "UUIDField", "JSONField", "GenericIPAddressField")},
}
SEEN = ["null=True", "unique=True", "db_index=True", "db_column='other'"]
UNSEEN = [
    *("blank=True", "help_text='x'", "verbose_name='x'", "choices=[(1, 'a')]", "editable=False", "validators=[print]"),
    *("error_messages={'null': 'x'}", "serialize=False", "null=False", "unique=False", "db_index=False"),
]


def field(draw: random.Random) -> tuple[str, list[str]]:
    name = draw.choice(list(CLASSES))
    arguments = draw.sample(CLASSES[name], draw.randint(0, min(1, len(CLASSES[name]))))
    if name == "DecimalField":
        arguments = [draw.choice(CLASSES[name])]
    if name == "CharField":
        arguments = ["max_length=9"]
    if name != "ManyToManyField":
        arguments += draw.sample(SEEN, draw.randint(0, 2))
    if name in ("ForeignKey", "OneToOneField", "ManyToManyField"):
        arguments.insert(0, f"to='{draw.choice(['Order', 'shop.Client', 'self', 'shop.Item'])}'")
    if name in ("ForeignKey", "OneToOneField"):
        arguments.insert(1, f"on_delete=models.{draw.choice(['CASCADE', 'PROTECT'])}")
    return name, arguments


def written(name: str, arguments: list[str]) -> str:
    """The field as source; of an argument that is there twice, the first counts."""
    known = {argument.partition("=")[0]: argument for argument in reversed(arguments)}
    return f"{name}({', '.join(known.values())})"


def sources(seed: int) -> list[str]:
    """Fields at random, and each again with what no database sees."""
    draw = random.Random(seed)
    found = []
    for _ in range(FIELDS):
        name, arguments = field(draw)
        found.append(written(name, arguments))
        if name != "ManyToManyField":
            more = draw.sample(UNSEEN, draw.randint(1, 3))
            found.append(
                written(name, [*arguments, *(each for each in more if name != "ForeignKey" or "db_" not in each)])
            )
    return found


@pytest.fixture(scope="module")
def seed() -> int:
    return random.randrange(10**6)


@pytest.mark.django
def test_fields_with_one_effect_make_the_same_sql(seed: int) -> None:
    print("seed", seed)
    fields = sources(seed)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAKE],
        input="".join(f"{json.dumps(source)}\n" for source in fields),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, dict[str, str]] = {}
    for source, line in zip(fields, done.stdout.splitlines(), strict=True):
        made.setdefault(added(source).effect, {})[source] = line
    for same in made.values():
        assert len(set(same.values())) == 1, "\n".join(f"{source}: {sql}" for source, sql in same.items())
    # A test that could not fail would have no two alike, or all.
    assert 20 < len(made) < len(set(fields)) * 3 / 4
    by_sql: dict[str, set[str]] = {}
    for effect, same in made.items():
        for sql in same.values():
            by_sql.setdefault(sql, set()).add(effect)
    apart = [effects for effects in by_sql.values() if len(effects) > 1]
    print("told apart without need:", len(apart), "of", len(by_sql))
