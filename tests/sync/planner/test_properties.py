"""Random histories of names, and databases that stopped anywhere: the planner is right, or it refuses."""

from __future__ import annotations

import random

from hypothesis import event, given
from hypothesis import strategies as st

from migsync.rewrites.clock import Clock
from migsync.sync.planner import PlanOptions, make_plan
from tests.sync.planner.epochs import build, closed_rows, expected
from tests.sync.planner.texts import REF, after

REFUSALS = {"open-position", "doubtful-name", "partial-collapse"}


@given(st.randoms(use_true_random=False), st.booleans())
def test_right_or_refused(rng: random.Random, with_files: bool) -> None:
    epochs, known = build(rng, with_files)
    stopped = rng.randrange(len(epochs))
    rows = closed_rows(epochs[stopped], rng, stopped)
    before = list(rows.values())
    options = PlanOptions(clock=Clock(naive_is_utc=True))
    plan = make_plan(epochs[-1].history(), known, before, REF, options=options)
    truth = expected(epochs[-1], rows)
    event(f"refused: {plan.blocked}")
    if plan.blocked:
        assert {finding.code for finding in plan.findings} & REFUSALS, plan.findings
        return
    assert truth is not None
    assert after(before, plan) == truth


def test_refusals_are_rare() -> None:
    """With the old files known, all but a few databases are brought in line without a question."""
    refused = total = 0
    for seed in range(400):
        rng = random.Random(seed)
        epochs, known = build(rng, with_files=True)
        stopped = rng.randrange(len(epochs))
        rows = closed_rows(epochs[stopped], rng, stopped)
        if expected(epochs[-1], rows) is None:
            continue
        options = PlanOptions(clock=Clock(naive_is_utc=True))
        total += 1
        refused += make_plan(epochs[-1].history(), known, list(rows.values()), REF, options=options).blocked
    print(f"refused {refused} of {total} (seeds 0 to 399)")
    assert total > 300
    assert refused < total * 0.05
