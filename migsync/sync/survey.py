"""The survey: everything that a project and its databases show, and a plan for each target."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from migsync.engines.config import DatabaseConfig
from migsync.errors import JournalNotPermitted, MigsyncError
from migsync.findings import Finding
from migsync.findings.databases import same_database
from migsync.history import Cache, History, build_history, read_history
from migsync.history.max_migration import stale_max_migrations
from migsync.project import Project
from migsync.project.registry import missing_settings, with_loaded_headers
from migsync.project.search import no_databases
from migsync.rewrites.branch_rewrites import made_of
from migsync.rewrites.clock import Clock
from migsync.rewrites.evidence.pairs import Pair
from migsync.rewrites.git_successors import Answers, git_successors
from migsync.rewrites.name_changes import NameChanges, is_written, parse_changes
from migsync.rewrites.package_rewrites import all_rewrites, rewritten_apps
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.successors import successors_of_contents, unexplained, with_successors
from migsync.sync.comparison import is_among
from migsync.sync.consistency import stops, unread_apps
from migsync.sync.edge_commits import with_edge_commits
from migsync.sync.members import find_targets
from migsync.sync.old_files import with_old_files
from migsync.sync.plan import Plan
from migsync.sync.plan_file import PlanFile, SavedOptions
from migsync.sync.plan_options import plan_options
from migsync.sync.plan_request import PlanRequest
from migsync.sync.planner import PlanOptions
from migsync.sync.provenance import Provenance, what_ran
from migsync.sync.run import Run
from migsync.sync.snapshots import SnapshotReader
from migsync.sync.target import Snapshot, Target
from migsync.sync.target_plans import JointPlans, TargetPlanner
from migsync.sync.target_pool import TargetPool
from migsync.sync.target_state import DatabaseState, TargetState
from migsync.sync.third_party import with_stated
from migsync.sync.unnamed_schemas import Schemas

if TYPE_CHECKING:
    from migsync.rewrites.git import GitHistory
    from migsync.sync.kept_plans import KeptPlans


@dataclass
class Survey:
    """The result. A context manager: leaving it closes the targets.

    `plans` has one plan for each target that could be read, in the order of the aliases; `fresh` are aliases without
    ``django_migrations`` (nothing to do), `errors` those that could not be read. `proposed` is the rewrite that the
    plans rest on and that no file holds yet, `open_pairs` those that only a person can settle. `ran` is what ran, by
    alias and id of the record. `renamed` are names that files depend on, as git explains them.
    """

    project: Project
    history: History
    rewrites: Rewrites
    findings: list[Finding] = field(default_factory=list)
    plans: tuple[Plan, ...] = ()
    targets: dict[str, Target] = field(default_factory=dict)
    proposed: Rewrite | None = None
    open_pairs: tuple[Pair, ...] = ()
    errors: dict[str, MigsyncError] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    records: dict[str, Sequence[Record]] = field(default_factory=dict)
    runs: dict[str, tuple[Run, ...]] = field(default_factory=dict)
    held: dict[str, Snapshot] = field(default_factory=dict)
    ran: dict[str, Mapping[int, Provenance]] = field(default_factory=dict)
    renamed: Answers = field(default_factory=dict)
    request: PlanRequest = field(default_factory=PlanRequest)
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def plan_file(self) -> PlanFile:
        """The plans as they are saved."""
        return PlanFile(self.plans, self.proposed, SavedOptions.of(self.request))

    def typed(self, plan: Plan) -> Plan:
        """The plan with findings whose commands can be typed in this project."""
        found = with_edge_commits(self.history, with_old_files(self.history, plan))
        return found.naming(self.project.typed(plan.target.alias))

    def read_targets(self, asked: Sequence[str]) -> list[TargetState]:
        """Open and read the targets: `asked`, or every alias; each database once."""
        chosen = choose(self.project, asked)
        pool = self._open.enter_context(TargetPool())
        states: dict[str, TargetState] = {}
        schemas = Schemas()
        reader = SnapshotReader(
            pool,
            lambda target: self._snapshot(target, schemas),
            schemas.databases,
            journaled=self.project.journal,
            readers=self.project.readers,
        )
        for reading in reader.read_all(chosen):
            config = reading.config
            if isinstance(reading.target, MigsyncError):
                self.errors[config.alias] = reading.target
                continue
            state = self._state(reading.target, schemas, reading.snapshot, reading.unseen)
            if state is None:
                self.fresh.append(config.alias)
                continue
            identity = state.ref.identity
            other = states.get(identity)
            # An alias for reading (a replica's, say) is often the same database: the one that can be written stands for
            # both.
            if other and (state.target.read_only or not other.target.read_only):
                other, state = state, other
            states[identity] = state
            # An entry for all schemas of a database has that of another alias among them.
            if other and not (config.entry or other.target.config.entry):
                self.findings.append(same_database(alias=other.target.alias, same=state.target.alias))
        pool.release()
        for state in states.values():
            self.targets[state.target.alias] = state.target
            self.records[state.target.alias] = state.held.records
            self.runs[state.target.alias] = state.held.runs
            self.held[state.target.alias] = state.held
        self.findings += schemas.findings(
            self.project, chosen, {config.alias for config in chosen} - self.errors.keys(), asked
        )
        return list(states.values())

    def evidence(self, states: Sequence[TargetState], plans: Sequence[Plan]) -> JointPlans:
        """What became of names that no rewrite of the `plans` explains; what is proven is among the rewrites then."""
        options, asked = _asked(self, self.request)
        found = _planner(self, states, _what_ran(self, states), options, asked).finished(plans)
        self.proposed, self.rewrites = found.proposed, self.rewrites.with_proposed(found.proposed)
        return found

    def _state(self, target: Target, schemas: Schemas, found: Snapshot, unseen: str) -> TargetState | None:
        config = target.config
        schemas.add(target, found.schemas)
        if found.fresh:
            return None
        use_tz = self.project.use_tz if config.use_tz is None else config.use_tz
        return TargetState(target.ref, found, Clock(naive_is_utc=bool(use_tz)), unseen, target=target)

    def _snapshot(self, target: Target, schemas: Schemas) -> tuple[Snapshot, str]:
        """The records with the journal, and :attr:`DatabaseState.unseen`.

        Without the journal where the project or the request says that there is none, or where it cannot be seen.
        """
        try:
            return target.snapshot(journaled=self.project.journal, listed=schemas.databases), ""
        except JournalNotPermitted as error:
            if error.seen and not self.request.trust_names:
                raise
            found = target.snapshot(journaled=False, listed=schemas.databases)
            return found, "" if self.request.trust_names else error.hint


def survey(
    project: Project, request: PlanRequest, *, proposed: Rewrite | None = None, needs_database: bool = True
) -> Survey:
    """Read the files, the rewrites and every asked target, and plan.

    `proposed` is a rewrite that an earlier survey proposed, for a plan that rests on it. It is left out where a file
    says the same by now: it was written for another database, or committed meanwhile. A project without databases is
    refused unless `needs_database` is false.
    Raises a MigsyncError for what concerns the project as a whole; what concerns one target is in `errors`.
    """
    result = open_survey(project)
    result.request = request
    if proposed and not is_among(proposed, result.rewrites.ordered):
        result.rewrites = result.rewrites.with_proposed(proposed)
    try:
        _plan(result, request, needs_database=needs_database)
        result.plans = tuple(map(result.typed, result.plans))
        if not (request.databases or result.errors):
            result.plans = _back_at_once(result.plans)
    except BaseException:
        result.__exit__(None, None, None)
        raise
    return result


def survey_target(
    files: Survey, schemas: Schemas, kept: KeptPlans, target: Target, request: PlanRequest | None = None
) -> Survey:
    """Read and plan one target that is open already, with the files of :func:`open_survey` and what is kept for these.

    `schemas` are those that were seen; `request` is about this target alone. A target without a record is fresh. Raises
    what reading the target raises; the caller closes it.
    """
    found = Survey(
        files.project,
        files.history,
        files.rewrites,
        [*files.findings],
        renamed=files.renamed,
        request=request or PlanRequest(databases=(target.alias,)),
    )
    state = found._state(target, schemas, *found._snapshot(target, schemas))
    if state is None or not state.held.records:
        found.fresh.append(target.alias)
        return found
    with kept.versions:
        records = kept.records(state.held.records)
        ran = kept.ran(records, state.held.seen, state.clock)
        held = found.held[target.alias] = replace(state.held, records=records)
        planner = _planner(found, [replace(state, held=held)], [ran], *_asked(found, found.request))
        # A request may ask for another plan.
        _plan_states(found, planner if request else replace(planner, shared=kept.plans))
    found.plans = tuple(map(found.typed, found.plans))
    return found


def _back_at_once(plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
    """Where one database alone waits for ``--backwards``, the command that says so applies the other plans too."""
    blocked = [plan for plan in plans if plan.blocked]
    if len(blocked) != 1 or not blocked[0].waits_for_word:
        return plans
    findings = tuple(each.with_facts(alias="") if each.blocks else each for each in blocked[0].findings)
    return tuple(replace(plan, findings=findings) if plan in blocked else plan for plan in plans)


def open_survey(project: Project) -> Survey:
    """The files and the rewrites, before any database is opened."""
    cache = Cache(project.cache)
    complete = not project.static
    history = read_history(project.apps, settings=project.settings, cache=cache, complete=complete)
    # Files may depend on a setting that the settings module does not state (a swappable model's): Django is asked for
    # its value, and the files are read once more with it.
    if project.runnable and (missing := missing_settings(history, project.settings, project.runtime)):
        project = replace(project, settings={**project.settings, **missing})
        history = read_history(project.apps, settings=project.settings, cache=cache, complete=complete)
    # The same for a header that is computed: `migrate` takes what it comes to.
    if project.runnable and (loaded := with_loaded_headers(history, project.runtime)):
        history = build_history(loaded, history.apps.values(), project.settings, complete=complete)
    rewrites, foreign = all_rewrites(project)
    by_git = git_successors(
        history,
        unexplained(history, rewrites),
        lambda app, digest: successors_of_contents(app, digest, history, rewrites),
        lambda missing, branch: made_of(missing, branch, project.rewrites, history),
    )
    history = with_successors(history, rewrites, by_git).with_rewritten(rewritten_apps(rewrites))
    found = Survey(project, history, rewrites, renamed=by_git.renamed)
    found._open.callback(cache.digests.save)
    found.findings += [*project.findings, *foreign, *(finding for finding in history.findings if not finding.blocks)]
    return found


def choose(project: Project, asked: Sequence[str]) -> tuple[DatabaseConfig, ...]:
    """The targets of the aliases `asked`, or all; raises UnknownAlias, also for a project that has none.

    A shard may have none.
    """
    found = find_targets(project, asked)
    if not found and not project.targets(asked):
        raise no_databases(project.root, project.settings_module)
    return found


def _plan(result: Survey, request: PlanRequest, *, needs_database: bool) -> None:
    options, asked = _asked(result, request)  # a mistake in it is told before a database is opened
    states = result.read_targets(request.databases) if needs_database or result.project.targets() else []
    _plan_states(result, _planner(result, states, _what_ran(result, states), options, asked))


def _what_ran(result: Survey, states: Sequence[DatabaseState]) -> Sequence[Mapping[int, Provenance]]:
    held = [(each.held.records, each.held.seen, each.clock) for each in states]
    return what_ran(result.history, result.project.cache.with_suffix(".versions"), held)


def plan_state(result: Survey, state: DatabaseState, ran: Mapping[int, Provenance], git: GitHistory) -> None:
    """Plan one database that need not be there; `ran` is what ran in it, and `git` has the older files."""
    _plan_states(result, replace(_planner(result, [state], [ran], *_asked(result, result.request)), git=git))


def _asked(result: Survey, request: PlanRequest) -> tuple[PlanOptions, dict[str, NameChanges]]:
    """The options of the plans, and the changes of names that are stated and that no rewrite says yet."""
    stated = parse_changes(request.maps, request.collapses, request.removes, request.news)
    result.history = with_stated(result.history, stated, request)
    asked = {app: changes for app, changes in stated.items() if not is_written(changes, app, result.rewrites)}
    return plan_options(request, result.project, result.history, result.rewrites, stated), asked


def _plan_states(result: Survey, planner: TargetPlanner) -> None:
    result.ran = {each.ref.alias: found for each, found in zip(planner.states, planner.ran, strict=True)}
    first = planner.first()
    result.findings += [*unread_apps(result.history), *stale_max_migrations(result.history)]
    # A plan says what stops `migrate`, and a database without the table has none.
    if result.fresh or not first:
        told = {finding for plan in first for finding in plan.findings}
        result.findings += [finding for finding in stops(result.history) if finding not in told]
    found = planner.finished(first)
    result.plans, result.proposed, result.open_pairs = found.plans, found.proposed, found.open_pairs
    result.findings += found.findings


def _planner(
    result: Survey,
    states: Sequence[DatabaseState],
    ran: Sequence[Mapping[int, Provenance]],
    options: PlanOptions,
    asked: Mapping[str, NameChanges],
) -> TargetPlanner:
    unread = {alias: error.found for alias, error in result.errors.items()}
    return TargetPlanner(
        result.project,
        result.history,
        result.rewrites,
        result.request,
        states,
        ran,
        options,
        asked,
        unread,
        created=now(),
    )


def now() -> str:
    """The present moment as a rewrite's `created` (UTC, whole seconds)."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
