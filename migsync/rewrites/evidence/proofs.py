"""What can be proven about names that were changed by hand.

A proof must hold for everything that a record may stand for (:mod:`~migsync.rewrites.evidence.case`). What is compared
is the operations digest; a digest that two files ever had at once proves nothing about either.

What no evidence can tell, and what is therefore taken at its word: a migration that was deleted and written again with
the same operations, and records that were made from files that were never committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migsync.history.migration import Migration
from migsync.rewrites.evidence.case import Case
from migsync.rewrites.file_state import FileState


@dataclass(frozen=True)
class Proofs:
    """What is proven in one case."""

    case: Case

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """Old name to new name, proven, for all files of the old state, recorded or not."""
        found = self._renamed_by_state()
        by_name = dict(self._renamed_by_name())
        # What a record became is known; that of a file which is not recorded here was worked out from the others.
        found = {old: new for old, new in found.items() if new not in by_name.values()} | by_name
        files = self.case.disk.migrations
        found = {old: new for old, new in found.items() if not self.case.ran_otherwise(old, files[new].contents)}
        # Each merge that is found may be the parent by which the next one is known.
        while further := dict(self._renamed_by_place(found)):
            found |= further
        return found

    @cached_property
    def old_state(self) -> FileState | None:
        """The newest state in which every old name has the operations that its new name has today."""
        case = self.case
        wanted = {old: case.disk.digests[new] for old, new in self.renamed.items()}
        # A state that explains the records has the right files beside them, too.
        for state in (*([case.before] if case.before else []), *case.past):
            if all(state.digests.get(name) == digest for name, digest in wanted.items()):
                return state if wanted else case.before
        return case.before

    def _renamed_by_state(self) -> dict[str, str]:
        """By the state of the files that explains the records."""
        case, before = self.case, self.case.before
        # Where a record may stand for something else too, it is in doubt which operations the name stood for.
        known = {
            name: new
            for name, digest in (before.digests.items() if before else ())
            if digest
            and (name not in case.records or case.meanings(name) == {digest})
            and (new := self._bearer(digest))
        }
        # Two old names that one file may have come from: neither is proven.
        times = Counter(new for name, new in known.items() if name != new)
        return {name: new for name, new in known.items() if name != new and times[new] == 1}

    def _renamed_by_name(self) -> Iterator[tuple[str, str]]:
        """Record by record, where no single state of the files explains all: those of two branches, say.

        All that a record may stand for is in one file on disk, and no other record may stand for that.
        """
        case = self.case
        possible = {name: case.possible(name) for name in case.recorded}
        claims = Counter(digest for digests in possible.values() for digest in digests)
        for name, digests in possible.items():
            if len(digests) == 1 and not self._explained(name):
                (digest,) = digests
                new = self._bearer(digest)
                if new and new != name and claims[digest] == 1:
                    yield name, new

    def _explained(self, name: str) -> bool:
        """True for a name that is on disk, or in the state that explains the records, and nobody saw what it ran."""
        case = self.case
        return name not in case.ran and (name in case.disk.names or bool(case.before and name in case.before.names))

    def _bearer(self, digest: str) -> str | None:
        """The one file on disk that has these operations, and no two files ever had at once."""
        names = self.case.disk.bearers.get(digest, ())
        # Files without operations are all alike; their places tell them apart (`_renamed_by_place`).
        alone = len(names) == 1 and self.case.disk.migrations[names[0]].operations and self.case.borne_once(digest)
        return names[0] if alone else None

    def _renamed_by_place(self, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Migrations without operations: they are known by what they come after."""
        if self.case.before is None:
            return
        old = self._without_operations(
            self.case.before, {**{name: name for name in self.case.disk.migrations}, **known}
        )
        new = self._without_operations(self.case.disk, {name: name for name in self.case.disk.migrations})
        for place, names in old.items():
            if len(names) == len(new.get(place, ())) == 1:
                name, became = names[0], new[place][0]
                agreed = name not in self.case.records or self.case.meanings(name) == {self.case.before.digests[name]}
                if name not in known and became not in known.values() and agreed:
                    yield name, became

    def _without_operations(self, state: FileState, today: Mapping[str, str]) -> dict[frozenset[str], list[str]]:
        """Empty migrations that did not keep their names, by their parents' names of today."""
        found: dict[frozenset[str], list[str]] = {}
        for name, file in state.migrations.items():
            up = state.parents[name]
            if not file.operations and not self.case.kept(name) and up and up <= today.keys():
                found.setdefault(frozenset(today[parent] for parent in up), []).append(name)
        return found

    @cached_property
    def removed(self) -> Mapping[str, FileState]:
        """Merges that are gone, each with the newest state that had it: they did nothing, so nothing is lost.

        Several parents, no operations, no file; and on disk nothing without operations that it could have become.
        """
        candidates = {
            name for name, file in self.case.disk.migrations.items() if not file.operations and not self.case.kept(name)
        } - set(self.renamed.values())
        if candidates:
            return {}
        old = self.case.before.migrations if self.case.before else {}
        names = [*old, *(name for name in self.case.recorded if name not in old)]
        found: dict[str, FileState] = {}
        for name in names:
            held = [state for state in self.case.past if name in state.migrations]
            gone = name not in self.case.disk.migrations or (name in old and self.case.disk.migrations[name].operations)
            if held and gone and name not in self.renamed and all(_is_merge(state, name) for state in held):
                found[name] = held[0]
        return found

    @cached_property
    def collapsed(self) -> Mapping[str, tuple[frozenset[str], FileState]]:
        """New name to (old names, where git shows the squash), where a squash has lost its ``replaces`` since."""
        found: dict[str, tuple[frozenset[str], FileState]] = {}
        for state in self.case.past:
            for squash in state.replaced:
                new = self._file_of(state.migrations[squash], state)
                if new is None or new in found or self._is_recorded(new):
                    continue
                olds = {name: self._before_squash(name, state) for name in state.with_originals(squash)}
                known = frozenset(old for old in olds.values() if old)
                # A squash within the squash needs no row of its own: the originals stand for it.
                if known & self.case.records and all(olds[name] or name in state.replaced for name in olds):
                    found[new] = (known, state)
        return found

    def _is_recorded(self, new: str) -> bool:
        """True when the squash that is `new` on disk may be recorded, under this name or one that it had."""
        digest = self.case.disk.digests[new]
        once = {name for state in self.case.positions.values() for name in state.bearers.get(digest, ())}
        return bool(self.case.records & (once | {new})) or bool(self.case.disk.replaced.get(new))

    def _file_of(self, squash: Migration, state: FileState) -> str | None:
        """The name that a squash of `state` has on disk, if that is beyond doubt."""
        return self._bearer(state.digests[squash.key.name]) if squash.operations else None

    def _before_squash(self, name: str, state: FileState) -> str | None:
        """The old name of what was squashed in `state` as `name`; None when it is still a file, or in doubt."""
        # Where the file was gone by then, all that the name ever stood for counts; more than one meaning is a doubt.
        holding = [state] if name in state.migrations else [one for one in self.case.past if name in one.migrations]
        stated = {one.digests[name] for one in holding}
        old: str | None = name
        if self.case.before and stated and name not in self.case.before.names - self.case.before.migrations.keys():
            digest = next(iter(stated))
            bearers = self.case.before.bearers.get(digest, ())
            alone = len(bearers) == 1 and self.case.borne_once(digest)
            old = name if self.case.before.digests.get(name) == digest else bearers[0] if alone else None
        if old is None or len(stated) > 1 or not self.case.meanings(old) <= stated:
            return None
        return None if old in self.renamed or (old in self.case.disk.migrations and self.case.kept(old)) else old


def _is_merge(state: FileState, name: str) -> bool:
    file = state.migrations[name]
    return file.is_merge and len(state.parents[name]) > 1
