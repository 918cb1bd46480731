"""What stands against taking a change of files back: later files, rewrites and databases that build on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from migsync.files.proposal import FileChange
from migsync.findings import Finding
from migsync.findings.history import unreadable_migration
from migsync.findings.undo import files_needed_since, rewrite_applied_since, rewrite_needed_since
from migsync.history import History
from migsync.project import Project
from migsync.refactor.changed_history import with_changes
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.plan import Plan
from migsync.sync.run import Run, passed_rewrites


def reversal_findings(
    project: Project,
    history: History,
    rewrites: Sequence[Rewrite],
    command: str,
    changes: Sequence[FileChange],
    plans: Iterable[Plan],
    runs: Mapping[str, Sequence[Run]],
) -> Iterator[Finding]:
    """Each reason why `changes`, which take back `command`, must not be made.

    `history` and `rewrites` are those of today, `plans` undo what was changed in databases in the same step, and `runs`
    are the journals of all databases that could be read, by alias.
    """
    removed = [rewrite for rewrite in rewrites if _is_removed(rewrite, changes)]
    # Where an app's label changes, the settings decide which files are its own: that is not known before.
    if not any(app.origin for rewrite in removed for app in rewrite.apps.values()):
        yield from _needed_files(project, history, command, changes)
    for rewrite in removed:
        for other in rewrites:
            if rewrite.id in other.parent_ids and other not in removed:
                yield rewrite_needed_since(command=command, rewrite=rewrite.label, other=other.label)
        yield from _still_applied(rewrite, command, list(plans), runs)


def _is_removed(rewrite: Rewrite, changes: Iterable[FileChange]) -> bool:
    path = Path(rewrite.path).resolve()
    return any(change.old_path and not change.new_path and change.old_path.resolve() == path for change in changes)


def _needed_files(project: Project, history: History, command: str, changes: Sequence[FileChange]) -> Iterator[Finding]:
    after = with_changes(project, history, changes, complete=not project.static)
    known = {(finding.code, finding.app, finding.name) for finding in history.findings if finding.blocks}
    # A file that comes back was read once with Django's help, if its dependencies are computed, and loads again.
    ignored = unreadable_migration.code
    new = [it for it in after.findings if it.blocks and it.code != ignored and (it.code, it.app, it.name) not in known]
    if new:
        names = (f"{each.app}.{each.name}" if each.name else each.app for each in new)
        needed = dict(zip(names, (each.found for each in new), strict=True))
        yield files_needed_since(command=command, needed=needed)


def _still_applied(
    rewrite: Rewrite, command: str, plans: Sequence[Plan], runs: Mapping[str, Sequence[Run]]
) -> Iterator[Finding]:
    back = {plan.target.alias for plan in plans if any(each.id == rewrite.id for each in plan.returned)}
    for alias, of_alias in runs.items():
        if alias not in back and rewrite.id in passed_rewrites(of_alias):
            last = next(run for run in reversed(of_alias) if any(each.id == rewrite.id for each in run.passed))
            yield rewrite_applied_since(command=command, rewrite=rewrite.label, run=last.id[:12], alias=alias)
