"""``migsync undo``."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.alias import schema_of
from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import same_command
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
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import (
    NOTHING_CHANGED,
    ExitStatus,
    HistoryError,
    RewriteError,
    UnknownRun,
    UsageError,
    common_status,
)
from migsync.sync.plan_groups import error_groups, sentence_names
from migsync.sync.run import second
from migsync.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migsync.cli.targets import OpenTargets
    from migsync.files.commit.record import CommitRecord
    from migsync.files.proposal import FileChange
    from migsync.findings import Finding
    from migsync.project import Project
    from migsync.rewrites.rewrite import Rewrite
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

    run: str | None = argument(required=False)
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
    from migsync.cli.execution import Execution
    from migsync.cli.results import Result, finish
    from migsync.cli.targets import open_targets, readable_rewrites

    project = where.project()
    run, databases, consent = asked.run, asked.chosen.databases, asked.consent
    settle_files(output, project, dry_run=consent.dry_run)
    if asked.since and (run or asked.files):
        raise UsageError("--since cannot be combined with RUN or --files.", "It chooses the runs to undo.")
    if asked.files:
        if databases:
            raise UsageError(
                "--files cannot be combined with --database.",
                "The files and the records that changed with them are undone together.",
            )
        return _undo_with_files(output, project, run, consent, asked.log.reason, diff=asked.diff)
    if asked.diff:
        raise UsageError(
            "--diff needs --files.", "Without it, no file changes.", "migsync undo --files --dry-run --diff"
        )
    with open_targets(project, databases, records=True) as found:
        rewrites = readable_rewrites(project)
        plans, idle = _plans(project, found, run, rewrites, asked.since)
        labels = {rewrite.id: rewrite.label for rewrite in rewrites}
        output.show(_shown(plans, idle, found, output.shorten, labels))
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
        results = [Result(alias, "nothing to do") for alias in idle]
        results += [Result.failed(alias, error) for alias, error in found.errors.items()]
        execution = Execution(output, project, found.targets, asked.log.reason, rollout=asked.rollout.rollout())
        results += execution.carry_out(plans)
        return finish(output, results, again=_again(asked, plans, found), facts={})


def _plans(
    project: Project, found: OpenTargets, prefix: str | None, rewrites: Sequence[Rewrite], since: str
) -> tuple[list[Plan], list[str]]:
    """The undo of each database, and the databases where there is nothing to take back."""
    from migsync.cli.targets import find_runs
    from migsync.sync.undo import last_to_undo, plan_undo

    if prefix:
        chosen = find_runs(found.runs, prefix)
    else:
        last = {alias: last_to_undo(runs) for alias, runs in found.runs.items()}
        chosen = {alias: run for alias, run in last.items() if run and run.at >= since}
    plans = []
    for alias, run in chosen.items():
        target = found.targets[alias]
        plan = plan_undo(target.ref, run, found.records[alias], found.runs[alias], rewrites)
        plans.append(plan.naming(project.typed(alias)))
    return plans, [] if prefix else [alias for alias in found.targets if alias not in chosen]


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


def _undo_with_files(
    output: Output, project: Project, text: str | None, consent: ConsentOptions, reason: str, *, diff: bool
) -> ExitStatus:
    """Take back the change of files that `text` names (its id, or a run's), or the last one in force."""
    from migsync.cli.execution import database_steps, step_results
    from migsync.cli.results import finish_files
    from migsync.cli.targets import OpenTargets, open_targets, readable_rewrites
    from migsync.cli.views.commits import undo_blocks, undo_detail_blocks
    from migsync.cli.views.diffs import moves
    from migsync.files.commit import changes_back, journals_of, undo_files

    record = _file_record(project, text)
    with open_targets(project, (), records=True) if project.targets() else nullcontext(OpenTargets()) as found:
        # Files and rows go back together. With one database out of reach, its rows would keep the names of files that
        # are gone.
        for alias, error in found.errors.items():
            if alias in dict(record.runs):
                raise error
        plans = [plan.naming(project.typed(plan.target.alias)) for plan in _plans_with_files(record, found)]
        root = Path(os.path.realpath(project.root))
        changes = moves(changes_back(root, record))
        rewrites = readable_rewrites(project)
        against = list(_against(project, record, changes, plans, found, rewrites))
        output.show(undo_blocks(record, changes, plans, root, against, shorten=output.shorten))
        output.show(_unread(found, record))
        labels = {rewrite.id: rewrite.label for rewrite in rewrites}

        def show_details() -> None:
            blocks = undo_detail_blocks(changes, plans, root, labels, verbose=output.verbose)
            output.page(blocks, unattended=consent.noinput)

        if diff:
            output.show([EMPTY])
            show_details()
        facts = {"commit": record.id, "files": [slot.path for slot in record.slots]}
        if against or any(plan.blocked for plan in plans):
            output.show([EMPTY, line(NOTHING_CHANGED)])
            findings = [finding.as_dict() for finding in against]
            output.document({**facts, "status": "refused", "findings": findings})
            return ExitStatus.REFUSED
        if consent.dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            if not diff:
                command = Span(same_command("--dry-run", "--diff"), Style.COMMAND)
                output.show([line("To see every diff and record: ", command)])
            output.document({**facts, "plans": [plan.as_dict() for plan in plans], "status": "dry run"})
            return ExitStatus.DONE
        require_consent_possible(output, noinput=consent.noinput)
        output.show([EMPTY])
        if not consent.noinput:
            output.show([line(Span("d shows every diff and record.", Style.DIM))])
        require_yes(_files_question(record, changes, plans), noinput=consent.noinput, show=show_details)
        steps = database_steps(output, plans, found.targets, project.lock_timeout, reason)
        made = undo_files(project, record, databases=steps, run_was_committed=journals_of(project))
        results = step_results(project, plans, made)
        restored = f"{count(len(changes), 'file')} restored to the state before {record.command}."
        output.show([line(Span(restored, Style.GOOD))])
        return finish_files(output, results, facts)


def _against(
    project: Project,
    record: CommitRecord,
    changes: Sequence[FileChange],
    plans: Sequence[Plan],
    found: OpenTargets,
    rewrites: Sequence[Rewrite],
) -> Iterable[Finding]:
    """What builds on the change that is to be undone. Files that do not load today may be what it mends."""
    from migsync.refactor.reversal import reversal_findings
    from migsync.sync.survey import open_survey

    try:
        survey = open_survey(project)
    except (HistoryError, RewriteError):
        return ()
    with survey:
        return list(
            reversal_findings(survey.project, survey.history, rewrites, record.command, changes, plans, found.runs)
        )


def _unread(found: OpenTargets, record: CommitRecord) -> list[Block]:
    """The databases of which nobody knows whether they have applied the change."""
    return [
        line(f"{group.name} cannot be read. If it has applied {record.command}, undo it there too: {group.error.found}")
        for group in error_groups(found.errors)
    ]


def _files_question(record: CommitRecord, changes: Sequence[FileChange], plans: Sequence[Plan]) -> str:
    files, rows = count(len(changes), "file"), sum(len(plan.changes) for plan in plans)
    names = sentence_names(plan.target.alias for plan in plans)
    records = f" and {count(rows, 'record')} in {', '.join(names)}"
    return f"Undo {record.command}: {files}{records if rows else ''}?"


def _file_record(project: Project, text: str | None) -> CommitRecord:
    from migsync.files.commit import commit_of, commits, foreign_records

    known = commit_of(project.root, commit_id=text, run_id=text) if text else None
    found = known if text else last_standing(commits(project.root))
    if found is None and (foreign := foreign_records(project.root)):
        raise UnknownRun(
            f"{count(len(foreign), 'change')} of files in .migsync cannot be undone without your seal.",
            "They came with the repository, or from another user, another machine or an older migsync.",
            "If they are yours, look at them and accept them: migsync recover --trust",
        )
    if found is None:
        raise UnknownRun(
            f"There is no change of files with the id {text}." if text else "There is no change of files to undo.",
            "The old files are kept in .migsync, on the machine where the change was made.",
            "To undo only the records: migsync undo\nTo undo a commit: git revert COMMIT",
        )
    return found


def last_standing(records: Iterable[CommitRecord]) -> CommitRecord | None:
    """Of the changes of files, newest first, the first that no later one took back and that took back none."""
    undone: set[str] = set()
    for record in records:
        # An undo that was taken back itself is passed over before it counts. So of A, `undo A` and `undo of that undo`
        # A stands again.
        if record.id in undone:
            continue
        if not record.undoes:
            return record
        undone.add(record.undoes)
    return None


def _plans_with_files(record: CommitRecord, found: OpenTargets) -> Iterable[Plan]:
    from migsync.sync.undo import plan_undo

    for alias, run_id in record.runs:
        target = found.targets[found.same.get(alias, alias)]
        runs = found.runs[target.alias]
        run = next((run for run in runs if run.id == run_id), None)
        # Without its run in the journal, this database was not changed when the files were: there is nothing to take
        # back.
        if run is not None:
            yield plan_undo(target.ref, run, found.records[target.alias], runs)
