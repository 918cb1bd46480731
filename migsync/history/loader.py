"""What Django's ``MigrationLoader`` and ``migrate`` make of the files, given the rows of one database.

The steps follow ``MigrationLoader.build_graph``, ``check_consistent_history`` and ``MigrationExecutor.migration_plan``
of Django 5.2, and of 6.0 where squashes replace squashes. ``tests/history`` compares them with Django's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache, cached_property

from migsync.findings import Finding
from migsync.findings.history import partial_squash, squash_not_applied
from migsync.history.digraph import Digraph
from migsync.history.edges import Edges
from migsync.history.migration import Key, Migration


@dataclass(frozen=True)
class LoaderState:
    """The state that Django's loader reaches.

    `recorded` are the rows as given, `applied` those that count as applied once squashes are judged: names that are
    on disk or not. `error` is what Django stops with, as the last line of its traceback would say, or empty; then
    nothing is pending.
    """

    recorded: frozenset[Key]
    applied: frozenset[Key]
    error: str
    findings: tuple[Finding, ...]
    _graph: Digraph = field(repr=False, compare=False)
    _replaces: Mapping[Key, Sequence[Key]] = field(repr=False, compare=False)
    _nested: bool = field(repr=False, compare=False)

    @cached_property
    def nodes(self) -> frozenset[Key]:
        """The migrations in the graph; of a squash and what it replaces, one or the other."""
        return frozenset(self._graph)

    @cached_property
    def parents(self) -> Mapping[Key, tuple[Key, ...]]:
        """The dependencies of each node, sorted."""
        return {key: tuple(sorted(parents)) for key, parents in self._graph.parents.items()}

    @cached_property
    def leaves(self) -> tuple[Key, ...]:
        """What ``migrate`` runs up to; several in one app are a conflict that it refuses."""
        return tuple(self._graph.leaves(self._graph))

    @cached_property
    def pending(self) -> tuple[Key, ...]:
        """What ``migrate`` would run, in its order."""
        if self.error or self.applied >= self.nodes:
            return ()
        return tuple(_plan(self._graph, self.leaves, self.applied))

    @cached_property
    def inconsistent(self) -> tuple[tuple[Key, Key], ...]:
        """(recorded migration, its dependency that is not): ``migrate`` refuses with InconsistentMigrationHistory."""
        if self.error or self.recorded >= self.nodes:
            return ()
        return tuple(
            (key, parent)
            for key in sorted(self.recorded & self.nodes)
            for parent in sorted(self._graph.parents[key] - self.recorded)
            # A squash without a row of its own is no gap, where all that it replaces ran.
            if not _all_replaced(parent, self._replaces, self.recorded, nested=self._nested)
        )


def load(
    migrations: Mapping[Key, Migration], edges: Edges, recorded: AbstractSet[Key], *, nested: bool | None = None
) -> LoaderState:
    """The state for the rows `recorded`. `nested`: as Django 6.0 judges squashes of squashes; None: as installed."""
    replaces = {key: migration.replaces for key, migration in migrations.items() if migration.replaces}
    if nested is None:
        nested = any(key in replaces for keys in replaces.values() for key in keys) and resolves_nested()
    # Only squashes change the graph. Most projects have none, and share one graph between all states.
    squashes = _Squashes(replaces, edges.graph.copy() if replaces else edges.graph, set(recorded), nested)
    error = (
        # Django meets these while it adds the edges, before it judges any squash.
        f"ValueError: {edges.unresolved[0][1]}" if edges.unresolved else squashes.judge() or _unsound(edges, squashes)
    )
    return LoaderState(
        frozenset(recorded),
        frozenset(squashes.applied),
        error,
        tuple(_findings(squashes, migrations)),
        squashes.graph,
        replaces,
        nested,
    )


@cache
def resolves_nested() -> bool:
    """Whether the installed Django, or the next one where none is, resolves squashes of squashes."""
    from importlib import metadata  # a quarter of this package's time to import, and rarely needed

    try:
        return int(metadata.version("django").split(".")[0]) >= 6
    except (metadata.PackageNotFoundError, ValueError):
        return True


class _Squashes:
    """Decides for each squash whether it stands in the graph, or what it replaces."""

    def __init__(self, replaces: Mapping[Key, Sequence[Key]], graph: Digraph, applied: set[Key], nested: bool) -> None:
        self.replaces = replaces
        self.graph = graph
        self.applied = applied
        self.nested = nested
        self.dropped: list[tuple[Key, Sequence[Key], Sequence[Key]]] = []
        self.forgotten: list[Key] = []

    def judge(self) -> str:
        """Carry out all replacements; the answer is Django's error, or empty."""
        order: Iterable[Key] = self.replaces
        if self.nested:
            # An inner squash has to be judged before an outer one can count it.
            order, loop = _inner_first(self.replaces)
            if loop is not None:
                return f"CommandError: Cyclical squash replacement found, starting at {tuple(loop)}"
        for squash in order:
            if squash not in self.graph or squash in self.replaces[squash]:
                what = "It was either never added to the migration graph, or has been removed."
                return f"NodeNotFoundError: Unable to find replacement node {tuple(squash)!r}. {what}"
            self._judge(squash)
        return ""

    def _judge(self, squash: Key) -> None:
        replaced = self.replaces[squash]
        counted = _resolved(squash, self.replaces) if self.nested else replaced
        found = [key in self.applied for key in counted]
        if all(found):
            self.applied.add(squash)
        elif squash in self.applied:
            # While its file has `replaces`, Django believes the rows of what it replaces, and not its own.
            self.applied.discard(squash)
            if not any(found):
                self.forgotten.append(squash)
        if all(found) or not any(found):
            self.graph.put_in(squash, replaced)
        else:
            # Partly applied: the squash cannot run, for some of it ran already, so Django keeps what it replaces.
            self.graph.take_out(squash, replaced)
            there = [key for key, is_applied in zip(counted, found, strict=True) if is_applied]
            self.dropped.append((squash, there, [key for key in counted if key not in there]))


def _inner_first(replaces: Mapping[Key, Sequence[Key]]) -> tuple[list[Key], Key | None]:
    """All squashes, each after the squashes that it replaces; and one that replaces itself by a detour, if any."""
    order: list[Key] = []
    # False while the squashes inside of a key are on their way: to meet it again then is a circle.
    done: dict[Key, bool] = {}
    for start in replaces:
        todo = [(start, False)]
        while todo:
            key, inner_done = todo.pop()
            if inner_done:
                done[key] = True
                order.append(key)
            elif key not in done:
                done[key] = False
                todo.append((key, True))
                for inner in reversed(replaces[key]):
                    if done.get(inner) is False:
                        return order, inner
                    if inner in replaces:
                        todo.append((inner, False))
    return order, None


def _resolved(squash: Key, replaces: Mapping[Key, Sequence[Key]]) -> list[Key]:
    """What a squash replaces in the end, where squashes among its `replaces` stand for what they replace."""
    found: dict[Key, None] = {}
    todo = list(replaces[squash])
    seen = set(todo)
    while todo:
        key = todo.pop()
        if key in replaces:
            todo.extend(inner for inner in replaces[key] if inner not in seen)
            seen.update(replaces[key])
        else:
            found[key] = None
    return sorted(found)


def _all_replaced(key: Key, replaces: Mapping[Key, Sequence[Key]], recorded: AbstractSet[Key], *, nested: bool) -> bool:
    """Whether `key` is a squash and everything that it replaces is recorded."""
    if key not in replaces:
        return False
    todo = list(replaces[key])
    seen = set(todo)
    while todo:
        replaced = todo.pop()
        if replaced in recorded:
            continue
        # Up to Django 5.2 an inner squash counts by its own row alone.
        if not nested or replaced not in replaces:
            return False
        todo.extend(inner for inner in replaces[replaced] if inner not in seen)
        seen.update(replaces[replaced])
    return True


def _unsound(edges: Edges, squashes: _Squashes) -> str:
    """Django's error for a graph with an edge to nowhere, or with a cycle."""
    graph = squashes.graph
    for missing, (origin, role) in edges.dangling.items():
        # A squash that was put in has replaced the missing ones too; then nothing is wrong.
        if missing in graph:
            text = f"Migration {origin} dependencies reference nonexistent {role} node {tuple(missing)!r}"
            tried = sorted(squash for squash, replaced in squashes.replaces.items() if missing in replaced)
            if tried and not any(squash in graph for squash in tried):
                text = (
                    f"Migration {origin} depends on nonexistent node {tuple(missing)!r}. Django tried to replace "
                    f"migration {missing} with any of [{', '.join(map(str, tried))}] but wasn't able to because some "
                    "of the replaced migrations are already applied."
                )
            return f"NodeNotFoundError: {text}"
    cycle = edges.cycle if graph is edges.graph else graph.cycle()
    return f"CircularDependencyError: {', '.join(map(str, cycle))}" if cycle else ""


def _plan(graph: Digraph, leaves: Iterable[Key], applied: AbstractSet[Key]) -> Iterator[Key]:
    """``MigrationGraph.iterative_dfs`` from each leaf that is not applied, without going twice where one has been."""
    visited: set[Key] = set()
    for leaf in leaves:
        # To Django an applied target means to go back to it, which for a leaf is nothing to do. So what an applied leaf
        # depends on does not run for its sake.
        todo = [] if leaf in applied else [(leaf, False)]
        while todo:
            key, parents_done = todo.pop()
            if key in visited:
                continue
            if parents_done:
                visited.add(key)
                if key not in applied:
                    yield key
            else:
                todo.append((key, True))
                todo.extend((parent, False) for parent in sorted(graph.parents[key]))


def _findings(squashes: _Squashes, migrations: Mapping[Key, Migration]) -> Iterator[Finding]:
    for squash, applied, missing in squashes.dropped:
        lost = [key for key in missing if key not in migrations]
        if lost:
            yield partial_squash(migration=squash, applied=applied, lost=lost, file=migrations[squash].path)
    for squash in squashes.forgotten:
        yield squash_not_applied(migration=squash, file=migrations[squash].path)
