"""The proof by databases: old and new files are migrated on scratch databases, and everything there is compared.

One run of the old and one of the new files on an engine gives all of it: the schema at the end, the rows that
migrations left, and on the way the transition of every database that is behind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migsync.engines.catalog import Part
from migsync.errors import MigsyncError
from migsync.files.proposal import Proposal
from migsync.files.reshape import unexplained
from migsync.findings import Finding
from migsync.findings.rows import data_differs
from migsync.findings.schema import needs_server, schema_not_built, schema_not_proven
from migsync.history import History, Key
from migsync.progress import step
from migsync.project import Project
from migsync.proof.fact import Fact
from migsync.proof.identities import Identities
from migsync.proof.proof import overlay
from migsync.proof.rows import compare_data
from migsync.proof.schema import catalog, compare_schemas, differing_parts
from migsync.proof.scope import (
    DatabaseProof,
    ProofEngine,
    ProofScope,
    in_use,
    schema_engines,
    transition_engines,
    ways_without,
)
from migsync.proof.scratch import Scratch, scratch_database
from migsync.proof.transition import TransitionPlan, Way, compare_stations, plan_transition
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.words import count
from migsync.worker.client import ask
from migsync.worker.codec import Files
from migsync.worker.protocol import RehearsalRequest, TraceRequest, TraceResult
from migsync.worker.task import REHEARSAL, TRACE, WorkerFailure

if TYPE_CHECKING:
    import sqlalchemy as sa

Answer = TraceResult | WorkerFailure
WHOLE = Way(())


@dataclass(frozen=True)
class Histories:
    """A history before and after, and the rewrites that were there before."""

    old: History
    new: History
    rewrites: Rewrites


def prove_schema(project: Project, proposal: Proposal, alias: str = "default") -> tuple[Finding, ...]:
    """Build the old and the new history on two scratch databases of the alias's engine, and compare the schemas.

    Each difference is a finding; columns are compared as sets. Raises UnknownAlias, the alias's own error, Unreachable,
    and NotPermitted where no database can be created.
    """
    [config] = project.targets([alias])
    return _Run(project, proposal, ProofEngine(alias, config)).prove(schema=True).findings


def prove_by_databases(
    project: Project,
    proposal: Proposal,
    pair: Histories,
    scope: ProofScope,
    *,
    unreachable: Collection[str] = (),
    skipping: bool = False,
    explain: Callable[[Finding], Finding] = unexplained,
) -> DatabaseProof:
    """Prove what is in the scope; nothing but scratch databases is written to.

    `explain` says which other rows are meant: see :class:`migsync.files.reshape.Reshape`.

    With `skipping`, an engine of which all aliases are `unreachable` is left out with a warning, unless one was named.
    Raises UnknownAlias for an alias that is none, and what :func:`prove_schema` raises for one that was asked for.
    """
    transition: TransitionPlan | None = None
    if scope.transition is not None:
        rehearsed = _rehearse(project, proposal, pair, scope)
        if isinstance(rehearsed, DatabaseProof):
            return rehearsed
        transition = rehearsed
    schema = schema_engines(project, scope, unreachable)
    outcome = DatabaseProof(transition.findings if transition else ())
    if skipping and not scope.schema:
        outcome += DatabaseProof(
            tuple(
                schema_not_proven(alias=engine.alias, engine=engine.words)
                for engine in schema
                if engine.alias in unreachable
            )
        )
        schema = [engine for engine in schema if engine.alias not in unreachable]
    asked = bool(scope.schema or scope.transition)
    traced = transition_engines(project, scope, schema) if transition else []
    for engine in [*schema, *(engine for engine in traced if engine not in schema)]:
        run = _Run(project, proposal, engine, transition if engine in traced else None, explain, data=scope.data)
        found = _tried(run, unreachable, schema, asked=asked)
        outcome += found
        # The project may use what SQLite has not (an extension, raw SQL). The transition is then proven where it does
        # run.
        if engine.foreign and found.needs_server:
            engine = in_use(project, unreachable)[0]
            if skipping and engine.alias in unreachable:
                skipped = schema_not_proven(alias=engine.alias, engine=engine.words, transition=True)
                outcome += DatabaseProof((skipped,))
                continue
            other = _Run(project, proposal, engine, transition, explain, data=scope.data)
            outcome += _tried(other, unreachable)
    return outcome


def _rehearse(
    project: Project, proposal: Proposal, pair: Histories, scope: ProofScope
) -> TransitionPlan | DatabaseProof:
    apps = touched_apps(pair.old, proposal)
    request = RehearsalRequest(tuple(sorted(apps)), _labels_before(proposal))
    [rehearsed] = ask(project.runtime(), REHEARSAL, [request])
    if isinstance(rehearsed, WorkerFailure):
        return DatabaseProof((_not_built(rehearsed, new=False, optional=scope.data),))
    return plan_transition(
        rehearsed,
        pair.old,
        pair.new,
        pair.rewrites,
        proposal.rewrite,
        apps,
        trust_names=not project.journal,
    )


def _labels_before(proposal: Proposal) -> dict[str, str]:
    return Identities.of(proposal.rewrite).labels_before


def touched_apps(history: History, proposal: Proposal) -> set[str]:
    """The apps whose names or whose files change."""
    places = {app.directory: label for label, app in history.apps.items() if app.directory}
    paths = (path for change in proposal.files for path in (change.old_path, change.new_path) if path)
    found = {places[str(path.parent)] for path in paths if str(path.parent) in places}
    return found | set(proposal.rewrite.apps if proposal.rewrite else ())


def _tried(
    run: _Run, unreachable: Collection[str], schema: Sequence[ProofEngine] = (), *, asked: bool = False
) -> DatabaseProof:
    """The proof, or why there cannot be one. What was `asked` for by its alias raises its error as it is."""
    try:
        return run.prove(schema=run.engine in schema)
    except MigsyncError as error:
        if asked:
            raise
        # There is a way to go on without, and the hint names it.
        finding = schema_not_proven(
            engine=run.engine.words,
            alias=run.engine.alias,
            reason=error.found,
            consequence=error.meaning,
            remedy=error.hint,
            reachable=run.engine.alias not in unreachable,
            others=ways_without(run.engine, schema, unreachable),
        )
        return DatabaseProof((finding,))


@dataclass
class _Run:
    """Old and new files on one engine."""

    project: Project
    proposal: Proposal
    engine: ProofEngine
    transition: TransitionPlan | None = None
    explain: Callable[[Finding], Finding] = unexplained
    data: bool = False
    _differing: frozenset[Part] = field(default=frozenset(), init=False)

    def prove(self, *, schema: bool) -> DatabaseProof:
        """Run every way, and compare what is to be compared."""
        ways = self.transition.ways if self.transition else (WHOLE,)
        outcome = DatabaseProof()
        for way in ways:
            outcome += self._way(way, schema=schema)
            # Each further way takes two more databases: not for a proposal that is refused already.
            if outcome.blocked or outcome.needs_server:
                return outcome
        if self.transition:
            outcome += DatabaseProof(facts=(self.transition.fact(self.engine.words),))
        return outcome

    def _way(self, way: Way, *, schema: bool) -> DatabaseProof:
        with self._migrated(way) as (old, new, (before, after)):
            if isinstance(before, WorkerFailure) or isinstance(after, WorkerFailure):
                return DatabaseProof(tuple(self._failures(before, after)))
            outcome = self._compared(way, old, new, schema=schema) if way.whole else DatabaseProof()
            if self.transition:
                squash = self.transition.squash
                stations = compare_stations(way, before.catalogs, after.catalogs, self._differing, squash)
                outcome += DatabaseProof(tuple(stations))
            if way.whole and after.hidden and not outcome.blocked:
                # On a fresh database Django runs the squashes that this way had no room for.
                outcome += self._fresh(way, old)
        return outcome

    @contextmanager
    def _migrated(self, way: Way) -> Iterator[tuple[Scratch, Scratch, Sequence[Answer]]]:
        """Two scratch databases, and what the two workers said that migrated them."""
        after = [station.after or frozenset() for station in way.accepted]
        with ExitStack() as stack:
            old, new = (stack.enter_context(scratch_database(self.engine.config)) for _ in range(2))
            # Both at the same time, each on a database of its own. For the new files, hidden=None: which squashes the
            # stations leave no room for is found in the worker, which has the files.
            requests = [
                self._request_before(old, way),
                self._request(new, _increments(after), None, way.whole),
            ]
            files = [{}, overlay(self.proposal.files)]
            answers = self._ask(requests, files, ("old files", "new files"))
            yield old, new, answers

    def _ask(self, requests: Sequence[TraceRequest], files: Sequence[Files], whose: Sequence[str]) -> Sequence[Answer]:
        called = [f"Schema on {self.engine.words}, {each}" for each in whose]
        return ask(self.project.runtime(), TRACE, requests, files, called=called)

    def _request_before(self, scratch: Scratch, way: Way) -> TraceRequest:
        stations = _increments([station.before for station in way.accepted])
        # When an app gets another label, the project's code has the new one already, and the old files have not.
        return self._request(scratch, stations, way.hidden, way.whole)._replace(labels=_labels_before(self.proposal))

    def _request(
        self,
        scratch: Scratch,
        stations: tuple[tuple[Key, ...], ...] = (),
        hidden: tuple[Key, ...] | None = None,
        whole: bool = True,
    ) -> TraceRequest:
        return TraceRequest(
            self.engine.alias,
            scratch.name,
            str(scratch.directory),
            self.engine.foreign,
            stations,
            hidden,
            whole,
            anew=tuple(sorted(self.proposal.anew)) if hidden is None else (),  # the old files have none
        )

    def _fresh(self, way: Way, old: Scratch) -> DatabaseProof:
        with scratch_database(self.engine.config) as new:
            [answer] = self._ask([self._request(new)], [overlay(self.proposal.files)], ["new files, fresh database"])
            if isinstance(answer, WorkerFailure):
                return DatabaseProof(tuple(self._failures(None, answer)))
            return DatabaseProof(self._compared(way, old, new, schema=False).findings)

    @contextmanager
    def _again(self, way: Way) -> Iterator[sa.Connection | None]:
        """What the old files leave when they run once more; None where they fail this time."""
        with scratch_database(self.engine.config) as scratch:
            [answer] = self._ask([self._request_before(scratch, way)], [{}], ["old files, once more"])
            if isinstance(answer, WorkerFailure):
                yield None
                return
            with scratch.connection() as connection:
                yield connection

    def _compared(self, way: Way, old: Scratch, new: Scratch, *, schema: bool) -> DatabaseProof:
        called = f"Comparing the databases on {self.engine.words}"
        with step(called), old.connection() as before, new.connection() as after:
            found = compare_schemas(before, after)
            # Each of these is a finding already. At the stations, of this way and of the next, the same parts mostly
            # differ too, and would be told again.
            self._differing = differing_parts(before, after)
            outcome = DatabaseProof(tuple(found))
            if schema and not outcome.blocked:
                outcome += DatabaseProof(facts=(self._schema_fact(after),))
            if self.data and not outcome.blocked:
                differences, rows = compare_data(before, after)
                # A third run takes as long as each of the two, so it is made only where rows differ.
                if differences:
                    with self._again(way) as again:
                        differences, rows = compare_data(before, after, again)
                fact = Fact(
                    f"same rows on {self.engine.words}",
                    f"Data: the migrations leave the same rows on {self.engine.words} "
                    f"({count(rows.rows, 'row')} in {count(rows.tables, 'table')}).",
                )
                explained = tuple(map(self.explain, differences))
                same = not any(finding.code == data_differs.code for finding in explained)
                outcome += DatabaseProof(explained, (fact,) if same else ())
        return outcome

    def _schema_fact(self, connection: sa.Connection) -> Fact:
        parts = catalog(connection)
        tables = sum(part.kind == "table" for part in parts)
        columns = sum(part.kind == "column" for part in parts)
        return Fact(
            f"same schema on {self.engine.words}",
            f"Schema: old and new files build the same on {self.engine.words} ({count(tables, 'table')}, "
            f"{count(columns, 'column')}, {len(parts) - tables - columns} other parts).",
        )

    def _failures(self, old: Answer | None, new: Answer) -> Iterator[Finding]:
        if isinstance(old, WorkerFailure) and self.engine.foreign:
            yield needs_server(engine=self.engine.words, reason=old.sentence)
        elif isinstance(old, WorkerFailure):
            yield _not_built(old, new=False, optional=self.data)
        elif isinstance(new, WorkerFailure):
            for failure in (new, *new.more):
                yield _not_built(failure, new=True)


def _increments(stations: Sequence[Collection[Key]]) -> tuple[tuple[Key, ...], ...]:
    """Of each set what the one before has not."""
    found, known = [], set[Key]()
    for keys in stations:
        found.append(tuple(sorted(set(keys) - known, key=str)))
        known |= set(keys)
    return tuple(found)


def _not_built(failure: WorkerFailure, *, new: bool, optional: bool = False) -> Finding:
    app, name = failure.key
    return schema_not_built(
        reason=failure.sentence,
        new=new,
        optional=optional,
        app=app,
        name=name,
        file=failure.file,
        line=failure.line,
        operation=failure.operation,
    )
