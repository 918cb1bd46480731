"""The one way of every rewriting command: survey, propose, prove; what was shown can then be committed.

Nothing here writes. :func:`make_draft` gives a value that holds everything there is to show, and what a commit needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.files.builder import make_proposal
from migsync.files.proposal import Proposal, Reshape
from migsync.findings import Finding, Severity
from migsync.history import History, build_history, read_migration
from migsync.history.graph import relabelled
from migsync.history.migration import Key, Migration
from migsync.project import Project
from migsync.proof.proof import Recorded, prove
from migsync.proof.states import DIFFERS
from migsync.proof.wishes import Outcome, Wishes
from migsync.rewrites.record import Record
from migsync.sync.leftovers import Origins
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.planning import Reading, Survey, afterwards
from migsync.sync.schemas import UNNAMED
from migsync.words import sample
from migsync.worker.client import Worker, workers_ahead

STATE = frozenset({DIFFERS, "model-changes"})
OTHER_ROWS = "data-differs"
CONSENT = frozenset({"applied-names", "unreachable-target"})
"""Refusals that an option lifts: the proof is made all the same, so that one look shows everything."""


@dataclass(frozen=True)
class Terms:
    """On which terms files may be rewritten.

    `databases` are the aliases to be updated in the same step when `update_db` is set; none means all. `allow_applied`
    lets names change that a database holds, which is then synced later. `created` is UTC text, for the rewrite.
    `wishes` are what is proven on scratch databases, beyond what every proof looks at. `assume_deployed` takes targets
    that cannot be read to be in order; they are synced later.
    """

    update_db: bool = False
    allow_applied: bool = False
    databases: tuple[str, ...] = ()
    created: str = ""
    wishes: Wishes = field(default_factory=Wishes)
    assume_deployed: bool = False


@dataclass(frozen=True)
class Ground:
    """What a rewriting command starts from: the survey, and for each readable target its plan as of now."""

    survey: Survey
    readings: tuple[Reading, ...]
    pending: tuple[Plan, ...]

    @property
    def applied(self) -> tuple[frozenset[Key], ...]:
        """For each target the keys that are recorded once the rewrites that it is behind are applied."""
        return tuple(
            frozenset(record.key for record in afterwards(reading.records, plan))
            for reading, plan in zip(self.readings, self.pending, strict=True)
        )


@dataclass(frozen=True)
class Draft:
    """A proposal with its proof and, for each readable target, the plan that follows from it.

    `findings` are all of them in the order to be read: one that blocks refuses. `facts` say what was proven. `chosen`
    are the aliases whose plans are applied in the same step; the others are synced later.
    """

    proposal: Proposal
    history: History
    plans: tuple[Plan, ...] = ()
    chosen: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

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


def survey_ground(survey: Survey, databases: Sequence[str]) -> Ground:
    """Read every target of the project, and those that are asked for by name though they are synced on demand only."""
    aliases = dict.fromkeys([*survey.project.databases, *databases])
    readings = tuple(survey.read_targets(list(aliases))) if aliases else ()
    return Ground(survey, readings, tuple(_plan(survey, reading, survey.history, None) for reading in readings))


def make_draft(ground: Ground, reshape: Reshape, terms: Terms) -> Draft:
    """Work `reshape` out, and judge it for every target that can be read; its other way, where it changes the state."""
    with _workers(ground, reshape) as workers:
        draft = _draft(ground, reshape, terms, workers)
    if reshape.otherwise and _changes_state(draft):
        other = _draft(ground, reshape.otherwise, terms)
        if not _changes_state(other) and not other.proposal.blocked:
            return other
    return draft


def _workers(ground: Ground, reshape: Reshape) -> AbstractContextManager[Sequence[Worker]]:
    """The processes of the proof, started while the proposal is still worked out, where there will be one."""
    changes = (reshape.touched, reshape.parents, reshape.dropped, reshape.created, reshape.pointed, reshape.settled)
    # Processes that have started bear the labels of today already.
    if reshape.labels or not any(changes) or any(finding.blocks for finding in reshape.findings):
        return nullcontext(())
    return workers_ahead(ground.survey.project)


def _changes_state(draft: Draft) -> bool:
    return any(finding.code in STATE and finding.blocks for finding in draft.findings)


def _draft(ground: Ground, reshape: Reshape, terms: Terms, workers: Sequence[Worker] = ()) -> Draft:
    survey = ground.survey
    proposal = make_proposal(survey.history, survey.rewrites, reshape, root=survey.project.root, created=terms.created)
    findings = _named(proposal.findings, ground)
    if proposal.blocked or proposal.empty:
        return Draft(proposal, survey.history, findings=tuple(dict.fromkeys(findings)))
    history = history_after(survey.project, survey.history, proposal)
    plans = tuple(_plan(survey, reading, history, proposal) for reading in ground.readings)
    chosen = _chosen(ground, terms)
    findings += [finding for finding in history.findings if finding.blocks]
    findings += _unreachable(survey, terms)
    findings += (_unknown_schemas(finding) for finding in survey.findings if finding.code == UNNAMED)
    for number, plan in enumerate(plans):
        findings += _target_findings(ground, number, plan, reshape, history, terms, chosen)
    facts: Sequence[str] = ()
    if not any(finding.blocks and finding.code not in CONSENT for finding in findings):
        proof = prove(survey.project, proposal, _recorded(ground, plans), workers=workers)
        findings += proof.findings
        facts = () if proof.blocked else proof.facts.words
        if terms.wishes.any and not proof.blocked:
            shown = _by_databases(survey, proposal, history, terms)
            findings += shown.findings
            facts = (*facts, *shown.facts)
    findings = [_advised(finding, reshape) for finding in findings]
    later = [plan.target.alias for plan in plans if plan.changes and plan.target.alias not in chosen]
    return Draft(
        proposal,
        history,
        plans,
        chosen,
        tuple(dict.fromkeys(findings)),
        tuple(facts),
        (*later, *survey.errors),
    )


def _advised(finding: Finding, reshape: Reshape) -> Finding:
    """An error with what the command says of it: of a new migration, what to do; of other rows, if they are meant."""
    if finding.code == OTHER_ROWS and reshape.left_out:
        why = f"Left out on purpose: {', '.join(map(str, reshape.left_out))}."
        return replace(finding, severity=Severity.WARNING, meaning=f"{finding.meaning} {why}")
    if finding.blocks and not finding.hint:
        key = Key(finding.app, finding.name)
        hint = reshape.advice.get((key, finding.operation)) or reshape.advice.get((key, 0), "")
        return replace(finding, hint=hint)
    return finding


def _by_databases(survey: Survey, proposal: Proposal, history: History, terms: Terms) -> Outcome:
    from migsync.proof.databases import Pair, prove_by_databases  # what it needs is slow to import

    pair = Pair(survey.history, history, survey.rewrites)
    return prove_by_databases(
        survey.project,
        proposal,
        pair,
        terms.wishes,
        unreachable=survey.errors,
        skipping=terms.allow_applied or terms.assume_deployed,
    )


def _named(findings: Iterable[Finding], ground: Ground) -> list[Finding]:
    """The findings with the databases' aliases in front, of which a pure command knows the numbers only."""
    aliases = [reading.target.alias for reading in ground.readings]

    def named(finding: Finding) -> Finding:
        found = f"{', '.join(aliases[number - 1] for number in finding.databases)}: {finding.found}"
        return replace(finding, found=found, databases=())

    return [named(finding) if finding.databases else finding for finding in findings]


def history_after(project: Project, history: History, proposal: Proposal) -> History:
    """The history as the proposal's files will make it; only files that change are parsed."""
    complete = not project.static
    for label, app in proposal.rewrite.apps.items() if proposal.rewrite else ():
        if app.origin:
            history = relabelled(history, app.origin, label, project.settings, complete=complete)
    directories = {Path(app.directory): label for label, app in history.apps.items() if app.directory}
    gone = {str(change.old_path) for change in proposal.files if change.old_path}
    found = {key: migration for key, migration in history.migrations.items() if migration.path not in gone}
    for change in proposal.files:
        path = change.new_path
        if path is not None and change.new is not None and path.suffix == ".py" and path.parent in directories:
            key = Key(directories[path.parent], path.stem)
            found[key] = read_migration(change.new, key, str(path), _stated_digest(proposal, key))
    place = {label: number for number, label in enumerate(history.apps)}
    ordered: list[Migration] = sorted(found.values(), key=lambda it: (place.get(it.key.app, -1), it.key))
    return build_history(ordered, history.apps.values(), project.settings, complete=complete)


def _stated_digest(proposal: Proposal, key: Key) -> str:
    """What the proposal's rewrite says the operations of a new file come to; empty where it does not say."""
    changed = proposal.rewrite.apps.get(key.app) if proposal.rewrite else None
    return changed.digests_after.get(key.name, "") if changed else ""


def _plan(survey: Survey, reading: Reading, history: History, proposal: Proposal | None) -> Plan:
    rewrites = survey.rewrites.with_proposed(proposal.rewrite if proposal else None)
    project = survey.project
    origins = Origins(stated=project.leftovers)
    options = PlanOptions(
        clock=reading.clock, trust_names=not project.journal, unseen_journal=reading.unseen, origins=origins
    )
    return make_plan(history, rewrites, reading.records, reading.target.ref, runs=reading.runs, options=options)


def _recorded(ground: Ground, plans: Sequence[Plan]) -> list[Recorded]:
    """What each target has recorded when the rewrites of today are applied, and when the new one is as well."""
    return [
        Recorded(reading.target.alias, before, frozenset(row.key for row in afterwards(reading.records, plan)))
        for reading, before, plan in zip(ground.readings, ground.applied, plans, strict=True)
    ]


def _chosen(ground: Ground, terms: Terms) -> tuple[str, ...]:
    """The aliases that are updated with the files; an alias that is another's database is that one."""
    if not terms.update_db:
        return ()
    known = [reading.target.alias for reading in ground.readings]
    return tuple(alias for alias in known if not terms.databases or alias in terms.databases)


def _unreachable(survey: Survey, terms: Terms) -> Iterator[Finding]:
    later = terms.allow_applied or terms.assume_deployed
    for alias, error in survey.errors.items():
        yield Finding(
            "unreachable-target",
            Severity.INFO if later and alias not in terms.databases else Severity.ERROR,
            f"{alias} could not be read: {error.found}",
            "What is applied there is not known. It will be synced later, by migsync apply."
            if later
            else "What is applied there is not known, and a new name may be wrong for it.",
            "" if later else "Make it reachable; or leave it for later: --allow-applied",
        )


def _unknown_schemas(warning: Finding) -> Finding:
    meaning = "What is applied in them is not known, and the changed files may be wrong for it."
    return replace(warning, severity=Severity.ERROR, meaning=meaning)


def _target_findings(
    ground: Ground,
    number: int,
    plan: Plan,
    reshape: Reshape,
    history: History,
    terms: Terms,
    chosen: Sequence[str],
) -> Iterator[Finding]:
    alias = plan.target.alias
    old = ground.survey.history
    recorded = ground.applied[number]
    before = [finding for finding in ground.pending[number].findings if finding.blocks]
    if own := [finding for finding in before if finding not in old.findings]:
        yield _blocked_before(alias, own, optional=terms.allow_applied and alias not in chosen)
        return
    yield from (_of_target(alias, finding) for finding in plan.findings if finding.blocks)
    touched = sorted(reshape.misread(recorded))
    if touched and not (terms.update_db or terms.allow_applied):
        yield _applied(alias, touched)
    after = {row.key for row in afterwards(_records(ground, number), plan)}
    if not plan.blocked and after != reshape.recorded(recorded):
        yield _unexpected(alias)
    reason = ground.readings[number].target.read_only
    if reason and alias in chosen and not plan.empty:
        yield _read_only(alias, reason)


def _records(ground: Ground, number: int) -> Sequence[Record]:
    return ground.readings[number].records


def _of_target(alias: str, finding: Finding) -> Finding:
    of_proposal = finding.code == "partial-collapse" and not finding.file
    hint = f"Migrate it first, with the files of today: python manage.py migrate {finding.app} --database {alias}"
    return replace(finding, found=f"{alias}: {finding.found}", hint=hint if of_proposal else finding.hint)


def _blocked_before(alias: str, findings: Sequence[Finding], *, optional: bool) -> Finding:
    return Finding(
        "target-blocked",
        Severity.WARNING if optional else Severity.ERROR,
        f"{alias} is not in order as it is: {findings[0].found}",
        "Its records must fit the files of today before the files change.",
        "See what it needs: migsync plan",
    )


def _applied(alias: str, touched: Sequence[Key]) -> Finding:
    return Finding(
        "applied-names",
        Severity.ERROR,
        f"{sample(touched, 3)} {'is' if len(touched) == 1 else 'are'} applied in {alias}.",
        "With other names on disk, migrate there would run again what ran already.",
        "Change the records in the same step: --update-db. Or let migsync apply do it later: --allow-applied",
        app=touched[0].app,
    )


def _unexpected(alias: str) -> Finding:
    return Finding(
        "unexpected-plan",
        Severity.ERROR,
        f"{alias}: its records would not follow the files.",
        "It cannot be told which of its names are those from before the rewrite and which those from after it.",
        "Bring it in line first: migsync plan",
    )


def _read_only(alias: str, reason: str) -> Finding:
    return Finding(
        "read-only-target",
        Severity.ERROR,
        f"{alias} cannot be written to: {reason}",
        "It was to be updated in the same step.",
        "Name the databases to be updated: --database ALIAS",
    )
