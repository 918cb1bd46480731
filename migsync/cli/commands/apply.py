"""``migsync apply``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from migsync.cli.command import MigsyncCommand
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
from migsync.cli.recovery import settle_files
from migsync.cli.rollout import RolloutOptions
from migsync.cli.shard import ShardOptions
from migsync.cli.workers import WorkersOptions
from migsync.errors import ExitStatus


@option_group
class ApplyOptions:
    """What ``migsync apply`` applies, and how."""

    file: Path | None = argument(metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
    planning: PlanningOptions = group(PlanningOptions)
    consent: ConsentOptions = group(ConsentOptions)
    log: ReasonOptions = group(ReasonOptions)
    journal: JournalOptions = group(JournalOptions)
    rollout: RolloutOptions = group(RolloutOptions)
    share: ShardOptions = group(ShardOptions)
    who: WorkersOptions = group(WorkersOptions)


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
    migsync apply --workers celery --noinput      # by the project's own Celery workers
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
    from migsync.cli.application import Application
    from migsync.cli.plan_set import open_plan_set, plan_again

    project = asked.rollout.of(asked.share.of(where.project()))
    file, consent, no_journal = asked.file, asked.consent, asked.journal.no_journal
    settle_files(output, project, dry_run=consent.dry_run)
    ask = not (consent.noinput or consent.dry_run)
    request = asked.planning.request(trust_names=no_journal)
    journal = project.journal and not no_journal
    with (
        asked.who.open(project, journal=journal, dry_run=consent.dry_run) as workers,
        open_plan_set(output, project, file, request, ask=ask) as plan_set,
    ):
        # Not for a saved plan: what was reviewed is applied, or nothing is.
        survey = None if plan_set.saved else plan_set.survey
        application = Application(
            output,
            consent,
            asked.log.reason,
            journal=journal,
            again=("apply", *([str(file)] if file else ())),
            replan=partial(plan_again, output, survey, noinput=consent.noinput) if survey else None,
            rollout=asked.rollout.rollout(workers),
            workers=workers,
        )
        return application.carry_out(plan_set)
