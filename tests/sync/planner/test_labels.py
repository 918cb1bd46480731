"""Labels that changed: rows of any label that an app has borne come under the one of today, or nothing is changed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from migsync.errors import UsageError
from migsync.history import App, History, build_history
from migsync.history.migration import Key, Migration
from migsync.rewrites.clock import Clock
from migsync.rewrites.labels import Labels
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.successors import successors
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.run import Run, RunKind
from migsync.sync.undo import plan_undo
from tests.sync.planner.epochs import Epoch, build, closed_rows, created, expected
from tests.sync.planner.test_properties import REFUSALS
from tests.sync.planner.texts import REF, after, codes, history, records, rewrite

OLD = "0001_initial 0003_price 0007_sku"
MIDDLE = "0001_initial 0002_price 0003_sku"
NEW = "0001_initial 0002_cost 0003_sku"


def relabel(old: str, new: str, names: str, *parents: Rewrite, made: str = "2026-11-21T10:00:00Z") -> Rewrite:
    every = tuple(names.split())
    ids = tuple(parent.id for parent in parents)
    return Rewrite(ids, f"rename-app {old} {new}", made, {new: AppRewrite(every, every, origin=old)}, True)


def chain() -> tuple[History, Rewrites]:
    """A renumber as shop, then store, then names changed once more as store."""
    first = rewrite(history(shop=MIDDLE), "shop.0003_price=0002_price", "shop.0007_sku=0003_sku", old={"shop": OLD})
    second = relabel("shop", "store", MIDDLE, first)
    disk = history(store=NEW)
    third = rewrite(
        disk, "store.0002_price=0002_cost", old={"store": MIDDLE}, created="2026-11-22T10:00:00Z", parents=(second.id,)
    )
    return disk, Rewrites((first, second, third))


def keys(rows: list[Record]) -> list[str]:
    return [str(row.key) for row in rows]


def kept(before: list[Record], now: list[Record]) -> bool:
    return [(row.id, row.applied) for row in before] == [(row.id, row.applied) for row in now]


@pytest.mark.parametrize(
    ("label", "names"), [("shop", OLD), ("shop", MIDDLE), ("store", MIDDLE), ("store", NEW)], ids=lambda it: it[:15]
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_database_at_every_point_comes_to_the_label_and_names_of_today(label: str, names: str, count: int) -> None:
    disk, known = chain()
    year = 2027 if (label, names) == ("store", NEW) else 2024
    rows = records(*(f"{label}.{name}" for name in names.split()[:count]), "auth.0001_initial", year=year)
    options = PlanOptions(trust_names=True)  # the times of these rows tell nothing
    plan = make_plan(disk, known, rows, REF, options=options)
    assert codes(plan) == []
    now = after(rows, plan)
    assert keys(now) == [*(f"store.{name}" for name in NEW.split()[:count]), "auth.0001_initial"]
    assert kept(rows, now)
    assert make_plan(disk, known, now, REF, options=options).changes == ()


def test_the_label_decides_where_names_were_used_again() -> None:
    """A swap before the label changed: under the new label the rows are as they must be, whatever their order."""
    swap = rewrite(history(shop="1 2 3"), "shop.3=2", "shop.2=3", old={"shop": "1 3 2"})
    known = Rewrites((swap, relabel("shop", "store", "1 2 3", swap)))
    moment = "2026-12-24 00:00:00"
    for label, given_names, wanted in (("store", "1 3 2", "1 3 2"), ("shop", "1 3 2", "1 2 3")):
        rows = [Record(number, label, name, moment) for number, name in enumerate(given_names.split(), 1)]
        plan = make_plan(history(store="1 2 3"), known, rows, REF)
        if label == "store":
            assert plan.changes == ()
            assert codes(plan) == []
        else:  # shop alone does not tell whether the swap was made
            assert codes(plan) == ["open-position"]
            plan = make_plan(history(store="1 2 3"), known, rows, REF, options=PlanOptions(positions={"store": "none"}))
            assert keys(after(rows, plan)) == [f"store.{name}" for name in wanted.split()]


def test_the_plan_keeps_the_rewrites_as_their_files_state_them() -> None:
    disk, known = chain()
    plan = make_plan(disk, known, records("shop.0001_initial", "shop.0003_price"), REF)
    assert plan.passed == known.ordered
    assert set(plan.fingerprints) == {"shop", "store"}
    assert Plan.from_dict(plan.as_dict()) == plan


def test_a_label_there_and_back() -> None:
    first = relabel("shop", "store", "1 2")
    known = Rewrites((first, relabel("store", "shop", "1 2", first)))
    for label in ("shop", "store"):
        rows = records(f"{label}.1", f"{label}.2")
        plan = make_plan(history(shop="1 2"), known, rows, REF)
        assert codes(plan) == []
        assert keys(after(rows, plan)) == ["shop.1", "shop.2"]


def test_a_rewrite_of_another_branch_that_did_not_know_the_new_label() -> None:
    """Made side by side: the one speaks of shop, and means what is store now."""
    renumbered = rewrite(history(shop="1 2"), "shop.3=2", old={"shop": "1 3"}, created="2026-12-01T10:00:00Z")
    known = Rewrites((relabel("shop", "store", "1 3"), renumbered))
    rows = records("shop.1", "shop.3")
    assert keys(after(rows, make_plan(history(store="1 2"), known, rows, REF))) == ["store.1", "store.2"]


def test_two_branches_that_gave_one_app_two_labels_are_refused() -> None:
    known = Rewrites((relabel("shop", "store", "1 2"), relabel("shop", "market", "1 2", made="2026-12-01T10:00:00Z")))
    plan = make_plan(history(store="1 2"), known, records("shop.1"), REF)
    assert "rewrites-conflict" in codes(plan)


def test_of_two_rewrites_in_conflict_the_one_that_git_can_replace_goes() -> None:
    """The files follow the squash. But without the other rewrite nobody knows of the label."""
    renumbered = replace(rewrite(history(shop="1 2 4"), "shop.3=4", old={"shop": "1 2 3"}), path="renumber.toml")
    relabelled = replace(relabel("shop", "store", "1 2 4", renumbered), path="relabel.toml")
    squashed = rewrite(history(shop="1 squashed"), ":shop.squashed=2+3", old={"shop": "1 2 3"})
    known = Rewrites((renumbered, relabelled, replace(squashed, path="squash.toml")))
    [found] = Labels(known).view.conflicts(lambda _: ["1", "squashed"])
    assert "git rm -q -f -- squash.toml" in found.hint
    alone = Rewrites((renumbered, replace(squashed, path="squash.toml")))
    [found] = alone.conflicts(lambda _: ["1", "squashed"])
    assert "git rm -q -f -- renumber.toml" in found.hint


def test_rows_under_both_labels_are_refused_and_doubles_can_be_removed() -> None:
    """`migrate --fake` under the new label, before the rows were renamed."""
    disk, known = history(store="1 2 3"), Rewrites((relabel("shop", "store", "1 2 3"),))
    rows = records("shop.1", "shop.2", "store.1", "store.2")
    plan = make_plan(disk, known, rows, REF)
    assert codes(plan) == ["two-labels"]
    assert "shop: rows 1 and 2\nstore: rows 3 and 4" in plan.findings[0].found
    plan = make_plan(disk, known, rows, REF, options=PlanOptions(dedupe=True))
    assert codes(plan) == []
    assert [(row.id, str(row.key)) for row in after(rows, plan)] == [(1, "store.1"), (2, "store.2")]
    more = [*rows, Record(5, "store", "3", "2024-01-09 10:00:00")]
    assert codes(make_plan(disk, known, more, REF, options=PlanOptions(dedupe=True))) == ["two-labels"]
    stated = PlanOptions(dedupe=True, positions={"store": "none"})
    assert keys(after(more, make_plan(disk, known, more, REF, options=stated))) == ["store.1", "store.2", "store.3"]


BACK = PlanOptions(backwards=True)


def run(number: int, plan: Plan) -> Run:
    return Run(f"{number}" * 32, number, RunKind.APPLY, plan.id, "", "", "", passed=plan.passed, changes=plan.changes)


def test_a_label_that_another_app_has_now() -> None:
    """Whose the rows are, the journal says, or the person; nothing is guessed."""
    disk, known = history(store="1 2", shop="1 5"), Rewrites((relabel("shop", "store", "1 2"),))
    rows = records("shop.1", "shop.5")
    plan = make_plan(disk, known, rows, REF)
    assert codes(plan) == ["label-used-again"]
    assert plan.blocked
    label = known.ordered[0].label
    stated = make_plan(disk, known, rows, REF, options=PlanOptions(positions={"store": label}))
    assert (codes(stated), stated.changes, stated.passed) == ([], (), known.ordered)
    before = records("shop.1", "shop.2")
    journal = [run(1, make_plan(history(store="1 2"), known, before, REF))]
    both = records("store.1", "store.2", "shop.1", "shop.5")
    assert codes(make_plan(disk, known, both, REF, runs=journal)) == []
    assert make_plan(disk, known, both, REF, runs=journal).empty


def test_what_is_left_under_the_old_label_after_a_run_is_told_and_left_alone() -> None:
    disk, known = history(store="1 2"), Rewrites((relabel("shop", "store", "1 2"),))
    journal = [run(1, make_plan(disk, known, records("shop.1", "shop.2"), REF))]
    plan = make_plan(disk, known, records("store.1", "store.2", "shop.9"), REF, runs=journal)
    assert (codes(plan), plan.blocked, plan.changes) == (["old-label"], False, ())


def test_an_older_checkout_brings_the_old_label_back() -> None:
    """The rewrite's file is not there: before-images for what it touched, the old label for what came since."""
    disk, known = chain()
    rows = records("shop.0001_initial", "shop.0003_price")
    plan = make_plan(disk, known, rows, REF)
    now = [*after(rows, plan), Record(9, "store", "0003_sku", "2027-01-01 00:00:00")]
    back = make_plan(history(shop=OLD), Rewrites(), now, REF, runs=[run(1, plan)], options=BACK)
    assert codes(back) == ["database-ahead"]
    assert keys(after(now, back)) == ["shop.0001_initial", "shop.0003_price", "shop.0007_sku"]


def test_records_under_a_label_that_a_rewrite_changed_are_not_newer_ones() -> None:
    """A revert took a rewrite of blog away, and the label of shop has changed meanwhile."""
    renamed = rewrite(history(blog="1 2"), "blog.3=2", old={"blog": "1 3"})
    before = records("blog.1", "blog.3")
    journal = [run(1, make_plan(history(blog="1 2"), Rewrites((renamed,)), before, REF))]
    rows = [*records("blog.1", "blog.2"), Record(8, "shop", "1", "2027-01-01 00:00:00")]
    disk, known = history(blog="1 3", store="1"), Rewrites((relabel("shop", "store", "1"),))
    plan = make_plan(disk, known, rows, REF, runs=journal, options=BACK)
    assert codes(plan) == ["database-ahead"]
    assert keys(after(rows, plan)) == ["blog.1", "blog.3", "store.1"]


def test_after_an_undo_both_labels_are_understood() -> None:
    """What was recorded between the run and the undo bears the new label."""
    disk, known = chain()
    rows = records("shop.0001_initial", "shop.0003_price")
    plan = make_plan(disk, known, rows, REF)
    done = run(1, plan)
    now = [*after(rows, plan), Record(9, "store", "0003_sku", "2027-01-01 00:00:00")]
    undo = plan_undo(REF, done, now, [done])
    assert not undo.blocked
    undone = after(now, undo)
    assert keys(undone) == ["shop.0001_initial", "shop.0003_price", "store.0003_sku"]
    runs = [done, replace(run(2, undo), kind=RunKind.UNDO, undoes=done.id, returned=undo.returned)]
    again = make_plan(disk, known, undone, REF, runs=runs)
    assert (codes(again), after(undone, again)) == ([], now)
    back = make_plan(history(shop=OLD), Rewrites(), undone, REF, runs=runs, options=BACK)
    assert codes(back) == ["database-ahead"]
    assert keys(after(undone, back)) == ["shop.0001_initial", "shop.0003_price", "shop.0007_sku"]


def test_a_rewrite_that_was_lost_does_not_bring_the_old_label_back() -> None:
    disk, known = history(store="1 2"), Rewrites((relabel("shop", "store", "1 2"),))
    rows = records("shop.1", "shop.2")
    plan = make_plan(disk, known, rows, REF)
    assert codes(make_plan(disk, Rewrites(), after(rows, plan), REF, runs=[run(1, plan)])) == ["lost-rewrite"]


def test_rows_of_the_old_label_cannot_be_pruned_by_mistake() -> None:
    disk, known = history(store="1 2"), Rewrites((relabel("shop", "store", "1 2"),))
    for asked in ("shop", "shop.1"):
        with pytest.raises(UsageError, match="shop has the label store now"):
            make_plan(disk, known, records("shop.1"), REF, options=PlanOptions(prune=(asked,)))


def test_a_file_that_still_names_the_old_label_is_pointed_to_what_it_is_now() -> None:
    disk, known = chain()
    assert successors(Key("shop", "0003_price"), disk, known) == ((Key("store", "0002_cost"),),)
    assert successors(Key("shop", "0001_initial"), disk, known) == ((Key("store", "0001_initial"),),)
    assert successors(Key("shop", "0009_nothing"), disk, known) == ()


def test_the_label_is_part_of_the_file_and_of_its_id() -> None:
    _, known = chain()
    second = known.ordered[1]
    assert second.as_dict()["apps"]["store"]["from"] == "shop"
    assert Rewrite.from_dict(second.as_dict()) == second
    assert replace(second, apps={"store": replace(second.apps["store"], origin="")}).id != second.id


def under_labels(rng: random.Random, known: Rewrites, epoch: Epoch, moved: int) -> Rewrites:
    """The same rewrites, the label changed after the epoch `moved`: those before it say shop, those after it store."""
    found: list[Rewrite] = []

    def add(made: Rewrite) -> None:
        found.append(replace(made, parents=(found[-1].id,) if found else ()))

    files = epoch.history()
    names = files.names("shop")
    depends = {name: tuple(up.name for up in files.parents(Key("shop", name))) for name in names}
    change = Rewrite(
        (),
        "rename-app shop store",
        f"2026-{moved + 1:02}-15T00:00:00Z",
        {"store": AppRewrite(names, names, depends=depends, origin="shop")},
        made_with_files=rng.random() < 0.5,
    )
    for made in known.ordered:
        if made.created > created(moved) and change.created not in [one.created for one in found]:
            add(change)
        label = "store" if made.created > created(moved) else "shop"
        add(replace(made, apps={label: made.apps["shop"]}))
    if change.created not in [one.created for one in found]:
        add(change)
    return Rewrites(tuple(found))


def under_store(migration: Migration) -> Migration:
    parents = tuple(Key("store", parent.name) for parent in migration.dependencies)
    return replace(migration, key=Key("store", migration.key.name), dependencies=parents, digest="")


@given(st.randoms(use_true_random=False), st.booleans())
def test_right_or_refused_with_a_label_that_changed(rng: random.Random, with_files: bool) -> None:
    epochs, known = build(rng, with_files)
    stopped, moved = rng.randrange(len(epochs)), rng.randrange(len(epochs))
    rows = closed_rows(epochs[stopped], rng, stopped)
    label = "shop" if stopped < moved or (stopped == moved and rng.random() < 0.5) else "store"
    before = [row._replace(app=label) for row in rows.values()]
    disk = build_history([under_store(it) for it in epochs[-1].files().values()], apps=[App("store", "/p/store")])
    options = PlanOptions(clock=Clock(naive_is_utc=True))
    plan = make_plan(disk, under_labels(rng, known, epochs[moved], moved), before, REF, options=options)
    truth = expected(epochs[-1], rows)
    event(f"refused: {plan.blocked}, label: {label}")
    if plan.blocked:
        assert set(codes(plan)) & REFUSALS, plan.findings
        return
    assert truth is not None
    assert after(before, plan) == [row._replace(app="store") for row in truth]
