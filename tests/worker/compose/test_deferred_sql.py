"""What Django puts off to the end of a file comes out as from files of their own, on three engines."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from django.db import migrations, models

from migsync.proof.schema import differing_parts
from migsync.worker.compose.deferred import with_foreign_keys_in_time, with_indexes_in_time
from migsync.worker.compose.optimizer import optimized
from tests.databases import Database, install_as_mysqldb
from tests.profiles import examples
from tests.worker.compose.tables import APP, STOP, django, migrated

Auto, Big, Integer = models.AutoField, models.BigAutoField, models.IntegerField


@pytest.fixture(autouse=True, scope="module")
def _django():
    with django():
        yield


def model(name: str, *fields: tuple[str, Any], key: Any = Auto, **given: Any) -> Any:
    return migrations.CreateModel(name, [("id", key(primary_key=True)), *fields], **given)


def alter(of: str, name: str, field: Any) -> Any:
    return migrations.AlterField(of, name, field)


def bigger(of: str) -> Any:
    return alter(of, "id", Big(primary_key=True))


def to(other: str, **given: Any) -> Any:
    return models.ForeignKey(f"{APP}.{other}", models.CASCADE, **given)


def many(other: str, **given: Any) -> Any:
    return models.ManyToManyField(f"{APP}.{other}", **given)


SHOP, ITEM = model("Shop"), model("Item", ("number", Integer(unique=True)))
ADD_MANY = migrations.AddField("shop", "items", many("Item"))
OWN_KEY = models.OneToOneField(f"{APP}.Shop", models.CASCADE, primary_key=True)
CHILD = migrations.CreateModel("Child", [("shop", OWN_KEY)])
HERS = model("Part", ("of", to("Child")))
PART = model("Part", ("of", to("Shop")))
BY_NUMBER = model("Part", ("of", to("Item", to_field="number")))
SELF = model("Tree", ("parent", to("Tree", null=True)))
STORIES = {
    "the key is altered": ([SHOP], [PART, bigger("Shop")]),
    "behind a barrier": ([], [SHOP, PART, STOP, bigger("shop")]),
    "under other names": (
        [SHOP],
        [
            model("Part", ("of", to("Shop", null=True))),
            STOP,
            migrations.RenameModel("Part", "Piece"),
            migrations.RenameField("piece", "of", "fromShop"),
            alter("piece", "fromShop", to("Shop")),
            bigger("shop"),
            migrations.RenameField("piece", "fromShop", "shop"),
        ],
    ),
    "the other model has another name": ([SHOP], [PART, STOP, migrations.RenameModel("Shop", "Place")]),
    "of both ends of many": ([SHOP, ITEM], [ADD_MANY, bigger("shop"), bigger("item")]),
    "of one end of many": ([SHOP, ITEM], [ADD_MANY, bigger("shop")]),
    "of many in a new model": ([ITEM], [model("Shop", ("items", many("Item")), key=Big), bigger("item")]),
    "of a key that is a key": ([SHOP, CHILD], [HERS, bigger("shop")]),
    "of itself": ([], [SELF, STOP, bigger("tree")]),
    "a unique field is altered": ([ITEM], [BY_NUMBER, alter("item", "number", models.BigIntegerField(unique=True))]),
    "it refers to another model": ([SHOP, ITEM], [PART, STOP, alter("part", "of", to("Item"))]),
    "it refers to none": ([SHOP], [PART, STOP, alter("part", "of", Integer())]),
    "without a constraint": ([SHOP], [PART, STOP, alter("part", "of", to("Shop", db_constraint=False))]),
    "it never had one": ([SHOP], [model("Part", ("of", to("Shop", db_constraint=False))), bigger("shop")]),
    "it goes": ([SHOP], [PART, STOP, bigger("shop"), migrations.RemoveField("part", "of")]),
}
NUMBER = ("number", Integer())
INDEXED = model(
    "Item", NUMBER, options={"indexes": [models.Index(fields=["number"], name=it) for it in ("a", "b", "c")]}
)
UNIQUE, PARTLY = (
    models.UniqueConstraint(fields=["number"], name="a"),
    models.UniqueConstraint(fields=["number"], name="b", condition=models.Q(number__gt=1)),
)
CONSTRAINED = model("Item", NUMBER, options={"constraints": [UNIQUE, PARTLY]})
TOGETHER = model("Item", NUMBER, ("other", Integer()), options={"unique_together": {("number", "other")}})
BOTH = model(
    "Item", NUMBER, ("other", Integer()), options={"indexes": [models.Index(fields=["number", "other"], name="a")]}
)
OLD_BOTH = model("Item", NUMBER, ("other", Integer()), options={"index_together": {("number", "other")}})
STORIES |= {
    "an index is taken away": ([], [INDEXED, STOP, migrations.RemoveIndex("item", "b")]),
    "an index has another name": ([], [INDEXED, STOP, migrations.RenameIndex("item", new_name="d", old_name="a")]),
    "an index is named by its fields": (
        [],
        [BOTH, STOP, migrations.RenameIndex("item", new_name="d", old_fields=("number", "other"))],
    ),
    "index_together gets a name": (
        [],
        [OLD_BOTH, STOP, migrations.RenameIndex("item", new_name="d", old_fields=("number", "other"))],
    ),
    "two indexes, of a model with another name": (
        [],
        [
            INDEXED,
            STOP,
            migrations.RenameModel("Item", "Thing"),
            migrations.RemoveIndex("thing", "c"),
            migrations.RemoveIndex("thing", "a"),
        ],
    ),
    "a constraint is taken away": ([], [CONSTRAINED, STOP, migrations.RemoveConstraint("item", "b")]),
    "another one is": ([], [CONSTRAINED, STOP, migrations.RemoveConstraint("item", "a")]),
    "nothing is unique together": ([], [TOGETHER, STOP, migrations.AlterUniqueTogether("item", set())]),
    "something else is": ([], [TOGETHER, STOP, migrations.AlterUniqueTogether("item", {("other", "number")})]),
    "a text has no index": (
        [],
        [model("Item", ("text", models.SlugField())), STOP, alter("item", "text", models.TextField())],
    ),
}
ALIKE = {
    "the words of the key": ([SHOP], [PART, alter("shop", "id", Auto(primary_key=True, verbose_name="ID"))]),
    "added": ([SHOP, ITEM], [migrations.AddField("item", "of", to("Shop", null=True)), bigger("shop")]),
    "NULL": ([SHOP], [PART, STOP, alter("part", "of", to("Shop", null=True))]),
    "another model's key": ([SHOP, ITEM], [PART, bigger("item")]),
    "a field of the model": ([ITEM], [BY_NUMBER, migrations.AddField("item", "name", models.TextField(default=""))]),
    "made afterwards": ([SHOP], [bigger("shop"), PART]),
    "through a model of its own": (
        [SHOP, ITEM],
        [
            model("Part", ("shop", to("Shop", db_constraint=False)), ("item", to("Item", db_constraint=False))),
            migrations.AddField("shop", "items", many("Item", through=f"{APP}.Part")),
            bigger("shop"),
        ],
    ),
}


def composed(before: Sequence[Any], operations: Sequence[Any]) -> list[Any]:
    return with_foreign_keys_in_time(with_indexes_in_time(optimized(operations, APP, before)[0]), APP, before)


def run(database: Database, files: Sequence[Sequence[Any]]) -> dict[tuple[str, str], Any]:
    """The fields and the options that Django's state has at the end."""
    if database.engine == "mysql":
        install_as_mysqldb()
    with migrated(database.django, files) as (_, state):
        return {
            **{
                (name, field): it.deconstruct()[1:]
                for (_, name), model in state.models.items()
                for field, it in model.fields.items()
            },
            **{(name, "options"): model.options for (_, name), model in state.models.items()},
        }


def differences(old: Database, new: Database) -> list[Any]:
    with (
        closing(sa.create_engine(old.url, poolclass=sa.NullPool).connect()) as before,
        closing(sa.create_engine(new.url, poolclass=sa.NullPool).connect()) as after,
    ):
        return sorted(differing_parts(before, after))


def compare(new_database, engine, before, operations) -> None:
    old, new = new_database(engine), new_database(engine)
    files = composed(before, operations)
    expected = run(old, [before, *([it] for it in operations)])
    assert run(new, [before, files]) == expected, files
    assert differences(old, new) == [], files


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mysql"])
@pytest.mark.parametrize("story", STORIES)
def test_the_same_comes_out(story, engine, new_database):
    compare(new_database, engine, *STORIES[story])


def test_behind_a_barrier_mariadb_has_an_index_more(new_database):
    """The one that Django makes where there is no constraint. The proof of a squash refuses it."""
    old, new = new_database("mysql"), new_database("mysql")
    operations = [ADD_MANY, STOP, bigger("shop")]
    run(old, [[SHOP, ITEM], *([it] for it in operations)])
    run(new, [[SHOP, ITEM], composed([SHOP, ITEM], operations)])
    (index,) = differences(old, new)
    assert (index.kind, index.table) == ("index", "shop_shop_items")


@pytest.mark.parametrize("story", ALIKE)
def test_what_needs_nothing_is_left_alone(story, new_database):
    before, operations = ALIKE[story]
    optimal = with_indexes_in_time(optimized(operations, APP, before)[0])
    assert with_foreign_keys_in_time(optimal, APP, before) == optimal
    compare(new_database, "postgresql", before, operations)


class Story:
    """Random models and what becomes of their keys, and of what refers to them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.keys: dict[str, Any] = {}
        self.fields: dict[tuple[str, str], Any] = {}

    def operations(self) -> Iterator[Any]:
        for number in range(self.rng.randint(6, 14)):
            yield self._operation(number)

    def _operation(self, number: int) -> Any:
        small = [name for name, key in self.keys.items() if key is Auto]
        match self.rng.choice(["model", "many", "bigger", "alter", "stop"]) if len(self.keys) > 1 else "model":
            case "bigger" if small:
                name = self.rng.choice(small)
                self.keys[name] = Big
                return bigger(name)
            case "alter" if self.fields:
                (of, name) = self.rng.choice([*self.fields])
                self.fields[of, name] = field = self._to()
                return alter(of, name, field)
            case "many":
                return migrations.AddField(self._one(), f"many{number}", many(self._one(), related_name="+"))
            case "stop":
                return STOP
        name = f"Model{number}"
        field = self._to() if self.keys else None
        fields = [(f"to{number}", field)] if field else []
        if field and self.rng.random() < 0.3:
            fields.append((f"many{number}", many(self._one(), related_name="+")))
        self.keys[name] = self.rng.choice([Auto, Auto, Big])
        if field:
            self.fields[name, f"to{number}"] = field
        return model(name, *fields, key=self.keys[name])

    def _one(self) -> str:
        return self.rng.choice([*self.keys])

    def _to(self) -> Any:
        given = {"null": True, "related_name": "+", "db_constraint": self.rng.random() < 0.8}
        return to(self._one(), **given)


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
@pytest.mark.parametrize("seed", range(examples(3, 12)))
def test_random_models(seed, engine, new_database):
    print(f"seed {seed}")
    operations = [*Story(seed).operations()]
    place = random.Random(seed).randint(0, len(operations) - 2)
    compare(new_database, engine, operations[:place], operations[place:])
