"""Plans carried out one database after the other, each in its own transaction, and what became of each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migsync.errors import Blocked, ExitStatus, InDoubt, Interrupted, MigsyncError, StalePlan, common_status

if TYPE_CHECKING:
    from migsync.cli.pending import Pending
    from migsync.findings import Finding
    from migsync.sync.plan import Plan
    from migsync.sync.run import Run
    from migsync.sync.target import Target

APPLIED = "applied"
FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """What became of one database. `status` is ``applied``, ``already applied``, ``nothing to do`` or ``failed``.

    `findings` tell what came out otherwise than planned; `interrupted`, that Ctrl-C came while it was written to.
    """

    alias: str
    status: str
    plan: Plan | None = None
    run: Run | None = None
    findings: tuple[Finding, ...] = ()
    error: MigsyncError | None = None
    interrupted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        from migsync.cli.views.documents import error_document

        return {
            "alias": self.alias,
            "status": self.status,
            "plan": self.plan.id if self.plan else None,
            "changes": len(self.plan.changes) if self.plan and self.status == APPLIED else 0,
            "run": self.run.id if self.run else None,
            "findings": [finding.as_dict() for finding in self.findings],
            "error": error_document(self.error) if self.error else None,
        }


Again = Callable[["Plan"], "Plan | Result | None"]
"""Plans again for the target of a plan that is stale: a plan to carry out, a result, or None to leave it at that."""


@dataclass(frozen=True)
class Writing:
    """How runs are made."""

    lock_timeout: float = 10.0
    journal: bool = True
    reason: str = ""


def carry_out(
    plans: Sequence[Plan],
    targets: Mapping[str, Target],
    writing: Writing,
    pending: Pending,
    tell: Callable[[Result], None],
    again: Again | None = None,
) -> list[Result]:
    """Apply each plan that has something to do. A failure on one database does not stop the others; Ctrl-C does.

    With `again`, a plan that turned stale since it was made is made again, as long as the lock time-out lasts.
    """
    asked = [plan for plan in plans if plan.blocked or not plan.empty]
    results: list[Result] = []
    try:
        for plan in asked:
            alias = plan.target.alias
            if plan.blocked:
                results.append(Result(alias, FAILED, plan, error=blocked(plan)))
            else:
                results.append(_carry_out(plan, targets[alias], writing, pending, again))
            tell(results[-1])
            if results[-1].interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        for plan in asked[len(results) :]:
            results.append(_not_begun(plan))
            tell(results[-1])
    return results


def _carry_out(plan: Plan, target: Target, writing: Writing, pending: Pending, again: Again | None) -> Result:
    from migsync.engines import Deadline

    deadline = Deadline(writing.lock_timeout)
    while True:
        result = _attempt(plan, target, writing, pending)
        if again is None or not isinstance(result.error, StalePlan) or deadline.passed:
            return result
        try:
            made = again(plan)
        except MigsyncError as error:
            return Result(plan.target.alias, FAILED, plan, error=error)
        if made is None or isinstance(made, Result):
            return made or result
        plan = made


def _attempt(plan: Plan, target: Target, writing: Writing, pending: Pending) -> Result:
    from migsync.sync.apply import apply_plan

    alias, run_id = plan.target.alias, uuid.uuid4().hex
    pending.add(alias, run_id, journaled=writing.journal)
    try:
        outcome = apply_plan(
            target,
            plan,
            run_id=run_id,
            lock_timeout=writing.lock_timeout,
            journal=writing.journal,
            reason=writing.reason,
        )
    except InDoubt as error:  # stays pending, for `migsync recover`
        return Result(alias, FAILED, plan, error=error)
    except MigsyncError as error:
        pending.discard(run_id)
        return Result(alias, FAILED, plan, error=error)
    except KeyboardInterrupt:  # rolled back: had it been committed, there would be an outcome
        pending.discard(run_id)
        stopped = Interrupted(f"Interrupted, nothing was changed in {alias}.")
        return Result(alias, FAILED, plan, error=stopped, interrupted=True)
    pending.discard(run_id)
    return Result(alias, str(outcome.status), plan, outcome.run, outcome.findings, interrupted=outcome.interrupted)


def _not_begun(plan: Plan) -> Result:
    error = Interrupted(f"Interrupted, nothing was changed in {plan.target.alias}.")
    return Result(plan.target.alias, FAILED, plan, error=error)


def blocked(plan: Plan) -> Blocked:
    """The error of a plan that must not be applied; its findings have been shown."""
    reasons = [finding.found for finding in plan.findings if finding.blocks]
    return Blocked(f"{plan.target.alias} is blocked, nothing was changed there.", "\n".join(reasons))


def exit_status(results: Sequence[Result]) -> ExitStatus:
    """One status for all: in doubt before anything else, partly done when one was changed and one was not."""
    failed = [result.error for result in results if result.error]
    if any(isinstance(error, InDoubt) for error in failed):
        return ExitStatus.IN_DOUBT
    if failed and any(result.status == APPLIED for result in results):
        return ExitStatus.PARTLY
    return common_status(failed)
