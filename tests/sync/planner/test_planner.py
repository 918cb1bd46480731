"""The planner, case by case: names on disk, rewrites and rows in, changes or a refusal out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from migsync.errors import UsageError
from migsync.history import App, History, Key, Migration, Problem, build_history
from migsync.rewrites.clock import Clock
from migsync.rewrites.evidence.origins import Origins
from migsync.rewrites.name_changes import make_rewrite, parse_changes
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.translation import Translation, translate
from migsync.sync import planner
from migsync.sync.plan import ChangeKind, Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.run import Run, RunKind
from migsync.sync.undo import plan_undo
from tests.sync.planner.texts import MADE, REF, after, codes, history, migrations, records, rewrite, rewrites

BACK = PlanOptions(backwards=True)


def names(rows: list[Record]) -> list[str]:
    return [str(record.key) for record in rows]


def kept(before: list[Record], now: list[Record]) -> bool:
    """Every row that is still there has its id and its `applied`."""
    applied = {record.id: record.applied for record in before}
    return all(applied.get(record.id, record.applied) == record.applied for record in now)


def run_of(plan: Plan, number: int = 1, before: list[Record] | None = None) -> Run:
    return Run(f"run{number}", number, RunKind.APPLY, plan.id, "", "", "", passed=plan.passed, changes=plan.changes)


def test_chain_with_one_suffix() -> None:
    """Pitfall 1: the names are used again, and every row keeps its id and its time."""
    disk = history(shop="0001_initial 0002_alter_item_price 0003_alter_item_price")
    known = rewrites(
        disk,
        "shop.0003_alter_item_price=0002_alter_item_price",
        "shop.0004_alter_item_price=0003_alter_item_price",
        old={"shop": "0001_initial 0003_alter_item_price 0004_alter_item_price"},
    )
    rows = records("shop.0001_initial", "shop.0003_alter_item_price", "shop.0004_alter_item_price")
    plan = make_plan(disk, known, rows, REF)
    now = after(rows, plan)
    assert codes(plan) == []
    assert names(now) == ["shop.0001_initial", "shop.0002_alter_item_price", "shop.0003_alter_item_price"]
    assert kept(rows, now)
    assert make_plan(disk, known, now, REF, runs=[run_of(plan)]).empty


def test_shift_up_with_a_fork() -> None:
    """Pitfall 2."""
    disk = history(shop="0001_initial 0002_aaa 0003_alter_x 0004_alter_x")
    known = rewrites(
        disk,
        "shop.0002_alter_x=0003_alter_x",
        "shop.0003_alter_x=0004_alter_x",
        "-shop.0004_merge",
        old={"shop": "0001_initial 0002_aaa 0002_alter_x<0001_initial 0003_alter_x 0004_merge<0002_aaa,0003_alter_x"},
    )
    rows = records("shop.0001_initial", "shop.0002_aaa", "shop.0002_alter_x", "shop.0003_alter_x", "shop.0004_merge")
    now = after(rows, make_plan(disk, known, rows, REF))
    assert names(now) == ["shop.0001_initial", "shop.0002_aaa", "shop.0003_alter_x", "shop.0004_alter_x"]
    assert kept(rows, now)


SWAP_OLD = {"shop": "0001_initial 0003_x 0002_x"}


@pytest.mark.parametrize("recorded", [1, 2, 3])
def test_swap(recorded: int) -> None:
    """Pitfall 3, at every point: with all names recorded the order in which they were applied decides."""
    disk = history(shop="0001_initial 0002_x 0003_x")
    known = rewrites(disk, "shop.0003_x=0002_x", "shop.0002_x=0003_x", old=SWAP_OLD)
    rows = records("shop.0001_initial", "shop.0003_x", "shop.0002_x")[:recorded]
    plan = make_plan(disk, known, rows, REF)
    assert codes(plan) == []
    assert names(after(rows, plan)) == ["shop.0001_initial", "shop.0002_x", "shop.0003_x"][:recorded]


def test_swap_on_a_database_migrated_afterwards_is_left_alone() -> None:
    disk = history(shop="0001_initial 0002_x 0003_x")
    known = rewrites(disk, "shop.0003_x=0002_x", "shop.0002_x=0003_x", old=SWAP_OLD)
    rows = records("shop.0001_initial", "shop.0002_x", "shop.0003_x", year=2027)
    assert make_plan(disk, known, rows, REF).empty


def test_a_reset_under_the_first_name() -> None:
    """Every database has a record of this name: the old one, or the new one."""
    disk = history(shop="0001_initial")
    known = rewrites(disk, ":shop.0001_initial=0001_initial+0002_x", old={"shop": "0001_initial 0002_x"})
    clock = PlanOptions(clock=Clock(naive_is_utc=True))
    whole = make_plan(disk, known, records("shop.0001_initial", "shop.0002_x"), REF, options=clock)
    assert [change.kind for change in whole.changes] == [ChangeKind.REMOVE, ChangeKind.RENAME]
    behind = make_plan(disk, known, records("shop.0001_initial"), REF, options=clock)
    assert codes(behind) == ["open-position"]
    assert make_plan(disk, known, records("shop.0001_initial", year=2027), REF, options=clock).empty
    # A time without an offset may be hours away from the moment at which the rewrite was written.
    day = [Record(1, "shop", "0001_initial", f"{MADE[:10]} 23:59:59")]
    assert codes(make_plan(disk, known, day, REF)) == ["open-position"]


def test_swap_that_nothing_tells_apart_is_refused_and_can_be_stated() -> None:
    disk = history(shop="0001_initial 0002_x 0003_x")
    known = rewrites(disk, "shop.0003_x=0002_x", "shop.0002_x=0003_x", old=SWAP_OLD)
    moment = "2027-01-01 00:00:00"
    rows = [Record(n, "shop", name, moment) for n, name in enumerate(["0001_initial", "0003_x", "0002_x"], 1)]
    plan = make_plan(disk, known, rows, REF)
    assert codes(plan) == ["open-position"]
    assert plan.blocked
    label = known.ordered[0].stated_as
    assert f"--position shop={label}" in plan.findings[0].hint
    assert "--position shop=none" in plan.findings[0].hint
    passed = make_plan(disk, known, rows, REF, options=PlanOptions(positions={"shop": label}))
    assert not passed.changes
    assert passed.passed == known.ordered
    unpassed = make_plan(disk, known, rows, REF, options=PlanOptions(positions={"shop": "none"}))
    assert names(after(rows, unpassed)) == ["shop.0001_initial", "shop.0002_x", "shop.0003_x"]


def test_the_time_decides_nothing_where_a_journal_may_be_there_and_cannot_be_seen() -> None:
    disk = history(shop="0001_initial 0002_x 0003_x")
    known = rewrites(disk, "shop.0003_x=0002_x", "shop.0002_x=0003_x", old=SWAP_OLD)
    known = Rewrites((replace(known.ordered[0], made_with_files=True),))
    moment = "2026-01-01 00:00:00"
    rows = [Record(n, "shop", name, moment) for n, name in enumerate(["0001_initial", "0003_x", "0002_x"], 1)]
    assert len(make_plan(disk, known, rows, REF).changes) == 2
    plan = make_plan(disk, known, rows, REF, options=PlanOptions(unseen_journal="GRANT SELECT …"))
    assert codes(plan) == ["unseen-journal", "open-position"]
    assert plan.blocked


def test_stale_row_under_the_new_name_is_refused() -> None:
    """Pitfall 5: the migration on disk never ran here."""
    disk = history(shop="0001_initial 0002_add_email")
    known = rewrites(disk, "shop.0003_add_email=0002_add_email", old={"shop": "0001_initial 0003_add_email"})
    rows = records("shop.0001_initial", "shop.0002_add_email")
    plan = make_plan(disk, known, rows, REF)
    assert codes(plan) == ["doubtful-name"]
    assert plan.blocked
    leftover = PlanOptions(prune=("shop.0002_add_email",), positions={"shop": "none"})
    assert names(after(rows, make_plan(disk, known, rows, REF, options=leftover))) == ["shop.0001_initial"]
    assert make_plan(disk, known, rows, REF, options=PlanOptions(trust_names=True)).empty
    fresh = records("shop.0001_initial", "shop.0002_add_email", year=2027)
    assert make_plan(disk, known, fresh, REF).empty


def test_a_name_that_a_rewrite_gave_back_is_not_doubted() -> None:
    """The rows may have been through both rewrites, or through neither: their names are right either way."""
    there = rewrite(history(shop="0001_initial 0002_b"), "shop.0003_b=0002_b")
    back = rewrite(history(shop="0001_initial 0003_b"), "shop.0002_b=0003_b", parents=(there.id,))
    disk, known = history(shop="0001_initial 0003_b"), Rewrites((there, back))
    assert codes(make_plan(disk, known, records("shop.0001_initial", "shop.0003_b"), REF)) == []
    # The name in between is in no file from before the rewrites.
    between = make_plan(disk, known, records("shop.0001_initial", "shop.0002_b"), REF)
    assert codes(between) == ["doubtful-name"]


def test_stale_row_beside_the_old_name_is_refused() -> None:
    disk = history(shop="0001_initial 0002_add_email")
    known = rewrites(disk, "shop.0003_add_email=0002_add_email", old={"shop": "0001_initial 0003_add_email"})
    rows = records("shop.0001_initial", "shop.0002_add_email", "shop.0003_add_email")
    plan = make_plan(disk, known, rows, REF)
    assert codes(plan) == ["no-position"]
    assert not plan.changes
    forced = make_plan(disk, known, rows, REF, options=PlanOptions(positions={"shop": "none"}))
    assert "two-rows" in codes(forced)


def test_a_naive_time_is_doubted_only_beyond_any_offset() -> None:
    disk = history(shop="0001_initial 0002_b")
    known = rewrites(disk, "shop.0003_b=0002_b")
    rows = [
        Record(1, "shop", "0001_initial", "2026-01-01 00:00:00"),
        Record(2, "shop", "0002_b", "2026-11-20 09:00:00"),
    ]
    assert make_plan(disk, known, rows, REF).empty
    in_utc = PlanOptions(clock=Clock(naive_is_utc=True))
    assert codes(make_plan(disk, known, rows, REF, options=in_utc)) == ["doubtful-name"]
    with_zone = [rows[0], rows[1]._replace(applied="2026-11-20 12:00:00+02")]
    assert codes(make_plan(disk, known, with_zone, REF)) == ["doubtful-name"]


def test_duplicates_are_refused_until_told_how() -> None:
    """Pitfall 6."""
    disk = history(shop="0001_initial 0002_b")
    rows = records("shop.0001_initial", "shop.0002_b", "shop.0002_b")
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert codes(plan) == ["duplicate-records"]
    assert plan.blocked
    told = make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(dedupe=True))
    assert after(rows, told) == rows[:2]


class TestSquashesThatOverlap:
    """Django records all that each of them replaces, without a look at what is recorded."""

    ROWS = records(*(f"shop.{name}" for name in ["1", "2", "3", "3", "4", "2_squashed_3", "3_squashed_4"]))

    def disk(self, *names: str, replaces: Mapping[str, str]) -> History:
        files = migrations("shop", " ".join(names))
        parts = {name: tuple(Key("shop", each) for each in olds.split()) for name, olds in replaces.items()}
        made = [replace(each, replaces=parts.get(each.key.name, ())) for each in files.values()]
        return build_history(made, apps=[App("shop", "/project/shop")])

    def test_rows_that_keep_their_names_stay(self) -> None:
        replaces = {"2_squashed_3": "2 3", "3_squashed_4": "3 4"}
        disk = self.disk("1", "2", "3", "4", "2_squashed_3<1", "3_squashed_4<2_squashed_3", replaces=replaces)
        plan = make_plan(disk, Rewrites(), self.ROWS, REF)
        assert (codes(plan), plan.empty) == ([], True)
        assert after(self.ROWS, make_plan(disk, Rewrites(), self.ROWS, REF, options=PlanOptions(dedupe=True))) == [
            *self.ROWS[:3],
            *self.ROWS[4:],
        ]

    def test_more_rows_than_squashes_are_duplicates(self) -> None:
        disk = self.disk("1", "2", "3", "2_squashed_3<1", replaces={"2_squashed_3": "2 3"})
        assert codes(make_plan(disk, Rewrites(), self.ROWS[:4], REF)) == ["duplicate-records"]

    def test_a_renamed_one_is_recorded_once_and_an_undo_brings_both_back(self) -> None:
        replaces = {"2_squashed_3": "2 new", "3_squashed_4": "new 4"}
        disk = self.disk("1", "2", "new", "4", "2_squashed_3<1", "3_squashed_4<2_squashed_3", replaces=replaces)
        known = rewrites(disk, "shop.3=new", old={"shop": "1 2 3 4 2_squashed_3<1 3_squashed_4<2_squashed_3"})
        plan = make_plan(disk, known, self.ROWS, REF)
        now = after(self.ROWS, plan)
        assert codes(plan) == []
        assert now == [*self.ROWS[:2], self.ROWS[2]._replace(name="new"), *self.ROWS[4:]]
        run = run_of(plan)
        assert make_plan(disk, known, now, REF, runs=[run]).empty
        assert after(now, plan_undo(REF, run, now, [run], known.ordered)) == self.ROWS


def test_collapse_keeps_the_last_row() -> None:
    disk = history(shop="0001_initial 0002_squashed")
    known = rewrites(
        disk, ":shop.0002_squashed=0002_a+0003_b+0004_c", old={"shop": "0001_initial 0002_a 0003_b 0004_c"}
    )
    rows = records("shop.0001_initial", "shop.0002_a", "shop.0003_b", "shop.0004_c")
    now = after(rows, make_plan(disk, known, rows, REF))
    assert now == [rows[0], rows[3]._replace(name="0002_squashed")]


def test_an_undo_knows_a_newer_row_under_the_name_of_a_collapse_by_the_journal_alone() -> None:
    """None of what was united was there when the run removed the merge, whatever the clocks say."""
    disk = history(shop="0001_initial 0002_a<0001_initial")
    old = "0001_initial 0002_a<0001_initial 0003_b<0002_a 0002_c<0001_initial 0004_merge<0001_initial,0002_c"
    known = rewrites(disk, ":shop.0002_a=0002_a+0003_b", "-shop.0004_merge", "-shop.0002_c", old={"shop": old})
    rows = records("shop.0001_initial", "shop.0002_c", "shop.0004_merge")
    run = run_of(plan := make_plan(disk, known, rows, REF))
    run = replace(run, at="2027-01-01T00:00:00Z")
    now = [*after(rows, plan), Record(9, "shop", "0002_a", "2024-02-01 10:00:00")]
    refused = plan_undo(REF, run, now, [run], known.ordered)
    assert [each.code for each in refused.findings if each.blocks] == ["name-means-another"]
    # Here the run united two rows, of which one kept its name: that may be this one, and its time counts.
    both = records("shop.0001_initial", "shop.0003_b", "shop.0002_a")
    run = replace(run_of(plan := make_plan(disk, known, both, REF)), at="2027-01-01T00:00:00Z")
    assert not plan_undo(REF, run, after(both, plan), [run], known.ordered).blocked


def test_collapse_of_some_is_refused_and_says_what_to_run() -> None:
    disk = history(shop="0001_initial 0002_squashed")
    known = rewrites(disk, ":shop.0002_squashed=0002_a+0003_b", old={"shop": "0001_initial 0002_a 0003_b"})
    plan = make_plan(disk, known, records("shop.0001_initial", "shop.0002_a"), REF)
    assert codes(plan) == ["partial-collapse"]
    assert "migrate shop 0003_b" in plan.findings[0].hint
    assert not plan.changes
    assert make_plan(disk, known, records("shop.0001_initial"), REF).empty


@pytest.mark.parametrize(("olds", "news"), [(1, 3), (2, 3), (3, 2), (2, 2)])
def test_remake_many_to_many(olds: int, news: int) -> None:
    old, new = [f"000{n}_old" for n in range(1, olds + 1)], [f"000{n}_new" for n in range(1, news + 1)]
    disk = history(shop=" ".join(new))
    known = rewrites(disk, f":shop.{'+'.join(new)}={'+'.join(old)}", old={"shop": " ".join(old)})
    rows = records(*(f"shop.{name}" for name in old))
    plan = make_plan(disk, known, rows, REF)
    now = after(rows, plan)
    assert names(now) == [f"shop.{name}" for name in new]
    assert {record.applied for record in now} <= {record.applied for record in rows}
    assert now[-1].applied == rows[-1].applied
    inserts = [change for change in plan.changes if change.kind is ChangeKind.INSERT]
    assert len(inserts) == max(news - olds, 0)


def test_third_party_and_uninstalled_rows_are_never_touched() -> None:
    """Pitfall 10."""
    files = [*migrations("shop", "0001_initial").values(), *migrations("auth", "0001_initial").values()]
    disk = build_history(files, apps=[App("shop", "/p/shop"), App("auth", "/site-packages/auth", first_party=False)])
    rows = records("shop.0001_initial", "auth.0001_initial", "auth.0009_gone", "gone.0001_initial", "auth.0001_initial")
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert plan.empty
    assert not plan.findings
    for app in ("auth", "auth.0009_gone"):
        with pytest.raises(UsageError, match="not this project's own"):
            make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(prune=(app,)))


def test_rows_of_a_removed_app_are_pruned_by_name() -> None:
    """Pitfall 9."""
    disk = history(shop="0001_initial")
    rows = records("shop.0001_initial", "gone.0001_initial", "gone.0002_b")
    plan = make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(prune=("gone",)))
    assert names(after(rows, plan)) == ["shop.0001_initial"]
    assert "gone" in plan.fingerprints
    with pytest.raises(UsageError, match="still installed"):
        make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(prune=("shop",)))
    with pytest.raises(UsageError, match="is on disk"):
        make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(prune=("shop.0001_initial",)))


def test_a_record_that_nothing_explains_is_a_warning() -> None:
    disk = history(shop="0001_initial 0002_b")
    rows = records("shop.0001_initial", "shop.0002_gone", "shop.0002_b")
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert codes(plan) == ["unknown-record"]
    assert not plan.blocked


def test_a_lost_record_that_the_next_file_may_repeat_is_a_question() -> None:
    """A collapse by hand that nobody wrote down: `migrate` would do it again."""
    disk = history(shop="0001_initial 0002_both")
    rows = records("shop.0001_initial", "shop.0002_b", "shop.0003_c")
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert codes(plan) == ["perhaps-ran"]
    assert plan.blocked
    assert "--collapse shop.0002_both=0002_b+0003_c" in plan.findings[0].hint
    gone = PlanOptions(prune=("shop.0002_b", "shop.0003_c"))
    assert codes(make_plan(disk, Rewrites(), rows, REF, options=gone)) == []
    elsewhere = PlanOptions(origins=Origins(branches={rows[1].key: "feature", rows[2].key: "feature"}))
    plan = make_plan(disk, Rewrites(), rows, REF, options=elsewhere)
    assert codes(plan) == ["on-another-branch"] * 2
    assert "git checkout feature\npython manage.py migrate shop NAME\ngit checkout -" in plan.findings[0].hint


CASE_40 = ("shop.0001_initial", "shop.0002_auto", "shop.0002_menu")


def test_a_file_behind_a_newcomer_may_be_what_a_lost_record_ran() -> None:
    """Case 40: no name and no place says so; the file depends on something recorded later."""
    disk = history(shop="0001_initial 0002_menu 0003_collection")
    rows = records(*CASE_40)
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert codes(plan) == ["perhaps-ran"]
    assert plan.blocked
    assert "shop.0002_auto (row 2)" in plan.findings[0].found
    assert "shop.0003_collection" in plan.findings[0].found


@pytest.mark.parametrize("newcomer", ["0002_menu", "0002_menu 0003_more"])
def test_every_lost_record_and_every_file_is_named(newcomer: str) -> None:
    disk = history(shop=f"0001_initial {newcomer} 0004_x 0005_y")
    rows = records("shop.0001_initial", "shop.0002_auto", "shop.0003_auto", "shop.0002_menu")
    [finding] = make_plan(disk, Rewrites(), rows, REF).findings
    for name in ("0002_auto", "0003_auto", "0004_x", "0005_y"):
        assert f"shop.{name}" in finding.found


def test_a_leftover_is_a_word_that_keeps_the_row() -> None:
    disk = history(shop="0001_initial 0002_menu 0003_collection")
    stated = PlanOptions(origins=Origins(stated=frozenset({Key("shop", "0002_auto")})))
    plan = make_plan(disk, Rewrites(), records(*CASE_40), REF, options=stated)
    assert plan.empty
    assert not plan.findings
    assert not plan.unexplained
    used_again = history(shop="0001_initial 0002_menu 0002_auto")
    plan = make_plan(used_again, Rewrites(), records(*CASE_40), REF, options=stated)
    assert codes(plan) == ["leftover-on-disk"]


def test_what_another_finding_asks_about_is_not_asked_again_and_the_rest_is() -> None:
    """Case 50: an open pair about the same file does not swallow the other records."""
    disk = history(shop="0001_initial 0002_both")
    rows = records("shop.0001_initial", "shop.0002_b", "shop.0003_c")
    asked = Origins(asked=frozenset({rows[1].key}))
    [finding] = make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(origins=asked)).findings
    assert finding.code == "perhaps-ran"
    assert "shop.0003_c (row 3)" in finding.found
    asked = Origins(asked=frozenset(row.key for row in rows[1:]))
    assert not make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(origins=asked)).findings


def test_two_files_of_one_commit_are_not_one_migration() -> None:
    disk = history(shop="0001_initial 0002_menu 0003_collection")
    apart = Origins(distinct=frozenset({(Key("shop", "0002_auto"), Key("shop", "0003_collection"))}))
    plan = make_plan(disk, Rewrites(), records(*CASE_40), REF, options=PlanOptions(origins=apart))
    assert codes(plan) == ["unknown-record"]
    assert plan.unexplained == 1


@pytest.mark.parametrize(
    ("names", "applied", "blocked"),
    [
        ("0001_initial 0002_menu 0003_x", "2024-06-01 10:00:00", True),
        ("0001_initial 0002_menu 0003_x", "2024-08-01 10:00:00+00", False),
        ("0001_initial 0002_menu 0003_x", None, True),
        ("0001_initial 0002_menu 0003_x<0001_initial", "2024-08-01 10:00:00", True),
    ],
)
def test_a_file_behind_what_is_half_a_year_younger_than_a_record_is_another_one(
    names: str, applied: str | None, blocked: bool
) -> None:
    """Case 40 is about a branch and the newcomers that it was put behind, not about leftovers of years ago."""
    *rows, menu = records(*CASE_40)
    plan = make_plan(history(shop=names), Rewrites(), [*rows, menu._replace(applied=applied)], REF)
    assert plan.blocked is blocked
    assert codes(plan) == ["perhaps-ran" if blocked else "unknown-record"]


@pytest.mark.parametrize(("newcomers", "blocked"), [(10, True), (11, False)])
def test_a_file_behind_many_newcomers_is_another_one(newcomers: int, blocked: bool) -> None:
    menus = [f"{number:04}_menu" for number in range(2, newcomers + 2)]
    disk = history(shop=f"0001_initial {' '.join(menus)} 0099_x")
    rows = records("shop.0001_initial", "shop.0002_auto", *(f"shop.{name}" for name in menus))
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert plan.blocked is blocked
    assert codes(plan) == ["perhaps-ran" if blocked else "unknown-record"]


@pytest.mark.parametrize(
    ("squash", "found"),
    [
        ("0001_initial_squashed_0003_c", "squashed-record"),
        ("0001_squashed_0003_c", "squashed-record"),
        ("0001_initial_squashed_0004_d", "perhaps-ran"),
    ],
)
def test_a_squash_that_is_gone_is_explained_by_what_it_replaced(squash: str, found: str) -> None:
    """Squashed again in other ranges: the rows of the originals say what ran."""
    disk = history(shop="0001_initial 0002_b 0003_c 0005_e")
    rows = records("shop.0001_initial", "shop.0002_b", "shop.0003_c", f"shop.{squash}")
    assert codes(make_plan(disk, Rewrites(), rows, REF)) == [found]


@pytest.mark.parametrize(
    ("rows", "blocked"),
    [
        ("goods.0001_initial goods.0002_price", True),
        ("goods.0001_initial", False),
        ("goods.0001_initial goods.0002_other", False),
        ("goods.0001_initial goods.0002_price shop.0001_initial", False),
    ],
)
def test_an_app_without_records_may_have_had_another_label(rows: str, blocked: bool) -> None:
    """The name 0001_initial alone says nothing: an old app went, and a new one came."""
    plan = make_plan(history(shop="0001_initial 0002_price"), Rewrites(), records(*rows.split()), REF)
    assert codes(plan) == (["lost-app"] if blocked else [])


def test_rows_of_a_settled_squash_are_explained_by_its_name() -> None:
    """Django leaves them in the table when `replaces` is taken out, so nearly every project has some."""
    disk = history(shop="0001_squashed_0003_c 0004_d")
    rows = records("shop.0001_initial", "shop.0002_b", "shop.0003_c", "shop.0001_squashed_0003_c")
    plan = make_plan(disk, Rewrites(), rows, REF)
    assert codes(plan) == ["squashed-record"]
    assert not plan.unexplained
    later = [*rows, Record(9, "shop", "0002_b2", "2025-01-01 00:00:00")]
    assert codes(make_plan(disk, Rewrites(), later, REF)) == ["squashed-record", "perhaps-ran"]


def test_several_rewrites_behind_in_one_plan() -> None:
    middle = history(shop="0001_initial 0002_b 0003_c")
    first = rewrite(middle, "shop.0003_b=0002_b", "shop.0005_c=0003_c", old={"shop": "0001_initial 0003_b 0005_c"})
    disk = history(shop="0001_squashed 0002_d")
    second = rewrite(
        disk,
        ":shop.0001_squashed=0001_initial+0002_b",
        "shop.0003_c=0002_d",
        old={"shop": "0001_initial 0002_b 0003_c"},
        created="2026-12-01T00:00:00Z",
        parents=(first.id,),
    )
    known = Rewrites((first, second))
    rows = records("shop.0001_initial", "shop.0003_b", "shop.0005_c")
    plan = make_plan(disk, known, rows, REF)
    assert names(after(rows, plan)) == ["shop.0001_squashed", "shop.0002_d"]
    assert plan.passed == (first, second)
    part = make_plan(disk, known, rows[:1], REF)
    assert codes(part) == ["partial-collapse"]


def test_an_older_history_on_disk_takes_the_rows_back() -> None:
    new = history(shop="0001_initial 0002_b 0003_c")
    known = rewrites(
        new,
        "shop.0003_b=0002_b",
        "shop.0005_c=0003_c",
        "-shop.0004_merge",
        old={"shop": "0001_initial 0003_b 0004_merge<0001_initial,0003_b 0005_c"},
    )
    rows = records("shop.0001_initial", "shop.0003_b", "shop.0004_merge")
    plan = make_plan(new, known, rows, REF)
    now = after(rows, plan)
    since = [*now, Record(9, "shop", "0003_c", "2027-01-01 00:00:00")]
    old = history(shop="0001_initial 0003_b 0004_merge<0001_initial,0003_b 0005_c")
    back = make_plan(old, Rewrites(), since, REF, runs=[run_of(plan)], options=BACK)
    assert not back.blocked
    assert back.returned == known.ordered
    assert after(since, back) == [*rows, Record(9, "shop", "0005_c", "2027-01-01 00:00:00")]


def test_an_older_history_with_one_of_two_rewrites_left() -> None:
    middle = history(shop="0001_initial 0002_b")
    first = rewrite(middle, "shop.0003_b=0002_b", old={"shop": "0001_initial 0003_b"})
    disk = history(shop="0001_initial 0002_bb")
    second = rewrite(disk, "shop.0002_b=0002_bb", old={"shop": "0001_initial 0002_b"}, parents=(first.id,))
    rows = records("shop.0001_initial", "shop.0003_b")
    plan = make_plan(disk, Rewrites((first, second)), rows, REF)
    now = after(rows, plan)
    back = make_plan(middle, Rewrites((first,)), now, REF, runs=[run_of(plan)], options=BACK)
    assert names(after(now, back)) == ["shop.0001_initial", "shop.0002_b"]
    assert back.returned == (first, second)
    assert back.passed == (first,)


def test_a_part_of_what_a_remake_made_has_no_older_name() -> None:
    """To drop its row would run the old migrations again; to keep it under their names would lose the other part."""
    new = history(shop="0001_a 0002_b")
    known = rewrites(new, ":shop.0001_a+0002_b=0001_x+0002_y", old={"shop": "0001_x 0002_y"})
    run = replace(run_of(make_plan(new, known, [], REF)), passed=known.ordered)
    rows = [Record(1, "shop", "0001_a", "2027-01-01 00:00:00")]
    back = make_plan(history(shop="0001_x 0002_y"), Rewrites(), rows, REF, runs=[run], options=BACK)
    assert "part-of-collapse" in codes(back)
    assert back.blocked


def test_a_swap_whose_rewrite_was_lost_is_not_swapped_back() -> None:
    """All names exist, so that nothing but the operations tells that the files are not the older ones."""
    old, new = (
        build_history(
            [
                Migration(Key("shop", name), dependencies=(Key("shop", "0001_initial"),) if up else (), digest=digest)
                for name, up, digest in (("0001_initial", False, "2:a"), ("0002_x", True, x), ("0002_y", True, y))
            ],
            apps=[App("shop", "/project/shop")],
        )
        for x, y in (("2:x", "2:y"), ("2:y", "2:x"))
    )
    files = {key.name: migration for key, migration in old.migrations.items()}
    changes = parse_changes(["shop.0002_x=0002_y", "shop.0002_y=0002_x"], [], [])
    swap = make_rewrite(
        new, changes, parents=(), command="swap", created=MADE, old_files={"shop": files}, made_with_files=True
    )
    rows = records("shop.0001_initial", "shop.0002_x", "shop.0002_y")
    plan = make_plan(new, Rewrites((swap,)), rows, REF)
    now = after(rows, plan)
    assert codes(make_plan(new, Rewrites(), now, REF, runs=[run_of(plan)])) == ["lost-rewrite"]
    back = make_plan(old, Rewrites(), now, REF, runs=[run_of(plan)], options=BACK)
    assert not back.blocked
    assert after(now, back) == rows


def test_a_rewrite_made_again_is_journaled_in_place_of_the_lost_one() -> None:
    """Else its names would be doubted from then on, since no journal tells where they come from."""
    new = history(shop="0001_initial 0002_b")
    first, second = (rewrite(new, "shop.0003_b=0002_b", created=made) for made in (MADE, "2026-11-21T10:45:00Z"))
    rows = records("shop.0001_initial", "shop.0003_b")
    plan = make_plan(new, Rewrites((first,)), rows, REF)
    now, runs = after(rows, plan), [run_of(plan)]
    again = make_plan(new, Rewrites((second,)), now, REF, runs=runs)
    assert (again.changes, again.returned, again.passed) == ((), (first,), (second,))
    runs.append(replace(run_of(again, 2), returned=again.returned))
    assert make_plan(new, Rewrites((second,)), now, REF, runs=runs).empty


def test_applied_after_unapplied_is_refused() -> None:
    """Pitfall 13: the chain would put an unapplied migration below an applied one."""
    disk = history(shop="0001_initial 0002_aa 0003_zz")
    known = rewrites(disk, "shop.0002_zz=0003_zz", old={"shop": "0001_initial 0002_aa 0002_zz<0001_initial"})
    plan = make_plan(disk, known, records("shop.0001_initial", "shop.0002_zz"), REF)
    assert codes(plan) == ["inconsistent-history"]
    assert plan.blocked


def test_a_partly_recorded_squash_without_its_originals_is_an_error() -> None:
    """Pitfall 8: Django itself says nothing."""
    squash = migrations("shop", "0001_squashed")["0001_squashed"]
    squash = replace(squash, replaces=tuple(Key("shop", name) for name in ("0001_a", "0002_b", "0003_c")))
    disk = build_history([squash], apps=[App("shop", "/p/shop")])
    plan = make_plan(disk, Rewrites(), records("shop.0001_a", "shop.0002_b"), REF)
    assert codes(plan) == ["partial-squash"]
    assert plan.blocked
    whole = make_plan(disk, Rewrites(), records("shop.0001_a", "shop.0002_b", "shop.0003_c"), REF)
    assert whole.empty
    assert not whole.findings


def test_an_app_that_shares_a_rewrite_comes_along() -> None:
    disk = history(shop="0001_s", blog="0001_b", news="0001_n")
    known = rewrites(disk, "shop.0001_a=0001_s", "blog.0001_a=0001_b")
    rows = records("shop.0001_a", "blog.0001_a", "news.0009_gone")
    plan = make_plan(disk, known, rows, REF, options=PlanOptions(apps=frozenset({"shop"})))
    assert names(after(rows, plan))[:2] == ["shop.0001_s", "blog.0001_b"]
    assert set(plan.fingerprints) == {"shop", "blog"}
    assert plan.findings == ()


def test_a_rewrite_is_journaled_also_when_another_of_its_apps_was_removed() -> None:
    """Without the note, the next plan would doubt the new names, or go through the rewrite again."""
    both = history(shop="0001_initial 0002_b", blog="0001_initial 0002_c")
    known = rewrites(both, "shop.0003_b=0002_b", "blog.0003_c=0002_c")
    rows = records("shop.0001_initial", "shop.0003_b", "blog.0001_initial", "blog.0003_c")
    shop = history(shop="0001_initial 0002_b")
    plan = make_plan(shop, known, rows, REF)
    assert plan.passed == known.ordered
    now = after(rows, plan)
    assert names(now) == ["shop.0001_initial", "shop.0002_b", "blog.0001_initial", "blog.0003_c"]
    again = make_plan(shop, known, now, REF, runs=[run_of(plan)])
    assert (codes(again), again.empty) == ([], True)


def test_apps_that_nobody_could_ask_about_are_taken_to_be_there() -> None:
    """Without settings only the project's own files are known; a dependency on auth is no error then."""
    files = migrations("shop", "0001_initial<auth:0001_initial,accounts:__first__ 0002_b").values()
    rows = records("shop.0001_initial", "shop.0002_b")
    alone = build_history(files, apps=[App("shop", "/p/shop")], complete=False)
    assert codes(make_plan(alone, Rewrites(), rows, REF)) == []
    whole = build_history(files, apps=[App("shop", "/p/shop")])
    assert make_plan(whole, Rewrites(), rows, REF).blocked


def test_what_cannot_be_read_in_a_file_blocks() -> None:
    unread = replace(migrations("shop", "0001_initial")["0001_initial"], problems=(Problem(7, "dependencies"),))
    disk = build_history([unread], apps=[App("shop", "/p/shop")])
    plan = make_plan(disk, Rewrites(), records("shop.0001_initial"), REF)
    assert codes(plan) == ["unreadable-migration"]
    assert plan.blocked


def test_a_rewrite_written_down_later_is_no_clock() -> None:
    """Siblings swapped by hand, a database migrated with the new files, and only then the rewrite."""
    disk = history(shop="0001_initial 0002_b<0001_initial 0003_c<0001_initial")
    words = ("shop.0002_b=0003_c", "shop.0003_c=0002_b")
    old = {"shop": "0001_initial 0002_b<0001_initial 0003_c<0001_initial"}
    rows = records("shop.0001_initial", "shop.0002_b", "shop.0003_c")
    later = make_plan(disk, rewrites(disk, *words, old=old), rows, REF)
    assert codes(later) == ["open-position"]
    assert not later.changes
    with_files = replace(rewrites(disk, *words, old=old).ordered[0], made_with_files=True)
    plan = make_plan(disk, Rewrites((with_files,)), rows, REF)
    assert names(after(rows, plan)) == ["shop.0001_initial", "shop.0003_c", "shop.0002_b"]


def test_a_journal_that_knows_the_twin_of_a_rewrite_knows_the_rewrite() -> None:
    disk = history(shop="0001_initial 0002_b")
    first = rewrite(disk, "shop.0003_b=0002_b")
    again = rewrite(disk, "shop.0003_b=0002_b", created="2026-11-21T10:45:00Z")
    rows = records("shop.0001_initial", "shop.0003_b")
    plan = make_plan(disk, Rewrites((again,)), rows, REF)
    both = Rewrites((first, again)).without_doubles()
    assert both.ordered == (first,)
    assert make_plan(disk, both, after(rows, plan), REF, runs=[run_of(plan)]).empty


def test_what_a_settled_squash_left_is_known_beside_another_apps_branch() -> None:
    disk = history(shop="0001_squashed_0003_c 0004_d", blog="0001_initial")
    rows = records(
        *(f"shop.{name}" for name in ("0001_initial", "0002_b", "0003_c", "0001_squashed_0003_c")),
        *(f"blog.{name}" for name in ("0001_initial", "0002_x", "0003_y", "0004_z")),
    )
    branches = {Key("blog", name): "topic" for name in ("0002_x", "0003_y", "0004_z")}
    plan = make_plan(disk, Rewrites(), rows, REF, options=PlanOptions(origins=Origins(branches=branches)))
    assert codes(plan).count("squashed-record") == 1
    assert not plan.blocked


def test_the_last_look_at_the_rows_finds_what_would_run_twice_or_never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leads there; a fault in what comes before would, silently, since Django takes each name at its word."""
    disk = history(shop="0001_initial 0002_price 0003_size")
    known = rewrites(disk, "shop.0003_price=0002_price", old={"shop": "0001_initial 0003_price 0003_size"})

    def faulty(*arguments: object, **named: object) -> Translation:
        right = translate(*arguments, **named)  # type: ignore[arg-type]
        rows = [
            replace(row, now=row.now._replace(name="0003_size")) if row.now and row.now.name == "0002_price" else row
            for row in right.rows
        ]
        return replace(right, rows=rows)

    monkeypatch.setattr(planner, "translate", faulty)
    plan = make_plan(disk, known, records("shop.0001_initial", "shop.0003_price"), REF)
    found = {(finding.code, finding.name) for finding in plan.findings if finding.blocks}
    assert found >= {("never-run", "0003_size"), ("run-again", "0002_price")}
