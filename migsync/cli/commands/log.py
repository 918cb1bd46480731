"""``migsync log``."""

from __future__ import annotations

from typing import Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import ProjectOptions, TargetOptions, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import ExitStatus, common_status


@click.command(
    cls=MigsyncCommand,
    short_help="List the runs of each database, newest first.",
    examples="""
    migsync log                            # every database of the project
    migsync log -d default --format json   # one database, with every row that a run changed
    """,
)
@options(TargetOptions, ProjectOptions)
def log(output: Output, chosen: TargetOptions, where: ProjectOptions) -> ExitStatus:
    """List the runs in the journal of each database, newest first.

    The list shows when each run was made and by whom, what it changed, and whether it is still in force or was undone.
    """
    from migsync.cli.targets import open_targets
    from migsync.cli.views.documents import error_document, run_document
    from migsync.cli.views.findings import error_blocks
    from migsync.cli.views.runs import log_blocks, log_groups
    from migsync.sync.plan_groups import error_groups
    from migsync.sync.run import applies_in_force

    with open_targets(where.project(), chosen.databases) as found:
        blocks: list[Block] = []
        journals: list[dict[str, Any]] = []
        groups = log_groups({alias: found.runs[alias] for alias in found.targets})
        for first, *others in groups:
            told = log_blocks(found.targets[first].ref, found.runs[first], others=others, shorten=output.shorten)
            blocks += [*([EMPTY] if blocks else []), *told]
        for alias in found.targets:
            runs = found.runs[alias]
            in_force = {run.id for run in applies_in_force(runs)}
            shown = reversed(runs) if output.json else ()
            listed = [run_document(run, in_force=run.id in in_force) for run in shown]
            journals.append({"alias": alias, "runs": listed})
        for group in error_groups(found.errors):
            title = line(Span(group.name, Style.HEADING), "  ", Span("cannot be read", Style.BAD))
            blocks += [*([EMPTY] if blocks else []), title, *error_blocks(group.error, indent=2)]
        journals += [{"alias": alias, "error": error_document(error)} for alias, error in found.errors.items()]
        output.show(blocks)
        output.document({"databases": journals, "groups": [{"targets": targets} for targets in groups]})
        return common_status(found.errors.values())
