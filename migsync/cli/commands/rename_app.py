"""``migsync rename-app``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import argument, option_group, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, RefactorOptions, change_files

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground
    from migsync.sync.survey import Survey


@option_group
class RenameAppOptions:
    """The label of today, and the one to come."""

    old: str = argument(metavar="OLD")
    new: str = argument()


@click.command(
    "rename-app",
    cls=MigsyncCommand,
    short_help="Change the label of an app, in migrations and records.",
    examples="""
    migsync rename-app shop store --dry-run     # list what must change, in the code too
    migsync rename-app shop store --update-db   # once the code has the new label
    """,
)
@options(RenameAppOptions, RefactorOptions, formats=FORMATS)
def rename_app(output: Output, asked: RenameAppOptions, refactor: RefactorOptions) -> ExitStatus:
    """Change the label of an app from OLD to NEW, in its migrations, in those that depend on them, and in the records.

    Change the code first: the label in apps.py, db_table of the models, settings and references. Before the code has
    the new label, the command lists what to change there.

    Tables keep their names. Other rows and tables that hold the label, such as content types, are not changed; migsync
    shows the SQL for them.
    """

    def seen(survey: Survey) -> None:
        from migsync.refactor.rename_app.rename_app import use_old_label

        use_old_label(survey, asked.old, asked.new)

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.rename_app.rename_app import rename_app as relabelled

        return relabelled(ground, asked.old, asked.new)

    return change_files(output, refactor, reshape, seen=seen)
