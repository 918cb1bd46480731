"""The operations digest: what changes it and what does not."""

from __future__ import annotations

from textwrap import dedent

import pytest

from migsync.history import Key, parse_migration

ONE = """
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("shop", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="item",
            name="price",
            field=models.DecimalField(max_digits=10, decimal_places=2, default=-1.5, help_text=f"in {1 + 1}"),
        ),
    ]
"""

DATA = '''
from django.db import migrations

RATE = 3


def convert(value):
    return value * RATE


def forwards(apps, schema_editor):
    """What it does."""
    for item in apps.get_model("shop", "Item").objects.all():
        item.price = convert(item.price)
        item.save()


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
'''


def digest(source: str, name: str = "0002_b") -> str:
    return parse_migration(dedent(source).encode(), Key("shop", name)).digest


def first_digest(source: str) -> str:
    return parse_migration(dedent(source).encode(), Key("shop", "0002_b")).first_digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"item"', "'item'"),
        ('"shop", "0001_initial"', '"shop", "0007_other"), ("blog", "0001_x"'),
        ("migrations, models", "models, migrations"),
        ("            name=", "            # the name\n            name="),
        ('"price",\n', '"pr"  "ice"\n            ,\n'),
        ("operations = [", "atomic = False\n    operations: list = ["),
        ("class Migration", "import uuid\nUNUSED = 1\n\n\nclass Migration"),
        ("class Migration(migrations.Migration):\n", 'class Migration(migrations.Migration):\n    """Doc."""\n'),
    ],
)
def test_the_same_operations(old: str, new: str) -> None:
    assert old in ONE
    assert digest(ONE.replace(old, new), "0009_renamed") == digest(ONE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"price"', '"prize"'),
        ("max_digits=10, ", ""),
        ("-1.5", "1.5"),
        ("-1.5", "True"),
        ('f"in {1 + 1}"', '"in {1 + 1}"'),
        ("from django.db import migrations, models", "from django.db import migrations\nfrom other import models"),
        ("AddField", "AlterField"),
    ],
)
def test_other_operations(old: str, new: str) -> None:
    assert old in ONE
    assert digest(ONE.replace(old, new)) != digest(ONE)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("RATE = 3", "RATE = 4", False),
        ("value * RATE", "value * RATE * 1", False),
        ("item.save()", "item.delete()", False),
        ("RATE = 3", "from shop import RATE", False),
        ("What it does", "Other words", True),
        ("RATE = 3\n", "RATE = 3\nOTHER = 5\n\n\ndef unused():\n    pass\n", True),
        ("item.save()", "item.save()  # done", True),
    ],
)
def test_what_the_operations_refer_to_counts(old: str, new: str, same: bool) -> None:
    assert old in DATA
    assert (digest(DATA.replace(old, new)) == digest(DATA)) is same


def test_a_moved_definition_and_a_changed_constant() -> None:
    moved = DATA.replace("RATE = 3\n", "").replace("class Migration", "RATE = 3\n\n\nclass Migration")
    assert digest(moved) == digest(DATA)
    assert digest(DATA.replace("class Migration", "RATE += 1\n\n\nclass Migration")) != digest(DATA)


def test_operations_in_other_forms() -> None:
    built = "from django.db import migrations\n\nOPERATIONS = []\nOPERATIONS.append(migrations.RunSQL({!r}))\n\n\n"
    built += "class Migration(migrations.Migration):\n    operations = OPERATIONS\n"
    assert digest(built.format("a")) != digest(built.format("b"))
    inherited = "class Base:\n    operations = [{!r}]\n\n\nclass Migration(Base):\n    dependencies = []\n"
    assert digest(inherited.format("a")) != digest(inherited.format("b"))
    after = "class Migration:\n    operations = []\n\n\nMigration.operations.append({!r})\n"
    assert digest(after.format("a")) != digest(after.format("b"))


@pytest.mark.parametrize("own_name", ["__file__", "__name__"])
def test_operations_that_depend_on_the_files_own_name_have_no_digest(own_name: str) -> None:
    """Another name reads another file: the same text does not do the same."""
    assert digest(DATA.replace("value * RATE", f"value * read({own_name})")) == ""
    assert digest(DATA + f"\n\ndef unused():\n    return {own_name}\n") == digest(DATA)


CURIOUS = r"""
from django.db import migrations


def forwards(apps, editor, /, *rest, key=None, **more):
    async def inner[T](x): ...
    match rest:
        case [1, *others] if others: pass
        case {"a": b, **c} | int(): pass
    with open(f"{apps!r:>{key}}" "x" f"{key=}") as a, a: del a[1:2, ...]
    try: (y := lambda z, *, w=1: z)
    except* ValueError as e: raise e from None
    return [1e400, 0xFFFFFFFFFFFFFFFFFFFFFFFF, 1j, b"\xff'", "caf\u00e9 \U0001FAE8 \ud800", -0.0, {**more}, {1, *rest}]


class Migration(migrations.Migration):
    operations = [migrations.RunPython(forwards)]
""".replace("inner[T]", "inner")


def test_the_digests_do_not_depend_on_the_version_of_python() -> None:
    # Digests are committed. These were made by Python 3.11; every version that runs the tests must agree.
    assert digest(CURIOUS) == "2:5fb308b3fe0dc1a866e0ad964759ac78"
    assert first_digest(CURIOUS) == "2413896fc9270d0c3145650587410688e9362f86e6d59bd8c2a360d4dc7329f2"


def test_locals_and_loggers_counted_in_the_first_digest_only() -> None:
    """Why there is a second one."""
    local = DATA.replace("value * RATE", "value * max(dependencies := [RATE])")
    moved = local.replace("0001_initial", "0001_other")
    assert digest(local) == digest(moved)
    assert first_digest(local) != first_digest(moved)
    logged = DATA.replace("RATE = 3\n", "import logging\nRATE = 3\nlog = logging.getLogger(__name__)\n")
    logged = logged.replace("item.save()", "log.info(item)")
    assert digest(logged)
    assert not first_digest(logged)
