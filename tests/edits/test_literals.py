"""Keys written out: only the text between the quotes changes."""

from __future__ import annotations

import pytest

from migsync.edits import MigrationEdit
from migsync.history import FIRST, Key
from tests.edits.pairs import B, C, check_noop, check_transformed


@pytest.mark.parametrize(
    "form",
    [
        'dependencies = [("shop", "{}")]',
        "dependencies = [('shop', '{}')]",
        'dependencies = [("blog", "0001_a"), ("shop", "{}"), ]',
        'dependencies = [\n    ("blog", "0002_b"),  # not ours\n    ("shop", "{}"),  # ours: 0002_b\n]',
        'dependencies = ("shop", "{}"), ("blog", "0001_a")',
        'dependencies = (\n    ("shop", "{}"),\n)',
        'dependencies = [["shop", "{}"]]',
        'dependencies = {{("shop", "{}")}}',
        'dependencies: list[tuple[str, str]] = [("shop", "{}")]',
        'dependencies = [("blog", "0001_a")] + [("shop", "{}")]',
        'dependencies = [("blog", "0001_a")]\ndependencies += [("shop", "{}")]',
        'dependencies = [("blog", "0001_a")]\ndependencies = dependencies + [("shop", "{}")]',
        'dependencies = [("blog", "0001_a"), *[("shop", "{}")]]',
        'dependencies = list((("shop", "{}"),))',
        'dependencies = [("shop", r"{}"), ("blog", u"0001_a")]',
        'dependencies = [("shop", """{}""")]',
        'dependencies = [("shop", ("{}"))]',
        'dependencies = [(  "shop"  ,\n    "{}"  )]; initial = False',
        'run_before = [("shop", "{}")]\ndependencies = []',
        'replaces = [("shop", "0001_a"), ("shop", "{}")]',
        'dependencies = [("shop", "{0}")]\nrun_before = [("shop", "{0}")]',
        'dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("shop", "{}")]',
    ],
)
def test_the_name_alone_changes(form: str) -> None:
    check_transformed(form.format("0002_b"), form.format("0003_b"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('dependencies = [("shop", "0002" "_b")]', 'dependencies = [("shop", "0003_b")]'),
        ("dependencies = [('shop', '0002' + '_b')]", "dependencies = [('shop', '0003_b')]"),
        ('dependencies = [("shop", f"000{2}_b")]', 'dependencies = [("shop", "0003_b")]'),
        ('dependencies = [("shop", "\\x30002_b")]', 'dependencies = [("shop", "0003_b")]'),
        ('dependencies = [("shop",) + ("0002_b",)]', 'dependencies = [("shop", "0003_b")]'),
        ('dependencies = [tuple(["shop", "0002_b"])]', 'dependencies = [("shop", "0003_b")]'),
        ('dependencies = [(*("shop", "0002_b"),)]', 'dependencies = [("shop", "0003_b")]'),
    ],
)
def test_what_is_put_together_is_written_out(before: str, after: str) -> None:
    check_transformed(before, after)


def test_names_that_are_swapped() -> None:
    swap = MigrationEdit("shop", {B: (C,), C: (B,)})
    check_transformed(
        'dependencies = [("shop", "0002_b"), ("shop", "0003_b")]',
        'dependencies = [("shop", "0003_b"), ("shop", "0002_b")]',
        swap,
    )


def test_nothing_comes_to_stand_there_twice() -> None:
    check_transformed(
        'dependencies = [("shop", "0002_b"), ("shop", "0003_b"), ("blog", "0001_a")]',
        'dependencies = [("shop", "0003_b"), ("blog", "0001_a")]',
    )
    check_transformed(
        'dependencies = [("shop", "0002_b"), ("shop", "0002_b")]',
        'dependencies = [("shop", "0003_b")]',
    )


@pytest.mark.parametrize("name", ["it's", 'say "so"', "back\\slash", "caf\u00e9"])
def test_odd_names_are_quoted(name: str) -> None:
    edit = MigrationEdit("shop", {B: (Key("shop", name),)})
    written = f'"{name}"' if name in ("it's", "caf\u00e9") else repr(name)
    check_transformed('dependencies = [("shop", "0002_b")]', f'dependencies = [("shop", {written})]', edit)


@pytest.mark.parametrize(
    "body",
    [
        'dependencies = [("blog", "0002_b")]',
        'dependencies = [("shop", "0002_bb"), ("shop", "__first__"), ("blog", "__latest__")]',
        'dependencies = [migrations.swappable_dependency("shop.Model")]',
        "dependencies = []",
        "initial = True",
        'dependencies = [("blog", "0001_a"), ("blog", "0001_a")]  # twice already',
        'wanted = [("shop", "0002_b")]',
    ],
)
def test_what_names_nothing_of_it_stays(body: str) -> None:
    check_noop(body)


def test_another_label() -> None:
    edit = MigrationEdit(
        "shop",
        {B: (Key("store", "0002_b"),), Key("shop", FIRST): (Key("store", FIRST),)},
    )
    check_transformed(
        'dependencies = [("shop", "0002_b"), ("shop", "__first__"), migrations.swappable_dependency("shop.Item")]',
        'dependencies = [("store", "0002_b"), ("store", "__first__")]',
        edit,
    )
    check_transformed(
        "dependencies = [migrations.swappable_dependency('shop.Item')]",
        "dependencies = [migrations.swappable_dependency('store.Item')]",
        edit,
    )
    check_noop('dependencies = [("shop", "__latest__")]', edit=edit)
