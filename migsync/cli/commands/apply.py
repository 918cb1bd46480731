"""``migsync apply``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import next_command
from migsync.cli.options import (
    ConsentOptions,
    JournalOptions,
    PlanningOptions,
    ProjectOptions,
    ReasonOptions,
    argument,
    group,
    option_group,
    options,
)
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_reason, require_yes
from migsync.cli.recovery import settle_files
from migsync.cli.rollout import RolloutOptions
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.errors import ExitStatus
from migsync.sync.plan_groups import sentence_names, shortened_aliases
from migsync.sync.run import second
from migsync.words import count

if TYPE_CHECKING:
    from migsync.cli.plan_set import PlanSet
    from migsync.project import Project
    from migsync.sync.run import Run


@option_group
class ApplyOptions:
    """What ``migsync apply`` applies, and how."""

    file: Path | None = argument(metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
    planning: PlanningOptions = group(PlanningOptions)
    consent: ConsentOptions = group(ConsentOptions)
    log: ReasonOptions = group(ReasonOptions)
    journal: JournalOptions = group(JournalOptions)
    rollout: RolloutOptions = group(RolloutOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Change the records of each database, in one transaction each.",
    examples="""
    migsync apply                                 # show what changes, ask, change it
    migsync apply --noinput                       # in a deployment, before manage.py migrate
    migsync apply plan.json --noinput             # exactly the plan that was reviewed
    migsync apply -d default --reason "TICKET-7"  # one database, with a note in the log
    migsync apply --dry-run                       # only show what would change
    migsync apply -d tenants --jobs 8 --noinput   # eight schemas at a time
    migsync apply --backwards --noinput           # after a revert: back to the older names
    """,
)
@options(ApplyOptions, ProjectOptions)
def apply(output: Output, asked: ApplyOptions, where: ProjectOptions) -> ExitStatus:
    """Bring each database up to date: show the plan, ask, and change the records in one transaction.

    PLAN is a file that `migsync plan -o PLAN` saved. Without PLAN, migsync makes a new plan. If the new plan includes
    renames that no rewrite states, migsync first writes them as a new rewrite. Commit that file: other databases then
    need no evidence.

    A database is ahead of the files if a rewrite was applied to it whose file is not here, for example after a revert.
    It is changed back to the older names only if you confirm that at the terminal or give --backwards; --noinput is
    not enough. migsync refuses to if the database has since recorded migrations that have no file here.
    """
    from migsync.cli.execution import Execution
    from migsync.cli.looks import take_looks
    from migsync.cli.plan_set import open_plan_set, plan_again, write_proposed
    from migsync.cli.results import Result, finish, tell_result

    project = where.project()
    file, consent, no_journal = asked.file, asked.consent, asked.journal.no_journal
    settle_files(output, project, dry_run=consent.dry_run)
    ask = not (consent.noinput or consent.dry_run)
    with open_plan_set(output, project, file, asked.planning, trust_names=no_journal, ask=ask) as plan_set:
        output.show(plan_set.shown)
        for result in plan_set.settled:
            tell_result(output, result)
        if consent.dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            output.document(plan_set.document)
            return plan_set.status
        reason = require_reason(output, plan_set.ready, asked.log.reason, noinput=consent.noinput)
        if plan_set.ready:
            require_consent_possible(output, noinput=consent.noinput)
            output.show([EMPTY])
            require_yes(_question(plan_set), noinput=consent.noinput)
        # After the yes, for a No must change nothing; before the first database, whose journal will name this rewrite.
        written = write_proposed(output, plan_set)
        journal = project.journal and not no_journal
        # Not for a saved plan: what was reviewed is applied, or nothing is.
        survey = None if plan_set.saved else plan_set.survey
        replan = partial(plan_again, output, survey, noinput=consent.noinput) if survey else None
        results = [*(Result.failed(alias, error) for alias, error in plan_set.errors.items()), *plan_set.settled]
        rollout = asked.rollout.rollout()
        execution = Execution(output, project, plan_set.targets, reason, journal, replan, rollout)
        results += execution.carry_out(plan_set.plans)
        if journal and plan_set.survey:
            take_looks(output, plan_set.survey, plan_set.plans, results)
        if not plan_set.ready and not results:
            output.show([EMPTY, line(Span("Nothing to do.", Style.GOOD))])
        elif done := {result.alias: result.run for result in results if result.run}:
            output.show([line("To undo this: ", Span(_undo(project, done), Style.COMMAND))])
        return finish(output, results, again=("apply", *([str(file)] if file else ())), facts={"rewrite": written})


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
