"""The last step of a rewriting command: files and databases change together, or not at all."""

from __future__ import annotations

import datetime
import json
import os
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from migsync.errors import NOTHING_CHANGED, Blocked, FilesRefused, InDoubt, Interrupted, Unsettled
from migsync.files.commit.changeset import Changeset, changeset_of
from migsync.files.commit.databases import (
    DatabaseResult,
    DatabaseStep,
    RunWasCommitted,
    not_begun,
    run_step,
    settled_step,
)
from migsync.files.commit.git import GitStatus, git_status, refuse_uncommitted
from migsync.files.commit.lock import locked
from migsync.files.commit.record import CommitRecord, CommitState, OpenCommit
from migsync.files.commit.recovery import cannot_settle, reason, settle_open
from migsync.files.commit.stage import roll_back, roll_forward, stage
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files
from migsync.files.proposal import FileChange, Proposal
from migsync.files.state_directory import is_open
from migsync.filesystem import boundary
from migsync.rewrites.rewrite_files import rewrite_file

if TYPE_CHECKING:
    from migsync.project import Project


@dataclass(frozen=True)
class CommitResult:
    """A commit that was made: the files are the new ones.

    `id` is what undoes it; `backup` holds every file before and after; `untracked` are the changed files that git had
    no copy of, by their old paths. `databases` are the results of the steps, in their order: one may have failed after
    another had committed. `interrupted`: Ctrl-C came in the middle.
    """

    id: str
    backup: Path
    untracked: tuple[Path, ...] = ()
    databases: tuple[DatabaseResult, ...] = ()
    interrupted: bool = False


def cannot_tell(_alias: str, _run_id: str) -> None:
    """The answer where no database can be asked whether a run was committed: it is not known."""


def commit(
    project: Project,
    proposal: Proposal,
    *,
    databases: Sequence[DatabaseStep] = (),
    run_was_committed: RunWasCommitted = cannot_tell,
    force: bool = False,
    files: Files | None = None,
    timeout: float = 10,
) -> CommitResult:
    """Make the proposal's changes of files, its rewrite and the runs of `databases`, all or none.

    The first database that commits decides: the others may be synced later. Without databases the commit's own record
    decides. `run_was_committed` is asked when Ctrl-C hides how a run ended. `force` goes on where files have changes
    that are not committed to git. `timeout` is how long to wait for another migsync, in seconds.

    Raises Blocked, StaleFiles, FilesRefused, FilesLocked, Interrupted or the first database's own error when nothing
    was changed; InDoubt and Unsettled when `recover_files` must settle it.
    """
    if proposal.blocked:
        reasons = "\n".join(finding.found for finding in proposal.findings if finding.blocks)
        raise Blocked(f"{proposal.command} is blocked. {NOTHING_CHANGED}", reasons)
    changes = list(proposal.files)
    for rewrite in filter(None, (proposal.found, proposal.rewrite)):
        path, content = rewrite_file(project.rewrites, rewrite)
        if not path.exists():
            changes.append(FileChange(None, path, None, content, 0o644))
    work = FileTransaction.of(project, files, databases, run_was_committed, timeout)
    return work.make(proposal.command, changes, force=force)


@dataclass(frozen=True)
class FileTransaction:
    """One commit, or one undo, on its way."""

    root: Path
    rewrites: Path
    files: Files
    steps: tuple[DatabaseStep, ...]
    run_was_committed: RunWasCommitted
    timeout: float

    @classmethod
    def of(
        cls,
        project: Project,
        files: Files | None,
        steps: Sequence[DatabaseStep],
        run_was_committed: RunWasCommitted,
        timeout: float,
    ) -> Self:
        """Work on the files of `project`, by their real paths: a record says where they are from the root."""
        root, rewrites = (Path(os.path.realpath(path)) for path in (project.root, project.rewrites))
        return cls(root, rewrites, files or Files(), tuple(steps), run_was_committed, timeout)

    def make(
        self,
        command: str,
        changes: Sequence[FileChange],
        *,
        force: bool = False,
        undoes: str = "",
        emptied: tuple[str, ...] = (),
    ) -> CommitResult:
        """Check, stage, decide, roll forward."""
        store = Store(self.root, self.files)
        real = _Places()
        changes = [replace(it, old_path=real.path(it.old_path), new_path=real.path(it.new_path)) for it in changes]
        held = git_status(change.old_path for change in changes if change.old_path)
        with ExitStack() as stack:
            try:
                store.prepare()
                stack.enter_context(locked(store.lock_file, self.files, self.timeout))
                store.ignore()
                self._refuse_open(store)
                change = changeset_of(self.root, self.rewrites, changes, self.files)
                if not force:
                    # Not before: what was edited since it was shown is said to be that, and not merely uncommitted.
                    refuse_uncommitted(self.root, held)
                record = self._sound(self._record(store, command, change, held, undoes, emptied))
                self._stage(store, record, change)
            except OSError as error:
                raise _refused(store, error) from error
            try:
                return self._decide(store, record, held)
            except OSError as error:
                raise cannot_settle(self.root, error) from error

    def _sound(self, record: CommitRecord) -> CommitRecord:
        """The record, if it could be read again; raises FilesRefused for a place that is not migsync's to change."""
        try:
            # A record that recovery would refuse to read must not be begun: after a kill nothing could settle it.
            sound = CommitRecord.from_dict(json.loads(record.to_json()))
            boundary.refuse_links(self.root, sound.places)
            return sound
        except ValueError as error:
            raise FilesRefused(
                f"A file to be changed is not inside {self.root}, or is reached through a symbolic link: {error}.",
                f"migsync changes only files inside the project. {NOTHING_CHANGED}",
                "If the file belongs to the project, run the command again with --root DIRECTORY, where DIRECTORY "
                "contains all of its files.",
            ) from error

    def _refuse_open(self, store: Store) -> None:
        found = store.opened()
        if found:
            raise Unsettled(
                f"An earlier change of the migration files was interrupted: {found[1].command}",
                f"It has to be finished or reverted first. {NOTHING_CHANGED}",
                "Run: migsync recover",
            )

    def _record(
        self, store: Store, command: str, change: Changeset, held: GitStatus, undoes: str, emptied: tuple[str, ...]
    ) -> CommitRecord:
        return CommitRecord(
            id=uuid.uuid4().hex,
            number=next((found.record.number for found in store.found()), 0) + 1,
            command=command,
            created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            slots=change.slots,
            runs=tuple((step.alias, step.run_id) for step in self.steps),
            directories=change.missing_directories(self.root),
            emptied=emptied,
            unheld=tuple(os.path.relpath(path, self.root) for path in held.unheld),
            undoes=undoes,
        )

    def _stage(self, store: Store, record: CommitRecord, change: Changeset) -> None:
        """All new contents on disk beside the old; or nothing."""
        try:
            store.begin(record, change.before, change.after)
            stage(store, record, change.after)
            if self.steps:
                store.set_state(OpenCommit(record.id, CommitState.STAGED))
        except BaseException as error:
            self._take_back(store, record, error)
            raise

    def _take_back(self, store: Store, record: CommitRecord, error: BaseException) -> None:
        """Roll back; `error`, the first one, stays the one that is raised."""
        try:
            roll_back(store, OpenCommit(record.id, CommitState.STAGING), record)
        except OSError as second:
            error.add_note(f"The temporary files could not be removed: {reason(second)}.")

    def _decide(self, store: Store, record: CommitRecord, held: GitStatus) -> CommitResult:
        """The databases, then the files."""
        results: list[DatabaseResult] = []
        interrupted = False
        try:
            for step in self.steps:
                results.append(run_step(step))
                self._note(store, record, results)
                if results[-1].outcome and results[-1].outcome.interrupted:
                    # Ctrl-C came at a COMMIT, which was made all the same: the databases after this one are not begun.
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            # Ctrl-C may have hidden a COMMIT that was made; only the database knows, and what it says decides.
            interrupted = True
            if not any(result.committed for result in results):
                self._settle_interrupted(store)
                # The step without a result is the one at which Ctrl-C came.
                results.append(settled_step(self.steps[len(results)]))
            elif len(results) < len(self.steps) and not (results[-1].outcome and results[-1].outcome.interrupted):
                results.append(self._asked(self.steps[len(results)]))
            results += [not_begun(step) for step in self.steps[len(results) :]]
        if not any(result.committed for result in results):
            interrupted = self._decide_alone(store, record)
        if is_open(store.root):  # not after Ctrl-C, where settling has rolled forward already
            interrupted = self._roll_forward(store, record) or interrupted
        return CommitResult(record.id, store.archive(record.id), held.untracked, tuple(results), interrupted)

    def _note(self, store: Store, record: CommitRecord, results: Sequence[DatabaseResult]) -> None:
        """Write down the decision with the first database that committed; raise what keeps it from being taken."""
        last = results[-1]
        decided = any(result.committed for result in results[:-1])
        if last.committed and not decided:
            store.set_state(OpenCommit(record.id, CommitState.DECIDED))
        if last.error and not decided:
            # A run in doubt may have been committed: what is staged must stay until the database can tell.
            if not isinstance(last.error, InDoubt):
                self._take_back(store, record, last.error)
            raise last.error

    def _settle_interrupted(self, store: Store) -> None:
        """Ask the database at which Ctrl-C came: it may have come just after a COMMIT.

        Raises Interrupted if nothing was changed.
        """
        settled = settle_open(store, self.run_was_committed)
        if settled is None or not settled.forward:
            raise Interrupted("Interrupted. Nothing was changed.")

    def _asked(self, step: DatabaseStep) -> DatabaseResult:
        """What became of a step at which Ctrl-C came, when the decision was taken already."""
        committed = self.run_was_committed(step.alias, step.run_id)
        if committed is not None:
            return settled_step(step) if committed else not_begun(step)
        error = InDoubt(f"Interrupted in run {step.run_id}. Now it is not known whether {step.alias} committed it.")
        return DatabaseResult(step.alias, step.run_id, error=error)

    def _decide_alone(self, store: Store, record: CommitRecord) -> bool:
        """No database has anything to say: the record decides. True tells that Ctrl-C came just after."""
        try:
            store.set_state(OpenCommit(record.id, CommitState.DECIDED))
        except BaseException as error:
            # The error may have come after the rename that decides: only the file itself can tell.
            found = store.opened()
            if found is None or found[0].state is not CommitState.DECIDED:
                self._take_back(store, record, error)
                if isinstance(error, OSError):
                    raise _refused(store, error) from error
                raise
            if not isinstance(error, KeyboardInterrupt):
                raise
            return True
        return False

    def _roll_forward(self, store: Store, record: CommitRecord) -> bool:
        """Put the files in place. Ctrl-C does not keep it from being finished; True tells that it came."""
        opened = OpenCommit(record.id, CommitState.DECIDED)
        try:
            roll_forward(store, opened, record)
        except KeyboardInterrupt:
            # Ctrl-C may also have come after the commit was closed. Else begin anew: rolling forward can be stopped
            # anywhere.
            if store.opened():
                roll_forward(store, opened, record)
            return True
        return False


class _Places(dict[str, Path]):
    """Directories with no link on the way to them, each looked up once."""

    def __missing__(self, directory: str) -> Path:
        return self.setdefault(directory, Path(os.path.realpath(directory)))

    def path(self, path: Path | None) -> Path | None:
        """The path with no link on the way to it; the file itself may be one, which is refused."""
        if path is None:
            return None
        directory, name = os.path.split(path)
        return self[directory] / name


def _refused(store: Store, error: OSError) -> FilesRefused:
    """The error of a file system that does not let the change be staged or decided."""
    meaning = NOTHING_CHANGED
    if is_open(store.root):
        meaning += " Temporary files could not be removed; the next migsync command tries again."
    return FilesRefused(
        f"The migration files cannot be changed: {reason(error)}.",
        meaning,
        "Fix the cause, then run the command again.",
    )
