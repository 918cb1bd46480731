"""The plans of a repair: each database verified, then planned with what that shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migsync.errors import NOTHING_CHANGED, MigsyncError, StalePlan
from migsync.findings import Finding
from migsync.progress import counted
from migsync.project import Project
from migsync.sync.plan import Plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import Survey, survey
from migsync.verify.builds import Builds
from migsync.verify.repair import KnownRuns, Repair, repair
from migsync.verify.verification import VerifyOptions, check_apps, find_evidence


@dataclass(frozen=True)
class RepairRequest:
    """What a person asks of a repair: these `databases`, or all; see :func:`migsync.verify.repair.repair`."""

    options: VerifyOptions
    databases: tuple[str, ...] = ()
    accept: bool = False
    trust_names: bool = False


def repair_survey(project: Project, asked: RepairRequest) -> Survey:
    """A survey whose plans make the records say what is in each database. To be closed like any survey."""
    request = PlanRequest(databases=asked.databases, trust_names=asked.trust_names)
    repairs: dict[str, Repair] = {}
    errors: dict[str, MigsyncError] = {}
    with survey(project, request) as first:
        check_apps(asked.options.apps, first.history)
        builds = asked.options.builds(first)
        for plan in counted("Comparing databases", first.plans):
            alias = plan.target.alias
            try:
                repairs[alias] = _repair(first, plan, asked, builds)
            except MigsyncError as error:
                errors[alias] = error
        records = dict(first.records)
    # The same statements as of a person, so the same planner.
    texts = {alias: found.as_texts() for alias, found in repairs.items() if found.record or found.unrecord}
    found = survey(project, replace(request, repairs=texts))
    for plan in found.plans:
        alias = plan.target.alias
        if alias not in errors and found.records[alias] != records.get(alias):
            errors[alias] = StalePlan(
                f"The records of {alias} have changed while its tables were read.",
                NOTHING_CHANGED,
                "A migration may be running. Run the command again when it has ended.",
            )
    found.errors.update(errors)
    found.plans = tuple(
        _with_findings(project, plan, repairs) for plan in found.plans if plan.target.alias not in errors
    )
    return found


def _repair(found: Survey, plan: Plan, asked: RepairRequest, builds: Builds) -> Repair:
    alias = plan.target.alias
    evidence = find_evidence(found, alias, plan.changes, asked.options, builds)
    known = KnownRuns(found.ran.get(alias, {}), found.held[alias].seen)
    return repair(evidence, known, apps=asked.options.apps, accept=asked.accept)


def _with_findings(project: Project, plan: Plan, repairs: Mapping[str, Repair]) -> Plan:
    alias = plan.target.alias
    said: tuple[Finding, ...] = tuple(each.with_facts(alias=project.typed(alias)) for each in repairs[alias].findings)
    return replace(plan, findings=(*said, *plan.findings))
