"""An app whose models are all gone, while its migrations stand between those of another: pretix has one."""

from __future__ import annotations

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.project import Project
from tests.refactor.remake.projects import check, make, migration, names
from tests.refactor.remake.test_remake import ADD_PRICE, CREATE_ITEM, CREATE_POST, ONE

FILES = {
    "shop": {
        "0001_initial": migration(CREATE_ITEM),
        "0002_price": migration(ADD_PRICE, "shop.0001_initial", "blog.0002_gone"),
    },
    "blog": {
        "0001_initial": migration(CREATE_POST, "shop.0001_initial"),
        "0002_gone": migration('migrations.DeleteModel("Post")', "blog.0001_initial"),
    },
}


@pytest.fixture
def project(tmp_path, new_database: NewDatabase) -> Project:
    (tmp_path / "project").mkdir()
    found = Project(tmp_path / "project", {alias: new_database("sqlite") for alias in ("default", "fresh")})
    make(found, {"shop": ONE, "blog": ""}, FILES)
    found.migrate("default")
    return found


def test_it_stays_where_it_can_and_the_way_on_is_told_where_not(project):
    ended = project.migsync("remake", "--update-db", "--yes")
    assert ended.status == 1
    assert "blog is not remade, and runs both before and after the new migrations." in ended.out
    assert "To replace them with one empty migration: migsync remake blog" in ended.out
    assert "Remake these apps together: migsync remake blog shop" in ended.out


@pytest.mark.parametrize("apps", [("blog", "shop"), ("blog",)], ids=" ".join)
def test_by_name_it_has_an_empty_one(project, apps):
    ended = project.migsync("remake", *apps, "--update-db", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert "It gets one empty migration" in ended.out
    assert names(project, "blog") == ["0001_remade"]
    rows = [(app, name) for _, app, name, _ in project.dumps()["default"] if app == "blog"]
    assert rows == [("blog", "0001_remade")]
    check(project)
    assert project.migsync("undo", "--files", "--yes").status == 0
    assert names(project, "blog") == sorted(FILES["blog"])
