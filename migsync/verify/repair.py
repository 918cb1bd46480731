"""What to record, and what not, so that the records say what is in the database; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from migsync.findings import Finding
from migsync.findings import repair as entries
from migsync.key import Key
from migsync.sync.journal.contents import Event, SeenContents
from migsync.sync.provenance import Provenance
from migsync.sync.stated_records import RAN
from migsync.verify.candidates import NOT_WHOLE, Candidates
from migsync.verify.composition import MigrationResult, State
from migsync.verify.renamed_tables import renamed_tables
from migsync.verify.report import outcomes_in_words
from migsync.verify.verification import SchemaEvidence


@dataclass(frozen=True)
class Repair:
    """The migrations to record, those to unrecord, and what is to be said.

    `inferred` are those to record that leave no trace, and on which others depend that are there. `after` is what then
    counts as recorded.
    """

    record: tuple[Key, ...] = ()
    unrecord: tuple[Key, ...] = ()
    inferred: tuple[Key, ...] = ()
    findings: tuple[Finding, ...] = ()
    after: frozenset[Key] = frozenset()

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
        graph, applied = self._candidates, self.evidence.applied
        best = graph.best()
        coming, going = best - applied, applied - best
        coming &= graph.ancestors(self._asked(coming))
        going &= graph.descendants(self._asked(going))
        others = self._others(applied, going)
        going = self._without_renamed(going, others)
        after = (applied | coming) - going
        custom = {trace.key for trace in self.evidence.traces if trace.custom}
        found = graph.results(after)
        inferred = self._ordered({key for key in coming if found[key].state is not State.PRESENT})
        findings = [*self._refused(after), *self._contradictions(coming, going)]
        if inferred:
            code = [key for key in inferred if key in custom]
            findings.append(entries.inferred_records(migrations=inferred, custom=code, accepted=self.accept))
        if code := self._ordered(going & custom):
            absent = self._ordered(going - custom)
            findings.append(entries.code_runs_again(migrations=code, absent=absent, accepted=self.accept))
        findings += self._left(found, after, others)
        if pending := list(self._at_the_end(found, after, coming)):
            code = [key for key in pending if key in custom]
            findings.append(entries.no_trace_pending(migrations=pending, custom=code))
        record, unrecord = self._ordered(coming), self._ordered(going)
        return Repair(tuple(record), tuple(reversed(unrecord)), tuple(inferred), tuple(findings), frozenset(after))

    def _refused(self, after: AbstractSet[Key]) -> Iterator[Finding]:
        """What is there, and cannot be recorded because what it depends on is not."""
        for gap, above in self._candidates.gaps(after):
            if above and self._asked([gap.key]):
                yield entries.record_not_closed(
                    migration=gap.key,
                    above=self._ordered(above),
                    parts=outcomes_in_words(gap.differences),
                    reason=gap.reason,
                    partly=gap.state is State.PARTIAL,
                )

    def _contradictions(self, coming: AbstractSet[Key], going: AbstractSet[Key]) -> Iterator[Finding]:
        last = {each.key: each.event for each in self.known.seen}
        for key in self._ordered(coming):
            if last.get(key) is Event.UNAPPLIED:
                yield entries.schema_contradicts_run(migration=key, recorded=False)
        for key in self._ordered(going):
            known = self._provenance(key)
            if known and known.source in RAN and not known.unapplied:
                yield entries.schema_contradicts_run(migration=key, recorded=True, source=str(known.source))

    def _others(self, applied: AbstractSet[Key], going: AbstractSet[Key]) -> Mapping[Key, Sequence[str]]:
        """Tables that no migration makes and that may be those of a migration, which are gone under their own names.

        Also all that begin with the name of an app that would lose all its records. They may be from files of before a
        reset: the database has another history, and is not without one.
        """
        renamed = renamed_tables(self.evidence.traces, applied, self.evidence.live)
        lost = {key.app for key in going} - {key.app for key in applied - going}
        tables = [part.name for part in self.evidence.judge(applied - going).unexplained if part.kind == "table"]
        found = {key: {each for each in tables if key.app in lost and each.startswith(f"{key.app}_")} for key in going}
        for trace in self.evidence.traces:
            own = {other for _, table, *_ in trace.changes for other in renamed.get(table, ())}
            found[trace.key] = found.get(trace.key, set()) | own
        return {key: sorted(each) for key, each in found.items() if each}

    def _without_renamed(self, going: AbstractSet[Key], others: Mapping[Key, Sequence[str]]) -> frozenset[Key]:
        """Those to take out, without what may be there under another name, and without what then may stay as well."""
        graph = self._candidates
        going -= graph.ancestors(going & others.keys())
        found, applied = graph.results(self.evidence.applied), self.evidence.applied
        reasons = {
            key
            for key in going
            if key not in found or found[key].state is not State.NO_TRACE or not applied >= set(graph.parents(key))
        }
        return graph.descendants(reasons) & going

    def _left(
        self, found: Mapping[Key, MigrationResult], after: AbstractSet[Key], others: Mapping[Key, Sequence[str]]
    ) -> Iterator[Finding]:
        """What stays as it is although the tables say otherwise, or nobody can tell."""
        for key in self._ordered(self._asked(found)):
            each, parts = found[key], outcomes_in_words(found[key].differences)
            if key in after and each.state in NOT_WHOLE:
                yield entries.record_in_doubt(
                    migration=key,
                    parts=parts,
                    reason=each.reason,
                    absent=each.state is State.ABSENT,
                    others=others.get(key, ()),
                )
            elif each.state is State.PARTIAL:
                yield entries.half_applied(
                    migration=key, there=outcomes_in_words(each.there), missing=parts, others=others.get(key, ())
                )

    def _at_the_end(
        self, found: Mapping[Key, MigrationResult], after: AbstractSet[Key], coming: AbstractSet[Key]
    ) -> Iterator[Key]:
        """What leaves no trace and comes right after something that gets its record now: it may have run as well."""
        reached = set(coming)
        for key in self._ordered(found):
            parents = self._candidates.parents(key)
            if (
                key not in after
                and found[key].state is State.NO_TRACE
                and any(each in reached for each in parents)
                and all(each in after or each in reached for each in parents)
            ):
                reached.add(key)
                yield key

    @cached_property
    def _candidates(self) -> Candidates:
        # Where another file ran under the name, nobody knows what is to be there.
        fixed = {
            row.key for row in self.evidence.records if (known := self.known.ran.get(row.id or 0)) and known.versions
        }
        return Candidates(self.evidence, fixed)

    @cached_property
    def _ids(self) -> Mapping[Key, int | None]:
        return {record.key: record.id for record in self.evidence.records}

    def _provenance(self, key: Key) -> Provenance | None:
        return self.known.ran.get(self._ids.get(key) or 0)

    def _asked(self, keys: Iterable[Key]) -> set[Key]:
        return {key for key in keys if not self.apps or key.app in self.apps}

    def _ordered(self, keys: Collection[Key]) -> list[Key]:
        return [key for key in self.evidence.history.order if key in keys]
