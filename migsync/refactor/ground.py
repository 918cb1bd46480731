"""What a rewriting command starts from: the project's history, each of its databases as it is now, and the terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from migsync.files.proposal import Proposal
from migsync.findings import Finding
from migsync.history import History, Key
from migsync.progress import counted
from migsync.proof.scope import ProofScope
from migsync.rewrites.evidence.origins import Origins
from migsync.rewrites.record import Record
from migsync.sync.consistency import stops
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.survey import Survey
from migsync.sync.target_state import TargetState, afterwards, unexplained_apps


@dataclass(frozen=True)
class Terms:
    """On which terms files may be rewritten.

    `databases` are the aliases to be updated in the same step when `update_db` is set; none means all. `allow_applied`
    lets names change that a database holds, which is then synced later. `created` is UTC text, for the rewrite.
    `scope` is what is proven on scratch databases, beyond what every proof looks at. `assume_deployed` takes targets
    that cannot be read to be in order; they are synced later. `dry_run` proves also what an option would have to allow
    first: whoever only looks wants to see everything.
    """

    update_db: bool = False
    allow_applied: bool = False
    databases: tuple[str, ...] = ()
    created: str = ""
    scope: ProofScope = field(default_factory=ProofScope)
    assume_deployed: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class SurveyedDatabase:
    """One database that could be read, and its `plan` as of now: what `migsync apply` would do before files change."""

    state: TargetState
    plan: Plan

    @property
    def alias(self) -> str:
        """Its alias."""
        return self.state.ref.alias

    @property
    def records(self) -> Sequence[Record]:
        """Its records as they are."""
        return self.state.held.records

    @cached_property
    def applied(self) -> frozenset[Key]:
        """The keys that are recorded once the rewrites that it is behind are applied."""
        return frozenset(record.key for record in afterwards(self.records, self.plan))


@dataclass(frozen=True)
class Ground:
    """The survey, and every database that could be read by its alias.

    `files_first`: the files stop `migrate`, so `apply --backwards` is refused. Plans are made as if it was not.
    `findings` say what became of names that were changed by hand, as `migsync plan` does.
    """

    survey: Survey
    databases: Mapping[str, SurveyedDatabase]
    files_first: bool = False
    findings: Sequence[Finding] = ()

    @property
    def applied(self) -> dict[str, frozenset[Key]]:
        """For each database the keys that are recorded once the rewrites that it is behind are applied."""
        return {alias: database.applied for alias, database in self.databases.items()}


def survey_ground(survey: Survey, databases: Sequence[str]) -> Ground:
    """Read every target of the project, and those that are asked for by name though they are synced on demand only.

    Where records are not explained, what is proven of names that were changed by hand is a rewrite of the survey.
    """
    aliases = dict.fromkeys([*survey.project.databases, *databases])
    states = survey.read_targets(list(aliases)) if aliases else ()
    ground = Ground(survey, {}, any(stops(survey.history)))
    plans = _plans(ground, states)
    if any(map(unexplained_apps, plans)) and (found := survey.evidence(states, plans)).proposed:
        ground = replace(ground, findings=[each for each in found.findings if not each.blocks])
        plans = _plans(ground, states)
    pairs = zip(states, plans, strict=True)
    return replace(ground, databases={it.target.alias: SurveyedDatabase(it, plan) for it, plan in pairs})


def _plans(ground: Ground, states: Sequence[TargetState]) -> list[Plan]:
    return [plan_for(ground, it, ground.survey.history) for it in counted("Planning databases", states)]


def plan_for(ground: Ground, state: TargetState, history: History, proposal: Proposal | None = None) -> Plan:
    """The plan of one target for `history`, with the rewrite of `proposal` among those that are committed."""
    survey = ground.survey
    project = survey.project
    options = PlanOptions(
        backwards=ground.files_first,
        clock=state.clock,
        trust_names=not project.journal,
        unseen_journal=state.unseen,
        origins=Origins(stated=project.leftovers),
    )
    rewrites = survey.rewrites.with_proposed(proposal.rewrite if proposal else None)
    plan = make_plan(history, rewrites, state.held.records, state.ref, runs=state.held.runs, options=options)
    return survey.typed(plan)
