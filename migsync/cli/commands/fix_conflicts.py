"""``migsync fix-conflicts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.branches import ask_first, parse_first
from migsync.cli.command import Command
from migsync.cli.options import Where
from migsync.cli.output import Output
from migsync.cli.rewriting import Asked, app_option, rewrite_files, rewriting_options

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.proposal import Reshape
    from migsync.refactor.pipeline import Ground


@click.command(
    "fix-conflicts",
    cls=Command,
    short_help="Put branches that ended side by side in line, in place of a merge migration.",
    examples="""
    migsync fix-conflicts                         # asks which branch goes first, where it is not clear
    migsync fix-conflicts --app shop --first 0003_price
    """,
)
@app_option
@click.option(
    "--first",
    metavar="[APP.]NAME",
    multiple=True,
    help="The branch that this migration is on goes first; give it again for more apps.",
)
@rewriting_options
@click.pass_obj
def fix_conflicts(
    output: Output, apps: tuple[str, ...], first: tuple[str, ...], where: Where, asked: Asked
) -> ExitStatus:
    """Resolve several ends in an app: the whole of each branch is put in line, with the least renaming.

    What is applied in a database that can be read goes first. Where that leaves it open, --first says it, or you are
    asked.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.conflicts import fix_conflicts as in_line

        history = ground.survey.history
        given = parse_first(first, history)
        if asked.noinput:
            return in_line(history, apps=apps, applied=ground.applied, first=given)
        return ask_first(
            output, history, given, lambda answers: in_line(history, apps=apps, applied=ground.applied, first=answers)
        )

    return rewrite_files(output, where, asked, reshape)
