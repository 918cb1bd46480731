"""Errors of the drivers: what each means for the transaction in which it happened, and what a person is told."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from migsync.errors import (
    NOTHING_CHANGED,
    JournalNotPermitted,
    LockTimeout,
    MigsyncError,
    NotPermitted,
    ReadOnly,
    UnexpectedResult,
    Unreachable,
)
from migsync.redaction import redact

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

TABLE = "django_migrations"
JOURNAL_PREFIX = "migsync_"
READERS_LOCKED_OUT = "Another session probably holds a lock that blocks reads, such as that of an ALTER TABLE."
SLOW_OR_LOCKED_OUT = "The server is busy, or another session holds a lock that blocks reads."
WAIT_LONGER = "Run the command again when it has ended, or wait longer with --lock-timeout SECONDS."
TRY_AGAIN = "Run the command again."


class ErrorKind(Enum):
    """What a driver's error means for the transaction in which it happened."""

    LOCKED = auto()  # did not get a lock: try again while there is time
    CONFLICT = auto()  # chosen as the victim of a deadlock or a serialization failure: try again
    TIMED_OUT = auto()  # the statement itself took too long
    LOST = auto()  # the connection is gone
    DENIED = auto()
    READ_ONLY = auto()
    OTHER = auto()


def explain(
    error: DBAPIError, kind: ErrorKind, meaning: str = NOTHING_CHANGED, *, reading: str = "", if_read_only: str
) -> MigsyncError:
    """The error for a person: without SQL and parameters, and with the name of a missing privilege.

    `meaning` is what the error means for the data. `reading` is what was read, if nothing was to be changed.
    `if_read_only` is the hint for a database that does not accept writes.
    """
    said = first_line(error)
    match kind:
        case ErrorKind.LOST:
            return Unreachable(f"The connection was lost: {said}", meaning, TRY_AGAIN)
        case ErrorKind.TIMED_OUT if reading:
            return LockTimeout(f"Could not read {reading} in time: {said}", SLOW_OR_LOCKED_OUT, WAIT_LONGER)
        case ErrorKind.LOCKED | ErrorKind.CONFLICT if reading:
            return LockTimeout(f"Could not read {reading} in time: {said}", READERS_LOCKED_OUT, WAIT_LONGER)
        case ErrorKind.LOCKED | ErrorKind.CONFLICT | ErrorKind.TIMED_OUT:
            return LockTimeout(f"Could not lock {TABLE} in time: {said}", meaning)
        case ErrorKind.READ_ONLY:
            return ReadOnly(f"The database does not accept writes: {said}", meaning, if_read_only)
        case ErrorKind.DENIED:
            return _denied(error.statement or "", said, meaning)
    return UnexpectedResult(
        f"The database reported an error: {said}", meaning, "Fix the cause, then run the command again."
    )


def _denied(statement: str, said: str, meaning: str) -> NotPermitted:
    """Which privilege is missing, by the statement that was refused."""
    verb = statement.split(maxsplit=1)[0].upper() if statement.strip() else ""
    # How SQLAlchemy asks MySQL whether a table is there. MySQL refuses that for a table that is not there, too.
    seen, verb = verb != "DESCRIBE", "SELECT" if verb == "DESCRIBE" else verb
    if JOURNAL_PREFIX in statement:
        what = (
            f"The user lacks {verb} on migsync's journal" if seen else "The user may not see whether there is a journal"
        )
        return JournalNotPermitted(f"{what}: {said}", meaning, right=verb, seen=seen)
    # LOCK TABLE needs one of the two, whichever the changes need. PostgreSQL gets it behind another statement.
    right = "UPDATE or DELETE" if "LOCK TABLE " in statement else verb or "a privilege"
    return NotPermitted(
        f"The user lacks {right} on {TABLE}: {said}", meaning, f"Grant {right} on {TABLE} to this user.", right=right
    )


def first_line(error: DBAPIError) -> str:
    """What the driver says, in one line, without passwords and without the statement that SQLAlchemy adds."""
    arguments = error.orig.args if error.orig is not None else ()
    # MySQL drivers give (number, message); the others a message.
    said = next((part for part in reversed(arguments) if isinstance(part, str) and part.strip()), str(error.orig))
    return redact(said.strip().splitlines()[0]) if said.strip() else type(error.orig).__name__
