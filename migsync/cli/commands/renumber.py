"""``migsync renumber``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import Command
from migsync.cli.options import Where
from migsync.cli.output import Output
from migsync.cli.refactor import Asked, rewrite_files, rewriting_options

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@click.command(
    cls=Command,
    short_help="Close gaps and doubles in the numbers, and change nothing else.",
    examples="""
    migsync renumber --dry-run                    # every app
    migsync renumber shop blog --update-db        # two apps, and the records of all databases
    """,
)
@click.argument("apps", metavar="[APP]...", nargs=-1)
@rewriting_options
@click.pass_obj
def renumber(output: Output, apps: tuple[str, ...], where: Where, asked: Asked) -> ExitStatus:
    """Number the migrations of each APP (default: all) from 0001 on, in an order in which they can be applied.

    Forks and merges stay; only names change, and whatever names them.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.renumber import renumber as numbered

        return numbered(ground.survey.history, apps=apps, applied=ground.applied)

    return rewrite_files(output, where, asked, reshape)
