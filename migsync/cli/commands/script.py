"""``migsync script``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import (
    JournalOptions,
    PlanningOptions,
    ProjectOptions,
    ReasonOptions,
    argument,
    flag,
    group,
    option,
    option_group,
    options,
)
from migsync.cli.output import Output
from migsync.cli.prompts import require_reason
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import Span, Style, line
from migsync.cli.views.lists import cut, more
from migsync.errors import ExitStatus, FileDiffers, MigsyncError, UsageError
from migsync.filesystem.boundary import file_name

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.rewrites.rewrite import Rewrite
    from migsync.sync.plan import Plan

SHOWN = 10
"""On a terminal, so many files are named."""


@option_group
class ScriptOptions:
    """What ``migsync script`` writes, and where."""

    file: Path | None = argument(metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
    directory: Path = option(
        "--out",
        metavar="DIRECTORY",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="Write ALIAS.apply.sql and ALIAS.undo.sql to DIRECTORY.",
    )
    journal_tables: bool = flag(
        help="Write ALIAS.journal.sql instead, which creates the tables of the journal and lets this user write to "
        "them."
    )
    force: bool = flag(help="Overwrite existing files that differ.")
    planning: PlanningOptions = group(PlanningOptions)
    journal: JournalOptions = group(JournalOptions)
    log: ReasonOptions = group(ReasonOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Write a plan as SQL scripts, to be run by hand.",
    examples="""
    migsync script --out sql                    # writes sql/default.apply.sql and so on
    migsync script plan.json --out sql          # for a plan that was reviewed
    migsync script --journal-tables --out sql   # writes sql/default.journal.sql
    """,
)
@options(ScriptOptions, ProjectOptions)
def script(output: Output, asked: ScriptOptions, where: ProjectOptions) -> ExitStatus:
    """Write two SQL scripts for each database that needs changes: one applies the plan, the other undoes it.

    The scripts do the same as `migsync apply` and `migsync undo`. Each starts with a comment that says how to run it.
    It is safe to run a script twice. If the rows have changed since the plan was made, a script changes nothing, even
    if the client continues after an error.

    PLAN is a file that `migsync plan -o PLAN` saved. Without PLAN, migsync makes a new plan.
    """
    from migsync.cli.output import write_outputs
    from migsync.cli.plan_set import open_plan_set, write_proposed
    from migsync.cli.results import tell_result
    from migsync.sync.scripts import apply_script, undo_script
    from migsync.sync.stated_records import with_time

    project = where.project()
    directory, planning, no_journal = asked.directory, asked.planning, asked.journal.no_journal
    if asked.journal_tables:
        if asked.file or no_journal or planning.any_but("databases"):
            raise UsageError("--journal-tables can be combined only with --out, --force and --database.")
        return _journal_tables(output, project, asked)
    settle_files(output, project)
    request = planning.request(trust_names=no_journal)
    with open_plan_set(output, project, asked.file, request, ask=False) as plan_set:
        reason = require_reason(output, plan_set.ready, asked.log.reason, noinput=False)
        texts = {}
        for plan in plan_set.ready:
            plan, alias = _as_written(plan, plan_set.proposed, project.rewrites), plan.target.alias
            records = plan_set.survey.records[alias] if plan_set.survey else ()
            # A script is text: the time at which it is written stands for that of the run.
            plan = with_time(plan, records, plan_set.targets[alias].behaviour.applied_form, use_tz=bool(project.use_tz))
            apply = apply_script(plan, records, journal=not no_journal, reason=reason)
            texts[_place(directory, alias, "apply")] = apply
            texts[_place(directory, alias, "undo")] = undo_script(plan, journal=not no_journal)
        # Before the rewrite is written: a refusal must leave nothing behind.
        _check(texts, force=asked.force)
        rewrite = write_proposed(output, plan_set)
        write_outputs(directory, texts)
        if plan_set.status:
            output.tell(plan_set.shown)
            for result in plan_set.settled:
                tell_result(output, result)
        _show_written(output, list(texts))
        if not texts and not plan_set.status:
            output.show([line(Span("Nothing to do: no script was written.", Style.GOOD))])
        output.document({"files": [str(path) for path in texts], "rewrite": rewrite, **plan_set.document})
        return plan_set.status


def _as_written(plan: Plan, proposed: Rewrite | None, directory: Path) -> Plan:
    """The plan as it is once the rewrite that it rests on is a file: a script names that file."""
    from migsync.rewrites.rewrite_files import rewrite_file

    if proposed is None:
        return plan
    written = replace(proposed, path=str(rewrite_file(directory, proposed)[0]))
    return replace(
        plan,
        passed=tuple(written if each == proposed else each for each in plan.passed),
        changes=tuple(
            replace(change, cause=written.label) if change.cause == proposed.label else change
            for change in plan.changes
        ),
    )


def _place(directory: Path, alias: str, what: str) -> Path:
    """Where a script goes. Raises MigsyncError for an alias that would lead out of the directory."""
    try:
        return directory / file_name(f"{alias}.{what}.sql")
    except ValueError as error:
        raise MigsyncError(
            f"The alias {alias!a} cannot be part of a file name: {error}.",
            "No file was written.",
            "Give the database another alias, or leave it out: --database OTHER",
        ) from error


def _journal_tables(output: Output, project: Project, asked: ScriptOptions) -> ExitStatus:
    """The files for an administrator, where migsync's own user may not create tables."""
    from migsync.cli.output import write_outputs
    from migsync.sync.scripts import journal_script
    from migsync.sync.survey import choose
    from migsync.sync.target import open_target

    texts = {}
    for config in choose(project, asked.planning.where.databases):
        with open_target(config) as target:
            place, grants = _place(asked.directory, config.alias, "journal"), target.journal_grants(writing=True)
            texts[place] = journal_script(target.engine, target.survey.schema, grants, file=place.name)
    _check(texts, force=asked.force)
    write_outputs(asked.directory, texts)
    _show_written(output, list(texts))
    output.document({"files": [str(path) for path in texts]})
    return ExitStatus.DONE


def _show_written(output: Output, paths: Sequence[Path]) -> None:
    shown, hidden = cut(paths, SHOWN, shorten=output.shorten)
    output.show([*(line("Written: ", Span(str(path), Style.COMMAND)) for path in shown), *more(hidden)])


def _check(texts: Mapping[Path, str], *, force: bool) -> None:
    """Raise FileDiffers where a file is there with other content, before any is written."""
    differing = [str(path) for path, text in texts.items() if path.is_file() and path.read_bytes() != text.encode()]
    if differing and not force:
        raise FileDiffers(f"These files exist with other content: {', '.join(differing)}.", "No file was written.")
