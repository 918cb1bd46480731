"""Applying a plan: one transaction, journaled, all or nothing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from migsync import __version__
from migsync.engines import Deadline, ErrorKind, MigrationTable
from migsync.errors import (
    NOTHING_CHANGED,
    Blocked,
    InDoubt,
    LockTimeout,
    MigsyncError,
    PlanFileError,
    TargetError,
    Unreachable,
)
from migsync.findings import Finding
from migsync.rewrites.record import Record
from migsync.sync.comparison import (
    already_applied,
    expected_after,
    fits_after,
    fits_before,
    free_ids,
    is_applied,
    leaves_fingerprints,
    made_changes,
    stale_plan,
)
from migsync.sync.journal.tables import NEWEST, as_row, read_runs, write_run
from migsync.sync.locked import Locked, lock_target
from migsync.sync.plan import Plan
from migsync.sync.preconditions import check_plan, check_target
from migsync.sync.recorder import Step, Writes, prepare_writes, read_records, write_changes
from migsync.sync.run import Run, RunKind, default_author
from migsync.sync.target import Target
from migsync.sync.undo import check_undo

if TYPE_CHECKING:
    import sqlalchemy as sa

RETRIED = (ErrorKind.LOCKED, ErrorKind.CONFLICT)
RECONNECT_SECONDS = 0.1


class Status(StrEnum):
    """How an apply ended."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already applied"
    NOTHING_TO_DO = "nothing to do"


@dataclass(frozen=True)
class Outcome:
    """What an apply did. `run` is the journal's row, None without a journal or where nothing was to do.

    `findings` tell what came out otherwise than planned (an id that was taken). `interrupted` is True when Ctrl-C came
    while the database was committing, and it did commit: the caller should stop after telling so.
    """

    status: Status
    run: Run | None = None
    findings: tuple[Finding, ...] = ()
    interrupted: bool = False


def apply_plan(
    target: Target,
    plan: Plan,
    *,
    run_id: str | None = None,
    lock_timeout: float = 10,
    journal: bool = True,
    reason: str = "",
    author: str | None = None,
    commit_sent: Event | None = None,
    faults: Step | None = None,
) -> Outcome:
    """Make the plan's changes in one transaction, or none of them.

    `lock_timeout` is in seconds. `commit_sent` is set from just before COMMIT on, until the server is known not to have
    committed: a KeyboardInterrupt can come after COMMIT, too. `faults` is called with the name of every step and the
    connection, for tests. Raises StalePlan, LockTimeout, ReadOnly, NotPermitted, Blocked, UnexpectedResult, Unreachable
    and PlanFileError when nothing was changed, and InDoubt when that cannot be told.
    """
    check_plan(target, plan)
    if plan.empty:
        return Outcome(Status.NOTHING_TO_DO)
    table = check_target(target)
    run = Run(
        id=run_id or uuid.uuid4().hex,
        number=0,
        kind=RunKind.UNDO if plan.undoes else RunKind.APPLY,
        plan_id=plan.id,
        at="",
        author=author or default_author(),
        version=__version__,
        reason=reason,
        undoes=plan.undoes,
        passed=plan.passed,
        returned=plan.returned,
        digests=plan.digests,
    )
    sent = commit_sent or Event()
    return _Application(target, table, plan, run, journal, lock_timeout, sent, faults or no_fault).apply()


def settle(target: Target, run_id: str, *, journaled: bool = True, lock_timeout: float = 10) -> bool | None:
    """Whether the run with this id was committed; None where that cannot be told.

    A journaled run makes the journal's tables in its own transaction, or before it where the engine commits each
    CREATE by itself. So where there are none, no such run was committed. A run that is not `journaled` leaves no trace.

    Takes the lock first: a server can commit seconds after its client has died. Raises Unreachable and LockTimeout.
    """
    if target.table is None:
        return None
    with target.explained(), closing(target.connect()) as connection:
        target.behaviour.lock(connection, target.table, Deadline(lock_timeout))
        runs = read_runs(connection, target.table.schema, run_id)
        return True if runs else False if journaled else None


class _StaleRecords(Exception):
    """The records are not those that the plan was made from. What differs is worked out when the lock is gone."""

    def __init__(self, records: tuple[Record, ...]) -> None:
        super().__init__()
        self.records = records


def no_fault(_step: str, _connection: sa.Connection) -> None:
    """What happens at each step outside of tests: nothing."""


@dataclass(frozen=True)
class _Application:
    """One call of :func:`apply_plan`: tried again as a whole, under one run id, until it is known how it ended."""

    target: Target
    table: MigrationTable
    plan: Plan
    run: Run
    journal: bool
    lock_timeout: float
    commit_sent: Event
    step: Callable[[str, sa.Connection], None]

    @cached_property
    def row(self) -> Mapping[str, Any]:
        """The journal's row, if the changes are made as planned."""
        return as_row(replace(self.run, changes=self.plan.changes)) if self.journal else {}

    def apply(self) -> Outcome:
        deadline = Deadline(self.lock_timeout)
        _ = self.row  # made now, not under the lock
        while True:
            try:
                # The whole unit again, under the same run id. What was read before a rollback may not be true any more.
                return self._attempt(deadline)
            except _StaleRecords as error:
                raise stale_plan(self.plan, error.records) from None
            except DBAPIError as error:
                if self.target.behaviour.error_kind(error) in RETRIED and not deadline.passed:
                    continue
                raise self.target.explain(error, writing=True) from error

    def _attempt(self, deadline: Deadline) -> Outcome:
        connection = self.target.connect()
        try:
            writes = prepare_writes(connection, self.target.behaviour, self.table, self.plan.changes)
            outcome = self._change(connection, deadline, writes)
            self.step("before commit", connection)
        except BaseException as error:
            abandon(connection, error)
            raise
        if outcome.status is not Status.APPLIED:
            connection.close()
            return outcome
        return self._commit(connection, outcome)

    def _change(self, connection: sa.Connection, deadline: Deadline, writes: Writes, upgrade: bool = True) -> Outcome:
        """Everything but the COMMIT: lock, compare, write, read back, journal, which is upgraded first."""
        locked = lock_target(self.target, connection, self.table, deadline, self.step, journaled=self.journal)
        records = locked.records
        repeated = self._check(locked)
        if repeated:
            return repeated
        # Only now, under the lock and after the check: a run that is refused leaves no tables behind.
        if self.journal and upgrade and locked.version != NEWEST:
            from migsync.sync.journal.schema import upgraded  # Alembic is slow to import, and needed once

            if not upgraded(connection, self.target.behaviour, self.table.schema, locked.version):
                # The lock is gone, and what was read under it counts no more.
                return self._change(connection, deadline, writes, upgrade=False)
            # Without its version, a journal may have runs all the same.
            locked = replace(locked, runs=read_runs(connection, self.table.schema, version=NEWEST))
        changes, findings = free_ids(self.plan.changes, records)
        self._check_removals(connection)
        write_changes(connection, self.target.behaviour, self.table, records, writes, changes, self.step)
        found = read_records(connection, self.target.behaviour, self.table)
        self.step("read back", connection)
        run = replace(self.run, changes=made_changes(expected_after(records, changes), changes, found))
        if not leaves_fingerprints(self.plan, found):
            raise PlanFileError(
                "After the changes of the plan, the rows are not those that the plan states.",
                f"The plan was edited or damaged. {NOTHING_CHANGED}",
                f"Make a new plan: {self.plan.target.plan_command} -o FILE",
            )
        if not self.journal:
            return Outcome(Status.APPLIED, None, tuple(findings))
        # Ids that the database gave, or could not give again, are known only now.
        row = self.row if run.changes == self.plan.changes else as_row(run)
        run = write_run(
            connection, self.target.behaviour, self.table.schema, run, row, runs=locked.runs, now=locked.now
        )
        self.step("journal", connection)
        return Outcome(Status.APPLIED, run, tuple(findings))

    def _check(self, locked: Locked) -> Outcome | None:
        """How it ended before, if it did; raises _StaleRecords for records that are neither before nor after the plan.

        Raises StalePlan where the journal says that another run came in between.
        """
        plan, records, runs = self.plan, locked.records, locked.runs
        if not self.journal:
            if is_applied(plan, records):
                return Outcome(Status.ALREADY_APPLIED)
            self._check_before(records)
            return None
        repeated = next((run for run in runs if run.id == self.run.id), None) or already_applied(plan, records, runs)
        if repeated:
            return Outcome(Status.ALREADY_APPLIED, repeated)
        self._check_before(records)
        check_undo(plan, runs)
        return None

    def _check_before(self, records: tuple[Record, ...]) -> None:
        if not fits_before(self.plan, records):
            raise _StaleRecords(records)

    def _check_removals(self, connection: sa.Connection) -> None:
        """Raises Blocked for a row that an undo could not bring back as it was."""
        removed = [
            change.before.id
            for change in self.plan.changes
            if change.after is None and change.before and change.before.id is not None
        ]
        unwritable = self.target.behaviour.unwritable(connection, self.table, removed) if removed else {}
        for change in self.plan.changes:
            if change.before and change.before.id in unwritable:
                raise Blocked(
                    f"{change.before.key} (row {change.before.id}) cannot be removed: {unwritable[change.before.id]}.",
                    f"An undo could not write this value again exactly as it is. {NOTHING_CHANGED}",
                    f"Store the time as text, as Django does; then make a new plan: {self.plan.target.plan_command}",
                )

    def _commit(self, connection: sa.Connection, outcome: Outcome) -> Outcome:
        """COMMIT. Where the answer is lost, the database is asked whether it committed."""
        try:
            self.commit_sent.set()
            connection.commit()
        except (DBAPIError, KeyboardInterrupt) as error:
            # Ctrl-C may have come before or after the server got the COMMIT: only the database knows.
            interrupted = isinstance(error, KeyboardInterrupt)
            # The server has answered: nothing was committed. SQLite can be locked at COMMIT; `apply` tries again then.
            if isinstance(error, DBAPIError) and self.target.behaviour.error_kind(error) is not ErrorKind.LOST:
                abandon(connection, error)
                self.commit_sent.clear()
                raise
            # Not a rollback: the connection may be anywhere in its protocol.
            connection.invalidate()
            connection.close()
            if self._settled(error):
                return replace(outcome, interrupted=interrupted)
            self.commit_sent.clear()
            if interrupted:
                raise
            raise Unreachable(
                "The connection was lost at COMMIT, and the server did not commit.",
                NOTHING_CHANGED,
                "Run the command again.",
            ) from error
        with closing(connection):
            self.step("after commit", connection)
        return outcome

    def _settled(self, cause: BaseException) -> bool:
        """Whether the run was committed; raises InDoubt where that cannot be told in time."""
        deadline = Deadline(self.lock_timeout)
        while True:
            try:
                return self._was_committed(deadline)
            except (TargetError, LockTimeout, KeyboardInterrupt) as error:
                # The server may be starting again, or the lost session may still hold the lock: both pass.
                if deadline.passed or isinstance(error, KeyboardInterrupt):
                    raise InDoubt(
                        f"The connection to {self.target.alias} was lost at the COMMIT of run {self.run.id}. Now it is "
                        "not known whether it committed.",
                        " ".join(["Either all of its changes were made or none.", *_why_unknown(error)]),
                        interrupted=any(isinstance(each, KeyboardInterrupt) for each in (cause, error)),
                    ) from cause
                time.sleep(RECONNECT_SECONDS)

    def _was_committed(self, deadline: Deadline) -> bool:
        if self.journal:
            return bool(settle(self.target, self.run.id, lock_timeout=deadline.left))
        with self.target.explained(), closing(self.target.connect()) as connection:
            self.target.behaviour.lock(connection, self.table, deadline)
            records = read_records(connection, self.target.behaviour, self.table)
        # Without a journal the rows alone must tell, and they do so only where one of the two is true.
        before, after = fits_before(self.plan, records), fits_after(self.plan, records)
        if before is after:
            raise TargetError("The records are neither as before the plan nor as after it.")
        return after


def abandon(connection: sa.Connection, error: BaseException) -> None:
    """Roll back and close; `error`, the first one, stays the one that is raised."""
    try:
        connection.rollback()
    except Exception as second:
        error.add_note(f"The rollback failed as well: {second}")
        connection.invalidate()
    finally:
        with suppress(SQLAlchemyError):
            connection.close()


def _why_unknown(error: BaseException) -> Iterator[str]:
    if isinstance(error, MigsyncError):
        yield f"Asking the database failed: {error.found}"
