"""``migsync plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import next_command
from migsync.cli.options import (
    JournalOptions,
    PlanningOptions,
    ProjectOptions,
    flag,
    group,
    names_of,
    option,
    option_group,
    options,
)
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.shard import ShardOptions, empty_shard
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.sync.survey import Survey


@option_group
class PlanCommandOptions:
    """What ``migsync plan`` shows, and where it saves it."""

    planning: PlanningOptions = group(PlanningOptions)
    file: Path | None = option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Save the plan to FILE, for `migsync apply FILE`.",
    )
    journal: JournalOptions = group(JournalOptions)
    share: ShardOptions = group(ShardOptions)
    check: bool = flag(help="End with exit status 2 if a database needs changes.")


@click.command(
    cls=MigsyncCommand,
    short_help="Show what must change in each database.",
    examples="""
    migsync plan                                  # every database of the project
    migsync plan -d default --app shop            # one database, one app
    migsync plan --map shop.0003_b=0002_b         # state that 0003_b was renamed to 0002_b
    migsync plan -o plan.json                     # save the plan, to review and apply it later
    migsync plan --check                          # in CI: exit status 2 if a database needs changes
    migsync plan --format sql                     # as the SQL that migsync script writes
    """,
)
@options(PlanCommandOptions, ProjectOptions, formats=("text", "json", "sql"))
def plan(output: Output, asked: PlanCommandOptions, where: ProjectOptions) -> ExitStatus:
    """Show what must change in django_migrations, in each database. Nothing is changed.

    migsync compares the migration files, the rewrites and the records of the database. If a file was renamed without a
    rewrite, the plan includes the rename if git or a journal proves it. If the rename is only likely, migsync shows the
    reasons and blocks the plan until you confirm it with --map or --accept.

    The exit status is 1 if a plan is blocked, a database cannot be read, or a database is ahead of the files and
    --backwards was not given. It is 4 if a database could not be read within --lock-timeout.
    """
    from migsync.cli.sql import show_sql
    from migsync.cli.views.surveys import survey_blocks, survey_document, survey_status
    from migsync.sync.plan_file import save_plans
    from migsync.sync.survey import survey

    project = asked.share.of(where.project())
    settle_files(output, project)
    with survey(project, asked.planning.request(trust_names=asked.journal.no_journal)) as found:
        if asked.file:
            save_plans(asked.file, found.plan_file)
        output.show(
            [
                *survey_blocks(found, shorten=output.shorten),
                *empty_shard(project, found.plans, found.fresh, found.errors),
            ]
        )
        output.show(_next(found, asked.file))
        if output.json:
            output.document(survey_document(found))
        if output.form == "sql":
            show_sql(output, found)
        return survey_status(found, check=asked.check)


def _next(survey: Survey, file: Path | None) -> list[Block]:
    """The last line: how to go on."""
    if file:
        command = next_command("apply", str(file), without=_not_with_a_file(survey))
        return [EMPTY, line(f"Saved as {file}. To apply it: ", Span(command, Style.COMMAND))]
    if any(plan.changes and not plan.blocked for plan in survey.plans):
        return [EMPTY, line("Nothing was changed. To apply the plan: ", Span(next_command("apply"), Style.COMMAND))]
    return []


def _not_with_a_file(survey: Survey) -> set[str]:
    """The options that a saved plan holds already, so that `apply PLAN` does not take them."""
    goes_back = any(plan.goes_back and not plan.blocked for plan in survey.plans)
    return set(names_of(PlanningOptions)) - ({"backwards"} if goes_back else set())
