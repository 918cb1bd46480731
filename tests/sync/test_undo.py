"""Undo brings back exactly what was there, or refuses and names the rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.errors import Blocked, StalePlan
from migsync.findings import Severity
from migsync.history.migration import Key
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.apply import Outcome, Status, apply_plan
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.run import Run, RunKind, applies_in_force, passed_rewrites
from migsync.sync.target import Target
from migsync.sync.undo import last_to_undo, plan_undo, rows_after
from tests.databases import Database
from tests.sync.story import REWRITE, filled, plan_of, rename, story_plan, target_of

REF = TargetRef("default", "sqlite", "1:1")


def undo(target: Target, number: int) -> Outcome:
    return apply_plan(target, undo_plan(target, number))


def undo_plan(target: Target, number: int) -> Plan:
    runs = target.runs()
    return plan_undo(target.ref, runs[number - 1], target.read() or (), runs)


def test_undo_is_exact(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        after = database.dump()
        outcome = undo(target, 1)
        assert outcome.run is not None
        assert (outcome.run.kind, outcome.run.undoes) == (RunKind.UNDO, target.runs()[0].id)
        assert outcome.run.returned == (REWRITE,)
        assert database.dump() == before
        assert passed_rewrites(target.runs()) == {}
        assert applies_in_force(target.runs()) == []
        # An undo of the undo, and round once more.
        undo(target, 2)
        assert database.dump() == after
        assert passed_rewrites(target.runs()) == {REWRITE.id: REWRITE}
        undo(target, 3)
        assert database.dump() == before
        undo(target, 4)
        assert last_to_undo(target.runs()) == target.runs()[0]
        undo(target, 1)
        assert database.dump() == before


def test_random_plans_are_taken_back_exactly(database: Database) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    before = filled(database).dump()
    with target_of(database) as target:
        for turn in range(6):
            records = target.read() or ()
            kinds = {record: chance.choice(["rename", "rename", "remove", "keep"]) for record in records}
            kept = {record.name for record, kind in kinds.items() if kind == "keep"}
            names = sorted({record.name for record in records} - kept) + [f"new_{turn}_{n}" for n in range(12)]
            chance.shuffle(names)
            changes = [
                rename(record, names.pop()) if kind == "rename" else Change(record, None)
                for record, kind in kinds.items()
                if kind != "keep"
            ]
            changes.append(Change(None, records[0]._replace(id=None, name=f"inserted_{turn}")))
            assert apply_plan(target, plan_of(target.ref, records, changes)).status is Status.APPLIED
        for run in reversed(target.runs()):
            undo(target, run.number)
    assert database.dump() == before


def test_rows_recorded_since_stay(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        database.execute("INSERT INTO django_migrations VALUES (40, 'shop', '0008_since', '2026-02-01')")
        undo(target, 1)
    assert database.dump()[:-1] == before
    assert database.dump()[-1][:3] == ("40", "shop", "0008_since")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE django_migrations SET name = 'z' WHERE id = 2", "shop.0002_alter_item_price (row 2) is shop.z now."),
        ("DELETE FROM django_migrations WHERE id = 3", "shop.0003_alter_item_price (row 3) no longer exists."),
        ("UPDATE django_migrations SET applied = '2026-02-01' WHERE id = 6", "The time of shop.0006_x (row 6) was "),
        ("DELETE FROM django_migrations WHERE name = '0004_new'", "no longer exists."),
        (
            "INSERT INTO django_migrations VALUES (50, 'shop', '0005_merge', '2026-02-01')",
            "shop.0005_merge was recorded again since the run (row 50, applied 2026-02-01",
        ),
    ],
)
def test_undo_refuses_when_a_touched_row_has_changed(database: Database, statement: str, said: str) -> None:
    filled(database)
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        database.execute(statement)
        before = database.dump()
        plan = undo_plan(target, 1)
        assert plan.blocked
        assert any(said in finding.found for finding in plan.findings), plan.findings
        with pytest.raises(Blocked):
            apply_plan(target, plan)
    assert database.dump() == before


def test_an_undo_that_became_stale_changes_nothing(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        plan = undo_plan(target, 1)
        database.execute("UPDATE django_migrations SET name = 'z' WHERE id = 2")
        before = database.dump()
        with pytest.raises(StalePlan, match=r"is shop\.z now"):
            apply_plan(target, plan)
    assert database.dump() == before


def test_an_old_id_that_is_taken_is_told(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        database.execute("INSERT INTO django_migrations VALUES (9, 'auth', 'took it', '2026-02-01')")
        plan = undo_plan(target, 1)
        assert [(finding.code, finding.severity) for finding in plan.findings] == [("id-taken", Severity.WARNING)]
        apply_plan(target, plan)
        back = next(row for row in database.dump() if row[2] == "0005_merge")
        assert back[0] not in {row[0] for row in before}
        assert back[1:] == before[6][1:]


@pytest.mark.parametrize("row_id", [9, 4, 50])
def test_a_name_that_was_recorded_again_is_never_there_twice(database: Database, row_id: int) -> None:
    """Case 53: under the old id, which is free; under a lower one, where the sequence is behind; under a new one."""
    filled(database)
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        stale = undo_plan(target, 1)
        database.execute(f"INSERT INTO django_migrations VALUES ({row_id}, 'shop', '0005_merge', '2026-02-01')")
        before = database.dump()
        plan = undo_plan(target, 1)
        said = [finding.found for finding in plan.findings if finding.code == "recorded-again"]
        assert len(said) == 1
        assert f"(row {row_id}, applied 2026-02-01" in said[0]
        assert "restore row 9, applied 2026-01-03" in said[0]
        with pytest.raises(Blocked):
            apply_plan(target, plan)
        with pytest.raises(StalePlan):
            apply_plan(target, stale)
    assert database.dump() == before


NAMES = st.sampled_from(["a", "b", "c"])


def doubled(records: Iterable[Record]) -> set[Key]:
    return {key for key, count in Counter(record.key for record in records).items() if count > 1}


@given(
    st.lists(NAMES, min_size=1, max_size=4),
    st.lists(st.sampled_from(["rename", "remove", "dedupe", "keep"]), min_size=4, max_size=4),
    st.permutations(["a", "b", "c", "d"]),
    st.lists(st.tuples(st.integers(1, 9), NAMES), max_size=3),
    st.integers(1, 3),
)
def test_no_undo_doubles_a_name_that_was_not_doubled_before_the_run(
    rows: list[str], kinds: list[str], new: list[str], since: list[tuple[int, str]], undos: int
) -> None:
    before = [Record(number * 2, "shop", name, f"2026-01-0{number}") for number, name in enumerate(rows, start=1)]
    changes = [
        Change(row, row._replace(name=name) if kind == "rename" else None, kind)
        for row, kind, name in zip(before, kinds, new, strict=False)
        if kind in ("rename", "remove") or (kind == "dedupe" and row.name in rows[: before.index(row)])
    ]
    now, runs = rows_after(before, changes), [run_of(*changes)]
    allowed = doubled(before) | doubled(now)
    for _ in range(undos):
        taken = {row.id for row in now}
        now += [
            Record(number, "shop", name, "2026-02-01") for number, name in dict(since).items() if number not in taken
        ]
        allowed |= doubled(now)
        plan = plan_undo(REF, runs[-1], now, runs)
        if plan.blocked:
            return
        now = rows_after(now, plan.changes)
        assert doubled(now) <= allowed
        number = len(runs) + 1
        undo = run_of(*plan.changes)
        runs.append(replace(undo, id=f"{number:032}", number=number, kind=RunKind.UNDO, undoes=runs[-1].id))


def test_a_duplicate_goes_and_comes_back_as_often_as_it_is_asked(database: Database) -> None:
    filled(database)
    database.execute("INSERT INTO django_migrations VALUES (12, 'shop', '0007_x', '2025-02-01')")
    before = database.dump()
    with target_of(database) as target:
        late = next(record for record in target.read() or () if record.id == 6)
        apply_plan(target, plan_of(target.ref, target.read(), [Change(late, None, "dedupe")]))
        for number in (1, 2, 3):
            undo(target, number)
        assert database.dump() == before
        undo(target, 4)
        database.execute("INSERT INTO django_migrations VALUES (13, 'shop', '0007_x', '2027-02-01')")
        assert [finding.code for finding in undo_plan(target, 5).findings] == ["recorded-again"]


def test_a_run_is_undone_once(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        plan = undo_plan(target, 1)
        assert apply_plan(target, plan).status is Status.APPLIED
        assert apply_plan(target, plan).status is Status.ALREADY_APPLIED
        assert [finding.code for finding in undo_plan(target, 1).findings] == ["already-undone"]
        assert last_to_undo(target.runs()) is None


def test_a_run_under_a_later_one_says_which_to_undo_first(sqlite_database: Database) -> None:
    filled(sqlite_database)
    with target_of(sqlite_database) as target:
        apply_plan(target, story_plan(target))
        records = target.read() or ()
        apply_plan(target, plan_of(target.ref, records, [rename(records[1], "0002_again")]))
        assert "migsync undo 2" in undo_plan(target, 1).findings[0].hint


def test_a_duplicate_that_was_removed_comes_back_beside_the_one_that_was_kept(database: Database) -> None:
    filled(database)
    database.execute("INSERT INTO django_migrations VALUES (12, 'shop', '0007_x', '2025-02-01')")
    before = database.dump()
    with target_of(database) as target:
        records = target.read() or ()
        late = next(record for record in records if record.id == 6)
        apply_plan(target, plan_of(target.ref, records, [Change(late, None, "dedupe")]))
        undo(target, 1)
    assert database.dump() == before


def test_rows_that_a_script_inserted_are_found_by_what_they_say() -> None:
    first, copy = Record(1, "shop", "0001", "2026-01-01"), Record(7, "shop", "0002_price", "2026-01-01")
    run = run_of(Change(first, first._replace(name="0000")), Change(None, copy._replace(id=None)))
    plan = plan_undo(REF, run, [first._replace(name="0000"), copy], [run])
    assert plan.findings == ()
    assert [change.before for change in plan.changes] == [copy, first._replace(name="0000")]
    gone = plan_undo(REF, run, [first._replace(name="0000")], [run])
    assert [finding.code for finding in gone.findings] == ["row-gone"]


def test_digests_are_those_of_the_names_that_come_back() -> None:
    app = AppRewrite(before=("a",), after=("b",), digests_before={"a": "1"}, digests_after={"b": "2"})
    rewrite = Rewrite((), "x", "2026-01-01T00:00:00Z", {"shop": app})
    row = Record(1, "shop", "b", "2026-01-01")
    run = replace(run_of(Change(row._replace(name="a"), row)), passed=(rewrite,))
    plan = plan_undo(REF, run, [row], [run])
    assert plan.digests == {"shop.a": "1"}
    assert (plan.passed, plan.returned) == ((), (rewrite,))


def run_of(*changes: Change) -> Run:
    return Run("a" * 32, 1, RunKind.APPLY, "b" * 32, "2026-11-20T10:45:00.123456Z", "me@here", "0", changes=changes)
