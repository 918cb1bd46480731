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
    keep_old: bool = flag("--keep-old-migrations", help="Move the old files aside, where Django sees none of them.")
    word: str = option("--name", default="remade", show_default=True, metavar="NAME", help="The word in the new names.")
    drop: tuple[str, ...] = repeated(
        metavar="APP.NAME",
        help="Leave the operations of this migration out that models do not show; the name may be cut short.",
    )
    replaces: bool = flag(help="Keep the old files, and have the new ones say in `replaces` which they stand for.")


@click.command(
    cls=MigsyncCommand,
    short_help="Make an app's migrations from scratch, and carry over what models do not show.",
    examples="""
    migsync remake --dry-run                      # every app: the new files, and what is carried over
    migsync remake shop blog --update-db          # two apps, and the records of all databases
    migsync remake shop --drop shop.0007          # without the operations of one data migration
    migsync remake shop --replaces                # Django's classic way: the old files stay for now
    """,
)
@options(RemakeCommandOptions, ProvenRefactorOptions, formats=FORMATS)
def remake(output: Output, asked: RemakeCommandOptions, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Have Django's autodetector make the migrations of each APP (default: all) anew, in place of all that it has.

    What the models do not show (RunPython, RunSQL, extensions, operations of your own) is listed and carried over in
    its order, or left out by name. A database that has all old migrations gets the new names for them, by
    migsync apply; nothing runs there.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.remake.remake import RemakeOptions
        from migsync.refactor.remake.remake import remake as remade

        return remade(ground, RemakeOptions(asked.apps, asked.word, asked.drop, asked.replaces, asked.keep_old))

    return change_files(output, refactor, reshape)
