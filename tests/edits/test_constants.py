"""Keys through constants of the same file: the constant changes when it is there for this alone, else what uses it."""

from __future__ import annotations

import pytest

from migsync.edits import CannotEdit, MigrationEdit
from migsync.history import Key
from tests.edits.pairs import B, C, check_noop, check_refused, check_transformed, edited


@pytest.mark.parametrize(
    ("body", "above"),
    [
        ("dependencies = BASE", 'BASE = [("shop", "{}")]'),
        ("dependencies = BASE + [('blog', '0001_a')]", 'BASE = [\n    ("shop", "{}"),  # base\n]'),
        ("dependencies = [*BASE]", 'BASE = [("blog", "0001_a")]\nBASE += [("shop", "{}")]'),
        ("dependencies = BASE\nrun_before = BASE", 'BASE = [("shop", "{}")]'),
        ("dependencies = [AFTER]", 'AFTER = ("shop", "{}")'),
        ('dependencies = [("shop", NAME)]', 'NAME = "{}"'),
        ("dependencies = [(APP, NAME)]", 'APP, NAME = "shop", "{}"'),
        ('dependencies = [("shop", NAME)]\nrun_before = [("shop", NAME)]', 'NAME = "{}"'),
        ("dependencies = Base.dependencies", 'class Base:\n    dependencies = [("shop", "{}")]'),
        ('NAME = "{}"\ndependencies = [("shop", NAME)]', ""),
    ],
)
def test_a_constant_for_this_alone(body: str, above: str) -> None:
    before, after = ([part.replace("{}", name) for part in (body, above)] for name in ("0002_b", "0003_b"))
    check_transformed(before[0], after[0], above=before[1], above_after=after[1])


def test_a_base_class() -> None:
    above = 'class Base(migrations.Migration):\n    dependencies = [("shop", "{}")]\n\n\n'
    before, after = (
        f"from django.db import migrations\n{above.format(name)}class Migration(Base):\n    atomic = False\n".encode()
        for name in ("0002_b", "0003_b")
    )
    assert edited(before) == after


@pytest.mark.parametrize(
    ("before", "after", "above"),
    [
        (
            'dependencies = [("shop", NAME)]',
            'dependencies = [("shop", "0003_b")]',
            'NAME = "0002_b"\nprint(NAME)',
        ),
        (
            "dependencies = [AFTER, ('blog', '0001_a')]",
            "dependencies = [('shop', '0003_b'), ('blog', '0001_a')]",
            "AFTER = ('shop', '0002_b')\nprint(AFTER)  # '",
        ),
        (
            'dependencies = [("shop", NAME), ("blog", NAME)]',
            'dependencies = [("shop", "0003_b"), ("blog", NAME)]',
            'NAME = "0002_b"',
        ),
        (
            'dependencies = [("shop", f"{NUMBER}_b")]',
            'dependencies = [("shop", "0003_b")]',
            'NUMBER = "0002"',
        ),
    ],
)
def test_a_constant_that_something_else_uses(before: str, after: str, above: str) -> None:
    check_transformed(before, after, above=above)


def test_a_constant_label_follows_when_all_its_uses_do() -> None:
    edit = MigrationEdit("shop", {B: (Key("store", "0002_b"),), C: (Key("store", "0003_b"),)})
    check_transformed(
        'dependencies = [(APP, "0002_b"), (APP, "0003_b")]',
        'dependencies = [(APP, "0002_b"), (APP, "0003_b")]',
        edit,
        above='APP = "shop"',
        above_after='APP = "store"',
    )
    check_transformed(
        'dependencies = [(APP, "0002_b"), (APP, "0001_a")]',
        'dependencies = [("store", "0002_b"), (APP, "0001_a")]',
        edit,
        above='APP = "shop"',
    )


@pytest.mark.parametrize(
    ("body", "above", "text", "found"),
    [
        ("dependencies = BASE", 'BASE = [("shop", "0002_b")]\nprint(BASE)', "BASE = [", "used elsewhere"),
        ("dependencies = BASE", "from base import BASE", "dependencies = BASE", "imported from base"),
        ("dependencies = [('shop', NAME)]", "from base import NAME", "NAME)]", "imported from base"),
        ("dependencies = [('shop', '0002_b')] + more()", "def more(): return []", "more()", "known only when"),
        (
            "dependencies = [('shop', '0002_b')]\ndependencies.append(('shop', '0001'))",
            "",
            "append",
            "not set by plain assignments alone",
        ),
        (
            "dependencies = [('shop', '0002_b')]\nif settings.DEBUG:\n    dependencies = []",
            "",
            "if settings.DEBUG",
            "not set by plain assignments alone",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(body: str, above: str, text: str, found: str) -> None:
    check_refused(body, above, text=text, found=found)


def test_operations_that_would_change_with_it() -> None:
    source = (
        b"from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        b"    dependencies = [('shop', '0002_b')]\n    operations = [migrations.RunSQL(str(dependencies))]\n"
    )
    with pytest.raises(CannotEdit, match="the operations use a constant"):
        edited(source)


def test_a_constant_that_names_nothing_of_it() -> None:
    check_noop("dependencies = BASE", 'BASE = [("blog", "0001_a")]\nprint(BASE)')
