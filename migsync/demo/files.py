"""The files of the demo's project, as one team might have written them: two apps, two databases, one merge too many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

MERGE = "0003_merge_0002_item_price_0002_item_stock"
COLLAPSED = "0004_item_sku_and_length"

MANAGE = """
    #!/usr/bin/env python
    import os
    import sys

    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookshop.settings")
    execute_from_command_line(sys.argv)
"""

SETTINGS = """
    from pathlib import Path

    BASE_DIR = Path(__file__).resolve().parent.parent
    SECRET_KEY = "only for this demo"
    INSTALLED_APPS = ["shop", "orders"]
    USE_TZ = True
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "default.sqlite3"},
        "staging": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "staging.sqlite3"},
    }
"""

SHOP_MODELS = """
    from django.db import models


    class Item(models.Model):
        name = models.CharField(max_length=100)
        price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
        stock = models.PositiveIntegerField(default=0)
        sku = models.CharField(max_length=32, blank=True)
"""

ORDERS_MODELS = """
    from django.db import models


    class Order(models.Model):
        item = models.ForeignKey("shop.Item", models.PROTECT)
        note = models.TextField(blank=True)
"""

ID = "models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')"
CREATE_ITEM = f'migrations.CreateModel("Item", [("id", {ID}), ("name", models.CharField(max_length=100))])'
CREATE_ORDER = (
    f'migrations.CreateModel("Order", [("id", {ID}), ("item", models.ForeignKey("shop.Item", models.PROTECT))])'
)
ADD_PRICE = 'migrations.AddField("item", "price", models.DecimalField(max_digits=8, decimal_places=2, default=0))'
ADD_STOCK = 'migrations.AddField("item", "stock", models.PositiveIntegerField(default=0))'
ADD_SKU = 'migrations.AddField("item", "sku", models.CharField(max_length=20, blank=True))'
LONGER_SKU = 'migrations.AlterField("item", "sku", models.CharField(max_length=32, blank=True))'
ADD_NOTE = 'migrations.AddField("order", "note", models.TextField(blank=True))'

TIDY = f'''
    """What people do by hand when migrations have become a mess: rename, edit, delete."""

    from pathlib import Path

    MIGRATIONS = Path(__file__).parent / "shop" / "migrations"


    def rename(old, new, **edits):
        text = (MIGRATIONS / f"{{old}}.py").read_text()
        for before, after in edits.values():
            text = text.replace(before, after)
        (MIGRATIONS / f"{{new}}.py").write_text(text)
        remove(old)
        print(f"renamed  shop/migrations/{{old}}.py -> {{new}}.py")


    def remove(name):
        (MIGRATIONS / f"{{name}}.py").unlink()


    rename("0002_item_stock", "0003_item_stock", dependency=("0001_initial", "0002_item_price"))

    remove("{MERGE}")
    print("removed  shop/migrations/{MERGE}.py")

    text = (MIGRATIONS / "0004_item_sku.py").read_text().replace("{MERGE}", "0003_item_stock")
    longer = (MIGRATIONS / "0005_alter_item_sku.py").read_text().split("operations = [", 1)[1].split("\\n    ]", 1)[0]
    start, end = text.rsplit("\\n    ]", 1)
    (MIGRATIONS / "{COLLAPSED}.py").write_text(start + longer + "\\n    ]" + end)
    remove("0004_item_sku")
    remove("0005_alter_item_sku")
    print("united   shop/migrations/0004_item_sku.py and 0005_alter_item_sku.py -> {COLLAPSED}.py")
'''


def project_files() -> Mapping[str, str]:
    """The text of every file, by its path in the project."""
    shop, orders = "shop/migrations", "orders/migrations"
    files = {
        "manage.py": MANAGE,
        "bookshop/__init__.py": "",
        "bookshop/settings.py": SETTINGS,
        "shop/__init__.py": "",
        "shop/models.py": SHOP_MODELS,
        "orders/__init__.py": "",
        "orders/models.py": ORDERS_MODELS,
        "tidy_by_hand.py": TIDY,
        ".gitignore": "*.sqlite3\n__pycache__/\n",
    }
    return {path: dedent(text).lstrip("\n") for path, text in files.items()} | {
        f"{shop}/__init__.py": "",
        f"{shop}/0001_initial.py": _migration([], [CREATE_ITEM]),
        f"{shop}/0002_item_price.py": _migration([("shop", "0001_initial")], [ADD_PRICE]),
        f"{shop}/0002_item_stock.py": _migration([("shop", "0001_initial")], [ADD_STOCK]),
        f"{shop}/{MERGE}.py": _migration([("shop", "0002_item_price"), ("shop", "0002_item_stock")], []),
        f"{shop}/0004_item_sku.py": _migration([("shop", MERGE)], [ADD_SKU]),
        f"{shop}/0005_alter_item_sku.py": _migration([("shop", "0004_item_sku")], [LONGER_SKU]),
        f"{orders}/__init__.py": "",
        f"{orders}/0001_initial.py": _migration([("shop", "0001_initial")], [CREATE_ORDER]),
        f"{orders}/0002_order_note.py": _migration([("orders", "0001_initial")], [ADD_NOTE]),
    }


def write_project(root: Path) -> None:
    """Write the project into `root`, which must be there."""
    for path, text in project_files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _migration(dependencies: list[tuple[str, str]], operations: list[str]) -> str:
    listed = "".join(f'\n        ("{app}", "{name}"),' for app, name in dependencies)
    done = "".join(f"\n        {operation}," for operation in operations)
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [{listed}\n    ]\n\n    operations = [{done}\n    ]\n"
    )
