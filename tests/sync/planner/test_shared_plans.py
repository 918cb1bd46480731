"""A plan that is taken over from another target is the one that would have been made for it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from migsync.history.graph import History
from migsync.rewrites.clock import Clock
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.stored_records import RecordNames, StoredRecords
from migsync.sync.journal.tables import as_row, from_row
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.provenance import NOTHING_KNOWN
from migsync.sync.run import Run
from migsync.sync.shared_plans import SharedPlans
from migsync.sync.target import Snapshot
from migsync.sync.target_state import DatabaseState
from tests.sync.planner.epochs import build, closed_rows
from tests.sync.planner.test_planner import run_of
from tests.sync.planner.texts import after

pytestmark = pytest.mark.pure

CLOCK = Clock(naive_is_utc=True)


def planned(history: History, rewrites: Rewrites, state: DatabaseState) -> Plan:
    options = PlanOptions(clock=state.clock)
    return make_plan(history, rewrites, tuple(state.held.records), state.ref, runs=state.held.runs, options=options)


def other_times(rng: random.Random, rows: list[Record]) -> list[Record]:
    """The rows of a tenant that ran the same migrations at another time, or in another order."""
    moved = timedelta(days=rng.choice([0, 1, 20, 31, 90, 400, -60]), microseconds=rng.randrange(10**6))
    found = [row._replace(applied=str(datetime.fromisoformat(row.applied or "") + moved)) for row in rows]
    if found and rng.random() < 0.3:
        place = rng.randrange(len(found))
        odd = rng.choice(["infinity", None, found[0].applied, found[-1].applied])
        found[place] = found[place]._replace(applied=odd)
    return found


def state_of(
    number: int, rows: list[Record], runs: tuple[Run, ...], shared: dict[object, RecordNames]
) -> DatabaseState:
    ids, apps, names, applied = zip(*rows, strict=True) if rows else ((), (), (), ())
    common = shared.setdefault((ids, apps, names), RecordNames(ids, apps, names))
    records = StoredRecords(common, json.dumps(applied))
    # As a journal is read.
    kept = tuple(from_row({**as_row(run), "number": run.number, "at": run.at}) for run in runs)
    return DatabaseState(TargetRef(f"tenants:t{number}", "postgresql", f"id{number}"), Snapshot(records, kept), CLOCK)


@given(st.randoms(use_true_random=False), st.booleans())
def test_shared_plans_are_those_of_each_target(rng: random.Random, with_files: bool) -> None:
    epochs, rewrites = build(rng, with_files)
    history = epochs[-1].history()
    shared: dict[object, RecordNames] = {}
    states = []
    for _ in range(2):
        stopped = rng.randrange(len(epochs))
        base = list(closed_rows(epochs[stopped], rng, stopped).values())
        for number in range(4):
            rows, runs = other_times(rng, base), ()
            if number % 2:
                plan = make_plan(
                    history, rewrites, rows, TargetRef("a", "postgresql", ""), options=PlanOptions(clock=CLOCK)
                )
                if plan.changes and not plan.blocked:
                    at = rng.choice(["2026-01-01T00:00:00Z", "2026-02-20T00:00:00Z", "2027-06-01T00:00:00Z"])
                    runs = (replace(run_of(plan), at=at, author="a", version="1"),)
                    rows = after(rows, plan) if rng.random() < 0.8 else rows
            states.append(state_of(len(states), rows, runs, shared))
    plans, made = SharedPlans(history), []

    def make(state: DatabaseState) -> Plan:
        made.append(state.ref.alias)
        return planned(history, rewrites, state)

    for state in states:
        found = plans.plan(state, NOTHING_KNOWN, make, asks_more=lambda _: False)
        assert found == planned(history, rewrites, state)
    event(f"made {len(made)} of {len(states)}")


def test_a_thousand_tenants_are_planned_once() -> None:
    rng = random.Random(3)
    epochs, rewrites = build(rng, with_files=True)
    history, shared, made = epochs[-1].history(), {}, []
    base = list(closed_rows(epochs[-1], rng, 7).values())
    plans = SharedPlans(history)

    def make(state: DatabaseState) -> Plan:
        made.append(state.ref.alias)
        return planned(history, rewrites, state)

    for number in range(1000):
        later = timedelta(minutes=number)
        rows = [row._replace(applied=str(datetime.fromisoformat(row.applied or "") + later)) for row in base]
        plans.plan(state_of(number, rows, (), shared), NOTHING_KNOWN, make, asks_more=lambda _: False)
    assert made == ["tenants:t0"]
