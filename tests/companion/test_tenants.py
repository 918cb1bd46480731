"""The guard under django-tenants: ``migrate_schemas`` of a real project on PostgreSQL, with real tenants."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from migsync.companion.guard import OnMigrate
from tests.databases import Database
from tests.project.projects import django_project

SETTINGS = """
SHARED_APPS = ["migsync.companion", "django_tenants", "customers", "django.contrib.contenttypes"]
TENANT_APPS = ["django.contrib.contenttypes", "shop"]
INSTALLED_APPS = [*SHARED_APPS, "shop"]
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL, TENANT_DOMAIN_MODEL = "customers.Client", "customers.Domain"
TENANT_BASE_MIGRATE_COMMAND = "migsync.companion.tenants.Command"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""
MODELS = """
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    pass


class Domain(DomainMixin):
    pass
"""
CUSTOMERS = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Client",
            [("id", models.BigAutoField(primary_key=True)), ("schema_name", models.CharField(max_length=63))],
        )
    ]
"""
FIRST = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))])]
"""
LATER = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.AddField("item", "price", models.IntegerField(default=0))]
"""
# Python code in the project, whose value is printed. `tenant(NAME)` makes a tenant, `migrated(…)` is `migrate_schemas`.
CODE = """
import contextlib, io, json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from customers.models import Client
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction


def tenant(name):
    Client(schema_name=name).save(verbosity=0)


def migrated(*arguments, **options):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            call_command("migrate_schemas", *arguments, **options)
        except CommandError as error:
            return str(error)
    return out.getvalue()


with contextlib.redirect_stdout(sys.stderr):
    value = eval(sys.argv[1])
print(json.dumps(value))
"""


@dataclass
class Tenants:
    """A project with django-tenants, whose second file of the shop can be renamed."""

    root: Path
    database: Database

    @classmethod
    def make(cls, root: Path, database: Database) -> Tenants:
        django = {**database.django, "ENGINE": "django_tenants.postgresql_backend"}
        files = {
            "customers/__init__.py": "",
            "customers/models.py": MODELS,
            "customers/migrations/__init__.py": "",
            "customers/migrations/0001_initial.py": CUSTOMERS,
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": FIRST,
            "shop/migrations/0003_later.py": LATER,
        }
        return cls(django_project(root, f"DATABASES = {{'default': {django!r}}}\n{SETTINGS}", files), database)

    def rename(self) -> None:
        migrations = self.root / "shop/migrations"
        (migrations / "0003_later.py").rename(migrations / "0002_later.py")
        assert "Wrote" in self.run("-m", "migsync", "rewrite", "--map", "shop.0003_later=0002_later")

    def mode(self, mode: OnMigrate) -> None:
        with (self.root / "config/settings.py").open("a") as file:
            file.write(f"\nMIGSYNC_ON_MIGRATE = {str(mode)!r}\n")

    def value(self, code: str) -> list[str]:
        return list(json.loads(self.run("-c", CODE, code).splitlines()[-1]))

    def run(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run([sys.executable, *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stdout + done.stderr
        return done.stdout + done.stderr

    def names(self, schema: str) -> list[str]:
        rows = self.database.execute(f"SELECT name FROM {schema}.django_migrations WHERE app = 'shop' ORDER BY name")
        return [name for (name,) in rows]


def test_each_tenant_is_guarded_by_the_hook_of_django_tenants(tmp_path: Path, postgresql_database: Database) -> None:
    pytest.importorskip("django_tenants")
    tenants = Tenants.make(tmp_path, postgresql_database)
    tenants.value("[migrated(shared=True, verbosity=0), tenant('acme'), tenant('beta')]")
    assert tenants.names("acme") == ["0001_initial", "0003_later"]
    postgresql_database.execute("DELETE FROM beta.django_migrations WHERE name = '0003_later'")
    postgresql_database.execute("ALTER TABLE beta.shop_item DROP COLUMN price")
    tenants.rename()

    # A new tenant is made although an old one is behind, also in a transaction: nobody else sees its schema yet.
    code = """[
        transaction.atomic(lambda: tenant("made"))(), migrated(schema_name="beta"), migrated(schema_name="acme"),
        migrated("--executor=multiprocessing", tenant=True),
        setattr(settings, "TENANT_BASE_MIGRATE_COMMAND", "django.core.management.commands.migrate.Command"),
        migrated(schema_name="acme"), [each.id for each in run_checks()],
    ]"""
    _, beta, acme, all_of_them, _, unhooked, checks = tenants.value(code)
    assert tenants.names("made") == ["0001_initial", "0002_later"]
    assert "Applying shop.0002_later... OK" in beta
    assert acme.startswith("(migsync.E001) default:acme: 1 record in django_migrations must change before")
    assert "python manage.py migsync apply --database default:acme" in acme
    assert all_of_them == unhooked == acme
    assert "migsync.W001" in checks
    said = tenants.run("manage.py", "migrate_schemas", "--schema", "acme", "-v0", status=1)
    assert said.startswith("CommandError: (migsync.E001) default:acme")

    tenants.mode(OnMigrate.SYNC)
    (said,) = tenants.value("[migrated(tenant=True, verbosity=1)]")
    assert "migsync: 1 record in default:acme brought up to date" in said
    assert tenants.names("acme") == ["0001_initial", "0002_later"]
