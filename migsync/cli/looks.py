"""The looks of a command: what the files are, noted in each database that it has finished with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from migsync.cli.output import Output
from migsync.cli.results import Result
from migsync.cli.views.blocks import Span, Style, line
from migsync.errors import MigsyncError
from migsync.sync.journal.looks import FileSet
from migsync.sync.journal.tables import has_looks

if TYPE_CHECKING:
    from migsync.sync.plan import Plan
    from migsync.sync.survey import Survey


def take_looks(output: Output, survey: Survey, plans: Sequence[Plan], results: Sequence[Result]) -> None:
    """Take a look for each database that is neither blocked nor failed; whatever goes wrong is one line.

    The command has its result already, so nothing may change that any more.
    """
    left = {plan.target.alias for plan in plans if plan.blocked} | {each.alias for each in results if each.error}
    ran = {each.alias for each in results if each.run}
    try:
        files = FileSet.of(survey.history)
        for alias in survey.held:
            if alias not in left:
                _take_look(output, survey, alias, files, ran=alias in ran)
        for plan in plans:
            if plan.target.alias not in left and survey.request.against_evidence:
                _note_stated(output, survey, plan)
    except KeyboardInterrupt:
        return


def _take_look(output: Output, survey: Survey, alias: str, files: FileSet, *, ran: bool) -> None:
    from migsync.sync.look import take_look

    try:
        target, held = survey.targets[alias], survey.held[alias]
        if ran and not has_looks(held.version):
            # The run has made the tables. The rows are those of before it.
            held = replace(held, version=target.journal_version())
        take_look(target, survey.history, held, files, sources=survey.project.keep_sources)
    except (MigsyncError, SQLAlchemyError, OSError) as error:
        _tell_failed(output, alias, "what the migration files are", error)


def _note_stated(output: Output, survey: Survey, plan: Plan) -> None:
    """Note what a person stated with ``--against-evidence``, so that it is not asked again."""
    from migsync.sync.look import note_stated

    alias = plan.target.alias
    apps = {finding.app for finding in plan.findings if finding.facts.get("stated")}
    changed = {row for change in plan.changes for row in (change.before, change.after)}
    found = survey.ran.get(alias, {})
    records = [
        record
        for record in survey.held[alias].records
        if record.app in apps
        and record not in changed
        and record.key in survey.history.migrations
        and record.id is not None
        and record.id in found
        and (found[record.id].versions or found[record.id].unapplied)
    ]
    try:
        held = replace(survey.held[alias], version=survey.targets[alias].journal_version())
        noted = note_stated(survey.targets[alias], survey.history, held, records)
    except (MigsyncError, SQLAlchemyError, OSError) as error:
        _tell_failed(output, alias, "what was stated", error)
        return
    if noted:
        files = "file is" if noted == 1 else "files are"
        output.show([line(Span(alias, Style.HEADING), f"  noted that {noted} {files} taken for what ran")])


def _tell_failed(output: Output, alias: str, what: str, error: Exception) -> None:
    said = error.found if isinstance(error, MigsyncError) else str(error).partition("\n")[0]
    output.tell([line(Span(alias, Style.HEADING), f"  could not note {what}: {said}")])
