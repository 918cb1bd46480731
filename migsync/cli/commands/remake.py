"""``migsync remake``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import Command
from migsync.cli.options import Where
from migsync.cli.output import Output
from migsync.cli.refactor import Asked, proven_rewriting_options, rewrite_files

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@click.command(
    cls=Command,
    short_help="Make an app's migrations from scratch, and carry over what models do not show.",
    examples="""
    migsync remake --dry-run                      # every app: the new files, and what is carried over
    migsync remake shop blog --update-db          # two apps, and the records of all databases
    migsync remake shop --drop shop.0007          # without the operations of one data migration
    migsync remake shop --replaces                # Django's classic way: the old files stay for now
    """,
)
@click.argument("apps", metavar="[APP]...", nargs=-1)
@click.option(
    "--keep-old-migrations", "keep_old", is_flag=True, help="Move the old files aside, where Django sees none of them."
)
@click.option("--name", "word", default="remade", show_default=True, metavar="NAME", help="The word in the new names.")
@click.option(
    "--drop",
    metavar="APP.NAME",
    multiple=True,
    help="Leave the operations of this migration out that models do not show; the name may be cut short.",
)
@click.option(
    "--replaces", is_flag=True, help="Keep the old files, and have the new ones say in `replaces` which they stand for."
)
@proven_rewriting_options
@click.pass_obj
def remake(
    output: Output,
    apps: tuple[str, ...],
    keep_old: bool,
    word: str,
    drop: tuple[str, ...],
    replaces: bool,
    where: Where,
    asked: Asked,
) -> ExitStatus:
    """Have Django's autodetector make the migrations of each APP (default: all) anew, in place of all that it has.

    What the models do not show (RunPython, RunSQL, extensions, operations of your own) is listed and carried over in
    its order, or left out by name. A database that has all old migrations gets the new names for them, by
    migsync apply; nothing runs there.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.remake.remake import RemakeOptions
        from migsync.refactor.remake.remake import remake as remade

        return remade(ground, RemakeOptions(apps, word, drop, replaces, keep_old))

    return rewrite_files(output, where, asked, reshape)
