"""The tables that operations make, part by part, worked out from their steps; no database is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from migsync.history.contents import CLASS_MARK, Action, Operation, OperationStep, PartKind

TAKES = (Action.REMOVE, Action.RENAME)
"""After these, the part is not there under its name any more."""
UNKNOWN = "?"
"""The value of a part that only running a file shows."""

INDEXES = (PartKind.INDEX, PartKind.TOGETHER)


class TablePart(NamedTuple):
    """A part of the tables of one app; the model alone stands for its table."""

    part: PartKind
    model: str
    name: str = ""

    def __str__(self) -> str:
        match self.part:
            case PartKind.MODEL:
                return self.model
            case PartKind.FIELD:
                return f"{self.model}.{self.name}"
            case PartKind.INDEX:
                return f"{self.name} of {self.model}" if self.name else f"an index of {self.model}"
        return f"{self.name} of {self.model}"


@dataclass
class TableState:
    """What operations that ran one after the other have made: a value for each part, and how often each code ran.

    `taken` counts the steps that removed or renamed a part.
    """

    parts: dict[TablePart, str] = field(default_factory=dict)
    code: Counter[str] = field(default_factory=Counter)
    taken: Counter[OperationStep] = field(default_factory=Counter)

    def run(self, operations: Iterable[Operation]) -> None:
        """Let operations follow that a database sees."""
        for operation in operations:
            for step in operation.steps if not operation.state_only else ():
                value = step.value if operation.comparable else UNKNOWN
                place = TablePart(step.part, step.model, step.name)
                if step.action in TAKES:
                    self.taken[step] += 1
                match step.action:
                    case Action.SET if step.value or step.part in (PartKind.MODEL, PartKind.FIELD):
                        self.parts[place] = value
                    case Action.SET | Action.REMOVE:
                        self._remove(place)
                    case Action.RENAME:
                        self._rename(place, step.value)
                    case Action.RUN if operation.comparable:
                        self.code[step.value] += 1

    def differing(self, other: TableState) -> list[TablePart]:
        """The parts that are here, and that `other` lacks or has with another value.

        Of indexes and unique constraints only the columns count: people write a name, a unique_together or an
        index_together in another way.
        """
        indexed = other._columns()
        return [
            place
            for place, value in self.parts.items()
            if is_different(value, other.parts.get(place))
            and not (place.part in INDEXES and indexed.get(place.model, set()).issuperset(value.split(",")))
        ]

    def _columns(self) -> dict[str, set[str]]:
        """The values of the indexes and constraints by model."""
        found: dict[str, set[str]] = {}
        for place, value in self.parts.items():
            if place.part in INDEXES:
                found.setdefault(place.model, set()).update(value.split(","))
        return found

    def _remove(self, place: TablePart) -> None:
        if place.part is PartKind.MODEL:
            self.parts = {each: value for each, value in self.parts.items() if each.model != place.model}
        else:
            self.parts.pop(place, None)

    def _rename(self, place: TablePart, new: str) -> None:
        if place.part is PartKind.MODEL:
            self.parts = {
                each._replace(model=new) if each.model == place.model else each: value
                for each, value in self.parts.items()
            }
        elif place in self.parts:
            self.parts[place._replace(name=new)] = self.parts.pop(place)


def is_different(value: str, other: str | None) -> bool:
    """True where two values of one part cannot be the same to a database, or where there is no other.

    What a class that is not Django's makes of a column is not known, nor what another class in its place makes of it.
    Where both have the class, and what only it knows, the arguments that say the same of every class count.
    """
    if other is None or value == other:
        return other is None
    if UNKNOWN in (value, other):
        return False
    return value.partition(CLASS_MARK)[2] == other.partition(CLASS_MARK)[2]
