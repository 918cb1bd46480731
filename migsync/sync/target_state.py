"""What a database holds, with the target that it was read of, and what that shows of names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migsync.findings.contents import NOT_RUN, ran_elsewhere, runs_twice
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.clock import Clock
from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.record import Record
from migsync.rewrites.translation import UNDECIDED
from migsync.sync.journal.contents import digests_seen
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.planner import changed_ids
from migsync.sync.provenance import Provenance, contents_that_ran, noted_in_database
from migsync.sync.run import Run
from migsync.sync.target import Snapshot, Target
from migsync.sync.unknown_records import UNEXPLAINED

if TYPE_CHECKING:
    from migsync.rewrites.evidence.discovery import Discovery


@dataclass(frozen=True)
class DatabaseState:
    """What one database holds, which need not be there: it may be that which a commit would have made.

    `unseen` is empty, or how to let migsync see the journal where the database does not say whether there is one.
    """

    ref: TargetRef
    held: Snapshot
    clock: Clock
    unseen: str = ""


@dataclass(frozen=True)
class TargetState(DatabaseState):
    """One target and what it held when it was read."""

    target: Target = field(kw_only=True)


def unexplained_apps(plan: Plan) -> set[str]:
    """The apps with records that neither the files nor the rewrites explain."""
    codes = UNEXPLAINED | {"squashed-record", "inconsistent-history"}
    return {finding.app for finding in plan.findings if finding.code in codes and finding.app in plan.fingerprints}


def doubtful_apps(plan: Plan) -> set[str]:
    """The apps with records that may bear the name of another migration, by what ran under them."""
    codes = NOT_RUN | {ran_elsewhere.code, runs_twice.code}
    return {finding.app for finding in plan.findings if finding.code in codes and finding.app in plan.fingerprints}


def with_questions(plan: Plan, found: Discovery, apps: Collection[str]) -> Plan:
    """The plan with the open questions about `apps` first; what only follows from one of them is not reported again."""
    asked = {new for pair in found.open_pairs if pair.app in apps for new in pair.news}
    rest = (each for each in plan.findings if each.code != runs_twice.code or Key(each.app, each.name) not in asked)
    return replace(plan, findings=(*found.questions(apps), *rest))


def afterwards(records: Sequence[Record], plan: Plan) -> list[Record]:
    """The records as the plan would leave them."""
    gone = {change.before for change in plan.changes}
    return [record for record in records if record not in gone] + [
        change.after for change in plan.changes if change.after
    ]


def ids_answered_for(state: DatabaseState, plan: Plan) -> Iterator[int]:
    """The ids of the rows for which a rewrite answers."""
    return changed_ids(state.held.runs, plan.changes, state.held.records, plan.passed)


def evidence_of(
    history: History, state: DatabaseState, plan: Plan, ran: Mapping[int, Provenance], leftovers: Collection[Key]
) -> DatabaseEvidence:
    """What a database shows of names: the records as its `plan` would leave them, and what ran under them."""
    held = state.held
    # Where it is open what a record means, it shows nothing.
    undecided = {finding.app for finding in plan.findings if finding.code in UNDECIDED}
    records = [
        record
        for record in afterwards(held.records, plan)
        if record.key not in leftovers and record.app not in undecided
    ]
    return DatabaseEvidence(
        state.ref.alias,
        records,
        held.records,
        (digests_seen(held.seen), *(run.digests for run in held.runs)),
        certain=contents_that_ran(history, noted_in_database(ran), ids_answered_for(state, plan)),
        presumed=contents_that_ran(history, ran, ids_answered_for(state, plan)),
        given=frozenset(_given(history, (*held.runs, plan), frozenset(records))),
    )


def _given(history: History, runs: Iterable[Run | Plan], records: Collection[Record]) -> Iterator[Key]:
    """The names that runs gave to records, and whose files are as they were then."""
    for run in runs:
        for key in (change.after.key for change in run.changes if change.after in records and change.after):
            file = history.migrations.get(key)
            if file and file.digest and file.digest == run.digests.get(str(key)):
                yield key
