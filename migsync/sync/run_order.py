"""The order in which migrations ran in one database, and where the files of today have another one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from migsync.history.contents import Action, Contents, Operation, PartKind
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.history.tables import TAKES, TablePart, part_after, part_before


def needed(operation: Operation) -> Iterator[TablePart]:
    """What has to be there for an operation to run."""
    if operation.state_only or operation.kind == "CreateModel":
        return
    for step in operation.steps:
        if step.action is not Action.RUN:
            yield TablePart(PartKind.MODEL, step.model)
        if step.action in TAKES or operation.kind == "AlterField":
            yield part_before(step)


def in_order(ran: Sequence[Contents], known: Sequence[bool]) -> list[int]:
    """The places in `ran` in the order in which it ran; `ran` is in the order of the records' ids.

    Where it is not `known` what ran, `ran` has the file that bears the name today. That may be another one than the one
    that ran, so what needs it comes after it, and it comes after what it needs. What is known keeps its order.
    """
    left = list(range(len(ran)))
    if all(known):
        return left
    makes, needs = [_made(each) for each in ran], [_needs(each) for each in ran]
    there: set[TablePart] = set()

    def is_free(place: int) -> bool:
        missing = needs[place] - there
        waits = missing and any(missing & makes[other] for other in left if other != place)
        return not waits and not (known[place] and any(known[other] for other in left if other < place))

    found: list[int] = []
    while left:
        found.append(next(filter(is_free, left), left[0]))
        left.remove(found[-1])
        there |= makes[found[-1]]
    return found


def _made(contents: Contents) -> set[TablePart]:
    return {part_after(step) for each in contents.operations for step in each.steps if step.part is not PartKind.CODE}


def _needs(contents: Contents) -> set[TablePart]:
    """What has to be there before a file runs."""
    made: set[TablePart] = set()
    found: set[TablePart] = set()
    for operation in contents.operations:
        found |= set(needed(operation)) - made
        made |= set(map(part_after, operation.steps))
    return found


def ran_early(history: History, ran: Sequence[Key]) -> dict[Key, Key]:
    """What ran before a migration that its file depends on today, with that migration; `ran` is in the order it ran."""
    every, left = frozenset(ran), set(ran)
    found = {}
    for key in ran:
        left.discard(key)
        if later := sorted(left.intersection(_above(history, key, every))):
            found[key] = later[0]
    return found


def _above(history: History, key: Key, among: Collection[Key]) -> Iterator[Key]:
    """The nearest of `among` that a file depends on, also through others."""
    seen: set[Key] = set()
    waiting = [key]
    while waiting:
        each = waiting.pop()
        for up in history.parents(each) if each in history.migrations else ():
            if up in among:
                yield up
            elif up not in seen:
                seen.add(up)
                waiting.append(up)
