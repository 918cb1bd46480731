"""``migsync doctor``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import JournalOptions, ProjectOptions, TargetOptions, group, option, option_group, options
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import ExitStatus, UsageError, common_status

if TYPE_CHECKING:
    from migsync.doctor.message import Message
    from migsync.findings import Finding
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
@options(DoctorOptions, ProjectOptions)
def doctor(output: Output, asked: DoctorOptions, where: ProjectOptions) -> ExitStatus:
    """Show everything that is wrong with the migration files, the rewrites and the databases, and what to do.

    With --error, explain an error that Django or the database printed: which migration it is about, what is recorded
    and what is there in each database, and what to type. Nothing is changed.

    The exit status is 1 if there is an error (see --fail-on) or a database cannot be read, and 4 if one could not be
    read within --lock-timeout. With --error it is 1 if a cause was found.
    """
    from migsync.doctor.diagnosis import diagnose
    from migsync.doctor.examination import examine
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey

    message = _message(asked.error) if asked.error else None
    project = where.project()
    settle_files(output, project)
    request = PlanRequest(databases=asked.where.databases, trust_names=asked.journal.no_journal)
    with survey(project, request, needs_database=False) as found:
        answer = diagnose(found, message) if message else examine(found)
        output.show([line(Span(message.text, Style.DIM)), EMPTY] if message else _head(found))
        output.show(_blocks(output, found, answer.general, answer.findings))
        every = list(answer.every)
        output.show([] if message else _sum(every, len(found.errors)))
        output.document(_document(found, answer.general, answer.findings, message.text if message else ""))
        return _status(every, found, asked.fail_on)


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


def _head(survey: Survey) -> list[Block]:
    from migsync.words import count

    own = sum(key.app in survey.history.first_party for key in survey.history.migrations)
    read = len(survey.plans) + len(survey.fresh)
    apps = sum(bool(survey.history.names(app)) for app in survey.history.first_party)
    return [line(f"{count(own, 'migration')} of {count(apps, 'app')}, {count(read, 'database')} read."), EMPTY]


def _blocks(
    output: Output, survey: Survey, general: Iterable[Finding], databases: Mapping[str, tuple[Finding, ...]]
) -> Iterator[Block]:
    from migsync.cli.views.findings import error_blocks, findings_blocks

    if shown := findings_blocks(general, shorten=output.shorten):
        yield from (*shown, EMPTY)
    for alias, findings in databases.items():
        if findings:
            yield line(Span(alias, Style.HEADING))
            yield from (*findings_blocks(findings, indent=2, shorten=output.shorten), EMPTY)
    for alias, error in survey.errors.items():
        yield line(Span(alias, Style.HEADING))
        yield from (*error_blocks(error, indent=2), EMPTY)


def _sum(findings: Iterable[Finding], unread: int) -> Iterator[Block]:
    from collections import Counter

    from migsync.findings import Severity
    from migsync.words import count, text_list

    number = Counter(finding.severity for finding in findings)
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    told = [count(number[severity], word) for severity, word in words.items() if number[severity]]
    if unread:
        told.append(f"{count(unread, 'database')} not read")
    bad = number[Severity.ERROR] or unread
    yield line(Span(f"{text_list(told)}." if told else "Nothing is wrong.", Style.BAD if bad else Style.GOOD))


def _document(
    survey: Survey, general: Iterable[Finding], databases: Mapping[str, tuple[Finding, ...]], message: str
) -> dict[str, object]:
    from migsync.cli.views.documents import error_document, plan_state

    states = {plan.target.alias: plan_state(plan) for plan in survey.plans} | dict.fromkeys(survey.fresh, "fresh")
    read = [
        {"alias": alias, "state": state, "findings": [finding.as_dict() for finding in databases.get(alias, ())]}
        for alias, state in states.items()
    ]
    failed = [
        {"alias": alias, "state": "error", "error": error_document(error)} for alias, error in survey.errors.items()
    ]
    return {
        **({"message": message} if message else {}),
        "databases": [*read, *failed],
        "findings": [finding.as_dict() for finding in general],
    }


def _status(findings: Iterable[Finding], survey: Survey, fail_on: str) -> ExitStatus:
    from migsync.findings import Severity

    levels = {"error": {Severity.ERROR}, "warning": {Severity.ERROR, Severity.WARNING}, NEVER: set()}[fail_on]
    if any(finding.severity in levels for finding in findings):
        return ExitStatus.REFUSED
    return common_status(survey.errors.values()) if survey.errors else ExitStatus.DONE
