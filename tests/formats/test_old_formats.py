"""What an old migsync wrote is read, planned, applied, undone and recovered by the code of the day.

The rows and names that are expected are worked out by hand here; nothing is compared with what migsync says.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migsync.cli.program import run
from migsync.engines.config import DatabaseConfig
from migsync.sync.journal.tables import NEWEST
from migsync.sync.target import open_target
from tests.databases import ENGINES, Database, SQLiteDatabase, django_databases
from tests.formats.archive import unpack
from tests.formats.project import ALIASES, DATABASES, MAPPED, NEW_FILES, PROJECT, applied_at, identity_of

HERE = Path(__file__).parent
GENERATIONS = sorted(path.name for path in HERE.iterdir() if any(path.glob("*-settled.txt")))

# Rows by hand: id -> (app, name). The times are those of project.applied_at, and never change.
ORIGINAL = {
    1: ("shop", "0001_initial"),
    2: ("shop", "0003_item_size"),
    3: ("shop", "0003_item_price"),
    4: ("shop", "0004_merge"),
    5: ("blog", "0001_initial"),
    6: ("blog", "0002_post_body"),
    7: ("blog", "0003_post_slug"),
}
LINEAR = {id_: row for id_, row in ORIGINAL.items() if id_ != 4} | {3: ("shop", "0002_item_price")}
SQUASHED = {id_: LINEAR[id_] for id_ in (1, 2, 3)} | {7: ("blog", "0001_squashed_0003_post_slug")}
NEW = {9: ("shop", "0009_item_note"), 10: ("shop", "0011_item_weight")}
NUMBERED = {9: ("shop", "0005_item_note"), 10: ("shop", "0006_item_weight")}
ROWS = {
    "settled": SQUASHED | {8: ("shop", "0004_item_sku")} | NEW,
    "numbered": SQUASHED | {8: ("shop", "0004_item_sku")} | NUMBERED,
    "mapped": SQUASHED | {8: ("shop", "0004_item_sku")} | NEW | {10: ("shop", "0010_item_weight")},
    "before squash": LINEAR | {8: ("shop", "0004_item_sku")} | NEW,
    "before linearize": ORIGINAL | {8: ("shop", "0006_item_sku")} | NEW,
    "second": ORIGINAL,
    "second applied": SQUASHED,
}
KINDS = ["apply", "apply", "undo", "undo", "apply", "undo"]
SHOP = ["0001_initial", "0002_item_price", "0003_item_size", "0004_item_sku"]
FILES = {
    "settled": [*SHOP, "0009_item_note", "0011_item_weight"],
    "numbered": [*SHOP, "0005_item_note", "0006_item_weight"],
    "before linearize": ["0001_initial", "0003_item_price", "0003_item_size", "0004_merge", "0006_item_sku"],
}


class Old:
    """The project and the databases as they were kept, ready for the code of the day."""

    def __init__(self, place: Path, databases: dict[str, Database], capsys: pytest.CaptureFixture[str]) -> None:
        self.place, self.databases, self.capsys = place, databases, capsys
        self.root = place / "project"

    def load(self, archive: Path) -> Old:
        unpack(archive.read_text(encoding="utf-8"), self.place)
        config = self.root / "config.py"
        config.write_text(config.read_text().replace(DATABASES, django_databases(self.databases)))
        for alias, database in self.databases.items():
            load(database, (self.place / f"{alias}.sql").read_text())
        for plans in self.place.glob("*.json"):
            plans.write_text(json.dumps(self.filled_in(json.loads(plans.read_text()))))
        return self

    def filled_in(self, document):
        """A plan file made for these databases: with what they say that they are, and the ids that follow from it."""
        for plan in document["plans"]:
            alias = plan["target"]["alias"]
            assert plan["target"]["identity"] == identity_of(alias)
            with open_target(DatabaseConfig(alias, self.databases[alias].url)) as target:
                plan["target"]["identity"] = target.ref.identity
            content = {name: value for name, value in plan.items() if name not in ("id", "findings")}
            content["target"] = {name: value for name, value in plan["target"].items() if name != "alias"}
            canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
            plan["id"] = hashlib.sha256(canonical.encode()).hexdigest()[:32]
        return document

    def run(self, *arguments: str, status: int = 0) -> str:
        self.capsys.readouterr()
        ended = run(arguments)
        out, err = self.capsys.readouterr()
        assert ended == status, (arguments, out, err)
        return out + err

    def json(self, *arguments: str, status: int = 0):
        return json.loads(self.run(*arguments, "--format", "json", status=status))

    def runs(self, alias: str):
        """The journal of one database, the oldest run first."""
        (journal,) = self.json("log", "-d", alias)["databases"]
        return journal["runs"][::-1]

    def shop(self) -> list[str]:
        return sorted(path.stem for path in (self.root / "shop" / "migrations").glob("0*.py"))

    def has_rows(self, alias: str, expected: str) -> None:
        found = []
        for id_, app, name, applied in self.databases[alias].dump():
            # PostgreSQL leaves out zeros at the end, and adds the zone.
            assert applied.removesuffix("+00").rstrip("0") == applied_at(alias, int(id_)).rstrip("0")
            found.append((int(id_), (app, name)))
        assert dict(found) == ROWS[expected]
        assert len(found) == len(ROWS[expected])


def load(database: Database, dump: str) -> None:
    if isinstance(database, SQLiteDatabase):
        with closing(database.connect()) as connection:
            connection.executescript(dump)
        return
    # No text in the dumps holds a line that ends so.
    with closing(database.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in dump.split(";\n"):
            if statement.strip():
                cursor.execute(statement.strip())
        connection.commit()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> Path:
    return HERE / str(request.param)


@pytest.fixture
def old(engine, new_database, tmp_path, monkeypatch, capsys) -> Iterator[Old]:
    place = tmp_path / "old"
    (place / "project").mkdir(parents=True)
    monkeypatch.chdir(place / "project")
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    return Old(place, {alias: new_database(engine) for alias in ALIASES}, capsys)


@pytest.fixture
def settled(old, engine, generation) -> Old:
    return old.load(generation / f"{engine}-settled.txt")


def test_the_journals_are_read(settled):
    runs = settled.runs("default")
    assert [run["kind"] for run in runs] == KINDS
    assert [run["in_force"] for run in runs] == [True, True, False, False, False, False]
    assert [run["number"] for run in runs] == [1, 2, 3, 4, 5, 6]
    assert runs[2]["reason"] == "it's a test; with 100% of \\ and \""
    assert {run["author"] for run in runs} == {"ana@laptop"}
    assert settled.runs("second") == []
    (shown,) = settled.json("show", runs[2]["id"], "-d", "default")["databases"]
    assert [change["kind"] for change in shown["run"]["changes"]] == ["rename", "insert", "insert"]


def test_what_is_pending_is_planned_and_applied_and_django_goes_on(settled):
    stated = {each["target"]["alias"]: len(each["changes"]) for each in settled.json("plan")["plans"]}
    assert stated == {"default": 0, "second": 5}
    settled.run("plan", "--check", status=2)
    settled.run("status")
    settled.run("apply", "--noinput")
    settled.has_rows("default", "settled")
    settled.has_rows("second", "second applied")
    assert [run["kind"] for run in settled.runs("default")] == KINDS
    assert [run["kind"] for run in settled.runs("second")] == ["apply"]
    migrate(settled.root, "second")
    assert [name for _, _, name, _ in settled.databases["second"].dump()][-3:] == [
        "0004_item_sku",
        "0009_item_note",
        "0011_item_weight",
    ]


def test_a_saved_plan_is_shown_and_applied_and_undone(settled):
    assert "0001_squashed_0003_post_slug" in settled.run("show", "../plan.json")
    settled.run("apply", "../plan.json", "--noinput")
    settled.has_rows("second", "second applied")
    assert "already applied" in settled.run("apply", "../plan.json", "--noinput")
    settled.run("undo", "-d", "second", "--noinput")
    settled.has_rows("second", "second")
    settled.has_rows("default", "settled")


def test_a_saved_plan_that_rests_on_a_proposal_is_applied(settled):
    migrations = settled.root / "shop" / "migrations"
    (migrations / f"{MAPPED[0]}.py").rename(migrations / f"{MAPPED[1]}.py")
    settled.run("apply", "../map.json", "--noinput")
    settled.has_rows("default", "mapped")
    assert len(list((settled.root / "migration_rewrites").glob("*.toml"))) == 3
    settled.run("plan", "-d", "default", "--check")


def test_runs_are_undone_one_by_one(settled):
    assert settled.databases["default"].execute("SELECT version_num FROM migsync_version") == [("0001",)]
    for expected in ("before squash", "before linearize"):
        settled.run("undo", "-d", "default", "--noinput")
        settled.has_rows("default", expected)
    assert "nothing to undo" in settled.run("undo", "-d", "default", "--noinput")
    assert [run["kind"] for run in settled.runs("default")] == [*KINDS, "undo", "undo"]
    # The first of them has brought the journal up to date.
    assert settled.databases["default"].execute("SELECT version_num FROM migsync_version") == [(NEWEST,)]
    assert settled.databases["default"].execute("SELECT count(*) FROM migsync_content_seen") == [(0,)]


def test_files_and_rows_are_undone_together(settled):
    trust(settled, "undo", "--files", "--noinput", status=1)
    settled.run("undo", "--files", "--noinput")
    settled.has_rows("default", "before squash")
    # The files that were added since depend on names that linearize gave.
    assert "files-needed-since" in settled.run("undo", "--files", "--noinput", status=1)
    for name in NEW_FILES.keys() - PROJECT.keys():
        (settled.root / name).unlink()
    settled.run("undo", "--files", "--noinput")
    settled.has_rows("default", "before linearize")
    for name, text in {**PROJECT, "shop/models.py": NEW_FILES["shop/models.py"]}.items():
        if name != "config.py":
            assert (settled.root / name).read_text() == text
    assert settled.shop() == FILES["before linearize"]
    assert not (settled.root / "migration_rewrites").exists()


@pytest.mark.parametrize(
    ("state", "expected"), [("before-commit", "settled"), ("after-commit", "numbered"), ("between-files", "numbered")]
)
def test_a_change_of_files_that_was_cut_off_is_recovered(old, engine, generation, state, expected):
    old.load(generation / f"{engine}-{state}.txt")
    trust(old, "recover", status=6)
    assert old.shop() == FILES[expected]
    old.has_rows("default", expected)
    old.has_rows("second", "second")
    assert not list((old.root / "shop" / "migrations").glob(".migsync*"))
    assert not (old.root / ".migsync" / "open").exists()
    old.run("plan", "-d", "default", "--check")
    if expected == "numbered":
        old.run("undo", "--files", "--noinput")
        assert old.shop() == FILES["settled"]
        old.has_rows("default", "settled")


def trust(old: Old, *command: str, status: int) -> None:
    """This version acts only on records with its user's seal, and old versions wrote none."""
    before = old.shop()
    assert "migsync recover --trust" in old.run(*command, status=status)
    assert old.shop() == before
    old.run("recover", "--trust", "--noinput")


def migrate(root: Path, alias: str) -> None:
    """Django's own migrate."""
    code = (
        "import sys\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config"}
    command = [sys.executable, "-c", code, "migrate", "--database", alias, "-v0"]
    subprocess.run(command, cwd=root, env=env, check=True)
