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
        for alias in survey.held:
            if alias not in left:
                _take_look(output, survey, alias, ran=alias in ran)
    except KeyboardInterrupt:
        return


def _take_look(output: Output, survey: Survey, alias: str, *, ran: bool) -> None:
    from migsync.sync.look import take_look

    try:
        target, held = survey.targets[alias], survey.held[alias]
        if ran and not has_looks(held.version):
            # The run has made the tables. The rows are those of before it.
            held = replace(held, version=target.journal_version())
        take_look(target, survey.history, held, sources=survey.project.keep_sources)
    except (MigsyncError, SQLAlchemyError, OSError) as error:
        found = error.found if isinstance(error, MigsyncError) else str(error).partition("\n")[0]
        output.tell([line(Span(alias, Style.HEADING), f"  could not note what the migration files are: {found}")])
