"""``migsync remake`` through the real command; Django's loader, migrate and makemigrations are the judges."""

from __future__ import annotations

import pytest

from tests.companion.remake.projects import check, columns, make, migration, names
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.pitfalls.project import Project

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
FILL = """
migrations.RunSQL("INSERT INTO shop_item (name) VALUES ('first')", migrations.RunSQL.noop),
migrations.RunSQL("INSERT INTO shop_item (name) VALUES ('unused')", elidable=True),
"""
VIEW = "migrations.RunSQL('CREATE VIEW shop_names AS SELECT name FROM shop_item', 'DROP VIEW shop_names')"

CIRCLE = {
    "shop": {
        "0001_initial": migration(CREATE_ITEM),
        "0002_price": migration(ADD_PRICE, "shop.0001_initial"),
        "0003_fill": migration(FILL, "shop.0002_price"),
        "0004_post": migration(ADD_POST, "shop.0003_fill", "blog.0001_initial"),
        "0005_view": migration(VIEW, "shop.0004_post", "blog.0002_item"),
    },
    "blog": {
        "0001_initial": migration(CREATE_POST),
        "0002_item": migration(
            f"{ADD_ITEM}, migrations.RunSQL(\"UPDATE shop_item SET name = 'second'\")",
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
    assert "behind: shop: of the migrations that became" in refused.out
    assert (names(project, "shop"), project.dumps()) == (sorted(CIRCLE["shop"]), before)
    project.migrate("behind")
    before = project.dumps()
    ended = project.migsync("remake", "--update-db", "--database", "default", "--allow-applied", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert names(project, "blog") == ["0001_remade", "0002_remade", "0003_remade_carried"]
    assert names(project, "shop") == ["0001_remade", "0002_remade_carried", "0003_remade_carried"]
    for said in (
        "shop.0003_fill: RunSQL is carried over into shop.0002_remade_carried.",
        "shop.0003_fill: RunSQL is left out: it is elidable.",
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
    assert project.migsync("undo", "--files", "--yes").status == 0
    assert names(project, "shop") == sorted(CIRCLE["shop"])
    assert project.dumps()["default"] == before["default"]
