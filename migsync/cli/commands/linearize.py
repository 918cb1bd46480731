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
    strip_cross_app: bool = flag(help="Remove dependencies on other apps that the chain makes redundant.")


@click.command(
    cls=MigsyncCommand,
    short_help="Make the migrations of each app one chain, without merges and gaps.",
    examples="""
    migsync linearize --dry-run                   # only show what would change
    migsync linearize --update-db                 # the files, and the records in every database
    migsync linearize --app shop --allow-applied  # one app; databases later: migsync apply
    """,
)
@options(LinearizeOptions, RefactorOptions, formats=FORMATS)
def linearize(output: Output, asked: LinearizeOptions, refactor: RefactorOptions) -> ExitStatus:
    """Order the migrations of each app in one chain, numbered without gaps. Merge migrations are removed.

    Migrations that a database has applied come before those that no database has applied. A dependency that says
    otherwise is taken out, if neither migration needs the other. Dependencies on a removed or renamed migration are
    updated, in every app. The operations stay as they are.

    Before it writes anything, migsync proves that Django loads the new files, that they lead to the same models, and
    that every database can be updated.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.linearize import linearize as ordered

        return ordered(
            ground.survey.history, apps=asked.chosen.apps, applied=ground.applied, strip_cross_app=asked.strip_cross_app
        )

    return change_files(output, refactor, reshape)
