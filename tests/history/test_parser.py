"""Every form in which real projects state a migration's header is read; what only running it can tell is a problem."""

from __future__ import annotations

import codecs
import dataclasses
from textwrap import dedent

import pytest

from migsync.errors import HistoryError
from migsync.history import FIRST, LATEST, SETTING, Key, Migration, Problem, parse_migration

KEY = Key("shop", "0002_b")
A, B = Key("shop", "0001_a"), Key("blog", "0001_b")


def parse(body: str, before: str = "", bases: str = "migrations.Migration") -> Migration:
    source = (
        "from django.conf import settings\nfrom django.db import migrations, models\n"
        f"{dedent(before)}\nclass Migration({bases}):\n"
    )
    lines = dedent(body).strip().splitlines() or ["pass"]
    return parse_migration((source + "".join(f"    {line}\n" for line in lines)).encode(), KEY)


READABLE = {
    "list": ('dependencies = [("shop", "0001_a"), ("blog", "0001_b")]', ""),
    "tuple": ('dependencies = ("shop", "0001_a"), ("blog", "0001_b")', ""),
    "pairs as lists": ('dependencies = [["shop", "0001_a"], ["blog", "0001_b"]]', ""),
    "annotated": ('dependencies: list[tuple[str, str]] = [("shop", "0001_a"), ("blog", "0001_b")]', ""),
    "added": ('dependencies = [("shop", "0001_a")] + [("blog", "0001_b")]', ""),
    "added to": ('dependencies = [("shop", "0001_a")]\ndependencies += [("blog", "0001_b")]', ""),
    "added to itself": ('dependencies = [("shop", "0001_a")]\ndependencies = dependencies + [("blog", "0001_b")]', ""),
    "starred": ('dependencies = [*BASE, ("blog", "0001_b")]', 'BASE = [("shop", "0001_a")]'),
    "constant and list": ('dependencies = BASE + [("blog", "0001_b")]', 'BASE = [("shop", "0001_a")]'),
    "constant": ("dependencies = BASE", 'BASE = [("shop", "0001_a")]\nBASE += [("blog", "0001_b")]'),
    "f-string": ('dependencies = [(f"{APP}", f"000{1}_a"), ("blog", f"{N}_b")]', 'APP = "shop"\nN = "0001"'),
    "texts added": ('dependencies = [(APP, "0001" "_a"), ("blog", "0001" + "_b")]', 'APP = "shop"'),
    "class constants": ('APP = "shop"\ndependencies = [(APP, "0001_a"), ("blog", "0001_b")]', 'APP = "other"'),
    "unpacked": ('dependencies = [(APP, "0001_a"), (TWO, "0001_b")]', 'APP, TWO = "shop", "blog"'),
    "called": ('dependencies = list((("shop", "0001_a"), ("blog", "0001_b")))', ""),
    "the last one": ('dependencies = []\ndependencies = [("shop", "0001_a"), ("blog", "0001_b")]', ""),
    "another class's": (
        'dependencies = Base.dependencies + [("blog", "0001_b")]',
        'class Base:\n    dependencies = [("shop", "0001_a")]',
    ),
    "before it changes": (
        'dependencies = [(APP, "0001_a"), ("blog", "0001_b")]\nAPP = "later"',
        'APP = "other"\nAPP = "shop"',
    ),
}


@pytest.mark.parametrize(("body", "before"), READABLE.values(), ids=READABLE)
def test_dependencies(body: str, before: str) -> None:
    migration = parse(body, before)
    assert migration.dependencies == (A, B)
    assert migration.problems == ()


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("migrations.swappable_dependency(settings.AUTH_USER_MODEL)", Key(SETTING, "AUTH_USER_MODEL")),
        ("migrations.swappable_dependency('auth.User')", Key("auth", FIRST)),
        ("swappable_dependency(settings.SHOP_MODEL)", Key(SETTING, "SHOP_MODEL")),
        ("swap(conf.AUTH_USER_MODEL)", Key(SETTING, "AUTH_USER_MODEL")),
        ("('blog', '__first__')", Key("blog", FIRST)),
        ("('blog', '__latest__')", Key("blog", LATEST)),
    ],
)
def test_dependencies_that_name_no_file(written: str, key: Key) -> None:
    before = """
        from django.conf import settings as conf
        from django.db.migrations import swappable_dependency
        from django.db.migrations.migration import swappable_dependency as swap
    """
    migration = parse(f"dependencies = [{written}]", before)
    assert (migration.dependencies, migration.problems) == ((key,), ())


def test_everything_else_in_a_header() -> None:
    migration = parse("""
        initial = True
        atomic = False
        replaces = [("shop", "0001_a")]
        run_before = (("blog", "0001_b"),)
        operations = [migrations.RunSQL("select 1")]
    """)
    assert migration == Migration(
        KEY, "", (), (B,), (A,), initial=True, atomic=False, operations=True, digest=migration.digest
    )


def test_what_is_not_stated() -> None:
    migration = parse("")
    assert migration == Migration(KEY, initial=None, atomic=True, operations=False, digest=migration.digest)


@pytest.mark.parametrize(
    ("body", "has"),
    [
        ("operations = []", False),
        ("operations: list = ()", False),
        ("operations = [migrations.RunSQL('')]", True),
        ("operations = OPERATIONS", True),
        ("operations = [] + list(OPERATIONS)", True),
        ("operations = []\nif True:\n    operations = OPERATIONS", True),
        ("operations = []\noperations += OPERATIONS", True),
        ("operations = []\noperations.append(1)", True),
    ],
)
def test_operations_are_none_only_when_that_is_written(body: str, has: bool) -> None:
    assert parse(body).operations is has


UNREADABLE = {
    "imported": ('dependencies = BASE + [("blog", "0001_b")]', "from shop.base import BASE", "imported from shop.base"),
    "setting": ('dependencies = [(settings.APP, "0001_a")]', "", "known only when the file runs"),
    "getattr": (
        "dependencies = [migrations.swappable_dependency(getattr(settings, 'X', 'auth.User'))]",
        "",
        "known only when the file runs",
    ),
    "comprehension": ('dependencies = [(app, "0001") for app in ("a", "b")]', "", "known only when the file runs"),
    "call": ("dependencies = get()", "def get(): return []", "known only when the file runs"),
    "condition": (
        "dependencies = []\nif settings.X:\n    dependencies = [('a', 'b')]",
        "",
        "not set by plain assignments alone",
    ),
    "appended": ("dependencies = []\ndependencies.append(('a', 'b'))", "", "not set by plain assignments alone"),
    "not a pair": ("dependencies = [('shop', '0001_a', 3)]", "", "is not a pair"),
    "not a list": ("dependencies = 'shop'", "", "is not a list"),
    "undefined": ("dependencies = [(APP, '0001')]", "", "is not defined"),
    "in a method": ("dependencies = []\ndef __init__(self, *a):\n    self.dependencies = []", "", "a method"),
    "replaces": ("replaces = REPLACED", "from shop.base import REPLACED", "replaces: REPLACED is imported"),
    "flag": ("initial = settings.FIRST", "", "initial:"),
    "itself": ("dependencies = [(f'{APP:>9}', '0001')]", "APP = 'x'", "known only when the file runs"),
}


@pytest.mark.parametrize(("body", "before", "what"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_only_running_it_can_tell(body: str, before: str, what: str) -> None:
    (problem,) = parse(body, before).problems
    assert what in problem.what
    assert problem.line >= 4


def test_what_can_be_read_is_read_beside_a_problem() -> None:
    migration = parse('dependencies = [("shop", "0001_a"), (APP, "0001"), ("blog", "0001_b")]')
    assert migration.dependencies == (A, B)
    assert migration.problems == (Problem(5, "dependencies: APP is not defined in this file"),)


def test_changed_after_the_class() -> None:
    source = b"class Migration:\n    dependencies = []\nMigration.dependencies.append(('a', 'b'))\n"
    assert parse_migration(source, KEY).problems == (
        Problem(3, "Migration.dependencies is changed after the class definition"),
    )


def test_a_base_class_in_the_same_file() -> None:
    base = """
        class Base(migrations.Migration):
            atomic = False
            dependencies = [("shop", "0001_a")]
            operations = [migrations.RunSQL("")]
    """
    migration = parse('replaces = [("blog", "0001_b")]', base, bases="Base")
    assert (migration.dependencies, migration.replaces, migration.atomic) == ((A,), (B,), False)
    assert migration.operations
    assert migration.problems == ()


def test_an_imported_base_class_may_hold_dependencies() -> None:
    imported = "from tools import Checked"
    assert parse('dependencies = [("shop", "0001_a")]', imported, bases="Checked").problems == ()
    (problem,) = parse("operations = []", imported, bases="Checked").problems
    assert "base class is imported" in problem.what
    assert parse("dependencies = []", imported, bases="Checked").operations


def test_a_migration_that_is_no_class_statement() -> None:
    for source in (b"from base import Migration\n", b"from base import *\n", b"Migration = make()\n"):
        assert parse_migration(source, KEY).problems == (Problem(1, "Migration is not a class written in this file"),)


LATIN = "# -*- coding: latin-1 -*-\nclass Migration:\n    dependencies = [('caf\u00e9', '0001')]\n"


def test_encodings_and_newlines() -> None:
    cafe = (Key("caf\u00e9", "0001"),)
    plain = LATIN.partition("\n")[2]
    assert parse_migration(LATIN.encode("latin-1"), KEY).dependencies == cafe
    assert parse_migration(codecs.BOM_UTF8 + plain.encode(), KEY).dependencies == cafe
    assert parse_migration(plain.replace("\n", "\r\n").encode(), KEY).dependencies == cafe


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (b"class Migration:\n<<<<<<< HEAD\n    a = 1\n=======\n    a = 2\n>>>>>>> other\n", ":2: conflict markers"),
        (b"class Migration:\n    dependencies = [\n", ":2: not valid Python"),
        (b"x = 1\nclass Migration:\n    a = 'caf\xe9'\n", ":3: wrong encoding"),
        (b"# coding: nonsense\nclass Migration: pass\n", "wrong encoding"),
        (b"class Migration: pass\n\0", "not valid Python"),
        (b"def helper(): pass\n", "no class Migration"),
        (b"", "no class Migration"),
        (b"class Migration:\n    a = " + b"(" * 500 + b")" * 500, "not valid Python"),
    ],
)
def test_a_broken_file_is_named_with_its_line(source: bytes, found: str) -> None:
    with pytest.raises(HistoryError) as caught:
        parse_migration(source, KEY, "shop/migrations/0002_b.py")
    assert caught.value.found.startswith("shop/migrations/0002_b.py:")
    assert found in caught.value.found
    assert caught.value.meaning
    assert caught.value.hint


def test_deep_expressions() -> None:
    many = " + ".join(["[('shop', '0001_a')]"] * 200)
    assert parse(f"dependencies = {many}").dependencies == (A,) * 200


def test_a_file_that_is_read_has_every_field_of_a_migration() -> None:
    """It is made without the constructor."""
    read = parse("operations = []")
    assert list(vars(read)) == [field.name for field in dataclasses.fields(Migration)]
    assert dataclasses.replace(read) == read
