"""Apply makes exactly the planned changes, once, and refuses everything else with nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from migsync.engines.config import DatabaseConfig
from migsync.errors import Blocked, LockTimeout, PlanFileError, StalePlan, UnexpectedResult
from migsync.findings import Finding, Severity
from migsync.rewrites.record import Record, fingerprints
from migsync.sync.apply import Status, apply_plan, settle
from migsync.sync.comparison import app_difference, stale_plan
from migsync.sync.journal.tables import as_row
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.run import Run, RunKind
from migsync.sync.target import open_target
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.sync.story import REWRITE, filled, plan_of, rename, story_after, story_plan, target_of, without_ids


def test_apply_changes_names_and_keeps_ids_and_times(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        outcome = apply_plan(target, story_plan(target), reason="näïve 100% 'quoted'", author="me@here")
        runs = target.runs()
    assert outcome.status is Status.APPLIED
    dump = database.dump()
    assert without_ids(dump) == story_after(before)
    assert [row[0] for row in dump[:-1]] == [row[0] for row in before if row[0] != "9"]
    assert runs == (outcome.run,)
    assert outcome.run is not None
    assert (outcome.run.number, outcome.run.kind) == (1, RunKind.APPLY)
    assert (outcome.run.reason, outcome.run.author) == ("näïve 100% 'quoted'", "me@here")
    assert outcome.run.passed == (REWRITE,)
    assert outcome.run.changes[-1].after is not None
    assert str(outcome.run.changes[-1].after.id) == dump[-1][0]
    assert len(outcome.run.at) == len("2026-11-20T10:45:00.123456Z")


def test_a_plan_is_applied_once(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        first = apply_plan(target, plan)
        dump = database.dump()
        second = apply_plan(target, plan)
        assert (second.status, second.run) == (Status.ALREADY_APPLIED, first.run)
        assert len(target.runs()) == 1
    assert database.dump() == dump


def test_a_run_id_is_used_once(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        assert settle(target, "f" * 32) is False  # no journal: no journaled run was committed
        assert settle(target, "f" * 32, journaled=False) is None
        run = apply_plan(target, plan, run_id="f" * 32).run
        assert settle(target, "f" * 32) is True
        assert settle(target, "e" * 32) is False
        # The rows have changed since, so that only the run id can tell.
        database.execute("DELETE FROM django_migrations WHERE id = 1")
        assert apply_plan(target, plan, run_id="f" * 32).run == run


def test_a_plan_without_changes_still_records_its_rewrites_once(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        plan = Plan(target.ref, passed=(REWRITE,))
        assert apply_plan(target, plan).status is Status.APPLIED
        assert apply_plan(target, plan).status is Status.ALREADY_APPLIED
        assert [run.passed for run in target.runs()] == [(REWRITE,)]
        back = Plan(target.ref, returned=(REWRITE,))
        assert apply_plan(target, back).status is Status.APPLIED
        assert apply_plan(target, plan).status is Status.APPLIED
    assert database.dump() == before


def test_an_empty_plan_writes_nothing(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        assert apply_plan(target, Plan(target.ref)).status is Status.NOTHING_TO_DO
        assert target.runs() == ()


def test_without_a_journal(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        plan = story_plan(target)
        outcome = apply_plan(target, plan, journal=False)
        assert (outcome.status, outcome.run) == (Status.APPLIED, None)
        assert without_ids(database.dump()) == story_after(before)
        assert apply_plan(target, plan, journal=False).status is Status.ALREADY_APPLIED
        assert target.runs() == ()
        with pytest.raises(StalePlan, match="the journal has no such run"):
            apply_plan(target, plan)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "INSERT INTO django_migrations VALUES (20, 'shop', '0008_y', '2026-02-01')",
            "shop.0008_y (row 20) is new",
        ),
        ("DELETE FROM django_migrations WHERE id = 2", "shop.0003_alter_item_price (row 2) is gone"),
        ("UPDATE django_migrations SET name = 'z' WHERE id = 3", "shop.0004_alter_item_price (row 3) is shop.z now"),
        ("UPDATE django_migrations SET applied = '2026-02-01' WHERE id = 9", "shop.0005_merge (row 9) had applied"),
        ("DELETE FROM django_migrations WHERE id = 1", "the rows of shop are different (5 now)"),
    ],
)
def test_a_stale_plan_changes_nothing_and_says_what_differs(database: Database, statement: str, said: str) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        database.execute(statement)
        before = database.dump()
        with pytest.raises(StalePlan) as caught:
            apply_plan(target, plan)
        assert said in str(caught.value)
        assert database.dump() == before
        assert target.runs() == ()
        tables = target.connect()
        with closing(tables):
            assert not tables.dialect.has_table(tables, "migsync_run")


def test_rows_of_other_apps_do_not_make_a_plan_stale(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        database.execute("INSERT INTO django_migrations VALUES (20, 'auth', '0002_y', '2026-02-01')")
        assert apply_plan(target, plan).status is Status.APPLIED


def test_a_swap_of_equal_times_is_not_taken_for_applied(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        records = target.read()
        assert records is not None
        row = {record.id: record for record in records}
        plan = plan_of(target.ref, records, [rename(row[6], "0006_x"), rename(row[7], "0007_x")])
        assert plan.fingerprints == plan.fingerprints_after
        assert apply_plan(target, plan, journal=False).status is Status.APPLIED
    assert [row[2] for row in database.dump() if row[0] in "67"] == ["0006_x", "0007_x"]
    assert without_ids(database.dump()) != without_ids(before)


def test_a_taken_id_is_told_and_the_row_gets_another(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        records = target.read()
        assert records is not None
        lost = records[1]._replace(id=10, name="0099_back")
        free = records[1]._replace(id=50, name="0100_back")
        outcome = apply_plan(target, plan_of(target.ref, records, [Change(None, lost), Change(None, free)]))
        assert [finding.code for finding in outcome.findings] == ["id-taken"]
        dump = {row[2]: row[0] for row in database.dump()}
        assert dump["0100_back"] == "50"
        assert int(dump["0099_back"]) > 50
        # And whatever comes next gets an id of its own, too.
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('shop', 'next', '2026-02-01')")


def test_a_plan_for_another_database_is_refused(new_database: NewDatabase, database: Database) -> None:
    filled(database)
    other = filled(new_database(database.engine))
    with target_of(database) as target, target_of(other, "other") as stranger:
        plan = story_plan(target)
        with pytest.raises(PlanFileError, match="The plan was not made for other"):
            apply_plan(stranger, plan)
        assert stranger.runs() == ()
    assert other.dump() == database.dump()


def test_a_blocked_plan_is_refused(sqlite_database: Database) -> None:
    filled(sqlite_database)
    with target_of(sqlite_database) as target:
        plan = replace(story_plan(target), findings=(Finding("partial", Severity.ERROR, "Two are missing."),))
        with pytest.raises(Blocked, match=r"Two are missing\."):
            apply_plan(target, plan)
        assert target.runs() == ()


@pytest.mark.parametrize("name", ["0002_\x1b[31m", "0002_\n", "x" * 256])
def test_a_name_that_no_file_can_have_is_refused(sqlite_database: Database, name: str) -> None:
    before = filled(sqlite_database).dump()
    with target_of(sqlite_database) as target:
        records = target.read()
        assert records is not None
        with pytest.raises(Blocked) as caught:
            apply_plan(target, plan_of(target.ref, records, [rename(records[1], name)]))
    assert "\x1b" not in str(caught.value)
    assert sqlite_database.dump() == before


def test_a_plan_that_contradicts_itself_is_rolled_back(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        plan = replace(story_plan(target), fingerprints_after={"shop": "0" * 32})
        with pytest.raises(PlanFileError, match="not those that the plan states"):
            apply_plan(target, plan)
    assert database.dump() == before


def test_a_fresh_database_makes_a_plan_stale(database: Database) -> None:
    with target_of(database) as target:
        record = Record(1, "shop", "0001_initial", "2026-01-01")
        with pytest.raises(StalePlan, match="no table"):
            apply_plan(target, plan_of(target.ref, [record], [rename(record, "0002_x")]))


def test_a_trigger_that_interferes_is_found(database: Database) -> None:
    filled(database)
    if database.engine == "postgresql":
        database.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        database.execute("CREATE TRIGGER t BEFORE DELETE ON django_migrations FOR EACH ROW EXECUTE FUNCTION f()")
    elif database.engine == "mysql":
        database.execute(
            "CREATE TRIGGER t BEFORE UPDATE ON django_migrations FOR EACH ROW SET NEW.applied = '2020-01-01'"
        )
    else:
        database.execute("CREATE TRIGGER t BEFORE DELETE ON django_migrations BEGIN SELECT RAISE(IGNORE); END")
    before = database.dump()
    with target_of(database) as target, pytest.raises(UnexpectedResult, match="trigger"):
        apply_plan(target, story_plan(target))
    assert database.dump() == before


def test_a_lock_that_is_not_had_in_time(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target, closing(database.connect()) as writer:
        plan = story_plan(target)
        writer.cursor().execute("UPDATE django_migrations SET applied = applied WHERE id = 1")
        with pytest.raises(LockTimeout) as caught:
            apply_plan(target, plan, lock_timeout=0.2)
        assert caught.value.exit_status == 4
        writer.rollback()
        assert database.dump() == before
        assert apply_plan(target, plan).status is Status.APPLIED


def test_a_time_limit_of_the_server_does_not_end_the_wait_for_a_lock(database: Database) -> None:
    """A role or a server often limits every statement to less than a deployment may wait."""
    limits = {
        "postgresql": f"ALTER DATABASE {getattr(database, 'name', '')} SET statement_timeout = 100",
        "mysql": "SET max_statement_time = 0.1",
    }
    if database.engine not in limits:
        pytest.skip("SQLite limits no statement")
    limit = limits[database.engine]
    filled(database)
    if database.engine == "postgresql":
        database.execute(limit)
    config = DatabaseConfig("default", database.url, init=(limit,) if database.engine == "mysql" else ())
    with open_target(config) as target, closing(database.connect()) as writer:
        plan = story_plan(target)
        with closing(writer.cursor()) as cursor:
            cursor.execute("UPDATE django_migrations SET app = app")
        with pytest.raises(LockTimeout) as caught:
            apply_plan(target, plan, lock_timeout=0.3)
        assert not any(words in caught.value.found for words in ("statement timeout", "max_statement_time"))


def test_while_it_is_applied_others_read_and_nobody_writes(database: Database) -> None:
    before = filled(database).dump()
    refused: set[str] = set()
    insert = "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', 'between', '2026-02-01')"
    waits = {"postgresql": "SET lock_timeout = 50", "mysql": "SET innodb_lock_wait_timeout = 1"}

    def between(step: str, _: object) -> None:
        if step in ("locked", "before commit"):
            assert database.dump() == before
            with closing(database.connect()) as writer, closing(writer.cursor()) as cursor:
                cursor.execute(waits.get(database.engine, "PRAGMA busy_timeout = 50"))
                try:
                    cursor.execute(insert)
                except Exception as error:
                    assert "lock" in str(error).lower()
                    refused.add(step)

    with target_of(database) as target:
        assert apply_plan(target, story_plan(target), faults=between).status is Status.APPLIED
    assert refused == {"locked", "before commit"}
    assert without_ids(database.dump()) == story_after(before)


def test_the_target_is_named_by_what_it_is_not_by_its_alias(sqlite_database: Database) -> None:
    filled(sqlite_database)
    with target_of(sqlite_database, "one") as one, target_of(sqlite_database, "two") as two:
        assert one.ref == TargetRef("one", "sqlite", two.ref.identity)
        assert apply_plan(two, story_plan(one)).status is Status.APPLIED


def test_what_differs_is_worked_out_when_the_lock_is_gone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With many rows that takes seconds, and everyone who deploys would wait."""
    filled(database)
    insert = "INSERT INTO django_migrations (id, app, name, applied) VALUES (30, 'shop', 'between', '2026-02-01')"

    def written_to(plan: Plan, records: Sequence[Record]) -> StalePlan:
        database.execute(insert)
        return stale_plan(plan, records)

    monkeypatch.setattr("migsync.sync.apply.stale_plan", written_to)
    with target_of(database) as target:
        plan = story_plan(target)
        database.execute("DELETE FROM django_migrations WHERE id = 2")
        with pytest.raises(StalePlan, match="row 2"):
            apply_plan(target, plan)
    assert "30" in [row[0] for row in database.dump()]


def test_the_journal_s_row_is_made_before_the_lock(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(sqlite_database)
    steps: list[str] = []

    def made(run: Run) -> dict[str, Any]:
        steps.append("row")
        return as_row(run)

    monkeypatch.setattr("migsync.sync.apply.as_row", made)
    with target_of(sqlite_database) as target:
        records = target.read() or ()
        plan = plan_of(target.ref, records, [rename(records[0], "0001_x")])
        outcome = apply_plan(target, plan, faults=lambda step, _: steps.append(step))
        assert target.runs() == (outcome.run,)
    assert steps[:2] == ["row", "locked"]
    assert steps.count("row") == 1


@pytest.mark.pure
@pytest.mark.parametrize(
    ("new", "said"), [(1, "shop.1000_x (row 1000) is new"), (60, "the rows of shop are different")]
)
def test_new_rows_among_many_are_named(new: int, said: str) -> None:
    """Each row that is left out costs a look at all others, so that the number of tries must not grow with them."""
    rows = [Record(number, "shop", f"{number:04}_x", "2026-01-01") for number in range(1000 + new)]
    was = fingerprints(rows[:1000], ["shop"])["shop"]
    assert app_difference("shop", was, rows)[0].startswith(said)
