"""The migration files of one app as they were at one moment: on disk now, or in a commit."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from migsync.history import History
from migsync.history.migration import Key, Migration

ON_DISK = "the files on disk"


@dataclass(frozen=True)
class FileState:
    """One app's migrations by name. `source` says where they were seen: ``git 1a2b3c4 (2026-11-20)``.

    `alike` gives digests that count as another one; `commit` is the id of the commit that they were seen in.
    """

    source: str
    migrations: Mapping[str, Migration]
    alike: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""

    @classmethod
    def on_disk(cls, history: History, app: str) -> FileState:
        """The state of today."""
        return cls(ON_DISK, {name: history.migrations[Key(app, name)] for name in history.names(app)})

    @cached_property
    def written(self) -> Mapping[str, str]:
        """The operations digest of each file by name; empty for a file that could not be read in full."""
        return {name: "" if file.problems else file.digest for name, file in self.migrations.items()}

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The same, with one digest for all files that are alike."""
        return {name: self.alike.get(digest, digest) for name, digest in self.written.items()}

    @cached_property
    def effects(self) -> Mapping[str, tuple[str, ...]]:
        """What a database sees of each file, by name, with the values that rows get: :attr:`Contents.effect`."""
        found = {name: file.contents for name, file in self.migrations.items() if self.written[name]}
        return {name: (each.effect, *each.defaults) for name, each in found.items() if each.effect}

    @cached_property
    def bearers(self) -> Mapping[str, tuple[str, ...]]:
        """Each digest with the names of the files that have it."""
        found: dict[str, tuple[str, ...]] = {}
        for name, digest in self.digests.items():
            # Two files without a digest are not alike: nothing is known of either.
            if digest:
                found[digest] = (*found.get(digest, ()), name)
        return found

    @cached_property
    def replaced(self) -> Mapping[str, frozenset[str]]:
        """Each squash with the names of the app that it still says to replace."""
        found = {
            name: frozenset(key.name for key in file.replaces if key.app == file.key.app)
            for name, file in self.migrations.items()
            if file.replaces
        }
        return {name: names for name, names in found.items() if names}

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that a record can have here: of a file, or of what a squash replaces."""
        return frozenset(self.migrations).union(*self.replaced.values())

    @cached_property
    def parents(self) -> Mapping[str, frozenset[str]]:
        """The in-app dependencies of each file, on files and on what squashes replace."""
        found = {name: {key.name for key in file.in_app_parents} for name, file in self.migrations.items()}
        for name, file in self.migrations.items():
            # `run_before` is a dependency that is written in the file of the parent.
            for key in file.run_before:
                if key.app == file.key.app and key.name in found:
                    found[key.name].add(name)
        return {name: frozenset(up & self.names - {name}) for name, up in found.items()}

    def explains(self, recorded: AbstractSet[str]) -> bool:
        """True when a database in this state can hold exactly the records `recorded`."""
        return recorded <= self.names and self.closed(recorded)

    def closed(self, recorded: AbstractSet[str]) -> bool:
        """True when nothing that is recorded here lacks what it depends on."""
        applied = self._applied(recorded)
        return all(self.parents[name] <= applied for name in recorded if name in self.parents)

    def _applied(self, recorded: AbstractSet[str]) -> set[str]:
        """As Django sees it: a squash is applied when all that it replaces is, and what it replaces when it is."""
        applied = set(recorded)
        # Until nothing is added: a squash may replace other squashes.
        size = -1
        while size != len(applied):
            size = len(applied)
            for squash, replaced in self.replaced.items():
                if squash in applied:
                    applied |= replaced
                elif replaced <= applied:
                    applied.add(squash)
        return applied

    def with_originals(self, name: str) -> frozenset[str]:
        """What `name` replaces, and what that replaces in turn."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            inner = self.replaced.get(waiting.pop(), frozenset()) - found
            found |= inner
            waiting += inner
        return frozenset(found)

    def as_recorded(self, recorded: AbstractSet[str]) -> dict[str, frozenset[str]]:
        """The names that count for a database with these records, in a legal order, with their dependencies.

        A squash that is not recorded gives way to what it replaces. Where it is recorded, both stay, and whether
        another migration needs the one or the other is left open: too few dependencies only leave a position open.
        """
        parents = dict(self.parents)
        for squash, replaced in self.replaced.items():
            either = replaced | {squash}
            # No original is recorded or has a file, so the squash has nothing to give way to.
            if squash not in recorded and not replaced & (recorded | self.migrations.keys()):
                continue
            instead = frozenset[str]() if squash in recorded else replaced
            # The rows still mean the originals, also where their files are gone.
            for name in replaced:
                parents.setdefault(name, frozenset())
            if squash not in recorded:
                parents.pop(squash, None)
            # Files that depend on one of the two get what counts here: all of the originals, or nothing (see above).
            for name, up in parents.items():
                if name not in either and up & either and (squash in up or squash in recorded):
                    parents[name] = (up - either) | instead
        known = parents.keys()
        parents = {name: up & known for name, up in parents.items()}
        return {name: parents[name] for name in topological_order(parents) or sorted(parents)}

    @cached_property
    def order(self) -> tuple[str, ...] | None:
        """The files, each after those that it depends on; None for a loop."""
        return topological_order({name: up & self.migrations.keys() for name, up in self.parents.items()})

    @property
    def is_legal(self) -> bool:
        """False for a loop of dependencies: no database was ever in that state."""
        return self.order is not None


def topological_order(parents: Mapping[str, Collection[str]]) -> tuple[str, ...] | None:
    """The names, each after its parents and otherwise by name; None when they go round in a loop."""
    open_parents = {name: len(set(up)) for name, up in parents.items()}
    children: dict[str, list[str]] = {}
    for name, up in parents.items():
        for parent in set(up):
            children.setdefault(parent, []).append(name)
    ready = [name for name, count in open_parents.items() if not count]
    heapq.heapify(ready)
    found: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        found.append(name)
        for child in children.get(name, ()):
            open_parents[child] -= 1
            if not open_parents[child]:
                heapq.heappush(ready, child)
    return tuple(found) if len(found) == len(parents) else None


def unlike_above(order: Iterable[str], parents: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """The dependencies that are not just the name above, as a rewrite's ``depends`` says them.

    With c after a alone, the order a, b, c gives ``{"c": ("a",)}``.
    """
    found: dict[str, tuple[str, ...]] = {}
    above: tuple[str, ...] = ()
    for name in order:
        up = tuple(sorted(parents.get(name, ())))
        if up != above:
            found[name] = up
        above = (name,)
    return found
