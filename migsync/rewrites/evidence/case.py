"""One app whose records the files on disk do not explain: what each record may stand for, by all that is known.

A record must be understood for every state of the files in which the database's records make sense, not only for the
likeliest one: names are used again, so that the same records can fit two states in which a name means two different
migrations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from migsync.history.contents import Contents
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
    names of the files in HEAD and along its first parents, newest first. `ran` are the operations digests of what was
    seen to run under recorded names: whatever else the name was, the record stands for that. `seen` are these
    operations, and `presumed` those too that only follow from the time. `given` are the records that have their names
    of a run, and so stand for the files on disk.
    """

    app: str
    disk: FileState
    recorded: Sequence[str]
    past: Sequence[FileState] = ()
    stated: Sequence[Mapping[str, str]] = ()
    line: Sequence[AbstractSet[str]] = ()
    ran: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Contents] = field(default_factory=dict)
    presumed: Mapping[str, Contents] = field(default_factory=dict)
    given: frozenset[str] = frozenset()

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
        if name in self.ran:
            return frozenset({self.ran[name]})
        return self._meanings.get(name, frozenset())

    def possible(self, name: str) -> frozenset[str]:
        """The same by the name alone, whatever the other records are: all that it ever was."""
        if name in self.ran:
            return frozenset({self.ran[name]})
        stated = {state[name] for state in self.stated if name in state}
        return frozenset(stated).union(state.digests[name] for state in self.states if name in state.migrations)

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

    def shared(self, old: str, new: str) -> tuple[str, ...]:
        """The operations that the file `new` has today of all that the record `old` may stand for, by what they change.

        Somebody may have edited the file as well as renamed it. It would run these a second time.
        """
        ran = {effect for contents in self._contents(old) for effect in contents.effects}
        found = (each for each in self.disk.migrations[new].contents.operations if each.comparable)
        names = (f"{each.kind} {each.subject}".rstrip() for each in found if each.effect in ran and not each.state_only)
        return tuple(dict.fromkeys(names))

    def _contents(self, name: str) -> Iterator[Contents]:
        if name in self.seen:
            return iter((self.seen[name],))
        meanings = self.meanings(name) or self.possible(name)
        held = (state for state in self.past if name in state.migrations)
        return (state.migrations[name].contents for state in held if state.digests[name] in meanings)

    def ran_otherwise(self, name: str, now: Contents) -> bool:
        """Whether the record `name` ran with other operations than `now`, as far as that follows from the time."""
        ran = self.presumed.get(name)
        return bool(ran and ran.comparable and now.comparable) and not now.same_effect(ran or now)

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
        what arrived then was renamed in its turn, or it has the operations, or some of them.
        """
        for name in names:
            last = next((index for index, files in enumerate(self.line) if name in files), 0)
            if last and self.line[last - 1] - self.line[last] <= self.disk.names:
                had = self.ever(name)
                for new in self.disk.migrations.keys() - self.line[last - 1]:
                    if self.disk.digests[new] not in had and not self.shared(name, new):
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
