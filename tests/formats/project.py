"""The project of the fixtures: what its files and its rows are at each state, worked out by hand.

`shop` has a fork, a merge and a gap, and `linearize` makes it one chain. `blog` has three migrations, and `squash`
makes them one. Later `shop` gets two files whose numbers leave gaps, and `renumber` closes them.
"""

from __future__ import annotations

ALIASES = ("default", "second")
DATABASES = "DATABASES = {}\n"
"""Stands in config.py where the settings of the databases go."""


def migration(dependencies: str, *operations: str) -> str:
    """The text of a migration file."""
    body = "".join(f"        {operation},\n" for operation in operations)
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [{dependencies}]\n\n    operations = [\n{body}    ]\n"
    )


def add(model: str, field: str) -> str:
    return f'migrations.AddField("{model}", "{field}", models.IntegerField(null=True))'


def create(model: str) -> str:
    return f'migrations.CreateModel("{model}", [("id", models.BigAutoField(primary_key=True))])'


def model(name: str, *fields: str) -> str:
    lines = "".join(f"    {field} = models.IntegerField(null=True)\n" for field in fields)
    return (
        f"from django.db import models\n\n\nclass {name}(models.Model):\n"
        f"    id = models.BigAutoField(primary_key=True)\n{lines}"
    )


SHOP, BLOG = "shop/migrations", "blog/migrations"
PROJECT = {
    "manage.py": 'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")\n',
    "config.py": f'SECRET_KEY = "none"\nINSTALLED_APPS = ["shop", "blog"]\nUSE_TZ = True\n{DATABASES}',
    "shop/__init__.py": "",
    "shop/models.py": model("Item", "price", "size", "sku"),
    f"{SHOP}/__init__.py": "",
    f"{SHOP}/0001_initial.py": migration("", create("Item")),
    f"{SHOP}/0003_item_price.py": migration('("shop", "0001_initial")', add("Item", "price")),
    f"{SHOP}/0003_item_size.py": migration('("shop", "0001_initial")', add("Item", "size")),
    f"{SHOP}/0004_merge.py": migration('("shop", "0003_item_price"), ("shop", "0003_item_size")'),
    f"{SHOP}/0006_item_sku.py": migration('("shop", "0004_merge")', add("Item", "sku")),
    "blog/__init__.py": "",
    "blog/models.py": model("Post", "body", "slug"),
    f"{BLOG}/__init__.py": "",
    f"{BLOG}/0001_initial.py": migration('("shop", "0004_merge")', create("Post")),
    f"{BLOG}/0002_post_body.py": migration('("blog", "0001_initial")', add("Post", "body")),
    f"{BLOG}/0003_post_slug.py": migration('("blog", "0002_post_body")', add("Post", "slug")),
}
NEW_FILES = {
    "shop/models.py": model("Item", "price", "size", "sku", "note", "weight"),
    f"{SHOP}/0009_item_note.py": migration('("shop", "0004_item_sku")', add("Item", "note")),
    f"{SHOP}/0011_item_weight.py": migration('("shop", "0009_item_note")', add("Item", "weight")),
}
MAPPED = ("0011_item_weight", "0010_item_weight")
"""What map.json renames; before it is applied, the file must have the second name."""


def applied_at(alias: str, id_: int) -> str:
    """When the row of this id was applied, in UTC; a different moment for each."""
    return f"2026-0{ALIASES.index(alias) + 1}-{id_:02} 10:00:00.10000{id_ % 10}"


def identity_of(alias: str) -> str:
    """Stands in plan.json for what the server says that the database of `alias` is."""
    return f"(identity of {alias})"
