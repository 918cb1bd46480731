"""One migration file for another label: what Django certainly reads as one follows, tables stay, and no other byte."""

from __future__ import annotations

import pytest

from migsync.edits import CannotEdit
from migsync.refactor.rename_app.operations import Tables, relabel_operations

HEAD = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n    operations = [\n"
GENERATED = """        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(primary_key=True)),
            ],
        ),
    ]
"""


def changed(text: str, *, own: bool = True, newline: str = "\n") -> str:
    content = text.replace("\n", newline).encode()
    edited = relabel_operations(content, "f.py", "shop", "store", Tables("shop") if own else None).content
    again = relabel_operations(edited, "f.py", "shop", "store", Tables("shop") if own else None).content
    assert again == edited
    return edited.decode()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_model_gets_the_table_that_it_has_in_the_layout_of_makemigrations(newline: str) -> None:
    expected = HEAD + GENERATED.replace(
        "            ],\n        ),", "            ],\n            options={\n"
        "                'db_table': 'shop_item',\n            },\n        ),"
    )  # fmt: skip
    assert changed(HEAD + GENERATED, newline=newline) == expected.replace("\n", newline)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('CreateModel("Item", [])', 'CreateModel("Item", [], options={"db_table": "shop_item"})'),
        ('CreateModel("Item", [], {})', 'CreateModel("Item", [], {"db_table": "shop_item"})'),
        (
            'CreateModel("Item", [], options={"ordering": ["x"]}, bases=("shop.Base", models.Model))',
            'CreateModel("Item", [], options={"db_table": "shop_item", "ordering": ["x"]}, '
            'bases=("store.Base", models.Model))',
        ),
        (
            'CreateModel("Item", [], {"managed": False})',
            'CreateModel("Item", [], {"db_table": "shop_item", "managed": False})',
        ),
        ('AlterModelTable("Item", None)', 'AlterModelTable("Item", "shop_item")'),
        ('AddField("x", "y", models.ForeignKey("shop.Item", models.CASCADE))', None),
        ('AddField("x", "y", models.ForeignKey(on_delete=models.CASCADE, to=\'shop.Item\'))', None),
        ('AddField("x", "y", models.ManyToManyField(to="shop.Item", through="shop.Line"))', None),
        ('RunPython(lambda apps, _: apps.get_model("shop", "Item"))', None),
        ('RunPython(lambda apps, _: apps.get_model("shop.Item"))', None),
        ('RunPython(lambda apps, _: apps.get_model(app_label="shop", model_name="Item"))', None),
    ],
    ids=lambda text: text and text[:40],
)  # fmt: skip
def test_transformed(before: str, after: str | None) -> None:
    after = after or before.replace("shop", "store")
    assert changed(f"{HEAD}migrations.{before}]\n") == f"{HEAD}migrations.{after}]\n"


@pytest.mark.parametrize(
    "text",
    [
        'migrations.CreateModel("Item", [], {"db_table": "goods"})',
        'migrations.CreateModel("Item", [], {"proxy": True})',
        'migrations.AlterModelTable("Item", "goods")',
        'migrations.AddField("x", "y", models.ForeignKey("shopping.Item", models.CASCADE))',
        'migrations.AddField("x", "y", models.CharField(default="shop"))',
        'migrations.RunSQL("UPDATE shop_item SET x = 1")',
    ],
)
def test_noop(text: str) -> None:
    assert changed(f"{HEAD}{text}]\n") == f"{HEAD}{text}]\n"


def test_models_of_other_apps_keep_their_tables() -> None:
    assert changed(HEAD + GENERATED, own=False) == HEAD + GENERATED


def test_the_table_of_a_renamed_model_is_renamed_by_an_operation_of_its_own() -> None:
    rename = '        migrations.RenameModel(\n            "Item",\n            "Product",\n        ),\n'
    text = HEAD + GENERATED.replace("    ]\n", f"{rename}    ]\n").replace("    ],\n" + rename, "],\n" + rename)
    edited = changed(text)
    table = '        migrations.AlterModelTable(name="item", table="shop_product"),\n'.replace('"', "'")
    assert table + rename in edited or table.replace("'", '"') + rename in edited
    tables = Tables("shop")
    relabel_operations(text.encode(), "f.py", "shop", "store", tables)
    assert tables.pinned == {"product": "shop_product"}
    stated = text.replace("'Item',", "'Item', options={'db_table': 'goods'},")
    assert "AlterModelTable" not in changed(stated)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('migrations.CreateModel("Item", [], OPTIONS)', "options of Item are not a literal dictionary"),
        ('migrations.CreateModel("Item", [], {**OPTIONS})', "options of Item are not a literal dictionary"),
        ('migrations.CreateModel(NAME, [])', "name in CreateModel is not a plain string"),
        ('migrations.CreateModel("Item", **MORE)', "fields of Item are not a literal list"),
        ('migrations.CreateModel("Item", ([]))', "cannot keep the layout of these operations"),
        (f'migrations.CreateModel("{"I" * 60}", [])', "too long for some databases"),
        ('migrations.AddField("x", "y", models.ForeignKey("shop" ".Item", 1))', "not written as one plain string"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_safely_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(CannotEdit, match=reason) as caught:
        changed(f"{HEAD}{text}]\n")
    assert caught.value.line == 6


def test_what_may_mean_the_label_is_told_and_left_alone() -> None:
    text = (
        '"""Of the app shop.Item."""\nLABEL = "shop"\n\n\nclass Migration:\n'
        '    dependencies = [("shop", "0001_initial")]\n'
        '    operations = [RunPython(lambda a, b: objects.filter(app_label="shop"))]\n'
    )
    edited = relabel_operations(text.encode(), "f.py", "shop", "store", None)
    assert edited.content == text.encode()
    assert edited.mentions == ((2, "shop"), (7, "shop"))
