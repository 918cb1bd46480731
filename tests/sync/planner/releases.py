"""A real SQLite database and the releases of one app's files, for random lives with the truth beside them."""

from __future__ import annotations

import random

from migsync.rewrites.clock import Clock
from migsync.rewrites.name_changes import make_rewrite
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.target import Target
from tests.databases import SQLiteDatabase
from tests.sync.planner.epochs import Epoch, next_epoch


class Releases:
    """`epochs` are the releases so far, `known` their rewrites; a clock counts minutes."""

    target: Target
    database: SQLiteDatabase
    rng: random.Random
    epochs: list[Epoch]
    known: Rewrites
    minute: int

    def clock(self) -> str:
        self.minute += 1
        return f"2026-01-{1 + self.minute // 1440:02} {self.minute // 60 % 24:02}:{self.minute % 60:02}:00"

    def records(self) -> tuple[Record, ...]:
        return self.target.read() or ()

    def plan(self) -> Plan:
        """For the files of the newest release."""
        history, options = self.epochs[-1].history(), PlanOptions(clock=Clock(naive_is_utc=True))
        return make_plan(history, self.known, self.records(), self.target.ref, runs=self.target.runs(), options=options)

    def release(self, *, squashes: bool = True) -> Epoch:
        """New files, in which names have changed."""
        epoch, changes = next_epoch(self.epochs[-1], self.rng, len(self.epochs), squashes=squashes)
        if list(changes.olds()):
            made = make_rewrite(
                epoch.history(),
                {"shop": changes},
                parents=self.known.heads(()),
                command="rewrite",
                created=self.clock().replace(" ", "T") + "Z",
                old_files={"shop": self.epochs[-1].files()},
                made_with_files=True,
            )
            self.known = self.known.with_proposed(made)
        self.epochs.append(epoch)
        return epoch

    def record(self, name: str) -> Record:
        """A new row, as Django's recorder inserts it."""
        applied = self.clock()
        statement = "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?) RETURNING id"
        ((number,),) = self.database.execute(statement, ("shop", name, applied))
        return Record(number, "shop", name, applied)
