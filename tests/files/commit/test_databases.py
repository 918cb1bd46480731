"""Files in step with databases: the first that commits decides; else nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from migsync.errors import Blocked, InDoubt, Interrupted, StalePlan, UnknownRun, Unreachable
from migsync.files.commit import (
    DatabaseStep,
    commit,
    commit_of,
    commits,
    is_open,
    journals_of,
    recover_files,
    undo_files,
)
from migsync.files.commit.syscalls import Files
from migsync.findings import Finding, Severity
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.files.commit.story import (
    fill,
    is_new,
    is_new_in,
    make_project,
    make_proposal,
    project_at,
    step_of,
    tree,
    undo_step_of,
)
from tests.profiles import every

RUN, OTHER = "a" * 32, "b" * 32


def fails(alias: str, error: BaseException, run: str = OTHER) -> DatabaseStep:
    def apply(_run_id: str) -> Any:
        raise error

    return DatabaseStep(alias, run, apply)


def test_files_and_rows_change_and_come_back_together(tmp_path: Path, database: Database) -> None:
    rows = fill(database).dump()
    project = make_project(tmp_path, [database])
    before = tree(tmp_path)
    made = commit(project, make_proposal(tmp_path), databases=[step_of("db0", database.url, RUN)])
    assert [result.committed for result in made.databases] == [True]
    assert is_new(tree(tmp_path))
    assert is_new_in(database)
    times = {id_: applied for id_, _, _, applied in rows}
    assert all(times[id_] == applied for id_, _, _, applied in database.dump())

    record = commit_of(tmp_path, run_id=RUN[:8])
    assert record
    assert record.id == made.id
    undone = undo_files(project, record, databases=[undo_step_of("db0", database.url, OTHER, RUN)])
    assert [result.committed for result in undone.databases] == [True]
    assert tree(tmp_path) == before
    assert database.dump() == rows


def test_a_first_database_that_fails_changes_nothing(tmp_path: Path, new_database: NewDatabase) -> None:
    database = fill(new_database("sqlite"))
    project = make_project(tmp_path, [database])
    before = tree(tmp_path)
    steps = [fails("db1", Unreachable("no connection")), step_of("db0", database.url, RUN)]
    with pytest.raises(Unreachable):
        commit(project, make_proposal(tmp_path), databases=steps)
    assert tree(tmp_path) == before
    assert not is_open(tmp_path)
    assert not is_new_in(database)
    assert commits(tmp_path) == ()


def test_a_stale_database_changes_nothing(tmp_path: Path, new_database: NewDatabase) -> None:
    database = fill(new_database("sqlite"))

    def meddle(step: str, _connection: object) -> None:
        raise StalePlan(f"the records changed before {step}")

    project = make_project(tmp_path, [database])
    before = tree(tmp_path)
    with pytest.raises(StalePlan):
        commit(project, make_proposal(tmp_path), databases=[step_of("db0", database.url, RUN, meddle)])
    assert tree(tmp_path) == before
    assert not is_new_in(database)


def test_a_later_database_that_fails_does_not_stop_the_others(tmp_path: Path, new_database: NewDatabase) -> None:
    first, last = fill(new_database("sqlite")), fill(new_database("sqlite"))
    project = make_project(tmp_path, [first, last])
    steps = [
        step_of("db0", first.url, RUN),
        fails("down", Unreachable("no connection")),
        fails("doubtful", InDoubt("lost at COMMIT"), "c" * 32),
        step_of("db1", last.url, "d" * 32),
    ]
    made = commit(project, make_proposal(tmp_path), databases=steps)
    assert [type(result.error).__name__ for result in made.databases] == [
        "NoneType",
        "Unreachable",
        "InDoubt",
        "NoneType",
    ]
    assert is_new(tree(tmp_path))
    assert is_new_in(first)
    assert is_new_in(last)
    assert not is_open(tmp_path)


@pytest.mark.parametrize("committed", [True, False, None])
def test_a_doubt_waits_for_the_database(tmp_path: Path, committed: bool | None) -> None:
    project = make_project(tmp_path)
    before = tree(tmp_path)
    with pytest.raises(InDoubt):
        commit(project, make_proposal(tmp_path), databases=[fails("db0", InDoubt("lost at COMMIT"))])
    assert is_open(tmp_path)
    asked: list[tuple[str, str]] = []

    def was_committed(alias: str, run: str) -> bool | None:
        asked.append((alias, run))
        return committed

    if committed is None:
        with pytest.raises(InDoubt, match="db0"):
            recover_files(tmp_path, was_committed)
        assert is_open(tmp_path)
    else:
        settled = recover_files(tmp_path, was_committed)
        assert settled
        assert settled.forward is committed is is_new(tree(tmp_path))
        assert committed or tree(tmp_path) == before
    assert asked == [("db0", OTHER)]


def test_an_alias_that_is_gone_cannot_tell(tmp_path: Path, new_database: NewDatabase) -> None:
    database = fill(new_database("sqlite"))
    was_committed = journals_of(project_at(tmp_path, [database.url]))
    assert was_committed("gone", RUN) is None
    # No journal yet: it would have been made before the run.
    assert was_committed("db0", RUN) is False


def interrupted_at(name: str) -> Any:
    def fault(step: str, _connection: object) -> None:
        if step == name:
            raise KeyboardInterrupt

    return fault


@pytest.mark.parametrize("at", ["locked", "before commit"])
def test_control_c_before_the_commit_changes_nothing(tmp_path: Path, new_database: NewDatabase, at: str) -> None:
    database = fill(new_database("sqlite"))
    project = make_project(tmp_path, [database])
    before = tree(tmp_path)
    step = step_of("db0", database.url, RUN, interrupted_at(at))
    with pytest.raises(Interrupted):
        commit(project, make_proposal(tmp_path), databases=[step], run_was_committed=journals_of(project))
    assert tree(tmp_path) == before
    assert not is_new_in(database)
    assert not is_open(tmp_path)


def test_control_c_just_after_the_commit_goes_on_and_tells(tmp_path: Path, new_database: NewDatabase) -> None:
    database, never = fill(new_database("sqlite")), fill(new_database("sqlite"))
    project = make_project(tmp_path, [database, never])
    steps = [
        step_of("db0", database.url, RUN, interrupted_at("after commit")),
        step_of("db1", never.url, OTHER),
    ]
    made = commit(project, make_proposal(tmp_path), databases=steps, run_was_committed=journals_of(project))
    assert made.interrupted
    assert is_new(tree(tmp_path))
    assert is_new_in(database)
    assert not is_new_in(never)
    assert isinstance(made.databases[-1].error, Interrupted)


def test_control_c_between_the_commit_and_its_outcome_asks_the_journal(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    database, never = fill(new_database("sqlite")), fill(new_database("sqlite"))
    project = make_project(tmp_path, [database, never])

    def apply(run: str) -> Any:
        step_of("db0", database.url, run).apply(run)
        raise KeyboardInterrupt

    steps = [DatabaseStep("db0", RUN, apply), step_of("db1", never.url, OTHER)]
    made = commit(project, make_proposal(tmp_path), databases=steps, run_was_committed=journals_of(project))
    assert made.interrupted
    assert [result.committed for result in made.databases] == [True, False]
    assert is_new(tree(tmp_path))
    assert not is_new_in(never)
    assert not is_open(tmp_path)


@pytest.mark.parametrize("answers", [True, None], ids=["asked", "silent"])
def test_control_c_after_the_commit_of_a_second_database_asks_its_journal(
    tmp_path: Path, new_database: NewDatabase, answers: bool | None
) -> None:
    first, second, never = (fill(new_database("sqlite")) for _ in range(3))
    project = make_project(tmp_path, [first, second, never])

    def apply(run: str) -> Any:
        step_of("db1", second.url, run).apply(run)
        raise KeyboardInterrupt

    steps = [
        step_of("db0", first.url, RUN),
        DatabaseStep("db1", OTHER, apply),
        step_of("db2", never.url, "e" * 32),
    ]
    asked = journals_of(project) if answers else (lambda _alias, _run: None)
    made = commit(project, make_proposal(tmp_path), databases=steps, run_was_committed=asked)
    assert is_new_in(second)
    assert [result.committed for result in made.databases] == [True, bool(answers), False]
    assert isinstance(made.databases[1].error, type(None) if answers else InDoubt)
    assert isinstance(made.databases[2].error, Interrupted)
    assert not is_new_in(never)


def test_control_c_at_every_call(tmp_path: Path, new_database: NewDatabase) -> None:
    ends: list[bool] = []
    for number in every(5):
        root, database = tmp_path / str(number), fill(new_database("sqlite"))
        project = make_project(root, [database])
        calls = count()

        def fault(_call: str, _path: Path, number: int = number, calls: Iterator[int] = calls) -> None:
            if next(calls) == number:
                raise KeyboardInterrupt

        try:
            made = commit(
                project,
                make_proposal(root),
                databases=[step_of("db0", database.url, RUN)],
                run_was_committed=journals_of(project),
                files=Files(fault),
            )
        except (KeyboardInterrupt, Interrupted):
            assert not is_new(tree(root))
        else:
            if next(calls) <= number:
                break
            assert made.interrupted
            assert is_new(tree(root))
        # Settled at once: there is nothing left for the next command.
        assert not is_open(root)
        assert is_new_in(database) is is_new(tree(root))
        ends.append(is_new_in(database))
    assert {True, False} == set(ends)
    print(f"\nCtrl-C at {len(ends)} calls, {ends.count(True)} went on")


def test_a_blocked_proposal_is_not_made(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    finding = Finding("test", Severity.ERROR, "It would not load.")
    with pytest.raises(Blocked, match="It would not load"):
        commit(project, replace(make_proposal(tmp_path), findings=(finding,)))
    assert not (tmp_path / ".migsync").exists()


def test_a_commit_is_found_by_its_run_or_its_id(tmp_path: Path, new_database: NewDatabase) -> None:
    database = fill(new_database("sqlite"))
    project = make_project(tmp_path)
    made = commit(project, make_proposal(tmp_path), databases=[step_of("db0", database.url, RUN)])
    undone = undo_files(project, commits(tmp_path)[0], databases=[undo_step_of("db0", database.url, "ab" * 16, RUN)])
    found = [commit_of(tmp_path, run_id=RUN), commit_of(tmp_path, run_id="ab"), commit_of(tmp_path, commit_id=made.id)]
    assert [record and record.id for record in found] == [made.id, undone.id, made.id]
    assert commit_of(tmp_path, run_id="f") is None
    with pytest.raises(UnknownRun, match="2 changes of files"):
        commit_of(tmp_path, run_id="a")
