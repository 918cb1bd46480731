"""Plans for many targets with the same records but for their times: what is the same for all is planned once.

A plan depends on the times of the records by their order, and by how they compare with the moments that rewrites state.
So the plan of one target is taken over for another one whose times have the same order and give the same answers. What
else a plan may look at is left to each target: contents of the journal, tables, records that no file explains.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from migsync.history.graph import History
from migsync.rewrites.clock import Clock
from migsync.rewrites.record import Record
from migsync.rewrites.stored_records import FingerprintForm, StoredFingerprints, StoredRecords
from migsync.sync.plan import Change, Plan
from migsync.sync.provenance import Provenance
from migsync.sync.run import Run
from migsync.sync.stored_changes import StoredChanges, touched_ids
from migsync.sync.target_state import DatabaseState, afterwards

OWN_FACTS = frozenset({"applied", "run", "number"})
"""Facts of a finding that tell of the very rows or runs of one target. Ids of rows are the same in all."""


class _Answer(NamedTuple):
    """What a clock was asked about the time at one place of the order, and answered."""

    newer: bool
    rank: int
    moment: str
    answer: bool


@dataclass(frozen=True)
class _AskedClock(Clock):
    """Notes each time that it is asked about, with its answer. `ranks` has the places of the times in their order."""

    ranks: Mapping[str, int] = field(default_factory=dict)
    answers: dict[_Answer, None] = field(default_factory=dict)
    unknown: list[str | None] = field(default_factory=list)
    """Times that are not among them, or that were asked for as such."""

    def older(self, applied: str | None, moment: str) -> bool:
        return self._noted(False, applied, moment, Clock(self.naive_is_utc).older(applied, moment))

    def newer(self, applied: str | None, moment: str) -> bool:
        return self._noted(True, applied, moment, Clock(self.naive_is_utc).newer(applied, moment))

    def span(self, applied: str | None) -> tuple[float, float] | None:
        self.unknown.append(applied)
        return super().span(applied)

    def _noted(self, newer: bool, applied: str | None, moment: str, answer: bool) -> bool:
        rank = self.ranks.get(applied or "")
        if rank is None:
            self.unknown.append(applied)
        else:
            self.answers[_Answer(newer, rank, moment, answer)] = None
        return answer


@dataclass(frozen=True)
class _Times:
    """The times of a target's records: in their order, each once, and for each record its place among these."""

    ordered: list[str]
    ranks: tuple[int, ...]
    missing: tuple[int, ...]

    @classmethod
    def of(cls, applied: Sequence[str | None]) -> _Times:
        texts = [text or "" for text in applied]
        ordered = sorted(set(texts))
        places = {text: place for place, text in enumerate(ordered)}
        missing = tuple(place for place, text in enumerate(applied) if text is None) if "" in places else ()
        return cls(ordered, tuple(map(places.__getitem__, texts)), missing)

    @property
    def by_text(self) -> dict[str, int]:
        return {text: place for place, text in enumerate(self.ordered)}


@dataclass(frozen=True)
class _Example:
    """A plan that others may take over."""

    plan: Plan
    times: _Times
    answers: Sequence[_Answer]
    before: FingerprintForm
    after: FingerprintForm
    digests: Sequence[object]
    """Those of the runs, by whose identity it is found: as long as it is kept, nothing else has that."""

    @classmethod
    def of(cls, state: DatabaseState, plan: Plan, times: _Times, answers: Iterable[_Answer]) -> _Example:
        """The plan that was made for the state."""
        records, places = state.held.records, times.by_text
        before = FingerprintForm(records, plan.fingerprints, places)
        touched = {row.app for change in plan.changes for row in (change.before, change.after) if row}
        # Those of the apps that it does not touch stay.
        stay = plan.fingerprints.keys() == plan.fingerprints_after.keys()
        apps = [app for app in plan.fingerprints_after if not stay or app in touched]
        after = FingerprintForm(afterwards(records, plan), apps, places) if plan.changes else before
        return cls(plan, times, tuple(answers), before, after, [run.digests for run in state.held.runs])

    def fits(self, clock: Clock, times: _Times) -> bool:
        """Whether the clock would have given the same answers about these times."""
        return all(
            (clock.newer if each.newer else clock.older)(times.ordered[each.rank], each.moment) is each.answer
            for each in self.answers
        )

    def taken_over(self, state: DatabaseState, records: StoredRecords, times: _Times) -> Plan:
        """The plan for another target, with its records."""
        plan = self.plan
        before = StoredFingerprints(self.before, records)
        after = before if self.after is self.before else StoredFingerprints(self.after, records, before)
        made = replace(plan, target=state.ref, fingerprints=before, fingerprints_after=after)
        if not plan.changes:
            return made
        theirs = dict(zip(self.times.ordered, times.ordered, strict=True))

        def moved(record: Record | None) -> Record | None:
            return record and (record._replace(applied=theirs[record.applied]) if record.applied else record)

        return replace(
            made, changes=tuple(Change(moved(each.before), moved(each.after), each.cause) for each in plan.changes)
        )


class SharedPlans:
    """Plans each target, or takes over the plan of one before it."""

    def __init__(self, history: History) -> None:
        self._explained = history.migrations.keys() | {
            key for migration in history.migrations.values() for key in migration.replaces
        }
        self._own = history.first_party
        self._examples: dict[Hashable, list[_Example]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def plan(
        self,
        state: DatabaseState,
        ran: Mapping[int, Provenance],
        make: Callable[[DatabaseState], Plan],
        *,
        asks_more: Callable[[Plan], bool],
        given: Hashable = (),
    ) -> Plan:
        """The plan that `make` makes for the state. `given` is what else it depends on.

        `asks_more` says whether more than the records and the runs was looked at for a plan.
        """
        records = state.held.records
        if not isinstance(records, StoredRecords):
            return make(state)
        times = _Times.of(records.applied)
        # What ran is the same mapping for all targets for which it is the same, and so are the names.
        kind = (id(records.shared), id(ran), times.ranks, times.missing, _runs(state.held.runs), state.unseen, given)
        found = self._examples.setdefault((*kind, state.clock), [])
        for example in found:
            if example.fits(state.clock, times):
                return example.taken_over(state, records, times)
        clock = _AskedClock(state.clock.naive_is_utc, times.by_text)
        plan = make(replace(state, clock=clock))
        if not clock.unknown and self._can_be_shared(state, plan, clock, times) and not asks_more(plan):
            found.append(_Example.of(state, plan, times, clock.answers))
            self._count += 1
        return plan

    def _can_be_shared(self, state: DatabaseState, plan: Plan, clock: _AskedClock, times: _Times) -> bool:
        runs = state.held.runs
        moments = {run.at for run in runs}
        return not (
            plan.returned
            or any(isinstance(run.changes, StoredChanges) and run.changes.decoded for run in runs)
            or any(each.moment in moments for each in clock.answers)
            or any(OWN_FACTS & finding.facts.keys() for finding in plan.findings)
            or any(
                row.applied and row.applied not in clock.ranks
                for change in plan.changes
                for row in (change.before, change.after)
                if row
            )
            or any(
                record.key not in self._explained
                for record in afterwards(state.held.records, plan)
                if record.app in self._own
            )
        )


def _runs(runs: Sequence[Run]) -> Hashable:
    """What a plan takes from the journal without looking at its changes."""
    places = {run.id: place for place, run in enumerate(runs)}
    return tuple(
        (
            run.number,
            run.kind,
            places.get(run.undoes, run.undoes),
            tuple(rewrite.id for rewrite in run.passed),
            tuple(rewrite.id for rewrite in run.returned),
            touched_ids(run.changes),
            id(run.digests),
        )
        for run in runs
    )
