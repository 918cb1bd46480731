"""A shop whose label becomes store: the files of each time, and the project that has them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.pitfalls.project import Project
from tests.refactor.conftest import commit, write

SHOP = (
    "0001_initial: create Item",
    "0003_price: add Item.price",
    "0006_sku: add Item.sku",
)
MODELS = """from django.db import models


class Item(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9)
    price = models.IntegerField(default=0)
    sku = models.IntegerField(default=0)
"""
BLOG = """from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Item").objects.update(price=1)


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_price")]
    operations = [
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("item", models.ForeignKey("shop.Item", models.CASCADE)),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
"""
BLOG_MODELS = """from django.db import models


class Post(models.Model):
    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey("shop.Item", models.CASCADE)
"""
CONTRIB = "INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes']\n"


def shop(root: Path, databases) -> Project:
    """The project under the old label, committed."""
    root.mkdir()
    project = Project(root, databases, extra=CONTRIB)
    project.place_app("shop", "shop")
    write(project, "shop", *SHOP)
    (root / "shop" / "models.py").write_text(MODELS)
    write(project, "blog")
    (project.migrations("blog") / "0001_initial.py").write_text(BLOG)
    (root / "blog" / "models.py").write_text(BLOG_MODELS)
    commit(project)
    return project


def change_code(project: Project) -> None:
    """What a person does: the label, the model's table, and what names the label."""
    del project.apps["shop"]
    project.place_app("store", "shop")
    models = project.root / "shop" / "models.py"
    models.write_text(f'{models.read_text()}\n    class Meta:\n        db_table = "shop_item"\n')
    blog = project.root / "blog" / "models.py"
    blog.write_text(blog.read_text().replace('"shop.Item"', '"store.Item"'))


def done(ended):
    assert ended.status == 0, ended.out + ended.err
    return ended


def keep_files(project: Project, name: str) -> None:
    """Keep the files of this moment beside the project."""
    pattern = shutil.ignore_patterns(".git", ".migsync", "__pycache__", "*.sqlite3")
    shutil.copytree(project.root, project.root.parent / name, ignore=pattern)


def put_files(project: Project, kept: Path) -> None:
    """Deploy the files that were kept, and nothing else."""
    for path in project.root.iterdir():
        if path.is_dir() and path.name != ".migsync":
            shutil.rmtree(path)
    shutil.copytree(kept, project.root, dirs_exist_ok=True)
    project.apps = {"store" if "'store'" in (project.root / "shop" / "apps.py").read_text() else "shop": "shop"}
    project.apps["blog"] = "blog"
    project.write_settings()
