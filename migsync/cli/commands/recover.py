"""``migsync recover``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.command import Command
from migsync.cli.options import Where, noinput_option, output_options, project_options
from migsync.cli.output import Output
from migsync.cli.settling import clear_left_over, settle_files
from migsync.cli.views.blocks import Block, Span, Style, line
from migsync.errors import ExitStatus, InDoubt, MigsyncError

if TYPE_CHECKING:
    from migsync.project import Project


@click.command(
    cls=Command,
    short_help="Find out how a run ended whose end was not seen.",
    examples="""
    migsync recover
    migsync recover --trust    # records in .migsync from another machine, another user or an older migsync
    """,
)
@click.option(
    "--trust",
    is_flag=True,
    help="Show the changes of files in .migsync that do not have your seal, ask, then treat them as your own.",
)
@noinput_option
@project_options
@output_options()
@click.pass_obj
def recover(output: Output, trust: bool, noinput: bool, where: Where) -> ExitStatus:
    """Ask each database whether the runs that ended in doubt, or were killed, were committed.

    A run is all or nothing, so there is nothing to repair: this tells which of the two it was. Migration files that
    were to change with a run are finished, or taken back, as it ended. The exit status is 6 while a database cannot
    tell yet.

    A record in .migsync says which files to write and remove. Only records that you made on this machine are acted
    upon; they have your seal. With --trust, the others get it too.
    """
    from migsync.cli.pending import Pending
    from migsync.cli.trust import trust_found
    from migsync.cli.views.runs import short

    project = where.project()
    pending = Pending.beside(project.cache)
    if trust:
        trust_found(output, project, noinput=noinput)
    files = settle_files(output, project)
    clear_left_over(project)
    blocks: list[Block] = []
    settled = []
    for alias, run_id in pending.all():
        try:
            committed = _committed(project, alias, run_id)
        except MigsyncError as error:
            settled.append({"alias": alias, "run": run_id, "state": "in doubt", "error": error.found})
            output.tell([line(Span(alias, Style.HEADING), f"  run {short(run_id)}: cannot be told yet. {error.found}")])
            continue
        pending.discard(run_id)
        state = "committed" if committed else "not committed"
        meaning = "all of its changes were made" if committed else "nothing was changed"
        settled.append({"alias": alias, "run": run_id, "state": state})
        blocks.append(line(Span(alias, Style.HEADING), f"  run {short(run_id)} was {state}: {meaning}"))
    if not settled and not files:
        blocks.append(line(Span("Nothing to recover: the end of every run is known.", Style.GOOD)))
    output.show(blocks)
    ended = {"commit": files.commit, "command": files.command, "forward": files.forward} if files else None
    output.document({"runs": settled, "files": ended})
    return ExitStatus.IN_DOUBT if any(run["state"] == "in doubt" for run in settled) else ExitStatus.DONE


def _committed(project: Project, alias: str, run_id: str) -> bool:
    """Whether the run is in the journal; raises InDoubt where there is no journal to tell."""
    from migsync.records.target import open_target
    from migsync.sync.apply import settle
    from migsync.sync.planning import choose

    (config,) = choose(project, [alias])
    with open_target(config) as target:
        committed = settle(target, run_id, lock_timeout=project.lock_timeout)
    if committed is None:
        raise InDoubt("There is no journal that could tell; migsync plan shows where the records stand.")
    return committed
