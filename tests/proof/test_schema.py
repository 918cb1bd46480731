"""Old and new files build the same schema, or each difference is named; nothing else of the server is touched."""

from __future__ import annotations

import os
import secrets
import time

import pytest

from migsync.engines import engine_named
from migsync.engines.catalog import differing
from migsync.errors import NotPermitted, UnknownAlias
from migsync.findings.schema import difference
from migsync.proof.databases import prove_schema
from tests.databases import django_databases
from tests.proof.projects import ID, Site, add_field, migration

RULE = "models.CheckConstraint(condition=models.Q(price__gte={least}), name='item_least')"
CHECK = f"migrations.AddConstraint('item', {RULE})"
INDEX = "migrations.AddIndex('item', models.Index(fields={fields}, name='item_by'))"
EXPRESSION = "migrations.AddIndex('item', models.Index(models.functions.{function}('sku'), name='item_sku'))"
VIEW = "migrations.RunSQL('CREATE VIEW cheap AS SELECT id FROM shop_item WHERE price < {most}', 'DROP VIEW cheap')"
DEFAULT = "migrations.AddField('item', 'stock', models.IntegerField(db_default={default}))"
OTHER = "migrations.CreateModel('{model}', [{fields}])"
PRICE = "('price', models.IntegerField())"
OWNER = "migrations.AddField('item', 'owner', models.{field})"


def text(name: str, length: int = 20, null: bool = True, unique: bool = False) -> str:
    return add_field("item", name, f"CharField(max_length={length}, null={null}, unique={unique}, default='x')")


def item(*operations: str) -> str:
    operations = tuple(filter(None, operations))
    create = f"migrations.CreateModel('Item', [{ID}, {PRICE}])"
    return migration(create, *operations, head="import django.db.models.functions")


def site_on(root, database) -> Site:
    site = Site(root).settings("shop").app("shop", "", {})
    with (root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": database, "replica": database}))
    return site


def differences(site: Site, old: str, new: str, alias: str = "default") -> list[str]:
    site.write({"shop/migrations/0001_initial.py": old})
    change = site.change("shop/migrations/0001_initial.py", "shop/migrations/0001_initial.py", new)
    return [finding.found for finding in prove_schema(site.project, site.propose(change), alias)]


def databases(database) -> list[str]:
    if database.engine == "sqlite":
        return sorted(path.name for path in database.path.parent.iterdir() if path.suffix == ".sqlite3")
    names = "SELECT datname FROM pg_database" if database.engine == "postgresql" else "SHOW DATABASES"
    return sorted(name for (name,) in database.execute(names) if name.startswith("migsync_scratch"))


@pytest.fixture
def scratch_names(monkeypatch) -> list[str]:
    """The part that is random of the names of all scratch databases that this test makes.

    Other tests make some on the same MariaDB at the same time.
    """
    made: list[str] = []
    random_part = secrets.token_hex

    def token_hex(length: int) -> str:
        made.append(random_part(length))
        return made[-1]

    monkeypatch.setattr("migsync.proof.scratch.secrets.token_hex", token_hex)
    return made


def left_over(database, names: list[str]) -> list[str]:
    """The scratch databases of this test that are still there; files beside the database, too."""
    if database.engine == "sqlite":
        return [name for name in databases(database) if name != database.path.name]
    return [name for name in databases(database) if name.rpartition("_")[2] in names]


@pytest.fixture
def site(tmp_path, database) -> Site:
    root = tmp_path / "site"
    root.mkdir()
    return site_on(root, database)


@pytest.fixture
def sqlite_site(tmp_path, sqlite_database) -> Site:
    root = tmp_path / "site"
    root.mkdir()
    return site_on(root, sqlite_database)


def test_columns_are_a_set_and_the_bookkeeping_is_no_matter(site, database, scratch_names):
    sku, stock = text("sku", unique=True), DEFAULT.format(default=5)
    split = [sku, stock, CHECK.format(least=0), INDEX.format(fields=["price", "sku"])]
    moved = [stock, sku, INDEX.format(fields=["price", "sku"]), CHECK.format(least=0)]
    assert differences(site, item(*split), item(*moved)) == []
    assert len(scratch_names) == (0 if database.engine == "sqlite" else 2)
    assert left_over(database, scratch_names) == []
    assert tables(database) == []


def tables(database):
    if database.engine == "sqlite":
        return database.execute("SELECT name FROM sqlite_master")
    place = "current_schema()" if database.engine == "postgresql" else "DATABASE()"
    return database.execute(f"SELECT table_name FROM information_schema.tables WHERE table_schema = {place}")


# Of each pair one is in the old files and one in the new; what a finding about them says.
PAIRS = {
    "table": (OTHER.format(model="Tag", fields=ID), OTHER.format(model="Label", fields=ID), "The table shop_tag: only"),
    "no column": (text("gone"), "", "The column shop_item.gone: only the current files create it."),
    "type": (text("length"), text("length", length=30), "The type of shop_item.length: VARCHAR(20"),
    "null": (text("empty"), text("empty", null=False), "The nullability of shop_item.empty: NULL now, NOT NULL with"),
    "unique": (text("once", unique=True), text("once"), "once"),
    "check": (CHECK.format(least=0), CHECK.format(least=1), "item_least"),
    "index": (INDEX.format(fields=["price"]), INDEX.format(fields=["price", "id"]), "item_by"),
    "default": (DEFAULT.format(default=5), DEFAULT.format(default=6), "The default of shop_item.stock"),
    "reference": (
        OWNER.format(field="ForeignKey('shop.item', models.CASCADE, null=True)"),
        OWNER.format(field="BigIntegerField(null=True, db_index=True, db_column='owner_id')"),
        "The foreign key ",
    ),
    "view": (VIEW.format(most=5), VIEW.format(most=6), "The view cheap: "),
}


def test_each_difference_is_named(site):
    found = differences(
        site, item(*(old for old, _, _ in PAIRS.values())), item(*(new for _, new, _ in PAIRS.values()))
    )
    assert {kind for kind, (_, _, words) in PAIRS.items() if not any(words in text for text in found)} == set(), found


TAG = "migrations.CreateModel('Tag', [('id', models.{key}(primary_key=True))])"
TAGGED = OWNER.format(field="ForeignKey('shop.tag', models.CASCADE, null=True)")
BIGGER = "migrations.AlterField('tag', 'id', models.BigAutoField(primary_key=True))"


def test_sqlite_has_one_integer_type_and_a_key_of_its_own(sqlite_site):
    """Where a key grows, Django leaves what refers to it as it was declared; SQLite does not mind."""
    grown = item(TAG.format(key="AutoField"), TAGGED, BIGGER)
    [found] = differences(sqlite_site, grown, item(TAG.format(key="BigAutoField"), TAGGED))
    assert found == "Declared with another integer type: shop_item.owner_id."
    assert any(
        "shop_tag" in said for said in differences(sqlite_site, grown, item(TAG.format(key="BigIntegerField"), TAGGED))
    )
    keys = [f"migrations.RunSQL('CREATE TABLE k (id {kind} NOT NULL, PRIMARY KEY (id))')" for kind in ("INT", "BIGINT")]
    assert any("bigint" in found for found in differences(sqlite_site, *map(item, keys)))


@pytest.mark.parametrize("engine", ["postgresql"])
def test_servers_have_several_integer_types(tmp_path, new_database, engine):
    site = site_on(tmp_path, new_database(engine))
    kinds = (item(OWNER.format(field=f"{kind}(null=True)")) for kind in ("IntegerField", "BigIntegerField"))
    assert differences(site, *kinds) == ["The type of shop_item.owner: INTEGER now, BIGINT with the new files."]


def test_an_index_on_an_expression(tmp_path, new_database):
    for engine in ("sqlite", "postgresql"):
        (tmp_path / engine).mkdir()
        site = site_on(tmp_path / engine, new_database(engine))
        sku = text("sku")
        lower, upper = (item(sku, EXPRESSION.format(function=name)) for name in ("Lower", "Upper"))
        assert any("item_sku" in text for text in differences(site, lower, upper)), engine
        assert differences(site, lower, lower.replace("import django", "import  django")) == []


def test_new_files_that_do_not_migrate_are_told_and_nothing_stays(site, database, scratch_names):
    [found] = differences(site, item(), item("migrations.RunSQL('NO SUCH STATEMENT')"))
    where = "`migrate` fails on the scratch database, in shop.0001_initial (operation 2)"
    assert found.startswith(f"The new files cannot build a database. {where}")
    assert left_over(database, scratch_names) == []


def test_no_line_of_djangos_stands_for_a_migration_that_fails(sqlite_site):
    name = "shop/migrations/0001_initial.py"
    sqlite_site.write({name: item()})
    change = sqlite_site.change(name, name, item("migrations.RunSQL('NO SUCH STATEMENT')"))
    [finding] = prove_schema(sqlite_site.project, sqlite_site.propose(change))
    assert "shop.0001_initial (operation 2)" in finding.found
    assert finding.file == ""


def test_old_files_that_do_not_migrate_are_told_apart(sqlite_site):
    broken = item("migrations.RunSQL('NO SUCH STATEMENT')")
    [found] = differences(sqlite_site, broken, broken.replace("NO SUCH", "NOT A"))
    assert found.startswith("The current files cannot build a database.")


def test_what_broke_the_transaction_is_said(site):
    """Not that it is broken, which is all that comes out of Django on SQLite."""
    head = """\
        def write(apps, editor):
            apps.get_model("shop", "Item").objects.using(editor.connection.alias).create()
        """
    create = f"migrations.CreateModel('Item', [{ID}, {PRICE}])"
    [found] = differences(site, item(), migration(create, "migrations.RunPython(write)", head=head))
    assert "in shop.0001_initial (operation 2): django.db.utils.IntegrityError" in found


def test_a_migration_that_asks_another_alias_reaches_only_the_scratch_database(site, database):
    head = """\
        from django.db import connections

        def write(apps, editor):
            with connections["replica"].cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS stray (id integer)")
        """
    stray = migration(f"migrations.CreateModel('Item', [{ID}])", "migrations.RunPython(write)", head=head, atomic=False)
    assert differences(site, stray, stray + "\n") == []
    assert tables(database) == []


def test_a_migration_that_uses_default_whatever_database_it_runs_on(site):
    """As many data migrations do: in one transaction with the model on PostgreSQL, which no other connection sees."""
    head = """\
        def write(apps, editor):
            apps.get_model("shop", "Item").objects.create()
            assert apps.get_model("shop", "Item").objects.using("replica").count() == 1
        """
    writes = migration(f"migrations.CreateModel('Item', [{ID}])", "migrations.RunPython(write)", head=head)
    assert differences(site, writes, writes + "\n", alias="replica") == []


def test_another_alias_and_an_unknown_one(sqlite_site):
    assert differences(sqlite_site, item(), item() + "\n", alias="replica") == []
    with pytest.raises(UnknownAlias):
        differences(sqlite_site, item(), item(), alias="nowhere")


@pytest.mark.parametrize("schema", ["tenant", "a%b"])
def test_a_schema_of_its_own(tmp_path, postgresql_database, schema):
    postgresql_database.execute(f'CREATE SCHEMA "{schema}"')
    site = site_on(tmp_path, postgresql_database)
    options = f"DATABASES['default']['OPTIONS'] = {{'options': '-c search_path=\"{schema}\"'}}\n"
    with (tmp_path / "config.py").open("a") as settings:
        settings.write(options)
    assert differences(site, item(), item() + "\n") == []
    assert any("item_least" in text for text in differences(site, item(), item(CHECK.format(least=0))))


LITTLE = {
    "CREATE RULE kept AS ON DELETE TO shop_item DO INSTEAD NOTHING": "The rule kept on shop_item",
    "CREATE STATISTICS pair ON id, price FROM shop_item": "The statistics pair on shop_item",
    "ALTER TABLE shop_item SET (fillfactor = 70)": "The table shop_item",
    "ALTER TABLE shop_item ENABLE ROW LEVEL SECURITY": "The table shop_item",
    "ALTER TABLE shop_item REPLICA IDENTITY FULL": "The table shop_item",
    "ALTER TABLE shop_item ALTER price SET STATISTICS 500": "The column shop_item.price",
    "ALTER TABLE shop_item ALTER price SET (n_distinct = 5)": "The column shop_item.price",
    "GRANT SELECT ON shop_item TO PUBLIC": "The grants SELECT TO PUBLIC on shop_item",
    "GRANT UPDATE (price) ON shop_item TO pg_monitor": "The column shop_item.price",
    "CREATE PUBLICATION news FOR TABLE shop_item": "The publication news",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC": "The default privileges",
    "CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'": "The function one()",
    "CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple)": "The object text search configuration plain",
    "CREATE COLLATION german (locale = 'C')": "The object collation german",
}


@pytest.mark.parametrize("statement", LITTLE)
def test_the_whole_catalog_counts(statement, postgresql_database):  # case 89
    """By what the catalog says before and after, which costs no proof."""
    postgresql = engine_named("postgresql")
    postgresql_database.execute("CREATE TABLE shop_item (id bigint PRIMARY KEY, price integer)")
    before = postgresql.catalog(postgresql_database.execute)
    postgresql_database.execute(statement)
    after = postgresql.catalog(postgresql_database.execute)
    [part] = differing(before, after)
    said = difference(part.kind, part.name, part.table, before.get(part), after.get(part))
    assert said.startswith(LITTLE[statement]), said


ELSEWHERE = {
    "CREATE SCHEMA audit": "The schema audit",
    "CREATE TABLE audit.o (id serial PRIMARY KEY, n integer)": "The table audit.o",
    "CREATE INDEX by_n ON audit.o (n)": "The index by_n on audit.o",
    "CREATE VIEW audit.v AS SELECT n FROM audit.o": "The view audit.v",
    "CREATE DOMAIN few AS integer CHECK (VALUE < 5)": "The domain few",
    "CREATE TYPE audit.pair AS (one integer, two text)": "The type audit.pair",
    "CREATE TYPE audit.mood AS ENUM ('good', 'bad')": "The type audit.mood",
}


def test_every_schema_counts(tmp_path, postgresql_database):
    site = site_on(tmp_path, postgresql_database)
    made = [f"migrations.RunSQL({statement!r})" for statement in ELSEWHERE]
    assert differences(site, item(*made), item(*made[:2], *made[3:])) == [only_old("The index by_n on audit.o")]
    # What belongs to a table goes with it.
    left = [only_old(named) for named in sorted(ELSEWHERE.values()) if "index" not in named]
    assert differences(site, item(*made), item()) == left


def only_old(named: str) -> str:
    return f"{named}: only the current files create it."


def test_what_an_extension_brings_is_left_out(postgresql_database):
    extensions = ("dblink", "earthdistance", "pg_stat_statements")
    for (name,) in postgresql_database.execute("SELECT name FROM pg_available_extensions"):
        if name in extensions:
            postgresql_database.execute("CREATE SCHEMA IF NOT EXISTS other")
            postgresql_database.execute(f"CREATE EXTENSION {name} SCHEMA other CASCADE")
    parts = engine_named("postgresql").catalog(postgresql_database.execute)
    assert {part.kind for part in parts if part.name != "schema public"} <= {"schema", "extension"}


def test_no_right_to_create_a_database(tmp_path, postgresql_database):
    postgresql_database.execute("DROP ROLE IF EXISTS migsync_proof_reader")
    postgresql_database.execute("CREATE ROLE migsync_proof_reader LOGIN")
    try:
        site = site_on(tmp_path, postgresql_database)
        with (tmp_path / "config.py").open("a") as settings:
            settings.write("DATABASES['default']['USER'] = 'migsync_proof_reader'\n")
        with pytest.raises(NotPermitted, match="No scratch database can be created on the server"):
            differences(site, item(), item())
    finally:
        postgresql_database.execute("DROP ROLE migsync_proof_reader")


def test_directories_of_a_killed_proof_are_removed_a_day_later(sqlite_site, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    abandoned, recent, strange = (tmp_path / name for name in ("migsync_scratchab", "migsync_scratchcd", "mine"))
    for directory in (abandoned, recent, strange):
        directory.mkdir()
    for directory in (abandoned, strange):
        os.utime(directory, (time.time() - 90000,) * 2)
    assert differences(sqlite_site, item(), item() + "\n") == []
    assert [abandoned.exists(), recent.exists(), strange.exists()] == [False, True, True]
