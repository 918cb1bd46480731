"""``migsync doctor``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import JournalOptions, ProjectOptions, TargetOptions, group, option, option_group, options
from migsync.cli.output import REPORTS, Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.errors import ExitStatus, UsageError, common_status

if TYPE_CHECKING:
    from migsync.doctor.examination import Examination
    from migsync.doctor.message import Message
    from migsync.findings import Severity
    from migsync.sync.survey import Survey

NEVER = "never"


@option_group
class DoctorOptions:
    """What ``migsync doctor`` looks at, and when it fails."""

    where: TargetOptions = group(TargetOptions)
    error: str | None = option(
        "--error",
        metavar="TEXT",
        help="Explain this error of Django or the database, for this project. A whole traceback will do. -: read it "
        "from standard input.",
    )
    fail_on: str = option(
        type=click.Choice(("error", "warning", NEVER)),
        default="error",
        show_default=True,
        help="End with exit status 1 for a finding of this severity, or a more severe one.",
    )
    journal: JournalOptions = group(JournalOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Find what is wrong, or explain an error.",
    examples="""
    migsync doctor                                   # the files, the rewrites and every database
    migsync doctor -d replica --fail-on warning      # one database, more strictly
    migsync doctor --error 'relation "shop_item" already exists'
    migsync doctor --error -                         # read what migrate printed from standard input
    """,
)
@options(DoctorOptions, ProjectOptions, formats=("text", "json", *REPORTS))
def doctor(output: Output, asked: DoctorOptions, where: ProjectOptions) -> ExitStatus:
    """Show everything that is wrong with the migration files, the rewrites and the databases, and what to do.

    With --error, explain an error that Django or the database printed: which migration it is about, what is recorded
    and what is there in each database, and what to type. Nothing is changed.

    The exit status is 1 if there is an error (see --fail-on) or a database cannot be read, and 4 if one could not be
    read within --lock-timeout. With --error it is 1 if a cause was found.
    """
    from migsync.cli.views.examinations import (
        examination_blocks,
        examination_document,
        examination_head,
        examination_report,
        summary_line,
    )
    from migsync.cli.views.repairs import repair_line
    from migsync.doctor.diagnosis import diagnose
    from migsync.doctor.examination import examine
    from migsync.findings import Severity
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey

    message = _message(asked.error) if asked.error else None
    project = where.project()
    settle_files(output, project)
    request = PlanRequest(databases=asked.where.databases, trust_names=asked.journal.no_journal)
    with survey(project, request, needs_database=False) as found:
        answer = diagnose(found, message) if message else examine(found)
        output.show([line(Span(message.text, Style.DIM)), EMPTY] if message else examination_head(found))
        output.show(examination_blocks(found, answer, shorten=output.shorten))
        output.show([] if message else [summary_line(found, answer)])
        output.show(repair_line(answer.every))
        output.document(examination_document(found, answer, message.text if message else ""))
        least = None if asked.fail_on == NEVER else Severity(asked.fail_on)
        output.report(lambda: examination_report(found, answer, least))
        return _status(answer, found, least)


def _message(text: str) -> Message:
    from migsync.doctor.message import read_message

    given = sys.stdin.read() if text == "-" else text
    if message := read_message(given):
        return message
    raise UsageError(
        "The text has no error of a migration that migsync knows.",
        "Give the last lines of what Django printed, with the line that names the error.",
        "To look for what is wrong without it: migsync doctor",
    )


def _status(found: Examination, survey: Survey, least: Severity | None) -> ExitStatus:
    if least and any(finding.severity.reaches(least) for finding in found.every):
        return ExitStatus.REFUSED
    return common_status(survey.errors.values()) if survey.errors else ExitStatus.DONE
