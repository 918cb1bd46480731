"""``migsync status``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import next_command
from migsync.cli.options import JournalOptions, ProjectOptions, TargetOptions, options
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.shard import ShardOptions, empty_shard
from migsync.cli.views.blocks import EMPTY, Span, Style, line, table
from migsync.cli.views.lists import cut, more
from migsync.errors import ExitStatus

if TYPE_CHECKING:
    from migsync.sync.plan import Plan
    from migsync.sync.run import Run
    from migsync.sync.survey import Survey

PAGES = ("html", "openmetrics")
"""Formats that say everything in one text."""
SHOWN = 20
"""On a terminal, so many databases are shown."""


@click.command(
    cls=MigsyncCommand,
    short_help="Show the state of each database, one line each.",
    examples="""
    migsync status                 # every database of the project
    migsync status --format json   # for a script
    migsync status --format html   # one page about every database: redirect it to a file
    migsync status --format openmetrics   # for a monitoring system
    """,
)
@options(
    TargetOptions,
    ShardOptions,
    JournalOptions,
    ProjectOptions,
    formats=("text", "json", "html", "openmetrics"),
)
def status(
    output: Output, chosen: TargetOptions, share: ShardOptions, journal: JournalOptions, where: ProjectOptions
) -> ExitStatus:
    """Show for each database if it is up to date, which rewrites it still needs, and its last run.

    The exit status is 1 if a database is blocked or cannot be read, and 4 if it could not be read within
    --lock-timeout.
    """
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.cli.views.surveys import survey_status
    from migsync.sync.plan_groups import error_groups
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey

    project = share.of(where.project())
    settle_files(output, project)
    with survey(project, PlanRequest(databases=chosen.databases, trust_names=journal.no_journal)) as found:
        if output.form in PAGES:
            output.raw(_page(output.form, found))
            return survey_status(found)
        rows, hidden = _shown(_rows(found), shorten=output.shorten)
        head = ("database", "engine", "state", "to apply", "last run")
        output.show(
            empty_shard(project, found.plans, found.fresh, found.errors) or [table(head, rows, indent=0), *more(hidden)]
        )
        for group in error_groups(found.errors):
            output.show([EMPTY, line(Span(group.name, Style.HEADING)), *error_blocks(group.error, indent=2)])
        output.show([EMPTY, *findings_blocks(found.findings, shorten=output.shorten)] if found.findings else [])
        if any(plan.blocked for plan in found.plans):
            output.show([EMPTY, line("To see why a database is blocked: ", Span(next_command("plan"), Style.COMMAND))])
        output.document({"databases": _documents(found), "findings": [finding.as_dict() for finding in found.findings]})
        return survey_status(found)


def _page(form: str, survey: Survey) -> str:
    """The web page, or the metrics."""
    from migsync.cli.views.openmetrics import openmetrics_text
    from migsync.cli.views.status_page import status_page
    from migsync.cli.views.status_reports import status_report

    now = datetime.now(UTC)
    if form == "openmetrics":
        return openmetrics_text(status_report(survey), now)
    return status_page(status_report(survey), survey.project.root.name, now)


def _rows(survey: Survey) -> list[tuple[str | Span, ...]]:
    from migsync.cli.views.plans import engine_title, standing
    from migsync.cli.views.surveys import idle_groups
    from migsync.sync.plan_groups import error_groups, plan_groups

    rows: list[tuple[str | Span, ...]] = []
    for group in plan_groups(survey.plans):
        plan = group.first
        behind = ", ".join(rewrite.source for rewrite in plan.passed) or "-"
        newest = max(group.plans, key=lambda each: run.at if (run := _last_run(survey, each.target.alias)) else "")
        engine, last = engine_title(plan.target.engine), _last(survey, newest)
        rows.append((Span(group.name, Style.HEADING), engine, standing(plan, short=True), behind, last))
    fresh = idle_groups(dict.fromkeys(survey.fresh, "fresh"))
    rows += [(Span(name, Style.HEADING), "", Span(state, Style.GOOD), "-", "-") for name, state in fresh]
    unread = (group.name for group in error_groups(survey.errors))
    rows += [(Span(name, Style.HEADING), "", Span("cannot be read", Style.BAD), "-", "-") for name in unread]
    return rows


def _shown(rows: Sequence[tuple[str | Span, ...]], *, shorten: bool) -> tuple[Sequence[tuple[str | Span, ...]], int]:
    """The rows for a terminal, and how many more there are: what is up to date is left out before the others."""
    if shorten and len(rows) > SHOWN:
        rows = sorted(rows, key=lambda row: any(isinstance(cell, Span) and cell.style is Style.GOOD for cell in row))
    return cut(rows, SHOWN, shorten=shorten)


def _last(survey: Survey, plan: Plan) -> str:
    from migsync.cli.views.runs import short, when
    from migsync.findings.databases import unseen_journal

    run = _last_run(survey, plan.target.alias)
    if run is None and any(finding.code == unseen_journal.code for finding in plan.findings):
        return "unknown"
    return f"{run.kind.value} {short(run.id)}, {when(run)} UTC by {run.author}" if run else "-"


def _last_run(survey: Survey, alias: str) -> Run | None:
    return max(survey.runs.get(alias, ()), key=lambda run: run.number, default=None)


def _documents(survey: Survey) -> list[dict[str, Any]]:
    from migsync.cli.views.documents import error_document, plan_state

    found: list[dict[str, Any]] = []
    for plan in survey.plans:
        run = _last_run(survey, plan.target.alias)
        found.append(
            {
                "alias": plan.target.alias,
                "engine": plan.target.engine,
                "state": plan_state(plan),
                "changes": len(plan.changes),
                "behind": [rewrite.id for rewrite in plan.passed],
                "findings": [finding.as_dict() for finding in plan.findings],
                "last_run": {"id": run.id, "kind": run.kind.value, "at": run.at, "author": run.author} if run else None,
            }
        )
    found += [{"alias": alias, "state": "fresh"} for alias in survey.fresh]
    found += [
        {"alias": alias, "state": "error", "error": error_document(error)} for alias, error in survey.errors.items()
    ]
    return found
