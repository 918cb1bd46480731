"""Code (RunPython, RunSQL, operations of the project's own) in files that were edited since they ran.

What code does is not known, so an edit of it is no difference between tables. People edit code that has run so that it
still runs in new databases: a library has changed, a model is gone. What the code was for has been done here. Only code
that was *added* to a file has not run in any form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migsync.history.contents import Action, Contents, Operation


def pair_off(ran: Contents, now: Contents, idle: Counter[str], missing: Counter[str]) -> bool:
    """Take the code of one migration that was edited in place off both counters; true where there was such code.

    `idle` counts the code that ran and that is in no file any more, `missing` the code in files that did not run.
    """
    found = False
    olds = list(_olds(ran, now, idle))
    for value in code_of(now):
        if olds and missing[value] > 0:
            old = olds.pop(0)
            idle[old] -= 1
            missing[value] -= 1
            found = True
    return found


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
