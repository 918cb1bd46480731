"""The old migrations of a remake as a graph, and how they are shared out among the new files.

:class:`OldGraph` is what Django loads. The two functions of it that decide something are pure:

- :func:`grouped`: into which further files the carried operations go, so that they run in the order that they had;
- :class:`ReplacesPartition`: which old migrations each new one replaces, so that Django finds an order for them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from migsync.worker.loader import forwards
from migsync.worker.progress import counted
from migsync.worker.remake.operations import Node, SpecialOperation, changes_schema, special_operations

T = TypeVar("T")

FileKey = tuple[str, int]
"""A new file: (app, number of the file in it, from 0 on)."""

LOOSE = ("__first__", "__latest__")
"""What a dependency may have in place of a migration's name."""
# Behind a new file, and before the next one: there is the place of an old migration that stays (ReplacesPartition).
BETWEEN = 0.5


@dataclass(frozen=True)
class OldGraph:
    """What a new database would run by the old files, and what `apps`, which are made anew, do in it.

    `loader` is Django's, with its graph; `dropped` are the migrations whose special operations may go.
    """

    loader: Any
    apps: AbstractSet[str]
    dropped: AbstractSet[Node]

    @cached_property
    def order(self) -> list[Node]:
        """All migrations in an order in which they can run; squashes stand for what they replace."""
        return forwards(self.loader.graph, self.loader.graph.leaf_nodes())

    @cached_property
    def own(self) -> list[Node]:
        """Those of the apps that are made anew."""
        return [node for node in self.order if node[0] in self.apps]

    @cached_property
    def schema(self) -> frozenset[Node]:
        """Those of them that change models by Django's own operations."""
        return frozenset(node for node in self.own if changes_schema(self.migration(node)))

    def migration(self, node: Node) -> Any:  # noqa: ANN401
        """One of them, as Django's instance."""
        return self.loader.graph.nodes[node]

    def above(self, node: Node) -> frozenset[Node]:
        """All that a migration depends on, directly or not; nothing for one that is in no file."""
        nodes, found = self.loader.graph.node_map, set[Node]()
        todo = [nodes[node]] if node in nodes else []
        while todo:
            new = [parent for parent in todo.pop().parents if parent.key not in found]
            found.update(parent.key for parent in new)
            todo += new
        return frozenset(found)

    def run(self) -> tuple[Any, list[SpecialOperation]]:
        """The state after all of them, and the special operations of the apps that are made anew, in order."""
        from django.db.migrations.state import ProjectState

        state, found = ProjectState(real_apps=self.loader.unmigrated_apps), list[SpecialOperation]()
        for node in counted("state", self.order):
            if node[0] in self.apps:
                found += special_operations(node, self.migration(node), state, dropped=node in self.dropped)
            else:
                self.migration(node).mutate_state(state, preserve=False)
        return state, found

    def outside(self, nodes: Iterable[Node]) -> list[Node]:
        """What these migrations depend on in apps that are not made anew: the furthest of each."""
        named = {
            (dependency[0], dependency[1]): None
            for node in nodes
            for dependency in self.migration(node).dependencies
            if dependency[0] not in self.apps and not hasattr(dependency, "setting")
        }
        return sorted(key for key in named if not self._is_behind(key, named))

    def _is_behind(self, key: Node, named: Iterable[Node]) -> bool:
        """Whether another one of the named depends on it, so that it need not be named."""
        app, name = key
        others = [other for other in named if other[0] == app and other != key]
        # __first__ is behind any name of the app, and any name is behind __latest__; neither is a node of the graph.
        if name in LOOSE:
            return name == "__first__" and bool(others)
        return (app, "__latest__") in others or any(
            self._loaded(key) in self.above(self._loaded(other)) for other in others
        )

    def _loaded(self, key: Node) -> Node:
        """The migration in the graph that a key means: a squash for what it replaced."""
        if key in self.loader.graph.node_map:
            return key
        return next((squash for squash, it in self.loader.replacements.items() if key in it.replaces), key)

    def runs_before(self, nodes: Iterable[Node]) -> list[Node]:
        """The ``run_before`` of these migrations, as far as it is in apps that are not made anew."""
        named = (key for node in nodes for key in self.migration(node).run_before)
        return sorted({(key[0], key[1]) for key in named if key[0] not in self.apps})

    def creator(self, app: str, model: str) -> Node:
        """The migration after which an app that is not made anew has a model."""
        nodes = [node for node in self.order if node[0] == app]
        creators = [node for node in nodes if model.lower() in _created(self.migration(node).operations)]
        # The last one, since a model of that name can have been deleted and created again.
        return creators[-1] if creators else (app, "__first__")


def _created(operations: Collection[Any]) -> Iterator[str]:
    """The names, in lower case, of the models that operations create, or rename to."""
    for operation in operations:
        kind = type(operation).__name__
        if kind == "CreateModel":
            yield operation.name_lower
        elif kind == "RenameModel":
            yield operation.new_name_lower
        yield from _created(getattr(operation, "state_operations", ()))


@dataclass(frozen=True)
class Group:
    """The migrations whose operations go into one further file of `app`, in order.

    `after` are the numbers of the groups that it comes after.
    """

    app: str
    origins: tuple[Node, ...]
    after: tuple[int, ...]


@dataclass
class _OpenGroup:
    app: str
    apart: bool
    origins: list[Node]
    after: set[int]


def grouped(origins: Sequence[Node], above: Mapping[Node, AbstractSet[Node]], apart: AbstractSet[Node]) -> list[Group]:
    """As few groups as keep the order of `origins`, which is one in which they can be applied.

    `above` are all ancestors of each, `apart` those that do not run in a transaction: they share no file with others.
    An app has a second group where something of another app comes in between: shop.0002, then blog.0002 which depends
    on it, then shop.0003 which depends on blog.0002, make three groups. Without blog, both of shop would share one.
    """
    found: list[_OpenGroup] = []
    number_of: dict[Node, int] = {}
    last: dict[str, int] = {}
    for origin in origins:
        app = origin[0]
        after = {number_of[up] for up in above[origin] if up in number_of}
        number = last.get(app)
        # Its app's last group will do, unless what this one needs comes after that group: then there would be a circle.
        needed = after - {number}
        if (
            number is None
            or found[number].apart != (origin in apart)
            or leads_to(needed, number, lambda one: found[one].after)
        ):
            found.append(_OpenGroup(app, origin in apart, [], set() if number is None else {number}))
            number = last[app] = len(found) - 1
        found[number].origins.append(origin)
        found[number].after |= after - {number}
        number_of[origin] = number
    return [Group(group.app, tuple(group.origins), tuple(sorted(group.after))) for group in found]


def leads_to(starts: Iterable[T], goal: T, after: Callable[[T], Iterable[T]]) -> bool:
    """Whether one of `starts` is `goal`, or comes after it, directly or not; `after` has what one comes after."""
    todo, seen = list(starts), set[T]()
    while todo:
        one = todo.pop()
        if one == goal:
            return True
        if one not in seen:
            seen.add(one)
            todo += after(one)
    return False


class CannotReplace(Exception):
    """The old migrations of `app` cannot be shared out among its new ones."""

    def __init__(self, app: str) -> None:
        super().__init__(app)
        self.app = app


@dataclass(frozen=True)
class ReplacesPartition:
    """The old graph (`order`, each after its `parents`) and the new `files` in an order in which they can run.

    `outside` says of a file what it depends on that is not made anew. Where Django takes a new migration for what it
    replaces, it gives it all that these depended on and were needed by. So every old one must be replaced by a file
    whose place in the order is not before those of its parents.

    An example: the old order is shop.0001, blog.0001, shop.0002, each depending on the one before, and the files are
    shop/0, blog/0, shop/1. If shop/0 replaced shop.0002 too, it would have to run after blog/0, which runs after it.
    """

    order: Sequence[Node]
    parents: Mapping[Node, Sequence[Node]]
    files: Sequence[FileKey]
    outside: Mapping[FileKey, Sequence[Node]] = field(default_factory=dict)

    def replaced(self) -> dict[FileKey, list[Node]]:
        """What each file replaces: nearly everything the first of an app, as little as can be the others.

        Raises CannotReplace where that makes a circle.
        """
        chosen: dict[Node, FileKey] = {}
        for app in self._files_of:
            chosen |= self._chosen(app)
        self._check(chosen)
        return {key: [node for node in self.order if chosen.get(node) == key] for key in self.files}

    @cached_property
    def _files_of(self) -> Mapping[str, list[FileKey]]:
        found: dict[str, list[FileKey]] = {}
        for key in self.files:
            found.setdefault(key[0], []).append(key)
        return found

    @cached_property
    def _earliest(self) -> Mapping[Node, float]:
        """How far down the order of files each old migration is at least: the number of the first file that fits."""
        found: dict[Node, float] = {}
        for node in counted("state", self.order):
            least = max((found[parent] for parent in self.parents[node]), default=-1.0)
            if node[0] not in self._files_of:
                # It stays: between the files of what it depends on and of what depends on it.
                found[node] = math.floor(least) + BETWEEN
                continue
            fits = [number for number in map(self.files.index, self._files_of[node[0]]) if number >= least]
            if not fits:
                raise CannotReplace(node[0])
            found[node] = fits[0]
        return found

    def _chosen(self, app: str) -> dict[Node, FileKey]:
        """A file for each migration of the app: the earliest, but no file may be left without any."""
        keys = self._files_of[app]
        chosen = {node: self.files[int(self._earliest[node])] for node in self.order if node[0] == app}
        free = [key for key in keys if key not in chosen.values()]
        if len(chosen) < len(keys):
            raise CannotReplace(app)
        # The last migrations go to the last files that are still without any: later is never wrong for their parents.
        last = list(chosen)
        while free:
            node, key = last.pop(), free.pop()
            later = [other for other in free if other > key]
            # Moved to an earlier file, the migration would come before its parents. Moved out of a file that replaces
            # nothing else, it would leave that file without any.
            if chosen[node] > key or later or list(chosen.values()).count(chosen[node]) == 1:
                raise CannotReplace(app)
            chosen[node] = key
        return chosen

    def _check(self, chosen: Mapping[Node, FileKey]) -> None:
        """Raises CannotReplace where a migration would come before one of its parents, or a file before its own."""
        found: dict[Node, float] = {}
        for node in counted("state", self.order):
            least = max((found[parent] for parent in self.parents[node]), default=-1.0)
            found[node] = self.files.index(chosen[node]) if node in chosen else math.floor(least) + BETWEEN
            if node in chosen and found[node] < least:
                raise CannotReplace(node[0])
        for file, nodes in self.outside.items():
            if any(found.get(node, -1) > self.files.index(file) for node in nodes):
                raise CannotReplace(file[0])
