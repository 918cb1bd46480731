"""Errors of the drivers: what each means for the transaction that met it, and how a person is told."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from migsync.errors import (
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
NOTHING_CHANGED = "Nothing was changed."
READERS_LOCKED_OUT = "Another session probably holds a lock that keeps readers out, such as that of an ALTER TABLE."
WAIT_LONGER = "Try again when it has ended, or wait longer: --lock-timeout SECONDS"


class ErrorKind(Enum):
    """What a driver's error means for the transaction that met it."""

    LOCKED = auto()  # waited in vain for a lock: try again while there is time
    CONFLICT = auto()  # chosen as the victim of a deadlock or a serialization failure: try again
    TIMED_OUT = auto()  # the statement itself took too long
    LOST = auto()  # the connection is gone
    DENIED = auto()
    READ_ONLY = auto()
    OTHER = auto()


def explain(
    error: DBAPIError, kind: ErrorKind, meaning: str = NOTHING_CHANGED, *, reading: bool = False, if_read_only: str
) -> MigsyncError:
    """The error for a person: no SQL, no parameters, the right that is missing by name.

    `meaning` is what the error means for the data. `reading`: nothing was to be changed. `if_read_only` is what to do
    where nothing can be written.
    """
    said = first_line(error)
    match kind:
        case ErrorKind.LOST:
            return Unreachable(f"The connection was lost: {said}", meaning, "Try again.")
        case ErrorKind.LOCKED | ErrorKind.CONFLICT | ErrorKind.TIMED_OUT if reading:
            return LockTimeout(f"{TABLE} could not be read in time: {said}", READERS_LOCKED_OUT, WAIT_LONGER)
        case ErrorKind.LOCKED | ErrorKind.CONFLICT | ErrorKind.TIMED_OUT:
            return LockTimeout(f"{TABLE} could not be locked: {said}", meaning)
        case ErrorKind.READ_ONLY:
            return ReadOnly(f"The database takes no changes: {said}", meaning, if_read_only)
        case ErrorKind.DENIED:
            return _denied(error.statement or "", said, meaning)
    return UnexpectedResult(f"The database refused: {said}", meaning)


def _denied(statement: str, said: str, meaning: str) -> NotPermitted:
    """What right is missing, by the statement that was refused."""
    verb = statement.split(maxsplit=1)[0].upper() if statement.strip() else ""
    # How SQLAlchemy asks MySQL whether a table is there. MySQL refuses that for a table that is not there, too.
    seen, verb = verb != "DESCRIBE", "SELECT" if verb == "DESCRIBE" else verb
    if JOURNAL_PREFIX in statement:
        what = f"{verb} migsync's journal" if seen else "see whether migsync's journal exists"
        return JournalNotPermitted(f"No right to {what}: {said}", meaning, right=verb, seen=seen)
    # LOCK TABLE needs one of the two, whichever the changes need.
    right = "UPDATE or DELETE" if verb == "LOCK" else verb or "use"
    return NotPermitted(
        f"No right to {right} {TABLE}: {said}", meaning, f"Grant {right} on {TABLE} to this user.", right=right
    )


def first_line(error: DBAPIError) -> str:
    """What the driver says, in one line, without passwords and without the statement that SQLAlchemy adds."""
    arguments = error.orig.args if error.orig is not None else ()
    # MySQL drivers give (number, message); the others a message.
    said = next((part for part in reversed(arguments) if isinstance(part, str) and part.strip()), str(error.orig))
    return redact(said.strip().splitlines()[0]) if said.strip() else type(error.orig).__name__
