"""On the way in: a change of migration files that was cut off is settled before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migsync.cli.output import Output
from migsync.cli.views.blocks import line
from migsync.errors import Unsettled
from migsync.files.under_way import is_open

if TYPE_CHECKING:
    from migsync.files.commit import Settled
    from migsync.project import Project


def settle_files(output: Output, project: Project, *, dry_run: bool = False) -> Settled | None:
    """Finish it, or take it back, as the databases say; tell so on standard error. None where nothing is open.

    Raises Unsettled in a dry run, and where it cannot be done; InDoubt when a database must be asked and cannot tell.
    """
    if not is_open(project.root):
        return None
    from migsync.files.commit import journals_of, recover_files

    if dry_run:
        raise Unsettled("An earlier change of migration files was cut off.", "A dry run does not settle it.")
    settled = recover_files(project.root, journals_of(project), timeout=project.lock_timeout)
    if settled:
        output.tell([line(settled_words(settled))])
    return settled


def clear_left_over(project: Project) -> None:
    """Remove what a kill left behind in the moment before a change of files was under way."""
    from migsync.files.commit import left_over, remove_left_over

    if left_over(project.root):
        remove_left_over(project.root, timeout=project.lock_timeout)


def settled_words(settled: Settled) -> str:
    """What was settled, as a sentence."""
    if settled.forward:
        return f"{settled.command} was cut off, and is finished now: the files are the new ones."
    return f"{settled.command} was cut off, and is taken back: the files are as they were."
