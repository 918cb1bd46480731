"""What to record, and what not, so that the records say what is in the database; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from migsync.engines.catalog import Part
from migsync.findings import Finding
from migsync.findings import repair as entries
from migsync.key import Key
from migsync.sync.journal.contents import Event, SeenContents
from migsync.sync.provenance import Provenance
from migsync.sync.stated_records import RAN
from migsync.verify.composition import MigrationResult, State
from migsync.verify.report import outcomes_in_words
from migsync.verify.verification import SchemaEvidence

NOT_WHOLE = frozenset({State.ABSENT, State.PARTIAL, State.UNKNOWN})
SHOWN = frozenset({State.PRESENT, State.PARTIAL, State.UNKNOWN})
"""The states of a migration that has left something, or may have."""

Results = Mapping[Key, MigrationResult]


@dataclass(frozen=True)
class Repair:
    """The migrations to record, those to unrecord, and what is to be said.

    `inferred` are those to record that leave no trace, and on which others depend that are there.
    """

    record: tuple[Key, ...] = ()
    unrecord: tuple[Key, ...] = ()
    inferred: tuple[Key, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_texts(self) -> dict[str, tuple[str, ...]]:
        """As a request for a plan has it."""
        return {name: tuple(map(str, getattr(self, name))) for name in ("record", "unrecord", "inferred")}


@dataclass(frozen=True)
class KnownRuns:
    """What is known of runs, besides the tables: `ran` by the ids of the records, and the events `seen`."""

    ran: Mapping[int, Provenance] = field(default_factory=dict)
    seen: Sequence[SeenContents] = ()


def repair(
    evidence: SchemaEvidence, known: KnownRuns = KnownRuns(), *, apps: Collection[str] = (), accept: bool = False
) -> Repair:
    """The changes of the records that the tables show; only of these `apps` and of what must go with them.

    The records stay closed under dependencies. With `accept`, what is only likely is no error.
    """
    return _Repair(evidence, known, frozenset(apps), accept).repair()


@dataclass(frozen=True)
class _Repair:
    evidence: SchemaEvidence
    known: KnownRuns
    apps: frozenset[str]
    accept: bool

    def repair(self) -> Repair:
        applied = self.evidence.applied
        wider, refused = self._wider(applied)
        coming = self._ancestors(self._asked(wider - applied)) & (wider - applied)
        going = self._going(wider)
        going = self._descendants(self._asked(going)) & going
        found = self._results(applied | coming)
        inferred = {key for key in coming if found[key].state is not State.PRESENT}
        findings = [*refused, *self._contradictions(coming, going)]
        if inferred:
            custom = [key for key in self._ordered(inferred) if found[key].custom]
            findings.append(
                entries.inferred_records(migrations=self._ordered(inferred), custom=custom, accepted=self.accept)
            )
        if custom := [key for key in self._ordered(going) if found[key].custom]:
            absent = [key for key in self._ordered(going) if key not in custom]
            findings.append(entries.code_runs_again(migrations=custom, absent=absent, accepted=self.accept))
        findings += self._left((applied | coming) - going, coming)
        return Repair(
            tuple(self._ordered(coming)),
            tuple(reversed(self._ordered(going))),
            tuple(self._ordered(inferred)),
            tuple(findings),
        )

    def _wider(self, applied: AbstractSet[Key]) -> tuple[AbstractSet[Key], list[Finding]]:
        """What counts as recorded once everything is recorded that is there; and what is there and cannot be."""
        there: set[Key] = set()
        now = frozenset(applied)
        while True:
            found = self._results(now)
            there |= {key for key, each in found.items() if each.state is State.PRESENT}
            # A record without a trace says as well that what it depends on ran. And a column that a later migration
            # removes shows that it was made only once both count as recorded.
            told = {key for key in applied & found.keys() if found[key].state is State.NO_TRACE}
            wider = now | self._ancestors(there | told)
            if wider == now:
                break
            now = wider
        gaps = {key: found[key] for key in now - applied if found[key].state in NOT_WHOLE}
        refused = [
            entries.record_not_closed(
                migration=gap,
                above=above,
                parts=outcomes_in_words(gaps[gap].differences),
                reason=gaps[gap].reason,
                partly=gaps[gap].state is State.PARTIAL,
            )
            for gap in self._ordered(self._asked(gaps))
            if (above := self._ordered(there & self._descendants([gap]) - {gap}))
        ]
        return now - (self._descendants(gaps) - applied), refused

    def _going(self, wider: AbstractSet[Key]) -> AbstractSet[Key]:
        """The recorded migrations of which nothing is there, with those that depend on them and have no trace."""
        found, recorded = self._results(wider), self.evidence.applied
        absent = {key for key in recorded & found.keys() if found[key].state is State.ABSENT}
        absent |= {key for key in recorded & self._parents.keys() if not wider >= set(self._parents[key])}
        going = self._with_dependents(absent, wider)
        gone = self._makers(each.part for one in found.values() if one.key not in wider for each in one.there)
        if gone & recorded:
            # What a pending migration removes is not there: it ran in part, or what makes it never ran.
            other = self._with_dependents(absent | (gone & recorded), wider)
            if self._contrary(wider - other) < self._contrary(wider - going):
                return other
        return going

    def _with_dependents(self, absent: AbstractSet[Key], wider: AbstractSet[Key]) -> AbstractSet[Key]:
        """Those of the `absent` that can go with all that depends on them, and all of that."""
        going = self._descendants(absent) & wider
        # Where another file ran under the name, nobody knows what is to be there.
        going -= self._ancestors(key for key in going if (known := self._provenance(key)) and known.versions)
        while going:
            found = self._results(wider - going)
            there = {key for key in going if key not in found or found[key].state in SHOWN}
            if not there:
                break
            going -= self._ancestors(there)
        # Without one that is absent, the others have no reason to go.
        return self._descendants(going & absent) & going

    def _contrary(self, recorded: AbstractSet[Key]) -> int:
        """How many migrations would not be as their record says."""
        found = self._results(recorded).values()
        return sum(each.state is State.PARTIAL or (each.key in recorded and each.state in NOT_WHOLE) for each in found)

    def _makers(self, parts: Iterable[Part]) -> set[Key]:
        wanted = set(parts)
        return {
            trace.key
            for trace in self.evidence.traces
            if any(definition is not None and Part(*part) in wanted for *part, definition in trace.changes)
        }

    def _contradictions(self, coming: AbstractSet[Key], going: AbstractSet[Key]) -> Iterator[Finding]:
        last = {each.key: each.event for each in self.known.seen}
        for key in self._ordered(coming):
            if last.get(key) is Event.UNAPPLIED:
                yield entries.schema_contradicts_run(migration=key, recorded=False)
        for key in self._ordered(going):
            known = self._provenance(key)
            if known and known.source in RAN and not known.unapplied:
                yield entries.schema_contradicts_run(migration=key, recorded=True, source=str(known.source))

    def _left(self, after: AbstractSet[Key], coming: AbstractSet[Key]) -> Iterator[Finding]:
        """What stays as it is although the tables say otherwise, or nobody can tell."""
        found = self._results(after)
        for key in self._ordered(self._asked(found)):
            each, parts = found[key], outcomes_in_words(found[key].differences)
            if key in after and each.state in NOT_WHOLE:
                absent = each.state is State.ABSENT
                yield entries.record_in_doubt(migration=key, parts=parts, reason=each.reason, absent=absent)
            elif each.state is State.PARTIAL:
                yield entries.half_applied(migration=key, there=outcomes_in_words(each.there), missing=parts)
        if pending := list(self._at_the_end(found, after, coming)):
            custom = [key for key in pending if found[key].custom]
            yield entries.no_trace_pending(migrations=pending, custom=custom)

    def _at_the_end(self, found: Results, after: AbstractSet[Key], coming: AbstractSet[Key]) -> Iterator[Key]:
        """What leaves no trace and comes right after something that gets its record now: it may have run as well."""
        reached = set(coming)
        for key in self._ordered(found):
            parents = self._parents.get(key, ())
            if (
                key not in after
                and found[key].state is State.NO_TRACE
                and any(each in reached for each in parents)
                and all(each in after or each in reached for each in parents)
            ):
                reached.add(key)
                yield key

    @cached_property
    def _ids(self) -> Mapping[Key, int | None]:
        return {record.key: record.id for record in self.evidence.records}

    def _provenance(self, key: Key) -> Provenance | None:
        return self.known.ran.get(self._ids.get(key) or 0)

    def _results(self, applied: AbstractSet[Key]) -> dict[Key, MigrationResult]:
        return {each.key: each for each in self.evidence.judge(applied).results}

    def _asked(self, keys: Iterable[Key]) -> set[Key]:
        return {key for key in keys if not self.apps or key.app in self.apps}

    @property
    def _parents(self) -> Mapping[Key, tuple[Key, ...]]:
        return self.evidence.state.parents

    @cached_property
    def _children(self) -> Mapping[Key, Sequence[Key]]:
        found: defaultdict[Key, list[Key]] = defaultdict(list)
        for key, parents in self._parents.items():
            for parent in parents:
                found[parent].append(key)
        return found

    def _ancestors(self, keys: Iterable[Key]) -> frozenset[Key]:
        return _reached(keys, self._parents)

    def _descendants(self, keys: Iterable[Key]) -> frozenset[Key]:
        return _reached(keys, self._children)

    def _ordered(self, keys: Collection[Key]) -> list[Key]:
        return [key for key in self.evidence.history.order if key in keys]


def _reached(keys: Iterable[Key], edges: Mapping[Key, Sequence[Key]]) -> frozenset[Key]:
    """The keys, and all that is reached from them."""
    found: set[Key] = set()
    todo = list(keys)
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo.extend(edges.get(key, ()))
    return frozenset(found)
