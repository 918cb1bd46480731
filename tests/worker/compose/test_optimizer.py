"""Django's optimizer leaves the state, and what rows get, as they are without it; one-off defaults above all."""

from __future__ import annotations

import pytest
from django.db import migrations, models
from django.db.migrations.state import ProjectState

from migsync.key import Key
from migsync.worker.compose import optimizer
from migsync.worker.compose.optimizer import optimized
from migsync.worker.compose.squash import notes_of

TEXT = models.CharField(max_length=20)
ONCE = models.CharField(max_length=20, default="once")
LONGER = models.CharField(max_length=30)
NULL = models.CharField(max_length=30, null=True)
ALWAYS = models.CharField(max_length=30, default="always")

ITEM = migrations.CreateModel("Item", [("id", models.AutoField(primary_key=True))])
ADD = migrations.AddField("item", "name", ONCE, preserve_default=False)
ADD_KEPT = migrations.AddField("item", "name", ONCE)
ADD_NULL = migrations.AddField("item", "name", NULL)
FILL = migrations.AlterField("item", "name", ONCE, preserve_default=False)
LONG = migrations.AlterField("item", "name", LONGER)
LOOSE = migrations.AlterField("item", "name", NULL)
SET = migrations.AlterField("item", "name", ALWAYS)
RENAME = migrations.RenameField("item", "name", "title")
STOP = migrations.RunSQL("SELECT 1")
NUMBER = migrations.AlterField("item", "name", models.IntegerField())


def state(operations, *, there):
    """The model's fields as of afterwards; `there`: its table is older than these operations."""
    found = ProjectState()
    for operation in [*([ITEM] if there else []), *operations]:
        operation.state_forwards("shop", found)
    return {name: field.deconstruct()[1:] for name, field in found.models["shop", "item"].fields.items()}


def described(operations):
    return [
        (type(it).__name__, it.field.default if it.field.has_default() else None, it.preserve_default)
        if isinstance(it, migrations.AddField | migrations.AlterField)
        else type(it).__name__
        for it in operations
    ]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([ADD], [("AddField", "once", False)]),
        ([ADD, LONG], [("AddField", "once", False)]),
        ([ADD, LOOSE], [("AddField", "once", False)]),
        ([ADD_KEPT, LONG], [("AddField", "once", False)]),
        ([ADD, SET], [("AddField", "once", False), ("AlterField", "always", True)]),
        ([ADD, RENAME], [("AddField", "once", False)]),
        ([ADD, RENAME, migrations.AlterField("item", "title", LONGER)], [("AddField", "once", False)]),
        ([ADD_NULL, FILL], [("AddField", "once", False)]),
        ([FILL, LONG], [("AlterField", "once", False)]),
        ([ADD, STOP, LONG], [("AddField", "once", False), "RunSQL", ("AlterField", None, True)]),
        ([ADD, NUMBER], [("AddField", "once", False), ("AlterField", None, True)]),
    ],
)
def test_where_the_table_is_older(operations, expected):
    before = [ADD_NULL] if operations[0] is FILL else []
    kept = optimized(operations, "shop", before).operations
    assert described(kept) == expected
    assert state([*before, *kept], there=True) == state([*before, *operations], there=True)


@pytest.mark.parametrize(
    "operations", [[ADD], [ADD, LONG], [ADD_NULL, FILL], [ADD, RENAME], [ADD, SET], [ADD_KEPT], [ADD_KEPT, LONG]]
)
def test_in_a_new_table_there_is_no_default_for_rows_that_are_not_there(operations):
    kept = optimized([ITEM, *operations], "shop").operations
    assert described(kept) == ["CreateModel"]
    assert state(kept, there=False) == state([ITEM, *operations], there=False)


def test_an_operation_that_nothing_is_merged_into_is_the_same_object():
    assert optimized([ADD, STOP, LONG], "shop").operations[2] is LONG


def test_too_many_operations_are_merged_in_parts(monkeypatch):
    """The work grows with the third power of their number: 1,600 never came to an end."""
    others = [migrations.AddField("item", f"field{number}", TEXT) for number in range(4)]
    operations = [ITEM, *others, ADD, LONG, RENAME]
    monkeypatch.setattr(optimizer, "SECONDS", -1.0)
    monkeypatch.setattr(optimizer, "PART", 4)
    made = optimized(operations, "shop")
    assert [*map(type, made.operations)] == [migrations.CreateModel, migrations.AddField, migrations.AddField]
    assert state(made.operations, there=False) == state(operations, there=False)
    (note,) = notes_of(made, Key("shop", "0001_squashed"), len(operations), len(made.operations))
    assert (note.code, note.found) == (
        "merged-in-parts",
        "shop.0001_squashed has 3 operations of 8, and could have fewer.",
    )


def test_what_the_parts_become_is_merged_again(monkeypatch):
    merged, budgets = optimizer._merged, iter([-1.0])
    monkeypatch.setattr(optimizer, "_merged", lambda *given: merged(*given[:3], next(budgets, 60.0)))
    monkeypatch.setattr(optimizer, "PART", 2)
    made = optimized([ITEM, ADD, LONG, RENAME], "shop")
    assert [*map(type, made.operations)] == [migrations.CreateModel]


def test_where_no_part_can_be_merged_in_time_all_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(optimizer, "SECONDS", -1.0)
    monkeypatch.setattr(optimizer, "PART_SECONDS", -1.0)
    operations = [ITEM, ADD, LONG]
    made = optimized(operations, "shop")
    assert (made.operations, made.in_parts) == (operations, True)
