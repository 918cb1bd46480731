"""A squash that was there before takes up what it replaced: its own row stays, and only a whole set becomes it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from migsync.history import History, Key, Migration, build_history
from migsync.rewrites.name_changes import NameChanges, make_rewrite
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import load_rewrites, write_rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.run import Run, RunKind
from migsync.sync.undo import plan_undo
from tests.sync.planner.texts import MADE, REF, after, codes, history, migrations, records

OLD = "0001_initial 0002_a 0003_b 0004_c"
NEW = "0001_initial 0002_squashed 0004_c"
REPLACED = ("0002_a", "0003_b")
EVERYTHING = ("0001_initial", *REPLACED, "0002_squashed", "0004_c")


def before_files() -> dict[str, Migration]:
    """The chain, and the squash of its middle beside it."""
    squash = Migration(
        Key("shop", "0002_squashed"),
        dependencies=(Key("shop", "0001_initial"),),
        replaces=tuple(Key("shop", name) for name in REPLACED),
        digest="digest of 0002_squashed",
    )
    return {**migrations("shop", OLD), "0002_squashed": squash}


def tidied(disk: History) -> Rewrites:
    changes = NameChanges(collapsed=[(REPLACED, ("0002_squashed",))])
    return Rewrites(
        (
            make_rewrite(
                disk,
                {"shop": changes},
                parents=(),
                command="tidy",
                created=MADE,
                old_files={"shop": before_files()},
                made_with_files=True,
            ),
        )
    )


def run_of(plan: Plan) -> Run:
    return Run("run1", 1, RunKind.APPLY, plan.id, "", "", "", passed=plan.passed, changes=plan.changes)


def test_it_is_the_same_migration_before_and_after(tmp_path: Path) -> None:
    (rewrite,) = tidied(history(shop=NEW)).ordered
    assert rewrite.apps["shop"].absorbing == {"0002_squashed": REPLACED}
    assert {*rewrite.apps["shop"].before} == {*EVERYTHING}
    write_rewrite(tmp_path, rewrite)
    assert load_rewrites(tmp_path).ordered == (rewrite,)


def test_a_new_migration_of_an_old_name_is_another_one() -> None:
    """A reset: the row of the old 0001_initial says nothing about the rest of what the new one holds."""
    reset = AppRewrite(REPLACED, ("0002_a",), collapsed=((REPLACED, ("0002_a",)),))
    assert not reset.absorbing
    disk = build_history([Migration(Key("shop", "0002_a"))])
    plan = make_plan(disk, Rewrites((Rewrite((), "rewrite", MADE, {"shop": reset}),)), records("shop.0002_a"), REF)
    assert codes(plan) in (["partial-collapse"], ["open-position"], ["doubtful-name"])


def test_a_collapse_into_an_old_name_and_others_cannot_be_meant(tmp_path: Path) -> None:
    mixed = AppRewrite(("a", "b", "s"), ("s", "t"), collapsed=((("a", "b"), ("s", "t")),))
    with pytest.raises(ValueError, match="into several names, one of which existed before"):
        write_rewrite(tmp_path, Rewrite((), "tidy", MADE, {"shop": mixed}))


@pytest.mark.parametrize("year", [2024, 2027], ids=["older than the rewrite", "later"])
@pytest.mark.parametrize("number", range(2 ** len(EVERYTHING)))
def test_every_set_of_rows(number: int, year: int) -> None:
    """All that can be recorded: ids and times stay, nothing becomes applied that was not, and an undo is exact."""
    rows = [
        row
        for place, row in enumerate(records(*(f"shop.{name}" for name in EVERYTHING), year=year))
        if number >> place & 1
    ]
    names = {row.name for row in rows}
    disk = history(shop=NEW)
    plan = make_plan(disk, tidied(disk), rows, REF)
    if "0002_squashed" not in names and 0 < len(names & {*REPLACED}) < len(REPLACED):
        assert codes(plan) == ["partial-collapse"]
        return
    now = after(rows, plan)
    newest = max((row for row in rows if row.name in REPLACED), key=lambda row: row.age, default=None)
    expected = [row for row in rows if row.name not in REPLACED]
    if newest and "0002_squashed" not in names:
        expected.append(newest._replace(name="0002_squashed"))
    if plan.blocked:
        # What is applied lacks something that it depends on, as it did before.
        assert codes(plan) == ["inconsistent-history"] * len(codes(plan))
        return
    assert now == sorted(expected, key=lambda row: row.id or 0)
    assert make_plan(disk, tidied(disk), now, REF, runs=[run_of(plan)] if plan.changes else []).empty
    if plan.changes:
        undo = plan_undo(REF, run_of(plan), now, [run_of(plan)])
        assert after(now, undo) == rows


def test_an_older_history_takes_the_rows_back_once() -> None:
    rows = records(*(f"shop.{name}" for name in EVERYTHING))
    disk = history(shop=NEW)
    plan = make_plan(disk, tidied(disk), rows, REF)
    old, word = build_history(before_files().values()), PlanOptions(backwards=True)
    back = make_plan(old, Rewrites(), after(rows, plan), REF, runs=[run_of(plan)], options=word)
    assert not back.blocked
    assert after(after(rows, plan), back) == rows


def test_what_was_recorded_since_is_recorded_as_django_would_have() -> None:
    """The squash ran under the new files; with the old ones Django wants the rows of what it replaces as well."""
    disk = history(shop=NEW)
    first = records("shop.0001_initial")
    passed = Run("run1", 1, RunKind.APPLY, "", "", "", "", passed=tidied(disk).ordered)
    since = [*first, Record(7, "shop", "0002_squashed", "2027-01-01 00:00:00")]
    back = make_plan(build_history(before_files().values()), Rewrites(), since, REF, runs=[passed])
    assert {row.name for row in after(since, back)} == {"0001_initial", "0002_squashed", *REPLACED}
    assert {row.applied for row in after(since, back)[1:]} == {"2027-01-01 00:00:00"}


@given(st.randoms(use_true_random=False))
def test_tidied_and_then_renamed(rng: random.Random) -> None:
    """Two rewrites behind, at any point: the squash goes on under its next name, or the plan is refused."""
    middle = history(shop=NEW)
    disk = history(shop="0001_initial 0002_both 0003_c")
    (first,) = tidied(middle).ordered
    second = make_rewrite(
        disk,
        {"shop": NameChanges(renamed={"0002_squashed": "0002_both", "0004_c": "0003_c"})},
        parents=(first.id,),
        command="renumber",
        created="2026-12-01T00:00:00Z",
        old_files={"shop": migrations("shop", NEW)},
        made_with_files=True,
    )
    known = [name for name in EVERYTHING if rng.random() < 0.8]
    rng.shuffle(known)
    rows = records(*(f"shop.{name}" for name in known))
    plan = make_plan(disk, Rewrites((first, second)), rows, REF)
    event(f"refused: {plan.blocked}")
    squash = next((row for row in rows if row.name == "0002_squashed"), None)
    parts = [row for row in rows if row.name in REPLACED]
    if plan.blocked:
        refusals = {"partial-collapse", "inconsistent-history"}
        assert {*codes(plan)} <= refusals, plan.findings
        return
    found = {row.name: row for row in after(rows, plan)}
    assert ("0002_both" in found) == (squash is not None or len(parts) == len(REPLACED))
    if "0002_both" in found:
        origin = squash or max(parts, key=lambda row: row.age)
        assert found["0002_both"] == origin._replace(name="0002_both")
    assert ("0003_c" in found) == ("0004_c" in known)
