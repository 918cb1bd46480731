"""Which migrations a database has: a set that is closed under dependencies and fits its tables; pure.

It starts from the records. What is there is added with all that it depends on, and what is not there is left out with
all that depends on it, as long as less and less of the database is otherwise than the set says. What is in doubt stays
as it is recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.verify.composition import MigrationResult, State
from migsync.verify.verification import SchemaEvidence

NOT_WHOLE = frozenset({State.ABSENT, State.PARTIAL, State.UNKNOWN})
SHOWN = frozenset({State.PRESENT, State.PARTIAL, State.UNKNOWN})
"""The states of a migration that has left something, or may have."""


@dataclass(frozen=True)
class Candidates:
    """The sets that may be right for one database. Records of `fixed` migrations are not taken out."""

    evidence: SchemaEvidence
    fixed: AbstractSet[Key] = frozenset()

    def best(self) -> AbstractSet[Key]:
        """What is to be recorded, and counts as recorded."""
        now = self._without_absent(self._with_present(self.evidence.applied))
        wrong = self.evidence.misfits(now)
        while wrong:
            better = min(
                ((len(left), number, other, left) for number, (other, left) in enumerate(self._others(now, wrong))),
                default=None,
            )
            if better is None:
                break
            *_, now, wrong = better
        return self._without_idle(now)

    def results(self, recorded: AbstractSet[Key]) -> dict[Key, MigrationResult]:
        """What the database has of each migration if these are recorded."""
        return {each.key: each for each in self.evidence.judge(recorded).results}

    def gaps(self, recorded: AbstractSet[Key]) -> Iterator[tuple[MigrationResult, AbstractSet[Key]]]:
        """What is missing below migrations that are there, and these."""
        there = self._present(self.results(recorded))
        wider = recorded | self.ancestors(there)
        for key, each in self.results(wider).items():
            if key in wider - recorded and each.state in NOT_WHOLE:
                yield each, (there & self.descendants([key])) - {key}

    def _present(self, found: Mapping[Key, MigrationResult]) -> set[Key]:
        return {key for key, each in found.items() if each.state is State.PRESENT}

    def _made(self, found: Mapping[Key, MigrationResult]) -> set[Key]:
        """Those that are there and show it by what they have made."""
        return {key for key in self._present(found) if any(each.expected is not None for each in found[key].there)}

    def _with_present(self, recorded: AbstractSet[Key]) -> AbstractSet[Key]:
        """The set with everything that is there, and with what that depends on; without what would not be whole."""
        there: set[Key] = set()
        now = frozenset(recorded)
        while True:
            found = self.results(now)
            # A record without a trace says as well that what it depends on ran. And that a column was made which a
            # later migration has removed shows only once both count as recorded.
            there |= self._present(found)
            there |= {key for key in recorded & found.keys() if found[key].state is State.NO_TRACE}
            wider = now | self.ancestors(there)
            if wider == now:
                break
            now = wider
        gaps = {key for key in now - recorded if found[key].state in NOT_WHOLE}
        return now - (self.descendants(gaps) - recorded)

    def _without_absent(self, now: AbstractSet[Key]) -> AbstractSet[Key]:
        """The set without those that are not there, and without what depends on them and leaves no trace."""
        found, recorded = self.results(now), self.evidence.applied
        absent = {key for key in recorded & found.keys() if found[key].state is State.ABSENT}
        absent |= {key for key in recorded & self._parents.keys() if not now >= set(self._parents[key])}
        going = self.descendants(absent) & now
        going -= self.ancestors(going & self.fixed)
        while going:
            found = self.results(now - going)
            there = {key for key in going if key not in found or found[key].state in SHOWN}
            if not there:
                break
            going -= self.ancestors(there)
        # Without one that is absent, the others have no reason to go.
        return now - (self.descendants(going & absent) & going)

    def _others(self, now: AbstractSet[Key], wrong: AbstractSet[Part]) -> Iterator[tuple[AbstractSet[Key], set[Part]]]:
        """Sets that differ from `now` by a migration which writes what is `wrong`, and fit better."""
        kept = self.ancestors(self._made(self.results(now)) - now)
        for key in sorted(self._writers(wrong)):
            other = self._dropped(now, key) if key in now else self._added(now, key, wrong)
            if other is None or kept & (now - other):
                continue
            left = self.evidence.misfits(other)
            if len(left) < len(wrong) and self._may_be(other):
                yield other, left

    def _dropped(self, now: AbstractSet[Key], key: Key) -> AbstractSet[Key] | None:
        """The set without a migration and all that depends on it."""
        absent = {key}
        while True:
            going = self.descendants(absent) & now
            if going & self.fixed:
                return None
            found = self.results(now - going)
            shown = [found[key] for key in going if key in found and found[key].state in SHOWN]
            # What one of them removes is not there. That shows nothing if what makes it did not run either.
            removed = {each.part for one in shown for each in one.there if each.expected is None}
            makers = (self._writers(removed) & now) - going
            if not makers:
                return now - going
            absent |= makers

    def _added(self, now: AbstractSet[Key], key: Key, wrong: AbstractSet[Part]) -> AbstractSet[Key]:
        """The set with a migration and what it depends on; and with the next that removes what these make."""
        other = now | self.ancestors([key])
        while True:
            made = self.evidence.misfits(other) - wrong
            later = self._writers(made) - other
            following = next((trace.key for trace in self.evidence.traces if trace.key in later), None)
            if following is None:
                return other
            other |= self.ancestors([following])

    def _may_be(self, other: AbstractSet[Key]) -> bool:
        """Whether nothing would be recorded that is not there as a whole, or taken out that is there."""
        found, recorded = self.results(other), self.evidence.applied
        return not any(
            (key in recorded and key not in other and each.state in SHOWN)
            or (key in other and key not in recorded and each.state in NOT_WHOLE)
            for key, each in found.items()
        ) and found.keys() >= (recorded - other)

    def _without_idle(self, now: AbstractSet[Key]) -> AbstractSet[Key]:
        """The set without what leaves no trace and is not needed by anything else in it."""
        needed = self.ancestors(self._present(self.results(now)) | (self.evidence.applied & now))
        return now & (needed | self.evidence.applied)

    def _writers(self, parts: AbstractSet[Part]) -> set[Key]:
        return {key for part in parts for key in self._by_part.get(part, ())}

    @cached_property
    def _by_part(self) -> Mapping[Part, Sequence[Key]]:
        found: defaultdict[Part, list[Key]] = defaultdict(list)
        for trace in self.evidence.traces:
            for kind, table, name, _ in trace.changes:
                found[Part(kind, table, name)].append(trace.key)
        return found

    @property
    def _parents(self) -> Mapping[Key, Sequence[Key]]:
        return self.evidence.state.parents

    @cached_property
    def _children(self) -> Mapping[Key, Sequence[Key]]:
        found: defaultdict[Key, list[Key]] = defaultdict(list)
        for key, parents in self._parents.items():
            for parent in parents:
                found[parent].append(key)
        return found

    def parents(self, key: Key) -> Sequence[Key]:
        """What a migration depends on."""
        return self._parents.get(key, ())

    def ancestors(self, keys: Iterable[Key]) -> frozenset[Key]:
        """The keys and all that they depend on."""
        return _reached(keys, self._parents)

    def descendants(self, keys: Iterable[Key]) -> frozenset[Key]:
        """The keys and all that depends on them."""
        return _reached(keys, self._children)


def _reached(keys: Iterable[Key], edges: Mapping[Key, Sequence[Key]]) -> frozenset[Key]:
    found: set[Key] = set()
    todo = list(keys)
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo.extend(edges.get(key, ()))
    return frozenset(found)
