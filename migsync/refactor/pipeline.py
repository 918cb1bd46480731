"""The one way of every rewriting command from what it wants to what can be shown and committed; nothing here writes.

:func:`make_draft` takes the ground (:mod:`.ground`) and a Reshape: it has the files worked out
(:mod:`migsync.files.builder`), asks every database what follows for it (:mod:`.databases`), and has the result proven
(:mod:`migsync.proof`). The Draft holds everything there is to show, and what a commit needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from migsync.files.builder import make_proposal
from migsync.files.proposal import Proposal
from migsync.files.reshape import Reshape
from migsync.findings import Finding
from migsync.findings.targets import applied_names, unreachable_target
from migsync.history import History
from migsync.history.graph import relabelled
from migsync.history.migration import Key
from migsync.progress import counted, step
from migsync.project import Project
from migsync.proof.fact import Fact
from migsync.proof.proof import Recorded, overlay, prove
from migsync.proof.scope import DatabaseProof
from migsync.refactor.changed_history import with_changes
from migsync.refactor.databases import chosen_databases, database_findings
from migsync.refactor.ground import Ground, Terms, plan_for
from migsync.refactor.overlap import with_overlap
from migsync.rewrites.record import Record
from migsync.sync.plan import Plan
from migsync.sync.plan_groups import finding_groups
from migsync.sync.survey import Survey
from migsync.sync.target_state import afterwards
from migsync.worker.client import Worker, workers_ahead

CONSENT = frozenset({applied_names.code, unreachable_target.code})
"""Refusals that an option lifts: a dry run makes the proof all the same, so that one look shows everything."""


@dataclass(frozen=True)
class Draft:
    """A proposal with its proof and, for each readable target, the plan that follows from it.

    `findings` are all of them in the order to be read: one that blocks refuses. `facts` say what was proven. `chosen`
    are the aliases whose plans are applied in the same step. `later` are those that are synced later: databases
    that would change and are not chosen, and those that could not be read. `records` are the rows of each target.
    """

    proposal: Proposal
    history: History
    plans: tuple[Plan, ...] = ()
    chosen: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: tuple[Fact, ...] = ()
    later: tuple[str, ...] = ()
    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)

    @property
    def blocked(self) -> bool:
        """True when a finding refuses it."""
        return any(finding.blocks for finding in self.findings)

    @property
    def empty(self) -> bool:
        """True when nothing would change."""
        return self.proposal.empty

    @property
    def updates(self) -> tuple[Plan, ...]:
        """The plans that are applied in the same step as the files change."""
        return tuple(plan for plan in self.plans if plan.target.alias in self.chosen and not plan.empty)


def make_draft(ground: Ground, reshape: Reshape, terms: Terms) -> Draft:
    """Work `reshape` out, and judge it for every target that can be read; where it is refused, try its other ways."""
    with _workers(ground, reshape) as workers:
        first = draft = _draft(ground, reshape, terms, workers)
    while (refusals := _refusals(draft)) and reshape.otherwise and (other := reshape.otherwise(refusals)):
        reshape = other
        draft = _draft(ground, reshape, terms)
    # If no way leads there, the way that was asked for is the one to talk about.
    return first if refusals else draft


def _workers(ground: Ground, reshape: Reshape) -> AbstractContextManager[Sequence[Worker]]:
    """The processes of the proof, started while the proposal is still worked out, where there will be one."""
    # Processes that have started bear the labels of today already.
    if reshape.empty or reshape.blocked or reshape.keys.labels:
        return nullcontext(())
    project = ground.survey.project
    return workers_ahead(project.runtime() if project.runnable else None)


def _refusals(draft: Draft) -> list[Finding]:
    return [finding for finding in draft.findings if finding.blocks and finding.code not in CONSENT]


def _draft(ground: Ground, reshape: Reshape, terms: Terms, workers: Sequence[Worker] = ()) -> Draft:
    survey = ground.survey
    with step("Working out the new files"):
        proposal = make_proposal(
            survey.history, survey.rewrites, reshape, root=survey.project.root, created=terms.created
        )
        if proposal.rewrite and survey.proposed and survey.proposed.id in proposal.rewrite.parents:
            proposal = replace(proposal, found=survey.proposed)
    # A max_migration.txt alone is of no matter to Django and to databases: there is nothing to prove.
    if proposal.blocked or proposal.empty or not (proposal.rewrite or overlay(proposal.files)):
        return Draft(proposal, survey.history, findings=tuple(finding_groups(proposal.findings)))
    history = history_after(survey.project, survey.history, proposal)
    plans = {
        alias: plan_for(ground, it.state, history, proposal)
        for alias, it in counted("Planning databases with the new files", list(ground.databases.items()))
    }
    only_names = reshape.only_names(survey.history.migrations)
    chosen = () if only_names else chosen_databases(ground, terms)
    findings = [*ground.findings, *proposal.findings, *(finding for finding in history.findings if finding.blocks)]
    findings += database_findings(ground, plans, reshape, chosen, terms)
    facts: Sequence[Fact] = ()
    # The proof takes long, and what is refused anyway needs none; nor does a label that all files bear already.
    refused = any(finding.blocks and not (terms.dry_run and finding.code in CONSENT) for finding in findings)
    if proposal.files and not refused:
        recorded = [] if only_names else list(_recorded(ground, plans))
        proof = prove(survey.project, proposal, recorded, workers=workers)
        findings += (with_overlap(finding, survey.history, reshape.keys.renamed) for finding in proof.findings)
        facts = () if proof.blocked else proof.facts.proven
        if terms.scope.any and not proof.blocked:
            shown = _by_databases(survey, proposal, history, terms, reshape.explain)
            findings += shown.findings
            facts = (*facts, *shown.facts)
    later = [alias for alias, plan in plans.items() if plan.changes and alias not in chosen]
    return Draft(
        proposal,
        history,
        tuple(plans.values()),
        chosen,
        tuple(finding_groups(map(reshape.explain, findings))),
        tuple(facts),
        (*later, *survey.errors),
        {alias: database.records for alias, database in ground.databases.items()},
    )


def _recorded(ground: Ground, plans: Mapping[str, Plan]) -> Iterator[Recorded]:
    """What each database has recorded when the rewrites of today are applied, and when the new one is as well."""
    for alias, database in ground.databases.items():
        after = frozenset(row.key for row in afterwards(database.records, plans[alias]))
        yield Recorded(alias, database.applied, after)


def _by_databases(
    survey: Survey, proposal: Proposal, history: History, terms: Terms, explain: Callable[[Finding], Finding]
) -> DatabaseProof:
    from migsync.proof.databases import Histories, prove_by_databases  # what it needs is slow to import

    pair = Histories(survey.history, history, survey.rewrites)
    return prove_by_databases(
        survey.project,
        proposal,
        pair,
        terms.scope,
        unreachable=survey.errors,
        skipping=terms.allow_applied or terms.assume_deployed,
        explain=explain,
    )


def history_after(project: Project, history: History, proposal: Proposal) -> History:
    """The history as the proposal's files will make it; only files that change are parsed."""
    complete = not project.static
    for label, app in proposal.rewrite.apps.items() if proposal.rewrite else ():
        if app.origin:
            history = relabelled(history, app.origin, label, project.settings, complete=complete)
    return with_changes(
        project, history, proposal.files, stated=lambda key: _stated_digest(proposal, key), complete=complete
    )


def _stated_digest(proposal: Proposal, key: Key) -> str:
    """What the proposal's rewrite says the operations of a new file come to; empty where it does not say."""
    changed = proposal.rewrite.apps.get(key.app) if proposal.rewrite else None
    return changed.digests_after.get(key.name, "") if changed else ""
