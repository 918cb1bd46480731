"""Rewrites of two branches: equal renames agree, whatever else each of them says; only what differs is in conflict."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.rewrites.labels import Labels
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.planner import make_plan
from migsync.sync.run import Run, RunKind
from tests.profiles import examples
from tests.sync.planner.texts import REF, after, codes, history, records, rewrite

BASE = "0001_initial 0003_b 0005_c"
DISK = history(shop="0001_initial 0002_b 0003_c 0004_mine<0003_c 0004_theirs<0003_c")
MAIN = "0001_initial 0002_b 0003_c 0004_theirs"
MINE = "0001_initial 0002_b 0003_c 0004_mine"


def of_branch(disk: str, *words: str, old: str, created: str = "2026-11-20T10:45:00Z", parents=()) -> Rewrite:
    return rewrite(history(shop=disk), *words, old={"shop": old}, created=created, parents=parents)


def two_branches() -> Rewrites:
    """Both put in line what they share; each has a migration of its own, and renamed it."""
    shared = ("shop.0003_b=0002_b", "shop.0005_c=0003_c")
    main = of_branch(MAIN, *shared, "shop.0006_theirs=0004_theirs", old=f"{BASE} 0006_theirs")
    mine = of_branch(MINE, *shared, "shop.0006_mine=0004_mine", old=f"{BASE} 0006_mine", created="2026-11-21T10:45:00Z")
    return Rewrites((main, mine))


def run_through(rewrite: Rewrite) -> Run:
    return Run("run1", 1, RunKind.APPLY, "plan", "", "", "", passed=(rewrite,), changes=())


def names(rows) -> list[str]:
    return [record.name for record in rows]


def test_a_database_that_has_been_through_none_goes_through_both():
    for own in ("mine", "theirs"):
        rows = records("shop.0001_initial", "shop.0003_b", "shop.0005_c", f"shop.0006_{own}")
        plan = make_plan(DISK, two_branches(), rows, REF)
        assert codes(plan) == []
        assert names(after(rows, plan)) == ["0001_initial", "0002_b", "0003_c", f"0004_{own}"]


def test_a_database_that_has_been_through_either_is_up_to_date():
    both = two_branches()
    for own, passed in zip(("theirs", "mine"), both.ordered, strict=True):
        rows = records("shop.0001_initial", "shop.0002_b", "shop.0003_c", f"shop.0004_{own}", year=2027)
        for runs in ([], [run_through(passed)]):
            plan = make_plan(DISK, both, rows, REF, runs=runs)
            assert codes(plan) == []
            assert not plan.changes


def test_only_what_differs_is_in_conflict():
    main = of_branch(MAIN, "shop.0003_b=0002_b", "shop.0005_c=0003_c", old=BASE + " 0004_theirs")
    other = "0001_initial 0002_b 0007_c 0004_mine"
    mine = of_branch(other, "shop.0003_b=0002_b", "shop.0005_c=0007_c", old=f"{BASE} 0004_mine")
    [conflict] = Labels(Rewrites((main, mine))).view.conflicts(DISK.names)
    assert conflict.name == "0005_c"


def test_the_files_and_not_what_they_share_are_journaled():
    both = two_branches()
    rows = records("shop.0001_initial", "shop.0003_b", "shop.0005_c")
    assert make_plan(DISK, both, rows, REF).passed == both.ordered


def test_what_one_branch_did_before_says_nothing_about_the_other():
    """Main squashed another app before it put this one in line: whoever has been through the twin has not."""
    disk = history(shop="0001_initial 0002_b", blog="0001_squashed_0002_t")
    squash = rewrite(disk, ":blog.0001_squashed_0002_t=0001_initial+0002_t", old={"blog": "0001_initial 0002_t"})
    main = rewrite(disk, "shop.0003_b=0002_b", old={"shop": "0001_initial 0003_b"}, parents=(squash.id,))
    mine = rewrite(disk, "shop.0003_b=0002_b", old={"shop": "0001_initial 0003_b"}, created="2026-11-21T10:45:00Z")
    top = Rewrite(
        (mine.id,),
        "x",
        "2026-11-22T10:45:00Z",
        {"blog": AppRewrite(("0009_z",), ("0008_z",), renamed=(("0009_z", "0008_z"),))},
    )
    rows = records("shop.0001_initial", "shop.0002_b", "blog.0001_initial", "blog.0002_t", year=2027)
    runs = [Run("run1", 1, RunKind.APPLY, "plan", "", "", "", passed=(mine, top), changes=())]
    plan = make_plan(disk, Rewrites((squash, main, mine, top)).without_doubles(), rows, REF, runs=runs)
    assert codes(plan) == []
    assert names(after(rows, plan)) == ["0001_initial", "0002_b", "0001_squashed_0002_t"]


def test_a_label_that_both_changed_alike_is_one_change():
    disk = history(news="0001_initial 0002_t 0003_mine")

    def renamed(*after: str, created: str) -> Rewrite:
        return Rewrite((), "rename-app blog news", created, {"news": AppRewrite(after, after, origin="blog")})

    main = renamed("0001_initial", "0002_t", created="2026-11-20T10:45:00Z")
    mine = renamed("0001_initial", "0002_t", "0003_mine", created="2026-11-21T10:45:00Z")
    both = Rewrites((main, mine))
    for label, runs in (("blog", []), ("news", [run_through(main)]), ("news", [run_through(mine)]), ("news", [])):
        rows = records(f"{label}.0001_initial", f"{label}.0002_t", year=2027)
        plan = make_plan(disk, both, rows, REF, runs=runs)
        assert codes(plan) == []
        assert [str(row.key) for row in after(rows, plan)] == ["news.0001_initial", "news.0002_t"]


@settings(max_examples=examples(60, 1000))
@given(st.integers(0, 2**32))
def test_two_branches_that_do_not_differ_lead_every_database_to_the_disk(seed: int) -> None:
    """Shared migrations that one branch renamed, or the other, or both alike; own ones; a squash of some of them."""
    rng = random.Random(seed)
    shared = [f"{2 * number + 1:04}_{letter}" for number, letter in enumerate("abcdef")]
    became = {name: f"{number + 1:04}_{name[5:]}" for number, name in enumerate(shared)}
    by = {name: rng.choice(["main", "mine", "both", "both", "none"]) for name in shared}
    sides = {}
    for place, side in enumerate(("main", "mine")):
        own = [f"{number:04}_{side}{number}" for number in rng.sample(range(20, 30), rng.randint(0, 2))]
        renamed = {name: became[name] for name in shared if by[name] in (side, "both") and became[name] != name}
        renamed |= {name: f"{int(name[:4]) + 50:04}_{name[5:]}" for name in own if rng.random() < 0.6}
        before = [*shared, *own]
        now = [renamed.get(name, name) for name in before]
        words = [f"shop.{old}={new}" for old, new in renamed.items()]
        sides[side] = before, now, words, f"2026-11-2{place}T10:45:00Z"
    on_main = {name: became[name] if by[name] != "none" else name for name in shared}
    line = [on_main[name] for name in shared]
    extra = [f"{name}<{line[-1]}" for before, now, *_ in sides.values() for name in now[len(shared) :]]
    disk = history(shop=" ".join([*line, *extra]))
    made = [
        of_branch(" ".join(now), *words, old=" ".join(before), created=created)
        for before, now, words, created in sides.values()
        if words
    ]
    known = Rewrites(tuple(made)).without_doubles()
    for side, (before, now, words, _) in sides.items():
        for names_then, passed in ((before, False), (now, True)):
            recorded = names_then[: rng.randint(0, len(names_then))]
            rows = records(*(f"shop.{name}" for name in recorded), year=2027 if passed else 2024)
            runs = [run_through(each) for each in made if passed and words and each.created == sides[side][3]]
            plan = make_plan(disk, known, rows, REF, runs=runs if rng.random() < 0.5 else [])
            assert codes(plan) == [], (side, passed)
            final = [on_main.get(old, new) for old, new in zip(before, now, strict=True)][: len(recorded)]
            assert names(after(rows, plan)) == final, (side, passed)
