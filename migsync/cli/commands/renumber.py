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
    short_help="Close gaps and resolve duplicates in the numbers of migrations.",
    examples="""
    migsync renumber --dry-run                # only show what would change, in every app
    migsync renumber shop blog --update-db    # two apps, and the records in every database
    """,
)
@options(RenumberOptions, RefactorOptions, formats=FORMATS)
def renumber(output: Output, asked: RenumberOptions, refactor: RefactorOptions) -> ExitStatus:
    """Number the migrations of each APP from 0001, in an order in which they can be applied.

    Only names change, and the places in migration files that use these names. Forks and merges stay. Without APP, every
    app of the project is renumbered.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.renumber import renumber as numbered

        return numbered(ground.survey.history, apps=asked.apps, applied=ground.applied)

    return change_files(output, refactor, reshape)
