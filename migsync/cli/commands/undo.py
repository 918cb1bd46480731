"""``migsync undo``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from migsync.alias import schema_of
from migsync.cli.command import MigsyncCommand
from migsync.cli.options import (
    ConsentOptions,
    ProjectOptions,
    ReasonOptions,
    TargetOptions,
    argument,
    flag,
    group,
    option,
    option_group,
    options,
)
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.recovery import settle_files
from migsync.cli.rollout import RolloutOptions
from migsync.cli.shard import ShardOptions, empty_shard
from migsync.cli.views.blocks import EMPTY, Block, line
from migsync.cli.workers import WorkersOptions, applying
from migsync.errors import (
    ExitStatus,
    UsageError,
    common_status,
)
from migsync.sync.plan_groups import sentence_names
from migsync.sync.run import second
from migsync.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migsync.cli.targets import OpenTargets
    from migsync.sync.plan import Plan


FILES_STAY = (
    "Only the records change. Change the files back too before the next migrate, or it runs these migrations again."
)


def _utc(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """The moment as the journal writes it, as far as it was given."""
    try:
        moment = datetime.fromisoformat(value) if value else None
    except ValueError as error:
        raise click.BadParameter(f"{value} is no time such as 2026-11-30T14:05:00.") from error
    if moment and moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat() if moment else ""


@option_group
class UndoOptions:
    """What ``migsync undo`` takes back."""

    run: str | None = argument(metavar="[RUN]", required=False)
    chosen: TargetOptions = group(TargetOptions)
    since: str = option(
        default="",
        metavar="TIME",
        callback=_utc,
        help="Without RUN: undo only runs made at TIME (UTC, such as 2026-11-30T14:05) or later.",
    )
    files: bool = flag(
        help="Undo a change of migration files, together with the records that changed with it. RUN may be the id of "
        "the change."
    )
    diff: bool = flag(help="With --files, show every diff and record after the summary; on a terminal, in $PAGER.")
    consent: ConsentOptions = group(ConsentOptions)
    log: ReasonOptions = group(ReasonOptions)
    rollout: RolloutOptions = group(RolloutOptions)
    share: ShardOptions = group(ShardOptions)
    who: WorkersOptions = group(WorkersOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Undo a run exactly.",
    examples="""
    migsync undo                         # the last run of every database
    migsync undo -d default              # the last run of one database
    migsync undo 3f9c1a                  # this run; migsync log lists the ids
    migsync undo -d tenants --jobs 8     # the last run of every schema, eight schemas at a time
    migsync undo --files                 # the last squash, linearize and so on: files and records
    migsync undo --dry-run               # only show what would be undone
    """,
)
@options(UndoOptions, ProjectOptions)
def undo(output: Output, asked: UndoOptions, where: ProjectOptions) -> ExitStatus:
    """Undo a run: every row that it changed gets its old id, name and applied timestamp back.

    RUN is the id of a run, the beginning of the id, or the number of the run in `migsync log`. Without RUN, migsync
    undoes the last run of each database that is still in force. An undo is a run too, and can be undone.

    migsync refuses if one of these rows has changed since. Rows that were recorded since are kept. With --files,
    migsync also restores the migration files, from copies that it kept; it refuses if one of the files has changed
    since.
    """
    from migsync.cli.execution import Execution, undo_all
    from migsync.cli.file_undo import undo_with_files
    from migsync.cli.results import finish
    from migsync.cli.targets import open_targets, readable_rewrites, undo_plans
    from migsync.sync.plan_request import PlanRequest

    project = asked.rollout.of(asked.share.of(where.project()))
    run, databases, consent = asked.run, asked.chosen.databases, asked.consent
    settle_files(output, project, dry_run=consent.dry_run)
    if asked.since and (run or asked.files):
        raise UsageError("--since cannot be combined with RUN or --files.", "It chooses the runs to undo.")
    if asked.files:
        for given, name in ((databases, "--database"), (asked.who.workers, "--workers")):
            if given:
                raise UsageError(
                    f"--files cannot be combined with {name}.",
                    "The files and the records that changed with them are undone together.",
                )
        return undo_with_files(output, project, run, consent, asked.log.reason, diff=asked.diff)
    if asked.diff:
        raise UsageError(
            "--diff needs --files.", "Without it, no file changes.", "migsync undo --files --dry-run --diff"
        )
    with (
        asked.who.open(project, dry_run=consent.dry_run) as workers,
        open_targets(project, databases, records=True) as found,
    ):
        rewrites = readable_rewrites(project)
        plans, idle = undo_plans(project, found, run, rewrites, asked.since)
        labels = {rewrite.id: rewrite.label for rewrite in rewrites}
        output.show(
            empty_shard(project, found.targets, found.errors) or _shown(plans, idle, found, output.shorten, labels)
        )
        ready = [plan for plan in plans if not plan.blocked]
        if consent.dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            output.document({"plans": [plan.as_dict() for plan in plans]})
            return common_status(found.errors.values()) if len(ready) == len(plans) else ExitStatus.REFUSED
        if ready:
            require_consent_possible(output, noinput=consent.noinput)
            output.show([EMPTY])
            if any(plan.changes and (plan.passed or plan.returned) for plan in ready):
                output.show([line(FILES_STAY)])
            require_yes(_question(ready), noinput=consent.noinput)
        rollout = asked.rollout.rollout(workers)
        with applying(workers, PlanRequest()) as applier:
            execution = Execution(output, project, found.targets, asked.log.reason, rollout=rollout, applier=applier)
            results = undo_all(execution, found, plans, idle)
        return finish(output, results, again=_again(asked, plans, found), facts={})


def _again(asked: UndoOptions, plans: Sequence[Plan], found: OpenTargets) -> tuple[str, ...]:
    """The command that undoes the rest, and never an older run of a schema that is done."""
    if asked.run:
        return ("undo", asked.run)
    undone = [run.at for plan in plans for run in found.runs[plan.target.alias] if run.id == plan.undoes]
    if asked.since or not any(schema_of(plan.target.alias) for plan in plans):
        return ("undo",)
    return ("undo", "--since", second(min(undone)))


def _shown(
    plans: list[Plan], idle: list[str], found: OpenTargets, shorten: bool, labels: Mapping[str, str]
) -> list[Block]:
    from migsync.cli.views.runs import short, when
    from migsync.cli.views.surveys import targets_blocks

    about: dict[str, str] = {}
    for plan in plans:
        alias = plan.target.alias
        run = next(run for run in found.runs[alias] if run.id == plan.undoes)
        about[alias] = f"undoes {run.kind.value} {short(run.id)}, {when(run)} UTC by {run.author}"
    return targets_blocks(
        plans,
        idle=dict.fromkeys(idle, "nothing to undo"),
        errors=found.errors,
        about=about,
        labels=labels,
        shorten=shorten,
    )


def _question(plans: list[Plan]) -> str:
    total = sum(len(plan.changes) for plan in plans)
    return f"Undo {count(total, 'change')} in {', '.join(sentence_names(plan.target.alias for plan in plans))}?"
