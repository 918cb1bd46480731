"""What a migration file does, as values: its operations, with digests to compare them by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Grade(IntEnum):
    """How much of what an operation does is written in its file."""

    WRITTEN = 0
    """All of it. Names of Django and of Python's library count as written."""
    IMPORTED = 1
    """It names code in another file, which may have changed meanwhile: a function for RunPython, a class of field."""
    COMPUTED = 2
    """Only running the file shows what it is."""


class Action(StrEnum):
    """What a step does to a part of the tables."""

    SET = "set"
    """It is there afterwards, with this value."""
    REMOVE = "remove"
    RENAME = "rename"
    RUN = "run"
    """Code runs. What it does is not known."""


class PartKind(StrEnum):
    """A part of the tables of an app."""

    MODEL = "model"
    FIELD = "field"
    INDEX = "index"
    """A constraint too: their names are in one space."""
    LINK = "link"
    """A many-to-many field, which has a table of its own."""
    TOGETHER = "together"
    OPTION = "option"
    CODE = "code"


CLASS_MARK = "~"
"""Stands in the value of a step before the digest of a class that is not Django's."""


class OperationStep(NamedTuple):
    """One step of an operation.

    `name` is that of the part within its `model`. `value` says what is set, in a form that is made to be compared:
    :mod:`migsync.history.operations.step_values`. It is the new name where something is renamed.
    """

    action: Action
    part: PartKind
    model: str = ""
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as its file states it.

    `kind` is the name of its class, ``AddField``. `subject` is what it is about as a person would say it,
    ``item.price``; empty where that is not known. The digests have 32 hexadecimal digits:

    - `exact` is equal for the same source, whatever the formatting; empty where the operation depends on the name of
      its file.
    - `effect` is equal for operations that a database cannot tell apart; empty where no database sees the operation.
      An operation of grade COMPUTED has none that can be compared: see :attr:`comparable`.

    `default` is the digest of the value that an AddField or AlterField gives to rows that exist, empty without one.
    It is kept apart: a changed default leaves the table as it is. `state_only` is true in the `state_operations` of a
    SeparateDatabaseAndState, which never run. `steps` are its effect, part by part. `reversible` is false for a
    RunPython or a RunSQL without a way back.
    """

    kind: str
    exact: str
    effect: str = ""
    subject: str = ""
    default: str = ""
    grade: Grade = Grade.WRITTEN
    state_only: bool = False
    steps: tuple[OperationStep, ...] = ()
    reversible: bool = field(default=True, compare=False)

    @property
    def comparable(self) -> bool:
        """False where nothing may be concluded from `effect`, because only running the file shows what it is."""
        return self.grade is not Grade.COMPUTED


SECOND = "2:"
"""What a digest of a whole file begins with; those that migsync wrote first have no mark."""
COMPUTED = "computed"
"""The kind of an operation that only running the file shows."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What one migration file does: its operations in order."""

    operations: tuple[Operation, ...] = ()

    @property
    def digest(self) -> str:
        """The same for files with the same operations: ``2:`` and 32 hexadecimal digits.

        Empty where an operation depends on the name of its file, or is in another one.
        """
        parts = [f"{'state ' if each.state_only else ''}{each.exact}" for each in self.operations]
        return SECOND + _digest(parts) if all(each.exact for each in self.operations) else ""

    @property
    def defaults(self) -> tuple[str, ...]:
        """The values that rows which exist get, by their digests."""
        return tuple(each.default for each in self.operations if not each.state_only)

    @property
    def comparable(self) -> bool:
        """True where each operation that runs is :attr:`Operation.comparable`."""
        return all(each.comparable for each in self.operations if not each.state_only)

    @property
    def effects(self) -> tuple[str, ...]:
        """The effects of the operations that run, as far as they can be compared."""
        run = (each for each in self.operations if each.comparable and not each.state_only)
        return tuple(each.effect for each in run if each.effect)

    @property
    def effect(self) -> str:
        """The same for files that a database cannot tell apart: 32 hexadecimal digits.

        Empty where no database sees anything of a file, and where it cannot be compared in this way.
        """
        return _digest(self.effects) if self.effects and self.comparable else ""

    def same_effect(self, other: Contents) -> bool:
        """Whether it is known that no database can tell the two apart."""
        if self.digest and self.digest == other.digest:
            return True
        return self.comparable and other.comparable and self.effects == other.effects


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


UNREAD = Contents((Operation(COMPUTED, "", grade=Grade.COMPUTED),))
"""Of a file whose class Migration is not written in it."""
