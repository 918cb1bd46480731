"""What migsync asks of a database engine; each engine answers in a module of its own."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from migsync.errors import (
    JournalNotPermitted,
    LockTimeout,
    MigsyncError,
    NotPermitted,
    ReadOnly,
    TargetError,
    UnexpectedResult,
    Unreachable,
)
from migsync.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.exc import DBAPIError

    from migsync.engines.config import DatabaseConfig

TABLE = "django_migrations"
JOURNAL_PREFIX = "migsync_"
NOTHING_CHANGED = "Nothing was changed."
READERS_LOCKED_OUT = "Another session probably holds a lock that keeps readers out, such as that of an ALTER TABLE."
WAIT_LONGER = "Try again when it has ended, or wait longer: --lock-timeout SECONDS"
STATEMENT_SECONDS = 10.0
"""A statement that reads may run this long even where no lock is waited for (``--lock-timeout 0``)."""


class ErrorKind(Enum):
    """What a driver's error means for the transaction that met it."""

    LOCKED = auto()  # waited in vain for a lock: try again while there is time
    CONFLICT = auto()  # chosen as the victim of a deadlock or a serialization failure: try again
    TIMED_OUT = auto()  # the statement itself took too long
    LOST = auto()  # the connection is gone
    DENIED = auto()
    READ_ONLY = auto()
    OTHER = auto()


class Deadline:
    """A point in time that all waiting of one task shares."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, at least a millisecond: to most engines 0 means for ever."""
        return max(self._until - time.monotonic(), 0.001)

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._until


@dataclass(frozen=True, slots=True)
class MigrationTable:
    """Where ``django_migrations`` is. `schema` is None where the connection's own is meant.

    `unsafe` says why it cannot be changed in one transaction; empty where it can.
    """

    schema: str | None = None
    unsafe: str = ""

    @property
    def clause(self) -> sa.TableClause:
        """The table for statements. Without types, so that every driver lets the server decide how it reads a value."""
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in ("id", "app", "name", "applied")]
        return sa.table(TABLE, *columns, schema=self.schema)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a connection tells about a target: its identity, the schema to qualify with, and whether it can be written.

    `table` is None in a fresh database; `read_only` is the reason, or empty. `database` is the identity of the database
    that the schema is in, on an engine whose databases have schemas; else empty. `account` is the user
    of this connection, quoted for a GRANT; empty where the engine has no users.
    """

    identity: str
    schema: str
    table: MigrationTable | None
    read_only: str = ""
    database: str = ""
    account: str = ""


class Engine(ABC):
    """One family of database servers."""

    name: ClassVar[str]
    driver: ClassVar[str]
    extra: ClassVar[str] = ""
    now: ClassVar[str]
    """SQL for the server's UTC time as text, ``2026-11-20T10:45:00.123456Z``."""
    transactional_ddl: ClassVar[bool] = True
    kept_if_set: ClassVar[tuple[str, ...]] = ()
    """Columns that the server may change in an UPDATE, unless it sets them to what they are."""
    if_read_only: ClassVar[str] = ReadOnly.default_hint
    """What to do where nothing can be written."""

    def create(self, config: DatabaseConfig) -> sa.Engine:
        """A SQLAlchemy engine without a pool; connects to nothing yet. Raises TargetError for a missing driver."""
        url = sa.make_url(config.url).set(drivername=self.driver)
        arguments = {**config.connect_args, **self.connect_args(url, config.connect_args)}
        try:
            engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments, **self.options())
        except ImportError as error:
            raise TargetError(
                f"The driver for {self.name} is not installed ({error.name}).",
                f"{config.alias} cannot be reached without it.",
                f"Install it with: python -m pip install 'migsync[{self.extra}]'",
            ) from error

        # First in line: SQLAlchemy's own look at the server must see the session as our statements will.
        @sa.event.listens_for(engine, "connect", insert=True)
        def connected(connection: DBAPIConnection, _: object) -> None:
            self.connected(connection, config.init)

        @sa.event.listens_for(engine, "begin")
        def begun(connection: sa.Connection) -> None:
            self.begun(connection)

        return engine

    def connect_args(self, url: sa.URL, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for the driver, over those that were given."""
        return {}

    def options(self) -> dict[str, Any]:
        """Arguments for ``sqlalchemy.create_engine``."""
        return {}

    def connected(self, connection: DBAPIConnection, init: Iterable[str]) -> None:
        """Run on every new connection of the driver: the statements of the project, then ours."""
        cursor = connection.cursor()
        for statement in init:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    def begun(self, connection: sa.Connection) -> None:  # noqa: B027 (not every engine needs it)
        """Run at the beginning of every transaction."""

    def absent(self, url: sa.URL) -> str:
        """The identity of a database that is not there yet and that connecting would create; empty where it exists."""
        return ""

    @abstractmethod
    def inspect(self, connection: sa.Connection, schema: str) -> Inspection:
        """What this connection reaches; `schema` is the configured one or empty."""

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """The schemas of this database that have a ``django_migrations``, in order, also those that one may not read.

        None where a database has no schemas.
        """
        return ()

    def reserve(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:  # noqa: B027 (SQLite has none)
        """Take what migsync and a ``migrate`` of the companion share, so that the two never work at once.

        It keeps nobody else from the table, and ends with the connection.
        """

    @abstractmethod
    def begin_read(self, connection: sa.Connection, seconds: float) -> None:
        """Begin a transaction that only reads: all of its statements see the rows of one moment.

        `seconds` is how long a statement waits for a lock; then the driver's error is a :attr:`ErrorKind.LOCKED`, or a
        :attr:`ErrorKind.TIMED_OUT`.
        """

    @abstractmethod
    def lock(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """Begin a transaction that nobody else can write to the table beside; readers go on.

        Waits until the deadline; then the driver's error is a :attr:`ErrorKind.LOCKED`, or this raises LockTimeout.
        """

    def unwritable(self, connection: sa.Connection, table: MigrationTable, ids: Iterable[int]) -> dict[int, str]:
        """The rows among `ids` whose `applied` could not be written again as it is, and why."""
        return {}

    def before_inserts(self, connection: sa.Connection, table: MigrationTable, top: int) -> None:  # noqa: B027 (not every engine needs it)
        """Called before rows are inserted; `top` is the greatest id that is there or will be inserted."""

    @abstractmethod
    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """What a driver's error means."""

    def explain(self, error: DBAPIError, meaning: str = NOTHING_CHANGED, *, reading: bool = False) -> MigsyncError:
        """The error for a person: no SQL, no parameters, the right that is missing by name."""
        said = first_line(error)
        match self.error_kind(error):
            case ErrorKind.LOST:
                return Unreachable(f"The connection was lost: {said}", meaning, "Try again.")
            case ErrorKind.LOCKED | ErrorKind.CONFLICT | ErrorKind.TIMED_OUT if reading:
                return LockTimeout(f"{TABLE} could not be read in time: {said}", READERS_LOCKED_OUT, WAIT_LONGER)
            case ErrorKind.LOCKED | ErrorKind.CONFLICT | ErrorKind.TIMED_OUT:
                return LockTimeout(f"{TABLE} could not be locked: {said}", meaning)
            case ErrorKind.READ_ONLY:
                return ReadOnly(f"The database takes no changes: {said}", meaning, self.if_read_only)
            case ErrorKind.DENIED:
                return denied(error.statement or "", said, meaning)
        return UnexpectedResult(f"The database refused: {said}", meaning)


def denied(statement: str, said: str, meaning: str) -> NotPermitted:
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
