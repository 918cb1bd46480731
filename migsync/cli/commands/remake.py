"""``migsync remake``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import arguments, flag, option, option_group, options, repeated
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, ProvenRefactorOptions, change_files

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@option_group
class RemakeCommandOptions:
    """What ``migsync remake`` makes anew, and what becomes of the old."""

    apps: tuple[str, ...] = arguments(metavar="[APP]...")
    keep_old: bool = flag(
        "--keep-old-migrations", help="Move the old files to a directory where Django does not load them."
    )
    word: str = option(
        "--name",
        default="remade",
        show_default=True,
        metavar="NAME",
        help="Use NAME after the number in the names of the new migrations.",
    )
    drop: tuple[str, ...] = repeated(
        metavar="APP.NAME",
        help="Leave out the operations of this migration that the models do not show. NAME may be the beginning of the "
        "name. Can be repeated.",
    )
    replaces: bool = flag(help="Remake as Django squashes, in two steps: write `replaces`, and keep the old files.")


@click.command(
    cls=MigsyncCommand,
    short_help="Make the migrations of an app again from its models.",
    examples="""
    migsync remake --dry-run                # only show what would change, in every app
    migsync remake shop blog --update-db    # two apps, and the records in every database
    migsync remake shop --drop shop.0007    # without the operations of one data migration
    migsync remake shop --replaces          # keep the old files for now
    """,
)
@options(RemakeCommandOptions, ProvenRefactorOptions, formats=FORMATS)
def remake(output: Output, asked: RemakeCommandOptions, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Make new migrations from the models of each APP, and remove all its old ones. Default: every app of the project.

    Operations that the models do not show are listed and carried over in their order: RunPython, RunSQL, extensions,
    and your own operations. Leave them out with --drop.

    A database that has applied all of the old migrations gets the new names with `migsync apply`, and no migration runs
    there. If a database has applied only some of them, migsync refuses. Migrate that database first.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.remake.remake import RemakeOptions
        from migsync.refactor.remake.remake import remake as remade

        wanted = RemakeOptions(asked.apps, asked.word, asked.drop, asked.replaces, asked.keep_old)
        return remade(ground, wanted, refuse_applied=refactor.refuse_applied)

    return change_files(output, refactor, reshape)
