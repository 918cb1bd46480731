"""``migsync recover``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import NoInputOptions, ProjectOptions, flag, option_group, options
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import ExitStatus, MigsyncError
from migsync.words import count

if TYPE_CHECKING:
    from migsync.cli.recovery import PendingRun
    from migsync.files.commit.store import StoredRecord
    from migsync.project import Project

IN_DOUBT, UNKNOWN = "in doubt", "unknown"
MEANINGS = {
    "committed": " was committed: all of its changes were made",
    "not committed": " was not committed: nothing was changed",
    UNKNOWN: " is not in the journal, and may have been made without one: either all of its changes were made or "
    "none. To see which names the records have: migsync plan",
}


@option_group
class RecoverOptions:
    """What ``migsync recover`` does besides."""

    trust: bool = flag(
        help="Show the records in .migsync that do not have your seal, ask, and then treat them as your own."
    )


@click.command(
    cls=MigsyncCommand,
    short_help="Find out how interrupted runs ended.",
    examples="""
    migsync recover            # after a kill, or exit status 6
    migsync recover --trust    # accept records in .migsync that others wrote
    """,
)
@options(RecoverOptions, NoInputOptions, ProjectOptions)
def recover(output: Output, asked: RecoverOptions, consent: NoInputOptions, where: ProjectOptions) -> ExitStatus:
    """Ask each database whether interrupted runs were committed, and finish or revert interrupted changes of files.

    A run makes all of its changes or none, so there is nothing to repair in a database. If migration files were to
    change with the run, migsync completes that change if the run was committed, and reverts it otherwise.

    The exit status is 6 if it is still not known how a run ended: its database cannot be reached, or the run wrote no
    journal.

    The directory .migsync has a record of each change of files: which files to write and which to remove. migsync uses
    only records that you made on this machine; these have your seal. --trust gives your seal to the others.
    """
    from migsync.cli.recovery import PendingRuns
    from migsync.cli.views.findings import next_lines, next_step

    project = where.project()
    pending = PendingRuns.beside(project.cache)
    if asked.trust:
        # First of all: an interrupted change is settled only once its record has the seal.
        _trust_found(output, project, noinput=consent.noinput)
    files = settle_files(output, project)
    _clear_left_over(project)
    blocks: list[Block] = []
    settled, known = [], set()
    for run in pending.all():
        try:
            committed = _committed(project, run)
        except MigsyncError as error:
            settled.append({"alias": run.alias, "run": run.id, "state": IN_DOUBT, "error": error.found})
            output.tell(
                [_told(run, f": it is not known yet how it ended. {error.found}"), *next_lines(next_step(error))]
            )
            continue
        # Also where it is unknown: no later look could tell more.
        known.add(run)
        state = {True: "committed", False: "not committed", None: UNKNOWN}[committed]
        settled.append({"alias": run.alias, "run": run.id, "state": state})
        blocks.append(_told(run, MEANINGS[state]))
    pending.forget(known)
    if not settled and not files:
        blocks.append(line(Span("Nothing to recover: it is known how every run ended.", Style.GOOD)))
    output.show(blocks)
    ended = {"commit": files.commit, "command": files.command, "forward": files.forward} if files else None
    output.document({"runs": settled, "files": ended})
    unsettled = any(run["state"] in (IN_DOUBT, UNKNOWN) for run in settled)
    return ExitStatus.IN_DOUBT if unsettled else ExitStatus.DONE


def _told(run: PendingRun, what: str) -> Block:
    from migsync.cli.views.runs import short

    return line(Span(run.alias, Style.HEADING), f"  run {short(run.id)}{what}")


def _committed(project: Project, run: PendingRun) -> bool | None:
    """Whether the run was committed; None where nothing can ever tell. Raises TargetError and LockTimeout."""
    from migsync.sync.apply import settle
    from migsync.sync.survey import choose
    from migsync.sync.target import open_target

    (config,) = choose(project, [run.alias])
    with open_target(config) as target:
        return settle(target, run.id, journaled=run.journaled, lock_timeout=project.lock_timeout)


def _trust_found(output: Output, project: Project, *, noinput: bool) -> None:
    """Show the records, ask, and give them the seal. Raises NeedsConsent, Interrupted, FilesRefused and Unsettled."""
    from migsync.files.commit import foreign_records, trust_records

    found = foreign_records(project.root)
    if not found:
        output.show([line("Every record in .migsync has your seal already.")])
        return
    for each in found:
        output.show(_record_blocks(each))
    require_consent_possible(output, noinput=noinput)
    require_yes(f"Treat {count(len(found), 'record')} as your own?", noinput=noinput)
    trust_records(project.root, timeout=project.lock_timeout)


def _record_blocks(found: StoredRecord) -> Iterator[Block]:
    from migsync.cli.views.runs import short

    record = found.record
    state = f"interrupted, {found.opened.state}" if found.opened else "made"
    yield line(Span(record.command, Style.HEADING), f"  {short(record.id)}, {record.created}, {state}")
    for slot in record.slots:
        word = "removed" if slot.after is None else "created" if slot.before is None else "changed"
        yield line(f"{slot.path}  {word}", indent=2)
    for alias, run in record.runs:
        yield line(f"{alias}  run {short(run)}", indent=2)
    yield EMPTY


def _clear_left_over(project: Project) -> None:
    """Remove what a kill left behind in the moment before a change of files was under way."""
    from migsync.files.commit import left_over, remove_left_over

    if left_over(project.root):
        remove_left_over(project.root, timeout=project.lock_timeout)
