"""Which migrations make a table, a column or an index, by their files alone."""

from __future__ import annotations

import pytest

from migsync.doctor.makers import columns_of, expected, makers, remover
from migsync.history import Migration
from migsync.history.contents import Contents
from migsync.history.graph import History, build_history
from migsync.history.migration import Key
from migsync.history.tables import TableState
from tests.history.operations.test_operations import of

ID = "('id', models.BigAutoField(primary_key=True))"
ITEM = f"migrations.CreateModel('Item', [{ID}, ('name', models.CharField(max_length=9))])"
FILES = {
    "0001_initial": f"{ITEM}, migrations.CreateModel('Tag', [{ID}])",
    "0002_owner": "migrations.AddField('item', 'owner', models.ForeignKey('users.User', models.CASCADE))",
    "0003_tags": "migrations.AddField('item', 'tags', models.ManyToManyField('shop.Tag'))",
    "0004_thing": "migrations.RenameModel('Item', 'Thing'), migrations.RenameField('thing', 'name', 'title')",
    "0005_table": "migrations.AlterModelTable('tag', 'words')",
    "0006_index": "migrations.AddIndex('thing', models.Index(fields=['title'], name='title_x'))",
    "0007_gone": "migrations.RemoveField('thing', 'owner'), migrations.DeleteModel('Tag')",
    "0008_code": "migrations.RunSQL('SELECT 1')",
}


def history(files: dict[str, str]) -> History:
    above: tuple[Key, ...] = ()
    found = []
    for name, operations in files.items():
        found.append(Migration(Key("shop", name), dependencies=above, contents=Contents(of(operations))))
        above = (Key("shop", name),)
    return build_history(found, complete=False)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"table": "shop_item"}, ["0001_initial"]),
        ({"table": "shop_item", "column": "name"}, ["0001_initial"]),
        ({"table": "shop_item", "column": "owner_id"}, ["0002_owner"]),
        ({"column": "owner_id"}, ["0002_owner"]),
        ({"table": "shop_item_tags"}, ["0003_tags"]),
        ({"table": "shop_thing"}, ["0004_thing"]),
        ({"table": "shop_thing", "column": "title"}, ["0004_thing"]),
        ({"table": "words"}, ["0005_table"]),
        ({"index": "title_x"}, ["0006_index"]),
        ({"table": "shop_nothing"}, []),
        ({"table": "shop_item", "column": "nothing"}, []),
        ({"index": "nothing"}, []),
    ],
)
def test_what_makes_a_part(asked: dict[str, str], names: list[str]) -> None:
    assert [maker.migration.name for maker in makers(history(FILES), **asked)] == names


def test_all_that_the_migration_makes() -> None:
    (maker,) = makers(history(FILES), table="shop_item")
    assert maker.tables == {"shop_item", "shop_tag"}
    assert {table: [max(names) for names in columns.values()] for table, columns in maker.made.items()} == {
        "shop_item": ["id", "name"],
        "shop_tag": ["id"],
    }
    (added,) = makers(history(FILES), column="owner_id")
    assert (added.tables, [*added.made]) == (frozenset(), ["shop_item"])


def test_what_is_no_longer_to_be_there() -> None:
    found = history(FILES)
    every = frozenset(found.migrations)
    first, owner = Key("shop", "0001_initial"), Key("shop", "0002_owner")
    assert remover(found, every, first, "shop_item", "") == Key("shop", "0004_thing")
    assert remover(found, every, owner, "shop_thing", "owner_id") == Key("shop", "0007_gone")
    assert remover(found, every - {Key("shop", "0007_gone")}, owner, "shop_thing", "owner_id") is None
    assert expected(found, every, "shop").keys() == {"shop_thing", "shop_thing_tags"}
    assert expected(found, frozenset(), "shop") == {}


def test_a_squash_beside_its_files_makes_nothing_once_more() -> None:
    found = history(FILES)
    squash = Migration(
        Key("shop", "0001_squashed"), replaces=(Key("shop", "0001_initial"),), contents=Contents(of(ITEM))
    )
    both = build_history([*found.migrations.values(), squash], complete=False)
    assert [maker.migration.name for maker in makers(both, table="shop_item")] == ["0001_initial"]
    alone = build_history([squash], complete=False)
    assert [maker.migration.name for maker in makers(alone, table="shop_item")] == ["0001_squashed"]


def test_a_field_that_may_have_no_column_is_not_certain() -> None:
    state = TableState()
    for operation in (
        f"migrations.CreateModel('Item', [{ID}, ('photos', fields.SortedField(to='shop.Photo'))])",
        "migrations.AddField('item', 'tags', models.ManyToManyField('shop.Tag'))",
        "migrations.CreateModel('Pair', [('pk', models.CompositePrimaryKey('a', 'b')), "
        "('a', models.IntegerField()), ('b', models.IntegerField())])",
    ):
        state.run(of(operation, "from sorted_m2m import fields"))
    found = columns_of(state, "shop", certain=True)
    assert {table: sorted(columns) for table, columns in found.items()} == {
        "shop_item": ["id"],
        "shop_item_tags": ["id", "item_id", "tag_id"],
        "shop_pair": ["a", "b"],
    }
    assert "photos" in columns_of(state, "shop")["shop_item"]
