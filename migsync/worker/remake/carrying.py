"""Into which further files operations are carried, so that they run in the order that they had: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from migsync.worker.remake.unseen import Node


@dataclass(frozen=True)
class Group:
    """The migrations whose operations go into one further file of `app`, in order.

    `after` are the numbers of the groups that it comes after.
    """

    app: str
    origins: tuple[Node, ...]
    after: tuple[int, ...]


def grouped(origins: Sequence[Node], above: Mapping[Node, AbstractSet[Node]], apart: AbstractSet[Node]) -> list[Group]:
    """As few groups as keep the order of `origins`, which is one in which they can be applied.

    `above` are all ancestors of each, `apart` those that do not run in a transaction: they share no file with others.
    An app has a second group where something of another app comes in between.
    """
    found: list[_Open] = []
    place: dict[Node, int] = {}
    last: dict[str, int] = {}
    for origin in origins:
        app = origin[0]
        after = {place[up] for up in above[origin] if up in place}
        number = last.get(app)
        if number is None or found[number].apart != (origin in apart) or _leads_to(found, after - {number}, number):
            found.append(_Open(app, origin in apart, [], set() if number is None else {number}))
            number = last[app] = len(found) - 1
        found[number].origins.append(origin)
        found[number].after |= after - {number}
        place[origin] = number
    return [Group(group.app, tuple(group.origins), tuple(sorted(group.after))) for group in found]


@dataclass
class _Open:
    app: str
    apart: bool
    origins: list[Node]
    after: set[int]


def _leads_to(groups: Sequence[_Open], numbers: Iterable[int], goal: int) -> bool:
    """Whether one of the groups comes after `goal`, directly or not."""
    todo, seen = list(numbers), set[int]()
    while todo:
        number = todo.pop()
        if number == goal:
            return True
        if number not in seen:
            seen.add(number)
            todo += groups[number].after
    return False
