"""``migsync undo --files``: a change of migration files taken back, with the records that changed with it."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from migsync.cli.next_command import same_command
from migsync.cli.options import ConsentOptions
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import NOTHING_CHANGED, ExitStatus, HistoryError, RewriteError, UnknownRun
from migsync.sync.plan_groups import error_groups, sentence_names
from migsync.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migsync.cli.targets import OpenTargets
    from migsync.files.commit.record import CommitRecord
    from migsync.files.proposal import FileChange
    from migsync.findings import Finding
    from migsync.project import Project
    from migsync.rewrites.rewrite import Rewrite
    from migsync.sync.plan import Plan


def undo_with_files(
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
