"""``migsync undo --files``: the files of a rewriting command and the rows that changed with them, back together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from migsync.cli.asking import require_consent_possible, require_yes
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, count, line
from migsync.cli.views.runs import short
from migsync.errors import ExitStatus, UnknownRun

if TYPE_CHECKING:
    from migsync.cli.targets import Opened
    from migsync.files.commit.record import Record
    from migsync.project import Project
    from migsync.sync.plan import Plan


def undo_with_files(
    output: Output, project: Project, text: str | None, *, noinput: bool, dry_run: bool, reason: str
) -> ExitStatus:
    """Take back the change of files that `text` names (its id, or a run's), or the last one in force."""
    from migsync.cli.finishing import database_steps, finished, keep_in_doubt
    from migsync.cli.targets import opened
    from migsync.files.commit import journals_of, undo_files

    record = _record(project, text)
    with opened(project, list(dict.fromkeys(alias for alias, _ in record.runs)), records=True) as found:
        for error in found.errors.values():
            raise error
        plans = list(_plans(record, found))
        output.show(_shown(record, plans, shorten=output.shorten))
        facts = {"commit": record.id, "files": [slot.path for slot in record.slots]}
        if any(plan.blocked for plan in plans):
            output.document({**facts, "status": "refused"})
            return ExitStatus.REFUSED
        if dry_run:
            output.show([EMPTY, line("Dry run: nothing was changed.")])
            output.document({**facts, "plans": [plan.as_dict() for plan in plans], "status": "dry run"})
            return ExitStatus.DONE
        require_consent_possible(output, noinput=noinput)
        output.show([EMPTY])
        require_yes(f"Take back {count(len(record.slots), 'file')}?", noinput=noinput)
        steps = database_steps(plans, found.targets, project.lock_timeout, reason)
        made = undo_files(project, record, databases=steps, run_was_committed=journals_of(project))
        keep_in_doubt(project, made.databases)
        output.show([line(Span(f"{count(len(record.slots), 'file')} as before {record.command}.", Style.GOOD))])
        return finished(output, plans, made, facts)


def _record(project: Project, text: str | None) -> Record:
    from migsync.files.commit import commit_of, commits, foreign_records

    known = commit_of(project.root, commit_id=text, run_id=text) if text else None
    found = known if text else last_standing(commits(project.root))
    if found is None and (foreign := foreign_records(project.root)):
        raise UnknownRun(
            f"{count(len(foreign), 'change')} of files in .migsync cannot be taken back: your seal is missing.",
            "They came with the repository, or from another user, another machine or an older migsync.",
            "If they are yours, look at them and make them your own: migsync recover --trust",
        )
    if found is None:
        raise UnknownRun(
            f"No change of files was made under {text}." if text else "No change of files is there to be taken back.",
            "The copies are kept in .migsync, where the change was made.",
            "Rows alone: migsync undo. Files that were committed: git revert.",
        )
    return found


def last_standing(records: Iterable[Record]) -> Record | None:
    """Of the changes of files, newest first, the first that no later one took back and that took back none."""
    undone: set[str] = set()
    for record in records:
        if record.id in undone:
            continue
        if not record.undoes:
            return record
        undone.add(record.undoes)
    return None


def _plans(record: Record, found: Opened) -> Iterable[Plan]:
    from migsync.sync.undo import plan_undo

    for alias, run_id in record.runs:
        target = found.targets[found.same.get(alias, alias)]
        runs = found.runs[target.alias]
        run = next((run for run in runs if run.id == run_id), None)
        if run is not None:
            yield plan_undo(target.ref, run, found.records[target.alias], runs)


def _shown(record: Record, plans: Sequence[Plan], *, shorten: bool) -> list[Block]:
    from migsync.cli.views.plans import plan_blocks

    blocks: list[Block] = [line(Span(record.command, Style.HEADING), f"  {short(record.id)}, {record.created}")]
    for slot in record.slots:
        word = "comes back" if slot.after is None else "goes" if slot.before is None else "as before"
        blocks.append(line(f"{slot.path}  {word}", indent=2))
    for plan in plans:
        blocks += [EMPTY, *plan_blocks(plan, shorten=shorten)]
    return blocks
