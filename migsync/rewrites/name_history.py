"""The names that an app's migrations have had: which exist after which of its rewrites, and what they depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.history.migration import Key, Migration
from migsync.history.tables import has_made
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites


@dataclass(frozen=True)
class NameHistory:
    """What can be recorded in `app` at each position: names, and what they depend on.

    `through` and `ahead` are ids of rewrites. Every position of the target has all of `through` in it and none of
    `ahead`: rows under an old label of the app have not been through the rewrite that changed it, and rows under the
    new one have (:mod:`~migsync.rewrites.row_labels`).
    """

    app: str
    rewrites: Rewrites
    history: History
    through: frozenset[str] = frozenset()
    ahead: frozenset[str] = frozenset()

    @property
    def steps(self) -> tuple[Rewrite, ...]:
        """The rewrites that change names of the app, in order."""
        return self.rewrites.of_app(self.app)

    def positions(self, journaled: frozenset[str]) -> list[frozenset[str]]:
        """Those that a target can be at which has been through the rewrites `journaled`."""
        # What several say alike comes with one of these.
        known = (journaled - self.rewrites.shared.keys()) | self.through
        return [
            position
            for position in self.rewrites.positions(self.app)
            if known <= position and self.ahead.isdisjoint(position)
        ]

    def names(self, position: frozenset[str]) -> set[str]:
        """The names that exist at `position`, among those that some rewrite of the app changes or gives."""
        changing = self.steps
        # What was there before the first rewrite: every name that one of them knew, unless another one gave it.
        names: set[str] = set()
        given: set[str] = set()
        for rewrite in changing:
            change = rewrite.apps[self.app]
            names |= {name for name in change.before if name not in given}
            given |= change.targets
        for rewrite in changing:
            if rewrite.id in position:
                names = (names - rewrite.apps[self.app].sources) | rewrite.apps[self.app].targets
        # The next rewrites were made beside these names: what their authors saw on disk was there too, but for what a
        # rewrite changed that they did not know of.
        for rewrite in self._next(position):
            unknown = position - self.rewrites.ancestors[rewrite.id]
            gone = [name for one in changing if one.id in unknown for name in one.apps[self.app].sources]
            names |= set(rewrite.apps[self.app].before).difference(gone)
        # After the last rewrite the files on disk count: they may be more than the rewrites know of.
        if len(position) == len(changing):
            names |= set(self.history.names(self.app))
        return names

    def parents(self, position: frozenset[str]) -> Mapping[str, Collection[str]]:
        """The in-app dependencies at `position`, as far as they are known."""
        if len(position) == len(self.steps):
            keys = (Key(self.app, name) for name in self.history.names(self.app))
            return {key.name: [up.name for up in self.history.parents(key) if up.app == self.app] for key in keys}
        known: dict[str, Collection[str]] = {}
        for rewrite in self._next(position):
            known = {**rewrite.apps[self.app].parents_before, **known}
        return known

    def digests(self, position: frozenset[str]) -> Mapping[str, str]:
        """The operations digests of the names at `position`, as far as they are known."""
        known: dict[str, str] = {}
        for rewrite in self.steps:
            if rewrite.id in position:
                known |= rewrite.apps[self.app].digests_after
        for rewrite in self._next(position):
            known |= rewrite.apps[self.app].digests_before
        if len(position) == len(self.steps):
            known |= {
                name: self.history.migrations[Key(self.app, name)].digest for name in self.history.names(self.app)
            }
        return known

    def stands_for(self, digest: str, contents: Contents) -> bool:
        """Whether a digest among :meth:`digests` is that of `contents`, or of a file of today that makes the same.

        Such a file was edited since it ran, or made anew.
        """
        file = self._by_digest.get(digest)
        return bool(digest) and (digest == contents.digest or bool(file and has_made(contents, file.contents)))

    def are_today(self, position: frozenset[str], ran: Mapping[str, Contents | None]) -> bool:
        """Whether no rewrite is left at `position`, and what `ran` under each name is the file of today."""
        digests = self.digests(position)
        known = all(each and self.stands_for(digests.get(name, ""), each) for name, each in ran.items())
        return known and not self.remaining(position)

    @cached_property
    def _by_digest(self) -> Mapping[str, Migration]:
        files = (self.history.migrations[Key(self.app, name)] for name in self.history.names(self.app))
        return {file.digest: file for file in files if file.digest and not file.problems}

    def squashes(self, position: frozenset[str]) -> Iterator[tuple[str, set[str]]]:
        """The squashes that stand beside what they replace: those on disk, and those that were tidied since."""
        for name in self.history.names(self.app):
            yield name, {key.name for key in self.history.migrations[Key(self.app, name)].replaces}
        for rewrite in self.remaining(position):
            change = rewrite.apps[self.app]
            for squash, olds in (*change.absorbing.items(), *change.squashes.items()):
                yield squash, set(olds)

    def remaining(self, position: frozenset[str]) -> list[Rewrite]:
        """The rewrites that a target at `position` still has to go through, in order."""
        return [rewrite for rewrite in self.steps if rewrite.id not in position]

    def _next(self, position: frozenset[str]) -> list[Rewrite]:
        of_app = {rewrite.id for rewrite in self.steps}
        # The rewrites of which all that they were made on top of has been passed.
        return [
            rewrite for rewrite in self.remaining(position) if self.rewrites.ancestors[rewrite.id] & of_app <= position
        ]
