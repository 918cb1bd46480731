"""Taking back a commit of files from the copies that were kept; it is a commit itself, and can be taken back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from migsync.errors import NOTHING_CHANGED, StaleFiles, UnknownRun
from migsync.files.commit.archive import AFTER, BEFORE
from migsync.files.commit.databases import DatabaseStep, RunWasCommitted
from migsync.files.commit.record import CommitRecord, digest
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files
from migsync.files.commit.transaction import CommitResult, FileTransaction, cannot_tell
from migsync.files.proposal import FileChange
from migsync.words import text_list

if TYPE_CHECKING:
    from migsync.project import Project


def commits(root: Path) -> tuple[CommitRecord, ...]:
    """The commits of files that are kept, the newest first."""
    return tuple(Store(root).commits())


def commit_of(root: Path, *, run_id: str = "", commit_id: str = "") -> CommitRecord | None:
    """The kept commit with this id, or the one that changed a database by this run; None without one.

    The first characters of an id are enough. Raises UnknownRun when they match more than one.
    """
    found = [
        record
        for record in commits(root)
        if (commit_id and record.id.startswith(commit_id))
        or (run_id and any(run.startswith(run_id) for _, run in record.runs))
    ]
    if len(found) > 1:
        raise UnknownRun(
            f"{len(found)} changes of files match {commit_id or run_id}: "
            f"{text_list(record.id[:12] for record in found)}.",
            NOTHING_CHANGED,
            "Give one of these ids: migsync undo --files ID",
        )
    return found[0] if found else None


def undo_files(
    project: Project,
    record: CommitRecord,
    *,
    databases: Sequence[DatabaseStep] = (),
    run_was_committed: RunWasCommitted = cannot_tell,
    files: Files | None = None,
    timeout: float = 10,
) -> CommitResult:
    """Bring every file back to what it was before `record`, together with the runs of `databases`, all or none.

    Raises as `commit` does, and StaleFiles when a file was changed since; then none of the files is touched.
    """
    changes = changes_back(project.root, record, files)
    work = FileTransaction.of(project, files, databases, run_was_committed, timeout)
    # Not asked of git: what migsync wrote is seldom committed yet, and is known to be here byte for byte.
    return work.make(f"undo {record.id[:12]}", changes, force=True, undoes=record.id, emptied=record.directories)


def changes_back(root: Path, record: CommitRecord, files: Files | None = None) -> list[FileChange]:
    """What brings every file back to what it was before `record`; a file that was moved is two changes.

    Raises StaleFiles when it was undone already or a file was changed since, FilesRefused when the copies cannot be
    read.
    """
    store = Store(Path(os.path.realpath(root)), files or Files())
    _refuse_undone(store, record)
    before, after = store.contents(record, BEFORE), store.contents(record, AFTER)
    _refuse_changed(store, record)
    changes = []
    for slot in record.slots:
        path = store.root / slot.path
        changes.append(
            FileChange(
                path if slot.after else None,
                path if slot.before else None,
                after[slot.path] if slot.after else None,
                before[slot.path] if slot.before else None,
                slot.before.mode if slot.before else 0,
            )
        )
    return changes


def _refuse_undone(store: Store, record: CommitRecord) -> None:
    undone: set[str] = set()
    # The newest first. Where B undid A, and C undid B, C is met before B: B counts no more, and A can be undone again.
    for later in store.commits():
        if later.id not in undone:
            if later.undoes == record.id:
                raise StaleFiles(
                    f"{record.command} is already undone: by the change {later.id[:12]} of {later.created}.",
                    NOTHING_CHANGED,
                    f"To redo it, undo that change: migsync undo --files {later.id[:12]}",
                )
            undone.add(later.undoes)


def _refuse_changed(store: Store, record: CommitRecord) -> None:
    changed = []
    for slot in record.slots:
        content = store.files.read(store.root / slot.path)
        if (slot.after and slot.after.digest) != (None if content is None else digest(content)):
            changed.append(slot.path)
    if changed:
        raise StaleFiles(
            f"Files have changed since {record.command}:\n" + "\n".join(f"  {path}" for path in changed),
            f"{NOTHING_CHANGED} The files are as they were before this command. The versions before and after "
            f"{record.command} are in {store.archive(record.id)}",
            "Undo your own changes first, or take single files out of the archive with tar.",
        )
