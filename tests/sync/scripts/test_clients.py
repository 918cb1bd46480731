"""Every case, in the engine's own client, with and without stopping on errors."""

from __future__ import annotations

import pytest

from migsync.rewrites.record import Record
from migsync.sync.comparison import differences_from
from migsync.sync.run import RunKind, applies_in_force
from migsync.sync.scripts import apply_script, journal_script, undo_script
from tests.databases import Database
from tests.sync.scripts.cases import CASES, CHAIN, REMAKE, REUSE, SHIFT, Case, applied
from tests.sync.scripts.clients import fill, run, runs, shop

stopping = pytest.mark.parametrize("stop", [True, False], ids=["stop", "go-on"])
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

some_cases = pytest.mark.parametrize("case", [SHIFT, REUSE], ids=lambda case: case.name)


@stopping
@every_case
def test_apply_and_undo(database: Database, case: Case, stop: bool) -> None:
    plan = case.plan(database.engine)
    fill(database, case.records(database.engine))
    before = database.dump()
    count = len(plan.changes)
    rows = "1 row" if count == 1 else f"{count} rows"

    said = run(database, apply_script(plan), stop)
    assert (said.status, f"migsync: applied, {rows}" in said.text) == (0, True), said.text
    after = database.dump()
    untouched = {str(row.id) for row in case.records(database.engine)} - {
        str(c.before.id) for c in plan.changes if c.before
    }
    assert [row for row in before if row[0] in untouched | {"90"}] == [
        row for row in after if row[0] in untouched | {"90"}
    ]
    for change in plan.changes:
        found = [row for row in after if change.after and row[1:] == change.after[1:]]
        assert [row[0] for row in found] == [str(change.after.id)] if change.after and change.after.id else True
        assert len(found) == (1 if change.after else 0)
    assert len(after) == len(before) - len(case.removed) + len(case.inserted)

    said = run(database, apply_script(plan), stop)
    assert (said.status, "migsync: already applied" in said.text) == (0, True), said.text
    assert database.dump() == after

    said = run(database, undo_script(plan), stop)
    assert (said.status, f"migsync: undone, {rows}" in said.text) == (0, True), said.text
    assert database.dump() == before

    said = run(database, undo_script(plan), stop)
    assert (said.status, "migsync: already undone" in said.text) == (0, True), said.text
    assert database.dump() == before

    said = run(database, apply_script(plan), stop)
    assert "migsync: applied" in said.text, said.text
    assert [row[1:] for row in database.dump()] == [row[1:] for row in after]

    first, undo, again = runs(database)
    assert [first.kind, undo.kind, again.kind] == [RunKind.APPLY, RunKind.UNDO, RunKind.APPLY]
    assert (first.changes, first.passed, first.digests) == (plan.changes, plan.passed, plan.digests)
    assert (first.plan_id, first.undoes, undo.undoes, again.number) == (plan.id, "", first.id, 3)
    assert undo.returned == plan.passed
    assert applies_in_force((first, undo, again)) == [again]


@stopping
@some_cases
def test_a_row_that_is_not_as_planned_shuts_the_gate(database: Database, case: Case, stop: bool) -> None:
    plan = case.plan(database.engine)
    script = apply_script(plan)
    day = applied(database.engine, 28)
    for change in plan.changes:
        if change.before is None:
            continue
        row = change.before.id
        for difference in (
            f"UPDATE django_migrations SET app = 'Shop' WHERE id = {row}",
            f"UPDATE django_migrations SET name = concat(name, ' ') WHERE id = {row}",
            f"UPDATE django_migrations SET applied = '{day}' WHERE id = {row}",
            f"UPDATE django_migrations SET id = 70 WHERE id = {row}",
            f"DELETE FROM django_migrations WHERE id = {row}",
        ):
            fill(database, case.records(database.engine))
            database.execute(
                difference.replace("concat(name, ' ')", "name || ' '") if database.engine == "sqlite" else difference
            )
            refuses(database, script, stop)


def refuses(database: Database, script: str, stop: bool) -> None:
    """The script says so, gives an exit status where the client can, and changes nothing."""
    before = database.dump()
    said = run(database, script, stop)
    assert "migsync: stale, nothing changed" in said.text, said.text
    assert said.status != 0 or not stop
    assert database.dump() == before


@stopping
@some_cases
def test_a_new_name_that_another_row_bears_shuts_the_gate(database: Database, case: Case, stop: bool) -> None:
    plan = case.plan(database.engine)
    for change in plan.changes:
        if change.after is not None:
            fill(database, case.records(database.engine))
            database.insert([(80, "shop", change.after.name, applied(database.engine, 27))])
            refuses(database, apply_script(plan), stop)


@stopping
@pytest.mark.parametrize("case", [SHIFT, REMAKE], ids=lambda case: case.name)
def test_stale_as_apply_has_it(database: Database, case: Case, stop: bool) -> None:
    """A row that the app has got, lost or changed since makes a plan stale, though the plan does not touch it."""
    records = case.records(database.engine)
    plan, day = case.plan(database.engine), applied(database.engine, 27)
    script = apply_script(plan, records)
    for difference in (
        f"INSERT INTO django_migrations (id, app, name, applied) VALUES (70, 'shop', '0009_new', '{day}')",
        "DELETE FROM django_migrations WHERE id = 1",
        "UPDATE django_migrations SET name = '0001_other' WHERE id = 1",
        f"UPDATE django_migrations SET applied = '{day}' WHERE id = 1",
    ):
        fill(database, records)
        database.execute(difference)
        assert differences_from(plan, [Record(int(row[0]), *row[1:]) for row in database.dump()])
        refuses(database, script, stop)
    fill(database, records)
    # Another app, and one whose label differs in nothing but letter case, are of no matter.
    database.insert([(80, "auth", "0002_x", day), (81, "SHOP", "0001_x", day)])
    assert "migsync: applied" in run(database, script, stop).text
    database.insert([(82, "shop", "0010_since", day)])
    assert "migsync: already applied" in run(database, script, stop).text
    assert "migsync: undone" in run(database, undo_script(plan), stop).text


@stopping
@some_cases
def test_undo_refuses_what_has_changed_since(database: Database, case: Case, stop: bool) -> None:
    plan = case.plan(database.engine)
    fill(database, case.records(database.engine))
    run(database, apply_script(plan), stop)
    done = shop(database)
    for change in plan.changes:
        if change.after is not None:
            touched = next(row for row in done if row[1] == change.after.name)
            database.execute(f"UPDATE django_migrations SET name = 'changed' WHERE id = {touched[0]}")
            refuses(database, undo_script(plan), stop)
            database.execute(f"UPDATE django_migrations SET name = '{touched[1]}' WHERE id = {touched[0]}")
        else:
            assert change.before is not None
            database.insert([(change.before.id, "shop", "taken", applied(database.engine, 27))])  # type: ignore[list-item]
            refuses(database, undo_script(plan), stop)
            database.execute(f"DELETE FROM django_migrations WHERE id = {change.before.id}")
    assert "migsync: undone" in run(database, undo_script(plan), stop).text


@stopping
@pytest.mark.parametrize("row_id", [5, 80, -3])
def test_undo_never_makes_two_rows_of_one_name(database: Database, row_id: int, stop: bool) -> None:
    """The removed name was recorded again: under its old id, a new one, a lower one (where a sequence is behind)."""
    plan = SHIFT.plan(database.engine)
    fill(database, SHIFT.records(database.engine))
    run(database, apply_script(plan), stop)
    database.insert([(row_id, "shop", "0004_merge", applied(database.engine, 27))])
    refuses(database, undo_script(plan), stop)


def test_rows_recorded_since_stay(database: Database) -> None:
    plan = CHAIN.plan(database.engine)
    fill(database, CHAIN.records(database.engine))
    database.insert([(91, "shop", "0009_since", applied(database.engine, 9))])
    before = database.dump()
    run(database, apply_script(plan))
    run(database, undo_script(plan))
    assert database.dump() == before


def test_without_a_journal(database: Database) -> None:
    plan = REMAKE.plan(database.engine)
    fill(database, REMAKE.records(database.engine))
    before = database.dump()
    assert "migsync: applied, 2 rows" in run(database, apply_script(plan, journal=False)).text
    assert "migsync: undone, 2 rows" in run(database, undo_script(plan, journal=False)).text
    assert database.dump() == before
    assert runs(database) == ()


def test_an_undo_with_a_journal_of_a_run_without(database: Database) -> None:
    plan = CHAIN.plan(database.engine)
    fill(database, CHAIN.records(database.engine))
    run(database, apply_script(plan, journal=False))
    assert "migsync: undone" in run(database, undo_script(plan)).text
    assert [(found.kind, found.undoes) for found in runs(database)] == [(RunKind.UNDO, "")]


def test_the_journal_alone(database: Database) -> None:
    fill(database, CHAIN.records(database.engine))
    script = journal_script(database.engine)
    assert run(database, script).status == 0
    assert run(database, script).status == 0
    assert database.execute("SELECT version_num FROM migsync_version") == [("0003",)]
    assert runs(database) == ()
