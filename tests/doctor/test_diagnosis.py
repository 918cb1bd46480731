"""What ``migsync doctor --error`` says of a damaged database, and that what it tells to type mends it.

The errors are those that Django's own ``migrate`` prints, on each engine.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shop import Ended
from tests.conftest import NewDatabase
from tests.databases import ENGINES, Database
from tests.pitfalls.project import File, Project, columns

SOUND = "Nothing is wrong. For types, indexes and constraints: migsync verify"
FIRST = (("shop", "0001_initial"),)
SECOND = (("shop", "0002_price"),)
FILES = (
    File("0001_initial", ("create Item",)),
    File("0002_price", ("add Item.price",), FIRST),
    File("0003_order", ("create Order", "add Item.sku"), SECOND),
)
NO_TABLE = {
    "sqlite": "no such table: {0}",
    "postgresql": 'relation "{0}" does not exist',
    "mysql": "(1146, \"Table 'db.{0}' doesn't exist\")",
}
NO_COLUMN = {
    "sqlite": "no such column: {0}.{1}",
    "postgresql": "column {0}.{1} does not exist",
    "mysql": "(1054, \"Unknown column '{0}.{1}' in 'field list'\")",
}


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path) -> Project:
    return make_project(tmp_path, new_database(request.param))


@pytest.fixture
def sqlite_shop(new_database: NewDatabase, tmp_path: Path) -> Project:
    return make_project(tmp_path, new_database("sqlite"))


def make_project(tmp_path: Path, database: Database) -> Project:
    project = Project(tmp_path / "project", {"default": database})
    project.root.mkdir()
    project.write_files("shop", FILES)
    project.write_model("shop", "Item", ("price", "sku"))
    return project


def doctor(project: Project, text: str) -> dict[str, Any]:
    """The code of each finding, and the finding."""
    ended = project.migsync("doctor", "--format", "json", "--error", text)
    document = ended.json
    found = [*document["findings"], *(each for one in document["databases"] for each in one["findings"])]
    assert ended.status == (1 if any(each["severity"] == "error" for each in found) else 0)
    return {each["code"]: each for each in found}


def failed(project: Project) -> str:
    """What ``migrate`` prints as it fails."""
    ended = project.manage("migrate")
    assert ended.status == 1
    return ended.out + ended.err


def type_in(project: Project, hint: str) -> None:
    """Type each command of a hint, in its order; of several ways, the first."""
    first_way = re.split(r"^Or ", hint, flags=re.MULTILINE)[0]
    for command in re.findall(r"(?:^|: )((?:python manage\.py|migsync) .*)$", first_way, re.MULTILINE):
        program, *words = shlex.split(command)
        if program == "migsync":
            confirmed = [*words, "--noinput"] if words[0] in ("apply", "fix-conflicts", "repair") else words
            ended: Ended = project.migsync(*confirmed)
        else:
            ended = project.manage(*words[1:])
        assert ended.status == 0, (command, ended.out, ended.err)


def assert_sound(project: Project) -> None:
    ended = project.manage("migrate")
    assert ended.status == 0, ended.err
    database = project.databases["default"]
    assert columns(database, "shop_item") == ["id", "name", "price", "sku"]
    assert columns(database, "shop_order") == ["id", "name"]
    assert project.migsync("doctor").status == 0


def lose_record(project: Project, name: str) -> None:
    project.databases["default"].execute(f"DELETE FROM django_migrations WHERE app = 'shop' AND name = '{name}'")


def test_a_lost_record(shop: Project) -> None:
    shop.manage_all(["migrate"])
    lose_record(shop, "0003_order")
    found = doctor(shop, failed(shop))
    assert list(found) == ["there-unrecorded"]
    assert "missing" not in found["there-unrecorded"]["facts"]
    type_in(shop, found["there-unrecorded"]["hint"])
    assert_sound(shop)


def test_a_database_that_has_lost_its_records(shop: Project) -> None:
    shop.manage_all(["migrate"])
    shop.databases["default"].execute("DROP TABLE django_migrations")
    found = doctor(shop, failed(shop))
    assert list(found) == ["records-lost"]
    if shop.databases["default"].engine == "sqlite":
        type_in(shop, found["records-lost"]["hint"])
        assert_sound(shop)


def test_what_was_in_the_way_is_gone(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate", "shop", "0002"])
    assert list(doctor(sqlite_shop, 'table "shop_order" already exists')) == ["not-run-yet"]


def test_a_migration_that_ran_in_part(shop: Project) -> None:
    shop.manage_all(["migrate", "shop", "0002"])
    shop.databases["default"].execute("CREATE TABLE shop_order (id bigint PRIMARY KEY, name varchar(9))")
    found = doctor(shop, failed(shop))
    assert found["there-unrecorded"]["facts"]["missing"] == ["shop_item.sku"]


def test_a_record_without_what_it_stands_for(shop: Project) -> None:
    shop.manage_all(["migrate", "shop", "0002"], ["migrate", "--fake"])
    engine = shop.databases["default"].engine
    found = doctor(shop, NO_COLUMN[engine].format("shop_item", "sku"))
    assert found["recorded-not-there"]["facts"]["missing"] == ["shop_order", "shop_item.sku"]
    type_in(shop, found["recorded-not-there"]["hint"])
    assert_sound(shop)


def test_a_part_of_it_is_gone(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    sqlite_shop.databases["default"].execute("DROP TABLE shop_order")
    found = doctor(sqlite_shop, NO_TABLE["sqlite"].format("shop_order"))
    assert found["recorded-not-there"]["facts"]["missing"] == ["shop_order"]
    assert "sqlmigrate shop 0003_order" in found["recorded-not-there"]["hint"]


@pytest.mark.parametrize("upto", ["0002", None])
def test_a_database_that_is_behind(sqlite_shop: Project, upto: str | None) -> None:
    if upto:
        sqlite_shop.manage_all(["migrate", "shop", upto])
    found = doctor(sqlite_shop, NO_TABLE["sqlite"].format("shop_order"))
    assert list(found) == ["not-run-yet"]
    type_in(sqlite_shop, found["not-run-yet"]["hint"])
    assert_sound(sqlite_shop)


def test_a_dependency_that_is_missing(sqlite_shop: Project) -> None:
    sqlite_shop.write_files("cart", [File("0001_initial", ("create Cart",))])
    text = "Applying cart.0001_initial...Traceback\nOperationalError: no such table: shop_order"
    found = doctor(sqlite_shop, text)
    assert found["not-run-yet"]["facts"]["user"] == "cart.0001_initial"


def test_names_that_were_not_applied(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    sqlite_shop.rename("shop", {"0003_order": "0003_orders"})
    assert sqlite_shop.migsync("rewrite", "--map", "shop.0003_order=0003_orders").status == 0
    found = doctor(sqlite_shop, failed(sqlite_shop))
    assert list(found) == ["apply-first"]
    type_in(sqlite_shop, found["apply-first"]["hint"])
    assert_sound(sqlite_shop)


def test_two_migrations_that_make_the_same(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    sqlite_shop.write_files("shop", [File("0004_again", ("create Order",), (("shop", "0003_order"),))])
    found = doctor(sqlite_shop, 'table "shop_order" already exists')
    assert found["made-twice"]["facts"]["other"] == "shop.0003_order"


def test_what_a_later_migration_has_removed(sqlite_shop: Project) -> None:
    text = File("0004_gone", (), (("shop", "0003_order"),)).text
    operations = 'operations = [migrations.DeleteModel("Order")]'
    (sqlite_shop.migrations("shop") / "0004_gone.py").write_text(text.replace("operations = []", operations))
    sqlite_shop.manage_all(["migrate"])
    found = doctor(sqlite_shop, NO_TABLE["sqlite"].format("shop_order"))
    assert found["removed-since"]["facts"]["migration"] == "shop.0004_gone"


def test_nothing_is_wrong_here(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    assert list(doctor(sqlite_shop, NO_TABLE["sqlite"].format("shop_order"))) == ["as-recorded"]
    assert list(doctor(sqlite_shop, "no such column: shop_item.weight")) == ["made-by-none"]
    assert list(doctor(sqlite_shop, "Conflicting migrations detected; multiple leaf nodes")) == ["not-seen-here"]
    assert project_says(sqlite_shop, "doctor") == f"3 migrations of 1 app, 1 database read.\n\n{SOUND}\n"


def project_says(project: Project, *arguments: str) -> str:
    return project.migsync(*arguments).out


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE {} AS SELECT * FROM shop_item", "ALTER TABLE shop_item RENAME TO {}"]
)
def test_what_is_left_of_a_rebuild_on_sqlite(sqlite_shop: Project, statement: str) -> None:
    """A migration that is not atomic was killed while Django built a table anew."""
    sqlite_shop.manage_all(["migrate"])
    database = sqlite_shop.databases["default"]
    database.execute(statement.format("new__shop_item"))
    messages = ['table "new__shop_item" already exists']
    messages += ["no such table: shop_item"] if statement.startswith("ALTER") else []
    for text in messages:
        found = doctor(sqlite_shop, text)
        assert list(found) == ["rebuild-interrupted"]
    for each in found["rebuild-interrupted"]["facts"]["statements"]:
        database.execute(each)
    type_in(sqlite_shop, found["rebuild-interrupted"]["hint"])
    assert_sound(sqlite_shop)
    # It is gone: the message is of an earlier day.
    assert list(doctor(sqlite_shop, messages[0])) == ["as-recorded"]


def test_what_stops_migrate_before_it_runs_anything(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    lose_record(sqlite_shop, "0002_price")
    assert "inconsistent-history" in doctor(sqlite_shop, failed(sqlite_shop))
    sqlite_shop.write_files("shop", [File("0003_other", (), SECOND)])
    found = doctor(sqlite_shop, "CommandError: Conflicting migrations detected; multiple leaf nodes")
    assert "conflicting-migrations" in found
    sqlite_shop.write_files("shop", [File("0003_other", (), (("shop", "0002_gone"),))])
    assert "dangling-dependency" in doctor(sqlite_shop, failed(sqlite_shop))


def test_a_sequence_that_is_behind(postgresql_database: Database, tmp_path: Path) -> None:
    project = make_project(tmp_path, postgresql_database)
    project.manage_all(["migrate", "shop", "0002"])
    postgresql_database.execute("UPDATE django_migrations SET id = id + 2")
    found = doctor(project, failed(project))
    assert list(found) == ["sequence-behind"]
    assert project.migsync("doctor").status == 1
    # A sequence that was never called since gives its value itself.
    top = int(postgresql_database.dump()[-1][0])
    for start, status in ((top + 1, 0), (top, 1)):
        postgresql_database.execute(f"ALTER SEQUENCE django_migrations_id_seq RESTART WITH {start}")
        assert project.migsync("doctor").status == status
    postgresql_database.execute(found["sequence-behind"]["facts"]["statement"])
    assert_sound(project)


def test_a_text_that_says_nothing(sqlite_shop: Project) -> None:
    ended = sqlite_shop.migsync("doctor", "--error", "it does not work")
    assert ended.status == 64
    assert "no error of a migration that migsync knows" in ended.err
    assert project_says(sqlite_shop, "doctor").endswith("Nothing is wrong.\n")
