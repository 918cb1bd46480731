"""Which migration a dependency means: Django's rules for ``__first__``, ``__latest__``, ``run_before`` and settings.

The rules are those of ``MigrationLoader.add_internal_dependencies``, ``add_external_dependencies`` and ``check_key``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from migsync.history.digraph import Digraph
from migsync.history.migration import FIRST, LATEST, SETTING, App, Key, Migration


@dataclass
class Edges:
    """The graph of all dependencies before any squash replaces anything.

    `dangling` maps a key that is in no file to the migration that names it first, and to Django's word for what it is
    to that one: parent, or child (``run_before``). `unresolved` are dependencies that mean no migration at all, each
    with Django's words for it: it stops with the first. `open_settings` are those on a setting whose value nobody
    gave; Django may well know it.
    """

    graph: Digraph
    dangling: dict[Key, tuple[Key, str]] = field(default_factory=dict)
    unresolved: list[tuple[Key, str]] = field(default_factory=list)
    open_settings: list[tuple[Key, str]] = field(default_factory=list)

    @cached_property
    def cycle(self) -> tuple[Key, ...]:
        """One cycle, as :meth:`Digraph.cycle` tells it. Asked for only when all edges are there."""
        return self.graph.cycle()


def connect(
    migrations: Mapping[Key, Migration], apps: Mapping[str, App], settings: Mapping[str, str], *, complete: bool = True
) -> Edges:
    """The edges between these migrations, in Django's order: first those inside of apps, then all others.

    Unless `apps` is `complete`, what leads to an app that is not among them is left out: it may well be installed.
    """
    edges = Edges(Digraph(migrations))
    graph = edges.graph
    # `__first__` of an app is looked up among its roots, which are known once the edges inside of it are there.
    beyond = _connect_inside(edges, migrations)
    resolver = _Resolver(edges, apps, settings, complete)
    for key, migration in beyond.items():
        for parent in migration.dependencies:
            if parent[0] != key[0] and (found := resolver.resolve(parent, key)) is not None:
                if found not in graph:
                    resolver.add(found, key, "parent")
                graph.connect(key, found)
        for child in migration.run_before:
            if (found := resolver.resolve(child, key)) is not None:
                if found not in graph:
                    resolver.add(found, key, "child")
                graph.connect(found, key)
    return edges


def _connect_inside(edges: Edges, migrations: Mapping[Key, Migration]) -> dict[Key, Migration]:
    """The edges inside of apps; the answer is the migrations that have others. Nearly all are made here, call-free."""
    parents, children = edges.graph.parents, edges.graph.children
    beyond: dict[Key, Migration] = {}
    for key, migration in migrations.items():
        for parent in migration.dependencies:
            if parent[0] != key[0]:
                beyond[key] = migration
            # Django ignores `__first__` of a migration's own app (ticket 22325).
            elif parent[1] != FIRST:
                if parent not in parents:
                    _add_dangling(edges, parent, key, "parent")
                parents[key].add(parent)
                children[parent].add(key)
        if migration.run_before:
            beyond[key] = migration
    return beyond


def _add_dangling(edges: Edges, missing: Key, origin: Key, role: str) -> None:
    edges.graph.add(missing)
    edges.dangling[missing] = (origin, role)


class _Resolver:
    def __init__(self, edges: Edges, apps: Mapping[str, App], settings: Mapping[str, str], complete: bool) -> None:
        self.edges = edges
        self.apps = apps
        self.settings = settings
        self.complete = complete
        self._keys: dict[str, list[Key]] | None = None

    def add(self, missing: Key, origin: Key, role: str) -> None:
        _add_dangling(self.edges, missing, origin, role)
        if self._keys is not None:
            self._keys.setdefault(missing.app, []).append(missing)

    def resolve(self, key: Key, current: Key) -> Key | None:
        """The migration that `key` means in the file of `current`; None for none."""
        if key.app == SETTING:
            model = self.settings.get(key.name, "auth.User" if key.name == "AUTH_USER_MODEL" else "")
            if not model and not self.complete:
                return None
            if not model:
                self.edges.open_settings.append((current, key.name))
                return None
            # A swappable dependency means the first migration of the app that has the model.
            key = Key(model.split(".", 1)[0], FIRST)
            if key.app == current.app:
                return None
        if not self.complete and key.app not in self.apps:
            return None
        if key.name not in (FIRST, LATEST) or key in self.edges.graph:
            return key
        if key.app == current.app:
            return None
        if key.app not in self.apps:
            self.edges.unresolved.append((current, f"Dependency on unknown app: {key.app}"))
            return None
        # Django ignores a dependency on an app that has no migrations.
        if self.apps[key.app].directory is None:
            return None
        graph, keys = self.edges.graph, self._in_app(key.app)
        found = graph.roots(keys) if key.name == FIRST else graph.leaves(keys)
        if not found:
            self.edges.unresolved.append((current, f"Dependency on app with no migrations: {key.app}"))
            return None
        # Of several roots or leaves Django takes the least name.
        return found[0]

    def _in_app(self, app: str) -> Iterable[Key]:
        if self._keys is None:
            self._keys = {}
            for key in self.edges.graph:
                self._keys.setdefault(key.app, []).append(key)
        return self._keys.get(app, ())
