"""Code (RunPython, RunSQL, operations of the project's own) in files that were edited since they ran.

What code does is not known, so an edit of it is no difference between tables. People edit code that has run so that it
still runs in new databases: a library has changed, a model is gone. What the code was for has been done here. Only code
that was *added* to a file has not run in any form. Nor has code been added that does what an operation did: that one is
among the `state_operations` of its SeparateDatabaseAndState then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migsync.history.contents import COMPUTED, Action, Contents, Operation


def pair_off(ran: Contents, now: Contents, idle: Counter[str], missing: Counter[str]) -> bool:
    """Take the code of one migration that was edited in place off both counters; true where there was such code.

    `idle` counts the code that ran and that is in no file any more, `missing` the code in files that did not run.
    """
    found = False
    olds = list(_olds(ran, now, idle))
    by_code = any(_done_by_code(ran, now))
    for value in code_of(now):
        if (olds or by_code) and missing[value] > 0:
            if olds:
                idle[olds.pop(0)] -= 1
            missing[value] -= 1
            found = True
    return found


def claims(ran: Contents, now: Contents) -> tuple[Operation, ...]:
    """What the file of today stands for in a database in which `ran` did.

    These are its own operations, and those that ran and may be in a list that only running the file shows, or are done
    by code today.
    """
    written = {each.exact for each in now.operations if not each.state_only}
    kept = ran.operations if lost(now) - lost(ran) else _done_by_code(ran, now)
    # Last: what ran may be what the list changes of the operations before it.
    return (*now.operations, *(each for each in kept if each.exact not in written))


def lost(contents: Contents) -> Counter[str]:
    """The lists of operations that only running the file shows."""
    return Counter(operation.exact for operation in contents.operations if operation.kind == COMPUTED)


def _done_by_code(ran: Contents, now: Contents) -> Iterator[Operation]:
    """The operations that ran and that the file of today leaves to code."""
    stated = {each.effect for each in now.operations if each.state_only and each.effect}
    return (each for each in ran.operations if not each.state_only and each.effect in stated)


def _olds(ran: Contents, now: Contents, idle: Counter[str]) -> Iterator[str]:
    """The code that ran under one name and that its file does not contain any more, nor any other file."""
    left = Counter(idle)
    still = {operation.exact for operation in now.operations}
    for operation in ran.operations:
        for value in _runs(operation):
            # Code that only running the file shows is not counted anywhere.
            if not operation.comparable and operation.exact not in still:
                yield value
            elif operation.comparable and left[value] > 0:
                left[value] -= 1
                yield value


def code_of(contents: Contents) -> Iterator[str]:
    """The digests of the code that a file runs, as far as it can be compared."""
    return (value for operation in contents.operations if operation.comparable for value in _runs(operation))


def _runs(operation: Operation) -> Iterator[str]:
    steps = operation.steps if not operation.state_only else ()
    return (step.value for step in steps if step.action is Action.RUN)
