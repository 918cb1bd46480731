"""What must be true of a plan and its database before anything is written."""

from __future__ import annotations

from migsync.engines import MigrationTable
from migsync.errors import NOTHING_CHANGED, Blocked, PlanFileError, ReadOnly, StalePlan, TargetError
from migsync.findings import Severity
from migsync.findings.commands import migrate
from migsync.rewrites.record import name_problem, names_sound
from migsync.sync.comparison import new_plan
from migsync.sync.plan import Plan
from migsync.sync.target import Target


def check_identity(target: Target, plan: Plan) -> None:
    """Raises PlanFileError unless the plan was made for this very table; the alias may be another one."""
    made_for, here = plan.target, target.ref
    if (made_for.engine, made_for.identity, made_for.schema) != (here.engine, here.identity, here.schema):
        raise PlanFileError(
            f"The plan was not made for {target.alias} ({target.address}).",
            f"It was made for the database {made_for.alias} with the identity {made_for.engine} {made_for.identity}; "
            f"the identity of this one is {here.engine} {here.identity}. {NOTHING_CHANGED}",
            f"Make a plan for this database: {target.ref.plan_command} -o FILE",
        )


def check_plan(target: Target, plan: Plan) -> None:
    """Raises PlanFileError for a plan of another table, Blocked for one with errors or with impossible names."""
    check_identity(target, plan)
    _check_ids(plan)
    errors = [finding.found for finding in plan.findings if finding.severity is Severity.ERROR]
    rows = [row for change in plan.changes for row in (change.before, change.after) if row]
    if not names_sound({text for row in rows for text in row[1:3]}):
        problems = [(row, name_problem(row.app) or name_problem(row.name)) for row in rows]
        errors += [
            f"A change has {problem}: {row.key!s:.120}".encode("unicode_escape").decode()
            for row, problem in problems
            if problem
        ]
    if errors:
        raise Blocked(
            "The plan has errors and cannot be applied:\n" + "\n".join(f"  {error}" for error in errors),
            NOTHING_CHANGED,
            f"Fix them first. {new_plan(plan)}",
        )


def _check_ids(plan: Plan) -> None:
    """Raises PlanFileError for a plan that changes one row twice: one statement for all rows would do so once."""
    seen: set[int] = set()
    for change in plan.changes:
        row = change.before.id if change.before else None
        if row in seen:
            raise PlanFileError(
                f"The plan changes row {row} twice.",
                f"It was edited or damaged. {NOTHING_CHANGED}",
                f"{new_plan(plan)} -o FILE",
            )
        if row is not None:
            seen.add(row)


def check_target(target: Target) -> MigrationTable:
    """The target's table. Raises StalePlan without one, ReadOnly, and TargetError for one that cannot roll back."""
    if target.table is None:
        raise StalePlan(
            f"{target.alias} has no table django_migrations.",
            NOTHING_CHANGED,
            f"To create it: {migrate(alias=target.alias)}",
        )
    if target.read_only:
        raise ReadOnly(
            f"{target.alias} is read-only. {target.read_only}", NOTHING_CHANGED, target.behaviour.if_read_only
        )
    if target.table.unsafe:
        raise TargetError(target.table.unsafe, NOTHING_CHANGED, target.table.remedy)
    return target.table
