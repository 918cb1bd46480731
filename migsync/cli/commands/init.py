"""``migsync init``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import ProjectOptions, TargetOptions, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import ExitStatus, MigsyncError, ProjectError, common_status

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.sync.survey import Survey
    from migsync.sync.target_state import TargetState

FRESH = "has no django_migrations yet. Run this command again after the first migrate."


@click.command(
    cls=MigsyncCommand,
    short_help="Create migsync's tables, and note what the files are.",
    examples="""
    migsync init               # every database of the project
    migsync init -d default    # one database
    """,
)
@options(TargetOptions, ProjectOptions)
def init(output: Output, chosen: TargetOptions, where: ProjectOptions) -> ExitStatus:
    """Create migsync's tables in each database, and note what the migration files are now.

    The first `migsync apply` that changes something creates the same tables. From then on the guard of `migrate` notes
    what each migration is that it runs, and each `migsync apply` notes what the files are. With this command that
    begins at once. No record is changed, and there is no run to undo.
    """
    from migsync.cli.views.documents import error_document
    from migsync.cli.views.findings import error_blocks
    from migsync.sync.survey import open_survey

    project = where.project()
    _require_journal(project)
    blocks: list[Block] = []
    databases: list[dict[str, Any]] = []
    with open_survey(project) as found:
        for state in found.read_targets(chosen.databases):
            alias = state.ref.alias
            try:
                made = _init(found, state)
            except MigsyncError as error:
                found.errors[alias] = error
                continue
            blocks.append(line(Span(alias, Style.HEADING), f"  {_said(made)}"))
            databases.append({"alias": alias, **made})
        for alias in found.fresh:
            blocks.append(line(Span(alias, Style.HEADING), f"  {FRESH}"))
            databases.append({"alias": alias, "fresh": True})
        output.show(blocks)
        for alias, failed in found.errors.items():
            output.tell([EMPTY, line(Span(alias, Style.HEADING)), *error_blocks(failed, indent=2)])
            databases.append({"alias": alias, "error": error_document(failed)})
        output.document({"databases": databases})
        return common_status(found.errors.values())


def _require_journal(project: Project) -> None:
    if not project.journal:
        raise ProjectError(
            "journal is false in pyproject.toml, so migsync has no tables in the databases.",
            "Without them, nothing can be noted.",
            "Remove journal = false from [tool.migsync], then run the command again.",
        )


def _init(survey: Survey, state: TargetState) -> dict[str, Any]:
    """What was done in one database, as JSON values."""
    from migsync.sync.journal.tables import NEWEST
    from migsync.sync.look import take_look
    from migsync.sync.setup import make_journal

    before = make_journal(state.target, lock_timeout=survey.project.lock_timeout)
    held = replace(state.held, version=NEWEST)
    looked = take_look(state.target, survey.history, held, sources=survey.project.keep_sources)
    return {"before": before, "version": NEWEST, "noted": looked}


def _said(made: dict[str, Any]) -> str:
    before, version = made["before"], made["version"]
    tables = "the tables are there already" if before == version else "created the tables"
    if before and before != version:
        tables = f"brought the tables from version {before} to {version}"
    return f"{tables}; {'noted what the migration files are' if made['noted'] else 'nothing new to note'}."
