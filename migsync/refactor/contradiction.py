"""Dependencies that databases contradict: a migration is applied somewhere without one that it depends on.

Django refuses to start there (InconsistentMigrationHistory). Where the two do not need each other, the dependency can
give way to what it led to besides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from migsync.findings import Finding
from migsync.findings.order import needed_dependency
from migsync.history import FIRST, LATEST, History, Key, Migration, build_history
from migsync.history.edge_statement import edge_statement
from migsync.refactor.need import find_need, read_source

Pair = tuple[Key, Key]
"""A migration, and one that it depends on, directly or not."""


@dataclass(frozen=True)
class Contradictions:
    """All pairs that databases contradict, each with the alias of one of these databases.

    `applied` are the migrations that count as applied, by alias. Without such a pair nothing here costs anything.
    """

    history: History
    applied: Mapping[str, AbstractSet[Key]]
    source: Callable[[Migration], bytes] = field(default=read_source, compare=False)

    @cached_property
    def pairs(self) -> Mapping[Pair, str]:
        """The pairs. A squash stands for what it replaces only in a database, so files with such a pair stay as is."""
        there = {alias: rows & self.history.migrations.keys() for alias, rows in self.applied.items()}
        early = {alias: rows for alias, rows in there.items() if self.history.ancestors(rows) - rows}
        return {
            (child, parent): alias
            for alias, rows in early.items()
            for child in self._behind(self.history.ancestors(rows) - rows)
            if child in rows
            for parent in sorted(self.history.ancestors([child]) - rows)
        }

    def _behind(self, keys: AbstractSet[Key]) -> list[Key]:
        """What comes after one of `keys`, in order: in a long history the few that are worth a closer look."""
        found: dict[Key, None] = {}
        for key in self.history.order:
            if any(parent in keys or parent in found for parent in self.history.parents(key)):
                found[key] = None
        return list(found)

    @cached_property
    def loosened(self) -> History:
        """The history without these pairs: every other migration still comes after all that it came after.

        Dependencies are resolved: each is the key of a migration, and none is stated in a ``run_before``.
        """
        changed = [
            migration.changed(dependencies=self.changed.get(key, self.history.parents(key)), run_before=())
            for key, migration in self.history.migrations.items()
        ]
        return build_history(changed, self.history.apps.values(), complete=False)

    def parents(self, key: Key) -> tuple[Key, ...]:
        """What `key` depends on once the pairs are gone, directly."""
        kept = self._kept(key)
        parents = [parent for parent in self.history.parents(key) if parent in kept]
        rest = kept.difference(*({parent, *self._kept(parent)} for parent in parents))
        # What is above another one of them need not be named.
        above = {up for parent in rest for up in self._kept(parent)}
        return (*parents, *sorted(rest - above))

    def _kept(self, key: Key) -> frozenset[Key]:
        if key not in self._kept_by:
            ancestors = self.history.ancestors([key]) - {key}
            self._kept_by[key] = frozenset(up for up in ancestors if (key, up) not in self.pairs)
        return self._kept_by[key]

    @cached_property
    def _kept_by(self) -> dict[Key, frozenset[Key]]:
        return {}

    @cached_property
    def changed(self) -> Mapping[Key, tuple[Key, ...]]:
        """The migrations that depend on something else once the pairs are gone, with that."""
        found = {key: self.parents(key) for key in self._behind({parent for _, parent in self.pairs})}
        return {key: parents for key, parents in found.items() if set(parents) != set(self.history.parents(key))}

    def refusals(self) -> Iterator[Finding]:
        """An error for each pair that cannot be taken apart: one needs the other."""
        migrations = self.history.migrations
        for (child, parent), alias in self.pairs.items():
            need = find_need(migrations[child], migrations[parent], self.source)
            if need is not None:
                user = self.history.migrations[need.user]
                kind = user.contents.operations[need.number - 1].kind if need.number else ""
                yield needed_dependency(
                    migration=child,
                    other=parent,
                    alias=alias,
                    user=need.user,
                    operation=need.number,
                    kind=kind,
                    maker=need.maker,
                    part=f"{need.maker.app}.{need.part}" if need.part else "",
                    unnamed=[f"{need.maker.app}.{part}" for part in need.unnamed],
                )

    @cached_property
    def dropped(self) -> Mapping[Key, frozenset[Key]]:
        """For each migration the dependencies on other apps, as its file names them, that go."""
        found = {key: self._dropped(key, gone) for key, gone in self._gone.items()}
        return {key: names for key, names in found.items() if names}

    def _dropped(self, key: Key, gone: AbstractSet[Key]) -> frozenset[Key]:
        stated = (edge_statement(self.history, key, up) for up in gone if up.app != key.app)
        return frozenset(each.named for each in stated if each and not each.run_before)

    @cached_property
    def _gone(self) -> Mapping[Key, AbstractSet[Key]]:
        """The dependencies that go, by migration."""
        return {key: set(self.history.parents(key)) - set(parents) for key, parents in self.changed.items()}

    def with_added(self, chained: Mapping[Key, tuple[Key, ...]]) -> Mapping[Key, tuple[Key, ...]]:
        """The parents of migrations that get dependencies on other apps: those `chained` or in the file, and these."""
        found: dict[Key, tuple[Key, ...]] = {}
        for key, parents in self.changed.items():
            now = self.history.parents(key)
            added = tuple(up for up in parents if up not in now and up.app != key.app)
            own = tuple(up for up in self.history.migrations[key].in_app_parents if up.name not in (FIRST, LATEST))
            if added:
                found[key] = (*chained.get(key, own), *added)
        return found

    @cached_property
    def unordered(self) -> Mapping[Key, frozenset[Key]]:
        """For each migration those of its pairs."""
        found: dict[Key, set[Key]] = {}
        for child, parent in self.pairs:
            found.setdefault(child, set()).add(parent)
        return {child: frozenset(parents) for child, parents in found.items()}

    @cached_property
    def not_before(self) -> Mapping[Key, Mapping[Key, tuple[Key, ...]]]:
        """For each migration whose ``run_before`` names a child that goes on without it: that name, and nothing."""
        found: dict[Key, dict[Key, tuple[Key, ...]]] = {}
        for child, parents in self._gone.items():
            for parent in parents:
                if child in self.history.migrations[parent].run_before:
                    found.setdefault(parent, {})[child] = ()
        return found

    def solvable(self, apps: Collection[str]) -> bool:
        """Whether files of `apps` alone state, by name, what would have to go; never where a squash is in between."""
        replaced = {key for each in self.history.migrations.values() for key in each.replaces}
        for child, parents in self._gone.items():
            if child.app not in apps or child in replaced or self.history.migrations[child].replaces:
                return False
            for gone in parents:
                stated = edge_statement(self.history, child, gone)
                if stated is None or stated.migration.app not in apps or stated.named.app not in self.history.apps:
                    return False
        return True


def solvable(found: Contradictions, apps: Collection[str]) -> Contradictions:
    """What is `found`, where files of `apps` alone would have to change; else nothing."""
    return found if found.solvable(apps) else Contradictions(found.history, {})
