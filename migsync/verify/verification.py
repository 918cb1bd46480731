"""Each database of a survey, verified."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from migsync.engines.catalog import Part, catalog_of
from migsync.errors import MigsyncError, TargetError, UsageError
from migsync.findings import Finding, Severity
from migsync.findings.inconsistency import inconsistent_history
from migsync.history import History
from migsync.history.loader import LoaderState
from migsync.key import Key
from migsync.progress import counted
from migsync.proof.schema import executing
from migsync.rewrites.record import Record
from migsync.sync.plan import Change, Plan
from migsync.sync.rebuilds import left_by_rebuilds
from migsync.sync.survey import Survey
from migsync.sync.target import Target
from migsync.sync.undo import rows_after
from migsync.verify.build import BuildOptions
from migsync.verify.builds import Builds
from migsync.verify.composition import Catalog, Judgement, MigrationResult, State, judge, misfits
from migsync.verify.report import judgement_findings
from migsync.words import did_you_mean
from migsync.worker.migration_traces import BuildResult, MigrationTrace

TRIES = 5
"""So often the catalog is read until two readings agree."""


@dataclass(frozen=True)
class VerifyOptions:
    """What to verify: these `apps`, or all; what differs may be named in `accept`. `rebuild` uses no cache."""

    apps: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    build: BuildOptions = field(default_factory=BuildOptions)
    rebuild: bool = False

    def builds(self, survey: Survey) -> Builds:
        """The builds of one command."""
        return Builds(survey.project, survey.history, self.build, rebuild=self.rebuild)


@dataclass(frozen=True)
class Verified:
    """One database: the result of each migration, and what is to be said of it."""

    judgement: Judgement
    findings: tuple[Finding, ...]

    @property
    def results(self) -> tuple[MigrationResult, ...]:
        """The result of each migration, in the order in which they run."""
        return self.judgement.results

    @property
    def agrees(self) -> bool:
        """Whether nothing differs, and nothing is doubtful."""
        return not any(finding.severity.reaches(Severity.WARNING) for finding in self.findings)


@dataclass(frozen=True)
class Verification:
    """Every database by alias; `errors` say why one could not be verified."""

    databases: Mapping[str, Verified]
    errors: Mapping[str, MigsyncError]


@dataclass(frozen=True)
class SchemaEvidence:
    """What is known of one database: its records with the names of today, its catalog, and what migrations make.

    `state` is what Django's loader makes of the records, `unknown` are the migrations without a trace, with the reason.
    """

    history: History
    records: tuple[Record, ...]
    state: LoaderState
    traces: Sequence[MigrationTrace]
    unknown: Mapping[Key, str]
    live: Catalog
    accepted: Callable[[Part], bool]

    @property
    def applied(self) -> frozenset[Key]:
        """The migrations that count as recorded."""
        return self.state.applied | self.state.recorded

    def built(self, key: Key, *, with_it: bool = False) -> Catalog:
        """What the migrations make that the build ran before this one; or, `with_it`, until the end of it."""
        number = next(number for number, trace in enumerate(self.traces) if trace.key == key)
        earlier = self.traces[: number + with_it]
        made = {Part(*part): definition for trace in earlier for *part, definition in trace.changes}
        return {part: definition for part, definition in made.items() if definition is not None}

    def judge(self, applied: AbstractSet[Key]) -> Judgement:
        """Judge each migration as if these were recorded."""
        return judge(self.traces, applied, self.live, unknown=self.unknown, accepted=self.accepted)

    def misfits(self, applied: AbstractSet[Key]) -> set[Part]:
        """The parts that are otherwise than these migrations leave them."""
        return misfits(self.traces, applied, self.live, self.accepted)


def verify(survey: Survey, options: VerifyOptions) -> Verification:
    """Verify each database of the survey. Only scratch databases are written to."""
    check_apps(options.apps, survey.history)
    done: dict[str, Verified] = {}
    errors = dict(survey.errors)
    builds = options.builds(survey)
    for plan in counted("Verifying databases", survey.plans):
        alias = plan.target.alias
        try:
            found = find_evidence(survey, alias, () if plan.blocked else plan.changes, options, builds)
            done[alias] = _verified(survey, plan, found, options)
        except MigsyncError as error:
            errors[alias] = error
    return Verification(done, errors)


def check_apps(apps: Iterable[str], history: History) -> None:
    """Raises UsageError for an app that is not installed."""
    for app in apps:
        if app not in history.apps:
            raise UsageError(f"{app} is not an installed app.", did_you_mean(app, history.apps))


def find_evidence(
    survey: Survey, alias: str, changes: Sequence[Change], options: VerifyOptions, builds: Builds
) -> SchemaEvidence:
    """The evidence of one database, whose records get their names of today by the `changes`.

    Raises a MigsyncError where it cannot be had.
    """
    target, history = survey.targets[alias], survey.history
    found, live = _look(target)
    records = tuple(rows_after(found, changes))
    state = history.state(frozenset(record.key for record in records))
    result = builds.result(target, *order_of(history, state))
    _refuse_routed(target, result)
    unknown = dict(result.unbuilt) | dict(_without_file(history, state.recorded))
    return SchemaEvidence(history, records, state, result.traces, unknown, live, _accepting(options.accept))


def _refuse_routed(target: Target, result: BuildResult) -> None:
    """A router may ask for the schema, in a way of its own that migsync does not know.

    What the build lacks, or has too much, would be reported as a fault of the records.
    """
    if target.config.shared_by and result.routed and not result.shared:
        raise TargetError(
            f"{target.alias} is a schema of the entry {target.config.entry!r}, and is not verified.",
            "A router decides which apps have tables in which schema, and migsync cannot ask it for this one.",
            "Name the databases to verify: migsync verify -d ALIAS",
        )


def _verified(survey: Survey, plan: Plan, evidence: SchemaEvidence, options: VerifyOptions) -> Verified:
    found = evidence.judge(evidence.applied)
    wanted = [
        each
        for each in found.results
        if (not options.apps or each.key.app in options.apps) and str(each.key) not in options.accept
    ]
    kept = Judgement(tuple(wanted), () if options.apps else found.unexplained)
    target = survey.targets[plan.target.alias]
    said = [*rebuilds_left(target, evidence), *judgement_findings(evidence.history, evidence.applied, kept)]
    said += _gaps(plan, kept)
    alias = survey.project.typed(target.alias)
    return Verified(kept, tuple(each.with_facts(alias=alias) for each in said))


def _gaps(plan: Plan, found: Judgement) -> Iterator[Finding]:
    """Migrations below recorded ones that are not recorded themselves, and that no table shows any more."""
    unseen = {str(each.key) for each in found.results if each.state is State.NO_TRACE and not each.recorded}
    for finding in plan.findings:
        if finding.code == inconsistent_history.code and str(finding.facts["other"]) in unseen:
            yield finding


def rebuilds_left(target: Target, evidence: SchemaEvidence) -> Iterator[Finding]:
    """What is left of rebuilds of tables that migrations make."""
    tables = {part.name for part in evidence.live if part.kind == "table"}
    return left_by_rebuilds(target, tables, {table for trace in evidence.traces for _, table, *_ in trace.changes})


def order_of(history: History, state: LoaderState) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """What a build runs first, for a database with these records; and the squashes that do not count there."""
    first = sorted(key for key in state.applied | state.recorded if key in history.migrations)
    return tuple(first), _hidden(history, state.recorded)


def _hidden(history: History, recorded: Collection[Key]) -> tuple[Key, ...]:
    """The squashes in whose place the database has run what they replace, wholly or in part."""
    return tuple(
        sorted(
            key
            for key, migration in history.migrations.items()
            if key not in recorded
            and any(one in recorded for one in migration.replaces)
            and all(one in history.migrations for one in migration.replaces)
        )
    )


def _without_file(history: History, recorded: Collection[Key]) -> Iterator[tuple[Key, str]]:
    """Records of installed apps that no file explains."""
    replaced = {one for migration in history.migrations.values() for one in migration.replaces}
    for key in sorted(recorded):
        if key.app in history.apps and key not in history.migrations and key not in replaced:
            yield key, "it has no file"


def _look(target: Target) -> tuple[tuple[Record, ...], Catalog]:
    """The rows and the catalog of one moment: no engine's catalog is a snapshot, so two readings must agree."""
    before = None
    for _ in range(TRIES):
        now = target.read() or (), read_catalog(target)
        if now == before:
            return now
        before = now
    raise TargetError(
        f"The tables of {target.alias} change while they are read.",
        "A migration may be running.",
        "Run the command again when it has ended.",
    )


def read_catalog(target: Target) -> Catalog:
    """All parts that there are, as the engine tells them."""
    engine, schema = target.behaviour, target.survey.schema
    with target.explained(reading="the tables, columns and indexes"), target.transaction() as connection:
        if schema:
            # Of thousands of tenants, each has its own tables to compare.
            engine.look_into(connection, schema, alone=bool(target.config.entry))
        return catalog_of(engine.comparable(engine.parts(executing(connection))))


def _accepting(names: Collection[str]) -> Callable[[Part], bool]:
    """Whether a part is named: ``shop_item``, ``shop_item.price``, ``item_least``; also by a pattern."""

    def accepted(part: Part) -> bool:
        own = f"{part.table}.{part.name}" if part.kind in ("column", "default") else part.name
        return any(fnmatch.fnmatchcase(each, name) for name in names for each in (own, part.table) if each)

    return accepted
