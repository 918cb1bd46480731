"""``migsync rebase``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import option, option_group, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, RefactorOptions, change_files

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@option_group
class RebaseOptions:
    """Behind what ``migsync rebase`` moves."""

    onto: str | None = option(
        metavar="BRANCH",
        help="The branch whose migrations come first. Default: what a running git rebase or merge has, else the "
        "upstream, else main or master.",
    )


@click.command(
    short_help="Move the migrations that this git branch added behind those of another branch.",
    cls=MigsyncCommand,
    examples="""
    migsync rebase                                # behind the upstream, or main, or master
    migsync rebase --onto origin/develop
    migsync rebase --update-db                    # and the records of all databases in the same step
    """,
)
@options(RebaseOptions, RefactorOptions, formats=FORMATS)
def rebase(output: Output, asked: RebaseOptions, refactor: RefactorOptions) -> ExitStatus:
    """Put what this branch added, chains included, behind the last migration of BRANCH, and number it anew.

    BRANCH must be merged here, or this branch rebased on it, or one of the two be under way: the files of both must
    be there. Files that depend on a name that a rewrite has retired are pointed to what bears it now.
    """
    from migsync.refactor.git_branch import is_under_way, read_branch

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.rebase import rebase as behind

        survey = ground.survey
        branch = read_branch(survey.project.root, survey.project.apps, asked.onto)
        return behind(survey.history, survey.rewrites, branch, applied=ground.applied)

    return change_files(output, refactor, reshape, permits=is_under_way)
