"""A schema whose journal was seen before: everything is asked for in one go, and is what was there under the lock."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from migsync.errors import StalePlan, TargetError
from migsync.rewrites.record import Record
from migsync.rewrites.stored_records import RecordNames, StoredRecords
from migsync.sync.apply import Status, apply_plan
from migsync.sync.journal.tables import NEWEST
from migsync.sync.plan import Plan
from migsync.sync.target import Target
from tests.databases import Database
from tests.sync.story import filled, plan_of, rename, story_plan, target_of


@pytest.fixture
def target(postgresql_database: Database) -> Iterator[Target]:
    """The story has been applied, and the target was read since."""
    filled(postgresql_database)
    with target_of(postgresql_database) as target:
        assert apply_plan(target, story_plan(target)).status is Status.APPLIED
        target.snapshot()
        assert target.version_seen == NEWEST
        yield target


def next_plan(target: Target) -> Plan:
    records = target.read() or ()
    return plan_of(target.ref, records, [rename(records[0], "0001_first")])


def test_the_next_run_gets_the_next_number(target: Target) -> None:
    plan = next_plan(target)
    outcome = apply_plan(target, plan)
    first, second = target.runs()
    assert outcome.run == second
    assert (first.number, second.number) == (1, 2)
    assert first.at < second.at
    assert apply_plan(target, plan).status is Status.ALREADY_APPLIED


def test_a_journal_that_was_dropped_since_is_made_again(postgresql_database: Database, target: Target) -> None:
    plan = next_plan(target)
    for table in ("run", "version", "content", "content_seen", "files", "source", "look", "ran"):
        postgresql_database.execute(f"DROP TABLE migsync_{table}")
    outcome = apply_plan(target, plan)
    assert outcome.run is not None
    assert (outcome.run.number, target.runs()) == (1, (outcome.run,))


def test_a_journal_that_a_newer_migsync_has_changed_since_is_refused(
    postgresql_database: Database, target: Target
) -> None:
    plan = next_plan(target)
    postgresql_database.execute("UPDATE migsync_version SET version_num = '9999'")
    before = postgresql_database.dump()
    with pytest.raises(TargetError, match="version 9999"):
        apply_plan(target, plan)
    assert postgresql_database.dump() == before


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "not seen"])
def test_what_is_committed_while_it_waits_for_the_lock_is_seen(
    postgresql_database: Database, target: Target, seen: bool
) -> None:
    plan = next_plan(target)
    target.version_seen = target.version_seen if seen else ""
    caught: list[BaseException] = []

    def apply() -> None:
        try:
            apply_plan(target, plan)
        except StalePlan as error:
            caught.append(error)

    thread = threading.Thread(target=apply)
    with closing(postgresql_database.connect()) as writer:
        writer.cursor().execute("UPDATE django_migrations SET name = '0001_other' WHERE id = 1")
        thread.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'django_migrations'::regclass"
        while postgresql_database.execute(waits) == [(0,)]:
            assert thread.is_alive(), "it did not wait"
        writer.commit()
    thread.join()
    assert len(caught) == 1


@pytest.mark.pure
def test_stored_records_equal_the_same_rows_and_no_others() -> None:
    rng = random.Random(16)
    for _ in range(200):
        rows: list[Any] = [
            Record(n, rng.choice("ab"), f"{n}", rng.choice(["x", "y", None])) for n in range(rng.randrange(4))
        ]
        columns = tuple(zip(*rows, strict=True)) or ((), (), (), ())
        stored = StoredRecords(RecordNames(*columns[:3]), json.dumps(columns[3]))
        assert stored.equals(rows)
        assert stored.equals([tuple(row) for row in rows])  # type: ignore[misc]  # as the driver gives them
        other = [*rows]
        if rows and rng.random() < 0.7:
            place = rng.randrange(len(rows))
            field = rng.choice(Record._fields)
            other[place] = other[place]._replace(**{field: 99 if field == "id" else "z"})
        else:
            other.append(Record(9, "a", "9", "x"))
        assert not stored.equals(other)
