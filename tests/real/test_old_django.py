"""Databases that older versions of Django have built: ``migsync verify`` with today's Django finds nothing.

MIGSYNC_TEST_DJANGOS names a directory of environments, each with the drivers, and named as its Django::

    python3.8 -m venv ../djangos/2.2
    ../djangos/2.2/bin/pip install 'Django==2.2.*' 'psycopg2-binary<2.9' PyMySQL
    MIGSYNC_TEST_DJANGOS=$PWD/../djangos python -m pytest -m real tests/real/test_old_django.py
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.pitfalls.project import Project
from tests.project.projects import write
from tests.real.damages import Place, damage_tables

pytestmark = pytest.mark.real

DIRECTORY = Path(os.environ.get("MIGSYNC_TEST_DJANGOS", "/nowhere"))
VERSIONS = ("2.2", "3.2", "4.2")
HEAD = """\
import django
from django.conf import settings
from django.db import migrations, models

CONDITION = "condition" if django.VERSION >= (5, 1) else "check"


class Migration(migrations.Migration):
    dependencies = {after}
    operations = [
"""
FIRST = """\
        migrations.CreateModel("Maker", [
            ("id", models.AutoField(primary_key=True)),
            ("name", models.CharField(max_length=40, unique=True)),
            ("slug", models.SlugField()),
        ]),
        migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True)), ("text", models.TextField())]),
        migrations.CreateModel("Item", [
            ("id", models.BigAutoField(primary_key=True)),
            ("key", models.UUIDField(unique=True)),
            ("token", models.UUIDField(null=True)),
            ("sku", models.CharField(max_length=9, db_index=True)),
            ("text", models.TextField(blank=True)),
            ("stock", models.PositiveIntegerField(default=0)),
            ("small", models.PositiveSmallIntegerField(default=0)),
            ("big", models.BigIntegerField(default=0)),
            ("ratio", models.FloatField(null=True)),
            ("is_new", models.BooleanField(null=True)),
            ("is_old", models.BooleanField(default=False)),
            ("made", models.DateTimeField(null=True)),
            ("day", models.DateField(null=True)),
            ("hour", models.TimeField(null=True)),
            ("lasts", models.DurationField(null=True)),
            ("address", models.GenericIPAddressField(null=True)),
            ("data", models.BinaryField(null=True)),
            ("file", models.FileField(upload_to="files")),
            ("maker", models.ForeignKey("shop.Maker", models.CASCADE)),
            ("owner", models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)),
            ("twin", models.OneToOneField("shop.Item", models.CASCADE, null=True)),
        ], options={"unique_together": {("sku", "maker")}}),
"""
REST = {
    "0002_price": """\
        migrations.AddField("Item", "price", models.DecimalField(max_digits=9, decimal_places=2, default=0)),
        migrations.AddConstraint(
            "Item", models.CheckConstraint(**{CONDITION: models.Q(price__gte=0)}, name="item_least")
        ),
        migrations.AddConstraint("Item", models.UniqueConstraint(fields=["day", "hour"], name="item_once")),
        migrations.AddIndex("Item", models.Index(fields=["made", "-stock"], name="item_made")),
        migrations.AddField("Item", "makers", models.ManyToManyField("shop.Maker", related_name="items")),
    """,
    "0003_changes": """\
        migrations.AlterField("Item", "sku", models.CharField(max_length=20, db_index=True)),
        migrations.AlterField("Item", "small", models.IntegerField(default=1)),
        migrations.AlterField("Item", "text", models.CharField(max_length=200, blank=True, null=True)),
        migrations.AlterUniqueTogether("Item", {("sku", "day")}),
        migrations.RenameField("Item", "key", "code"),
        migrations.RenameModel("Maker", "Brand"),
        migrations.AlterModelTable("Brand", "brands"),
        migrations.RemoveField("Item", "ratio"),
        migrations.AlterField("Note", "id", models.BigAutoField(primary_key=True)),
    """,
}
CONTRIB = ["auth", "contenttypes", "sessions", "sites"]
SETTINGS = f"""
INSTALLED_APPS += {[f"django.contrib.{app}" for app in CONTRIB]!r}
SECRET_KEY = "not a secret"
USE_TZ = False
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_an_old_django_has_built(version: str, engine: str, new_database: NewDatabase, tmp_path: Path) -> None:
    python = DIRECTORY / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no Django {version}: see the module")
    database = new_database(engine)
    project = Project(tmp_path / "project", {"default": database}, extra=SETTINGS)
    project.root.mkdir()
    project.write_files("shop", ())
    after = '[("auth", "0001_initial")]'
    for name, operations in {"0001_initial": FIRST, **REST}.items():
        write(project.migrations("shop"), {f"{name}.py": HEAD.format(after=after) + operations.rstrip() + "\n    ]\n"})
        after = f'[("shop", "{name}")]'
    migrated = project.run(str(python), "manage.py", "migrate", "--noinput")
    assert migrated.status == 0, migrated.err

    ended = project.migsync("verify")
    assert ended.status == 0, ended.out
    # And with what today's Django adds to its own apps.
    migrated = project.run(sys.executable, "manage.py", "migrate", "--noinput")
    assert migrated.status == 0, migrated.err
    ended = project.migsync("verify")
    assert ended.status == 0, ended.out
    done = damage_tables(Place(database, random.Random(1)))
    said = project.migsync("verify", "--format", "json").out
    assert len(done) >= 3
    assert [damaged.what for damaged in done if f'"{damaged.table}"' not in said] == []
