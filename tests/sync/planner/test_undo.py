"""After an undo the next command knows where it stands: random lives of a database, with the truth beside them.

A release is rolled out, taken back and rolled out again, in any order, while migrations are recorded and unrecorded by
the files of both. The last apply must leave the rows that a straight life would have left.
"""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from migsync.engines.config import DatabaseConfig
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.apply import Status, apply_plan
from migsync.sync.target import Target, open_target
from migsync.sync.undo import plan_undo
from tests.databases import SQLiteDatabase
from tests.history.judge import judge
from tests.profiles import examples
from tests.sync.planner.epochs import Atoms, Epoch, add, expected, first_epoch
from tests.sync.planner.releases import Releases
from tests.sync.planner.test_properties import REFUSALS

UNDO_REFUSALS = {"changed-since", "row-gone", "already-undone", "recorded-again", "name-means-another", "out-of-order"}


@dataclass
class Life(Releases):
    """A database, the releases so far, and what each row stands for.

    `atoms` maps a row's id to that; `at` is the release whose names the rows bear, None where that is not one release.
    `before` holds both as they were before each run, `been` is the newest release that a run in the
    journal went to: where nothing is to be done, none is written. `unclear`: the journal cannot tell all.
    """

    target: Target
    database: SQLiteDatabase
    rng: random.Random
    epochs: list[Epoch]
    known: Rewrites = field(default_factory=Rewrites)
    atoms: dict[int, Atoms] = field(default_factory=dict)
    at: int | None = 0
    before: list[tuple[dict[int, Atoms], int | None]] = field(default_factory=list)
    been: int = 0
    unclear: bool = False
    minute: int = 0

    def next_release(self) -> None:
        """New files: names change, and perhaps a migration comes in."""
        epoch = self.release(squashes=False)
        add(epoch, self.rng, 99 + len(self.epochs))

    def migrate(self, number: int | None) -> None:
        """Record the next migration of a release, if Django would run it: not recorded, all before it has run."""
        if number is None:
            return
        epoch = self.epochs[number]
        done = frozenset[int]().union(*self.atoms.values())
        names = {record.name for record in self.records()}
        ready = [
            atoms
            for atoms, name in epoch.names.items()
            if not atoms & done and name not in names and all(up <= done for up in epoch.parents[atoms])
        ]
        if number != self.at:
            # A pod of the newer release that was still running; its names must be new, or they would mean another one.
            old = {name for other in self.epochs[:number] for name in other.names.values()}
            ready = [atoms for atoms in ready if epoch.names[atoms] not in old]
        if ready:
            atoms = self.rng.choice(ready)
            row = self.record(epoch.names[atoms])
            self.atoms[row.id or 0] = atoms

    def unrecord(self) -> None:
        """Unapply the newest migration, as Django's recorder does it."""
        if self.atoms:
            row_id = max(self.atoms)
            self.unclear = True
            self.database.execute("DELETE FROM django_migrations WHERE id = ?", (row_id,))
            del self.atoms[row_id]

    def truth(self) -> list[Record] | None:
        """The rows under the newest names; None where a collapse on the way finds a part of what it stands for."""
        rows = {self.atoms[record.id or 0]: record for record in self.records()}
        later = [expected(epoch, rows) for epoch in self.epochs]
        return later[-1] if all(found is not None for found in later) else None

    def apply(self) -> bool:
        """Apply; False where it is refused, for a reason that is true."""
        truth, plan = self.truth(), self.plan()
        codes = {finding.code for finding in plan.findings if finding.blocks}
        if plan.blocked:
            # Of a release that was never applied here only names and times tell; else nothing but the truth is refused.
            true = {"partial-collapse"} if truth is None else set()
            if self.been < len(self.epochs) - 1 or self.unclear:
                true |= {"open-position", "doubtful-name"}
            # Nor does the journal tell where the rows are gone that an undo brought back, or were changed in a circle.
            if self.unclear:
                true |= {"inconsistent-history", "two-rows"}
            assert codes <= (true if self.before else REFUSALS), plan.findings
            return False
        before = (dict(self.atoms), self.at)
        if not plan.empty:
            assert apply_plan(self.target, plan).status is Status.APPLIED
            self.before.append(before)
            self.been = len(self.epochs) - 1
            changed = {change.before.id for change in plan.changes if change.before}
            sources = {name for rewrite in plan.passed for name in rewrite.apps["shop"].sources}
            self.unclear |= any(row.name in sources for row in truth or () if row.id not in changed)
        assert list(self.records()) == truth
        atoms_of = {name: atoms for atoms, name in self.epochs[-1].names.items()}
        self.atoms = {record.id or 0: atoms_of[record.name] for record in self.records()}
        self.at = len(self.epochs) - 1
        assert self.plan().empty
        self.judge()
        return True

    def judge(self) -> None:
        """Django would run just what has not run."""
        history = self.epochs[-1].history()
        rows = {record.key for record in self.records()}
        verdict = judge(list(history.migrations.values()), list(history.apps.values()), {}, rows)
        assert (verdict.error, verdict.inconsistent) == ("", "")
        done = frozenset[int]().union(*self.atoms.values())
        waiting = {name for atoms, name in self.epochs[-1].names.items() if atoms and not atoms <= done}
        assert {key.name for key in verdict.pending} == waiting

    def undo(self, last: bool) -> None:
        """Undo the last run or any run; refused only for a reason that is named."""
        runs = self.target.runs()
        if not runs:
            return
        run = runs[-1] if last else self.rng.choice(runs)
        plan = plan_undo(self.target.ref, run, self.records(), runs, self.known.ordered)
        if plan.blocked:
            assert {finding.code for finding in plan.findings if finding.blocks} <= UNDO_REFUSALS
            return
        names = [record.key for record in self.records()]
        outcome = apply_plan(self.target, plan)
        assert outcome.status is Status.APPLIED
        if outcome.run is None:
            return
        was, at = self.before[run.number - 1]
        self.before.append((dict(self.atoms), self.at))
        for made in outcome.run.changes:
            if made.before:
                del self.atoms[made.before.id or 0]
        for made, old in zip(outcome.run.changes, reversed(run.changes), strict=True):
            if made.after and old.before:
                self.atoms[made.after.id or 0] = was[old.before.id or 0]
        self.at = at if run is runs[-1] else None
        after = [record.key for record in self.records()]
        assert len(set(after)) == len(after) or len(set(names)) < len(names)


STEPS = st.lists(
    st.sampled_from(["migrate", "migrate", "newer", "unrecord", "apply", "undo", "undo", "undo any", "release"]),
    min_size=3,
    max_size=14,
)


@settings(max_examples=examples(20, 400), suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), STEPS)
def test_the_last_apply_leaves_what_a_straight_life_leaves(rng: random.Random, steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        database = SQLiteDatabase(Path(directory) / "db.sqlite3")
        database.create_table()
        with open_target(DatabaseConfig("default", database.url)) as target:
            life = Life(target, database, rng, [first_epoch(rng)])
            for _ in range(rng.randint(0, 4)):
                life.migrate(0)
            life.next_release()
            if not life.apply():
                event("refused before the first run")
                return
            for step in steps:
                match step:
                    case "migrate":
                        life.migrate(life.at)
                    case "newer":
                        life.migrate(max(life.been, life.at or 0))
                    case "unrecord":
                        life.unrecord()
                    case "apply":
                        life.apply()
                    case "release":
                        life.next_release()
                    case _:
                        life.undo(last=step == "undo")
            event(f"applied at the end: {life.apply()}")
