"""``migsync show``."""

from __future__ import annotations

from pathlib import Path

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import ProjectOptions, TargetOptions, argument, group, option_group, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block
from migsync.errors import ExitStatus


@option_group
class ShowOptions:
    """What ``migsync show`` shows."""

    what: str = argument(metavar="PLAN|RUN")
    chosen: TargetOptions = group(TargetOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Show a saved plan or a run in full.",
    examples="""
    migsync show plan.json      # a plan that migsync plan -o plan.json saved
    migsync show 3f9c1a         # a run; migsync log lists the ids
    """,
)
@options(ShowOptions, ProjectOptions)
def show(output: Output, asked: ShowOptions, where: ProjectOptions) -> ExitStatus:
    """Show what a saved plan would change, or every row that a run changed.

    PLAN is a file that `migsync plan -o PLAN` saved; no database is read for it. RUN is the id of a run, the beginning
    of the id, or the number of the run in `migsync log`.
    """
    what = asked.what
    # What looks like a path is one, even if nothing is there: "there is no run plans/a.json" would not help.
    if Path(what).is_file() or what.endswith(".json") or "/" in what:
        _show_plans(output, Path(what))
        return ExitStatus.DONE
    from migsync.cli.targets import find_runs, open_targets, rewrite_labels
    from migsync.cli.views.documents import run_document
    from migsync.cli.views.findings import error_blocks
    from migsync.cli.views.runs import run_blocks
    from migsync.sync.run import applies_in_force

    project = where.project()
    with open_targets(project, asked.chosen.databases) as found:
        blocks: list[Block] = []
        shown = []
        for error in found.errors.values():
            output.tell(error_blocks(error))
        for alias, run in find_runs(found.runs, what).items():
            runs = found.runs[alias]
            more = run_blocks(
                found.targets[alias].ref, run, runs, shorten=output.shorten, labels=rewrite_labels(project)
            )
            blocks += [*([EMPTY] if blocks else []), *more]
            shown.append({"alias": alias, "run": run_document(run, in_force=run in applies_in_force(runs))})
        output.show(blocks)
        output.document({"databases": shown})
        return ExitStatus.DONE


def _show_plans(output: Output, file: Path) -> None:
    from migsync.cli.views.surveys import targets_blocks
    from migsync.sync.plan_file import load_plans

    saved = load_plans(file)
    output.show(targets_blocks(saved.plans, shorten=output.shorten))
    output.document(saved.as_dict())
