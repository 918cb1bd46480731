"""What ``migsync recover`` does with files: settle an interrupted change, all of it or nothing, and trust records.

A record in ``.migsync`` without this user's seal may have come with a clone; :func:`trust_records` makes it one's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from migsync.errors import InDoubt, Unsettled
from migsync.files.commit.databases import RunWasCommitted
from migsync.files.commit.lock import locked
from migsync.files.commit.record import CommitState
from migsync.files.commit.stage import roll_back, roll_forward
from migsync.files.commit.store import Store, StoredRecord
from migsync.files.commit.syscalls import Files
from migsync.files.state_directory import is_open
from migsync.words import text_list


@dataclass(frozen=True)
class Settlement:
    """How an interrupted change was settled.

    `forward`: the files are the new ones now; else they are the old ones. `commit` is the change's id, `command` the
    command line that began it.
    """

    commit: str
    command: str
    forward: bool


def recover_files(
    root: Path, run_was_committed: RunWasCommitted, *, files: Files | None = None, timeout: float = 10
) -> Settlement | None:
    """Settle the change of files that is under way in the project at `root`; None when there is none (one stat).

    It may be killed at any point, and called again. `timeout` is how long to wait for another migsync, in seconds.
    Raises FilesLocked, InDoubt when a database must be asked and cannot tell now, and Unsettled when the files cannot
    be changed, or were changed by somebody else, or when it is not this user who began the change.
    """
    store = Store(Path(os.path.realpath(root)), files or Files())
    if not is_open(store.root):
        return None
    try:
        # Before the lock is taken: to take it is to write into a directory that somebody else may have made.
        store.refuse_foreign()
        with locked(store.lock_file, store.files, timeout):
            return settle_open(store, run_was_committed)
    except OSError as error:
        raise cannot_settle(root, error) from error


def left_over(root: Path) -> bool:
    """Whether a state was being written when migsync was killed, and nothing is under way."""
    store = Store(Path(os.path.realpath(root)))
    return os.path.lexists(store.new_open_file) and not is_open(store.root)


def remove_left_over(root: Path, *, timeout: float = 10) -> None:
    """Remove the state that was being written. Raises FilesLocked and Unsettled."""
    store = Store(Path(os.path.realpath(root)))
    try:
        store.refuse_foreign()
        with locked(store.lock_file, store.files, timeout):
            if not is_open(store.root):
                store.files.remove(store.new_open_file)
    except OSError as error:
        raise cannot_settle(root, error) from error


def foreign_records(root: Path) -> tuple[StoredRecord, ...]:
    """The records without this user's seal: the one that is under way first, then the newest.

    Raises FilesRefused for a state directory that must not be read, and Unsettled for a record that cannot be.
    """
    store = Store(Path(os.path.realpath(root)))
    closed = [found for found in store.found() if not found.ours]
    try:
        opened = store.found_open()
    except ValueError as error:
        raise store.unusable(error) from error
    except OSError as error:
        raise cannot_settle(root, error) from error
    return (*([opened] if opened and not opened.ours else []), *closed)


def trust_records(root: Path, *, timeout: float = 10) -> None:
    """Give every sound record in the project's ``.migsync`` this user's seal.

    `timeout` is how long to wait for another migsync, in seconds.

    Raises FilesLocked, FilesRefused and Unsettled.
    """
    store = Store(Path(os.path.realpath(root)), Files())
    try:
        store.prepare()
        with locked(store.lock_file, store.files, timeout):
            store.trust()
    except ValueError as error:
        raise store.unusable(error) from error
    except OSError as error:
        raise Unsettled(
            f"The records in {store.directory} cannot be written: {reason(error)}.",
            "They still do not have your seal.",
            "Fix the cause, then run: migsync recover --trust",
        ) from error


def settle_open(store: Store, run_was_committed: RunWasCommitted) -> Settlement | None:
    """Settle the change that `store` has open; None when there is none. The caller holds the lock.

    Raises InDoubt and Unsettled as :func:`recover_files` does, and OSError.
    """
    found = store.opened()
    if found is None:
        return None
    opened, record = found
    # In STAGING no database has been written to: a commit with databases is STAGED before it writes to the first, and
    # one without any goes from STAGING to DECIDED.
    if opened.state is CommitState.STAGED and _is_decided(record.runs, run_was_committed):
        # Noted before the first file changes: whoever goes on after another kill need not ask the database again.
        opened = replace(opened, state=CommitState.DECIDED)
        store.set_state(opened)
    if opened.state is CommitState.DECIDED:
        roll_forward(store, opened, record)
    else:
        roll_back(store, opened, record)
    return Settlement(record.id, record.command, opened.state is CommitState.DECIDED)


def cannot_settle(root: Path, error: OSError) -> Unsettled:
    """The error where the file system does not let migsync finish a change."""
    return Unsettled(
        f"A change of the migration files in {root} could not be finished: {reason(error)}.",
        "Some files may be new and some still old. migsync keeps copies of all of them.",
    )


def reason(error: OSError) -> str:
    """What the file system said, and of which file."""
    said = error.strerror or str(error)
    return f"{said} ({error.filename})" if error.filename else said


def _is_decided(runs: Iterable[tuple[str, str]], run_was_committed: RunWasCommitted) -> bool:
    """Whether any database committed its run; raises InDoubt where none is known to, and one cannot tell."""
    silent = []
    for alias, run in runs:
        # All are asked: one that committed decides, whatever the silent ones would say.
        committed = run_was_committed(alias, run)
        if committed:
            return True
        if committed is None:
            silent.append(f"{alias} (run {run})")
    if silent:
        raise InDoubt(
            "A change of migration files was interrupted while it wrote to databases. Now it is not known whether "
            f"{text_list(silent)} committed.",
            "The migration files are still the old ones. If one database committed, they have to become the new ones.",
        )
    return False
