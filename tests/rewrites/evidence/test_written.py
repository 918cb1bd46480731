"""What `migsync plan` shows without an error can be written, applied, planned again to nothing, and undone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.errors import AgainstEvidence, UsageError
from migsync.history import History
from migsync.rewrites.name_changes import NameChanges, parse_changes
from migsync.rewrites.rewrite_files import load_rewrites, write_rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.undo import plan_undo
from tests.profiles import examples
from tests.rewrites.evidence.evolution import Evolution
from tests.rewrites.evidence.lives import STEPS, Database, Hands, databases, history_of, plans
from tests.rewrites.evidence.test_truth import Step, beginning, number
from tests.sync.planner.texts import REF, after

turning = st.sampled_from(
    ["swap", "shift", "rename", "renumber", "replace", "unite", "split", "delete", "commit", "add"]
)
statements = st.lists(st.tuples(st.sampled_from("mcrn"), number, number, number), min_size=1, max_size=3)
later = st.one_of(
    st.lists(st.tuples(kind, number, number, number), max_size=12) for kind in (st.sampled_from(STEPS), turning)
)
lives = st.tuples(beginning, later).map(lambda parts: [*parts[0], *parts[1]])


def live(steps: list[Step]) -> Evolution:
    evolution = Hands()
    for step in steps:
        evolution.step(*step)
    return evolution


def check_all(evolution: Evolution, targets: list[Database], *, git: bool, accept: bool, stated: NameChanges) -> None:
    """Plan, and follow each plan that is not blocked to its end and back."""
    history, states = history_of(evolution), evolution.states() if git else []
    asked = {"shop": stated} if [*stated.olds(), *stated.new] else {}
    try:
        proposed, made = plans(history, Rewrites(), targets, states, accept=accept, stated=asked)
    except (UsageError, AgainstEvidence) as error:
        assert asked, error
        return
    with tempfile.TemporaryDirectory() as directory:
        known = Rewrites()
        if proposed:
            write_rewrite(Path(directory), proposed)
            known = load_rewrites(Path(directory))
            assert [rewrite.id for rewrite in known.ordered] == [proposed.id]
    for target, plan in zip(targets, made, strict=True):
        if plan.changes and not plan.blocked:
            check_one(history, known, target, plan, git=states)


def check_one(history: History, known: Rewrites, target: Database, plan: Plan, *, git: list) -> None:
    before = list(target.rows)
    target.rows = after(before, plan)
    target.ran(plan)
    _, (again,) = plans(history, known, [target], git)
    assert not again.changes, (plan.changes, again.changes)
    assert not again.blocked, (plan.changes, again.findings)
    undo = plan_undo(REF, target.runs[-1], target.rows, target.runs, known.ordered)
    assert not undo.blocked, undo.findings
    assert after(target.rows, undo) == before


@settings(max_examples=examples(75, 5000), deadline=None)
@given(lives, number, st.booleans(), st.booleans())
def test_what_is_proposed_can_be_written_applied_and_undone(
    steps: list[Step], stopped: int, git: bool, accept: bool
) -> None:
    evolution = live(steps)
    names = evolution.recorded()
    targets = databases(names, names[: stopped % (len(names) + 1)])
    check_all(evolution, targets, git=git, accept=accept, stated=NameChanges())


@settings(max_examples=examples(75, 5000), deadline=None)
@given(lives, statements, st.booleans())
def test_so_can_what_a_person_states(steps: list[Step], words: list[Step], git: bool) -> None:
    evolution = live(steps)
    every = {name for state in (*evolution.commits, evolution.files) for name in state}
    olds = sorted(every | evolution.records.keys())
    news = sorted(evolution.files)
    said = {kind: [word for word in words if word[0] == kind] for kind in "mcrn"}
    try:
        changes = parse_changes(
            [f"shop.{olds[one % len(olds)]}={news[two % len(news)]}" for _, one, two, _ in said["m"]],
            [
                f"shop.{'+'.join({news[one % len(news)], news[two % len(news)]})}={olds[three % len(olds)]}"
                for _, one, two, three in said["c"]
            ],
            [f"shop.{olds[one % len(olds)]}" for _, one, _, _ in said["r"]],
            [f"shop.{news[one % len(news)]}" for _, one, _, _ in said["n"]],
        )
    except UsageError:
        return
    check_all(evolution, databases(evolution.recorded()), git=git, accept=False, stated=changes["shop"])
