"""The plans of a repair: each database verified, then planned with what that shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from migsync.errors import NOTHING_CHANGED, MigsyncError, StalePlan
from migsync.findings import Finding
from migsync.findings.examination import sequence_behind
from migsync.findings.repair import half_applied, record_in_doubt, record_not_closed, records_table_missing
from migsync.key import Key
from migsync.progress import counted
from migsync.project import Project
from migsync.sync.members import find_targets
from migsync.sync.plan import Plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import Survey, survey
from migsync.sync.target import Target
from migsync.sync.target_pool import TargetPool
from migsync.verify.builds import Builds
from migsync.verify.composition import MigrationResult
from migsync.verify.passing_parts import perhaps_stopped, to_take_back, with_passing
from migsync.verify.repair import KnownRuns, Repair, repair
from migsync.verify.statements import missing_statements
from migsync.verify.verification import (
    SchemaEvidence,
    VerifyOptions,
    check_apps,
    find_evidence,
    order_of,
    read_catalog,
    rebuilds_left,
)
from migsync.worker.migration_traces import BuildResult

IN_PART = frozenset({half_applied.code, record_in_doubt.code, record_not_closed.code})
"""About migrations of which a part is there."""


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
    found.findings += _without_table(project, found)
    found.plans = tuple(
        _with_findings(project, plan, [*repairs[plan.target.alias].findings, *_of_sequence(found, plan)])
        for plan in found.plans
        if plan.target.alias not in errors
    )
    return found


def _without_table(project: Project, found: Survey) -> Iterator[Finding]:
    """The databases that have tables of the apps, and no table of records."""
    for config in find_targets(project, found.fresh) if found.fresh else ():
        with TargetPool() as pool:
            parts = read_catalog(pool.open(config))
        tables = sorted(part.name for part in parts if part.kind == "table" and _is_of_app(part.name, found))
        if tables:
            yield records_table_missing(database=config.alias, tables=tables, alias=project.typed(config.alias))


def _is_of_app(table: str, found: Survey) -> bool:
    return any(table.startswith(f"{app}_") for app in found.history.apps)


def _repair(found: Survey, plan: Plan, asked: RepairRequest, builds: Builds) -> Repair:
    alias = plan.target.alias
    evidence = find_evidence(found, alias, plan.changes, asked.options, builds)
    known = KnownRuns(found.ran.get(alias, {}), found.held[alias].seen)
    target = found.targets[alias]
    if left := tuple(rebuilds_left(target, evidence)):
        # Until these are settled, what else seems to be missing or renamed may be in them.
        return Repair(findings=left)
    order = order_of(evidence.history, evidence.state)
    if stopped := perhaps_stopped(evidence):
        evidence = with_passing(evidence, dict(builds.by_statement(target, *order, stopped).statements))
    result = repair(evidence, known, apps=asked.options.apps, accept=asked.accept)
    built = {trace.key for trace in evidence.traces}
    named = [Key(each.app, each.name) for each in result.findings if _is_for_sql(each)]
    wanted = tuple(key for key in named if key in built)
    if not wanted:
        return result
    made = builds.by_statement(target, *order, wanted)
    before = _schema_statement(target)
    parts = {each.key: each for each in evidence.judge(result.after).results}
    said = (_with_sql(each, made, parts, evidence) for each in result.findings)
    return replace(result, findings=tuple(_after_schema(each, before) for each in said))


def _after_schema(finding: Finding, statement: str) -> Finding:
    has_sql = finding.facts.get("statements") or finding.facts.get("undo")
    return finding.with_facts(before=statement) if has_sql else finding


def _schema_statement(target: Target) -> str:
    """What comes before SQL that is to be run in the schema of a target; empty for the schema of the connection."""
    if not target.config.schema:
        return ""
    with target.explained(reading="the names of the schemas"), target.transaction() as connection:
        return target.behaviour.schema_statement(connection, target.config.schema)


def _with_sql(
    finding: Finding, made: BuildResult, parts: Mapping[Key, MigrationResult], evidence: SchemaEvidence
) -> Finding:
    """A finding about a migration of which a part is there, with the statements for the rest; or to take it back."""
    key = Key(finding.app, finding.name)
    statements = dict(made.statements).get(key)
    if not _is_for_sql(finding) or statements is None:
        return finding
    result, live = parts[key], evidence.live
    tables = {table for trace in evidence.traces for _, table, *_ in trace.changes}
    earlier = evidence.built(key)
    found = missing_statements(statements, result.differences, live, tables, earlier)
    custom = any(trace.custom for trace in evidence.traces if trace.key == key)
    finding = finding.with_facts(statements=found.missing, last=found.last, number=found.number, custom=custom)
    if finding.code != half_applied.code or key != made.traces[-1].key:
        return finding
    ran = to_take_back(result, earlier)
    back = missing_statements(made.reversal, ran, live, tables, evidence.built(key, with_it=True))
    return finding.with_facts(undo=back.missing)


def _is_for_sql(finding: Finding) -> bool:
    """Whether the statements for the rest are to be said; where a table may have been renamed, they are not."""
    return finding.code in IN_PART and not finding.facts.get("others")


def _of_sequence(found: Survey, plan: Plan) -> Iterator[Finding]:
    """The sequence of the ids, where it is behind and no run puts it right."""
    alias = plan.target.alias
    top = max((record.id for record in found.records[alias] if record.id is not None), default=0)
    if plan.empty and top and (statement := found.targets[alias].sequence_statement(top)):
        yield sequence_behind(statement=statement)


def _with_findings(project: Project, plan: Plan, findings: Iterable[Finding]) -> Plan:
    said = [each.with_facts(alias=project.typed(plan.target.alias)) for each in findings]
    return replace(plan, findings=(*said, *plan.findings))
