"""``migsync renumber``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import arguments, option_group, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, RefactorOptions, change_files

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@option_group
class RenumberOptions:
    """What ``migsync renumber`` changes."""

    apps: tuple[str, ...] = arguments(metavar="[APP]...")


@click.command(
    cls=MigsyncCommand,
    short_help="Close gaps and doubles in the numbers, and change nothing else.",
    examples="""
    migsync renumber --dry-run                    # every app
    migsync renumber shop blog --update-db        # two apps, and the records of all databases
    """,
)
@options(RenumberOptions, RefactorOptions, formats=FORMATS)
def renumber(output: Output, asked: RenumberOptions, refactor: RefactorOptions) -> ExitStatus:
    """Number the migrations of each APP (default: all) from 0001 on, in an order in which they can be applied.

    Forks and merges stay; only names change, and whatever names them.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.renumber import renumber as numbered

        return numbered(ground.survey.history, apps=asked.apps, applied=ground.applied)

    return change_files(output, refactor, reshape)
