"""migsync on the histories of real repositories: what it says to databases that they could have.

No code of theirs runs, and nothing of them is kept here. Each repository is a clone with its whole history, bare or
not::

    MIGSYNC_TEST_HISTORIES=../wagtail:../netbox python -m pytest -s tests/real/test_histories.py

MIGSYNC_TEST_HISTORIES_SAMPLE is the number of commits and of databases for each repository (20), and
MIGSYNC_TEST_HISTORIES_SEED repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from migsync.findings import Severity
from migsync.history import Key
from migsync.sync.consistency import conflicts
from tests.databases import SQLiteDatabase
from tests.real.answers import Answer, RealDatabase, answer, migrated
from tests.real.repositories import Clone, Mirror, Snapshot
from tests.real.truth import Worth, directories_with_renames, truth, worth

pytestmark = pytest.mark.real

PLACES = [Path(place) for place in os.environ.get("MIGSYNC_TEST_HISTORIES", "").split(":") if place]
SAMPLE = int(os.environ.get("MIGSYNC_TEST_HISTORIES_SAMPLE") or 20)
SEED = int(os.environ.get("MIGSYNC_TEST_HISTORIES_SEED") or random.SystemRandom().randrange(2**32))
LATER = 182
DAY = 24 * 60 * 60
KNOWING = {
    "git": (True, False, False),
    "shallow": (True, True, False),
    "none": (False, False, False),
    "guarded": (False, False, True),
}
"""What is at hand: a clone, one that is shallow, and what the guard of ``migrate`` noted."""


@dataclass
class Asked:
    """A repository, and how migsync is asked about it."""

    mirror: Mirror
    clone: Clone
    caches: Path
    random: random.Random

    def snapshot(self, commit: str, source: str, only: set[str] | None = None) -> Snapshot:
        """The files of a commit, in a work tree where that one is checked out."""
        has_git, shallow, _ = KNOWING[source]
        root = self.clone.at(commit, shallow=shallow) if has_git else None
        return self.mirror.snapshot(self.mirror.files_of(commit), root, only)

    def answer(self, commit: str, database: RealDatabase, source: str, only: set[str] | None = None) -> Answer:
        """What ``migsync plan`` says to the database with the files of that commit."""
        found = self.snapshot(commit, source, only)
        return answer(found.history, database, self.caches / source / "cache", guarded=KNOWING[source][2])


@pytest.fixture(params=PLACES, ids=lambda place: Mirror(place).name)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    print(f"\nrepeat with MIGSYNC_TEST_HISTORIES_SEED={SEED}")
    for source in KNOWING:
        (tmp_path / source).mkdir()
    with Mirror(request.param) as mirror:
        yield Asked(mirror, Clone(tmp_path / "clone", mirror), tmp_path, random.Random(SEED))


def is_loadable(snapshot: Snapshot) -> bool:
    """False where Django would refuse the files, so that no database was migrated with them."""
    history = snapshot.history
    return not any(finding.blocks for finding in history.findings) and not list(
        conflicts(history, history.state(frozenset()))
    )


def table(title: str, rows: Mapping[str, Mapping[str, int]], columns: list[str]) -> None:
    print(f"\n{title:24}" + "".join(f"{column:>12}" for column in columns))
    for name, counts in rows.items():
        print(f"{name:24}" + "".join(f"{counts.get(column, 0):12}" for column in columns))


def test_renames(asked: Asked) -> None:
    """A commit gave migration files other names: nothing is taken for another migration, and nothing is passed over."""
    commits = list(asked.mirror.renames())
    counts = {source: Counter[str]() for source in KNOWING}
    bad = []
    for commit, parent, moment in asked.random.sample(commits, min(SAMPLE, len(commits))):
        only = directories_with_renames(asked.mirror, parent, commit)
        before = asked.snapshot(parent, "none", only)
        for later in (commit, asked.mirror.later(commit, moment, LATER)):
            after = asked.snapshot(later, "none", only)
            if not is_loadable(before) or not is_loadable(after):
                continue
            at_once = asked.snapshot(commit, "none", only)
            states = [(parent, before), (commit, at_once)] + ([(later, after)] if later != commit else [])
            known = truth(asked.mirror, states)
            for database in databases(before, set(known.became), moment, asked.random):
                recorded = {row.key for row in database.rows}
                for source in KNOWING:
                    found = asked.answer(later, database, source, only)
                    kind, pair = worth(found, recorded, known, before, after)
                    counts[source][kind] += 1
                    counts[source]["databases"] += 1
                    if kind in (Worth.WRONG, Worth.SILENT):
                        bad.append(f"{kind} ({source}): {commit[:10]}, files of {later[:10]}: {pair}")
    table(asked.mirror.name, counts, ["databases", *Worth])
    print(*bad, sep="\n")
    assert not bad


def test_the_command(asked: Asked, tmp_path: Path) -> None:
    """One of these databases on SQLite, and the files in a work tree: the command plans what was planned in process."""
    found = next(_only_renamed(asked), None)
    if found is None:
        pytest.skip("no commit that gave a file another name, and nothing else")
    commit, moment, only, before, after = found
    real = RealDatabase(tuple(migrated(before.history)), moment)
    expected = asked.answer(commit, real, "git", only)
    root = asked.clone.at(commit)
    for path, blob in asked.mirror.files_of(commit).items():
        if Path(path).parent.as_posix() in only:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(asked.mirror.source(blob))
            (root / path).with_name("__init__.py").touch()
    lines = [f'"{label}" = "{directory}"' for label, directory in after.directories.items()]
    (root / "pyproject.toml").write_text("\n".join(("[tool.migsync.apps]", *lines)))
    database = SQLiteDatabase(tmp_path / "db.sqlite3")
    database.create_table()
    database.insert([(row.id or 0, row.app, row.name, row.applied or "") for row in real.records])
    command = [sys.executable, "-m", "migsync", "plan", "--url", database.url, "--format", "json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    (plan,) = json.loads(done.stdout)["plans"]
    changes = [(each.before and each.before.name, each.after and each.after.name) for each in expected.plan.changes]
    names = [tuple((each.get(side) or {}).get("name") for side in ("before", "after")) for each in plan["changes"]]
    assert names == changes
    assert [each["code"] for each in plan["findings"]] == [each.code for each in expected.plan.findings]


def _only_renamed(asked: Asked) -> Iterator[tuple[str, int, set[str], Snapshot, Snapshot]]:
    """Commits that gave a file another name and left its operations; the newest first."""
    for commit, parent, moment in asked.mirror.renames():
        only = directories_with_renames(asked.mirror, parent, commit)
        before, after = (asked.snapshot(each, "none", only) for each in (parent, commit))
        if is_loadable(before) and is_loadable(after) and truth(asked.mirror, [(parent, before), (commit, after)]).same:
            yield commit, moment, only, before, after


def databases(before: Snapshot, renamed: set[Key], moment: int, chosen: random.Random) -> Iterator[RealDatabase]:
    """One that has all migrations of the commit, and one that has them up to a file whose name was changed."""
    if not renamed:
        return
    yield RealDatabase(tuple(migrated(before.history)), moment)
    order = list(before.history.order)
    last = order.index(chosen.choice(sorted(renamed)))
    if last + 1 < len(order):
        yield RealDatabase(tuple(migrated(before.history, order[: last + 1])), moment)


@pytest.mark.parametrize("source", ["guarded", "git"])
def test_noise(asked: Asked, source: str) -> None:
    """A database that has everything: with the files that it ran, no alarm; half a year later, a table of them."""
    first = next(commit for commit in asked.mirror.main if len(asked.mirror.snapshot(commit.files).history.migrations))
    moments = [when for _, when in asked.mirror.line if when >= first.moment]
    counts = {days: Counter[str]() for days in ("at once", "later")}
    told, bad = Counter[str](), []
    for moment in asked.random.sample(moments, min(SAMPLE, len(moments))):
        here, there = (asked.mirror.state_at(when) for when in (moment, moment + LATER * DAY))
        before, after = (asked.mirror.snapshot(commit.files) for commit in (here, there))
        # What others depended on before the repository had its files was a package then.
        packages = {key.app for each in before.history.migrations.values() for key in each.dependencies}
        taken_in = (packages - before.history.apps.keys()) & after.history.apps.keys()
        only = {place for label, place in after.directories.items() if label not in taken_in}
        after = asked.mirror.snapshot(there.files, only=only)
        if not is_loadable(before) or not is_loadable(after):
            continue
        for days, commit, files in (("at once", here, before), ("later", there, after)):
            gone = before.history.apps.keys() - files.history.apps.keys()
            rows = tuple(row for row in migrated(before.history) if row.key.app not in gone)
            found = asked.answer(commit.id, RealDatabase(rows, moment), source, only if files is after else None)
            alarms = [finding for finding in found.findings if finding.severity is not Severity.INFO]
            counts[days]["databases"] += 1
            counts[days].update({f"{finding.severity}s" for finding in alarms})
            lines = [f"{each.severity} {each.code} {each.app}.{each.name}: {each.found}" for each in alarms]
            told.update(f"{days}, {here.id[:10]}, files of {commit.id[:10]}: {line}"[:300] for line in lines)
            bad += lines if days == "at once" and source == "guarded" else []
    table(f"{asked.mirror.name} ({source})", counts, ["databases", "errors", "warnings"])
    print(*told, sep="\n")
    assert not bad
