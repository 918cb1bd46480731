"""Databases that change together with files: their steps, the run ids that are kept meanwhile, and the results."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from migsync.cli.execution import FAILED, Result, exit_status
from migsync.cli.output import Output
from migsync.cli.pending import Pending
from migsync.cli.results import tell_result
from migsync.errors import ExitStatus, InDoubt
from migsync.files.commit import Committed, DatabaseResult, DatabaseStep
from migsync.sync.apply import Outcome, apply_plan

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.sync.plan import Plan
    from migsync.sync.target import Target


def database_steps(
    plans: Sequence[Plan], targets: Mapping[str, Target], lock_timeout: float, reason: str
) -> list[DatabaseStep]:
    """One run for each plan that has something to do, with an id that is known before."""

    def apply(plan: Plan, run_id: str) -> Outcome:
        target = targets[plan.target.alias]
        return apply_plan(target, plan, run_id=run_id, lock_timeout=lock_timeout, reason=reason)

    return [DatabaseStep(plan.target.alias, uuid.uuid4().hex, partial(apply, plan)) for plan in plans if not plan.empty]


def keep_in_doubt(project: Project, results: Sequence[DatabaseResult]) -> None:
    """Keep the runs whose end was not seen for migsync recover.

    Until the files are changed, their own record knows the runs of all databases.
    """
    pending = Pending.beside(project.cache)
    for result in results:
        if isinstance(result.error, InDoubt):
            pending.add(result.alias, result.run_id)


def results_of(plans: Sequence[Plan], made: Committed) -> list[Result]:
    """What became of each database, as `migsync apply` tells it."""
    by_alias = {plan.target.alias: plan for plan in plans}
    return [_result(found, by_alias[found.alias]) for found in made.databases]


def _result(found: DatabaseResult, plan: Plan) -> Result:
    if found.outcome is None:
        return Result(found.alias, FAILED, plan, error=found.error)
    outcome = found.outcome
    return Result(found.alias, str(outcome.status), plan, outcome.run, outcome.findings)


def finished(output: Output, plans: Sequence[Plan], made: Committed, facts: Mapping[str, Any]) -> ExitStatus:
    """Tell every database's result; the one document, and the exit status: the files are changed in any case."""
    results = results_of(plans, made)
    for result in results:
        tell_result(output, result)
    status = exit_status(results)
    if status not in (ExitStatus.DONE, ExitStatus.IN_DOUBT):
        status = ExitStatus.PARTLY
    document = {"status": "done", **facts, "done": [result.as_dict() for result in results]}
    output.document({**document, "exit_status": int(status)})
    return status
