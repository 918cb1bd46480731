"""Files in every form that Django reads, through the real command, judged by Django (pitfalls 19, 20, 21, 24)."""

from __future__ import annotations

import pytest

from tests.refactor.conftest import commit, write

HEAD = "from django.db import migrations, models\n\n\n"
OPERATIONS = '    operations = [migrations.AddField("Item", "{}", models.IntegerField(default=0))]\n'


def in_line(project):
    """Linearize with the records; Django finds nothing to run, before and after."""
    ended = project.migsync("linearize", "--update-db", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert project.pending("default") == []
    assert project.manage("migrate", "--check").status == 0
    return ended


@pytest.mark.parametrize(
    "body",
    [
        '    dependencies = (("shop", "0003_price"),)\n',
        '    dependencies: list[tuple[str, str]] = [("shop", "0003_price")]\n',
        '    dependencies = [("shop", "0001_initial")] + [("shop", "0003_price")]\n',
        '    dependencies = [("shop", f"0003_price")]\n',
        '    dependencies = [("shop", ABOVE)]\n',
        '    dependencies = [("shop", "0003_price"), migrations.swappable_dependency("shop.Item")]\n',
    ],
    ids=["tuple", "annotated", "concatenation", "f-string", "constant", "swappable"],
)
def test_dependencies_in_every_form_follow(bare, body):
    write(bare, "shop", "0001_initial: create Item", "0003_price: add Item.price")
    text = f"{HEAD}ABOVE = '0003_price'\n\n\nclass Migration(migrations.Migration):\n{body}{OPERATIONS.format('size')}"
    (bare.migrations("shop") / "0005_size.py").write_text(text)
    commit(bare)
    bare.migrate("default")
    in_line(bare)
    assert "0003_price" not in (bare.migrations("shop") / "0003_size.py").read_text().split("dependencies")[1]


def test_what_cannot_be_edited_safely_is_refused_with_file_and_line(bare):
    write(bare, "shop", "0001_initial: create Item", "0003_price: add Item.price")
    (bare.root / "shop" / "names.py").write_text('ABOVE = [("shop", "0003_price")]\n')
    text = f"{HEAD}from shop.names import ABOVE\n\n\nclass Migration(migrations.Migration):\n    dependencies = ABOVE\n"
    (bare.migrations("shop") / "0005_size.py").write_text(text + OPERATIONS.format("size"))
    commit(bare)
    files = bare.files()
    ended = bare.migsync("linearize", "--yes")
    assert ended.status == 1
    assert "0005_size.py:8" in ended.out
    assert bare.files() == files


@pytest.mark.parametrize(
    ("before", "encoding", "newline"),
    [
        ("# -*- coding: latin-1 -*-\n# Größe\n", "latin-1", "\n"),
        ("# Größe\n", "utf-8-sig", "\n"),
        ("# Größe\n", "utf-8", "\r\n"),
    ],
    ids=["latin-1", "bom", "crlf"],
)
def test_bytes_that_need_no_change_stay(bare, before, encoding, newline):
    write(bare, "shop", "0001_initial: create Item", "0003_price: add Item.price", "0004_last: add Item.last")
    path = bare.migrations("shop") / "0004_last.py"
    content = (before + path.read_text()).replace("\n", newline).encode(encoding)
    path.write_bytes(content)
    commit(bare)
    bare.migrate("default")
    in_line(bare)
    assert (path.with_name("0003_last.py")).read_bytes() == content.replace(b"0003_price", b"0002_price")


def test_conflict_markers_stop_it_and_are_not_written_over(shop):
    path = shop.migrations("shop") / "0006_sku.py"
    broken = "<<<<<<< HEAD\n" + path.read_text() + ">>>>>>> other\n"
    path.write_text(broken)
    ended = shop.migsync("linearize", "--update-db", "--yes", "--force")
    assert ended.status == 1
    assert f"{path}:1" in ended.err
    assert path.read_text() == broken


def test_helpers_are_no_migrations_and_references_by_name_are_reported(shop):
    helpers = shop.migrations("shop") / "_helpers.py"
    helpers.write_text("PRICE = 1\n")
    (shop.root / "tests.py").write_text(
        'from importlib import import_module\n\nMIGRATION = import_module("shop.migrations.0006_sku")\n'
    )
    commit(shop, "a helper and a test")
    ended = in_line(shop)
    assert "tests.py:3" in ended.out.partition("Check by hand: ")[2]
    assert helpers.read_text() == "PRICE = 1\n"


def test_a_thousand_deep(bare):
    lines = (f"{2 * number:04}_n: alter Item.price {number}" for number in range(2, 1001))
    write(bare, "shop", "0001_initial: create Item; add Item.price", *lines)
    commit(bare)
    ended = bare.migsync("linearize", "--yes", "--format", "json")
    assert ended.status == 0, ended.err
    assert ended.json["files"][-1]["new"] == "shop/migrations/1000_n.py"
    assert len(bare.pending("default")) == 1000


def test_max_migration_is_kept_in_step(shop):
    path = shop.migrations("shop") / "max_migration.txt"
    path.write_text("0006_sku\n")
    commit(shop, "django-linear-migrations")
    in_line(shop)
    assert path.read_text() == "0004_sku\n"


@pytest.mark.parametrize("said", ["0003_price", "<<<<<<< HEAD\n0001_initial\n=======\n0002_price\n>>>>>>> main"])
def test_a_stale_max_migration_is_reported_and_set_right_where_all_files_are_in_order(bare, said):  # case 71
    write(bare, "shop", "0001_initial: create Item", "0002_price: add Item.price")
    bare.write_model("shop", "Item", ["price"])
    path = bare.migrations("shop") / "max_migration.txt"
    path.write_text(f"{said}\n")
    commit(bare)
    bare.migrate("default")
    planned = bare.migsync("plan", "--format", "json").json
    assert [finding["code"] for finding in planned["findings"]] == ["stale-max-migration"]
    ended = bare.migsync("fix-conflicts", "--app", "shop", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert path.read_text() == "0002_price\n"
    assert bare.migsync("plan", "--format", "json").json["findings"] == []
    assert "Nothing to do" in bare.migsync("linearize", "--yes").out


def test_the_schema_of_a_fork_is_proven(bare):  # case 70
    write(bare, "shop", "0001_initial: create Item", "0002_a: add Item.a", "0002_b: after 0001_initial; add Item.b")
    bare.write_model("shop", "Item", ["a", "b"])
    commit(bare)
    ended = bare.migsync("fix-conflicts", "--first", "0002_a", "--prove-schema", "--dry-run")
    assert ended.status == 0, ended.out + ended.err
    assert "same schema on SQLite" in ended.out
    forked = bare.migsync("renumber", "--prove-schema", "--dry-run")
    assert forked.status == 0, forked.out + forked.err


LOADS = """from importlib import import_module

{name} = import_module({module})  # loaded by name


"""


def test_an_import_of_a_migration_by_name_follows_a_rename_and_refuses_a_removal(bare):  # case 79
    write(bare, "shop", "0001_initial: create Item", "0006_z: add Item.z", "0008_y: add Item.y", "0009_w: add Item.w")
    bare.write_model("shop", "Item", ["z", "y", "w"])
    texts = {}
    for name, module in (("0008_y", "'shop.migrations.0006_z'"), ("0009_w", '".0006_z", __package__')):
        path = bare.migrations("shop") / f"{name}.py"
        texts[name] = LOADS.format(name="z", module=module) + path.read_text()
        path.write_text(texts[name])
    commit(bare)
    bare.migrate("default")
    refused = bare.migsync("squash", "shop", "1", "6", "--update-db", "--format", "json").json
    assert [(each["code"], each["name"], each["line"], each["other"]) for each in refused["findings"]] == [
        ("removed-import", "0008_y", 3, "shop.0006_z"),
        ("removed-import", "0009_w", 3, "shop.0006_z"),
    ]
    ended = in_line(bare)
    assert "[reference-by-name]" not in ended.out
    made = {name: (bare.migrations("shop") / f"{name}.py").read_text() for name in ("0003_y", "0004_w")}
    assert made == {
        "0003_y": texts["0008_y"].replace("0006_z", "0002_z"),
        "0004_w": texts["0009_w"].replace("0006_z", "0002_z").replace("0008_y", "0003_y"),
    }
    assert "up to date" in bare.migsync("plan").out
