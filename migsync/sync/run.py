"""A run: one execution of a plan in one transaction, as the journal keeps it."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from migsync.rewrites.rewrite import Rewrite
from migsync.sync.plan import Change


class RunKind(StrEnum):
    """What a run did. An undo is a run of its own, which can be undone too."""

    APPLY = "apply"
    UNDO = "undo"


@dataclass(frozen=True)
class Run:
    """One row of the journal, `number` counting up from 1 in each journal.

    `at` is the server's UTC time as text (``2026-11-20T10:45:00.123456Z``), `author` is ``user@host``. `changes` hold
    every touched row before and after, in the order they were made, with the ids that inserted rows were given (None
    where a script inserted them). `undoes` is the id of the run that this one took back.
    """

    id: str
    number: int
    kind: RunKind
    plan_id: str
    at: str
    author: str
    version: str
    reason: str = ""
    undoes: str = ""
    passed: tuple[Rewrite, ...] = ()
    returned: tuple[Rewrite, ...] = ()
    changes: Sequence[Change] = ()
    digests: Mapping[str, str] = field(default_factory=dict)


def passed_rewrites(runs: Iterable[Run]) -> dict[str, Rewrite]:
    """The rewrites, by id, that the target has been through and not been taken back from."""
    passed: dict[str, Rewrite] = {}
    for run in sorted(runs, key=lambda run: run.number):
        # First what was taken back: a run to older files may take a rewrite back and go through it again.
        for rewrite in run.returned:
            passed.pop(rewrite.id, None)
        for rewrite in run.passed:
            passed[rewrite.id] = rewrite
    return passed


def in_force(runs: Iterable[Run]) -> list[Run]:
    """The runs, undos too, that no run in force has undone; oldest first."""
    found: list[Run] = []
    undone: set[str] = set()
    # Newest first, since a run can be undone only by a later one. If 2 undoes 1 and 3 undoes 2, then 3 is in force, 2
    # is not, and so 1 is.
    for run in sorted(runs, key=lambda run: run.number, reverse=True):
        if run.id not in undone:
            found.append(run)
            undone.add(run.undoes)
    return found[::-1]


def applies_in_force(runs: Iterable[Run]) -> list[Run]:
    """The applies in force, oldest first: what they changed is what the rows still show."""
    return [run for run in in_force(runs) if run.kind is RunKind.APPLY]


def taken_back(runs: Iterable[Run]) -> list[Run]:
    """The runs in force that took rewrites back which no run has gone through since; newest first."""
    runs = tuple(runs)
    settled = set(passed_rewrites(applies_in_force(runs)))
    found = []
    for run in reversed(in_force(runs)):
        ids = {rewrite.id for rewrite in run.returned}
        # Of several runs that took the same rewrites back the newest counts.
        if ids - settled:
            found.append(run)
            settled |= ids
    return found


def in_order_of_passing(run: Run) -> tuple[Rewrite, ...]:
    """The rewrites that a run took back, in the order in which they were passed. An undo holds them the other way."""
    return run.returned[::-1] if run.kind is RunKind.UNDO else run.returned


def second(at: str) -> str:
    """The time of a run to the second, as a person types it."""
    return at[:19]


def default_author() -> str:
    """``user@host``; a container may run under a number that has no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"[:255]
