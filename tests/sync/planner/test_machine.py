"""A project and its database through a random life: files rewritten, migrated, planned, applied, undone, crashed.

The truth (which migration each row stands for) is kept beside the real SQLite database; after every step the rows are
those of the truth, ids and times included.
"""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from migsync.engines.config import DatabaseConfig
from migsync.errors import MigsyncError, StalePlan
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.apply import Status, apply_plan
from migsync.sync.plan import Plan
from migsync.sync.target import open_target
from migsync.sync.undo import last_to_undo, plan_undo
from tests.databases import SQLiteDatabase
from tests.profiles import examples
from tests.sync.planner.epochs import Atoms, add, expected, first_epoch
from tests.sync.planner.releases import Releases
from tests.sync.planner.test_properties import REFUSALS

if TYPE_CHECKING:
    import sqlalchemy as sa

Dump = list[tuple[str, str, str, str]]


@dataclass(frozen=True)
class Truth:
    """The database as it must be: its rows by what they stand for, and the epoch whose names they bear."""

    epoch: int
    rows: dict[Atoms, Record]

    def dump(self) -> Dump:
        return sorted(
            ((str(row.id), row.app, row.name, row.applied or "") for row in self.rows.values()),
            key=lambda row: int(row[0]),
        )


class Boom(Exception):
    """A crash at one step."""


class Life(RuleBasedStateMachine, Releases):
    @initialize(rng=st.randoms(use_true_random=False))
    def begin(self, rng: random.Random) -> None:
        self.rng, self.minute = rng, 0
        self.directory = tempfile.TemporaryDirectory()
        self.database = SQLiteDatabase(Path(self.directory.name) / "db.sqlite3")
        self.database.create_table()
        self.target = open_target(DatabaseConfig("default", self.database.url))
        self.epochs = [first_epoch(rng)]
        self.known = Rewrites()
        self.truth = Truth(0, {})
        self.before_run: list[Truth] = []
        self.migrated_since = False
        self.saved: list[tuple[Plan, Dump, int]] = []

    def teardown(self) -> None:
        if hasattr(self, "target"):
            self.directory.cleanup()

    def after(self, epoch: int) -> Truth | None:
        """The truth once the rows bear the names of `epoch`; None when a collapse would find only some of its rows."""
        rows = expected(self.epochs[epoch], self.truth.rows)
        if rows is None:
            return None
        atoms_of = {name: atoms for atoms, name in self.epochs[epoch].names.items()}
        return Truth(epoch, {atoms_of[row.name]: row for row in rows})

    def applied(self, epoch: int) -> None:
        after = self.after(epoch)
        assert after is not None
        self.before_run.append(self.truth)
        self.truth, self.migrated_since = after, False

    @rule()
    def rewrite_the_files(self) -> None:
        epoch = self.release()
        if self.rng.random() < 0.5:
            add(epoch, self.rng, 99 + len(self.epochs))

    @rule(times=st.integers(1, 3))
    def migrate(self, times: int) -> None:
        """Run the next migrations of the release that the database knows."""
        for _ in range(times):
            self.migrate_one()

    def migrate_one(self) -> None:
        epoch = self.epochs[self.truth.epoch]
        ready = [
            atoms
            for atoms in epoch.names
            if atoms not in self.truth.rows and epoch.parents[atoms] <= self.truth.rows.keys()
        ]
        if not ready:
            return
        atoms = self.rng.choice(ready)
        row = self.record(epoch.names[atoms])
        self.truth = replace(self.truth, rows={**self.truth.rows, atoms: row})
        self.migrated_since = True

    @rule()
    def apply(self) -> None:
        plan = self.plan()
        if plan.blocked:
            assert {finding.code for finding in plan.findings} & REFUSALS, plan.findings
        elif plan.empty:
            after = self.after(len(self.epochs) - 1)
            assert after is not None
            assert after.dump() == self.truth.dump()
            self.truth = after
        else:
            outcome = apply_plan(self.target, plan)
            assert outcome.status is Status.APPLIED
            self.applied(len(self.epochs) - 1)
            assert self.plan().empty

    @rule()
    def save_a_plan(self) -> None:
        plan = self.plan()
        if not plan.blocked and not plan.empty:
            self.saved.append((plan, self.database.dump(), len(self.epochs) - 1))

    @precondition(lambda self: self.saved)
    @rule()
    def apply_a_saved_plan(self) -> None:
        plan, made_from, epoch = self.rng.choice(self.saved)
        before = self.database.dump()
        try:
            outcome = apply_plan(self.target, plan)
        except StalePlan:
            assert before != made_from
            return
        if outcome.status is Status.APPLIED:
            assert before == made_from
            self.applied(epoch)

    @precondition(lambda self: self.before_run and not self.migrated_since)
    @rule()
    def undo(self) -> None:
        runs = self.target.runs()
        run = last_to_undo(runs)
        assert run is not None
        plan = plan_undo(self.target.ref, run, self.records(), runs)
        if plan.blocked:
            # The journal does not say which rows the run found and left. One with a greater id than those it touched,
            # under a name that changed its meaning, may have come later; refused is the safe answer.
            touched = [row.id or 0 for change in run.changes for row in (change.before, change.after) if row]
            left = {(row.app, row.name) for row in self.records() if (row.id or 0) > max(touched)}
            assert {finding.code for finding in plan.findings if finding.blocks} == {"name-means-another"}
            assert {(found.app, found.name) for found in plan.findings if found.blocks} <= left
            return
        assert apply_plan(self.target, plan).status is Status.APPLIED
        self.truth = self.before_run.pop()
        self.migrated_since = True

    @rule(step=st.integers(0, 12), lost=st.booleans())
    def crash(self, step: int, lost: bool) -> None:
        """An apply that fails at one of its steps changes nothing, or, after COMMIT, everything."""
        plan = self.plan()
        if plan.blocked or plan.empty:
            return
        seen: list[str] = []

        def fault(name: str, connection: sa.Connection) -> None:
            seen.append(name)
            if len(seen) > step:
                if lost:
                    connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
                raise Boom(name)

        try:
            apply_plan(self.target, plan, faults=fault)
        except (Boom, MigsyncError):
            if seen[-1] != "after commit":
                return
        self.applied(len(self.epochs) - 1)

    @invariant()
    def rows_are_the_truth(self) -> None:
        if hasattr(self, "truth"):
            assert self.database.dump() == self.truth.dump()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=examples(20, 100), stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow]
)
