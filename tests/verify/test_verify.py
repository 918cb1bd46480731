"""``migsync verify`` on databases that Django's own ``migrate`` made, and that were damaged then."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from migsync.engines.config import DatabaseConfig
from migsync.engines.postgresql import lock
from migsync.errors import LockTimeout
from migsync.findings.verification import there_already
from migsync.history import Key
from migsync.sync.target import open_target
from migsync.verify.verification import read_catalog
from tests.conftest import NewDatabase
from tests.databases import ENGINES, Database, user_of
from tests.pitfalls.project import Project
from tests.project.projects import write
from tests.proxy import reading_proxy

MIGRATION = """from django.db import migrations, models
import django.db.models.deletion


def nothing(apps, schema_editor):
    pass


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = [
{operations}
    ]
"""
ID = '("id", models.BigAutoField(primary_key=True, serialize=False))'
OPERATIONS = {
    "0001_initial": f"""
        migrations.CreateModel("Maker", [{ID}, ("name", models.CharField(max_length=9, unique=True))]),
        migrations.CreateModel("Item", [
            {ID},
            ("key", models.UUIDField(unique=True)),
            ("sku", models.CharField(max_length=9, db_index=True)),
            ("stock", models.PositiveIntegerField(default=0)),
            ("maker", models.ForeignKey("shop.Maker", django.db.models.deletion.CASCADE)),
            ("made", models.DateTimeField(null=True)),
        ]),
    """,
    "0002_price": """
        migrations.AddField("Item", "price", models.DecimalField(max_digits=9, decimal_places=2, default=0)),
        migrations.AddConstraint("Item", models.CheckConstraint(condition=models.Q(price__gte=0), name="item_least")),
    """,
    "0003_sku": """
        migrations.AlterField("Item", "sku", models.CharField(max_length=20, db_index=True)),
        migrations.AddIndex("Item", models.Index(fields=["made", "stock"], name="item_made")),
    """,
    "0004_data": "        migrations.RunPython(nothing, nothing)",
    "0005_order": f"""
        migrations.CreateModel("Order", [{ID}, ("items", models.ManyToManyField("shop.Item"))]),
        migrations.AlterModelOptions("Item", dict(verbose_name="thing")),
    """,
    "0006_rename": """
        migrations.RenameField("Item", "key", "code"),
        migrations.RenameModel("Maker", "Brand"),
    """,
}
DROPPED_CHECK = {
    "postgresql": "ALTER TABLE shop_item DROP CONSTRAINT item_least",
    "mysql": "ALTER TABLE shop_item DROP CONSTRAINT item_least",
}
RETYPED = {
    "postgresql": "ALTER TABLE shop_item ALTER sku TYPE varchar(9)",
    "mysql": "ALTER TABLE shop_item MODIFY sku varchar(9) NOT NULL",
}
DROPPED_INDEX = {
    "sqlite": "DROP INDEX item_made",
    "postgresql": "DROP INDEX item_made",
    "mysql": "DROP INDEX item_made ON shop_item",
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
    project.write_files("shop", ())
    after = ""
    for name, operations in OPERATIONS.items():
        write_migration(project, name, operations, after)
        after = name
    return project


def write_migration(project: Project, name: str, operations: str, after: str) -> None:
    key = f'("shop", "{after}")' if after else ""
    write(project.migrations("shop"), {f"{name}.py": MIGRATION.format(after=key, operations=operations)})


def verify(project: Project, *arguments: str) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """The state of each migration, and the findings by code."""
    ended = project.migsync("verify", "--format", "json", *arguments)
    [database] = ended.json["databases"]
    assert "error" not in database, database
    assert ended.status == (0 if database["agrees"] else 1)
    states = {each["migration"].removeprefix("shop."): each["state"] for each in database["migrations"]}
    return states, {each["code"]: each for each in database["findings"]}


def execute(project: Project, statement: str) -> None:
    project.databases["default"].execute(statement)


HEALTHY = {name: "no trace" if name == "0004_data" else "present" for name in OPERATIONS}


def test_a_healthy_database_and_a_damaged_one(shop: Project) -> None:
    assert shop.manage_all(["migrate"])[0].status == 0
    engine = shop.databases["default"].engine
    assert verify(shop) == (HEALTHY, {})

    wrong = {"0003_sku": "partial", "0005_order": "partial"}
    execute(shop, DROPPED_INDEX[engine])
    execute(shop, "ALTER TABLE shop_item ADD COLUMN legacy integer")
    execute(shop, "ALTER TABLE shop_order_items RENAME TO shop_lost")
    if engine in RETYPED:
        execute(shop, RETYPED[engine])
        execute(shop, DROPPED_CHECK[engine])
        wrong |= {"0002_price": "partial", "0003_sku": "absent"}
    states, found = verify(shop)
    assert states == HEALTHY | wrong
    facts = found["made-by-no-migration"]["facts"]
    assert (facts["tables"], facts["columns"]) == (["shop_lost"], ["shop_item.legacy"])
    assert {"differs-from-record", "made-by-no-migration"} <= found.keys()


def test_records_and_tables_that_do_not_fit(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate", "shop", "0002"], ["migrate", "shop", "0003", "--fake"])
    states, found = verify(sqlite_shop)
    assert states["0003_sku"] == "absent"
    type_in(sqlite_shop, found["not-in-database"]["hint"])

    execute(sqlite_shop, 'CREATE TABLE "shop_order" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT)')
    assert verify(sqlite_shop)[1]["partly-there"]["facts"]["there"] == ["table shop_order"]
    execute(sqlite_shop, "DROP TABLE shop_order")

    sqlite_shop.manage_all(["migrate"])
    execute(sqlite_shop, "DELETE FROM django_migrations WHERE name >= '0002' AND app = 'shop'")
    states, found = verify(sqlite_shop)
    # Of the migration of data nobody knows if it ran, so what depends on it cannot be recorded by itself.
    facts = found["there-already"]["facts"]
    assert (facts["waits_for"], facts["migrations"]) == (["shop.0004_data"], ["shop.0005_order", "shop.0006_rename"])
    ended = sqlite_shop.migsync("verify")
    assert "shop.0002_price and shop.0003_sku are not recorded, but all that they make is in the database" in ended.out
    hints = [line for line in ended.out.splitlines() if "--record shop.0002_price" in line]
    type_in(sqlite_shop, hints[0])
    type_in(sqlite_shop, hints[1].replace("--record shop.0002_price --record shop.0003_sku", ""))
    assert verify(sqlite_shop) == (HEALTHY, {})


def test_a_record_lost_that_no_table_shows(sqlite_shop: Project) -> None:
    """Only what the plan says of the order of records speaks of it, and `migrate` refuses to start."""
    sqlite_shop.manage_all(["migrate"])
    execute(sqlite_shop, "DELETE FROM django_migrations WHERE name = '0004_data'")
    states, found = verify(sqlite_shop)
    assert (states["0004_data"], list(found)) == ("no trace", ["inconsistent-history"])


def test_a_long_list_of_records_is_left_to_repair() -> None:
    keys = [Key("shop", f"000{number}") for number in range(1, 7)]
    assert "--record shop.0005 -d old" in there_already(migrations=keys, record=keys[:5], alias="old").hint
    assert there_already(migrations=keys, record=keys, alias="old").hint.endswith(": migsync repair -d old")


def type_in(project: Project, hint: str) -> None:
    """Carry out the plan that a hint prints."""
    words = shlex.split(hint[hint.index("migsync plan") :])
    assert project.migsync(*words[1:]).status == 0
    ended = project.migsync("apply", *words[2:], "--noinput", "--reason", "verified")
    assert ended.status == 0, ended.err


SETUP = '[tool.migsync.verify]\nsetup = "setup.sql"\n'


def test_a_build_is_kept_until_a_file_changes(sqlite_shop: Project) -> None:
    sqlite_shop.manage_all(["migrate"])
    assert verify(sqlite_shop) == (HEALTHY, {})
    [kept] = (sqlite_shop.root.parent / "cache").glob("*.builds/*.json")
    kept.write_text(kept.read_text().replace("item_least", "item_other"))
    assert "differs-from-record" in verify(sqlite_shop)[1]
    assert verify(sqlite_shop, "--rebuild") == (HEALTHY, {})
    kept.write_text(kept.read_text().replace("item_least", "item_other"))
    write(sqlite_shop.root / "shop", {"__init__.py": "# a file that the build imported\n"})
    assert verify(sqlite_shop) == (HEALTHY, {})


def test_what_cannot_be_built(sqlite_shop: Project) -> None:
    """A migration that needs more than the migrations leaves the others verified; SQL for it can be named."""
    write_migration(
        sqlite_shop, "0007_insert", '        migrations.RunSQL("INSERT INTO outside VALUES (1)")', "0006_rename"
    )
    write_migration(sqlite_shop, "0008_note", f'        migrations.CreateModel("Note", [{ID}])', "0007_insert")
    execute(sqlite_shop, "CREATE TABLE outside (a integer)")
    assert sqlite_shop.manage_all(["migrate"])[0].status == 0
    states, found = verify(sqlite_shop)
    assert states == HEALTHY | {"0007_insert": "cannot be told", "0008_note": "cannot be told"}
    assert "not-verified" in found
    write(sqlite_shop.root, {"setup.sql": "CREATE TABLE outside (a integer);\n", "pyproject.toml": SETUP})
    assert verify(sqlite_shop) == (HEALTHY | {"0007_insert": "no trace", "0008_note": "present"}, {})


GRANTS = {
    "postgresql": "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {account}",
    "mysql": "GRANT SELECT, TRIGGER, SHOW VIEW ON `{name}`.* TO {account}",
}


@pytest.mark.parametrize("engine", GRANTS)
def test_a_user_that_may_only_read(engine: str, new_database: NewDatabase, tmp_path: Path) -> None:
    """The live side needs SELECT alone, and sends nothing that writes; the scratch database is made by another user."""
    database = new_database(engine)
    project = make_project(tmp_path, database)
    project.manage_all(["migrate"])
    with user_of(database) as (account, _), reading_proxy(database) as proxy:
        name, user = database.django["NAME"], account.partition("@")[0].strip("'\"")
        execute(project, GRANTS[engine].format(account=account, name=name))
        _change_settings(project, USER=user, PASSWORD="s3cr3t")
        ended = project.migsync("verify", "--format", "json")
        [found] = ended.json["databases"]
        assert (ended.status, found["error"]["code"]) == (1, "not-permitted")
        assert "--scratch URL" in found["error"]["hint"]
        place = proxy.database.django
        _change_settings(project, HOST=place["HOST"], PORT=place["PORT"])
        ended = project.migsync("verify", "--scratch", database.url)
        assert (proxy.refused, ended.status) == ([], 0), ended.out
        assert proxy.passed


def _change_settings(project: Project, **values: str) -> None:
    with (project.root / "config/settings.py").open("a") as settings:
        settings.write(f"DATABASES['default'] |= {values!r}\n")


def test_a_catalog_that_cannot_be_read_in_time(postgresql_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    config = DatabaseConfig("default", postgresql_database.url, lock_timeout=0.0)
    with open_target(config) as target:
        assert not target.has_table
        monkeypatch.setattr(lock, "STATEMENT_SECONDS", 0.001)
        monkeypatch.setattr(
            type(target.behaviour), "parts", staticmethod(lambda execute: execute("SELECT pg_sleep(9)"))
        )
        with pytest.raises(LockTimeout, match="read the tables, columns and indexes in time") as raised:
            read_catalog(target)
    assert "--lock-timeout SECONDS" in raised.value.hint
