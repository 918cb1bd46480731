"""``migsync apply``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import Command
from migsync.cli.next_command import next_command
from migsync.cli.options import (
    Where,
    consent_options,
    journal_option,
    output_options,
    planning_options,
    project_options,
    reason_option,
)
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.errors import ExitStatus
from migsync.words import count

if TYPE_CHECKING:
    from migsync.cli.plan_set import Work
    from migsync.project import Project
    from migsync.sync.plan import Plan


@click.command(
    cls=Command,
    short_help="Make the changes of a plan, one transaction in each database.",
    examples="""
    migsync apply                                 # plan, show, ask, apply
    migsync apply --noinput                       # in a deployment, before manage.py migrate
    migsync apply plan.json --noinput             # exactly the plan that was reviewed
    migsync apply -d default --reason "TICKET-7"  # one database, with a note for the log
    migsync apply --dry-run                       # show what would be done
    migsync apply --backwards --noinput           # after a revert: older files, older names
    """,
)
@click.argument("file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@planning_options
@consent_options
@reason_option
@journal_option
@project_options
@output_options()
@click.pass_obj
def apply(
    output: Output,
    file: Path | None,
    where: Where,
    noinput: bool,
    dry_run: bool,
    reason: str,
    no_journal: bool,
    asked: dict[str, Any],
) -> ExitStatus:
    """Bring every database up to date: show the plan, ask, and change each in a transaction of its own.

    PLAN is a file saved by migsync plan -o; without it a new plan is made. Whatever a new plan rests on that no
    rewrite tells yet is written as a rewrite first: commit it, and the next database needs no guess.

    A database that is ahead of these files (a rewrite without a file here was applied to it) is left as it is.
    To give its records the older names again takes a yes at the terminal, or --backwards; --noinput is not enough.
    Where a newer release has recorded migrations since that have no file here, it is refused in any case.
    """
    from migsync.cli.execution import Execution
    from migsync.cli.plan_set import plan_again, work_of, write_proposed
    from migsync.cli.results import Result, finish, tell_result

    project = where.project()
    settle_files(output, project, dry_run=dry_run)
    ask = not (noinput or dry_run)
    with work_of(output, project, file, asked, trust_names=no_journal, ask=ask) as work:
        output.show(work.shown)
        for result in work.settled:
            tell_result(output, result)
        if dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            output.document(work.document)
            return work.status
        if work.ready:
            require_consent_possible(output, noinput=noinput)
            output.show([EMPTY])
            require_yes(_question(work), noinput=noinput)
        written = write_proposed(output, work)
        journal = project.journal and not no_journal
        replan = partial(plan_again, output, work.survey, noinput=noinput) if work.survey else None
        results = [*(Result.failed(alias, error) for alias, error in work.errors.items()), *work.settled]
        results += Execution(output, project, work.targets, reason, journal, replan).carry_out(work.plans)
        if not work.ready and not results:
            output.show([EMPTY, line(Span("Nothing to do.", Style.GOOD))])
        elif done := [result.alias for result in results if result.run]:
            output.show([line("To take it back: ", Span(_undo(project, done), Style.COMMAND))])
        return finish(output, results, again=("apply", *([str(file)] if file else ())), facts={"rewrite": written})


def _undo(project: Project, aliases: Sequence[str]) -> str:
    """The command that takes back these runs, and no run of another database."""
    everywhere = {config.alias for config in project.targets()} == set(aliases)
    return next_command("undo", databases=() if everywhere else aliases)


def _question(work: Work) -> str:
    left = [plan.target.alias for plan in work.plans if plan.blocked] + list(work.errors)
    total = sum(len(plan.changes) for plan in work.ready)
    aliases = ", ".join(_named(plan) for plan in work.ready)
    rest = f" ({', '.join(left)} will be left as {'it is' if len(left) == 1 else 'they are'})" if left else ""
    return f"Make {count(total, 'change')} in {aliases}{rest}?"


def _named(plan: Plan) -> str:
    return f"{plan.target.alias} (back to older names)" if plan.goes_back else plan.target.alias
