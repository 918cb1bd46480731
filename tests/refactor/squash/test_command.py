"""``migsync squash`` as a person uses it: what Django's command loses is kept (pitfall 27), both ways to the end."""

from __future__ import annotations

import pytest

from migsync.history import Key, parse_migration
from tests.conftest import NewDatabase
from tests.pitfalls.project import Project
from tests.refactor.conftest import commit, write

QUICK = ("--no-prove-schema", "--no-prove-transition")
MODELS = """from django.db import models


class Item(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9)
    price = models.IntegerField()
    size = models.IntegerField(default=0)
"""
# What a person wrote: one-off defaults, functions with what they use, comments, order across apps, no transaction.
PRICE = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    run_before = [("blog", "0001_initial")]

    operations = [
        # Every item had cost nothing so far.
        migrations.AddField("Item", "price", models.IntegerField(default=7), preserve_default=False),
    ]
"""
FILL = '''"""Prices for what is there."""
from decimal import Decimal as D

from django.db import migrations

FACTOR = D("1.5")  # as agreed


def twice(value):
    return int(value * FACTOR)


def fill(apps, schema_editor):
    items = apps.get_model("shop", "Item").objects.using(schema_editor.connection.alias)
    items.create(name="first",   price=twice(10))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0002_price")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
'''
SIZE = """from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Item").objects.using(schema_editor.connection.alias).update(size=3)


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_fill")]

    operations = [
        migrations.AddField("Item", "size", models.IntegerField(default=0)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
"""


@pytest.fixture
def project(tmp_path, new_database: NewDatabase):
    (tmp_path / "project").mkdir()
    aliases = ("default", "fresh")
    made = Project(tmp_path / "project", {alias: new_database("sqlite") for alias in aliases})
    write(made, "blog", "0001_initial: create Post")
    write(made, "shop", "0001_initial: create Item")
    for name, text in (("0002_price", PRICE), ("0003_fill", FILL), ("0004_size", SIZE)):
        (made.migrations("shop") / f"{name}.py").write_text(text)
    (made.root / "shop" / "models.py").write_text(MODELS)
    post = MODELS.partition("    price")[0].replace("Item", "Post")
    (made.root / "blog" / "models.py").write_text(post)
    commit(made)
    made.migrate("default")
    return made


def done(ended):
    assert ended.status == 0, ended.out + ended.err
    return ended


def test_what_djangos_command_loses_is_kept(project):
    ended = done(project.migsync("squash", "shop", "0002", "0004", "--update-db", "--yes", "--diff"))
    assert "Proven: Data: the migrations leave the same rows on SQLite (1 row" in ended.out
    path = project.migrations("shop") / "0002_squashed_0004_size.py"
    text, squash = path.read_text(), parse_migration(path.read_bytes(), Key("shop", path.stem), str(path))
    assert squash.run_before == (Key("blog", "0001_initial"),)
    assert not squash.atomic
    assert "will have atomic = False, because shop.0003_fill has it." in ended.out
    assert "preserve_default=False" in text
    assert 'FACTOR = D("1.5")  # as agreed' in text
    assert 'items.create(name="first",   price=twice(10))' in text
    assert "# Every item had cost nothing so far." in text
    assert text.count("def fill") == 2  # two of one name: one of them has another now
    assert project.pending("default") == []
    assert project.manage("makemigrations", "--check", "--dry-run").status == 0
    done(project.manage("migrate", "--database", "fresh"))
    rows = project.databases["fresh"].execute("SELECT name, price, size FROM shop_item")
    assert [tuple(row) for row in rows] == [("first", 15, 3)]


def test_a_squash_holds_no_translated_text(project):
    settings = project.root / "config" / "settings.py"
    settings.write_text(settings.read_text() + "LANGUAGE_CODE = 'de'\n")
    label = "verbose_name=gettext_lazy('Monday')"
    (project.migrations("shop") / "0002_price.py").write_text(
        PRICE.replace("default=7", f"default=7, {label}").replace(
            "import migrations, models", "import migrations, models\nfrom django.utils.translation import gettext_lazy"
        )
    )
    models = MODELS.replace("price = models.IntegerField()", f"price = models.IntegerField({label})")
    (project.root / "shop" / "models.py").write_text(
        models.replace("import models", "import models\nfrom django.utils.translation import gettext_lazy")
    )
    commit(project, "a label")
    done(project.migsync("squash", "shop", "0002", "0004", "--allow-applied", "--yes", *QUICK))
    assert "verbose_name='Monday'" in (project.migrations("shop") / "0002_squashed_0004_size.py").read_text()


def test_in_two_phases_and_tidied_up_it_ends_as_in_one_step(project):
    """Find, squash, deploy, point the dependants, take out `replaces`, delete: by hand, and as one command."""
    write(project, "blog", "0002_x: after 0001_initial shop.0003_fill")
    commit(project, "a dependant")
    project.migrate("default")
    done(project.migsync("squash", "shop", "0002", "0004", "--update-db", "--yes", *QUICK))
    at_once, rows = project.files(), project.dumps()["default"]
    done(project.migsync("undo", "--files", "--yes"))

    done(project.migsync("squash", "shop", "0002", "0004", "--keep-replaces", "--yes", *QUICK))
    assert {path.stem for path in project.migrations("shop").glob("[0-9]*")} == {
        "0001_initial",
        "0002_price",
        "0002_squashed_0004_size",
        "0003_fill",
        "0004_size",
    }
    commit(project, "the first phase")
    for alias in project.databases:
        done(project.manage("migrate", "--database", alias))
    done(project.migsync("tidy", "--remove-replaced", "--update-db", "--yes"))
    tidied = project.files()
    assert {name: text for name, text in tidied.items() if name.startswith(("shop", "blog"))} == {
        name: text for name, text in at_once.items() if name.startswith(("shop", "blog"))
    }
    assert sorted(row[1:3] for row in rows) == sorted(row[1:3] for row in project.dumps()["default"])
    assert project.pending("default") == project.pending("fresh") == []


def test_all_safe_leaves_what_cannot_be_carried(project):
    write(project, "blog", "0002_x: after 0001_initial; add Post.x", "0003_y: add Post.y", "0004_z: add Post.z")
    write(project, "shop", "0005_x: after 0004_size; add Item.x", "0006_y: alter Item.x 1")
    path = project.migrations("shop") / "0006_y.py"
    text = path.read_text().replace("operations = [", "operations = [*[migrations.RunPython(f) for f in TWO], ")
    two = "def made(n):\n    return lambda apps, editor: n\n\n\nTWO = [made(n) for n in range(2)]\n\n\n"
    path.write_text(text.replace("class", f"{two}class", 1))
    commit(project, "more")
    project.migrate("default")
    ended = done(project.migsync("squash", "--all-safe", "--allow-applied", "--dry-run", *QUICK))
    assert "blog.0002_squashed_0004_z replaces 3 migrations" in ended.out
    assert "shop.0005_x to 0006_y are not squashed." in ended.out
    refused = project.migsync("squash", "shop", "0004", "0006", "--allow-applied", "--yes", *QUICK)
    assert refused.status == 1
    assert "0006_y.py:" in refused.out


def test_suggest_in_json_says_what_to_type_and_why(project):
    write(project, "blog", "0002_x: after 0001_initial; add Post.x", "0003_y: after 0002_x shop.0004_size; add Post.y")
    document = done(project.migsync("squash", "--suggest", "shop", "--format", "json")).json
    assert (document["saves"], document["files"], document["runs"]) == (0, 4, [])
    assert document["all_safe_saves"] == 0
    (path,) = project.migrations("shop").glob("0003*")
    path.write_text(FILL.replace("    atomic = False\n", ""))
    (run,) = done(project.migsync("squash", "--suggest", "--format", "json")).json["runs"]
    assert run["command"] == "migsync squash shop 0003 0004"
    assert run["on_postgresql"] == []
    assert run["stops"]["before"] == {
        "key": "shop.0002_price",
        "why": "shop.0002_price must run before blog.0001_initial",
    }
    assert run["stops"]["after"]["key"] == "blog.0003_y"
    assert [(risk["name"], risk["line"], risk["hazard"]) for risk in run["risks"]] == [
        ("0003_fill", 21, "code"),
        ("0004_size", 13, "code"),
    ]


WRONG = {
    ("shop", "0002"): "Give a range as APP FIRST LAST.",
    ("shop", "0002", "0009"): "shop has no migration '0009'.",
    ("--all-safe", "--split"): "cannot be combined",
    ("--suggest", "--format", "sql"): "--suggest works only with --format text and json.",
    ("shop", "0001", "0002", "--squashed-name", "a b"): "--squashed-name a b: this cannot be",
    ("empty", "0001", "0002"): "empty has no migrations.",
    ("nomig", "0001", "0002"): "nomig has no migrations.",
}


def test_wrong_usage(bare):
    write(bare, "shop", "0001_initial: create Item", "0002_price: add Item.price")
    write(bare, "empty")
    write(bare, "nomig")
    bare.migrations("nomig").joinpath("__init__.py").unlink()
    bare.migrations("nomig").rmdir()
    for arguments, words in WRONG.items():
        ended = bare.migsync("squash", *arguments)
        assert ended.status == 64
        assert words in ended.err


def test_what_a_file_does_beside_its_operations_is_pointed_out(project):
    path = project.migrations("shop") / "0003_fill.py"
    text = path.read_text().replace("FACTOR =", "import sys\n\nsys.path.append(sys.path.pop())\nFACTOR =")
    path.write_text(text.replace("def fill(apps, schema_editor):\n", "def fill(apps, schema_editor):\n    __file__\n"))
    commit(project, "more than operations")
    ended = done(project.migsync("squash", "shop", "0002", "0004", "--update-db", "--yes"))
    assert "0003_fill runs this when it is imported: sys.path.append(sys.path.pop())" in ended.out
    assert "fill uses __file__, which is now the path of 0003_fill." in ended.out


def test_a_class_that_does_more_than_its_operations_is_left_out(project):
    path = project.migrations("shop") / "0003_fill.py"
    own = "    def apply(self, *arguments):\n        return super().apply(*arguments)\n"
    path.write_text(f"{path.read_text()}\n{own}")
    commit(project, "a class of its own")
    ended = project.migsync("squash", "shop", "0002", "0004", "--update-db", "--yes")
    assert ended.status == 1
    assert "The class of 0003_fill overrides apply." in ended.out
