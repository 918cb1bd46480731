"""What can be proven about names that were changed by hand.

A proof must hold for every state of the files in which the database's records make sense, not only for the likeliest
one: names are used again, so that the same records can fit two states in which a name means two different migrations.
What is compared is the operations digest; a digest that two files ever had at once proves nothing about either.

What no evidence can tell, and what is therefore taken at its word: a migration that was deleted and written again with
the same operations, and records that were made from files that were never committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from migsync.history.migration import Migration
from migsync.rewrites.file_state import FileState

UNKNOWN = ""


@dataclass(frozen=True)
class Meaning:
    """One thing that a name stood for: its digest, the place of the oldest state that has it, and its twins.

    `beside` are the names (its own too) that had the same digest in every state in which `name` had it.
    """

    name: str
    digest: str
    oldest: int
    beside: frozenset[str]
    empty: bool

    def heirs(self, state: FileState) -> frozenset[str]:
        """The names under which it lives on in `state`; what has no operations cannot be followed."""
        if self.empty or self.digest == UNKNOWN:
            return frozenset()
        return frozenset(state.bearers.get(self.digest, ())) - self.beside - {self.name}


@dataclass(frozen=True)
class Case:
    """One app whose records the files on disk do not explain.

    `recorded` is in the order in which it was applied; `past` are the states of the files in git, newest first.
    `stated` are what journals and rewrites say that the names' operations were, each one state by name. `line` has the
    names of the files in HEAD and along its first parents, newest first.
    """

    app: str
    disk: FileState
    recorded: Sequence[str]
    past: Sequence[FileState] = ()
    stated: Sequence[Mapping[str, str]] = ()
    line: Sequence[AbstractSet[str]] = ()

    @cached_property
    def records(self) -> frozenset[str]:
        """The recorded names without their order."""
        return frozenset(self.recorded)

    @cached_property
    def states(self) -> tuple[FileState, ...]:
        """Every state that is known, today's first."""
        return (self.disk, *self.past)

    @cached_property
    def positions(self) -> Mapping[int, FileState]:
        """The states in which the database may have been migrated last, newest first, by their place in `states`.

        What is recorded there must be closed under dependencies. A record whose name does not exist there is a
        leftover: it stands for a file that was deleted before, see :meth:`_leftover`.
        """
        # A record whose file goes on under another recorded name is taken for one made with --fake only where nothing
        # else explains the records.
        strict = self._positions(lenient=False)
        explained = any(state.explains(self.records) for state in strict.values())
        return strict if explained else self._positions(lenient=True)

    def _positions(self, *, lenient: bool) -> dict[int, FileState]:
        return {
            index: state
            for index, state in enumerate(self.states)
            if state.closed(self.records)
            and all(self._leftover(name, index, lenient=lenient) for name in self.records - state.names)
        }

    def _leftover(self, name: str, index: int, *, lenient: bool) -> frozenset[str]:
        """What the record `name` may stand for when the database is in the state at `index`, which lacks that name.

        These are the digests that it had earlier and whose file did not just go on under another name. With
        `lenient` it may have, when that other name is recorded too: somebody has seen to it (with ``--fake``).
        """
        earlier = self._all_meanings.get(name)
        if earlier is None:
            # The name was never a file that git holds, so it may stand for anything.
            return frozenset({UNKNOWN})
        # States are newest first, so `oldest > index` says that the name meant this before the state at `index`.
        found = set()
        for meaning in earlier:
            heirs = meaning.heirs(self.states[index])
            if meaning.oldest > index and (not heirs or (lenient and heirs <= self.records)):
                found.add(meaning.digest)
        return frozenset(found)

    @cached_property
    def _all_meanings(self) -> Mapping[str, Sequence[Meaning]]:
        """For each record all that its name ever stood for; names that were never a file are left out."""
        found: dict[str, dict[str, Meaning]] = {}
        for index, state in enumerate(self.states):
            for name in self.records & state.migrations.keys():
                digest, known = state.digests[name], found.setdefault(name, {})
                twins = frozenset(state.bearers.get(digest, ()))
                beside = twins & known[digest].beside if digest in known else twins
                known[digest] = Meaning(name, digest, index, beside, not state.migrations[name].operations)
        return {name: tuple(known.values()) for name, known in found.items()}

    @cached_property
    def before(self) -> FileState | None:
        """The position that explains the most records, the newest of those; None when that is today's, or none is."""
        best = max(self.positions.values(), key=lambda state: len(self.records & state.names), default=None)
        return None if best is self.disk else best

    def meanings(self, name: str) -> frozenset[str]:
        """The digests that the record `name` may stand for; empty when nothing is known."""
        return self._meanings.get(name, frozenset())

    @cached_property
    def _meanings(self) -> Mapping[str, frozenset[str]]:
        found = {name: frozenset(self._meanings_of(name)) for name in self._all_meanings}
        unseen = self.records - self._all_meanings.keys()
        return found | {name: frozenset(state[name] for state in self.stated if name in state) for name in unseen}

    def _meanings_of(self, name: str) -> Iterator[str]:
        for index, state in self.positions.items():
            if name in state.migrations:
                yield state.digests[name]
            elif name in state.names:
                yield from (meaning.digest for meaning in self._all_meanings[name] if meaning.oldest > index)
            else:
                yield from self._leftover(name, index, lenient=True)

    def ever(self, name: str) -> Mapping[str, str]:
        """Every digest that `name` has had in git, with the newest state that has it, whatever the records say."""
        found: dict[str, str] = {}
        for state in self.past:
            if state.digests.get(name):
                found.setdefault(state.digests[name], state.source)
        return found

    def last_seen(self, name: str) -> FileState | None:
        """The newest state that has a file of this name; None without one."""
        return next((state for state in self.past if name in state.migrations), None)

    def distinct(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(name, name on disk) of files that were side by side in one commit, with the operations that they have.

        Only for a `name` that has had the same operations in every commit: else it may stand for the other ones.
        """
        for name in names:
            digests = {state.digests[name] for state in self.past if name in state.migrations}
            if len(digests) == 1 and "" not in digests:
                beside = [state for state in self.past if name in state.migrations]
                for new, digest in self.disk.digests.items():
                    if digest not in digests and any(state.digests.get(new, "-") == digest for state in beside):
                        yield name, new

    def unrelated(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(name, name on disk) where the file on disk came to the branch later than the commit that took `name` away.

        What a file became arrives in the commit that takes the file away. So nothing that came later can be it, unless
        what arrived then was renamed in its turn, or it has the operations.
        """
        for name in names:
            last = next((index for index, files in enumerate(self.line) if name in files), 0)
            if last and self.line[last - 1] - self.line[last] <= self.disk.names:
                had = self.ever(name)
                for new in self.disk.migrations.keys() - self.line[last - 1]:
                    if self.disk.digests[new] not in had:
                        yield name, new

    def replaced_in(self, name: str) -> FileState | None:
        """The newest state with a squash that replaces `name`, and that is recorded if `name` ever was a file."""
        standing = self.records & self.disk.migrations.keys()
        held = self.last_seen(name)
        for state in self.past:
            if any(name in names and (not held or squash in standing) for squash, names in state.replaced.items()):
                return state
        return None

    def borne_once(self, digest: str) -> bool:
        """True when no two files ever had these operations at once."""
        return digest not in self._twins

    @cached_property
    def _twins(self) -> frozenset[str]:
        in_states = {digest for state in self.states for digest, names in state.bearers.items() if len(names) > 1}
        counts = [Counter(state.values()) for state in self.stated]
        return frozenset(in_states).union(digest for found in counts for digest, count in found.items() if count > 1)

    def kept(self, name: str) -> bool:
        """True when the file on disk has the operations that its name had before, or is recorded if that is unknown."""
        if self.before is None:
            return name in self.records and name in self.disk.migrations
        return self.disk.digests.get(name, UNKNOWN) == self.before.digests.get(name)

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """Old name to new name, proven, for all files of the old state, recorded or not."""
        pairs = list(self._renamed_by_operations())
        # Two old names that one file may have come from: neither is proven.
        times = Counter(new for _, new in pairs)
        found = {old: new for old, new in pairs if times[new] == 1}
        # Each merge that is found may be the parent by which the next one is known.
        while further := dict(self._renamed_by_place(found)):
            found |= further
        return found

    def _renamed_by_operations(self) -> Iterator[tuple[str, str]]:
        for name, digest in self._old_digests():
            new = self.disk.bearers.get(digest, ())
            # Files without operations are all alike; their places tell them apart (`_renamed_by_place`).
            if len(new) == 1 and new[0] != name and self.disk.migrations[new[0]].operations and self.borne_once(digest):
                yield name, new[0]

    def _old_digests(self) -> Iterator[tuple[str, str]]:
        """(old name, digest), where there is no doubt which operations the name stood for."""
        if self.before:
            for name, digest in self.before.digests.items():
                if digest and (name not in self.records or self.meanings(name) == {digest}):
                    yield name, digest
        for name in self.records:
            if name in self.disk.migrations or any(name in state.migrations for state in self.past):
                continue
            meanings = self.meanings(name)
            heirs = {new for digest in meanings for new in self.disk.bearers.get(digest, ())}
            # A recorded file with the same operations speaks against it: two rows would end under one name.
            if len(meanings) == 1 and not heirs & self.records:
                yield name, next(iter(meanings))

    def _renamed_by_place(self, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Migrations without operations: they are known by what they come after."""
        if self.before is None:
            return
        old = self._without_operations(self.before, {**{name: name for name in self.disk.migrations}, **known})
        new = self._without_operations(self.disk, {name: name for name in self.disk.migrations})
        for place, names in old.items():
            if len(names) == len(new.get(place, ())) == 1:
                name, became = names[0], new[place][0]
                agreed = name not in self.records or self.meanings(name) == {self.before.digests[name]}
                if name not in known and became not in known.values() and agreed:
                    yield name, became

    def _without_operations(self, state: FileState, today: Mapping[str, str]) -> dict[frozenset[str], list[str]]:
        """Empty migrations that did not keep their names, by their parents' names of today."""
        found: dict[frozenset[str], list[str]] = {}
        for name, file in state.migrations.items():
            up = state.parents[name]
            if not file.operations and not self.kept(name) and up and up <= today.keys():
                found.setdefault(frozenset(today[parent] for parent in up), []).append(name)
        return found

    @cached_property
    def removed(self) -> Mapping[str, FileState]:
        """Merges that are gone, each with the newest state that had it: they did nothing, so nothing is lost.

        Several parents, no operations, no file; and on disk nothing without operations that it could have become.
        """
        candidates = {
            name for name, file in self.disk.migrations.items() if not file.operations and not self.kept(name)
        } - set(self.renamed.values())
        if candidates:
            return {}
        old = self.before.migrations if self.before else {}
        names = [*old, *(name for name in self.recorded if name not in old)]
        found: dict[str, FileState] = {}
        for name in names:
            held = [state for state in self.past if name in state.migrations]
            gone = name not in self.disk.migrations or (name in old and self.disk.migrations[name].operations)
            if held and gone and name not in self.renamed and all(_is_merge(state, name) for state in held):
                found[name] = held[0]
        return found

    @cached_property
    def collapsed(self) -> Mapping[str, tuple[frozenset[str], FileState]]:
        """New name to (old names, where git shows the squash), where a squash has lost its ``replaces`` since."""
        found: dict[str, tuple[frozenset[str], FileState]] = {}
        for state in self.past:
            for squash in state.replaced:
                new = self._file_of(state.migrations[squash], state)
                if new is None or new in found or self._is_recorded(new):
                    continue
                olds = {name: self._before_squash(name, state) for name in state.with_originals(squash)}
                known = frozenset(old for old in olds.values() if old)
                # A squash within the squash needs no row of its own: the originals stand for it.
                if known & self.records and all(olds[name] or name in state.replaced for name in olds):
                    found[new] = (known, state)
        return found

    def _is_recorded(self, new: str) -> bool:
        """True when the squash that is `new` on disk may be recorded, under this name or one that it had."""
        digest = self.disk.digests[new]
        once = {name for state in self.positions.values() for name in state.bearers.get(digest, ())}
        return bool(self.records & (once | {new})) or bool(self.disk.replaced.get(new))

    def _file_of(self, squash: Migration, state: FileState) -> str | None:
        """The name that a squash of `state` has on disk, if that is beyond doubt."""
        digest = state.digests[squash.key.name]
        names = self.disk.bearers.get(digest, ())
        return names[0] if len(names) == 1 and squash.operations and self.borne_once(digest) else None

    def _before_squash(self, name: str, state: FileState) -> str | None:
        """The old name of what was squashed in `state` as `name`; None when it is still a file, or in doubt."""
        # Where the file was gone by then, all that the name ever stood for counts; more than one meaning is a doubt.
        holding = [state] if name in state.migrations else [one for one in self.past if name in one.migrations]
        stated = {one.digests[name] for one in holding}
        old: str | None = name
        if self.before and stated and name not in self.before.names - self.before.migrations.keys():
            digest = next(iter(stated))
            bearers = self.before.bearers.get(digest, ())
            alone = len(bearers) == 1 and self.borne_once(digest)
            old = name if self.before.digests.get(name) == digest else bearers[0] if alone else None
        if old is None or len(stated) > 1 or not self.meanings(old) <= stated:
            return None
        return None if old in self.renamed or (old in self.disk.migrations and self.kept(old)) else old


def _is_merge(state: FileState, name: str) -> bool:
    file = state.migrations[name]
    return file.is_merge and len(state.parents[name]) > 1
