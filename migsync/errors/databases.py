"""About a database."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class TargetError(MigsyncError):
    """A database cannot be used.

    The settings of this database are incomplete, or they name something that migsync cannot work with.
    """

    code = "target"


class UnknownAlias(TargetError):
    """The project has no database with this alias.

    The message lists the aliases of the settings and of ``[tool.migsync.databases]``.
    """

    code = "unknown-alias"


class UnknownEngine(TargetError):
    """migsync does not know this database engine.

    PostgreSQL, MySQL, MariaDB and SQLite are supported, also through Django backends that are based on these.
    """

    code = "unknown-engine"
    default_hint = "migsync works on PostgreSQL, MySQL, MariaDB and SQLite."


class Unreachable(TargetError):
    """The database could not be reached.

    No connection was made: the host, the port, the password or the network is wrong, or the server is down. Nothing was
    changed in this database. Databases that were done before stay done; run the command again for the others.
    """

    code = "unreachable"


class NotPermitted(TargetError):
    """The database user lacks a privilege.

    The connection works, but the user may not read or write a table that the command needs. The message names the
    privilege and the table. The page about privileges lists what each command needs.

    `right` is the missing privilege (``SELECT``, ``INSERT``, ``CREATE``), empty where it is not known.
    """

    code = "not-permitted"

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, right: str = "") -> None:
        super().__init__(found, meaning, hint)
        self.right = right


class JournalNotPermitted(NotPermitted):
    """Not allowed to read or write migsync's journal.

    `seen` is False where the database does not even say whether there is a journal.
    """

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, right: str, seen: bool) -> None:
        super().__init__(found, meaning, hint, right=right)
        self.seen = seen


class ReadOnly(TargetError):
    """The database does not accept writes.

    It is a standby, or the server or the session is in read-only mode. Run the command on the primary.
    """

    code = "read-only"
    default_hint = "Apply on the primary; what it commits reaches a standby by replication."


class LockTimeout(MigsyncError):
    """Could not get a lock in time.

    Another session holds the rows or migsync's lock: a running ``migrate``, another migsync, or a transaction that was
    left open. Nothing was changed. The wait is 10 s unless ``--lock-timeout`` or the settings say otherwise.
    """

    code = "lock-timeout"
    exit_status = ExitStatus.LOCKED
    default_hint = (
        "Another session holds the lock (migrate, another migsync, or an open transaction). "
        "Try again, or wait longer: --lock-timeout SECONDS"
    )


class UnexpectedResult(MigsyncError):
    """The database did something other than what it was asked to do.

    A statement changed other rows than planned, or a row read back is not the row written: a trigger, a rule or another
    session is at work. The whole transaction was rolled back.
    """

    code = "unexpected-result"


class InDoubt(MigsyncError):
    """It is not known whether the COMMIT happened.

    The connection broke after COMMIT was sent and before the answer came. The change is either complete or absent,
    never half. ``migsync recover`` asks the database which.

    `interrupted` is True where Ctrl-C is the reason, or came meanwhile.
    """

    code = "in-doubt"
    exit_status = ExitStatus.IN_DOUBT
    default_hint = "When the database answers again, run: migsync recover"

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, interrupted: bool = False) -> None:
        super().__init__(found, meaning, hint)
        self.interrupted = interrupted
