"""Plans carried out: one database after the other, each in a transaction of its own, or together with files."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Event
from typing import TYPE_CHECKING

import click
from click.globals import push_context

from migsync.cli.applier import Applier, LocalApplier
from migsync.cli.completion import remember_runs
from migsync.cli.output import Output
from migsync.cli.recovery import PendingRuns
from migsync.cli.results import FAILED, Result, tell_groups, tell_result
from migsync.cli.rollout import ONE_BY_ONE, Failures, Rollout, waves
from migsync.cli.run_ids import RunIds
from migsync.engines import Deadline
from migsync.errors import InDoubt, Interrupted, LockTimeout, MigsyncError, NotBegun, StalePlan
from migsync.progress import ProgressStep, step

if TYPE_CHECKING:
    from migsync.cli.targets import OpenTargets
    from migsync.files.commit import CommitResult, DatabaseResult, DatabaseStep
    from migsync.project import Project
    from migsync.sync.apply import Outcome
    from migsync.sync.plan import Plan
    from migsync.sync.target import Target

Replan = Callable[["Plan"], "Plan | Result | None"]
"""Plans again for the target of a plan that is stale: a plan to carry out, a result, or None to leave it at that."""


@dataclass
class _LastRun:
    """The last attempt of a plan; without an id before the first."""

    plan: Plan | None = None
    id: str = ""
    commit_sent: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Execution:
    """The runs of one command on `targets`, by alias; each result is told as soon as it is known.

    `reason` is the note for the log. Without `journal`, runs leave no entry. With `replan`, a plan that turned stale
    since it was made is made again, as long as the project's lock time-out lasts. Without an `applier`, this process
    carries out the plans.
    """

    output: Output
    project: Project
    targets: Mapping[str, Target]
    reason: str = ""
    journal: bool = True
    replan: Replan | None = None
    rollout: Rollout = ONE_BY_ONE
    applier: Applier | None = None

    @cached_property
    def _ids(self) -> RunIds:
        return RunIds(PendingRuns.beside(self.project.cache), journaled=self.journal)

    def carry_out(self, plans: Sequence[Plan]) -> list[Result]:
        """Apply each plan that has something to do. A failure on one database does not stop the others; Ctrl-C does."""
        from migsync.sync.plan_groups import plan_groups

        asked = [plan for plan in plans if plan.blocked or not plan.empty]
        groups = [group.plans for group in plan_groups(asked)]
        canaries, rest = waves(groups, self.rollout.canary)
        number = {plan.target.alias: place for place, group in enumerate(groups) for plan in group if len(group) > 1}
        failures = Failures(self.rollout, number)
        with step("Changing databases", len(asked)) as made:
            results = self._wave(canaries, failures, made, canary=True)
            if not _any_interrupted(results):
                found = self._wave(rest, failures, made)
                # Whoever held a lock may be done by now.
                late = [each for each in found if self._is_late(each, rest)]
                results += [each for each in found if each not in late]
                again = [each.plan for each in late if each.plan]
                if _any_interrupted(results):
                    results += self._told(late, made)
                else:
                    results += self._wave(again, failures, made, last=True)
            else:
                results += self._told((self._interrupted(plan, _LastRun()) for plan in rest), made)
        self._ids.close()
        tell_groups(self.output, results)
        remember_runs(self.project, {each.alias: [each.run] for each in results if each.run})
        return results

    def _is_late(self, result: Result, plans: Sequence[Plan]) -> bool:
        """Whether a plan is tried again at the end: its lock was not free, and there are others to do meanwhile."""
        return isinstance(result.error, LockTimeout) and len(plans) > 1

    def _wave(
        self, plans: Sequence[Plan], failures: Failures, made: ProgressStep, *, canary: bool = False, last: bool = False
    ) -> list[Result]:
        """The results of the plans. Those that are tried again are not told, unless this is the `last` time."""
        waits = not (canary or last)
        self._ids.expect([plan.target.alias for plan in plans if not plan.blocked])

        def one(plan: Plan, run: _LastRun) -> Result:
            result = self._unless_refused(plan, run, failures)
            begun = not (plan.blocked or isinstance(result.error, NotBegun))
            if result.error and begun and not (waits and self._is_late(result, plans)):
                failures.add(plan.target.alias, canary=canary)
            return result

        def tell(result: Result) -> None:
            if not (waits and self._is_late(result, plans)):
                made.done += 1
                tell_result(self.output, result)

        if self.rollout.jobs > 1 and len(plans) > 1:
            return self._side_by_side(plans, one, tell)
        results: list[Result] = []
        run = _LastRun()
        try:
            for plan in plans:
                run = _LastRun(plan)
                results.append(one(plan, run))
                tell(results[-1])
                # Ctrl-C came during the COMMIT of this plan, and apply_plan() kept it back until it knew how that
                # ended.
                if results[-1].interrupted:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            left = plans[len(results) :]
            ended = (self._interrupted(plan, run if run.plan is plan else _LastRun()) for plan in left)
            results += self._told(ended, made)
        return results

    def _told(self, results: Iterable[Result], made: ProgressStep) -> list[Result]:
        kept: list[Result] = []
        for result in results:
            kept.append(result)
            made.done += 1
            tell_result(self.output, result)
        return kept

    def _side_by_side(
        self, plans: Sequence[Plan], one: Callable[[Plan, _LastRun], Result], tell: Callable[[Result], None]
    ) -> list[Result]:
        """At Ctrl-C, runs that have begun are finished, and no other one is begun."""
        interrupted = Event()

        def unless_interrupted(plan: Plan) -> Result:
            return self._interrupted(plan, _LastRun()) if interrupted.is_set() else one(plan, _LastRun(plan))

        # click knows the command that runs by the thread, and hints repeat its options.
        context = click.get_current_context(silent=True)
        begin = partial(push_context, context) if context else None  # there is none under migsync.api
        with ThreadPoolExecutor(self.rollout.jobs, initializer=begin) as executor:
            futures = [executor.submit(unless_interrupted, plan) for plan in plans]
            waiting = set(futures)
            while waiting:
                try:
                    # Not wait(), which looks at all that are left each time that one is done.
                    for future in as_completed(waiting):
                        waiting.discard(future)
                        tell(future.result())
                except KeyboardInterrupt:
                    interrupted.set()
                    if self.applier:
                        self.applier.interrupt()
        return [future.result() for future in futures]

    def _unless_refused(self, plan: Plan, run: _LastRun, failures: Failures) -> Result:
        if plan.blocked:
            return Result.blocked(plan)
        if refusal := failures.refusal(plan.target.alias):
            return Result.failed(plan.target.alias, refusal, plan)
        return self._carry_out(plan, run)

    def _interrupted(self, plan: Plan, run: _LastRun) -> Result:
        """The result of a plan at which Ctrl-C came, or that was not begun because of it."""
        alias = plan.target.alias
        if not run.commit_sent.is_set():
            if run.id:
                self._ids.end(run.id)
            return Result.failed(alias, Interrupted(f"Interrupted. Nothing was changed in {alias}."), plan)
        # Once more: Ctrl-C may also have come after it was discarded.
        self._ids.doubt(alias, run.id)
        error = InDoubt(
            f"Interrupted during the COMMIT of run {run.id} in {alias}.",
            "Either all of its changes were made or none.",
            "Run: migsync recover",
        )
        return Result.failed(alias, error, plan)

    def _carry_out(self, plan: Plan, run: _LastRun) -> Result:
        # Somebody who changes the rows all the time must not keep this going: planning again is a way of waiting, too.
        deadline = Deadline(self.project.lock_timeout)
        while True:
            result = self._attempt(plan, run)
            if self.replan is None or not isinstance(result.error, StalePlan) or deadline.passed:
                return result
            try:
                made = self.replan(plan)
            except MigsyncError as error:
                return Result.failed(plan.target.alias, error, plan)
            if made is None or isinstance(made, Result):
                return made or result
            plan = made

    def _attempt(self, plan: Plan, run: _LastRun) -> Result:
        alias, applier = plan.target.alias, self.applier or LocalApplier(bool(self.project.use_tz))
        # Kept before the first statement: should this process be killed, `migsync recover` knows what to ask for.
        run_id = run.id = self._ids.begin(alias)
        self.output.changing = True
        try:
            outcome = applier.apply(
                self.targets[alias],
                plan,
                run_id=run_id,
                lock_timeout=self.project.lock_timeout,
                journal=self.journal,
                reason=self.reason,
                commit_sent=run.commit_sent,
            )
        except InDoubt as error:
            self._ids.doubt(alias, run_id)
            return Result.failed(alias, error, plan, interrupted=error.interrupted)
        except MigsyncError as error:
            self._ids.end(run_id)
            return Result.failed(alias, error, plan)
        self._ids.end(run_id)
        return _result(alias, plan, outcome)


def undo_all(execution: Execution, found: OpenTargets, plans: Sequence[Plan], idle: Sequence[str]) -> list[Result]:
    """Undo runs; what became of each database, of those too that cannot be read or have nothing to undo."""
    results = [Result(alias, "nothing to do") for alias in idle]
    results += [Result.failed(alias, error) for alias, error in found.errors.items()]
    return results + execution.carry_out(plans)


def _any_interrupted(results: Iterable[Result]) -> bool:
    return any(isinstance(result.error, Interrupted) or result.interrupted for result in results)


def _result(alias: str, plan: Plan, outcome: Outcome) -> Result:
    status = str(outcome.status)
    return Result(alias, status, plan, outcome.run, outcome.findings, interrupted=outcome.interrupted)


def database_steps(
    output: Output, plans: Sequence[Plan], targets: Mapping[str, Target], lock_timeout: float, reason: str
) -> list[DatabaseStep]:
    """The runs that a change of files makes: one for each plan that has something to do.

    Their ids are made here, since the record of the change of files names them before the first run begins.
    """
    from migsync.files.commit import DatabaseStep
    from migsync.sync.apply import apply_plan

    def apply(plan: Plan, run_id: str) -> Outcome:
        target = targets[plan.target.alias]
        output.changing = True
        return apply_plan(target, plan, run_id=run_id, lock_timeout=lock_timeout, reason=reason)

    return [DatabaseStep(plan.target.alias, uuid.uuid4().hex, partial(apply, plan)) for plan in plans if not plan.empty]


def step_results(project: Project, plans: Sequence[Plan], made: CommitResult) -> list[Result]:
    """What became of each database that changed together with files.

    Keeps the runs whose end was not seen for ``migsync recover``. They are pending only from here on: while the change
    of files is under way, its own record names the runs of all databases.
    """
    pending = PendingRuns.beside(project.cache)
    by_alias = {plan.target.alias: plan for plan in plans}
    for found in made.databases:
        if isinstance(found.error, InDoubt):
            pending.add(found.alias, found.run_id)
    return [_step_result(found, by_alias[found.alias]) for found in made.databases]


def _step_result(found: DatabaseResult, plan: Plan) -> Result:
    if found.outcome is None:
        return Result(found.alias, FAILED, plan, error=found.error)
    return _result(found.alias, plan, found.outcome)
