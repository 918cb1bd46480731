"""Ctrl-C in the middle of an apply: what is said is what happened, wherever it came."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cli.entries import NEW, Entry, Project, names, record
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.profiles import every

WATCHED = ("cli/execution.py", "sync/apply.py")


@contextmanager
def control_c(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Ctrl-C at this line of migsync after the first COMMIT, counted from 0; yields the place once it came."""
    places: list[str] = []
    left = number
    armed = False
    commit = sa.Connection.commit

    def arm(connection: sa.Connection) -> None:
        nonlocal armed
        commit(connection)
        armed = True

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        file = frame.f_code.co_filename
        if not file.endswith(WATCHED):
            return None
        if armed and event in ("line", "return"):
            left -= 1
            if left < 0 and not places:
                places.append(f"{file}:{frame.f_lineno} {event}")
                raise KeyboardInterrupt
        return trace

    with monkeypatch.context() as patch:
        patch.setattr(sa.Connection, "commit", arm)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            yield places
        finally:
            sys.settrace(before)


def is_new(database: Database) -> bool:
    return names(database) == NEW


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
def test_after_a_commit_ctrl_c_never_says_that_nothing_was_changed(
    tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch, journal: bool
) -> None:
    ends = set()
    for number in every(8):
        root = tmp_path / str(number)
        root.mkdir()
        monkeypatch.setenv("MIGSYNC_CACHE", str(root / "cache"))
        databases = {alias: record(new_database("sqlite")) for alias in ("one", "two")}
        project = Project.make(root, {alias: Entry(database.url) for alias, database in databases.items()})
        with control_c(number, monkeypatch) as places:
            ended = project.run("apply", "--noinput", *([] if journal else ["--no-journal"]))
        if not places:
            break
        said = f"{places} {ended.status} {ended.out}{ended.err}"
        assert is_new(databases["one"]), said
        assert "nothing was changed in one" not in said
        assert "nothing was changed." not in said
        assert not is_new(databases["two"]) or "nothing was changed in two" not in said, said
        pending = list(root.rglob("*.pending/*.json"))
        in_doubt = "Interrupted during the COMMIT" in said
        assert not in_doubt or (ended.status == 6 and len(pending) == 1), said
        if pending:
            assert in_doubt, said
            recovered = project.run("recover")
            assert ("was committed" in recovered.out) is journal, f"{said}{recovered}"
        ends.add((in_doubt, is_new(databases["two"])))
    assert number > 50
    assert ends >= {(True, False), (False, False), (False, True)}


CONTROL_C = """
import os, signal, sys

def control_c():
    os.kill(os.getpid(), signal.SIGINT)

class AtImport:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            control_c()

sys.meta_path.insert(0, AtImport())
sys.argv = ["migsync", "explain", "blocked"]
from migsync.__main__ import main
{patch}
main()
"""
SAYS_SO = "Error: Interrupted. Nothing was changed.\n"


def interrupted(module: str = "", patch: str = "") -> tuple[int, str]:
    """The status and what was said, where Ctrl-C comes as the module is imported, or where the patch sends it."""
    code = CONTROL_C.format(module=module, patch=patch)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr.removeprefix("\n")  # the end of the line with the ^C


@pytest.mark.fresh
@pytest.mark.parametrize("module", ["migsync.cli.signals", "migsync.cli.program", "migsync.cli.commands.explain"])
def test_ctrl_c_while_the_program_starts_says_that_nothing_was_changed(module: str) -> None:
    assert interrupted(module) == (1, SAYS_SO)


TWICE = """
from migsync.cli import output, program
tell = output.Output.error

def interrupt_again(self, error):
    control_c()
    tell(self, error)

def interrupt(*_, **__):
    raise KeyboardInterrupt

output.Output.error = interrupt_again
program.program.main = interrupt
"""


@pytest.mark.fresh
def test_a_second_ctrl_c_does_not_cut_off_what_is_said_of_the_first() -> None:
    assert interrupted(patch=TWICE) == (1, SAYS_SO)


@pytest.mark.fresh
@pytest.mark.parametrize("changes", [True, False])
def test_ctrl_c_twice_in_a_moment_is_no_traceback(changes: bool) -> None:
    patch = "from migsync.cli import program\nprogram.run = lambda _: control_c()"
    status, said = interrupted(patch=f"import migsync.cli.execution\n{patch}" if changes else patch)
    assert status == (6 if changes else 1)
    assert "Next: Run: migsync recover" in said if changes else said == SAYS_SO


@pytest.mark.fresh
def test_ctrl_c_when_all_is_said_ends_the_process_without_a_traceback() -> None:
    patch = "import gc\ngc.freeze = control_c"
    assert interrupted(patch=patch) == (-signal.SIGINT, "")
