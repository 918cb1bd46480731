"""What the guard saw, through the real commands: files that were changed by hand so that every name still exists.

Judged by ``migrate``: where migsync reports nothing, it has nothing to say either.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from migsync.sync.journal.schema import upgrade_journal
from tests.companion.test_contents import fails
from tests.companion.test_guard import Shop
from tests.databases import ENGINES, Database, django_databases
from tests.profiles import THOROUGH
from tests.project.projects import django_project
from tests.sync.story import target_of

FILE = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = [{operations}]
"""
CREATE = 'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)), {0}])'
FIELD = '("{0}", models.IntegerField(null=True{1}))'
ADD = 'migrations.AddField("item", "{0}", models.IntegerField(null=True{1}))'


# What migsync saw is stored in each engine by the first and the last test here and by those of test_contents.py;
# what follows from it is the same on all, and is tried on all when thorough.
ON_SQLITE = pytest.mark.parametrize("database", ENGINES if THOROUGH else ["sqlite"], indirect=True)


class Project(Shop):
    """An app ``shop`` whose files are written as a list of (name, fields that it adds); the first makes the table."""

    def write(self, *files: tuple[str, str], more: str = "") -> None:
        for path in (self.root / "shop/migrations").glob("0*.py"):
            path.unlink()
        above = ""
        for name, fields in files:
            if above:
                operations = ", ".join(ADD.format(field, more) for field in fields.split())
            else:
                operations = CREATE.format(", ".join(FIELD.format(field, more) for field in fields.split()))
            after = f'("shop", "{above}")' if above else ""
            path = self.root / "shop/migrations" / f"{name}.py"
            path.write_text(FILE.format(after=after, operations=operations))
            above = name

    def migrate(self, *arguments: str) -> None:
        assert self.manage("migrate", "-v0", *arguments) == (0, "")

    def plan(self, status: int = 0) -> str:
        found, said = self.migsync("plan")
        assert found == status, said
        return said

    def settled(self, names: list[str]) -> None:
        """The plan is applied, undone to the letter and applied again."""
        before = self.names()
        assert self.migsync("apply", "--noinput")[0] == 0
        assert self.names() == names
        assert "up to date" in self.plan()
        assert self.migsync("undo", "--noinput")[0] == 0
        assert self.names() == before
        assert self.migsync("apply", "--noinput")[0] == 0
        assert self.names() == names

    def stopped(self) -> str:
        status, said = self.manage("migrate", "-v0")
        assert status == 1
        return said


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    settings = (
        f"INSTALLED_APPS = ['shop', 'migsync.companion']\nUSE_TZ = True\n{django_databases({'default': database})}"
    )
    files = {"shop/__init__.py": "", "shop/migrations/__init__.py": ""}
    project = Project(django_project(tmp_path, settings, files), database)
    database.create_table()
    with target_of(database) as target, closing(target.connect()) as connection:
        upgrade_journal(connection, target.table.schema)
        connection.commit()
    return project


def test_an_exchange_is_named_and_put_right(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))
    project.migrate("shop", "0002_x")
    project.write(("0001_initial", "a"), ("0002_x", "c"), ("0003_y", "b"))
    said = project.plan(1)
    assert "default" in said
    assert "blocked" in said
    assert "what ran as 0002_x is in 0003_y today" in said
    assert "Give 0003_y back the name under which it ran: 0003_y to 0002_x." in said
    assert "migsync.E002" in project.stopped()
    project.write(("0001_initial", "a"), ("0003_y", "b"), ("0004_z", "c"))
    said = project.plan()
    assert "shop.0002_x became shop.0003_y." in said
    assert "what migsync saw when it ran in this database" in said
    assert project.migsync("apply", "--noinput")[0] == 0
    project.migrate()
    assert project.names() == ["0001_initial", "0003_y", "0004_z"]
    assert "up to date" in project.plan()


@ON_SQLITE
def test_an_exchange_is_planned(project: Project) -> None:
    """The order of the numbers is put right; what ran as 0003_y is 0002_y now, and the other one has its name."""
    project.write(("0001_initial", "a"), ("0003_y", "b"), ("0002_y", "c"))
    project.migrate("shop", "0003_y")
    project.write(("0001_initial", "a"), ("0002_y", "b"), ("0003_y", "c"))
    assert "shop.0003_y became shop.0002_y." in project.plan()
    project.settled(["0001_initial", "0002_y"])
    project.migrate()
    assert "up to date" in project.plan()


@ON_SQLITE
def test_records_that_were_restored_from_before_a_run(project: Project) -> None:
    """The journal says that the rewrite was applied, and by what ran the record has its old name."""
    project.write(("0001_initial", "a"), ("0003_y", "b"), ("0002_y", "c"))
    project.migrate("shop", "0003_y")
    project.write(("0001_initial", "a"), ("0002_y", "b"), ("0003_y", "c"))
    assert project.migsync("apply", "--noinput")[0] == 0
    assert "up to date" in project.plan()
    project.database.execute("UPDATE django_migrations SET name = '0003_y' WHERE name = '0002_y'")
    said = project.plan(1)
    assert "what ran as 0003_y is in 0002_y today" in said
    assert "migsync plan --position shop=none" in said
    assert "_shop.toml was applied to shop, but" in said
    assert "inconsistent-history" not in said, "that only follows from the wrong name"
    assert project.migsync("apply", "--noinput", "--position", "shop=none")[0] == 0
    assert project.names() == ["0001_initial", "0002_y"]
    assert "up to date" in project.plan()


@ON_SQLITE
def test_a_union_under_a_name_that_ran_is_planned(project: Project) -> None:
    """C moved to the file that ran before, and D took the name of C."""
    project.write(("0001_initial", "a"), ("0002_x", "b"), ("0003_x", "c"), ("0004_x", "d"))
    project.migrate("shop", "0003_x")
    project.write(("0001_initial", "a"), ("0002_x", "b c"), ("0003_x", "d"))
    said = project.plan()
    assert "shop.0002_x and shop.0003_x became shop.0002_x." in said
    assert "What ran under this name is in shop.0002_x today" in said
    project.settled(["0001_initial", "0002_x"])
    project.migrate()
    assert project.names() == ["0001_initial", "0002_x", "0003_x"]
    assert "up to date" in project.plan()


@ON_SQLITE
def test_a_shift_onto_the_name_of_a_file_without_operations_is_planned(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", ""), ("0003_x", "c"), ("0004_x", "d"))
    project.migrate("shop", "0003_x")
    project.write(("0001_initial", "a"), ("0002_x", "c"), ("0003_x", "d"))
    said = project.plan()
    assert "shop.0003_x became shop.0002_x." in said
    assert "shop.0002_x had no operations, and its record is removed." in said
    project.settled(["0001_initial", "0002_x"])
    project.migrate()
    assert "up to date" in project.plan()


@ON_SQLITE
def test_an_exchange_of_what_ran_is_no_news(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))
    project.migrate()
    project.write(("0001_initial", "a"), ("0002_x", "c"), ("0003_y", "b"))
    assert "up to date" in project.plan()
    project.migrate()


@ON_SQLITE
def test_united_files_of_which_one_did_not_run(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))
    project.migrate("shop", "0002_x")
    project.write(("0001_initial", "a"), ("0002_x", "b c"))
    said = project.plan(1)
    assert "shop.0002_x ran, but with other operations than its file contains today" in said
    assert "This database does not have: item.c" in said
    assert "up to date" not in said
    assert "migsync.E002" in project.stopped()
    project.setting("off")
    project.migrate()  # says nothing: that is why
    assert "names match, 1 migration did not run in full" in project.migsync("plan", "--against-evidence")[1]


@ON_SQLITE
def test_a_split_file_would_run_twice(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", "b c"))
    project.migrate()
    project.write(("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))
    said = project.plan(1)
    assert "shop.0003_y is not recorded, but 1 operation in it ran already: AddField item.c" in said
    assert "migsync.E002" in project.stopped()
    project.setting("off")
    said = fails(project, "migrate", "-v0").lower()
    assert "duplicate column" in said or "already exists" in said
    project.setting("check")
    project.write(("0001_initial", "a"), ("0002_x", "b c"), ("0003_y", ""))
    project.migrate()
    assert "up to date" in project.plan()


@ON_SQLITE
def test_a_reset_by_hand(project: Project) -> None:
    """One new file with everything: right for a database that has it all, and not for one that was behind."""
    project.write(("0001_initial", "a"), ("0002_x", "b"))
    project.migrate("shop", "0001_initial")
    project.write(("0001_initial", "a b"))
    assert "This database does not have: item.b" in project.plan(1)
    project.write(("0001_initial", "a"), ("0002_x", "b"))
    project.migrate()
    project.write(("0001_initial", "a b"))
    assert "does not have" not in project.plan()


@ON_SQLITE
def test_edits_that_no_database_sees_are_no_news(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", "b"))
    project.migrate()
    project.write(("0001_initial", "a"), ("0002_x", "b"), more=", help_text='x', blank=True")
    assert "up to date" in project.plan()


@ON_SQLITE
def test_what_a_rewrite_says_is_not_asked_again(project: Project) -> None:
    project.write(("0001_initial", "a"), ("0002_x", "b"), ("0003_y", "c"))
    project.migrate()
    project.write(("0001_initial", "a"), ("0002_z", "b c"))
    collapse = ("--collapse", "shop.0002_z=0002_x+0003_y")
    assert project.migsync("apply", "--noinput", *collapse)[0] == 0
    assert "up to date" in project.plan()
    project.migrate()


@ON_SQLITE
def test_renamed_without_git(project: Project) -> None:
    """A container holds no history of the files; the database does."""
    project.write(("0001_initial", "a"), ("0002_auto", "b"))
    project.migrate()
    project.write(("0001_initial", "a"), ("0002_menu", "c"), ("0003_collection", "b"))
    # The newcomer stands before what ran.
    assert "shop.0002_auto became shop.0003_collection" in project.plan(1)
    project.write(("0001_initial", "a"), ("0003_collection", "b"), ("0004_menu", "c"))
    assert project.migsync("apply", "--noinput")[0] == 0
    project.migrate()
    assert project.names() == ["0001_initial", "0003_collection", "0004_menu"]


def test_a_record_that_was_unapplied_and_is_there_again(project: Project) -> None:
    """Somebody restored django_migrations alone."""
    project.write(("0001_initial", "a"), ("0002_x", "b"))
    project.migrate()
    (row,) = project.database.execute("SELECT id, app, name, applied FROM django_migrations WHERE name = '0002_x'")
    project.migrate("shop", "0001_initial")
    project.database.insert([row])
    said = project.plan(1)
    assert "is recorded, but the guard saw `migrate` unapply it and delete this row" in said
    assert "migsync.E002" in project.stopped()
    status, said = project.migsync("apply", "--noinput", "--against-evidence")
    assert (status, "noted that 1 file is taken for what ran" in said) == (0, True)
    assert "up to date" in project.plan()
