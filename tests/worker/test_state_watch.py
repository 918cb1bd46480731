"""What cannot run is found while the state goes through the operations: exactly what a database refuses."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, migrations, models
from django.db.migrations.state import ProjectState
from hypothesis import event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from migsync.key import Key
from migsync.worker.state_watch import StateWatch
from tests.profiles import examples
from tests.worker.compose.tables import APP, django, migrated

ID = ("id", models.BigAutoField(primary_key=True))
NUMBER = ("number", models.IntegerField(null=True))
UNIQUE = models.UniqueConstraint(fields=["number"], name="one_number")


@pytest.fixture(autouse=True, scope="module")
def _django():
    with django():
        yield


def model(name="Item", **options):
    return migrations.CreateModel(name, [ID, NUMBER], options)


def add(name, on="Item"):
    return migrations.AddField(on, name, models.IntegerField(null=True))


def index(on="Item"):
    return migrations.AddIndex(on, models.Index(fields=["number"], name=f"{on.lower()}_number"))


def watched(*files, parents=None, app=APP):
    """The clashes of these lists of operations, one migration each: 0001, 0002 …; each after the one before it."""
    nodes, node_map = {}, {}
    for number, operations in enumerate(files, 1):
        key = app, f"{number:04}"
        nodes[key] = migrations.Migration(key[1], app)
        nodes[key].operations = operations
        above = [(app, f"{number - 1:04}")] if parents is None else parents.get(number, [])
        node_map[key] = SimpleNamespace(key=key, parents=[node_map[each] for each in above if each in node_map])
    watch = StateWatch(ProjectState(), SimpleNamespace(nodes=nodes, node_map=node_map))
    for key in nodes:
        watch.run(key)
    return watch.clashes


def said(clashes):
    return [(each.key.name, str(each.action), each.part, each.other and each.other.name) for each in clashes]


@hypothesis_settings(max_examples=examples(80, 600))
@given(st.integers(0, 2**32))
def test_a_database_refuses_what_clashes_and_nothing_else(seed):
    operations = any_operations(random.Random(seed))
    clashes = watched(*([each] for each in operations))
    failed = first_failure(operations)
    event(f"refused: {type(operations[failed - 1]).__name__ if failed else None}")
    assert (int(clashes[0].key.name) if clashes else 0) == failed, [it.describe() for it in operations]


def any_operations(rng):
    """Operations about two models and two fields, of which about every fifth cannot run."""

    def any_operation():
        on, other = rng.sample(["Item", "Tag"], 2)
        name, new = rng.sample(["price", "size"], 2)
        return rng.choice(
            [
                model(on),
                add(name, on),
                add(name, on),
                migrations.DeleteModel(on),
                migrations.RenameModel(on, other),
                migrations.AlterModelTable(on, rng.choice([None, "wares"])),
                migrations.AlterField(on, name, models.BigIntegerField(null=True)),
                migrations.RemoveField(on, name),
                migrations.RenameField(on, name, new),
                index(on),
                migrations.RemoveIndex(on, f"{on.lower()}_number"),
            ]
        )

    return [model(), *(any_operation() for _ in range(rng.randint(1, 8)))]


def first_failure(operations):
    """The number of the first operation that SQLite refuses, 0 where it runs them all."""
    with migrated({"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}, []) as (connection, before):
        for number, operation in enumerate(operations, 1):
            if isinstance(operation, migrations.CreateModel) and (APP, operation.name_lower) in before.models:
                return number  # where the first model has another table by now, this loses it
            after = before.clone()
            try:
                operation.state_forwards(APP, after)
                with connection.schema_editor() as editor:
                    operation.database_forwards(APP, editor, before, after)
            except (DatabaseError, FieldDoesNotExist, LookupError, ValueError):
                return number
            before = after
    return 0


def test_both_migrations_are_named():
    clashes = watched([model()], [add("price")], [add("size"), add("price")])
    assert said(clashes) == [("0003", "adds", ("field", APP, "item", "price"), "0002")]
    assert clashes[0].number == 2
    gone = watched([model()], [add("price")], [migrations.DeleteModel("Item")], [add("size")])
    assert said(gone) == [("0004", "changes", ("model", APP, "item"), "0003")]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (migrations.RemoveField("Item", "number"), ("removes", ("field", APP, "item", "number"), "0002")),
        (migrations.AddConstraint("Item", UNIQUE), None),
        (migrations.RemoveConstraint("Item", "one"), ("removes", ("constraint", APP, "item", "one"), None)),
        (model("Ware", db_table="shop_item"), ("adds", ("table", "shop_item"), "0001")),
    ],
)  # fmt: skip
def test_what_is_there_or_not(operation, expected):
    clashes = said(watched([model()], [migrations.RemoveField("Item", "number")], [operation]))
    assert clashes == ([("0003", *expected)] if expected else [])


@pytest.mark.parametrize(
    "operation",
    [
        migrations.SeparateDatabaseAndState(state_operations=[add("price")]),
        migrations.RunSQL("", state_operations=[add("price")]),
        type("OwnAddField", (migrations.AddField,), {"database_forwards": lambda *_: None})(
            "Item", "price", models.IntegerField()
        ),
    ],
    ids=["state", "sql", "own"],
)
def test_what_does_not_add_the_column_itself_is_no_clash(operation):
    assert watched([model()], [add("price")], [operation]) == []


def test_a_model_without_a_table_takes_anything():
    assert watched([model(managed=False)], [add("price")], [add("price")]) == []
    assert watched([model()], [model("View", managed=False, db_table="shop_item")]) == []


def test_a_model_may_move_its_table_to_another_app():
    moved = migrations.SeparateDatabaseAndState(state_operations=[model("Ware", db_table="shop_item")])
    away = migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Item")])
    assert watched([model()], [moved], [away], [add("price", "Ware")]) == []


def test_branches_are_in_no_order_of_their_own():
    beside = {2: [(APP, "0001")], 3: [(APP, "0001")]}
    assert [each.ordered for each in watched([model()], [add("price")], [add("price")], parents=beside)] == [False]
    assert [each.ordered for each in watched([model()], [add("price")], [add("price")])] == [True]
    assert Key(APP, "0003") == watched([model()], [add("price")], [add("price")])[0].key
