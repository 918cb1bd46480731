"""Killed anywhere, files and databases are the old ones or the new ones, and never a mix, once it is settled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from migsync.files.commit import commit, commit_of, commits, is_open, journals_of, recover_files, undo_files
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files
from tests.databases import SQLiteDatabase
from tests.files.commit.story import (
    Killer,
    commit_in_process,
    fill,
    is_new,
    is_new_in,
    killed,
    make_project,
    make_proposal,
    project_at,
    recover_in_process,
    step_of,
    tree,
    undo_step_of,
)
from tests.profiles import every


def databases_at(root: Path, number: int) -> list[SQLiteDatabase]:
    return [SQLiteDatabase(root / f"db{n}.sqlite3") for n in range(number)]


def urls_at(root: Path, number: int) -> list[str]:
    return [database.url for database in databases_at(root, number)]


def template(place: Path, databases: int) -> Path:
    """A project of the story with filled databases, to be copied."""
    made = databases_at(place, databases)
    make_project(place, made)
    for database in made:
        fill(database)
    return place


def copies(of: Path, to: Path, step: int) -> Iterator[tuple[int, Path]]:
    """Copy after copy, numbered as the points to try are; the one before is removed."""
    for number in every(step):
        place = to / str(number)
        shutil.copytree(of, place)
        yield number, place
        shutil.rmtree(place)


def settle(root: Path, databases: int) -> bool:
    """Settle what is open; whether everything is new. Fails for a mix, and when there is anything left to do."""
    urls = urls_at(root, databases)
    recover_files(root, journals_of(project_at(root, urls)))
    assert not is_open(root)
    assert recover_files(root, journals_of(project_at(root, urls))) is None
    new = is_new(tree(root))
    rows = [is_new_in(database) for database in databases_at(root, databases)]
    # The first database decides; those behind it can be synced later, by `migsync apply`.
    assert new is any(rows) or not databases
    assert rows == sorted(rows, reverse=True)
    assert len(commits(root)) == new
    return new


@pytest.mark.parametrize("databases", [0, 1, 2])
def test_kill_9_at_every_call_of_a_commit(tmp_path: Path, databases: int) -> None:
    begin = template(tmp_path / "template", databases)
    ends: list[bool] = []
    for number, root in copies(begin, tmp_path, 6):
        if not killed(commit_in_process, root, urls_at(root, databases), number):
            break
        ends.append(settle(root, databases))
    assert is_new(tree(root))
    # Old up to the commit point, new from there on.
    assert ends == sorted(ends)
    assert {True, False} == set(ends)
    print(f"\nkilled at {len(ends)} points with {databases} databases: {ends.count(True)} rolled forward")


def states(root: Path, urls: list[str]) -> list[str]:
    """How far the commit is at each of its calls."""
    found: list[str] = []

    def note(_call: str, _place: object) -> None:
        opened = Store(root).opened()
        found.append(opened[0].state if opened else "")

    steps = [step_of(f"db{n}", url, f"{n}" * 32, note) for n, url in enumerate(urls)]
    commit(project_at(root), make_proposal(root), databases=steps, files=Files(note))
    return found


@pytest.mark.parametrize("databases", [0, 1])
@pytest.mark.parametrize("forward", [False, True])
def test_kill_9_at_every_call_of_a_recovery(tmp_path: Path, databases: int, forward: bool) -> None:
    begin = template(tmp_path / "template", databases)
    shutil.copytree(begin, tmp_path / "whole")
    found = states(tmp_path / "whole", urls_at(tmp_path / "whole", databases))
    if databases and not forward:
        last = found.index("staged")
    else:
        # Just before "decided" is written: with a database, its run is committed and must be asked for.
        last = found.index("decided") - (1 if databases or not forward else 0)
    cut_off = tmp_path / "cut off"
    shutil.copytree(begin, cut_off)
    assert killed(commit_in_process, cut_off, urls_at(cut_off, databases), last)
    points = 0
    for number, root in copies(cut_off, tmp_path, 4):
        # Killed twice at the same distance, then settled.
        if not killed(recover_in_process, root, urls_at(root, databases), number):
            break
        killed(recover_in_process, root, urls_at(root, databases), number // 2)
        assert settle(root, databases) is forward
        points = number + 1
    assert settle(root, databases) is forward
    print(
        f"\nrecovery killed at up to {points} points, rolling {'forward' if forward else 'back'}, {databases} databases"
    )
    assert points >= 30


def undo_in_process(root: Path, urls: list[str], kill_at: int) -> None:
    killer = Killer(kill_at)
    steps = [undo_step_of("db0", url, "f" * 32, "0" * 32, killer.at_step) for url in urls]
    record = commit_of(root, run_id="0" * 32) if urls else commits(root)[0]
    assert record
    undo_files(project_at(root, urls), record, databases=steps, files=Files(killer))


@pytest.mark.parametrize("databases", [0, 1])
def test_kill_9_at_every_call_of_an_undo(tmp_path: Path, databases: int) -> None:
    begin = template(tmp_path / "template", databases)
    before = tree(begin)
    steps = [step_of("db0", url, "0" * 32) for url in urls_at(begin, databases)]
    commit(project_at(begin), make_proposal(begin), databases=steps)
    after = tree(begin)
    ends: list[bool] = []
    for number, root in copies(begin, tmp_path, 6):
        urls = urls_at(root, databases)
        if not killed(undo_in_process, root, urls, number):
            break
        recover_files(root, journals_of(project_at(root, urls)))
        undone = tree(root) == before
        assert undone or tree(root) == after
        assert all(is_new_in(database) is not undone for database in databases_at(root, databases))
        ends.append(undone)
    assert tree(root) == before
    assert ends == sorted(ends)
    assert {True, False} == set(ends)
    print(f"\nundo killed at {len(ends)} points, {databases} databases: {ends.count(True)} rolled forward")
