"""The graph that is shown: the migrations of the apps asked for, each with its neighbours in every app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from migsync.errors import UsageError
from migsync.history import History, Key, LoaderState
from migsync.words import did_you_mean, text_list


class NodeState(StrEnum):
    """Whether a migration is applied in one database, as Django's loader judges its rows.

    `LEFT_OUT`: it is not applied, and it is not in Django's graph for that database: a squash stands in its place, or
    it is a squash that cannot stand there because some of what it replaces is applied.
    """

    APPLIED = "applied"
    PENDING = "pending"
    LEFT_OUT = "left out"


class NodeKind(StrEnum):
    """What a drawing shows as one box.

    `REPLACED` is a migration that a squash on disk replaces; `OUTSIDE` one of an app that is not shown; `CHAIN`
    several in a row.
    """

    PLAIN = "plain"
    MERGE = "merge"
    SQUASH = "squash"
    REPLACED = "replaced"
    CHAIN = "chain"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class SquashRange:
    """Migrations of one app, in order, that can be squashed into one.

    `saves` is how many files fewer there would be; `stops` says what the range ends at, and why; `risks` what a person
    should look at before.
    """

    keys: tuple[Key, ...]
    saves: int
    stops: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """One migration. `parents` and `children` are direct, sorted, of all apps, and on disk.

    `replaces` are the keys that its file states, on disk or not; `replaced_by` the squashes on disk that name it.
    `range` is the place in `Graph.ranges` of the range that it is in. `states` is by alias.
    """

    key: Key
    path: str
    parents: tuple[Key, ...]
    children: tuple[Key, ...]
    replaces: tuple[Key, ...] = ()
    replaced_by: tuple[Key, ...] = ()
    merge: bool = False
    range: int | None = None
    states: Mapping[str, NodeState] = field(default_factory=dict)

    @property
    def kind(self) -> NodeKind:
        """SQUASH, REPLACED, MERGE or PLAIN, the first that is true."""
        if self.replaces:
            return NodeKind.SQUASH
        if self.replaced_by:
            return NodeKind.REPLACED
        return NodeKind.MERGE if self.merge else NodeKind.PLAIN


@dataclass(frozen=True)
class Graph:
    """The migrations of `apps` (sorted), app by app, each app's in an order in which they can be applied.

    `ranges` is None where nobody asked for them.
    """

    history: History
    apps: tuple[str, ...]
    nodes: Mapping[Key, Node]
    aliases: tuple[str, ...] = ()
    ranges: tuple[SquashRange, ...] | None = None

    @cached_property
    def by_app(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes of each app, in order."""
        return {app: tuple(self.nodes[Key(app, name)] for name in self.history.names(app)) for app in self.apps}

    def edges(self) -> Iterator[tuple[Key, Key]]:
        """(dependency, dependent), each once; at least one of them is in `nodes`."""
        for node in self.nodes.values():
            for parent in node.parents:
                yield parent, node.key
            for child in node.children:
                if child not in self.nodes:
                    yield node.key, child


def make_graph(
    history: History,
    apps: Sequence[str] = (),
    *,
    everything: bool = False,
    states: Mapping[str, LoaderState] | None = None,
    ranges: Sequence[SquashRange] | None = None,
) -> Graph:
    """The graph of `apps`; without any, of the project's own, or with `everything` of all that are installed.

    `states` has what each database's rows lead to, by alias. Raises UsageError for an app without migrations.
    """
    known = {key.app for key in history.migrations}
    for app in apps:
        if app not in known:
            raise _unknown(app, known, history)
    chosen = tuple(sorted(apps or known if apps or everything else known & history.first_party))
    replaced_by = _replaced_by(history)
    range_of = {key: place for place, found in enumerate(ranges or ()) for key in found.keys}
    nodes: dict[Key, Node] = {}
    for app in dict.fromkeys(chosen):
        for name in history.names(app):
            key = Key(app, name)
            migration = history.migrations[key]
            nodes[key] = Node(
                key,
                migration.path,
                history.parents(key),
                history.children(key),
                tuple(each for each in migration.replaces if each != key),
                replaced_by.get(key, ()),
                migration.is_merge,
                range_of.get(key),
                {alias: node_state(key, state) for alias, state in (states or {}).items()},
            )
    return Graph(
        history,
        tuple(dict.fromkeys(chosen)),
        nodes,
        tuple(states or ()),
        None if ranges is None else tuple(ranges),
    )


def node_state(key: Key, state: LoaderState) -> NodeState:
    """What the database of `state` makes of a migration on disk."""
    if key in state.applied:
        return NodeState.APPLIED
    return NodeState.PENDING if key in state.nodes else NodeState.LEFT_OUT


def _replaced_by(history: History) -> Mapping[Key, tuple[Key, ...]]:
    found: dict[Key, list[Key]] = {}
    for key, migration in history.migrations.items():
        for replaced in migration.replaces:
            if replaced != key and replaced in history.migrations:
                found.setdefault(replaced, []).append(key)
    return {key: tuple(sorted(squashes)) for key, squashes in found.items()}


def _unknown(app: str, known: set[str], history: History) -> UsageError:
    if app in history.apps:
        return UsageError(f"The app {app} has no migrations.", "", "Give another app, or none to show all of them.")
    there = sorted(known & history.first_party) or sorted(known)
    listed = f"Its apps with migrations: {text_list(there, 10)}." if there else "This project has no migrations."
    return UsageError(f"{app} is not an app of this project.", did_you_mean(app, known, listed))
