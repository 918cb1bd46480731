"""``migsync check``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import RootOptions, flag, option, option_group, options
from migsync.cli.output import REPORTS, Output
from migsync.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from migsync.check.comparison import Comparison

HOOKS = frozenset({"GIT_INDEX_FILE", "PRE_COMMIT"})
"""Variables that git, and pre-commit, set for a hook."""


@option_group
class CheckOptions:
    """Which commits ``migsync check`` compares."""

    against: str | None = option(
        metavar="REV",
        help="Compare with the commit at which this branch left REV. Default: the branch that CI names as the target, "
        "else the main branch of origin.",
    )
    head: str | None = option(metavar="REV", help="Compare the commit REV, and not the files on disk.")
    write: bool = flag(help="Write the rewrite that is missing, if the change of names is proven.")


@click.command(
    cls=MigsyncCommand,
    short_help="Compare two commits: find names that changed without a rewrite.",
    examples="""
    migsync check                             # this branch, with what is not committed yet
    migsync check --write                     # write the rewrite that is missing
    migsync check --against origin/develop    # compare with another branch
    migsync check --format github             # in GitHub Actions: annotations in the pull request
    migsync check --format junit              # in GitLab or Jenkins: a test report
    """,
)
@options(CheckOptions, RootOptions, formats=("text", "json", *REPORTS))
def check(output: Output, asked: CheckOptions, where: RootOptions) -> ExitStatus:
    """Compare the migration files with those of an older commit, without settings and without a database.

    migsync takes a database in which every migration of the older commit ran, and plans it with the files of today. It
    reports names that are gone, renamed or used again without a rewrite, files that do something else than before, and
    rewrites that are wrong or in conflict. The older commit is the one at which this branch left the main branch; on
    the main branch itself, the files on disk are compared with HEAD.

    The exit status is 1 if there is an error.
    """
    from migsync.check.comparison import compare
    from migsync.cli.views.comparisons import comparison_blocks, comparison_document, comparison_report
    from migsync.cli.views.reports import project_file
    from migsync.project.root import find_root, usual_start

    if asked.write and asked.head:
        raise UsageError("--write cannot be combined with --head: it writes into the files on disk.")
    place = find_root(usual_start(), root=where.root)
    found = compare(place, against=asked.against, head=asked.head)
    path = _write(found) if asked.write else None
    if path:
        found = _without_untracked(compare(place, against=asked.against), path)
    output.show(comparison_blocks(found, path, shorten=output.shorten))
    output.document(comparison_document(found, path))
    output.report(lambda: comparison_report(found, project_file(place.directory)))
    return ExitStatus.REFUSED if any(finding.blocks for finding in found.findings) else ExitStatus.DONE


def _without_untracked(found: Comparison, written: Path) -> Comparison:
    """Of a rewrite that was written just now, it is said anyway that it has to be committed."""
    from migsync.findings.check import untracked_rewrite

    # In a hook, the commit that is under way would not have it.
    if not HOOKS.isdisjoint(os.environ):
        return found
    left = [each for each in found.findings if (each.code, each.file) != (untracked_rewrite.code, str(written))]
    return replace(found, findings=tuple(left))


def _write(found: Comparison) -> Path | None:
    from migsync.rewrites.rewrite_files import write_rewrite

    return write_rewrite(found.rewrites, found.proposed) if found.proposed else None
