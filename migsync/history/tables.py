"""The tables that operations make, part by part, worked out from their steps; no database is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from migsync.history.contents import Action, Operation, PartKind

UNKNOWN = "?"
"""The value of a part that only running a file shows."""


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
    """What operations that ran one after the other have made: a value for each part, and how often each code ran."""

    parts: dict[TablePart, str] = field(default_factory=dict)
    code: Counter[str] = field(default_factory=Counter)

    def run(self, operations: Iterable[Operation]) -> None:
        """Let operations follow that a database sees."""
        for operation in operations:
            for step in operation.steps if not operation.state_only else ():
                value = step.value if operation.comparable else UNKNOWN
                place = TablePart(step.part, step.model, step.name)
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
        """The parts that are here, and that `other` lacks or has with another value."""
        return [
            place
            for place, value in self.parts.items()
            if other.parts.get(place, "") != value and UNKNOWN not in (value, other.parts.get(place))
        ]

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
