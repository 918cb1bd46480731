"""Many migrations as one graph, and what a person must know about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property

from migsync.findings import Finding
from migsync.findings import history as entries
from migsync.history.digraph import Digraph, topological_order
from migsync.history.edges import Edges, connect
from migsync.history.loader import LoaderState, load
from migsync.history.migration import App, Key, Migration
from migsync.words import similar


@dataclass(frozen=True)
class History:
    """The migrations on disk. Made by :func:`read_history` or :func:`build_history`.

    The graph is the one before any squash replaces anything; where a dependency names a file that is gone and a
    squash on disk replaces it, the edge leads to the squash. What a given database makes of it is :meth:`state`.
    """

    migrations: Mapping[Key, Migration]
    apps: Mapping[str, App]
    findings: tuple[Finding, ...]
    _edges: Edges = field(repr=False, compare=False)

    @cached_property
    def first_party(self) -> frozenset[str]:
        """The labels of the project's own apps, whose files may be changed."""
        return frozenset(label for label, app in self.apps.items() if app.first_party)

    @cached_property
    def synced(self) -> frozenset[str]:
        """The labels of the apps whose records may be changed: the project's own, and those that are rewritten."""
        return frozenset(label for label, app in self.apps.items() if app.first_party or app.rewritten)

    def with_rewritten(self, labels: Collection[str]) -> History:
        """The same, where rewrites speak of the installed apps `labels`."""
        changed = {
            label: replace(app, rewritten=True)
            for label, app in self.apps.items()
            if label in labels and not app.first_party
        }
        return replace(self, apps={**self.apps, **changed}) if changed else self

    @cached_property
    def unread(self) -> frozenset[str]:
        """The labels of other people's apps with a file that could not be read in full."""
        unread = {key.app for key, migration in self.migrations.items() if migration.unread}
        return frozenset(unread - self.first_party)

    @property
    def dangling(self) -> frozenset[Key]:
        """What dependencies name and no file is."""
        return frozenset(self._edges.dangling)

    @cached_property
    def order(self) -> tuple[Key, ...]:
        """All migrations, each after those it depends on, otherwise by key; what is in a cycle comes last."""
        ordered, rest = self._ordered
        return (*ordered, *rest)

    def names(self, app: str) -> tuple[str, ...]:
        """One app's names in the order of :attr:`order`; empty for an app that is not known."""
        return self._names.get(app, ())

    def parents(self, key: Key) -> tuple[Key, ...]:
        """What `key` depends on, sorted; raises KeyError for a migration that is not on disk."""
        return tuple(sorted(self._graph.parents[key]))

    def children(self, key: Key) -> tuple[Key, ...]:
        """What depends on `key`, sorted; raises KeyError for a migration that is not on disk."""
        return tuple(sorted(self._graph.children[key]))

    def ancestors(self, keys: Iterable[Key]) -> frozenset[Key]:
        """`keys` and all that they depend on, directly or not; keys that are not on disk are passed over."""
        found: set[Key] = set()
        todo = [key for key in keys if key in self._graph]
        while todo:
            key = todo.pop()
            if key not in found:
                found.add(key)
                todo.extend(self._graph.parents[key] - found)
        return frozenset(found)

    def leaves(self, app: str) -> tuple[Key, ...]:
        """The ends of one app's chain as ``makemigrations`` sees them: squashes stand for what they replace."""
        return tuple(key for key in self._fresh.leaves if key.app == app)

    def state(self, applied: AbstractSet[Key], *, nested: bool | None = None) -> LoaderState:
        """What Django's loader reaches when `applied` are the rows of a database.

        `nested`: whether squashes of squashes are resolved, as from Django 6.0 on; None: as the installed one does.
        """
        return load(self.migrations, self._edges, applied, nested=nested)

    @cached_property
    def _fresh(self) -> LoaderState:
        return self.state(frozenset())

    @cached_property
    def _graph(self) -> Digraph:
        return _without_dangling(self._edges, self.migrations) if self._edges.dangling else self._edges.graph

    @cached_property
    def cycle(self) -> tuple[Key, ...]:
        """The migrations of one cycle, each depending on the one before it; empty when there is none."""
        return self._edges.cycle if self._graph is self._edges.graph else self._graph.cycle()

    @cached_property
    def _ordered(self) -> tuple[list[Key], list[Key]]:
        return topological_order(self._graph.parents, self._graph.children)

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        names: dict[str, list[str]] = {}
        for key in self.order:
            names.setdefault(key.app, []).append(key.name)
        return {app: tuple(found) for app, found in names.items()}


def build_history(
    migrations: Iterable[Migration],
    apps: Iterable[App] = (),
    settings: Mapping[str, str] | None = None,
    *,
    complete: bool = True,
) -> History:
    """The history of these migrations; without `apps`, every label among them is taken for a first-party app.

    Unless `apps` are all that are installed (`complete`), dependencies on others are taken to be met.

    Their order is that in which Django would have loaded them; it decides only what Django leaves to chance.
    """
    by_key = {migration.key: migration for migration in migrations}
    by_label = {app.label: app for app in apps}
    for key in by_key:
        if key.app not in by_label:
            by_label[key.app] = App(key.app, "")
    edges = connect(by_key, by_label, settings or {}, complete=complete)
    # Made twice where there are findings, since looking for them needs the graph.
    history = History(by_key, by_label, (), edges)
    findings = (*_unreadable(history), *_dangling(history, edges), *_unresolved(history, edges), *_cycles(history))
    return History(by_key, by_label, findings, edges) if findings else history


def relabelled(history: History, now: str, then: str, settings: Mapping[str, str], *, complete: bool) -> History:
    """`history` with the app `now` called `then`, and whatever names it; `settings` that name a model follow.

    Files that name the app by either label already, since some were changed by hand, come out alike.
    """

    def key(found: Key) -> Key:
        return Key(then, found.name) if found.app == now else found

    def changed(migration: Migration) -> Migration:
        named = (migration.key, *migration.dependencies, *migration.run_before, *migration.replaces)
        if not any(each.app == now for each in named):
            return migration
        return migration.changed(
            key=key(migration.key),
            dependencies=tuple(map(key, migration.dependencies)),
            run_before=tuple(map(key, migration.run_before)),
            replaces=tuple(map(key, migration.replaces)),
        )

    apps = [replace(app, label=then if app.label == now else app.label) for app in history.apps.values()]
    models = {
        name: f"{then}.{model.partition('.')[2]}" if model.partition(".")[0] == now else model
        for name, model in settings.items()
    }
    return build_history(map(changed, history.migrations.values()), apps, models, complete=complete)


def _without_dangling(edges: Edges, migrations: Mapping[Key, Migration]) -> Digraph:
    graph = edges.graph.copy()
    squashes: dict[Key, list[Key]] = {}
    for key, migration in migrations.items():
        for replaced in migration.replaces:
            squashes.setdefault(replaced, []).append(key)
    for missing in edges.dangling:
        # What is missing may have been squashed and its file removed. Then the squash takes over its edges, as it does
        # in Django's graph.
        parents, children = graph.parents.pop(missing), graph.children.pop(missing)
        for child in children:
            graph.parents[child].discard(missing)
        for parent in parents:
            graph.children[parent].discard(missing)
        for squash in squashes.get(missing, ()):
            for child in children - {squash}:
                graph.connect(child, squash)
            for parent in parents - {squash}:
                graph.connect(squash, parent)
    return graph


def _is_own(history: History, key: Key) -> bool:
    return history.apps[key.app].first_party


def _unreadable(history: History) -> Iterator[Finding]:
    for key, migration in history.migrations.items():
        own = _is_own(history, key)
        for line, what, _, settled in migration.problems:
            if not settled:
                yield entries.unreadable_migration(migration=key, file=migration.path, line=line, reason=what, own=own)


def _dangling(history: History, edges: Edges) -> Iterator[Finding]:
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    for missing, (origin, _) in edges.dangling.items():
        # Where a squash replaces it, Django misses it in some databases and not in others: see `LoaderState.error`.
        if missing not in replaced:
            names = [key.name for key in history.migrations if key.app == missing.app]
            yield entries.dangling_dependency(
                migration=origin,
                other=missing,
                file=history.migrations[origin].path,
                own=_is_own(history, origin),
                installed=missing.app in history.apps,
                near=similar(missing.name, names),
                apps=[] if missing.app in history.apps else similar(missing.app, history.apps),
                last=max(names, default=""),
            )


def _unresolved(history: History, edges: Edges) -> Iterator[Finding]:
    for origin, reason in edges.unresolved:
        file, own = history.migrations[origin].path, _is_own(history, origin)
        yield entries.unresolved_dependency(migration=origin, file=file, own=own, reason=reason)
    for origin, setting in edges.open_settings:
        file, own = history.migrations[origin].path, _is_own(history, origin)
        yield entries.unknown_setting(migration=origin, file=file, own=own, setting=setting)


def _cycles(history: History) -> Iterator[Finding]:
    if history.cycle:
        first = history.cycle[0]
        yield entries.cycle(migration=first, migrations=history.cycle, file=history.migrations[first].path)
