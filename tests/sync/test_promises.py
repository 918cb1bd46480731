"""The promises of design section 9 that apply keeps: all or nothing at every step, once, and what really happened."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from migsync.errors import InDoubt, LockTimeout, MigsyncError, UnexpectedResult, Unreachable
from migsync.sync.apply import Status, apply_plan, settle
from migsync.sync.plan import Plan
from migsync.sync.recorder import Step
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.proxy import When, cutting_proxy
from tests.sync.story import (
    REWRITE,
    apply_in_process,
    filled,
    processes,
    steps_of,
    story_after,
    story_plan,
    target_of,
    without_ids,
)

RUN = "a" * 32


class Fault(Exception):
    """Raised by a test in the middle."""


@pytest.fixture
def steps(database: Database, new_database: NewDatabase) -> list[str]:
    """Every step of the story on this engine, the journal being made on the way."""
    with target_of(filled(new_database(database.engine))) as target:
        found = steps_of(lambda step: apply_plan(target, story_plan(target), faults=step))
    assert {"locked", "before write 1", "after write 3", "journal", "before commit", "after commit"} <= set(found)
    return found


def at(position: int, act: Any) -> Step:
    """Does `act` with the connection at the step of this position, counted from 0."""
    passed = iter(range(position + 1))

    def step(_: str, connection: sa.Connection) -> None:
        if next(passed, None) == position:
            act(connection)

    return step


def at_name(name: str, act: Any) -> Step:
    """Does `act` with the connection at every step of this name."""

    def step(here: str, connection: sa.Connection) -> None:
        if here == name:
            act(connection)

    return step


def raises(error: BaseException) -> Any:
    def act(_: sa.Connection) -> None:
        raise error

    return act


def cut_off(database: Database) -> Any:
    """Has the server close the connection that apply works on."""

    def act(connection: sa.Connection) -> None:
        if database.engine == "postgresql":
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            database.execute(f"SELECT pg_terminate_backend({pid}, 10000)")
        else:
            database.execute(f"KILL {connection.connection.driver_connection.thread_id()}")  # type: ignore[union-attr]

    return act


@pytest.mark.parametrize("error", [Fault("in the middle"), KeyboardInterrupt()], ids=["error", "ctrl-c"])
def test_an_error_at_any_step_leaves_nothing(database: Database, steps: list[str], error: BaseException) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        plan = story_plan(target)
        for name in dict.fromkeys(steps):
            with pytest.raises(type(error)):
                apply_plan(target, plan, faults=at_name(name, raises(error)))
            if name != "after commit":
                assert database.dump() == before, name
                assert target.runs() == (), name
    assert without_ids(database.dump()) == story_after(before)


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_connection_lost_at_any_step_leaves_nothing(engine: str, new_database: NewDatabase) -> None:
    database = new_database(engine)
    before = filled(database).dump()
    with target_of(database) as target:
        plan = story_plan(target)
        cut = cut_off(database)
        position = 0
        lost: list[None] = []
        while True:
            try:
                status = apply_plan(target, plan, faults=at(position, lambda here: lost.append(cut(here)))).status
            except Unreachable as error:
                assert "Nothing was changed" in str(error) or "not commit" in str(error)
                assert database.dump() == before, position
                assert target.runs() == ()
                position += 1
            else:
                break
    # The last cut was after the commit, where there was nothing left to lose.
    assert (status, len(lost)) == (Status.APPLIED, position + 1)
    assert position >= 10
    assert without_ids(database.dump()) == story_after(before)


def test_kill_9_at_any_step_leaves_all_or_nothing(
    new_database: NewDatabase, database: Database, steps: list[str]
) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        plan = story_plan(target)
    children = []
    for name in dict.fromkeys(steps):
        child = processes.Process(target=apply_in_process, args=(database.url, plan, RUN, name, None, None))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL, name
        children.append(name)
        with target_of(database) as target:
            # Waits for the lock, and so for the server to be done with what the dead client had begun.
            committed = bool(settle(target, RUN))
        if committed:
            assert name == "after commit"
            assert without_ids(database.dump()) == story_after(before)
        else:
            assert database.dump() == before, name
    assert children[-1] == "after commit"
    assert committed


MEDDLING = [
    ("before write 1", "DELETE FROM django_migrations WHERE id = 2"),
    ("before write 2", "DELETE FROM django_migrations WHERE id = 9"),
    ("after write 1", "UPDATE django_migrations SET name = 'other' WHERE id = 3"),
    ("after write 2", "INSERT INTO django_migrations VALUES (9, 'shop', '0005_merge', '2026-02-01')"),
    ("after write 3", "DELETE FROM django_migrations WHERE name = '0004_new'"),
    ("after write 3", "UPDATE django_migrations SET applied = '2026-02-01' WHERE id = 5"),
    ("after write 3", "INSERT INTO django_migrations VALUES (77, 'auth', 'new', '2026-02-01')"),
    ("read", "UPDATE django_migrations SET name = '0004_new' WHERE id = 1"),
]


@pytest.mark.parametrize(("where", "statement"), MEDDLING)
def test_a_wrong_count_or_image_is_rolled_back(database: Database, where: str, statement: str) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        # On MySQL, making the journal would commit what the test does before it.
        apply_plan(target, Plan(target.ref, passed=(REWRITE,)))
        with pytest.raises(UnexpectedResult):
            apply_plan(
                target,
                story_plan(target),
                faults=at_name(where, lambda connection: connection.exec_driver_sql(statement)),
            )
        assert len(target.runs()) == 1
    assert database.dump() == before


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_deadlock_is_survived(engine: str, new_database: NewDatabase) -> None:
    database = new_database(engine)
    before = filled(database).dump()
    met: list[str] = []
    with target_of(database) as target, closing(database.connect()) as other:
        first = story_plan(target)
        rival = Rival(database, other)

        def step(name: str, connection: sa.Connection) -> None:
            met.append(name)
            if name == "locked" and met.count("locked") == 1:
                rival.hold_scratch()
            if name == "after write 3" and met.count(name) == 1:
                rival.want_records(connection)
                # Now each waits for the other; the server picks this side, or the test does not come back.
                connection.exec_driver_sql("UPDATE scratch SET n = n + 1")

        database.execute("CREATE TABLE scratch (n integer)")
        database.execute("INSERT INTO scratch VALUES (1)")
        assert apply_plan(target, first, faults=step).status is Status.APPLIED
        rival.thread.join()
        assert met.count("after write 3") == 2
        assert len(target.runs()) == 1
    assert without_ids(database.dump()) == story_after(before)


class Rival:
    """Another session that holds what apply will want, and wants what apply holds."""

    def __init__(self, database: Database, connection: Any) -> None:
        self.database = database
        self.connection = connection
        self.cursor = connection.cursor()

    def hold_scratch(self) -> None:
        if self.database.engine == "postgresql":
            # Its own check comes late, so that the other side finds the deadlock.
            self.cursor.execute("SET deadlock_timeout = '60s'")
        self.cursor.execute("UPDATE scratch SET n = n + 1")
        if self.database.engine == "mysql":
            # InnoDB sacrifices the side that has changed less.
            values = ", ".join("(2)" for _ in range(500))
            self.cursor.execute(f"INSERT INTO scratch VALUES {values}")

    def want_records(self, connection: sa.Connection) -> None:
        if self.database.engine == "postgresql":
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
        self.thread = threading.Thread(target=self._update)
        self.thread.start()
        if self.database.engine == "postgresql":
            waiting = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {self.connection.info.backend_pid}"
        else:
            # InnoDB renews this table only for a session that comes 0.1 s after the last one that read it.
            waiting = (
                "SELECT count(*) FROM (SELECT SLEEP(0.2)) pause, information_schema.innodb_trx "
                f"WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = {self.connection.thread_id()}"
            )
        while self.database.execute(waiting) == [(0,)]:
            assert self.thread.is_alive(), "the rival did not wait"

    def _update(self) -> None:
        self.cursor.execute("UPDATE django_migrations SET name = name WHERE id = 1")
        self.connection.rollback()


def test_a_reader_that_keeps_sqlite_from_committing(sqlite_database: Database) -> None:
    before = filled(sqlite_database).dump()
    with target_of(sqlite_database) as target, closing(sqlite_database.connect()) as reader:
        plan = story_plan(target)

        def step(name: str, _: sa.Connection) -> None:
            if name == "before commit":
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM django_migrations").fetchone()

        with pytest.raises(LockTimeout, match="database is locked"):
            apply_plan(target, plan, lock_timeout=0.2, faults=step)
        reader.rollback()
        assert sqlite_database.dump() == before
        assert target.runs() == ()
        assert apply_plan(target, plan).status is Status.APPLIED


def test_sixteen_appliers_apply_once(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        plan = story_plan(target)
    barrier, results = processes.Barrier(16), processes.Queue()
    children = [
        processes.Process(target=apply_in_process, args=(database.url, plan, "", "", barrier, results))
        for _ in range(16)
    ]
    for child in children:
        child.start()
    said = sorted(results.get() for _ in children)
    for child in children:
        child.join()
    assert said == ["already applied"] * 15 + ["applied"]
    assert without_ids(database.dump()) == story_after(before)
    with target_of(database) as target:
        assert len(target.runs()) == 1


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize("when", list(When), ids=lambda when: when.name)
@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_lost_commit_reply_is_reported_as_what_happened(
    engine: str, when: When, journal: bool, new_database: NewDatabase
) -> None:
    database = new_database(engine)
    before = filled(database).dump()
    with cutting_proxy(database, when, only_after=b"new_name") as proxy, target_of(proxy.database) as target:
        plan = story_plan(target)
        if when is When.AFTER_COMMIT:
            assert apply_plan(target, plan, journal=journal).status is Status.APPLIED
            assert without_ids(database.dump()) == story_after(before)
        else:
            with pytest.raises(Unreachable, match="did not commit"):
                apply_plan(target, plan, journal=journal)
            assert database.dump() == before
        assert proxy.cuts == 1
        assert len(target.runs()) == (journal and when is When.AFTER_COMMIT)


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_commit_that_cannot_be_settled_is_in_doubt(engine: str, new_database: NewDatabase) -> None:
    database = new_database(engine)
    before = filled(database).dump()
    with cutting_proxy(database, When.AFTER_COMMIT, only_after=b"new_name", dead_afterwards=True) as proxy:
        with target_of(proxy.database) as target, pytest.raises(InDoubt, match=RUN) as caught:
            apply_plan(target, story_plan(target), run_id=RUN, lock_timeout=0.5)
        assert caught.value.exit_status == 6
    with target_of(database) as target:
        assert settle(target, RUN) is True
    assert without_ids(database.dump()) == story_after(before)


def test_ctrl_c_while_committing_tells_what_happened(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(database).dump()
    commit = sa.Connection.commit

    def committed_then_interrupted(connection: sa.Connection) -> None:
        commit(connection)
        raise KeyboardInterrupt

    with target_of(database) as target:
        plan = story_plan(target)
        # On MySQL the first commit would be that of the journal's tables.
        apply_plan(target, plan), database.execute("DELETE FROM migsync_run")
        database.execute("DELETE FROM django_migrations")
        database.insert([(int(id_), app, name, applied) for id_, app, name, applied in before])
        monkeypatch.setattr(sa.Connection, "commit", committed_then_interrupted)
        outcome = apply_plan(target, plan)
    assert (outcome.status, outcome.interrupted) == (Status.APPLIED, True)
    assert without_ids(database.dump()) == story_after(before)


def test_the_first_error_is_kept_when_the_rollback_fails(postgresql_database: Database) -> None:
    before = filled(postgresql_database).dump()

    def act(connection: sa.Connection) -> None:
        cut_off(postgresql_database)(connection)
        raise Fault("first")

    with target_of(postgresql_database) as target, pytest.raises(Fault, match="first"):
        apply_plan(target, story_plan(target), faults=at(3, act))
    assert postgresql_database.dump() == before


def test_every_error_is_one_for_a_person(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        with pytest.raises(MigsyncError) as caught:
            apply_plan(
                target, plan, faults=at(1, lambda connection: connection.exec_driver_sql("SELECT * FROM nowhere"))
            )
    assert "nowhere" in caught.value.found
    assert "SELECT" not in str(caught.value)
    assert "sqlalche.me" not in str(caught.value)
