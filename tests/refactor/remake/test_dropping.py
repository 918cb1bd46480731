"""All that runs on the models of its own days only is told of at once, each with the way to leave it out."""

from __future__ import annotations

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.project import Project
from tests.refactor.remake.projects import check, make, migration, names
from tests.refactor.remake.test_remake import ADD_PRICE, CREATE_ITEM, ONE

WRITE = """
def write(apps, schema_editor):
    Item = apps.get_model("shop", "Item")
    assert hasattr(Item, {wanted!r}), {wanted!r}
    Item.objects.using(schema_editor.connection.alias).create(name={wanted!r})
"""
FILL = "migrations.RunPython(write)"


def files(first: str = "") -> dict[str, str]:
    return {
        "0001_initial": migration(CREATE_ITEM.replace('("name"', '("old", models.IntegerField(null=True)), ("name"')),
        "0002_old": migration(FILL, "shop.0001_initial", above=WRITE.format(wanted="old"), attributes=first),
        "0003_name": migration(FILL, "shop.0002_old", above=WRITE.format(wanted="name")),
        "0004_again": migration(FILL, "shop.0003_name", above=WRITE.format(wanted="old")),
        "0005_gone": migration(f'migrations.RemoveField("Item", "old"), {ADD_PRICE}', "shop.0004_again"),
    }


@pytest.fixture
def project(tmp_path, new_database: NewDatabase) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", {alias: new_database("sqlite") for alias in ("default", "fresh")})


def test_each_with_its_number_and_its_own_migration(project):
    make(project, {"shop": ONE}, {"shop": files()})
    project.migrate("default")
    ended = project.migsync("remake", "--update-db", "--yes")
    assert ended.status == 1
    for said in (
        "in shop.0002_remade_carried (operation 1): AssertionError: old",
        "--drop shop.0002_old",
        "in shop.0002_remade_carried (operation 3): AssertionError: old",
        "--drop shop.0004_again",
    ):
        assert said in ended.out
    assert "operation 2" not in ended.out
    ended = project.migsync("remake", "--update-db", "--yes", "--drop", "shop.0002", "--drop", "shop.0004")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "shop") == ["0001_remade", "0002_remade_carried"]
    check(project)
    assert project.databases["fresh"].execute("SELECT name FROM shop_item") == [("name",)]


def test_what_is_not_undone_ends_it(project):
    """Without a transaction, half of a migration may stand; whatever failed then could fail because of it."""
    make(project, {"shop": ONE}, {"shop": files("    atomic = False\n")})
    ended = project.migsync("remake", "--dry-run")
    assert "--drop shop.0002_old" in ended.out
    assert "--drop shop.0004_again" not in ended.out
