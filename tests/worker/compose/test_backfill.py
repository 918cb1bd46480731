"""However a database that holds rows comes to the end of a range, by the old files or by the squash, they are equal."""

from __future__ import annotations

import random

import pytest
from django.db import DatabaseError, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.models import Value
from django.db.models.functions import Upper
from hypothesis import event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from migsync.worker.compose.backfill import NOTHING, _fill
from migsync.worker.compose.deferred import with_indexes_in_time
from migsync.worker.compose.optimizer import optimized
from tests.profiles import examples
from tests.worker.compose.tables import APP, ITEM, NOW, ROWS, STOP, Story, django, five, outcome

Integer, Big, Char, Text = models.IntegerField, models.BigIntegerField, models.CharField, models.TextField


@pytest.fixture(autouse=True, scope="module")
def _django():
    with django():
        yield


@hypothesis_settings(max_examples=examples(60, 250))
@given(st.integers(0, 2**32), st.sampled_from(["before", "unknown", "inside"]))
def test_any_operations(seed, there):
    operations = Story(random.Random(seed)).operations()
    try:
        expected = outcome([ITEM], [ROWS], *([it] for it in operations))
    except (DatabaseError, ValueError, TypeError, ArithmeticError) as error:
        event(f"the old files fail: {type(error).__name__}")
        return
    match there:
        case "before":
            files = [ITEM], [ROWS], with_indexes_in_time(optimized(operations, APP, [ITEM])[0])
        case "unknown":
            files = [ITEM], [ROWS], with_indexes_in_time(optimized(operations, APP)[0])
        case "inside":
            files = (with_indexes_in_time(optimized([ITEM, ROWS, *operations], APP)[0]),)
    event(f"united: {sum(map(len, files)) < len(operations) + 2}")
    assert outcome(*files) == expected, files


def test_few_operations_stay_apart_that_django_would_unite():
    stories = [Story(random.Random(seed)).operations() for seed in range(400)]
    before = sum(map(len, stories))
    djangos = sum(len(MigrationOptimizer().optimize(it, APP)) for it in stories)
    ours = sum(len(optimized(it, APP, [ITEM])[0]) for it in stories)
    print(f"{before} operations, {djangos} by Django, {ours} by migsync (seeds 0 to 399)")
    assert before - ours > (before - djangos) / 2


def add(field, *, once=False):
    return migrations.AddField("item", "new", field, preserve_default=not once)


def alter(field, *, once=False, name="new"):
    return migrations.AlterField("item", name, field, preserve_default=not once)


def char(length=10, **given):
    return Char(max_length=length, **given)


RENAME = migrations.RenameField("item", "new", "newer")
RENAME_MODEL = migrations.RenameModel("Item", "Thing")
APART = {
    "another type": [add(Integer(default=7), once=True), alter(char())],
    "another default": [add(char(default="active")), alter(char(default="pending"))],
    "a default after NULL": [add(Integer(null=True)), alter(Integer(null=True, default=5))],
    "under another name": [add(Integer(default=7)), RENAME, alter(Integer(default=8), name="newer")],
    "NULL gets the first default": [
        alter(Integer(default=1), name="number"),
        alter(Integer(default=2), name="number"),
    ],
    "NULL got a default": [alter(Integer(default=1), name="number"), alter(Integer(null=True), name="number")],
    "with digits lost": [
        alter(models.DecimalField(max_digits=8, decimal_places=1, null=True), name="number"),
        alter(models.DecimalField(max_digits=8, decimal_places=2, null=True), name="number"),
    ],
    "by the database": [add(Integer(null=True)), alter(Integer(null=True, db_default=5))],
    "by the database and not": [add(Integer(db_default=5)), alter(Integer(default=5))],
    "1 is not True": [add(models.JSONField(default=1)), alter(models.JSONField(default=True))],
    "a time and now": [add(models.DateTimeField(auto_now=True)), alter(models.DateTimeField(default=NOW))],
    "NULL and now": [add(models.DateTimeField(null=True)), alter(models.DateTimeField(null=True, auto_now=True))],
    "not given on MySQL": [add(Text(default="a")), alter(Text(null=True, default="a"))],
}
TOGETHER = {
    "a wider type": [add(Integer(default=7), once=True), alter(Big())],
    "a narrower type": [add(Integer(default=7), once=True), alter(models.PositiveSmallIntegerField())],
    "an equal default": [add(Integer(default=7)), alter(Integer(default=7, null=True))],
    "a wider column": [add(Integer(default=7)), alter(Big(default=7)), alter(Big(default=7, db_index=True))],
    "a longer text": [add(char(default="a"), once=True), alter(char(20)), alter(models.TextField())],
    "NULL": [add(Integer(null=True)), alter(Big(null=True))],
    "NULL, then a default": [add(Integer(null=True)), alter(char(default="a"))],
    "the same function": [add(Integer(default=five)), RENAME, alter(Integer(default=five, null=True), name="newer")],
    "the function of the first": [add(Integer(default=five), once=True), alter(Integer(db_index=True))],
    "by the database": [add(char(db_default=Upper(Value("a")))), alter(char(20, db_default=Upper(Value("a"))))],
    "now": [add(models.DateTimeField(auto_now_add=True)), alter(models.DateTimeField(auto_now=True))],
    "empty": [add(char(blank=True)), alter(char(default="", help_text="a"))],
    "gone": [add(Integer(default=7)), alter(Integer(default=8)), migrations.RemoveField("item", "new")],
    "no NULL before": [alter(Text(default="a"), name="note"), alter(Text(default="b"), name="note")],
    "longer each time": [alter(char(20, null=True), name="text"), alter(char(30, null=True), name="text")],
    "NULL the second time": [alter(Integer(null=True), name="number"), alter(Integer(default=2), name="number")],
}


@pytest.mark.parametrize("operations", APART.values(), ids=APART)
def test_apart(operations):
    kept, apart, _ = optimized(operations, APP, [ITEM])
    assert [type(it) for it in kept] == [type(it) for it in operations if it is not RENAME]
    assert apart == [("item", kept[-1].name)]
    assert outcome([ITEM], [ROWS], kept) == outcome([ITEM], [ROWS], *([it] for it in operations))


@pytest.mark.parametrize("operations", TOGETHER.values(), ids=TOGETHER)
def test_together(operations):
    kept, apart, _ = optimized(operations, APP, [ITEM])
    assert (len(kept), apart) == (0 if isinstance(operations[-1], migrations.RemoveField) else 1, [])
    assert outcome([ITEM], [ROWS], kept) == outcome([ITEM], [ROWS], *([it] for it in operations))


@pytest.mark.parametrize("operations", APART.values(), ids=APART)
def test_in_a_new_table_all_are_united(operations):
    assert [type(it) for it in optimized([ITEM, *operations], APP)[0]] == [migrations.CreateModel]
    # Not so in one that may have rows by now.
    assert len(optimized([ITEM, STOP, *operations], APP)[0]) >= 4


def test_where_a_new_table_cannot_take_them_in_they_are_united_too():
    fields = [("id", models.BigAutoField(primary_key=True))]
    other = migrations.CreateModel("Other", [*fields, ("item", models.ForeignKey("shop.Item", models.CASCADE))])
    key = models.ForeignKey("shop.Other", models.CASCADE, default=1)
    operations = [ITEM, other, add(key), alter(models.ForeignKey("shop.Other", models.CASCADE, default=2))]
    assert len(optimized(operations, APP)[0]) == 3
    assert len(optimized(operations[2:], APP, operations[:2])[0]) == 2


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ([ITEM], 1),
        ([], 2),
        ([ITEM, RENAME_MODEL, migrations.RenameModel("Thing", "Item")], 1),
        ([ITEM, migrations.RunSQL("", state_operations=[alter(Integer(null=True), name="note")])], 2),
        ([ITEM, migrations.DeleteModel("Item")], 2),
        ([ITEM, migrations.RemoveField("item", "note")], 2),
        ([ITEM, migrations.RenameField("item", "note", "other"), migrations.RenameField("item", "other", "note")], 1),
    ],
)
def test_what_the_field_was_before(before, count):
    operations = [alter(Text(default="a"), name="note"), alter(Text(default="b"), name="note")]
    assert len(optimized(operations, APP, before)[0]) == count


class Blocks(models.JSONField):
    """As Wagtail's StreamField: what it is made with changes all the time, and the column never."""

    def __init__(self, blocks, **given):
        self.blocks = blocks
        super().__init__(**given)

    def deconstruct(self):
        name, path, args, given = super().deconstruct()
        return name, path, args, given | {"blocks": self.blocks}


class Filling(migrations.AddField):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        raise NotImplementedError


def test_fields_and_operations_of_ones_own():
    kept, *_ = optimized([alter(Blocks("b")), alter(Blocks("c"))], APP, [add(Blocks("a"))])
    assert len(kept) == 1
    own = Filling("item", "new", Integer(default=1))
    kept, *_ = optimized([own, alter(Integer(default=1))], APP)
    assert kept[0] is own
    assert len(kept) == 2
    assert len(optimized([own, RENAME], APP)[0]) == 2


def test_relations_and_generated_fields_are_united_as_ever():
    key = {"to": "shop.Item", "on_delete": models.CASCADE}
    generated = {"expression": models.F("number"), "output_field": Integer(), "db_persist": True}
    for one, other in [
        (models.ForeignKey(**key, null=True), models.ForeignKey(**key, null=True, related_name="+")),
        (models.ManyToManyField("shop.Item"), models.ManyToManyField("shop.Item", blank=True)),
        (models.GeneratedField(**generated), models.GeneratedField(**generated, verbose_name="a")),
    ]:
        assert len(optimized([add(one), alter(other)], APP)[0]) == 1
        assert len(optimized([alter(one), alter(other)], APP)[0]) == 1


def test_an_order_that_goes_and_comes_again_begins_anew():
    gone, again = migrations.AlterOrderWithRespectTo("item", None), migrations.AlterOrderWithRespectTo("item", "note")
    assert optimized([gone, again], APP)[0] == [gone, again]
    assert optimized([again, gone], APP)[0] == [gone]
    assert len(optimized([ITEM, gone, again], APP)[0]) == 1


@pytest.mark.parametrize(
    "field",
    [
        Integer(),
        Integer(default=1),
        Integer(null=True, default=None),
        char(),
        char(blank=True),
        char(blank=True, null=True),
        Integer(blank=True),
        models.DateTimeField(auto_now=True),
        models.DateTimeField(auto_now_add=True, null=True),
        models.DateTimeField(auto_now_add=True, default=NOW),
    ],
)
def test_what_a_row_is_given_is_what_djangos_schema_editor_gives_it(field):
    effective = BaseDatabaseSchemaEditor._effective_default(field)
    expected = (
        ("now",) if effective is NOW and not field.has_default() else ("default", type(effective), repr(effective))
    )
    assert _fill(field) == expected
    assert (effective is None) == (expected == NOTHING)
