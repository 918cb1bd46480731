"""The pipeline through the real command: what refuses, what is shown, and that nothing is written before it may be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.shop import Shop
from tests.refactor.conftest import MODELS, commit, write

KILLED = 137
DIES = """
import importlib, os, sys

place = importlib.import_module("{module}")
place.{name}  # it is there
place.{name} = lambda *arguments, **named: os._exit(137)
from migsync.__main__ import main
sys.argv = ["migsync", "linearize", "--update-db", "--yes"]
main()
"""


def snapshot(project):
    """Every file of the project but git's, with its content."""
    return {
        path.relative_to(project.root): path.read_bytes()
        for path in sorted(project.root.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


def test_a_dry_run_writes_nothing_at_all(shop):
    before = snapshot(shop)
    ended = shop.migsync("linearize", "--update-db", "--dry-run")
    assert ended.status == 0, ended.out + ended.err
    assert "Dry run: nothing was changed." in ended.out
    assert snapshot(shop) == before


def test_without_a_terminal_it_asks_for_a_yes(shop):
    before = snapshot(shop)
    ended = shop.migsync("linearize", "--update-db")
    assert ended.status == 1
    assert "migsync cannot ask for confirmation" in ended.err
    assert snapshot(shop) == before


def test_at_a_terminal_it_asks_and_no_changes_nothing(shop):
    rows, files, person = shop.dumps(), shop.files(), Shop(shop.root)
    ended = person.at_terminal("linearize", "--update-db", answers=["n\n"])
    assert ended.status == 1
    assert "Change 4 files and 3 records in default?" in ended.out
    assert (shop.dumps(), shop.files()) == (rows, files)
    ended = person.at_terminal("linearize", "--update-db", answers=["y\n"])
    assert ended.status == 0, ended.out
    assert shop.pending("default") == []


def test_json_is_one_document_with_files_plans_and_results(shop):
    document = shop.migsync("linearize", "--update-db", "--yes", "--format", "json").json
    assert document["format_version"] == 1
    assert document["status"] == "done"
    assert document["rewrite"]["apps"]["shop"]["removed"] == ["0004_merge"]
    assert [(file["old"], file["new"]) for file in document["files"]] == [
        ("shop/migrations/0003_price.py", "shop/migrations/0002_price.py"),
        ("shop/migrations/0003_size.py", "shop/migrations/0003_size.py"),
        ("shop/migrations/0004_merge.py", None),
        ("shop/migrations/0006_sku.py", "shop/migrations/0004_sku.py"),
    ]
    assert [(done["alias"], done["status"], done["changes"]) for done in document["done"]] == [
        ("default", "applied", 3)
    ]


def test_json_of_a_refusal_holds_its_code(shop):
    ended = shop.migsync("linearize", "--yes", "--format", "json")
    assert ended.status == 1
    assert ended.json["status"] == "refused"
    assert [finding["code"] for finding in ended.json["findings"] if finding["severity"] == "error"] == [
        "applied-names"
    ]


@pytest.mark.parametrize("command", [("remake",), ("squash", "shop", "7", "9"), ("squash", "--all-safe")])
def test_what_is_known_at_once_refuses_before_the_project_is_started(shop, command):  # case 73
    models = shop.root / "shop" / "models.py"
    models.write_text("raise RuntimeError")
    write(shop, "shop", "0007_a: after 0006_sku; add Item.a", "0008_b: add Item.b", "0009_c: add Item.c")
    for name in ("0007_a", "0008_b", "0009_c"):
        shop.databases["default"].execute(
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '{name}', '2021-01-01 00:00:00')"
        )
    ended = shop.migsync(*command, "--yes", "--format", "json")
    assert ended.status == 1, ended.out + ended.err
    assert [finding["code"] for finding in ended.json["findings"] if finding["severity"] == "error"] == [
        "applied-names"
    ]
    looked = shop.migsync(*command, "--dry-run")
    assert "RuntimeError" in looked.err, "a dry run goes on"


def test_sql_is_the_statements_that_the_databases_will_get(shop):
    ended = shop.migsync("linearize", "--update-db", "--dry-run", "--format", "sql")
    assert ended.status == 0
    assert "UPDATE" in ended.out
    assert "0002_price" in ended.out


def test_a_target_that_cannot_be_reached_refuses_unless_it_is_left_for_later(shop):
    shop.extra = (
        '\nDATABASES["away"] = {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "HOST": "127.0.0.1", '
        '"PORT": "1", "USER": "x"}'
    )
    shop.write_settings()
    commit(shop, "another database")
    ended = shop.migsync("linearize", "--update-db", "--yes")
    assert ended.status == 1
    assert "away could not be read" in ended.out
    ended = shop.migsync("linearize", "--update-db", "--yes", "--allow-applied")
    assert ended.status == 0, ended.out + ended.err
    assert "`migsync apply` can bring it up to date later." in ended.out
    assert "Not up to date yet: away" in ended.out


def test_an_unknown_app_names_those_that_there_are(shop):
    ended = shop.migsync("renumber", "shp")
    assert ended.status == 64
    assert "Did you mean shop?" in ended.err


def test_a_cycle_and_a_dangling_dependency_are_told_by_name(bare):
    write(bare, "shop", "0001_initial: after shop.0002_b; create Item", "0002_b: after 0001_initial 0009_gone")
    ended = bare.migsync("linearize", "--yes")
    assert ended.status == 1
    assert "shop.0002_b depends on shop.0009_gone, which is not on disk." in ended.out
    assert "Migrations depend on each other" in ended.out


def test_proof_of_the_schema(shop):
    ended = shop.migsync("linearize", "--update-db", "--dry-run", "--prove-schema", "--diff")
    assert ended.status == 0, ended.out + ended.err
    assert "same `migrate --plan`, same schema on SQLite\n" in ended.out
    assert "Schema: old and new files build the same on SQLite (" in ended.out


@pytest.mark.parametrize(
    ("module", "name", "forward"),
    [
        ("migsync.files.commit.transaction", "run_step", False),
        ("migsync.files.commit.transaction", "roll_forward", True),
    ],
    ids=["before the database", "after the database"],
)
def test_a_kill_between_files_and_commit_is_settled_by_the_next_command(shop, module, name, forward):
    """Pitfall 25. The kill is the end of the process at that call; tests/files/commit sweeps over every one."""
    rows, files = shop.dumps(), shop.files()
    ended = shop.run(sys.executable, "-c", DIES.format(module=module, name=name))
    assert ended.status == KILLED, ended.out + ended.err
    assert "linearize was interrupted" in shop.migsync("plan").err
    assert shop.pending("default") == []
    assert (shop.dumps() != rows, shop.files() != files) == (forward, forward)
    assert "Nothing to recover" in shop.migsync("recover").out


def test_a_kill_is_settled_by_migrate_where_the_companion_is_installed(shop):
    """Rows changed, files not yet: without it, `migrate` would take the old files for unapplied ones."""
    shop.run(sys.executable, "-c", DIES.format(module="migsync.files.commit.transaction", name="roll_forward"))
    with (shop.root / "config" / "settings.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS = [*INSTALLED_APPS, "migsync.companion"]\n')
    ended = shop.run(sys.executable, "manage.py", "migrate")
    assert "was interrupted earlier and is" in ended.err, ended.out + ended.err
    assert ended.status == 0, ended.out + ended.err
    assert shop.pending("default") == []


def test_undo_with_files_is_refused_when_one_was_edited(shop):
    assert shop.migsync("linearize", "--update-db", "--yes").status == 0
    path = shop.migrations("shop") / "0004_sku.py"
    path.write_text(path.read_text() + "# mine\n")
    rows, edited = shop.dumps(), path.read_text()
    ended = shop.migsync("undo", "--files", "--yes")
    assert ended.status == 3
    assert "shop/migrations/0004_sku.py" in ended.err
    assert (shop.dumps(), path.read_text()) == (rows, edited)


def test_a_rebase_points_a_retired_name_to_its_successor(shop):
    """A branch was open while main was put in line; after its git rebase one migsync rebase mends the file."""
    write(shop, "blog", "0001_initial: create Post")
    post = MODELS.partition("    price")[0].replace("Item", "Post")
    (shop.root / "blog" / "models.py").write_text(post)
    commit(shop, "a blog")
    shop.migrate("default")
    shop.run("git", "checkout", "-q", "-b", "feature")
    write(shop, "shop", "0007_more: after 0006_sku; add Item.more")
    (shop.root / "shop" / "models.py").write_text(MODELS + "    more = models.IntegerField(default=0)\n")
    write(shop, "blog", "0002_text: after 0001_initial shop.0004_merge; alter Post.name 1")
    text = (shop.migrations("blog") / "0002_text.py").read_text()
    (shop.migrations("blog") / "0002_text.py").write_text(
        text[: text.index("    operations")] + "    operations = []\n"
    )
    commit(shop, "mine")
    shop.run("git", "checkout", "-q", "main")
    assert shop.migsync("linearize", "--update-db", "--yes").status == 0
    commit(shop, "in line")
    shop.run("git", "checkout", "-q", "feature")
    assert shop.run("git", "rebase", "-q", "main").status == 0
    assert "NodeNotFoundError" in shop.pending("default")[0]
    ended = shop.migsync("rebase", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert (shop.migrations("shop") / "0005_more.py").exists()
    assert '("shop", "0003_size")' in (shop.migrations("blog") / "0002_text.py").read_text()
    assert sorted(shop.pending("default")) == ["blog.0002_text", "shop.0005_more"]


def test_a_rebase_in_the_middle_of_a_merge_settles_max_migration(shop):
    path = shop.migrations("shop") / "max_migration.txt"

    def add(name):
        write(shop, "shop", f"{name}: after 0006_sku; alter Item.sku 0")
        path.write_text(f"{name}\n")
        commit(shop, name)

    path.write_text("0006_sku\n")
    commit(shop, "django-linear-migrations")
    shop.run("git", "checkout", "-q", "-b", "feature")
    add("0007_mine")
    shop.run("git", "checkout", "-q", "main")
    add("0007_theirs")
    shop.run("git", "checkout", "-q", "feature")
    assert shop.run("git", "merge", "main").status == 1
    assert "<<<<<<<" in path.read_text()
    ended = shop.migsync("rebase", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert path.read_text() == "0008_mine\n"
    assert shop.pending("default") == ["shop.0007_theirs", "shop.0008_mine"]


def test_a_rebase_needs_git(bare):
    write(bare, "shop", "0001_initial: create Item")
    ended = bare.migsync("rebase")
    assert ended.status == 1
    assert "is not in a git repository" in ended.err
    assert "migsync fix-conflicts" in ended.err


def test_as_a_command_of_manage_py(shop):
    with_companion = shop.root / "config" / "settings.py"
    with_companion.write_text(with_companion.read_text() + '\nINSTALLED_APPS += ["migsync.companion"]\n')
    commit(shop, "with the companion")
    ended = subprocess.run(
        [sys.executable, "manage.py", "migsync", "linearize", "--update-db", "--yes"],
        cwd=shop.root,
        env={**os.environ, "MIGSYNC_CACHE": str(shop.root.parent / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert shop.pending("default") == []


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_a_report_is_written_with_a_dry_run_too(shop, name):
    files = shop.files()
    path = shop.root.parent / name
    ended = shop.migsync("linearize", "--update-db", "--dry-run", "--report", str(path))
    assert ended.status == 0, ended.out + ended.err
    assert "migrate --plan" in path.read_text()
    assert shop.files() == files
    assert shop.migsync("linearize", "--dry-run", "--report", str(path.with_suffix(".pdf"))).status == 64
