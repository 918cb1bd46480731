"""Ctrl-C in the middle of an apply: what is said is what happened, wherever it came."""

from __future__ import annotations

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
