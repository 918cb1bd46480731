"""A file system that fails at any call, once or for good: afterwards all is old, or all is new."""

from __future__ import annotations

import errno
import os
from itertools import count
from pathlib import Path

import pytest

from migsync.errors import FilesRefused, MigsyncError, Unsettled
from migsync.files.commit import commit, is_open, journals_of, recover_files
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files
from migsync.project import Project
from tests.conftest import NewDatabase
from tests.files.commit.story import fill, is_new, is_new_in, make_project, make_proposal, step_of, tree
from tests.profiles import THOROUGH, every

CODES = ["ENOSPC", "EIO", "EACCES", "EROFS", "EXDEV"]


class Failing:
    """An OSError at the call of this number; and at every later one, if `for_good`. `met` once there was one."""

    def __init__(self, number: int, code: int, *, for_good: bool) -> None:
        self.number, self.code, self.for_good = number, code, for_good
        self.calls = count()
        self.met = False

    def __call__(self, _call: str, path: Path) -> None:
        call = next(self.calls)
        if call == self.number or (self.for_good and call > self.number):
            self.met = True
            raise OSError(self.code, os.strerror(self.code), str(path))


@pytest.mark.parametrize(("code", "for_good"), [*((code, False) for code in CODES), ("ENOSPC", True), ("EROFS", True)])
def test_a_fault_at_every_call_of_a_commit(tmp_path: Path, code: str, for_good: bool) -> None:
    ends: list[bool] = []
    for number in every(15):  # the codes share the points
        root = tmp_path / str(number)
        project = make_project(root)
        before = tree(root)
        fault = Failing(number, getattr(errno, code), for_good=for_good)
        try:
            commit(project, make_proposal(root), files=Files(fault))
        except FilesRefused as error:
            assert "Nothing was changed" in str(error)
            assert os.strerror(getattr(errno, code)) in str(error)
            assert is_open(root) or tree(root) == before
            recover_files(root, journals_of(project))
            assert tree(root) == before
            ends.append(False)
        except Unsettled as error:
            assert "migsync recover" in str(error)
            settled = recover_files(root, journals_of(project))
            assert settled
            assert settled.forward is is_new(tree(root))
            ends.append(settled.forward)
        else:
            assert is_new(tree(root))
            if not fault.met:
                break
            ends.append(True)
        assert not is_open(root)
    assert ends == sorted(ends)
    print(f"\n{code}: {len(ends)} calls, {ends.count(False)} left all old, {ends.count(True)} left all new")


def test_a_fault_at_every_call_of_a_commit_with_a_database(tmp_path: Path, new_database: NewDatabase) -> None:
    ends: list[bool] = []
    for number in every(5):
        root, database = tmp_path / str(number), fill(new_database("sqlite"))
        project = make_project(root, [database])
        fault = Failing(number, errno.EIO, for_good=False)
        try:
            commit(project, make_proposal(root), databases=[step_of("db0", database.url, "a" * 32)], files=Files(fault))
        except FilesRefused:
            assert not is_new_in(database)
        except Unsettled:
            assert is_open(root)
        else:
            if not fault.met:
                break
        recover_files(root, journals_of(project))
        assert is_new(tree(root)) is is_new_in(database)
        ends.append(is_new_in(database))
    assert ends == sorted(ends)
    assert {True, False} == set(ends)


@pytest.mark.parametrize("forward", [False, True])
def test_a_fault_at_every_call_of_a_recovery(tmp_path: Path, forward: bool) -> None:
    met: list[str] = []
    for number in every(3):
        root = tmp_path / str(number)
        project = make_project(root)
        cut_off(project, root, forward=forward)
        fault = Failing(number, getattr(errno, CODES[number % len(CODES)]), for_good=False)
        try:
            assert recover_files(root, journals_of(project), files=Files(fault))
        except MigsyncError as error:
            met.append(str(error))
            recover_files(root, journals_of(project))
        else:
            if not fault.met:
                break
        assert is_new(tree(root)) is forward
    assert len(met) > (20 if THOROUGH else 6)
    assert all("migsync recover" in text for text in met)


class PowerCut(BaseException):
    """The process ends here, for a test in the process of the test itself."""


def cut_off(project: Project, root: Path, *, forward: bool) -> None:
    """Leave a commit behind that was stopped just before, or just after, it was decided."""
    dead = False

    def fault(call: str, path: Path) -> None:
        nonlocal dead
        opened = Store(root).opened()
        if opened and (opened[0].state == "decided" if forward else (call, path.name) == ("replace", "open")):
            dead = True
        if dead:
            raise PowerCut

    with pytest.raises(PowerCut):
        commit(project, make_proposal(root), files=Files(fault))
    assert is_open(root)
