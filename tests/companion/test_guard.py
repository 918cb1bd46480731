"""The guard, through ``manage.py migrate`` of a real project: stopped, synced first, and never beside migsync."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from migsync.engines import Deadline
from migsync.engines.config import DatabaseConfig
from migsync.errors import LockTimeout
from migsync.filesystem.user_key import user_key
from migsync.sync.target import open_target
from tests.databases import Database, django_databases
from tests.files.commit.test_hostile import everything, forge, record_of, slot
from tests.project.projects import django_project

TABLE = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))])]
"""
LATER = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunSQL("SELECT 1")]
"""
# `migrate` tells the test when it runs, and goes on when it is told to.
WAITING = """
import pathlib, sys
from django.db import migrations


def wait(apps, schema_editor):
    print("running", flush=True)
    sys.stdin.readline()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0002_later")]
    operations = [migrations.RunPython(wait)]
"""


@dataclass
class Shop:
    """A project with the companion, migrated, whose second file can be renamed."""

    root: Path
    database: Database

    @classmethod
    def make(cls, root: Path, database: Database, companion: bool = True) -> Shop:
        installed = ["shop", "migsync.companion"] if companion else ["shop"]
        settings = f"INSTALLED_APPS = {installed}\nUSE_TZ = True\n{django_databases({'default': database})}"
        files = {"shop/__init__.py": "", "shop/migrations/__init__.py": "", "shop/migrations/0001_initial.py": TABLE}
        shop = cls(django_project(root, settings, files | {"shop/migrations/0003_later.py": LATER}), database)
        assert shop.manage("migrate", "-v0") == (0, "")
        return shop

    def rename(self) -> None:
        migrations = self.root / "shop/migrations"
        (migrations / "0003_later.py").rename(migrations / "0002_later.py")
        done = self.migsync("rewrite", "--map", "shop.0003_later=0002_later")
        assert done[0] == 0, done

    def setting(self, value: str) -> None:
        with (self.root / "config/settings.py").open("a") as file:
            file.write(f"\nMIGSYNC_ON_MIGRATE = {value!r}\n")

    def manage(self, *arguments: str) -> tuple[int, str]:
        return self.run("manage.py", *arguments)

    def migsync(self, *arguments: str) -> tuple[int, str]:
        return self.run("-m", "migsync", *arguments)

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    def names(self) -> list[str]:
        return [name for _, _, name, _ in self.database.dump()]


def test_migrate_is_stopped_until_the_names_are_in_line(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    before = sqlite_database.dump()
    shop.rename()
    status, said = shop.manage("migrate")
    assert status == 1
    assert "migsync.E001" in said
    assert "1 record in django_migrations must change before `migrate` can run" in said
    assert "python manage.py migsync explain needs-changes" in said
    assert sqlite_database.dump() == before
    status, _ = shop.manage("migsync", "apply", "--database", "default", "--noinput")
    assert status == 0
    assert shop.manage("migrate", "-v0") == (0, "")
    assert shop.names() == ["0001_initial", "0002_later"]


def test_a_forged_state_directory_stops_migrate_and_does_nothing(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path / "project", sqlite_database)
    forge(shop.root, record_of(slot("../victim.py"), slot("shop/migrations/0004_evil.py")))
    user_key(shop.root, create=True)  # without a key the message says more
    before = everything(shop.root)
    status, said = shop.manage("migrate", "-v0")
    assert (status, "does not have your seal" in said, "migsync recover --trust" in said) == (1, True, True)
    assert {name: held for name, held in everything(shop.root).items() if "__pycache__" not in name} == {
        name: held for name, held in before.items() if "__pycache__" not in name
    }
    assert not (tmp_path / "victim.py").exists()


def test_a_database_that_cannot_be_judged_stops_migrate_too(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    sqlite_database.execute(
        "INSERT INTO django_migrations (app, name, applied) SELECT app, name, applied FROM django_migrations"
    )
    status, said = shop.manage("migrate")
    assert status == 1
    assert "migsync.E002" in said
    assert "is recorded 2 times" in said
    assert "python manage.py migsync explain duplicate-records" in said


def test_django_records_twice_what_two_squashes_replace(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)

    def write(name: str, after: str, *replaced: str) -> None:
        replaces = f"    replaces = {[('shop', each) for each in replaced]}\n"
        (tmp_path / f"shop/migrations/{name}.py").write_text(LATER.replace("0001_initial", after) + replaces)

    for after, name in (("0003_later", "0004_a"), ("0004_a", "0005_b"), ("0005_b", "0006_c")):
        write(name, after)
    write("0004_squashed", "0003_later", "0004_a", "0005_b")
    write("0005_squashed", "0004_squashed", "0005_b", "0006_c")
    assert shop.manage("migrate", "-v0") == (0, "")
    assert shop.names().count("0005_b") == 2
    assert shop.migsync("plan", "--check")[0] == 0
    assert shop.manage("migrate", "-v0") == (0, "")


def test_migrate_syncs_first_where_the_project_wants_it(tmp_path: Path, database: Database) -> None:
    shop = Shop.make(tmp_path, database)
    applied = [row[3] for row in database.dump()]
    shop.rename()
    shop.setting("sync")
    status, said = shop.manage("migrate")
    assert status == 0, said
    assert "migsync: 1 record in default brought up to date" in said
    assert "No migrations to apply" in said
    assert shop.names() == ["0001_initial", "0002_later"]
    assert [row[3] for row in database.dump()] == applied


def test_the_guard_understands_what_an_undo_left(tmp_path: Path, sqlite_database: Database) -> None:
    """One row was recorded between the run and the undo, and keeps the name that the rewrite gave."""
    shop = Shop.make(tmp_path, sqlite_database)
    migrations = tmp_path / "shop/migrations"
    (migrations / "0003_later.py").rename(migrations / "0002_later.py")
    (migrations / "0003_more.py").write_text(LATER.replace("0001_initial", "0002_later"))
    maps = ("--map", "shop.0003_later=0002_later", "--map", "shop.0005_more=0003_more")
    assert shop.migsync("rewrite", *maps)[0] == 0
    assert shop.migsync("apply", "--noinput")[0] == 0
    assert shop.manage("migrate", "-v0") == (0, "")
    before = sqlite_database.dump()
    assert shop.migsync("undo", "--noinput")[0] == 0
    assert shop.names() == ["0001_initial", "0003_later", "0003_more"]
    status, said = shop.manage("migrate")
    assert status == 1
    assert "1 record in django_migrations must change before `migrate` can run" in said
    assert "python manage.py migsync explain needs-changes" in said
    shop.setting("sync")
    assert shop.manage("migrate", "-v0")[0] == 0
    assert sqlite_database.dump() == before


def test_an_older_release_does_not_take_newer_names_back(tmp_path: Path, sqlite_database: Database) -> None:
    """Neither in check mode nor in sync mode; both say what was found."""
    shop = Shop.make(tmp_path, sqlite_database)
    shop.rename()
    assert shop.migsync("apply", "--noinput")[0] == 0
    before = sqlite_database.dump()
    (tmp_path / "shop/migrations/0002_later.py").rename(tmp_path / "shop/migrations/0003_later.py")
    shutil.rmtree(tmp_path / "migration_rewrites")
    for mode in ("check", "sync"):
        shop.setting(mode)
        status, said = shop.manage("migrate")
        assert (status, sqlite_database.dump()) == (1, before)
        assert "This database is ahead of the files" in said
        assert "migsync apply --backwards" in said


# Somebody else records a migration between the plan and its lock.
MEDDLING = """
import sqlite3
import sqlalchemy

left = ["INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0003_more', '2026-03-03 10:00:00')"]


@sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute")
def meddle(connection, cursor, statement, *rest):
    if statement == "BEGIN IMMEDIATE" and left:
        with sqlite3.connect({path!r}) as other:
            other.execute(left.pop())
"""


def test_a_plan_that_turned_stale_under_the_guard_is_made_again(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    shop.rename()
    (tmp_path / "shop/migrations/0003_more.py").write_text(LATER.replace("0001_initial", "0002_later"))
    shop.setting("sync")
    path = sqlite_database.django["NAME"]
    with (tmp_path / "config/settings.py").open("a") as settings:
        settings.write(MEDDLING.format(path=path))
    status, said = shop.manage("migrate")
    assert status == 0, said
    assert "migsync: 1 record in default brought up to date" in said
    assert "No migrations to apply" in said
    assert shop.names() == ["0001_initial", "0002_later", "0003_more"]


def test_off_and_a_wrong_value(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    shop.rename()
    shop.setting("off")
    assert shop.manage("migrate", "-v0", "--check")[0] == 1  # Django's own answer: a migration to run
    shop.setting("perhaps")
    for command in (("migrate",), ("check", "--database", "default")):
        status, said = shop.manage(*command)
        assert status == 1
        assert "MIGSYNC_ON_MIGRATE is 'perhaps'" in said


def test_without_the_companion_nothing_is_different(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database, companion=False)
    shop.rename()
    status, said = shop.manage("migrate", "--plan")
    assert status == 0
    assert "shop.0002_later" in said
    assert "migsync" not in said


@pytest.mark.parametrize("missing", ["sho", "shop.management.commands.migr", "nowhere"])
def test_a_broken_migrate_of_another_app_is_not_passed_over(
    tmp_path: Path, sqlite_database: Database, missing: str
) -> None:
    shop = Shop.make(tmp_path, sqlite_database, companion=False)
    commands = shop.root / "shop/management/commands"
    commands.mkdir(parents=True)
    (commands / "migrate.py").write_text(f"import {missing}\n")
    with (shop.root / "config/settings.py").open("a") as file:
        file.write("\nINSTALLED_APPS = ['migsync.companion', 'shop']\n")
    process = subprocess.run(
        [sys.executable, "manage.py", "migrate"], cwd=shop.root, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert f"No module named '{missing}'" in process.stderr


def test_a_fresh_database_is_migrated(tmp_path: Path, database: Database) -> None:
    shop = Shop.make(tmp_path, database)
    assert shop.names() == ["0001_initial", "0003_later"]


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_migrate_and_migsync_never_work_at_once(tmp_path: Path, new_database, engine: str) -> None:
    shop = Shop.make(tmp_path, new_database(engine))
    shop.rename()
    assert shop.migsync("apply", "--noinput")[0] == 0
    (tmp_path / "shop/migrations/0003_waiting.py").write_text(WAITING)
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    running = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "running\n"
        with (
            open_target(DatabaseConfig("default", shop.database.url)) as target,
            closing(target.connect()) as connection,
        ):
            assert target.table is not None
            with pytest.raises(LockTimeout), target.explained():
                target.behaviour.lock(connection, target.table, Deadline(0.2))
        running.communicate("go on\n")
    assert running.returncode == 0
    assert shop.names() == ["0001_initial", "0002_later", "0003_waiting"]
