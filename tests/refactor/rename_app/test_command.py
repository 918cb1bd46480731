"""``rename-app`` as a person runs it, on every engine, judged by Django."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.engines.config import DatabaseConfig
from migsync.sync.label_uses import find_label_uses
from migsync.sync.target import open_target
from tests.databases import SQLiteDatabase
from tests.pitfalls.project import Project
from tests.refactor.conftest import commit, write
from tests.refactor.rename_app.story import change_code, done, keep_files, put_files, shop

RENAMED = ["store.0001_initial", "store.0002_price", "store.0003_sku"]


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """The files of three times, each in a directory: under shop, renumbered and relabelled, and with more on top."""
    place = tmp_path_factory.mktemp("relabel")
    project = shop(place / "project", {"default": SQLiteDatabase(place / "none.sqlite3")})
    keep_files(project, "first")
    done(project.migsync("renumber", "shop", "--yes"))
    commit(project, "renumbered")
    change_code(project)
    done(project.migsync("rename-app", "shop", "store", "--yes"))
    keep_files(project, "second")
    commit(project, "relabelled")
    write(project, "store", "0007_size: after 0003_sku; add Item.size")
    models = project.root / "shop" / "models.py"
    models.write_text(models.read_text().replace("    sku =", "    size = models.IntegerField(default=0)\n    sku ="))
    commit(project, "more")
    done(project.migsync("linearize", "--yes"))
    keep_files(project, "third")
    return place


def keys(project: Project, alias: str = "default") -> list[str]:
    return [f"{app}.{name}" for _, app, name, _ in project.dumps()[alias] if app in ("shop", "store", "blog")]


def test_a_database_behind_three_rewrites_goes_through_all_at_once_and_back(tmp_path, database, history) -> None:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", {"default": database})
    put_files(project, history / "first")
    for ended in project.manage_all(["migrate", "shop", "0003_price"], ["migrate", "blog"]):
        done(ended)
    project.age("default")
    before = project.dumps()
    put_files(project, history / "third")
    done(project.migsync("apply", "--yes"))
    assert keys(project) == ["store.0001_initial", "store.0002_price", "blog.0001_initial"]
    assert [(row[0], row[3]) for row in project.dumps()["default"]] == [(row[0], row[3]) for row in before["default"]]
    done(project.migsync("undo", "--yes"))
    assert project.dumps() == before
    done(project.migsync("apply", "--yes"))
    plan, migrated = map(done, project.manage_all(["migrate", "--plan"], ["migrate"]))
    assert [line for line in plan.out.splitlines() if "." in line and " " not in line] == [
        "store.0003_sku",
        "store.0004_size",
    ]
    assert "Applying store.0004_size... OK" in migrated.out
    # An older checkout: with the word the rows go back to its label, once what it does not know is unapplied.
    done(project.manage("migrate", "store", "0003_sku"))
    put_files(project, history / "first")
    done(project.migsync("apply", "--yes", "--backwards"))
    assert keys(project)[:4] == ["shop.0001_initial", "shop.0003_price", "blog.0001_initial", "shop.0006_sku"]


def test_files_and_records_in_one_step_and_back(tmp_path, new_database) -> None:
    databases = {"default": new_database("sqlite"), "second": new_database("sqlite")}
    project = shop(tmp_path / "project", databases)
    for alias, ended in zip(
        databases, project.manage_all(*(["migrate", "--database", alias] for alias in databases)), strict=True
    ):
        done(ended)
        project.age(alias)
    rows, files = project.dumps(), project.files()
    refused = project.migsync("rename-app", "shop", "store", "--update-db", "--yes")
    assert refused.status == 1
    assert 'label = "store"' in refused.out
    assert 'Add to class Meta of Item: db_table = "shop_item"' in refused.out
    assert "models.py:6 says 'shop.Item'" in refused.out
    change_code(project)
    text = (project.root / "shop" / "models.py").read_text()
    (project.root / "shop" / "models.py").write_text(
        text.replace("db_table", "# db_table").replace("Meta:", "Meta: pass")
    )
    refused = project.migsync("rename-app", "shop", "store", "--update-db", "--yes")
    assert refused.status == 1
    assert "`makemigrations` would add to store: Rename table for item" in refused.out
    (project.root / "shop" / "models.py").write_text(text)
    assert (project.dumps(), project.files()) == (rows, files)
    ended = done(
        project.migsync(
            *("rename-app", "shop", "store", "--update-db", "--yes", "--database", "default"),
            *("--prove-schema", "--prove-transition", "--diff"),
        )
    )
    assert "The state is equal" in ended.out
    assert "for a fresh database and for 2 databases of yours" in ended.out
    assert "Schema: old and new files build the same" in ended.out
    assert "Transition: all" in ended.out
    assert "default has 1 content type with the label shop, and 4 permissions" in ended.out
    for judged in project.manage_all(["migrate", "--check"], ["makemigrations", "--check"]):
        done(judged)
    blog = (project.migrations("blog") / "0001_initial.py").read_text()
    assert blog.count("shop") == 0
    assert [row[1] for row in project.dumps()["second"]] == [row[1] for row in rows["second"]]
    # Wherever the rewrite is applied, before and after, until the content types have the label.
    update = "UPDATE django_content_type SET app_label='store' WHERE django_content_type.app_label = 'shop'"
    for command in ("plan", "apply --yes", "plan"):
        said = done(project.migsync(*command.split(), "-d", "second")).out
        assert "[content-types-behind]" in said
        assert f"Before the next migrate, run: {update};" in said
    databases["second"].execute(update)
    assert "content type" not in done(project.migsync("plan", "-d", "second")).out
    databases["second"].execute(
        update.replace("'store'", "'old'").replace("'shop'", "'store'").replace("'old'", "'shop'")
    )
    done(project.migsync("undo", "-d", "second", "--yes"))
    done(project.migsync("undo", "--files", "--yes"))
    assert (project.dumps(), project.files()) == (rows, files)


def test_the_offered_sql_carries_content_types_over_and_is_never_run(database) -> None:
    database.create_table()
    database.execute("CREATE TABLE django_content_type (id integer, app_label varchar(100), model varchar(100))")
    database.execute("CREATE TABLE auth_permission (id integer, content_type_id integer)")
    database.execute("CREATE TABLE shop_item (id integer)")
    database.execute(
        "INSERT INTO django_content_type VALUES (1, 'shop', 'item'), (2, 'shop', 'tag'), (3, 'blog', 'post')"
    )
    database.execute("INSERT INTO auth_permission VALUES (1, 1), (2, 1), (3, 2), (4, 3)")
    with open_target(DatabaseConfig("default", database.url)) as target:
        found = find_label_uses(target, "shop", "store")
        assert (found.types, found.there, found.permissions, found.tables) == (2, 0, 3, ("shop_item",))
        labels = "SELECT app_label FROM django_content_type ORDER BY id"
        assert database.execute(labels) == [("shop",), ("shop",), ("blog",)]
        database.execute(found.statement.removesuffix(";"))
        assert database.execute(labels) == [("store",), ("store",), ("blog",)]
        assert find_label_uses(target, "shop", "store").there == 2
        database.execute(found.back.removesuffix(";"))
        assert database.execute(labels) == [("shop",), ("shop",), ("blog",)]


def test_a_fresh_database_gets_the_old_tables(tmp_path, new_database, history) -> None:
    (tmp_path / "project").mkdir()
    database = new_database("sqlite")
    project = Project(tmp_path / "project", {"default": database})
    put_files(project, history / "second")
    done(project.manage("migrate", "--verbosity", "0"))
    assert [*database.execute("SELECT name FROM sqlite_master WHERE name = 'shop_item'")] == [("shop_item",)]
    assert done(project.migsync("plan", "--check")).status == 0


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("shop", "blog"), "shop and blog are both apps of this project"),
        (("auth", "people"), "auth is installed, but is not this project's own app"),
        (("goods", "shop"), "No migration and no record belongs to an app goods"),
    ],
)
def test_bad_labels(tmp_path_factory, request, labels, said) -> None:
    project = request.getfixturevalue("unchanged")
    ended = project.migsync("rename-app", *labels, "--yes")
    assert ended.status == 64, ended.out + ended.err
    assert said in ended.err


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory) -> Project:
    """The project under the old label, with no database."""
    place = tmp_path_factory.mktemp("unchanged")
    return shop(place / "project", {"default": SQLiteDatabase(place / "none.sqlite3")})


def test_a_database_where_the_new_label_was_faked_is_refused(tmp_path, new_database, history) -> None:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", {"default": new_database("sqlite")})
    put_files(project, history / "first")
    project.migrate("default", "shop")
    put_files(project, history / "second")
    done(project.manage("migrate", "--fake", "store", "--verbosity", "0"))
    rows = project.dumps()
    ended = project.migsync("apply", "--yes")
    assert ended.status == 1
    assert "The records of store have more than one label." in ended.out + ended.err
    assert project.dumps() == rows


def test_a_model_that_was_renamed_takes_its_table_along(tmp_path, new_database) -> None:
    project = shop(tmp_path / "project", {"default": new_database("sqlite")})
    write(project, "shop", "0007_product: after 0006_sku")
    path = project.migrations("shop") / "0007_product.py"
    path.write_text(
        path.read_text().replace("operations = []", 'operations = [migrations.RenameModel("Item", "Product")]')
    )
    for models in (project.root / "shop" / "models.py", project.root / "blog" / "models.py"):
        models.write_text(models.read_text().replace("Item", "Product"))
    commit(project, "renamed")
    project.migrate("default")
    change_code(project)
    models = project.root / "shop" / "models.py"
    models.write_text(models.read_text().replace("shop_item", "shop_product"))
    blog = project.root / "blog" / "models.py"
    blog.write_text(blog.read_text().replace("shop.Product", "store.Product"))
    ended = done(project.migsync("rename-app", "shop", "store", "--update-db", "--yes"))
    assert "renames a model. A separate operation now renames its table, to shop_product." in ended.out
    assert 'AlterModelTable(name="item", table="shop_product"), migrations.RenameModel("Item"' in path.read_text()
    for judged in project.manage_all(["migrate", "--check"], ["makemigrations", "--check"]):
        done(judged)
