"""Promise 6: a script does what apply does, and the two understand each other's runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migsync.engines.config import DatabaseConfig
from migsync.rewrites.record import fingerprints
from migsync.sync.apply import Status, apply_plan
from migsync.sync.plan import Plan
from migsync.sync.run import applies_in_force
from migsync.sync.scripts import apply_script, undo_script
from migsync.sync.target import Target, open_target
from migsync.sync.undo import plan_undo
from tests.conftest import NewDatabase
from tests.databases import ENGINES, Database
from tests.sync.scripts.cases import CASES, COLLAPSE, REUSE, SHIFT, Case
from tests.sync.scripts.clients import fill, run, runs

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def target_of(database: Database) -> Target:
    return open_target(DatabaseConfig("default", database.url))


def plan_for(target: Target, case: Case) -> Plan:
    """The case's plan for this very target; without a schema, so that the dumps of two databases can be compared."""
    return replace(case.plan(target.engine, schema=target.ref.schema), target=target.ref)


@pytest.mark.parametrize("engine", ENGINES)
@every_case
def test_the_rows_are_the_same(new_database: NewDatabase, engine: str, case: Case) -> None:
    applied, scripted = new_database(engine), new_database(engine)
    for database in (applied, scripted):
        fill(database, case.records(engine))
    with target_of(applied) as target:
        apply_plan(target, plan_for(target, case))
    with target_of(scripted) as target:
        assert "migsync: applied" in run(scripted, apply_script(plan_for(target, case))).text
    assert applied.dump() == scripted.dump()
    by_apply, by_script = runs(applied)[0], runs(scripted)[0]
    assert [(change.kind, change.cause) for change in by_apply.changes] == [
        (change.kind, change.cause) for change in by_script.changes
    ]
    assert (by_apply.kind, by_apply.passed, by_apply.digests, by_apply.reason, by_apply.version) == (
        by_script.kind,
        by_script.passed,
        by_script.digests,
        by_script.reason,
        by_script.version,
    )
    assert len(by_apply.at) == len(by_script.at)


@every_case
def test_migsync_knows_and_undoes_what_a_script_did(database: Database, case: Case) -> None:
    fill(database, case.records(database.engine))
    before = database.dump()
    with target_of(database) as target:
        plan = plan_for(target, case)
        run(database, apply_script(plan))
        assert apply_plan(target, plan).status is Status.ALREADY_APPLIED
        records = target.read() or ()
        undo = plan_undo(target.ref, target.runs()[-1], records, target.runs())
        assert not undo.findings
        apply_plan(target, undo)
    assert database.dump() == before
    assert applies_in_force(runs(database)) == []


@every_case
def test_a_script_undoes_what_migsync_did(database: Database, case: Case) -> None:
    fill(database, case.records(database.engine))
    before = database.dump()
    with target_of(database) as target:
        plan = plan_for(target, case)
        done = apply_plan(target, plan).run
    assert "migsync: already applied" in run(database, apply_script(plan)).text
    assert "migsync: undone" in run(database, undo_script(plan)).text
    assert database.dump() == before
    assert done is not None
    assert runs(database)[-1].undoes == done.id
    assert applies_in_force(runs(database)) == []


@pytest.mark.parametrize("case", [SHIFT, COLLAPSE, REUSE], ids=lambda case: case.name)
def test_a_script_of_an_undo_and_the_undo_of_that(database: Database, case: Case) -> None:
    fill(database, case.records(database.engine))
    before = database.dump()
    with target_of(database) as target:
        plan = plan_for(target, case)
        apply_plan(target, plan)
        after = database.dump()
        undo = plan_undo(target.ref, target.runs()[-1], target.read() or (), target.runs())
    assert "migsync: undone" in run(database, apply_script(undo)).text
    assert database.dump() == before
    assert "migsync: already undone" in run(database, apply_script(undo)).text
    assert "migsync: undone" in run(database, undo_script(undo)).text
    assert [row[1:] for row in database.dump()] == [row[1:] for row in after]
    # The run stands again, and the script that takes it back finds it.
    first, second, third = runs(database)
    assert (second.undoes, third.undoes) == (first.id, second.id)
    assert applies_in_force(runs(database)) == [first]
    assert "migsync: already applied" in run(database, apply_script(plan)).text
    if not case.inserted:  # what came back under a new id is another row than the plan's
        assert "migsync: undone" in run(database, undo_script(plan)).text
        assert runs(database)[-1].undoes == first.id
        assert database.dump() == before


def test_fingerprints_of_the_cases(database: Database) -> None:
    """The cases state what apply compares: a case whose fingerprints are wrong would test nothing."""
    for case in CASES:
        plan = case.plan(database.engine)
        assert plan.fingerprints == fingerprints(case.records(database.engine), ["shop"])
        assert plan.fingerprints_after != plan.fingerprints
