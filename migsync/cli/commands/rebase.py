"""``migsync rebase``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import option, option_group, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, RefactorOptions, change_files
from migsync.errors import HistoryError, UsageError

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.refactor.git_branch import GitBranch
    from migsync.refactor.ground import Ground


@option_group
class RebaseOptions:
    """Behind what ``migsync rebase`` moves."""

    onto: str | None = option(
        metavar="BRANCH",
        help="Put the migrations of BRANCH first. Default: the other side of a git rebase or merge that is in "
        "progress, the upstream of this branch, main or master.",
    )


@click.command(
    short_help="Move the migrations that this git branch added after those of another.",
    cls=MigsyncCommand,
    examples="""
    migsync rebase                        # after the migrations of the upstream, main or master
    migsync rebase --onto origin/develop  # after those of origin/develop
    migsync rebase --update-db            # and update the records in every database
    """,
)
@options(RebaseOptions, RefactorOptions, formats=FORMATS)
def rebase(output: Output, asked: RebaseOptions, refactor: RefactorOptions) -> ExitStatus:
    """Move the migrations that this git branch added after the last migration of BRANCH, and renumber them.

    The files of both branches must be here: merge BRANCH or rebase on it first. migsync also works while the merge or
    the rebase is in progress. Dependencies on names that a rewrite changed are updated.

    If a database has applied migrations of this branch and not those of BRANCH, no order fits it yet. Then migsync
    joins both with a merge migration. Run `migrate` on every database, then `migsync rebase` again: it removes the
    merge.
    """
    from migsync.refactor.git_branch import is_under_way

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.rebase import rebase as behind

        survey, branch = ground.survey, _branch(ground, asked.onto)
        late = {alias for alias, each in ground.databases.items() if each.plan.changes or each.plan.blocked}
        return behind(
            survey.history, survey.rewrites, branch, applied=ground.applied, behind=late, by_git=survey.renamed
        )

    return change_files(output, refactor, reshape, permits=is_under_way)


def _branch(ground: Ground, onto: str | None) -> GitBranch | None:
    """What git says; None where it says nothing and is not needed: to update retired names."""
    from migsync.findings.history import retired_name
    from migsync.refactor.git_branch import read_branch

    project = ground.survey.project
    try:
        return read_branch(project.root, project.apps, project.rewrites, onto)
    except (HistoryError, UsageError):
        if onto or all(finding.code != retired_name.code for finding in ground.survey.history.findings):
            raise
        return None
