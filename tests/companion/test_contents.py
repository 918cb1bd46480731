"""The guard writes down what each migration is that ``migrate`` runs, and never keeps it from running."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import django
import pytest

from migsync.history.parser import read_contents
from migsync.sync.journal.contents import Event, SeenContents, read_contents_seen
from migsync.sync.journal.schema import upgrade_journal
from migsync.sync.journal.sources import unpacked_source
from tests.companion.test_guard import Shop
from tests.databases import Database, django_databases, user_of
from tests.project.projects import write
from tests.sync.story import target_of

MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    {more}
    dependencies = [("{app}", "{after}")]
    operations = [{operation}]
"""
ADD = 'migrations.AddField("item", "{0}", models.IntegerField(null=True))'
CART = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Cart", [("id", models.BigAutoField(primary_key=True))])]
"""


def journal(database: Database) -> None:
    """What the first journaled run makes."""
    with target_of(database) as target, closing(target.connect()) as connection:
        upgrade_journal(connection, target.table.schema)
        connection.commit()


def seen(database: Database) -> tuple[SeenContents, ...]:
    with target_of(database) as target, closing(target.connect()) as connection:
        return read_contents_seen(connection, target.table.schema)


def events(database: Database) -> list[tuple[str, str]]:
    return [(each.key.name, str(each.event)) for each in seen(database)]


def add(shop: Shop, name: str, after: str, operation: str, more: str = "", app: str = "shop") -> Path:
    path = shop.root / app / "migrations" / f"{name}.py"
    path.write_text(MIGRATION.format(after=after, operation=operation, more=more, app=app))
    return path


def fails(shop: Shop, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=shop.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Shop:
    """Migrated up to ``0003_later``, with the tables."""
    made = Shop.make(tmp_path, database)
    journal(database)
    return made


@pytest.fixture
def sqlite_shop(tmp_path: Path, sqlite_database: Database) -> Shop:
    made = Shop.make(tmp_path, sqlite_database)
    journal(sqlite_database)
    return made


def test_each_migration_is_seen_as_it_runs(shop: Shop, database: Database) -> None:
    path = add(shop, "0004_a", "0003_later", ADD.format("a"))
    add(shop, "0005_b", "0004_a", ADD.format("b"), more="atomic = False")
    assert shop.manage("migrate", "-v0") == (0, "")
    assert events(database) == [("0004_a", "applied"), ("0005_b", "applied")]
    first = seen(database)[0]
    assert first.source == hashlib.sha256(path.read_bytes()).hexdigest()
    assert first.contents == read_contents(path.read_bytes(), str(path), "shop")
    assert [f"{each.record}" for each in seen(database)] == [row[0] for row in database.dump()[-2:]]

    assert shop.manage("migrate", "-v0", "shop", "0004_a") == (0, "")
    assert shop.manage("migrate", "-v0", "--fake", "shop", "0005_b") == (0, "")
    assert events(database)[2:] == [("0005_b", "unapplied"), ("0005_b", "faked")]
    before, unapplied, faked = seen(database)[1:]
    assert unapplied == replace(before, event=Event.UNAPPLIED)
    assert faked.record == int(database.dump()[-1][0])
    # Nothing runs, so nothing is seen.
    assert shop.manage("migrate", "-v0", "--fake", "shop", "0004_a") == (0, "")
    assert len(seen(database)) == 4


def test_what_fake_initial_passes_over_is_told_from_what_runs(shop: Shop, database: Database) -> None:
    files = {"cart/__init__.py": "", "cart/migrations/__init__.py": "", "cart/migrations/0001_initial.py": CART}
    write(shop.root, files)
    add(shop, "0002_size", "0001_initial", ADD.format("size").replace("item", "cart"), app="cart")
    with (shop.root / "config/settings.py").open("a") as settings:
        settings.write("\nINSTALLED_APPS.append('cart')\n")
    database.execute("CREATE TABLE cart_cart (id bigint NOT NULL PRIMARY KEY)")
    assert shop.manage("migrate", "-v0", "--fake-initial") == (0, "")
    assert events(database) == [("0001_initial", "faked"), ("0002_size", "applied")]
    assert [str(each.record) for each in seen(database)] == [row[0] for row in database.dump()[-2:]]


def test_a_squash_and_what_it_replaces(shop: Shop, database: Database) -> None:
    add(shop, "0004_a", "0003_later", ADD.format("a"))
    add(shop, "0005_b", "0004_a", ADD.format("b"))
    squash = "0004_a_squashed_0005_b"
    replaces = 'replaces = [("shop", "0004_a"), ("shop", "0005_b")]'
    path = add(shop, squash, "0003_later", f"{ADD.format('a')}, {ADD.format('b')}", more=replaces)
    source = hashlib.sha256(path.read_bytes()).hexdigest()
    assert shop.manage("migrate", "-v0") == (0, "")
    # It ran once, and that is said once.
    assert events(database) == [("0004_a", "replaced"), ("0005_b", "replaced"), (squash, "applied")]
    assert {each.source for each in seen(database)} == {source}
    assert len(seen(database)[2].contents.operations) == 2

    assert shop.manage("migrate", "-v0", "shop", "0003_later") == (0, "")
    assert sorted(events(database)[3:]) == [("0004_a", "unapplied"), (squash, "unapplied"), ("0005_b", "unapplied")]
    # A new squash of what is applied: Django records it, and nothing runs.
    text = path.read_text()
    path.unlink()
    assert shop.manage("migrate", "-v0") == (0, "")
    path.write_text(text)
    assert shop.manage("migrate", "-v0") == (0, "")
    assert events(database)[6:] == [("0004_a", "applied"), ("0005_b", "applied"), (squash, "replaced")]
    assert seen(database)[-1].source == source


@pytest.mark.skipif(django.VERSION < (6,), reason="Django 6.0 is the first that squashes squashes")
def test_a_squash_of_a_squash_ran_once(sqlite_shop: Shop) -> None:
    """Django records all the inner names; nothing ran under any of them."""
    inner, outer = "0004_a_squashed_0005_b", "0004_a_squashed_0006_c"
    add(sqlite_shop, inner, "0003_later", ADD.format("a"), more='replaces = [("shop", "0004_a"), ("shop", "0005_b")]')
    replaces = f'replaces = [("shop", "{inner}"), ("shop", "0006_c")]'
    add(sqlite_shop, outer, "0003_later", f"{ADD.format('a')}, {ADD.format('c')}", more=replaces)
    assert sqlite_shop.manage("migrate", "-v0") == (0, "")
    found = dict(events(sqlite_shop.database))
    assert found.keys() == set(sqlite_shop.names()[2:])
    assert found.pop(outer) == "applied"
    assert set(found.values()) == {"replaced"}


def test_a_faked_squash_ran_nowhere(sqlite_shop: Shop) -> None:
    replaces = 'replaces = [("shop", "0004_a"), ("shop", "0005_b")]'
    add(sqlite_shop, "0004_a_squashed_0005_b", "0003_later", ADD.format("a"), more=replaces)
    assert sqlite_shop.manage("migrate", "-v0", "--fake") == (0, "")
    assert [event for _, event in events(sqlite_shop.database)] == ["faked"] * 3


# A foreign key is checked at COMMIT: after the migration is recorded.
BROKEN = """migrations.RunSQL([
        "CREATE TABLE child (id int PRIMARY KEY, item int REFERENCES shop_item DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO child VALUES (1, 77)",
    ])"""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_migration_that_is_rolled_back_was_not_seen(tmp_path: Path, new_database, engine: str) -> None:
    database = new_database(engine)
    shop = Shop.make(tmp_path, database)
    journal(database)
    add(shop, "0004_a", "0003_later", ADD.format("a"))
    add(shop, "0005_broken", "0004_a", BROKEN)
    assert "IntegrityError" in fails(shop, "migrate", "-v0")
    assert shop.names()[-1] == "0004_a"
    assert events(database) == [("0004_a", "applied")]
    assert database.execute("SELECT count(*) FROM migsync_content") == [(1,)]


def test_the_event_is_committed_with_the_record(tmp_path: Path, postgresql_database: Database) -> None:
    shop = Shop.make(tmp_path, postgresql_database)
    journal(postgresql_database)
    for table in ("django_migrations", "migsync_ran"):
        postgresql_database.execute(f"ALTER TABLE {table} ADD tx bigint DEFAULT txid_current()")
    add(shop, "0004_a", "0003_later", ADD.format("a"))
    add(shop, "0005_b", "0004_a", ADD.format("b"))
    assert shop.manage("migrate", "-v0") == (0, "")
    assert shop.manage("migrate", "-v0", "shop", "0004_a") == (0, "")
    transactions = postgresql_database.execute("SELECT event, tx FROM migsync_ran ORDER BY number")
    assert [event for event, _ in transactions] == ["applied", "applied", "unapplied"]
    assert len({tx for _, tx in transactions}) == 3
    [(recorded,)] = postgresql_database.execute("SELECT tx FROM django_migrations WHERE name = '0004_a'")
    assert recorded == transactions[0][1]


def test_a_migration_that_fails_was_not_seen(shop: Shop, database: Database) -> None:
    add(shop, "0004_broken", "0003_later", 'migrations.RunSQL("SELECT nothing FROM nowhere")')
    fails(shop, "migrate", "-v0")
    assert events(database) == []


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_who_may_not_insert_migrates_all_the_same(tmp_path: Path, new_database, engine: str) -> None:
    database = new_database(engine)
    shop = Shop.make(tmp_path, database)
    journal(database)
    with user_of(database) as (account, _):
        for right, table in (
            ("SELECT", "migsync_version"),
            ("SELECT", "migsync_run"),
            ("SELECT", "migsync_content"),
            ("SELECT", "migsync_content_seen"),
            ("SELECT", "migsync_look"),
            ("SELECT", "migsync_ran"),
            ("SELECT, INSERT, UPDATE, DELETE", "django_migrations"),
        ):
            database.execute(f"GRANT {right} ON {table} TO {account}")
        user = {**database.django, "USER": f"{database.name}_user", "PASSWORD": "s3cr3t"}
        with (shop.root / "config/settings.py").open("a") as settings:
            settings.write(f"\nDATABASES['default'].update({user!r})\n")
        for name, after in (("0004_a", "0003_later"), ("0005_b", "0004_a")):
            add(shop, name, after, "migrations.RunPython(migrations.RunPython.noop)")
        status, said = shop.manage("migrate", "-v0")
        assert status == 0
        assert said.startswith("migsync: what these migrations are could not be saved in migsync_ran: ")
        assert (said.count("\n"), "denied" in said) == (1, True)
        assert shop.names()[-2:] == ["0004_a", "0005_b"]
        assert events(database) == []
        database.execute(f"GRANT INSERT ON migsync_content TO {account}")
        database.execute(f"GRANT INSERT ON migsync_ran TO {account}")
        add(shop, "0006_c", "0005_b", "")
        assert shop.manage("migrate", "-v0") == (0, "")
        assert events(database) == [("0006_c", "applied")]


def test_nothing_is_written_without_tables_nor_by_what_only_reads(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    assert sqlite_database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'migsync%'") == []
    journal(sqlite_database)
    add(shop, "0004_a", "0003_later", ADD.format("a"))
    assert shop.manage("migrate", "--plan")[0] == 0
    assert shop.manage("migrate", "--check")[0] == 1
    shop.setting("off")
    assert shop.manage("migrate", "-v0") == (0, "")
    assert events(sqlite_database) == []
    shop.setting("sync")
    add(shop, "0005_b", "0004_a", ADD.format("b"))
    assert shop.manage("migrate", "-v0") == (0, "")
    assert events(sqlite_database) == [("0005_b", "applied")]


# While `default` is migrated, a migration records something in the other database.
ELSEWHERE = """
def elsewhere(apps, schema_editor):
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder
    if schema_editor.connection.alias == "default":
        MigrationRecorder(connections["other"]).record_applied("shop", "0004_a")
        MigrationRecorder(connections["default"]).record_applied("shop", "0009_made_up")
"""
IN_ONE_PROCESS = """
from django.core.management import call_command
from django.db.models.signals import post_delete, post_save
call_command("migrate", verbosity=0)
print(len(post_save.receivers), len(post_delete.receivers))
"""


def test_an_alias_sees_its_own_migrations_alone(tmp_path: Path, new_database) -> None:
    database, other = new_database("sqlite"), new_database("sqlite")
    shop = Shop.make(tmp_path, database)
    with (shop.root / "config/settings.py").open("a") as settings:
        settings.write(f"\n{django_databases({'default': database, 'other': other})}\n")
    assert shop.manage("migrate", "-v0", "--database", "other") == (0, "")
    journal(database)
    journal(other)
    path = add(shop, "0004_a", "0003_later", "migrations.RunPython(elsewhere)")
    path.write_text(path.read_text().replace("class Migration", f"{ELSEWHERE}\n\nclass Migration", 1))
    status, said = shop.manage("shell", "-v0", "-c", IN_ONE_PROCESS)
    assert (status, said) == (0, "0 0\n")
    assert events(database) == [("0004_a", "applied")]
    assert events(other) == []


OWN = """
from django.core.management.commands.migrate import Command as Migrate


class Command(Migrate):
    def handle(self, *args, **options):
        self.stdout.write("our own")
        super().handle(*args, **options)

    def migration_progress_callback(self, action, migration=None, fake=False):
        if migration:
            self.stdout.write(f"{action} {migration.name}")
"""


def test_a_migrate_of_the_projects_own_is_watched_too(sqlite_shop: Shop) -> None:
    commands = sqlite_shop.root / "shop/management/commands"
    commands.mkdir(parents=True)
    (commands / "migrate.py").write_text(OWN)
    with (sqlite_shop.root / "config/settings.py").open("a") as file:
        file.write("\nINSTALLED_APPS = ['migsync.companion', 'shop']\n")
    add(sqlite_shop, "0004_a", "0003_later", ADD.format("a"))
    status, said = sqlite_shop.manage("migrate", "-v0")
    assert (status, said.split("\n")[:3]) == (0, ["our own", "apply_start 0004_a", "apply_success 0004_a"])
    assert events(sqlite_shop.database) == [("0004_a", "applied")]


def test_migrations_of_other_people_are_not_seen(sqlite_shop: Shop) -> None:
    with (sqlite_shop.root / "config/settings.py").open("a") as file:
        file.write("\nINSTALLED_APPS += ['django.contrib.contenttypes', 'django.contrib.auth']\n")
    assert sqlite_shop.manage("migrate", "-v0") == (0, "")
    assert "0012_alter_user_first_name_max_length" in sqlite_shop.names()
    assert events(sqlite_shop.database) == []


def test_the_journal_of_another_schema_on_the_search_path_is_left_alone(
    tmp_path: Path, postgresql_database: Database
) -> None:
    shop = Shop.make(tmp_path, postgresql_database)
    journal(postgresql_database)
    postgresql_database.execute("CREATE SCHEMA tenant")
    with (shop.root / "config/settings.py").open("a") as file:
        file.write("\nDATABASES['default']['OPTIONS'] = {'options': '-c search_path=tenant,public'}\n")
    postgresql_database.execute("CREATE TABLE tenant.django_migrations (LIKE public.django_migrations INCLUDING ALL)")
    postgresql_database.execute(
        "INSERT INTO tenant.django_migrations (app, name, applied) SELECT app, name, applied FROM django_migrations"
    )
    add(shop, "0004_a", "0003_later", "")
    assert shop.manage("migrate", "-v0") == (0, "")
    assert postgresql_database.execute("SELECT name FROM tenant.django_migrations ORDER BY id DESC LIMIT 1") == [
        ("0004_a",)
    ]
    assert events(postgresql_database) == []


def test_the_file_itself_is_kept_where_the_project_wants_it(sqlite_shop: Shop) -> None:
    add(sqlite_shop, "0004_a", "0003_later", ADD.format("a"))
    assert sqlite_shop.manage("migrate", "-v0") == (0, "")
    kept = "SELECT digest, document FROM migsync_source"
    assert sqlite_shop.database.execute(kept) == []
    with (sqlite_shop.root / "pyproject.toml").open("a") as file:
        file.write('\n[tool.migsync]\ncontents = "source"\n')
    path = add(sqlite_shop, "0005_b", "0004_a", ADD.format("b"))
    assert sqlite_shop.manage("migrate", "-v0") == (0, "")
    [(digest, document)] = sqlite_shop.database.execute(kept)
    assert unpacked_source(document, digest) == path.read_bytes()
    assert digest == seen(sqlite_shop.database)[-1].source
