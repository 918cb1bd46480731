"""``migsync linearize``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import AppOptions, flag, group, option_group, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, RefactorOptions, change_files

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@option_group
class LinearizeOptions:
    """What ``migsync linearize`` changes."""

    chosen: AppOptions = group(AppOptions)
    strip_cross_app: bool = flag(help="Take out dependencies on other apps that the chain makes needless.")


@click.command(
    cls=MigsyncCommand,
    short_help="Make every app's migrations one chain, 0001 to N, without merges.",
    examples="""
    migsync linearize --dry-run                   # show every file, name and database, and change nothing
    migsync linearize --update-db                 # files and records of all databases in one step
    migsync linearize --app shop --allow-applied  # one app; the databases later, with migsync apply
    """,
)
@options(LinearizeOptions, RefactorOptions, formats=FORMATS)
def linearize(output: Output, asked: LinearizeOptions, refactor: RefactorOptions) -> ExitStatus:
    """Give every migration one predecessor in its app, and numbers without gaps; merges go, operations stay.

    What is applied in a database that can be read comes before what is not, and whatever depended on a merge or on a
    renamed migration, in any app, follows. Nothing is written before it is proven that Django loads the result, that
    the models come out the same, and what every database will make of it.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.linearize import linearize as ordered

        return ordered(
            ground.survey.history, apps=asked.chosen.apps, applied=ground.applied, strip_cross_app=asked.strip_cross_app
        )

    return change_files(output, refactor, reshape)
