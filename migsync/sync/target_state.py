"""What a database holds, with the target that it was read of, and what that shows of names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migsync.errors import MigsyncError
from migsync.findings.contents import NOT_RUN, ran_elsewhere, runs_twice
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.position import Clock, KnownContents
from migsync.rewrites.record import Record
from migsync.sync.journal.contents import certain_contents
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.planner import changed_ids
from migsync.sync.provenance import Provenance, contents_that_ran
from migsync.sync.target import Snapshot, Target
from migsync.sync.unknown_records import UNEXPLAINED

if TYPE_CHECKING:
    from migsync.rewrites.evidence.discovery import WhatRan
    from migsync.rewrites.evidence.statements import DatabaseEvidence


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


def open_records(state: DatabaseState, plan: Plan, leftovers: Collection[Key]) -> list[Record]:
    """What is to be explained: the records as the plan would leave them, without the leftovers that are listed."""
    return [record for record in afterwards(state.held.records, plan) if record.key not in leftovers]


def afterwards(records: Sequence[Record], plan: Plan) -> list[Record]:
    """The records as the plan would leave them."""
    gone = {change.before for change in plan.changes}
    return [record for record in records if record not in gone] + [
        change.after for change in plan.changes if change.after
    ]


def known_certainly(state: DatabaseState, plan: Plan) -> WhatRan:
    """What ran under the records, where that is certain and no rewrite answers for it."""
    return certain_contents(state.held.seen, state.held.records, ids_answered_for(state, plan))


def presumed(
    history: History, states: Sequence[DatabaseState], plans: Sequence[Plan], ran: Sequence[Mapping[int, Provenance]]
) -> list[KnownContents]:
    """For each target what ran there, also where it only follows from the time."""
    return [
        contents_that_ran(history, known, ids_answered_for(state, plan))
        for state, plan, known in zip(states, plans, ran, strict=True)
    ]


def ids_answered_for(state: DatabaseState, plan: Plan) -> Iterator[int]:
    """The ids of the rows for which a rewrite answers."""
    return changed_ids(state.held.runs, plan.changes, state.held.records, plan.passed)


def names_shown(
    states: Sequence[DatabaseState], plans: Sequence[Plan], errors: Mapping[str, MigsyncError]
) -> DatabaseEvidence:
    """What the databases show of names; `plans` has the plan of each state, `errors` what could not be read."""
    from migsync.rewrites.evidence.statements import DatabaseEvidence  # most plans have no open question

    recorded, ran = {}, {}
    for state, plan in zip(states, plans, strict=True):
        alias, left = state.ref.alias, afterwards(state.held.records, plan)
        recorded[alias] = frozenset(record.key for record in (*state.held.records, *left))
        certain = known_certainly(state, plan)
        ran[alias] = {record.key: certain[record.id]().digest for record in state.held.records if record.id in certain}
    return DatabaseEvidence(recorded, ran, {alias: error.found for alias, error in errors.items()})
