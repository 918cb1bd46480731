"""``migsync remake`` through the real command; Django's loader, migrate and makemigrations are the judges."""

from __future__ import annotations

import pytest

from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.pitfalls.project import Project
from tests.refactor.remake.projects import check, columns, make, migration, names

SHOP = """
class Item(models.Model):
    name = models.CharField(max_length=9)
    price = models.IntegerField(null=True)
    post = models.ForeignKey("blog.Post", null=True, on_delete=models.CASCADE, related_name="+")
"""
BLOG = """
class Post(models.Model):
    title = models.CharField(max_length=9)
    item = models.ForeignKey("shop.Item", null=True, on_delete=models.CASCADE, related_name="+")
"""
PRIMARY = '("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))'
CREATE_ITEM = f'migrations.CreateModel("Item", [{PRIMARY}, ("name", models.CharField(max_length=9))])'
CREATE_POST = f'migrations.CreateModel("Post", [{PRIMARY}, ("title", models.CharField(max_length=9))])'
ADD_PRICE = 'migrations.AddField("Item", "price", models.IntegerField(null=True))'
ADD_POST = (
    'migrations.AddField("Item", "post", models.ForeignKey("blog.Post", models.CASCADE, null=True, related_name="+"))'
)
ADD_ITEM = (
    'migrations.AddField("Post", "item", models.ForeignKey("shop.Item", models.CASCADE, null=True, related_name="+"))'
)
FUNCTIONS = """
NAMES = ["first"]


def fill(apps, schema_editor):
    for name in NAMES:  # one by one
        apps.get_model("shop", "Item").objects.using(schema_editor.connection.alias).create(name=name)
"""
FILL = "migrations.RunPython(fill), migrations.RunPython(lambda *_: None, elidable=True)"
RENAME = "migrations.RunSQL(\"UPDATE shop_item SET name = 'second'\")"
VIEW = "migrations.RunSQL('CREATE VIEW shop_names AS SELECT name FROM shop_item', 'DROP VIEW shop_names')"

CIRCLE = {
    "shop": {
        "0001_initial": migration(CREATE_ITEM),
        "0002_price": migration(ADD_PRICE, "shop.0001_initial"),
        "0003_fill": migration(FILL, "shop.0002_price", above=FUNCTIONS),
        "0004_post": migration(ADD_POST, "shop.0003_fill", "blog.0001_initial"),
        "0005_view": migration(VIEW, "shop.0004_post", "blog.0002_item"),
    },
    "blog": {
        "0001_initial": migration(CREATE_POST),
        "0002_item": migration(
            f"{ADD_ITEM}, {RENAME}",
            "blog.0001_initial",
            "shop.0003_fill",
        ),
    },
}


@pytest.fixture
def project(tmp_path, new_database: NewDatabase, request: pytest.FixtureRequest) -> Project:
    """Two apps in a circle; the databases are empty."""
    (tmp_path / "project").mkdir()
    engine = getattr(request, "param", "sqlite")
    return Project(tmp_path / "project", {alias: new_database(engine) for alias in ("default", "behind", "fresh")})


@pytest.mark.parametrize("project", ENGINES, indirect=True)
def test_two_apps_in_a_circle_with_what_their_models_do_not_show(project):
    """Pitfall 29, on every engine: in the old order, across apps, and the database's rows follow."""
    make(project, {"shop": SHOP, "blog": BLOG}, CIRCLE)
    project.migrate("default")
    project.migrate("behind", "shop", "0003_fill")
    before = project.dumps()
    refused = project.migsync("remake", "--update-db", "--yes")
    assert refused.status == 1
    assert "shop.0001_remade, shop.0002_remade_carried and shop.0003_remade_carried stand for several" in refused.out
    assert (names(project, "shop"), project.dumps()) == (sorted(CIRCLE["shop"]), before)
    project.migrate("behind")
    before = project.dumps()
    ended = project.migsync("remake", "--update-db", "--database", "default", "--allow-applied", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "blog") == ["0001_remade", "0002_remade", "0003_remade_carried"]
    assert names(project, "shop") == ["0001_remade", "0002_remade_carried", "0003_remade_carried"]
    for said in (
        "shop.0003_fill: RunPython(fill) is carried over into shop.0002_remade_carried.",
        "shop.0003_fill: RunPython(<lambda>) is left out: it is elidable.",
        "blog.0002_item: RunSQL is carried over into blog.0003_remade_carried.",
        "shop.0005_view: RunSQL is carried over into shop.0003_remade_carried.",
    ):
        assert said in ended.out
    assert project.migsync("apply", "--database", "behind", "--yes").status == 0
    expected = [(app, name) for app in ("blog", "shop") for name in names(project, app)]
    for alias in ("default", "behind"):
        assert sorted((app, name) for _, app, name, _ in project.dumps()[alias]) == expected
    check(project)
    assert project.databases["fresh"].execute("SELECT name FROM shop_names") == [("second",)]
    assert columns(project.databases["fresh"], "shop_item") == columns(project.databases["default"], "shop_item")
    refused = project.migsync("undo", "--files", "--yes")
    assert (refused.status, "-d behind" in refused.out) == (1, True), "that database has the new names"
    assert project.migsync("undo", "--database", "behind", "--yes").status == 0
    assert project.migsync("undo", "--files", "--yes").status == 0
    assert names(project, "shop") == sorted(CIRCLE["shop"])
    assert project.dumps()["default"] == before["default"]


ONE = """
class Item(models.Model):
    name = models.CharField(max_length=9)
    price = models.IntegerField(null=True)
"""
SQUASH = migration(
    f"{CREATE_ITEM}, {ADD_PRICE}",
    attributes='    replaces = [("shop", "0001_initial"), ("shop", "0002_price")]\n',
)
ALTER = 'migrations.AlterField("Item", "price", models.IntegerField(null=True))'


def test_twice_on_one_day_and_with_an_unfinished_squash_inside(project):
    """Pitfall 28: the old rows alone, and the old rows with the squash's, become the one new row."""
    files = {"0001_initial": migration(CREATE_ITEM), "0002_price": migration(ADD_PRICE, "shop.0001_initial")}
    make(project, {"shop": ONE}, {"shop": files})
    project.migrate("default")
    squash = "0001_squashed_0002_price"
    later = {squash: SQUASH, "0003_again": migration(ALTER, "shop.0002_price")}
    make(project, {"shop": ONE}, {"shop": later})
    project.migrate("behind")
    assert project.manage("migrate", "shop", "--fake", "--database", "default").status == 0
    project.databases["default"].execute(f"DELETE FROM django_migrations WHERE name = '{squash}'")
    project.age("default")
    ended = project.migsync("remake", "shop", "--update-db", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "shop") == ["0001_remade"]
    for alias in ("default", "behind"):
        assert [(app, name) for _, app, name, _ in project.dumps()[alias]] == [("shop", "0001_remade")]
    made = {"0002_view": migration(VIEW, "shop.0001_remade")}
    make(project, {"shop": ONE}, {"shop": made})
    project.migrate("default")
    project.migrate("behind")
    ended = project.migsync("remake", "shop", "--update-db", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "shop") == ["0001_remade_2", "0002_remade_carried_2"]
    assert "replaces" not in (project.migrations("shop") / "0001_remade_2.py").read_text()
    check(project)


def test_a_change_without_a_migration_is_not_taken_in(project):
    """Pitfall 31: nothing is recorded as applied that the database never had."""
    make(project, {"shop": ONE}, {"shop": {"0001_initial": migration(CREATE_ITEM)}})
    project.migrate("default")
    before = (project.files(), project.dumps())
    ended = project.migsync("remake", "--update-db", "--yes")
    assert ended.status == 1
    assert "The models of shop have changes that no migration has: Add field price to item." in ended.out
    assert "python manage.py makemigrations shop" in ended.out
    assert (project.files(), project.dumps()) == before


def test_a_state_that_is_written_otherwise_than_models_are(project):
    """Django's RenameField leaves lists in the state, and RenameIndex can leave an index there twice."""
    together = 'migrations.AlterUniqueTogether("Item", {("name", "cost")})'
    index = 'models.Index(fields=["name"], name="by_name")'
    add = f'migrations.AddIndex("Item", {index})'
    again = 'migrations.RenameIndex("Item", new_name="by_name", old_fields=["name"])'
    rename = migration(f'migrations.RenameField("Item", "cost", "price"), {again}', "shop.0001_initial")
    meta = f"    class Meta:\n        unique_together = [('name', 'price')]\n        indexes = [{index}]\n"
    files = {"0001_initial": migration(f"{CREATE_ITEM}, {COST}, {together}, {add}"), "0002_rename": rename}
    make(project, {"shop": ONE + meta}, {"shop": files})
    project.migrate("default")
    ended = project.migsync("remake", "--update-db", "--yes", "--no-prove-transition")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "shop") == ["0001_remade"]


def test_an_index_that_no_model_shows_is_refused_and_how_to_go_on_is_said(project):
    """As in oscar's communication, whose model was moved there in the state alone, without its index."""
    index = 'migrations.AlterField("Item", "price", models.IntegerField(null=True, db_index=True))'
    alone = migration(f"migrations.SeparateDatabaseAndState(database_operations=[{index}])", "shop.0001_initial")
    make(project, {"shop": ONE}, {"shop": {"0001_initial": migration(f"{CREATE_ITEM}, {ADD_PRICE}"), "0002_x": alone}})
    project.migrate("default")
    ended = project.migsync("remake", "--update-db", "--yes", "--no-prove-transition")
    assert ended.status == 1
    assert 'The index ("price") on shop_item: only the current files create it.' in ended.out
    assert "first deploy a migration that makes the databases as the models are" in ended.out


OWN = """
class AddFieldTwice(migrations.AddField):
    pass


def count(apps, schema_editor):
    items = apps.get_model("shop", "Item").objects.using(schema_editor.connection.alias)
    assert items.filter(cost=1).count() == 0
"""
COST = 'migrations.AddField("Item", "cost", models.IntegerField(null=True))'
MOVED = {
    "0001_initial": migration(f"{CREATE_ITEM}, {COST}"),
    "0002_count": migration("migrations.RunPython(count)", "shop.0001_initial", above=OWN),
    "0003_price": migration('migrations.RenameField("Item", "cost", "price")', "shop.0002_count"),
    "0004_own": migration(
        'AddFieldTwice("Item", "twice", models.IntegerField(null=True))', "shop.0003_price", above=OWN
    ),
    "0005_less": migration('migrations.RemoveField("Item", "twice")', "shop.0004_own"),
}


def test_what_cannot_be_carried_is_refused_by_name_until_it_is_dropped_by_name(project):
    """Pitfall 29: an operation of one's own that changes the state; a function whose field has another name now."""
    make(project, {"shop": ONE}, {"shop": MOVED})
    project.migrate("default")
    ended = project.migsync("remake", "--update-db", "--yes")
    assert ended.status == 1
    assert "shop.0004_own has AddFieldTwice, which changes the state of the models in its own way." in ended.out
    assert "leave it out: migsync remake --drop shop.0004_own" in ended.out
    ended = project.migsync("remake", "--update-db", "--yes", "--drop", "shop.0004")
    assert ended.status == 1
    assert "in shop.0002_remade_carried (operation 1): django.core.exceptions.FieldError" in ended.out
    assert "It was carried over from shop.0002_count." in ended.out
    assert "--drop shop.0002_count" in ended.out
    assert names(project, "shop") == sorted(MOVED)
    keep = ("--drop", "shop.0004", "--drop", "shop.0002_count", "--keep-old-migrations", "--name", "fresh")
    ended = project.migsync("remake", "--update-db", "--yes", *keep)
    assert ended.status == 0, ended.out + ended.err
    assert "shop.0002_count: RunPython(count) is left out, because of --drop." in ended.out
    assert names(project, "shop") == ["0001_fresh"]
    aside = project.migrations("shop") / "_before_remade"
    assert {path.stem: path.read_text() for path in aside.iterdir()} == MOVED
    assert not (aside / "__init__.py").exists()
    project.migrate("behind")
    check(project)


def test_an_app_that_is_in_between_is_named(project):
    """One of blog's comes after shop's first and before its last: that is one migration now."""
    files = {
        "shop": {
            "0001_initial": CIRCLE["shop"]["0001_initial"],
            "0002_price": migration(ADD_PRICE, "shop.0001_initial"),
            "0003_post": migration(ADD_POST, "shop.0002_price", "blog.0002_item"),
        },
        "blog": {
            "0001_initial": CIRCLE["blog"]["0001_initial"],
            "0002_item": migration(ADD_ITEM, "blog.0001_initial", "shop.0001_initial"),
        },
    }
    make(project, {"shop": SHOP, "blog": BLOG}, files)
    project.migrate("default")
    ended = project.migsync("remake", "shop", "--update-db", "--yes")
    assert ended.status == 1
    assert "shop" in ended.out
    assert "blog is not remade, and runs both before and after the new migrations." in ended.out
    assert "migsync remake blog shop" in ended.out
    assert project.migsync("remake", "nobody").status == 64


def test_an_app_that_stays_runs_where_it_did(project):
    """Between two of shop's that are carried over, and so after the first of them and before the second."""
    post = 'migrations.RunSQL("INSERT INTO blog_post (title) SELECT name FROM shop_item")'
    files = {
        "shop": {
            "0001_initial": migration(CREATE_ITEM),
            "0002_fill": migration(FILL, "shop.0001_initial", above=FUNCTIONS),
            "0003_price": migration(ADD_PRICE, "shop.0002_fill"),
            "0004_rename": migration(RENAME, "shop.0003_price", "blog.0001_initial"),
        },
        "blog": {"0001_initial": migration(f"{CREATE_POST}, {post}", "shop.0002_fill")},
    }
    make(project, {"shop": ONE, "blog": BLOG.partition("    item")[0]}, files)
    project.migrate("default")
    ended = project.migsync("remake", "shop", "--update-db", "--yes", "--no-prove-transition")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "shop") == ["0001_remade", "0002_remade_carried", "0003_remade_carried"]
    assert '("shop", "0002_remade_carried")' in (project.migrations("blog") / "0001_initial.py").read_text()
    project.databases.pop("behind")
    check(project)
    assert project.databases["fresh"].execute("SELECT title, name FROM blog_post, shop_item") == [("first", "second")]


def test_an_app_that_needs_what_there_was_once_is_named(project):
    """blog referred to a model of shop's that went; from scratch shop never makes it."""
    old = f'migrations.CreateModel("Old", [{PRIMARY}])'
    files = {
        "shop": {
            "0001_initial": migration(f"{CREATE_ITEM}, {ADD_PRICE}, {old}"),
            "0002_old": migration('migrations.DeleteModel("Old")', "shop.0001_initial"),
        },
        "blog": {
            "0001_initial": migration(
                f"{CREATE_POST}, {ADD_ITEM.replace('shop.Item', 'shop.Old')}", "shop.0001_initial"
            ),
            "0002_item": migration('migrations.RemoveField("Post", "item")', "blog.0001_initial"),
        },
    }
    make(project, {"shop": ONE, "blog": BLOG.partition("    item")[0]}, files)
    project.migrate("default")
    ended = project.migsync("remake", "shop", "--update-db", "--yes")
    assert ended.status == 1
    assert "in blog.0001_initial" in ended.out
    assert "It is not remade, and may need an earlier state of shop." in ended.out
    assert "migsync remake blog shop" in ended.out
    ended = project.migsync("remake", "blog", "shop", "--update-db", "--yes")
    assert ended.status == 0, ended.out + ended.err
    project.migrate("fresh")
    project.databases.pop("behind")
    check(project)


def test_the_classic_way_replaces_every_old_migration_once(project):
    """The old files stay, a database that is behind still goes through them, and a new one through the new file."""
    files = {
        "0001_initial": migration(CREATE_ITEM),
        "0002_fill": migration("migrations.RunPython(fill)", "shop.0001_initial", above=FUNCTIONS),
        "0003_price": migration(ADD_PRICE, "shop.0002_fill"),
    }
    make(project, {"shop": ONE}, {"shop": files})
    project.migrate("default")
    project.migrate("behind", "shop", "0001_initial")
    before = project.dumps()
    ended = project.migsync("remake", "--replaces", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "shop") == ["0001_initial", "0001_remade", "0002_fill", "0003_price"]
    assert not list(project.root.glob("migration_rewrites/*"))
    assert project.dumps() == before
    assert project.pending("behind") == ["shop.0002_fill", "shop.0003_price"]
    project.migrate("behind")
    assert project.pending("fresh") == ["shop.0001_remade"]
    project.migrate("fresh")
    check(project)
    assert project.databases["fresh"].execute("SELECT name, price FROM shop_item") == [("first", None)]
