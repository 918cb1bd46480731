"""The plan of a message, compared with the one that this machine makes.

It is with a message as with a plan file (:mod:`migsync.sync.review`): the plan in it is never carried out. A worker
plans again from its own files and rewrites and from the rows as they are now, and goes on only where that does the
same. So a message cannot make it do anything that its planner would not do, and a worker with other files refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migsync.errors import NOTHING_CHANGED, OtherFiles, StalePlan
from migsync.rewrites.package_rewrites import all_rewrites
from migsync.sync.apply import Outcome, Status
from migsync.sync.comparison import already_applied, does_the_same, fits_before, new_plan, stale_plan
from migsync.sync.plan import Plan
from migsync.sync.preconditions import check_identity
from migsync.sync.review import differences
from migsync.sync.survey import Survey, survey_target
from migsync.sync.target import Snapshot, Target
from migsync.sync.task_message import TaskMessage
from migsync.sync.undo import changed_presence, plan_undo

if TYPE_CHECKING:
    from migsync.sync.kept_plans import KeptPlans
    from migsync.sync.unnamed_schemas import Schemas


def done_before(target: Target, message: TaskMessage) -> Outcome | None:
    """How it ended where the journal has the run already: brokers may deliver a message twice.

    Raises PlanFileError for a message about another database.
    """
    check_identity(target, message.plan)
    run = target.run(message.run)
    return Outcome(Status.ALREADY_APPLIED, run) if run else None


def plan_here(
    message: TaskMessage, target: Target, files: Survey, schemas: Schemas, kept: KeptPlans, *, worker: str
) -> Plan | Outcome:
    """The plan to carry out, made here; or how it ended, where another run has done the same.

    Raises StalePlan for rows that have changed, and OtherFiles, which names the `worker`, for another plan.
    """
    saved = message.plan
    made, held = _undo(message, target, files) if saved.undoes else _plan(message, target, files, schemas, kept)
    if does_the_same(saved, made):
        return made
    if run := already_applied(saved, held.records, held.runs):
        return Outcome(Status.ALREADY_APPLIED, run)
    if not fits_before(saved, held.records):
        raise stale_plan(saved, held.records)
    blocked = [f"  {finding.found}" for finding in made.findings if finding.blocks]
    raise OtherFiles(
        f"The worker {worker} makes another plan for {saved.target.alias}:\n"
        + ("\n".join(blocked) or differences(saved, made)),
        f"Its migration files, rewrites or settings are not those that the plan was made from. {NOTHING_CHANGED}",
    )


def _plan(
    message: TaskMessage, target: Target, files: Survey, schemas: Schemas, kept: KeptPlans
) -> tuple[Plan, Snapshot]:
    found = survey_target(files, schemas, kept, target, message.request)
    if not found.plans:
        raise StalePlan(f"{target.alias} has no records any more.", NOTHING_CHANGED)
    return found.plans[0], found.held[target.alias]


def _undo(message: TaskMessage, target: Target, files: Survey) -> tuple[Plan, Snapshot]:
    held = target.snapshot()
    run = next((run for run in held.runs if run.id == message.plan.undoes), None)
    if run is None:
        raise StalePlan(f"{target.alias} has no run {message.plan.undoes}.", NOTHING_CHANGED, new_plan(message.plan))
    rewrites, _ = all_rewrites(files.project)
    history = files.history if changed_presence(run) else None
    return plan_undo(target.ref, run, held.records, held.runs, rewrites.ordered, history), held
