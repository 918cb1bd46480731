"""A target: one ``django_migrations`` table, with the journal beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from migsync.engines import Deadline, Engine, ErrorKind, Inspection, MigrationTable, engine_of
from migsync.engines.access import TableAccess
from migsync.engines.config import DatabaseConfig
from migsync.engines.driver_errors import TABLE, first_line
from migsync.errors import JournalNotPermitted, MigsyncError, Unreachable
from migsync.redaction import redact, secrets_in
from migsync.rewrites.record import Record
from migsync.sync.journal.contents import SeenContents, read_contents_seen, read_documents
from migsync.sync.journal.looks import Look, read_look
from migsync.sync.journal.tables import (
    CONTENT_TABLES,
    LOOK_TABLES,
    grant_hint,
    grant_statements,
    journal_version,
    read_runs,
)
from migsync.sync.plan import TargetRef
from migsync.sync.recorder import read_records
from migsync.sync.run import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot:
    """What a target held at one moment: every row, ordered by id, every run, oldest first, and the contents seen.

    `fresh` where there is no table. `schemas` are those of the database with a table, where they were asked for.
    `version` is that of the journal, empty where there is none or it was not asked for; `look` is the last one.
    """

    records: Sequence[Record] = ()
    runs: tuple[Run, ...] = ()
    seen: tuple[SeenContents, ...] = ()
    fresh: bool = False
    schemas: tuple[str, ...] = ()
    version: str = ""
    look: Look | None = None


def open_target(config: DatabaseConfig) -> Target:
    """The target of one alias; nothing is connected yet.

    Raises the alias's own error where it has one, UnknownEngine, and TargetError where the driver is missing.
    """
    if config.error is not None:
        raise config.error
    behaviour = engine_of(config.url)
    return Target(config, behaviour, behaviour.create(config))


class Target:
    """One ``django_migrations``. Each reading makes a connection and closes it, unless it is inside :meth:`connected`.

    Every access raises a TargetError where the database cannot be used: Unreachable, NotPermitted and so on.
    """

    def __init__(self, config: DatabaseConfig, behaviour: Engine, engine: sa.Engine) -> None:
        self.config = config
        self.behaviour = behaviour
        self._engine = engine
        self._connection: sa.Connection | None = None
        self.version_seen = ""
        """The version of the journal when it was last looked at; empty where it was not there, or not looked at."""

    def __repr__(self) -> str:
        return f"<Target {self.alias}: {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._engine.dispose()

    @property
    def alias(self) -> str:
        """The project's name for the database."""
        return self.config.alias

    @property
    def engine(self) -> str:
        """``postgresql``, ``mysql`` or ``sqlite``."""
        return self.behaviour.name

    @property
    def address(self) -> str:
        """The URL without its password and its options."""
        url = self._engine.url
        shown = sa.URL.create(self.engine, url.username, None, url.host, url.port, url.database)
        return shown.render_as_string()

    @property
    def ref(self) -> TargetRef:
        """Which target this is, as plans name it."""
        return TargetRef(self.alias, self.engine, self.survey.identity, self.survey.schema)

    @property
    def table(self) -> MigrationTable | None:
        """Where ``django_migrations`` is; None in a fresh database."""
        return self.survey.table

    @property
    def has_table(self) -> bool:
        """False in a fresh database."""
        return self.table is not None

    @property
    def read_only(self) -> str:
        """Why nothing can be written here; empty where it can."""
        return self.survey.read_only

    @cached_property
    def survey(self) -> Inspection:
        """What the server said about itself when it was first asked."""
        if self._absent:
            return Inspection(self._absent, self.config.schema, None)
        return self._transact(lambda connection: self.behaviour.inspect(connection, self.config.schema))

    def snapshot(self, *, journaled: bool = True, listed: Container[str] | None = None) -> Snapshot:
        """The rows and, where it is `journaled`, the journal, both of one moment.

        With `listed`, the database's schemas as well, unless `listed` has its identity: they are the same for all of
        its targets.
        """

        def read(connection: sa.Connection) -> Snapshot:
            survey = self._surveyed(connection)
            wanted = listed is not None and survey.database not in listed
            schemas = self.behaviour.schemas(connection) if wanted else ()
            if survey.table is None:
                return Snapshot(fresh=True, schemas=schemas)
            records = read_records(connection, self.behaviour, survey.table)
            if not journaled:
                return Snapshot(records, schemas=schemas)
            place = survey.table.schema
            version = self.version_seen = journal_version(connection, place)
            runs = read_runs(connection, place, version=version)
            seen = read_contents_seen(connection, place, self.documents, version=version)
            return Snapshot(
                records, runs, seen, schemas=schemas, version=version, look=read_look(connection, place, version)
            )

        return Snapshot(fresh=True) if self._absent else self._transact(read)

    def documents(self) -> Mapping[str, str]:
        """The contents that the journal keeps, by digest; read once."""
        return self._documents

    @cached_property
    def _documents(self) -> Mapping[str, str]:
        return self._read(lambda connection, table: read_documents(connection, table.schema)) or {}

    def read(self) -> tuple[Record, ...] | None:
        """The rows alone, ordered by id; None where there is no table (a fresh database)."""
        return self._read(lambda connection, table: read_records(connection, self.behaviour, table))

    def runs(self) -> tuple[Run, ...]:
        """The journal alone, oldest run first; empty where there is none."""
        return self._read(lambda connection, table: read_runs(connection, table.schema)) or ()

    def run(self, run_id: str) -> Run | None:
        """The run with this id, where the journal has it."""
        found = self._read(lambda connection, table: read_runs(connection, table.schema, run_id)) or ()
        return next(iter(found), None)

    def look(self, read: Callable[[sa.Connection, str | None], T], absent: T) -> T:
        """What `read` returns for a connection and the schema of ``django_migrations``, or where it would be.

        The schema is None for the connection's own. `absent` is the answer where there is no database.
        """

        def read_schema(connection: sa.Connection) -> T:
            place = self._surveyed(connection)
            return read(connection, place.table.schema if place.table else place.schema or None)

        return absent if self._absent else self._transact(read_schema)

    def sequence_statement(self, top: int) -> str:
        """:meth:`migsync.engines.Engine.sequence_statement` for the greatest id that is taken."""
        return self._read(lambda connection, place: self.behaviour.sequence_statement(connection, place, top)) or ""

    def access(self) -> TableAccess | None:
        """What this connection's user may do with the table; None in a fresh database."""
        account = self.survey.account
        return self._read(lambda connection, place: self.behaviour.access(connection, place, account))

    def journal_version(self) -> str:
        """The version of the journal; empty where there is none."""
        return self._read(lambda connection, table: journal_version(connection, table.schema)) or ""

    def connect(self) -> sa.Connection:
        """A new connection, to be closed by the caller. Raises Unreachable."""
        try:
            return self._engine.connect()
        except DBAPIError as error:
            raise self._unreachable(first_line(error)) from None
        except (ArgumentError, OSError, UnicodeError, TypeError, ValueError) as error:
            # A driver's own refusal of its arguments.
            raise self._unreachable(str(error)) from None

    @contextmanager
    def explained(self, *, reading: str = "") -> Iterator[None]:
        """Turns a driver's error inside the block into one for a person; see :meth:`explain`."""
        try:
            yield
        except DBAPIError as error:
            raise self.explain(error, reading=reading) from error

    def explain(self, error: DBAPIError, *, reading: str = "", writing: bool = False) -> MigsyncError:
        """The error for a person. Where a right on the journal is missing, it says how to grant it.

        `reading` is what was read, if nothing was to be changed. `writing`: the journal was to be written.
        """
        found = self.behaviour.explain(error, reading=reading)
        if isinstance(found, JournalNotPermitted):
            grants = self.journal_grants(writing=writing, without=self._tables_to_come())
            found.hint = grant_hint(found, grants, writing=writing)
        return found

    def journal_grants(self, *, writing: bool, without: Collection[str] = ()) -> str:
        """The statements that let this connection's user read, or write, the journal; empty on SQLite.

        `without` are the tables that an older journal does not have.
        """
        if not self.survey.account:
            return ""
        schema = self.survey.schema or self._engine.url.database
        dialect, account = self._engine.dialect, self.survey.account
        return "\n".join(grant_statements(dialect, schema, account, writing=writing, without=without))

    def _tables_to_come(self) -> tuple[str, ...]:
        """The tables that the journal does not have, being older; none where the server does not tell this user."""
        schema = self.survey.schema or None
        for tables in (LOOK_TABLES, CONTENT_TABLES):
            try:
                with self.transaction() as connection:
                    # The last one: it is there only when the others are.
                    if connection.dialect.has_table(connection, tables[-1], schema):
                        return () if tables is LOOK_TABLES else LOOK_TABLES
            except (DBAPIError, MigsyncError):
                return ()
        return (*CONTENT_TABLES, *LOOK_TABLES)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """All readings inside the block share one connection. Raises Unreachable."""
        with self.connect() as self._connection:
            try:
                yield
            finally:
                self._connection = None

    @contextmanager
    def transaction(self, wait: float | None = None) -> Iterator[sa.Connection]:
        """A transaction that only reads. Its connection is closed with it, or is free for the next member of the entry.

        `wait` is how many seconds it waits for a lock, if not as many as are configured. Raises the driver's errors.
        """
        connection = self._connection or self.connect()
        try:
            self.behaviour.begin_read(connection, self.config.lock_timeout if wait is None else wait)
            yield connection
        finally:
            with suppress(DBAPIError):
                connection.rollback()
            if connection is not self._connection:
                connection.close()

    def _read(self, read: Callable[[sa.Connection, MigrationTable], T]) -> T | None:
        """What `read` returns for the table; None where there is none."""

        def read_table(connection: sa.Connection) -> T | None:
            table = self._surveyed(connection).table
            return None if table is None else read(connection, table)

        return None if self._absent else self._transact(read_table)

    @property
    def _absent(self) -> str:
        return self.behaviour.absent(self._engine.url)

    def _surveyed(self, connection: sa.Connection) -> Inspection:
        """The survey, made over this connection where it was not made before."""
        # Not by reading `survey`, a cached property that would open a connection of its own.
        if "survey" not in vars(self):
            self.survey = self.behaviour.inspect(connection, self.config.schema)
        return self.survey

    def _transact(self, read: Callable[[sa.Connection], T]) -> T:
        """What `read` returns in one transaction; tried again where the server gave it up for somebody else's."""
        deadline = Deadline(self.config.lock_timeout)
        while True:
            try:
                with self.transaction() as connection:
                    return read(connection)
            except DBAPIError as error:
                # A statement that ends with LOCKED has waited as long as it may.
                if self.behaviour.error_kind(error) is not ErrorKind.CONFLICT or deadline.passed:
                    raise self.explain(error, reading=TABLE) from error

    def _unreachable(self, said: str) -> MigsyncError:
        """Raised from None: the driver's error, and a traceback with it, may hold the password."""
        said = without_passwords(said, self.config)
        return Unreachable(
            f"{self.alias} cannot be reached at {self.address}: {said}",
            "migsync knows nothing about its migrations.",
            "Check that the server is running, and that host, port, user and password in the settings are correct.",
        )


def without_passwords(said: str, config: DatabaseConfig) -> str:
    """What a driver says about the database `config`; the parts that the address shows anyhow stay."""
    url = sa.make_url(config.url)
    secrets = [*secrets_in({"password": url.password}), *secrets_in(url.query), *secrets_in(config.connect_args)]
    return redact(said, secrets, filter(None, (url.username, url.host, url.database)))
