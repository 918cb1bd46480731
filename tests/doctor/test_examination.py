"""What ``migsync doctor`` finds in files and databases besides the findings of a plan, and when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.databases import Database
from tests.doctor.test_diagnosis import FILES, SECOND, SOUND, lose_record, make_project, shop, sqlite_shop, type_in
from tests.pitfalls.project import File, Project

__all__ = ["shop", "sqlite_shop"]


def codes(project: Project, *arguments: str, status: int = 0) -> dict[str, dict[str, Any]]:
    ended = project.migsync("doctor", "--format", "json", *arguments)
    assert ended.status == status, ended.out
    document = ended.json
    found = [*document["findings"], *(each for one in document["databases"] for each in one["findings"])]
    return {each["code"]: each for each in found}


def test_records_of_an_app_that_is_gone(sqlite_shop: Project) -> None:
    sqlite_shop.write_files("cart", [File("0001_initial", ("create Cart",))])
    sqlite_shop.manage_all(["migrate"])
    del sqlite_shop.apps["cart"]
    sqlite_shop.write_settings()
    found = codes(sqlite_shop)
    assert list(found) == ["records-of-gone-apps"]
    assert sqlite_shop.migsync("apply", "--prune", "cart", "--noinput").status == 0
    assert codes(sqlite_shop) == {}


def test_many_gaps_are_one_finding_that_leads_to_repair(sqlite_shop: Project) -> None:
    above = "0003_order"
    for number in range(4, 14):
        name = f"{number:04d}_field"
        sqlite_shop.write_files("shop", [File(name, (f"add Item.f{number}",), (("shop", above),))])
        above = name
    sqlite_shop.manage_all(["migrate"])
    assert codes(sqlite_shop) == {}
    before = {row[1:3] for row in sqlite_shop.databases["default"].dump()}
    for number in range(4, 14, 2):
        lose_record(sqlite_shop, f"{number:04d}_field")
    found = codes(sqlite_shop, status=1)
    assert "inconsistent-history" not in found
    assert found["gaps-in-history"]["facts"]["migrations"] == [f"shop.{number:04d}_field" for number in range(4, 14, 2)]
    command = str(found["gaps-in-history"]["hint"]).splitlines()[0].partition(": ")[2]
    assert command == "migsync repair"
    assert sqlite_shop.migsync("repair", "--noinput").status == 0
    assert codes(sqlite_shop) == {}
    assert {row[1:3] for row in sqlite_shop.databases["default"].dump()} == before
    lose_record(sqlite_shop, "0004_field")
    assert "inconsistent-history" in codes(sqlite_shop, status=1), "one gap is explained"


def test_files_that_git_does_not_hold(sqlite_shop: Project) -> None:
    sqlite_shop.run("git", "init", "-q")
    sqlite_shop.run("git", "add", ".")
    sqlite_shop.run("git", "commit", "-qm", "the shop")
    sqlite_shop.manage_all(["migrate"])
    assert codes(sqlite_shop) == {}
    sqlite_shop.write_files("shop", [File("0004_new", (), (("shop", "0003_order"),))])
    sqlite_shop.write_files("shop", [File("0005_newer", (), (("shop", "0004_new"),))])
    files = [str(sqlite_shop.root / "shop/migrations" / name) for name in ("0004_new.py", "0005_newer.py")]
    assert codes(sqlite_shop)["not-in-git"]["hint"] == f"git add {files[0]} {files[1]}"
    (sqlite_shop.root / ".gitignore").write_text("000[45]*\n")
    assert "check-ignore" in str(codes(sqlite_shop, "--fail-on", "warning", status=1)["not-in-git"]["hint"])


def test_the_commit_that_brought_a_problem(sqlite_shop: Project) -> None:
    for name in ("0004_new", "0004_newer"):
        sqlite_shop.write_files("shop", [File(name, (), (("shop", "0003_order"),))])
        sqlite_shop.run("git", "init", "-q")
        sqlite_shop.run("git", "add", ".")
        sqlite_shop.run("git", "commit", "-qm", name)
    commit = sqlite_shop.run("git", "rev-parse", "HEAD").out[:10]
    found = codes(sqlite_shop, status=1)["conflicting-migrations"]
    assert f"commit {commit} (" in str(found["meaning"])
    assert found["facts"]["since"].items() >= {"commit": commit, "author": "a person"}.items()
    # What was changed since is not the work of that commit.
    with (sqlite_shop.migrations("shop") / "0004_newer.py").open("a") as file:
        file.write("# edited\n")
    assert codes(sqlite_shop, status=1)["conflicting-migrations"]["facts"]["since"]["commit"] != commit


def test_a_dependency_on_the_last_migration_of_another_app(sqlite_shop: Project) -> None:
    sqlite_shop.write_files("cart", [File("0001_initial", ("create Cart",), (("shop", "__latest__"),))])
    sqlite_shop.manage_all(["migrate"])
    assert list(codes(sqlite_shop)) == ["symbolic-dependency"]


def test_a_squash_beside_its_files(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    both = (("shop", "0001_initial"), *SECOND)
    sqlite_shop.write_files("shop", [File("0001_both", ("create Item", "add Item.price"), (), both)])
    facts = codes(sqlite_shop)["open-transition"]["facts"]
    assert (facts["waiting"], facts["stages"]) == (["default"], {"default": "all replaced migrations recorded"})
    sqlite_shop.manage_all(["migrate"])
    assert "waiting" not in codes(sqlite_shop)["open-transition"]["facts"]
    assert sqlite_shop.migsync("tidy", "shop", "--remove-replaced", "--noinput").status == 0


def test_what_is_recorded_and_not_there(database: Database, tmp_path: Path) -> None:
    project = make_project(tmp_path, database)
    project.manage_all(["migrate", "shop", "0002"], ["migrate", "--fake"])
    found = codes(project, status=1)["recorded-not-there"]
    assert found["facts"] == {"migration": "shop.0003_order", "missing": ["shop_order", "shop_item.sku"]}
    database.execute("DROP TABLE shop_item")
    assert list(codes(project, status=1)) == ["no-tables-there"]


def test_what_the_files_do_not_tell(sqlite_shop: Project) -> None:
    hidden = (
        "from django.db import migrations, models\n\n\nclass Quiet(migrations.DeleteModel):\n"
        "    def database_forwards(self, *arguments):\n        pass\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("shop", "0003_order")]\n'
        '    operations = [migrations.SeparateDatabaseAndState([], [migrations.DeleteModel("Order")])]\n'
    )
    (sqlite_shop.migrations("shop") / "0004_moved.py").write_text(hidden)
    sqlite_shop.manage_all(["migrate"])
    sqlite_shop.databases["default"].execute("ALTER TABLE shop_order RENAME TO elsewhere")
    assert codes(sqlite_shop) == {}
    sqlite_shop.databases["default"].execute("DROP TABLE shop_item")
    assert "no-tables-there" in codes(sqlite_shop, status=1)
    text = (sqlite_shop.migrations("shop") / "0004_moved.py").read_text()
    quiet = text.replace('migrations.SeparateDatabaseAndState([], [migrations.DeleteModel("Order")])', 'Quiet("Order")')
    (sqlite_shop.migrations("shop") / "0004_moved.py").write_text(quiet)
    assert codes(sqlite_shop) == {}


def test_what_a_plan_finds_is_an_error_here_too(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    lose_record(sqlite_shop, "0002_price")
    assert "inconsistent-history" in codes(sqlite_shop, status=1)
    assert "inconsistent-history" in codes(sqlite_shop, "--fail-on", "never")
    assert sqlite_shop.migsync("doctor").out.endswith("1 error.\n")


@pytest.mark.parametrize("fail_on", ["error", "never"])
def test_a_database_that_cannot_be_read(sqlite_shop: Project, fail_on: str) -> None:
    sqlite_shop.extra = 'DATABASES["gone"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/no/such/place/x"}'
    sqlite_shop.write_settings()
    sqlite_shop.manage_all(["migrate"])
    ended = sqlite_shop.migsync("doctor", "--fail-on", fail_on)
    assert ended.status == 1
    assert "1 database not read" in ended.out


def test_a_healthy_database_on_each_engine(database: Database, tmp_path) -> None:
    project = Project(tmp_path / "project", {"default": database})
    project.root.mkdir()
    project.extra = "INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sites']"
    project.write_files("shop", FILES)
    project.write_model("shop", "Item", ("price", "sku"))
    project.manage_all(["migrate"])
    ended = project.migsync("doctor")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, SOUND)


def test_a_table_that_a_pending_migration_makes(shop: Project) -> None:
    shop.manage_all(["migrate"])
    lose_record(shop, "0003_order")
    found = codes(shop, status=1)["there-unrecorded"]
    assert found["facts"] == {"migration": "shop.0003_order", "what": "table shop_order"}
    type_in(shop, str(found["hint"]))
    assert codes(shop) == {}
    shop.databases["default"].execute("DROP TABLE django_migrations")
    assert list(codes(shop, status=1)) == ["records-lost"]


def test_no_hint_runs_what_is_there_already(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    lose_record(sqlite_shop, "0002_price")
    lose_record(sqlite_shop, "0003_order")
    (database,) = sqlite_shop.migsync("doctor", "--format", "json").json["databases"]
    first, second = (one for one in database["findings"] if one["code"] == "there-unrecorded")
    assert (first["name"], second["name"]) == ("0002_price", "0003_order")
    assert "manage.py migrate" in first["hint"]
    assert "manage.py migrate" not in second["hint"], "it would run 0002_price, whose column is there"


def test_a_pending_migration_that_can_run(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate", "shop", "0002"])
    assert codes(sqlite_shop) == {}
    # A table that is there, and that a pending migration makes again after another one has removed it.
    text = File("0004_gone", (), (("shop", "0003_order"),)).text
    text = text.replace("operations = []", 'operations = [migrations.DeleteModel("Item")]')
    (sqlite_shop.migrations("shop") / "0004_gone.py").write_text(text)
    sqlite_shop.write_files("shop", [File("0005_again", ("create Item",), (("shop", "0004_gone"),))])
    assert codes(sqlite_shop) == {}
    sqlite_shop.rename("shop", {"0002_price": "0002_cost"})
    assert "there-unrecorded" not in codes(sqlite_shop, status=1)


def test_apps_that_a_router_keeps_away(new_database: NewDatabase, tmp_path: Path) -> None:
    databases = {"default": new_database("sqlite"), "other": new_database("sqlite")}
    project = Project(tmp_path / "project", databases)
    project.root.mkdir()
    project.write_files("shop", FILES)
    project.write_files("cart", [File("0001_initial", ("create Cart",))])
    router = "class Router:\n    def allow_migrate(self, db, label, **hints):\n"
    router += "        return (label == 'shop') == (db == 'default')\n"
    (project.root / "routers.py").write_text(router)
    project.extra = 'DATABASE_ROUTERS = ["routers.Router"]'
    project.write_settings()
    project.manage_all(["migrate"], ["migrate", "--database", "other"])
    found = codes(project)
    assert list(found) == ["records-without-tables"]
    assert found["records-without-tables"]["facts"] == {"apps": ["shop"], "records": 3}


def test_apps_that_a_router_keeps_out_of_a_schema(new_database: NewDatabase, tmp_path: Path) -> None:
    """As that of django-tenants does; ``migrate`` records all apps in every schema."""
    database = new_database("postgresql")
    project = make_project(tmp_path, database)
    project.write_files("cart", [File("0001_initial", ("create Cart",))])
    project.manage_all(["migrate"])
    for statement in (
        "CREATE SCHEMA acme",
        "CREATE TABLE acme.django_migrations AS TABLE public.django_migrations",
        "CREATE TABLE acme.cart_cart AS TABLE public.cart_cart",
    ):
        database.execute(statement)
    entry = '[tool.migsync.databases.tenants]\nalias = "default"\nschemas = ["public", "acme"]\n'
    with (project.root / "pyproject.toml").open("a") as settings:
        settings.write(entry)
    found = codes(project)
    assert list(found) == ["records-without-tables"]
    assert found["records-without-tables"]["facts"] == {"apps": ["shop"], "records": 3}
    database.execute("ALTER TABLE acme.cart_cart DROP COLUMN name")
    assert codes(project, status=1)["recorded-not-there"]["hint"].startswith(
        "To see its SQL: python manage.py sqlmigrate cart 0001_initial\n"
    )


def test_a_database_that_is_ahead_of_the_code(sqlite_shop: Project) -> None:
    sqlite_shop.run("git", "init", "-q", "-b", "main")
    sqlite_shop.run("git", "add", ".")
    sqlite_shop.run("git", "commit", "-qm", "the shop")
    sqlite_shop.write_files("shop", [File("0004_new", (), (("shop", "0003_order"),))])
    sqlite_shop.run("git", "add", ".")
    sqlite_shop.run("git", "commit", "-qm", "more")
    sqlite_shop.manage_all(["migrate"])
    sqlite_shop.run("git", "checkout", "-q", "HEAD~1")
    ended = sqlite_shop.migsync("doctor", "--format", "json")
    [database] = ended.json["databases"]
    assert (ended.status, database["state"]) == (0, "ahead")
    [found] = database["findings"]
    assert (found["code"], found["facts"]["migrations"]) == ("ahead-of-code", ["shop.0004_new"])


def test_migrations_without_a_way_back(sqlite_shop: Project) -> None:
    text = File("0004_code", (), (("shop", "0003_order"),)).text
    for name, operation in (
        ("0004_code", "migrations.RunPython(lambda apps, editor: None)"),
        ("0005_sql", "migrations.RunSQL('SELECT 1', migrations.RunSQL.noop)"),
        ("0006_state", "migrations.SeparateDatabaseAndState([], [migrations.RunSQL('SELECT 1')])"),
        ("0007_inner", "migrations.SeparateDatabaseAndState([migrations.RunSQL('SELECT 1')])"),
    ):
        written = text.replace("operations = []", f"operations = [{operation}]")
        (sqlite_shop.migrations("shop") / f"{name}.py").write_text(written)
        text = File(name, (), (("shop", name),)).text
    sqlite_shop.manage_all(["migrate"])
    found = codes(sqlite_shop)["irreversible-migrations"]
    assert found["facts"] == {"app": "shop", "names": ["0004_code", "0007_inner"]}
