"""Databases that stand before a range and hold rows: what is there comes out as the old files would have left it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migsync.history import History, Key, Migration, build_history
from migsync.refactor.squash.risks import risks_of
from migsync.refactor.squash.squash import Databases, choose_range
from tests.proof.projects import migration
from tests.refactor.conftest import commit, write
from tests.refactor.squash.graphs import history

QUICK = ("--no-prove-schema", "--no-prove-transition")
FILL = """from django.db import migrations


def fill(apps, schema_editor):
    apps.get_model("shop", "Item").objects.using(schema_editor.connection.alias).update(price=7)


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_price")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
"""
LINE = {"shop": "0001 0002 0003 0004"}


def keys(names: str) -> frozenset[Key]:
    return frozenset(Key("shop", name) for name in names.split())


@pytest.fixture
def behind(bare):
    """A shop with an elidable data migration, and a database that stands before it with a row."""
    write(
        bare, "shop", "0001_initial: create Item", "0002_price: add Item.price", "0003_fill", "0004_size: add Item.size"
    )
    (bare.migrations("shop") / "0003_fill.py").write_text(FILL)
    commit(bare)
    assert bare.manage("migrate", "shop", "0001").status == 0
    bare.databases["default"].execute("INSERT INTO shop_item (id, name) VALUES (1, 'first')")
    return bare


@pytest.mark.parametrize("words", [("shop", "0002", "0004"), ("--all-safe",)])
def test_what_is_elidable_stays_where_a_database_with_rows_has_not_run_it(behind, words):
    ended = behind.migsync("squash", *words, "--update-db", "--yes", *QUICK)
    assert ended.status == 0, ended.out + ended.err
    said = "keeps RunPython fill of 0003_fill, though it is elidable: default has not run it yet."
    assert said in " ".join(ended.out.split())
    assert behind.manage("migrate").status == 0
    assert [tuple(row) for row in behind.databases["default"].execute("SELECT price FROM shop_item")] == [(7,)]


@pytest.mark.parametrize(
    ("migrated", "words"), [("0003", "elidable: RunPython fill of 0003_fill."), ("zero", "leaves out")]
)
def test_what_is_elidable_goes_where_it_has_run_or_there_is_nothing_yet(behind, migrated, words):
    assert behind.manage("migrate", "shop", migrated).status == 0
    ended = behind.migsync("squash", "shop", "0002", "0003", "--update-db", "--dry-run", *QUICK)
    assert ended.status == 0, ended.out + ended.err
    assert words in " ".join(ended.out.split())
    assert "keeps" not in ended.out


def test_a_database_lacks_only_what_comes_after_something_that_it_has():
    made = history(LINE)
    databases = Databases({"new": frozenset(), "some": keys("0001 0002"), "all": keys("0001 0002 0003 0004")})
    assert databases.lacking(made, [Key("shop", "0002"), Key("shop", "0003")]) == {Key("shop", "0003"): ("some",)}
    choice = choose_range(made, (), "shop", "0002", "0003", databases=databases)
    assert [request.kept for request in choice.requests()] == [("0003",)]
    assert [request.kept for request in choice.requests(optimize=False)] == [()]


def test_what_stays_is_a_risk(tmp_path):
    path = tmp_path / "0003_fill.py"
    path.write_text(FILL)
    fill = Migration(Key("shop", "0003_fill"), str(path))
    assert not list(risks_of([fill]))
    assert [risk.hazard for risk in risks_of([fill], [fill.key])] == ["code"]


def placed(made: History, root: Path, **operations: str) -> History:
    """The history with a file for each migration, which does nothing unless `operations` say so, by ``shop_0002``."""
    found = {}
    for key, it in made.migrations.items():
        path = root / f"{key.app}_{key.name}.py"
        path.write_text(migration(*filter(None, [operations.get(path.stem)])))
        found[key] = replace(it, path=str(path))
    return build_history(found.values(), made.apps.values())


CODE = "migrations.RunPython(print, elidable=True)"
BETWEEN = {"shop": "0001 0002 0003 0004 0005", "blog": "0001:shop.0003 0002 0003:0002+shop.0005 0004"}


@pytest.mark.parametrize(
    ("operations", "applied", "severity", "words"),
    [
        (
            {},
            "",
            "warning",
            "blog.0001 (and 1 more) can run before 0005, as soon as shop.0003 has run. With the squash, it runs",
        ),
        ({}, "0001", "error", "the tables and rows as 0005 leaves them.\nhere has not run it yet."),
        ({}, "0001 0002 0003 0004 0005", "warning", "blog.0001 (and 1 more)"),
        ({"blog_0001": CODE}, "", "error", "It may change data."),
        ({"blog_0002": "migrations.RunSQL('DELETE')"}, "", "error", "blog.0002 can run before 0005"),
        ({"blog_0003": CODE, "blog_0004": CODE}, "", "warning", "blog.0001 (and 1 more)"),
    ],
)
def test_what_runs_in_the_middle_of_a_range_is_told_with_the_parts_to_type(
    tmp_path, operations, applied, severity, words
):
    made = placed(history(BETWEEN), tmp_path, **operations)
    choice = choose_range(made, (), "shop", "0002", "0005", databases=Databases({"here": keys(applied)}))
    (found,) = choice.findings
    assert (found.code, found.severity) == ("runs-in-between", severity)
    assert words in f"{found.found} {found.meaning}"
    assert found.hint.splitlines()[-2:] == ["migsync squash shop 0002 0003", "migsync squash shop 0004 0005"]
    assert not choose_range(made, (), "shop", "0004", "0005").findings
    parted = choose_range(made, (), "shop", "0002", "0005", in_parts=True, databases=Databases({"here": keys(applied)}))
    assert not parted.blocked
    assert len(parted.ranges) == (2 if severity == "error" else 1)


def test_a_range_of_which_every_part_is_one_migration_stays(tmp_path):
    made = placed(history(BETWEEN), tmp_path, blog_0001=CODE)
    (found,) = choose_range(made, (), "shop", "0003", "0004").findings
    assert found.hint == "Do not squash these migrations: each part would be a single migration."
    (found,) = choose_range(made, (), "shop", "0003", "0004", in_parts=True).findings
    assert found.code == "nothing-to-squash"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_schema_change_behind_a_data_migration_is_no_one_transaction_on_postgresql(tmp_path, engine):
    made = placed(history({"shop": "0001 0002 0003 0004 0005"}), tmp_path, shop_0003=CODE.replace("True", "False"))
    databases = Databases(engines=frozenset({"sqlite", engine}))
    choice = choose_range(made, (), "shop", "0002", "0005", databases=databases)
    (found,) = choice.findings
    assert (found.code, found.blocks) == ("data-before-schema", engine == "postgresql")
    assert found.hint.splitlines()[-2:] == ["migsync squash shop 0002 0003", "migsync squash shop 0004 0005"]
    parted = choose_range(made, (), "shop", "0002", "0005", in_parts=True, databases=databases)
    assert len(parted.ranges) == (2 if engine == "postgresql" else 1)
    assert not choose_range(made, (), "shop", "0002", "0003", databases=databases).findings


def test_what_is_elidable_and_stays_cuts_too(tmp_path):
    made = placed(history(LINE), tmp_path, shop_0003=CODE)
    before = Databases({"here": keys("0001")}, engines=frozenset({"postgresql"}))
    assert not choose_range(made, (), "shop", "0002", "0004", databases=Databases(engines=before.engines)).findings
    assert choose_range(made, (), "shop", "0002", "0004", databases=before).blocked


def test_not_in_a_transaction_data_may_come_first(tmp_path):
    made = placed(history(LINE, shop_0002={"atomic": False}), tmp_path, shop_0003=CODE.replace("True", "False"))
    databases = Databases(engines=frozenset({"postgresql"}))
    assert not choose_range(made, (), "shop", "0002", "0004", databases=databases).blocked


def test_suggest_has_what_to_type_for_postgresql(behind):
    path = behind.migrations("shop") / "0003_fill.py"
    path.write_text(FILL.replace(", elidable=True", ""))
    write(behind, "shop", "0005_x: after 0004_size; add Item.x")
    ended = behind.migsync("squash", "--suggest")
    assert "migsync squash shop 0002 0005  saves 3 files" in ended.out
    assert "on PostgreSQL: migsync squash shop 0002 0003\n" in ended.out
    assert "on PostgreSQL: migsync squash shop 0004 0005\n" in ended.out
    (run,) = behind.migsync("squash", "--suggest", "--format", "json").json["runs"]
    assert run["on_postgresql"] == ["migsync squash shop 0002 0003", "migsync squash shop 0004 0005"]
