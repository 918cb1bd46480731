"""What a remake refuses before anything is made, and what it only notes, each with the way on."""

from __future__ import annotations

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.project import Project
from tests.refactor.remake.projects import commit, make, migration, names
from tests.refactor.remake.test_remake import ADD_PRICE, CREATE_ITEM, CREATE_POST, ONE, PRIMARY

ADD_SIZE = ADD_PRICE.replace('"price"', '"size"')
SIZED = f"{ONE}    size = models.IntegerField(null=True)\n"
TITLE = "class Post(models.Model):\n    title = models.CharField(max_length=9)\n"
SHOP = {"0001_initial": migration(CREATE_ITEM), "0002_price": migration(ADD_PRICE, "shop.0001_initial")}


@pytest.fixture
def project(tmp_path, new_database: NewDatabase) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", {"default": new_database("sqlite")})


def refused(project: Project, *arguments: str) -> str:
    ended = project.migsync("remake", *arguments)
    assert ended.status == 1, ended.out + ended.err
    return ended.out


def done(project: Project, *arguments: str) -> str:
    ended = project.migsync("remake", *arguments)
    assert ended.status == 0, ended.out + ended.err
    return ended.out


def test_an_app_with_two_leaves(project: Project) -> None:
    make(project, {"shop": SIZED}, {"shop": {**SHOP, "0002_size": migration(ADD_SIZE, "shop.0001_initial")}})
    said = refused(project, "shop")
    assert "shop has 2 leaf migrations: 0002_price and 0002_size." in said
    assert "migsync fix-conflicts --app shop" in said


def test_a_squash_beside_what_it_replaces_is_not_replaced_in_turn(project: Project) -> None:
    squash = migration(
        f"{CREATE_ITEM}, {ADD_PRICE}",
        attributes='    replaces = [("shop", "0001_initial"), ("shop", "0002_price")]\n',
    )
    make(project, {"shop": ONE}, {"shop": {**SHOP, "0001_squashed_0002_price": squash}})
    project.migrate("default")
    said = refused(project, "shop", "--replaces")
    assert "migsync tidy shop --remove-replaced" in said
    assert "shop.0001_squashed_0002_price is an unfinished squash" in said


def test_an_app_in_between_keeps_the_old_ones_from_being_divided(project: Project) -> None:
    files = {
        "shop": {**SHOP, "0002_price": migration(ADD_PRICE, "shop.0001_initial", "blog.0001_initial")},
        "blog": {"0001_initial": migration(CREATE_POST, "shop.0001_initial")},
    }
    make(project, {"shop": ONE, "blog": TITLE}, files)
    project.migrate("default")
    said = refused(project, "shop", "blog", "--replaces")
    assert "cannot be divided among its new ones" in said
    assert "Remake without --replaces: migsync remake blog shop" in said


def test_an_app_without_migrations_and_one_that_is_as_it_would_be_made(project: Project) -> None:
    make(project, {"shop": ONE, "blog": TITLE}, {"shop": SHOP})
    said = done(project, "blog")
    assert "blog has no migrations, so there is nothing to remake." in said
    done(project, "shop", "--yes")
    commit(project, "remade")
    assert "The migrations of shop are already what remake would make." in done(project, "shop")


def test_a_drop_that_drops_nothing(project: Project) -> None:
    make(project, {"shop": ONE}, {"shop": SHOP})
    project.migrate("default")
    said = done(project, "shop", "--drop", "shop.0002", "--update-db", "--yes")
    assert "shop.0002_price has no operation that --drop could leave out." in said
    assert names(project, "shop") == ["0001_remade"]


def test_models_that_the_autodetector_cannot_make_from_scratch(project: Project) -> None:
    """As in django-oauth-toolkit, where the project leaves its settings of models unset: Django asks for them."""
    option = "swappable = 'SHOP_ITEM_MODEL'"
    link = "models.ForeignKey('shop.Item', models.CASCADE, null=True)"
    create_item = CREATE_ITEM.replace(")])", f")], options=dict({option}))")
    create_line = f'migrations.CreateModel("Line", [{PRIMARY}, ("item", {link})])'
    models = f"{ONE}    class Meta:\n        {option}\n\nclass Line(models.Model):\n    item = {link}\n"
    make(project, {"shop": models}, {"shop": {"0001_initial": migration(f"{create_item}, {ADD_PRICE}, {create_line}")}})
    ended = project.migsync("remake", "shop")
    assert ended.status == 1
    assert "`makemigrations` fails without the old migrations: AttributeError" in ended.err
