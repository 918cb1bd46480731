"""``migsync repair``."""

from __future__ import annotations

from pathlib import Path

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.evidence_options import EvidenceOptions
from migsync.cli.next_command import next_command
from migsync.cli.options import (
    ConsentOptions,
    JournalOptions,
    ProjectOptions,
    ReasonOptions,
    flag,
    group,
    option,
    option_group,
    options,
)
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.errors import ExitStatus
from migsync.findings.repair import half_applied, record_in_doubt

LEFT = frozenset({half_applied.code, record_in_doubt.code})
"""About migrations that are there in part, which no record mends."""


@option_group
class RepairOptions:
    """What ``migsync repair`` repairs, and how."""

    evidence: EvidenceOptions = group(EvidenceOptions)
    inferred: bool = flag(
        "--accept",
        help="Also record migrations that leave no trace if what depends on them is there, and also remove records of "
        "migrations that run code of their own.",
    )
    file: Path | None = option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Change nothing. Save the plan to FILE, for `migsync apply FILE`.",
    )
    consent: ConsentOptions = group(ConsentOptions)
    log: ReasonOptions = group(ReasonOptions)
    journal: JournalOptions = group(JournalOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Make the records say what is in each database.",
    examples="""
    migsync repair --dry-run               # show what would change in django_migrations
    migsync repair -d default              # show it, ask, change it
    migsync repair shop --accept           # one app; also what leaves no trace in its tables
    migsync repair -o plan.json            # save the plan, to review it; then: migsync apply plan.json
    """,
)
@options(RepairOptions, ProjectOptions, formats=("text", "json", "sql"))
def repair(output: Output, asked: RepairOptions, where: ProjectOptions) -> ExitStatus:
    """Record the migrations that are in the database, and remove the records of those that are not.

    For a django_migrations that was lost, restored from another dump, or changed with --fake. The migrations on disk
    run on a scratch database, as with `migsync verify`; what each of them changes there is looked for in the database.
    Only rows of django_migrations are changed, also those of installed packages. With APP, only the records of these
    apps and what must change with them.

    A plan never leaves a record without those that it depends on. A migration of which only a part is there keeps its
    record, or stays without one; the SQL for the rest is printed. Nothing is recorded against what the guard of migrate
    has noted.

    The exit status is 1 if a plan is blocked, or if nothing can be changed and a migration is there only in part.
    """
    from migsync.cli.application import Application
    from migsync.cli.plan_set import surveyed
    from migsync.cli.sql import show_sql
    from migsync.sync.plan_file import save_plans
    from migsync.verify.repair_plans import RepairRequest, repair_survey

    project = where.project()
    evidence, no_journal = asked.evidence, asked.journal.no_journal
    settle_files(output, project, dry_run=asked.consent.dry_run)
    request = RepairRequest(evidence.options(project), evidence.where.databases, asked.inferred, no_journal)
    with repair_survey(project, request) as found:
        plan_set = surveyed(output, found)
        if output.form == "sql":
            show_sql(output, found)
            return plan_set.status
        if asked.file:
            save_plans(asked.file, found.plan_file)
            output.show(plan_set.shown)
            command = next_command("apply", str(asked.file))
            output.show([EMPTY, line(f"Saved as {asked.file}. To apply it: ", Span(command, Style.COMMAND))])
            output.document(plan_set.document)
            return plan_set.status
        if not (plan_set.ready or plan_set.errors or any(plan.blocked for plan in plan_set.plans)):
            left = any(finding.code in LEFT for plan in plan_set.plans for finding in plan.findings)
            output.show([*plan_set.shown, EMPTY, line(Span("No record is to be changed.", Style.GOOD))])
            output.document(plan_set.document)
            return ExitStatus.REFUSED if left else ExitStatus.DONE
        application = Application(
            output,
            asked.consent,
            asked.log.reason,
            journal=project.journal and not no_journal,
            again=("repair", *evidence.apps),
        )
        return application.carry_out(plan_set)
