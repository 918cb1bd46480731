"""The migrations that are made anew, as Django loads them: part of the worker's half."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from migsync.worker.examination import forwards
from migsync.worker.remake.unseen import Node, Unseen, has_schema, unseen

LOOSE = ("__first__", "__latest__")


@dataclass(frozen=True)
class Old:
    """What a new database would run, in order, and what `apps`, which are made anew, do in it."""

    loader: Any
    apps: AbstractSet[str]
    dropped: AbstractSet[Node]

    @cached_property
    def order(self) -> list[Node]:
        """All migrations that a new database would run; squashes stand for what they replace."""
        return forwards(self.loader.graph, self.loader.graph.leaf_nodes())

    @cached_property
    def own(self) -> list[Node]:
        """Those of the apps that are made anew."""
        return [node for node in self.order if node[0] in self.apps]

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

    def run(self) -> tuple[Any, list[Unseen]]:
        """The state after all of them, and whatever the models of the apps do not show, in order."""
        from django.db.migrations.state import ProjectState

        state, found = ProjectState(real_apps=self.loader.unmigrated_apps), list[Unseen]()
        for node in self.order:
            if node[0] in self.apps:
                found += unseen(node, self.migration(node), state, dropped=node in self.dropped)
            else:
                self.migration(node).mutate_state(state, preserve=False)
        return state, found

    @cached_property
    def schema(self) -> frozenset[Node]:
        """Those of the apps that change the state."""
        return frozenset(node for node in self.own if has_schema(self.migration(node)))

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
        """Whether another one of the named is after it, so that it need not be named."""
        app, name = key
        others = [other for other in named if other[0] == app and other != key]
        if name in LOOSE:
            return name == "__first__" and bool(others)
        return (app, "__latest__") in others or any(
            self._standing(key) in self.above(self._standing(other)) for other in others
        )

    def _standing(self, key: Node) -> Node:
        """The migration that a key means: a squash for what it replaced."""
        if key in self.loader.graph.node_map:
            return key
        return next((squash for squash, it in self.loader.replacements.items() if key in it.replaces), key)

    def runs_before(self, nodes: Iterable[Node]) -> list[Node]:
        """What comes after these migrations by their own word, in apps that are not made anew."""
        named = (key for node in nodes for key in self.migration(node).run_before)
        return sorted({(key[0], key[1]) for key in named if key[0] not in self.apps})

    def creator(self, app: str, model: str) -> Node:
        """The migration after which an app that is not made anew has a model."""
        nodes = [node for node in self.order if node[0] == app]
        makers = [node for node in nodes if model.lower() in _made(self.migration(node).operations)]
        return makers[-1] if makers else (app, "__first__")


def _made(operations: Collection[Any]) -> Iterator[str]:
    """The names, in lower case, of the models that operations make."""
    for operation in operations:
        kind = type(operation).__name__
        if kind == "CreateModel":
            yield operation.name_lower
        elif kind == "RenameModel":
            yield operation.new_name_lower
        yield from _made(getattr(operation, "state_operations", ()))
