"""Other parents in the app: what stands there for other apps stays."""

from __future__ import annotations

import pytest

from migsync.edits import CannotEdit, MigrationEdit
from migsync.history import SETTING, Key
from tests.edits.pairs import B, C, X, Y, check_noop, check_refused, check_transformed, edited

TO_C = MigrationEdit("shop", parents=(C,))

PAIRS = {
    "another": ('dependencies = [("shop", "0001_a")]', 'dependencies = [("shop", "0003_b")]'),
    "one for two": (
        'dependencies = [("blog", "a"), ("shop", "0001_a"), ("blog", "b"), ("shop", "0002_b")]',
        'dependencies = [("blog", "a"), ("shop", "0003_b"), ("blog", "b")]',
    ),
    "a double one": (
        'dependencies = [\n    ("shop", "0001_a"),  # a\n    ("shop", "0003_b"),  # b\n]',
        'dependencies = [\n    ("shop", "0003_b"),  # b\n]',
    ),
    "among others": (
        "dependencies = [\n    migrations.swappable_dependency(settings.AUTH_USER_MODEL),\n"
        "    ('shop', '__first__'),\n    ('shop', '0001_a'),\n    ('blog', '__latest__'),\n]",
        "dependencies = [\n    migrations.swappable_dependency(settings.AUTH_USER_MODEL),\n"
        "    ('shop', '__first__'),\n    ('shop', '0003_b'),\n    ('blog', '__latest__'),\n]",
    ),
    "where none was": ("dependencies = []", 'dependencies = [("shop", "0003_b")]'),
    "where others were": ("dependencies = [('blog', 'a')]", "dependencies = [('shop', '0003_b'), ('blog', 'a')]"),
    "where others were, in lines": (
        'dependencies = [  # head\n    # blog\n    ("blog", "a"),\n]',
        'dependencies = [  # head\n    # blog\n    ("shop", "0003_b"),\n    ("blog", "a"),\n]',
    ),
    "in an empty tuple": ("dependencies = ()", 'dependencies = (("shop", "0003_b"),)'),
    "in a bare tuple": ('dependencies = ("blog", "a"),', 'dependencies = ("shop", "0003_b"), ("blog", "a"),'),
    "not stated": ("atomic = False", 'dependencies = [("shop", "0003_b")]\natomic = False'),
    "not stated, in a documented class": (
        '"""What it does."""\n\natomic = False',
        '"""What it does."""\n\ndependencies = [("shop", "0003_b")]\natomic = False',
    ),
    "in the first list": (
        'dependencies = [("blog", "a")] + [("blog", "b")]',
        'dependencies = [("shop", "0003_b"), ("blog", "a")] + [("blog", "b")]',
    ),
}


@pytest.mark.parametrize(("before", "after"), PAIRS.values(), ids=PAIRS)
def test_one_parent(before: str, after: str) -> None:
    check_transformed(before, after, TO_C)


def test_a_constant_list_is_left_alone_where_there_is_another() -> None:
    above = 'BASE = [("blog", "a")]\nprint(BASE)'
    check_transformed(
        "dependencies = BASE + []",
        'dependencies = BASE + [("shop", "0003_b")]',
        TO_C,
        above=above,
    )
    check_refused("dependencies = BASE", above, text="class Migration", found="no list of its own", edit=TO_C)


def test_none() -> None:
    none = MigrationEdit("shop", parents=())
    check_transformed('dependencies = [("shop", "0001_a"), ("blog", "a")]', 'dependencies = [("blog", "a")]', none)
    check_noop('dependencies = [("blog", "a"), ("shop", "__first__")]', edit=none)
    check_noop("atomic = False", edit=none)


def test_several() -> None:
    check_transformed(
        'dependencies = [("shop", "0001_a"), ("shop", "0004_y")]',
        'dependencies = [("shop", "0004_x"), ("shop", "0004_y")]',
        MigrationEdit("shop", parents=(Y, X)),
    )
    check_transformed(
        'dependencies = [("shop", "0001_a")]',
        'dependencies = [("shop", "0004_y"), ("shop", "0004_x")]',
        MigrationEdit("shop", parents=(Y, X)),
    )


def test_the_parents_are_there_under_old_names() -> None:
    check_transformed(
        'dependencies = [("shop", "0002_b"), ("blog", "a")]',
        'dependencies = [("shop", "0003_b"), ("blog", "a")]',
        MigrationEdit("shop", {B: (C,)}, parents=(C,)),
    )
    check_noop('dependencies = [("shop", "0004_y"), ("shop", "0004_x")]', edit=MigrationEdit("shop", parents=(X, Y)))


def test_dependencies_on_other_apps_that_are_taken_out() -> None:
    edit = MigrationEdit("shop", parents=(C,), dropped=frozenset([Key("blog", "a"), Key(SETTING, "AUTH_USER_MODEL")]))
    check_transformed(
        'dependencies = [("blog", "a"), ("shop", "0001_a"), '
        "migrations.swappable_dependency(settings.AUTH_USER_MODEL)]\n"
        'run_before = [("blog", "a")]',
        'dependencies = [("shop", "0003_b")]\nrun_before = [("blog", "a")]',
        edit,
    )


def test_a_class_of_one_line_is_refused() -> None:
    for body in ("pass", '"""Doc."""'):
        source = f"from django.db import migrations\nclass Migration(migrations.Migration): {body}\n".encode()
        with pytest.raises(CannotEdit, match=":2: the class does not set dependencies"):
            edited(source, TO_C)
