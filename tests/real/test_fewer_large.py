"""squash --all-safe and remake on pretalx and pretix, whose migrations really run: on SQLite and on PostgreSQL.

Each needs a Python of its own, as test_rewriting.py tells, and is skipped without. What is dropped needs models of its
own days, and remake has told so. makemigrations comes first: a fresh pretix finds something to add. On a machine that
does nothing else, pretalx takes some five minutes on each engine, and pretix some twenty.

On PostgreSQL pretix's own squash 0051_…_0057_… leaves two indexes of a new field that it should take away: databases
that ran the old files have none. So a migration takes them away first, as remake says there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.databases import Database, SQLiteDatabase
from tests.real.project import RealProject, make_project, site, use_databases

pytestmark = pytest.mark.real

NOTHING_TO_DO = "No planned migration operations."
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
DROPPED = {
    "pretalx": (
        "mail.0013",
        "person.0035",
        "submission.0058",
        "submission.0080",
        "submission.0093",
        "submission.0095",
        "submission.0098",
        "submission.0101",
    ),
    "pretix": (
        "pretixbase.0031_auto_20160816_0648_squashed_0048_auto_20161129_1330",
        "pretixbase.0050_orderposition_positionid_squashed_0061_event_location",
        "pretixbase.0051_auto_20170206_2027_squashed_0057_auto_20170501_2116",
        "pretixbase.0071_auto_20170729_1616_squashed_0075_auto_20170828_0901",
        "pretixbase.0076_orderfee_squashed_0082_invoiceaddress_internal_reference",
        "pretixbase.0077_auto_20171124_1629_squashed_0088_auto_20180328_1217",
        "pretixbase.0090_auto_20180509_0917_squashed_0095_auto_20180604_1129",
        "pretixbase.0102_auto_20181017_0024",
        "pretixbase.0108_auto_20190201_1527_squashed_0141_seat_sorting_rank",
        "pretixbase.0184_customer",
        "pretixbase.0211_auto_20220314_2001",
        "pretixbase.0236_reusable_media",
        "pretixbase.0250_eventmetaproperty_filter_public",
        "pretixbase.0252_logentry_organizer",
        "pretixbase.0273_remove_checkinlist_auto_checkin_sales_channels",
        "pretixbase.0300_add_reusablemedium_label",
        "pretixdroid.0003_appconfiguration_squashed_0005_auto_20180106_2122",
    ),
}


LEFT_OVER = """\
from django.db import migrations


def drop_left_over(apps, schema_editor):
    model = apps.get_model("pretixbase", "GlobalSettingsObject_SettingsStore")
    for name in schema_editor._constraint_names(model, ["key"], index=True, unique=False):
        schema_editor.execute(schema_editor._delete_index_sql(model, name))


class Migration(migrations.Migration):
    dependencies = [("pretixbase", {after!r})]
    operations = [migrations.RunPython(drop_left_over)]
"""


@dataclass(frozen=True)
class Migrated:
    """A project with one database, in which all of its migrations ran, and an empty one."""

    name: str
    engine: str
    project: RealProject
    database: Database
    empty: Database

    @property
    def state(self) -> tuple[object, object]:
        """Every row of django_migrations, and every file of the history but Python's own."""
        root = self.project.history
        paths = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        files = {path.relative_to(root): (path.read_bytes(), path.stat().st_mode) for path in paths}
        return self.database.dump(), files

    @property
    def count(self) -> int:
        """How many migration files there are."""
        return len(list(self.project.history.glob("*/[0-9]*.py")))

    def rewrite(self, *command: str) -> None:
        """Run the command, and look at all that a person would look at; then take it back."""
        state, count, model_changes = self.state, self.count, self.project.make_plan()

        said = self.project.migsync(*command, "--update-db", "--noinput", "--diff")

        words = ENGINES[self.engine]
        print(count, self.count, *re.findall(r"^Proven: .*", said, re.MULTILINE), sep="\n")
        for proven in (
            rf"Schema: old and new files build the same on {words} \(\d+ tables",
            rf"Data: the migrations leave the same rows on {words} \(\d+ rows",
            rf"Transition: of \d+ databases that are behind, \d+ come out the same on {words}, \d+ are refused",
        ):
            assert re.search(rf"^Proven: {proven}", said, re.MULTILINE), said[-8000:]
        assert self.count < count
        assert NOTHING_TO_DO in self.project.migrate_plans(["default"])["default"]
        assert self.project.make_plan() == model_changes
        use_databases(self.project, {"default": self.empty})
        self.project.manage("migrate", "--skip-checks", "--verbosity", "0")
        assert names(self.empty) == names(self.database)
        use_databases(self.project, {"default": self.database})
        self.project.migsync("undo", "--noinput", "--files")
        assert self.state == state


def names(database: Database) -> list[tuple[str, str]]:
    return sorted((app, name) for _, app, name, _ in database.dump())


@pytest.fixture(params=[(name, engine) for name in DROPPED for engine in ENGINES], ids="-".join)
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Migrated]:
    name, engine = request.param
    variable = f"MIGSYNC_TEST_{name.upper()}"
    if not (python := os.environ.get(variable)):
        pytest.skip(f"no {name}: set {variable} to a Python that has it")
    root = tmp_path / "project"
    root.mkdir()
    with ExitStack() as stack:
        databases: list[Database] = []
        for place in ("database", "empty"):
            if engine == "sqlite":
                databases.append(SQLiteDatabase(tmp_path / f"{place}.sqlite3"))
            else:
                servers = request.getfixturevalue(f"{engine}_databases")
                databases.append(stack.enter_context(servers.database()))
        project = make_project(root, {"default": databases[0]}, site(name, python))
        project.manage("makemigrations", "--skip-checks", "--noinput")
        if name == "pretix":
            last = max(path.stem for path in (project.history / "pretixbase").glob("[0-9]*.py"))
            text = LEFT_OVER.format(after=last)
            (project.history / "pretixbase" / "9999_left_over_indexes.py").write_text(text)
        project.manage("migrate", "--skip-checks", "--verbosity", "0")
        yield Migrated(name, engine, project, *databases)


def test_squash_all_that_is_safe(migrated: Migrated) -> None:
    migrated.rewrite("squash", "--all-safe")


def test_remake(migrated: Migrated) -> None:
    # All by name: of pretixdroid nothing but an empty migration is left.
    apps = sorted(path.name for path in migrated.project.history.iterdir() if path.is_dir() and path.name.isalnum())
    migrated.rewrite("remake", *apps, *(word for key in DROPPED[migrated.name] for word in ("--drop", key)))
