"""The end of every command that applies plans: it is shown what is to be done, asked for, carried out and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migsync.cli.next_command import next_command
from migsync.cli.options import ConsentOptions
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_reason, require_yes
from migsync.cli.rollout import ONE_BY_ONE, Rollout
from migsync.cli.shard import empty_shard
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.cli.workers import Workers, applying, require_written
from migsync.errors import ExitStatus
from migsync.sync.plan_groups import sentence_names, shortened_aliases
from migsync.sync.plan_request import PlanRequest
from migsync.sync.run import second
from migsync.words import count

if TYPE_CHECKING:
    from migsync.cli.execution import Replan
    from migsync.cli.plan_set import PlanSet
    from migsync.cli.results import Result
    from migsync.project import Project
    from migsync.sync.run import Run


@dataclass(frozen=True)
class Application:
    """How the plans of a set are applied.

    `reason` is for the log, `journal` whether there is one. `again` is the command that goes on where some databases
    are left, and `replan` plans again for one whose rows have changed meanwhile. With `workers`, these change the
    databases.
    """

    output: Output
    consent: ConsentOptions
    reason: str
    journal: bool
    again: Sequence[str]
    replan: Replan | None = None
    rollout: Rollout = ONE_BY_ONE
    workers: Workers | None = None

    def carry_out(self, plan_set: PlanSet) -> ExitStatus:
        """Show the plans, ask, apply them, and say what became of each database."""
        from migsync.cli.results import APPLIED, finish, tell_result

        output, project, noinput = self.output, plan_set.project, self.consent.noinput
        fresh = plan_set.survey.fresh if plan_set.survey else ()
        of = " of the plan" if plan_set.saved else ""
        output.show(
            empty_shard(project, plan_set.plans, plan_set.errors, plan_set.settled, fresh, of=of) or plan_set.shown
        )
        for result in plan_set.settled:
            tell_result(output, result)
        if self.consent.dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            output.document(plan_set.document)
            return plan_set.status
        if self.workers and plan_set.ready:
            require_written(plan_set.proposed)
        reason = require_reason(output, plan_set.ready, self.reason, noinput=noinput)
        if plan_set.ready:
            require_consent_possible(output, noinput=noinput)
            output.show([EMPTY])
            require_yes(_question(plan_set), noinput=noinput)
        # After the yes, for a No must change nothing.
        results, written = self.apply(plan_set, reason)
        if not plan_set.ready and not results:
            output.show([EMPTY, line(Span("Nothing to do.", Style.GOOD))])
        elif done := {each.alias: each.run for each in results if each.run and each.status == APPLIED}:
            output.show([line("To undo this: ", Span(_undo(project, done), Style.COMMAND))])
        return finish(output, results, again=tuple(self.again), facts={"rewrite": written})

    def apply(self, plan_set: PlanSet, reason: str) -> tuple[list[Result], str | None]:
        """Apply the plans without a question: what became of each database, and the rewrite that was written."""
        from migsync.cli.execution import Execution
        from migsync.cli.looks import take_looks
        from migsync.cli.plan_set import write_proposed
        from migsync.cli.results import Result

        # Before the first database, whose journal will name this rewrite.
        written = write_proposed(self.output, plan_set)
        results = [*(Result.failed(alias, error) for alias, error in plan_set.errors.items()), *plan_set.settled]
        targets, project = plan_set.targets, plan_set.project
        asked = plan_set.survey.request if plan_set.survey else PlanRequest()
        with applying(self.workers, asked) as applier:
            execution = Execution(
                self.output, project, targets, reason, self.journal, self.replan, self.rollout, applier
            )
            results += execution.carry_out(plan_set.plans)
        if self.journal and plan_set.survey:
            take_looks(self.output, plan_set.survey, plan_set.plans, results)
        return results, written


def _undo(project: Project, done: Mapping[str, Run]) -> str:
    """The command that undoes these runs, and no run of another database."""
    named = shortened_aliases(done)
    everywhere = {config.alias for config in project.targets()} == set(named)
    # Not every schema of an entry need be among them: the last run of another one is older.
    since = () if set(named) <= set(done) else ("--since", second(min(run.at for run in done.values())))
    return next_command("undo", *since, databases=() if everywhere else tuple(named))


def _question(plan_set: PlanSet) -> str:
    left = [plan.target.alias for plan in plan_set.plans if plan.blocked] + list(plan_set.errors)
    total = sum(len(plan.changes) for plan in plan_set.ready)
    back = [plan.target.alias for plan in plan_set.ready if plan.goes_back]
    names = sentence_names(plan.target.alias for plan in plan_set.ready if not plan.goes_back)
    names += [f"{name} (back to older names)" for name in sentence_names(back)]
    rest = f" ({', '.join(sentence_names(left))} will be left as {'it is' if len(left) == 1 else 'they are'})"
    return f"Make {count(total, 'change')} in {', '.join(names)}{rest if left else ''}?"
