"""About a database."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class TargetError(MigsyncError):
    """A database cannot be used.

    Its settings are incomplete or wrong, its driver is not installed, or its tables contain something that migsync
    cannot work with. The message names the database and the cause. Fix the cause and run the command again.
    """

    code = "target"


class UnknownAlias(TargetError):
    """The project has no database with this alias.

    The aliases of a project are those of ``DATABASES`` in the settings and those of ``[tool.migsync.databases]`` in
    pyproject.toml. The message lists them. Give one of these with ``--database``.
    """

    code = "unknown-alias"


class UnknownEngine(TargetError):
    """migsync does not support this database engine.

    It supports PostgreSQL, MySQL, MariaDB and SQLite, also through Django backends that are based on these. If your
    backend talks to one of them and migsync does not recognize it, add an entry with the URL of the database to
    ``[tool.migsync.databases]`` in pyproject.toml.
    """

    code = "unknown-engine"
    default_hint = "migsync supports PostgreSQL, MySQL, MariaDB and SQLite."


class Unreachable(TargetError):
    """The database could not be reached.

    The server is down, or the host, the port, the user, the password or the network is wrong, or the connection broke.
    Nothing was changed in this database. Changes that the same command made in other databases before stay. Fix the
    cause and run the command again: it skips the databases that are done.
    """

    code = "unreachable"


class NotPermitted(TargetError):
    """The database user lacks a privilege.

    The connection works, but the user may not read or write a table that the command needs. The message names the
    privilege and the table. Grant the privilege, or have another user run the command. The page about privileges lists
    what each command needs.
    """

    code = "not-permitted"

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, right: str = "") -> None:
        super().__init__(found, meaning, hint)
        self.right = right
        """The missing privilege: ``SELECT``, ``INSERT``, ``CREATE``; empty where it is not known."""


class JournalNotPermitted(NotPermitted):
    """The user may not read or write the tables of migsync's journal."""

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, right: str, seen: bool) -> None:
        super().__init__(found, meaning, hint, right=right)
        self.seen = seen
        """False where the database does not even tell this user whether the journal exists."""


class ReadOnly(TargetError):
    """The database does not accept writes.

    It is a standby, or the server, the session or the file is read-only. Nothing was changed. Run the command on the
    primary server: its changes reach the standby by replication.
    """

    code = "read-only"
    default_hint = "Run the command on the primary server. Its changes reach a standby by replication."


class LockTimeout(MigsyncError):
    """Could not get a lock in time.

    Another session holds a lock on ``django_migrations``: a running ``migrate``, another migsync, or a transaction that
    was left open. Nothing was changed. Wait until it has ended and run the command again, or let migsync wait longer:
    the limit is 10 seconds unless ``--lock-timeout`` or the setting ``lock-timeout`` says otherwise.
    """

    code = "lock-timeout"
    exit_status = ExitStatus.LOCKED
    default_hint = (
        "Another session holds the lock: migrate, another migsync, or an open transaction. "
        "Run the command again when it has ended, or wait longer with --lock-timeout SECONDS."
    )


class UnexpectedResult(MigsyncError):
    """The database did something else than it was asked to.

    A statement failed or changed a different number of rows than planned, or a row that was read back is not the row
    that was written. A trigger, a rule or row-level security on ``django_migrations`` is the usual cause. The whole
    transaction was rolled back. Remove the cause, or disable it while migsync runs, and run the command again.
    """

    code = "unexpected-result"


class InDoubt(MigsyncError):
    """It is not known whether the COMMIT succeeded.

    The connection broke, or you pressed Ctrl-C, after COMMIT was sent and before the answer arrived. Either all changes
    were made or none. Do not start over: as soon as the database answers again, ``migsync recover`` finds out which.
    """

    code = "in-doubt"
    exit_status = ExitStatus.IN_DOUBT
    default_hint = "When the database answers again, run: migsync recover"

    def __init__(self, found: str, meaning: str = "", hint: str | None = None, *, interrupted: bool = False) -> None:
        super().__init__(found, meaning, hint)
        self.interrupted = interrupted
        """True where Ctrl-C is the cause, or was pressed meanwhile."""
