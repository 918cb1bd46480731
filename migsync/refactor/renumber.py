"""``renumber``: closes gaps and doubles in the numbers of each app and changes nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from migsync.files.reshape import Expectation, KeyChanges, Reshape
from migsync.history import History, Key
from migsync.history.digraph import topological_order
from migsync.refactor.numbers import by_number, name_findings, renames, width_of
from migsync.refactor.order import Unit, Units, arrange
from migsync.refactor.preconditions import broken, chosen_apps, impossible
from migsync.refactor.symbolic_dependencies import changed_ends


def renumber(history: History, apps: Collection[str] = (), applied: Mapping[str, AbstractSet[Key]] = {}) -> Reshape:
    """Number the migrations of `apps` (none: all first-party apps) from 1 in an order in which they can be applied.

    The graph stays as it is, forks and merges included. A squash beside the migrations that it replaces has the number
    of the first of them. An app whose numbers are such an order already is left alone, whatever becomes of the others:
    the order that :func:`.arrange` finds depends on the numbers of all apps. `applied` are the recorded keys of each
    reachable database, by alias. Raises UsageError for an app that is not of this project.
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
    order, _ = topological_order(arrangement.units.graph.parents, arrangement.units.graph.children)
    for app in chosen:
        width = width_of(history.names(app))
        today = [
            Unit(tuple(sorted(unit.links, key=_by_number)), unit.covers)
            for unit in sorted(arrangement.chains[app], key=lambda unit: min(map(_by_number, unit.links)))
        ]
        numbers = _numbers(today)
        if renames(list(numbers), numbers, width) or not _is_order(history, arrangement.units, order, app, numbers):
            numbers = _numbers(arrangement.chains[app])
            renamed |= renames(list(numbers), numbers, width)
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


def _by_number(key: Key) -> tuple[float, str]:
    return by_number(key.name)


def _is_order(history: History, units: Units, order: Sequence[Key], app: str, numbers: Mapping[Key, int]) -> bool:
    """Whether everything comes after all that it depends on, directly or by way of other apps."""
    highest: dict[Key, int] = {}  # of what a unit, or something that it depends on, has of this app
    for home in order:
        behind = max((highest[parent] for parent in units.graph.parents[home]), default=0)
        links = units[home].links if home.app == app else ()
        if links and numbers[links[0]] <= behind:
            return False
        if any(numbers[parent] > numbers[key] for key in links for parent in history.parents(key) if parent in links):
            return False
        highest[home] = max((numbers[key] for key in links), default=behind)
    return True


def _numbers(chain: Iterable[Unit]) -> dict[Key, int]:
    numbers: dict[Key, int] = {}
    place = 1
    for unit in chain:
        # A squash has the number of the first migration that it stands beside; the next unit is numbered after its
        # links.
        numbers |= dict.fromkeys(unit.covers, place)
        numbers |= {key: place + offset for offset, key in enumerate(unit.links)}
        place += len(unit.links)
    return numbers
