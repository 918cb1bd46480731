"""The plans of all targets together: a second time where the records of one of them are not explained."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING

from migsync.findings import Finding
from migsync.findings.pairs import changed_operations
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.progress import counted
from migsync.project import Project
from migsync.rewrites.evidence.pairs import Pair
from migsync.rewrites.labels import Labels
from migsync.rewrites.name_changes import NameChanges
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.gone_records import with_gone
from migsync.sync.lost_labels import asks_for_tables, with_lost_labels
from migsync.sync.plan import Plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.provenance import Provenance, accounted
from migsync.sync.prune import matching, patterns_in
from migsync.sync.shared_plans import SharedPlans
from migsync.sync.stated_records import NONE_STATED, StatedRecords, repaired, with_unapplied
from migsync.sync.target_state import (
    DatabaseState,
    afterwards,
    doubtful_apps,
    evidence_of,
    unexplained_apps,
    with_questions,
)

if TYPE_CHECKING:
    from migsync.rewrites.evidence.discovery import Discovery
    from migsync.rewrites.git import GitHistory


@dataclass(frozen=True)
class JointPlans:
    """The plans, one for each target, with the rewrite that they rest on, and the pairs that only a person can settle.

    `findings` are about the files.
    """

    plans: tuple[Plan, ...]
    findings: Sequence[Finding] = ()
    proposed: Rewrite | None = None
    open_pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class TargetPlanner:
    """Plans every target, in one pass or two.

    Most plans explain every record, and the first pass is all. The others are made a second time, with what the
    evidence of all targets together has shown: a rewrite serves every database, so it must not be made from one of them
    alone.

    `ran` is what ran in each of the `states`, in their order. `asked` are changes of names that are stated and that no
    rewrite says yet, by app; `unread` the databases that could not be read, with the reason. `created` is the moment of
    a proposed rewrite, and `git` has the older files, where it is not that of the apps' own repositories.
    `shared` has plans of the first pass that were made before, for the same files, rewrites and request.
    """

    project: Project
    history: History
    rewrites: Rewrites
    request: PlanRequest
    states: Sequence[DatabaseState]
    ran: Sequence[Mapping[int, Provenance]]
    options: PlanOptions
    asked: Mapping[str, NameChanges]
    unread: Mapping[str, str]
    created: str
    git: GitHistory | None = None
    shared: SharedPlans | None = None

    def first(self) -> tuple[Plan, ...]:
        """The plans by the written rewrites alone."""
        return tuple(self._plan_all(self.rewrites, self._everywhere(self._as_written), self.shared))

    def finished(self, first: Sequence[Plan]) -> JointPlans:
        """The plans with all that was asked for; `first` are those of the first pass."""
        unexplained = [unexplained_apps(plan) for plan in first]
        doubtful = [doubtful_apps(plan) for plan in first]
        if not self.asked and not any(unexplained) and not any(doubtful):
            return JointPlans(tuple(self._finish(self.rewrites, self._everywhere(self._as_written), first)))
        return self._second(first, unexplained, self._discover(first, [*unexplained, *doubtful]))

    def _second(self, first: Sequence[Plan], unexplained: Sequence[Collection[str]], found: Discovery) -> JointPlans:
        judged = accounted(zip((state.held.records for state in self.states), self.ran, strict=True))
        # Where it is known what ran, the plans say what follows from an edit, if anything does.
        facts = [
            fact
            for fact in found.facts
            if fact.code != changed_operations.code or Key(fact.app, fact.name) not in judged
        ]
        known = self.rewrites.with_proposed(found.proposed)
        here = [
            found.at({record.key for record in afterwards(state.held.records, plan)}) if found.open_pairs else found
            for state, plan in zip(self.states, first, strict=True)
        ]
        stated = self.project.leftovers
        options = [replace(self._options, origins=replace(each.origins, stated=stated)) for each in here]
        plans = self._finish(known, options, self._plan_all(known, options))
        asked = tuple(starmap(with_questions, zip(plans, here, unexplained, strict=True)))
        return JointPlans(asked, facts, found.proposed, found.open_pairs)

    @cached_property
    def _patterns(self) -> tuple[list[str], tuple[str, ...]]:
        """The patterns of rows to remove, and those that are named."""
        return patterns_in(self.options.prune)

    @cached_property
    def _options(self) -> PlanOptions:
        """Without leftovers to remove and without what may be recorded: both are known last."""
        return replace(self.options, prune=self._patterns[1], stated=NONE_STATED)

    @cached_property
    def _as_written(self) -> PlanOptions:
        """Without the positions that may be those of a rewrite which only the statements make."""
        positions = {app: text for app, text in self.options.positions.items() if app not in self.asked}
        return replace(self._options, positions=positions)

    def _everywhere(self, options: PlanOptions) -> list[PlanOptions]:
        """The same options for each target."""
        return [options] * len(self.states)

    def _plan_all(
        self, rewrites: Rewrites, options: Sequence[PlanOptions], shared: SharedPlans | None = None
    ) -> list[Plan]:
        """A plan for each target, with options of its own."""
        shared = SharedPlans(self.history) if shared is None else shared
        return [
            self._plan(shared, rewrites, state, ran, each)
            for state, ran, each in zip(counted("Planning databases", self.states), self.ran, options, strict=True)
        ]

    def _plan(
        self,
        shared: SharedPlans,
        rewrites: Rewrites,
        state: DatabaseState,
        ran: Mapping[int, Provenance],
        options: PlanOptions,
    ) -> Plan:
        history, leftovers = self.history, self.project.leftovers

        def make(state: DatabaseState) -> Plan:
            held = state.held
            asked = replace(options, clock=state.clock, unseen_journal=state.unseen)
            plan = make_plan(history, rewrites, tuple(held.records), state.ref, runs=held.runs, ran=ran, options=asked)
            plan = with_gone(history, held, plan)
            return with_lost_labels(history, rewrites, state, plan, leftovers)

        if options.stated:
            return make(state)
        return shared.plan(
            state,
            ran,
            make,
            asks_more=lambda plan: asks_for_tables(history, rewrites, state, plan, leftovers),
            given=(tuple(options.prune), options.origins.asked),
        )

    def _finish(self, rewrites: Rewrites, options: Sequence[PlanOptions], plans: Sequence[Plan]) -> Sequence[Plan]:
        """The plans with the leftovers removed that fit a pattern, and with what a person states of the records."""
        patterns = self._patterns[0]
        stated = [self._stated(state.ref.alias) for state in self.states]
        if not patterns and not any(stated):
            return plans
        found = [matching(plan, patterns) for plan in plans]
        asked = [
            replace(each, stated=of_person, prune=(*each.prune, *names))
            for each, of_person, (names, _) in zip(options, stated, found, strict=True)
        ]
        finished = []
        for state, plan, (_, findings) in zip(self.states, self._plan_all(rewrites, asked), found, strict=True):
            plan = with_unapplied(state.held.seen, plan, stated=self.options.against_evidence)
            finished.append(replace(plan, findings=(*plan.findings, *findings)))
        return finished

    def _stated(self, alias: str) -> StatedRecords:
        """What is to be recorded there, or not: as the database shows it, or a person states it for all."""
        found = self.request.repairs.get(alias)
        return repaired(found, self.history) if found else self.options.stated

    def _discover(self, first: Sequence[Plan], open_apps: Sequence[Collection[str]]) -> Discovery:
        from migsync.rewrites.evidence.discovery import discover  # much code, and most plans have no open question
        from migsync.rewrites.evidence.rendered import Renderings
        from migsync.rewrites.evidence.statements import Statements

        leftovers = self.project.leftovers
        return discover(
            self.history,
            Labels(self.rewrites).view,
            self.asked.keys() | set().union(*open_apps),
            [
                evidence_of(self.history, state, plan, known, leftovers)
                for state, plan, known in zip(self.states, first, self.ran, strict=True)
            ],
            Statements(self.asked, self.request.accept, self.request.against_evidence, self.unread),
            created=self.created,
            renderings=Renderings(self.project.runtime, self.project.cache.with_suffix(".tables")),
            git=self.git,
        )
