"""``migsync undo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migsync.cli.asking import require_consent_possible, require_yes
from migsync.cli.command import Command
from migsync.cli.options import (
    Where,
    consent_options,
    database_option,
    output_options,
    project_options,
    reason_option,
)
from migsync.cli.output import Output
from migsync.cli.settling import settle_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, count, line
from migsync.errors import ExitStatus, UsageError, common_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migsync.cli.targets import Opened
    from migsync.rewrites.rewrite import Rewrite
    from migsync.sync.plan import Plan


@click.command(
    cls=Command,
    short_help="Take a run back, exactly.",
    examples="""
    migsync undo                         # the last run of every database
    migsync undo -d default              # the last run of one
    migsync undo 3f9c1a                  # this run (see migsync log)
    migsync undo --files                 # the last linearize (or its like): files and rows together
    migsync undo --dry-run               # show what would be taken back
    """,
)
@click.argument("run", required=False)
@database_option
@click.option(
    "--files",
    is_flag=True,
    help="Take back a change of migration files, and the rows that changed with it. RUN may be its id.",
)
@consent_options
@reason_option
@project_options
@output_options()
@click.pass_obj
def undo(
    output: Output,
    run: str | None,
    databases: tuple[str, ...],
    files: bool,
    where: Where,
    noinput: bool,
    dry_run: bool,
    reason: str,
) -> ExitStatus:
    """Give every row that a run touched its old state back: id, name and applied.

    RUN is a run's id, its beginning, or its number in the log; without it, the last run in force of each database is
    taken back. An undo is a run too, and can be undone. It is refused where the touched rows have changed since; rows
    recorded since stay. With --files the migration files come back too, from the copies that were kept; it is refused
    where one of them has changed since.
    """
    from migsync.cli.execution import FAILED, Result, Writing, carry_out
    from migsync.cli.pending import Pending
    from migsync.cli.results import finish, tell_result
    from migsync.cli.targets import opened, readable_rewrites

    project = where.project()
    settle_files(output, project, dry_run=dry_run)
    if files:
        from migsync.cli.undoing import undo_with_files

        if databases:
            raise UsageError("--files and --database: files and the rows that changed with them go back together.")
        return undo_with_files(output, project, run, noinput=noinput, dry_run=dry_run, reason=reason)
    with opened(project, databases, records=True) as found:
        rewrites = readable_rewrites(project)
        plans, idle = _plans(found, run, rewrites)
        labels = {rewrite.id: rewrite.label for rewrite in rewrites}
        output.show(_shown(plans, idle, found, output.shorten, labels))
        ready = [plan for plan in plans if not plan.blocked]
        if dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            output.document({"plans": [plan.as_dict() for plan in plans]})
            return common_status(found.errors.values()) if len(ready) == len(plans) else ExitStatus.REFUSED
        if ready:
            require_consent_possible(output, noinput=noinput)
            output.show([EMPTY])
            require_yes(_question(ready), noinput=noinput)
        results = [Result(alias, "nothing to do") for alias in idle]
        results += [Result(alias, FAILED, error=error) for alias, error in found.errors.items()]
        results += carry_out(
            plans,
            found.targets,
            Writing(project.lock_timeout, reason=reason),
            Pending.beside(project.cache),
            lambda result: tell_result(output, result),
        )
        if any(result.run and result.plan and result.plan.changes for result in results):
            output.show([line("The files must have these names too before the next migrate, or it runs them again.")])
        return finish(output, results, again=("undo", *([run] if run else ())), facts={})


def _plans(found: Opened, prefix: str | None, rewrites: Sequence[Rewrite]) -> tuple[list[Plan], list[str]]:
    """The undo of each database, and the databases where there is nothing to take back."""
    from migsync.cli.finding_runs import find_runs
    from migsync.sync.undo import last_to_undo, plan_undo

    if prefix:
        chosen = find_runs(found.runs, prefix)
    else:
        chosen = {alias: run for alias, runs in found.runs.items() if (run := last_to_undo(runs))}
    plans = []
    for alias, run in chosen.items():
        target = found.targets[alias]
        plans.append(plan_undo(target.ref, run, found.records[alias], found.runs[alias], rewrites))
    return plans, [] if prefix else [alias for alias in found.targets if alias not in chosen]


def _shown(plans: list[Plan], idle: list[str], found: Opened, shorten: bool, labels: Mapping[str, str]) -> list[Block]:
    from migsync.cli.views.findings import error_blocks
    from migsync.cli.views.plans import plan_blocks
    from migsync.cli.views.runs import short, when

    blocks: list[Block] = []
    for plan in plans:
        run = next(run for run in found.runs[plan.target.alias] if run.id == plan.undoes)
        first, *rest = plan_blocks(plan, shorten=shorten, labels=labels)
        about = f"takes back {run.kind.value} {short(run.id)}, {when(run)} UTC by {run.author}"
        blocks += [*([EMPTY] if blocks else []), first, line(about, indent=2), *rest]
    for alias in idle:
        blocks.append(line(Span(alias, Style.HEADING), "  ", Span("nothing to take back", Style.GOOD)))
    for alias, error in found.errors.items():
        blocks += [line(Span(alias, Style.HEADING), "  ", Span("not read", Style.BAD)), *error_blocks(error, indent=2)]
    return blocks


def _question(plans: list[Plan]) -> str:
    total = sum(len(plan.changes) for plan in plans)
    return f"Take back {count(total, 'change')} in {', '.join(plan.target.alias for plan in plans)}?"
