"""``kill -9`` at random moments of ``apply`` and of ``linearize --update-db``: nothing mixed, and nothing lost.

tests/sync/test_promises.py and tests/files/commit/test_kill.py kill at every step that the code names. Here it is the
clock that decides, so a moment between two steps is hit as well. MIGSYNC_TEST_PROFILE=thorough kills ``apply`` 300
times and ``linearize`` 100 times on each engine; the quick profile, a few times on one.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import forkserver
from tests.conftest import NewDatabase
from tests.databases import ENGINES, Database
from tests.pitfalls.project import Dump, File, Project
from tests.profiles import THOROUGH, examples

ADDED = 12
"""Columns, one a file, after a fork that is merged and a gap: names shift by one, and the merge goes."""

OLD = (
    "0001_initial",
    "0002_left",
    "0002_right",
    "0003_merge",
    *(f"{number:04}_column" for number in range(5, 5 + ADDED)),
)
NAMES = {
    "0002_right": "0003_right",
    **{f"{number:04}_column": f"{number - 1:04}_column" for number in range(5, 5 + ADDED)},
}
"""What ``linearize`` renames: most names mean another migration afterwards."""
REMOVED = "0003_merge"


def files() -> list[File]:
    """The files of before, as ``makemigrations`` and ``makemigrations --merge`` make them."""
    first, left, right, merge, *rest = OLD
    found = [
        File(first, ("create Item",)),
        File(left, ("add Item.left",), (("shop", first),)),
        File(right, ("add Item.right",), (("shop", first),)),
        File(merge, (), (("shop", left), ("shop", right))),
    ]
    for number, name in enumerate(rest):
        found.append(File(name, (f"add Item.c{number}",), (("shop", OLD[3 + number]),)))
    return found


@dataclass
class Victim:
    """A project whose commands are killed, and what its files and rows are before and after."""

    project: Project
    database: Database
    template: Path
    """A copy of the project's files as they are before the command."""
    dice: random.Random
    new_rows: Dump
    new_files: dict[str, str]
    whole: float = 0
    """Seconds that the command takes if it is left alone."""
    tail: float = 0
    """Those of them that are left when it has made its first note on disk."""

    @property
    def rows(self) -> Dump:
        return self.database.dump()

    @property
    def files(self) -> dict[str, str]:
        return {name: text for name, text in self.project.files().items() if not name.startswith("migration_rewrites")}

    def reset(self) -> None:
        """Files and rows as they were; the journal is there, and empty, or as the dice fall there is none."""
        shutil.rmtree(self.project.root)
        shutil.copytree(self.template, self.project.root)
        shutil.rmtree(self.project.root.parent / "cache", ignore_errors=True)
        drop = self.dice.random() < 0.5
        for table in journal_tables(self.database, drop=drop):
            self.database.execute(f"DROP TABLE {table}" if drop else f"DELETE FROM {table}")
        self.database.execute("DELETE FROM django_migrations")
        self.database.insert(ROWS)

    def has_begun(self) -> bool:
        """Whether the command has noted on disk what it is about to do."""
        pending = self.project.root.parent.glob("cache/*.pending/*.json")
        return any(pending) or any((self.project.root / ".migsync").glob("*/*"))

    def measure(self, *command: str) -> None:
        """Let the command come to its end, and take the time."""
        started = begun = time.perf_counter()
        with self.process(*command) as process:
            while process.poll() is None and not self.has_begun():
                begun = time.perf_counter()
            assert process.wait() == 0
        self.whole, self.tail = time.perf_counter() - started, time.perf_counter() - begun

    def kill(self, *command: str) -> bool:
        """Kill the command at a random moment, every other time while it changes something. False: it has ended."""
        aimed = self.dice.random() < 0.5
        delay = self.dice.uniform(0, 1.1 * (self.tail if aimed else self.whole))
        with self.process(*command) as process:
            while aimed and process.poll() is None and not self.has_begun():
                pass
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
                return True
        return False

    def process(self, *command: str) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", "migsync", *command]
        silent = subprocess.DEVNULL
        return subprocess.Popen(
            arguments, cwd=self.project.root, env=self.project.environment(), stdin=silent, stdout=silent, stderr=silent
        )

    def must(self, *command: str) -> None:
        ended = self.project.migsync(*command)
        assert ended.status == 0, (command, ended)


ROWS = [
    (number, "shop", name, f"2026-01-01 10:00:{number:02}.12345{number % 10}") for number, name in enumerate(OLD, 1)
]


def journal_tables(database: Database, *, drop: bool) -> list[str]:
    """Tables of the journal in an order in which they can be emptied; its version stays unless all are dropped."""
    place = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "postgresql": "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
        "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    }
    found = [row[0] for row in database.execute(place[database.engine])]
    order = ("migsync_change", "migsync_run", "migsync_")
    ours = sorted(
        (name for name in found if name.startswith("migsync")),
        key=lambda name: next(number for number, start in enumerate(order) if name.startswith(start)),
    )
    return [name for name in ours if drop or "version" not in name]


def after(dump: Dump) -> Dump:
    """The rows as they must become: same ids, same times."""
    return [(id_, app, NAMES.get(name, name), applied) for id_, app, name, applied in dump if name != REMOVED]


@pytest.fixture
def victim(request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path) -> Iterator[Victim]:
    """Before ``linearize``. Processes are forked also in the thorough profile, where most are started afresh."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"\nseed {seed}")
    database = new_database(request.param)
    database.create_table()
    database.insert(ROWS)
    project = Project(tmp_path / "project", {"default": database})
    project.write_files("shop", files())
    project.write_model("shop", "Item", ["left", "right", *(f"c{number}" for number in range(ADDED))])
    template = tmp_path / "template"
    with forkserver.forked():
        shutil.copytree(project.root, template)
        yield Victim(project, database, template, random.Random(seed), after(database.dump()), {})


def rounds(victim: Victim, count: int, round_: Callable[[], str]) -> None:
    """Play so many rounds, and print how they ended."""
    ends: Counter[str] = Counter()
    for number in range(count):
        victim.reset()
        try:
            ends[round_()] += 1
        except BaseException:
            print(f"in round {number}")
            raise
    print(f"{victim.database.engine}: {count} rounds, {victim.whole:.2f} s each, {victim.tail:.2f} s of writing", ends)


@pytest.mark.parametrize("victim", ENGINES if THOROUGH else ["mysql"], indirect=True)
def test_apply(victim: Victim) -> None:
    """Rows are old or new, also before anything is settled; then they are new, by one run, and undo is exact."""
    victim.must("linearize", "--noinput", "--allow-applied")
    shutil.rmtree(victim.template)
    shutil.rmtree(victim.project.root / ".migsync")
    shutil.copytree(victim.project.root, victim.template)
    old, new = victim.rows, victim.new_rows
    victim.measure("apply", "--noinput")
    assert victim.rows == new

    def round_() -> str:
        killed = victim.kill("apply", "--noinput")
        assert victim.rows in (old, new)
        if recover := victim.dice.random() < 0.5:
            victim.must("recover")
        was_new = victim.rows == new
        assert was_new or (killed and victim.rows == old)
        victim.must("apply", "--noinput")
        assert victim.rows == new
        assert victim.database.execute("SELECT count(*) FROM migsync_run") == [(1,)]
        victim.must("recover")
        victim.must("undo", "--noinput")
        assert victim.rows == old
        return f"{'killed' if killed else 'ended'}, {'new' if was_new else 'old'}{', recover' * recover}"

    rounds(victim, examples(2, 300), round_)


@pytest.mark.parametrize("victim", ENGINES if THOROUGH else ["postgresql"], indirect=True)
def test_linearize(victim: Victim) -> None:
    """Once settled, files and rows are both old or both new; the same command then makes, or leaves, both new."""
    command = ("linearize", "--update-db", "--noinput")
    old, old_files = victim.rows, victim.files
    victim.measure(*command)
    new, new_files = victim.new_rows, victim.files
    assert victim.rows == new
    assert new_files != old_files

    def round_() -> str:
        killed = victim.kill(*command)
        assert victim.rows in (old, new)
        settled_by = victim.dice.choice((("recover",), ("plan",), command))
        victim.must(*settled_by)
        state = (victim.rows == new, victim.files == new_files)
        assert state == (True, True) or (victim.rows, victim.files) == (old, old_files)
        assert all(state) or settled_by != command
        victim.must(*command)
        assert (victim.rows, victim.files) == (new, new_files)
        victim.must("undo", "--files", "--noinput")
        assert (victim.rows, victim.files) == (old, old_files)
        return f"{'killed' if killed else 'ended'}, {'new' if all(state) else 'old'}, {settled_by[0]}"

    rounds(victim, examples(1, 100), round_)
