"""``renumber``: closes gaps and doubles in the numbers of each app and changes nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet

from migsync.files.reshape import Expectation, KeyChanges, Reshape
from migsync.history import History, Key
from migsync.refactor.numbers import name_findings, renames, width_of
from migsync.refactor.order import Arrangement, arrange
from migsync.refactor.preconditions import broken, chosen_apps, impossible
from migsync.refactor.symbolic_dependencies import changed_ends


def renumber(history: History, apps: Collection[str] = (), applied: Mapping[str, AbstractSet[Key]] = {}) -> Reshape:
    """Number the migrations of `apps` (none: all first-party apps) from 1 in an order in which they can be applied.

    The graph stays as it is, forks and merges included. A squash beside the migrations that it replaces has the number
    of the first of them. `applied` are the recorded keys of each reachable database, by alias. Raises UsageError for an
    app that is not of this project.
    """
    command = " ".join(["renumber", *sorted(apps)])
    chosen = chosen_apps(history, apps)
    if errors := broken(history):
        return Reshape(command, findings=errors)
    states = [history.state(rows).applied for rows in applied.values()]
    arrangement = arrange(history, chosen, applied=states)
    if errors := tuple(impossible(arrangement)):
        return Reshape(command, findings=errors)
    renamed: dict[Key, Key] = {}
    for app in chosen:
        numbers = _numbers(arrangement, app)
        renamed |= renames(list(numbers), numbers, width_of(history.names(app)))
    touched = sorted({key.app for key in renamed})
    found = [
        *name_findings(history, renamed, (), applied),
        *changed_ends(history, renamed),
    ]
    return Reshape(
        command,
        KeyChanges(renamed),
        expected=Expectation({app: len(history.leaves(app)) for app in touched}),
        findings=tuple(found),
        apps=frozenset(chosen),
    )


def _numbers(arrangement: Arrangement, app: str) -> dict[Key, int]:
    numbers: dict[Key, int] = {}
    place = 1
    for unit in arrangement.chains[app]:
        # A squash has the number of the first migration that it stands beside; the next unit is numbered after its
        # links.
        numbers |= dict.fromkeys(unit.covers, place)
        numbers |= {key: place + offset for offset, key in enumerate(unit.links)}
        place += len(unit.links)
    return numbers
