"""The interface of an engine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from migsync.engines.access import TableAccess
from migsync.engines.catalog_reader import CatalogReader
from migsync.engines.deadline import Deadline
from migsync.engines.driver_errors import ErrorKind, explain
from migsync.engines.schema_reader import SchemaReader
from migsync.engines.scratch_databases import ScratchDatabases
from migsync.engines.target_table import Inspection, MigrationTable, Row, select_rows
from migsync.errors import NOTHING_CHANGED, MigsyncError, ReadOnly, TargetError

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.exc import DBAPIError

    from migsync.engines.address import Address
    from migsync.engines.config import DatabaseConfig
    from migsync.engines.script import ScriptPlan


class Engine(CatalogReader, SchemaReader, ScratchDatabases):
    """One family of database servers, and everything in which it differs from the others.

    A subclass must set the class variables that have no value here, and implement the abstract methods; what has a
    default is for engines that differ from the usual. Its module may import SQLAlchemy and a driver only inside
    functions: the worker imports it in the project's own Django, and asks for the part that says so.
    """

    # Names.
    name: ClassVar[str]
    """In plans, in JSON, and as Django's ``connection.vendor`` has it."""
    other_names: ClassVar[tuple[str, ...]] = ()
    """What SQLAlchemy's URLs call it beside `name`."""
    title: ClassVar[str]
    family: ClassVar[str]
    """For a person, with all the servers that it stands for."""
    schemes: ClassVar[frozenset[str]]
    """What URLs begin with, in the forms that people write them: ``postgis`` of ``postgis://``."""
    backends: ClassVar[frozenset[str]]
    """Last names of Django backends (``postgis``): those of Django's own and of packages that wrap them."""
    other_backends: ClassVar[frozenset[str]] = frozenset()
    """Django backends with another name, in full."""
    has_schemas: ClassVar[bool] = False
    """Whether a database can have schemas, each with tables of its own."""
    tenant_backends: ClassVar[Mapping[str, str]] = {}
    """Those of `other_backends` under which every schema is a tenant's or shared, and how to migrate one."""
    backend: ClassVar[str]
    """Django's own backend, in full."""

    # The driver.
    driver: ClassVar[str]
    """SQLAlchemy's dialect and driver: ``mysql+pymysql``."""
    driver_module: ClassVar[str]
    extra: ClassVar[str] = ""
    """The extra of migsync that installs the driver; empty where Python brings it."""

    # Capabilities.
    transactional_ddl: ClassVar[bool] = True
    """Whether CREATE and ALTER are part of a transaction; else each of them commits it."""
    schema_after_data: ClassVar[bool] = True
    """Whether a transaction that has changed rows of a table may alter that table."""
    one_integer_type: ClassVar[bool] = False
    """Whether all integer types are the same but in name."""
    file_suffix: ClassVar[str] = ""
    """What the file of a database is called at the end; empty for an engine with a server."""
    rebuild_prefix: ClassVar[str] = ""
    """How Django calls a table while it builds it in place of another one, before the name of that; or empty."""
    longest_name: ClassVar[int] = 0
    """How long the name of a table may be (Django's ``max_name_length``); 0 for any length."""
    fields_without_default: ClassVar[frozenset[str]] = frozenset()
    """Django's fields, by internal type, whose columns may be NULL and then get no default (``skip_default``)."""

    # SQL.
    now: ClassVar[str]
    """SQL for the server's UTC time as text, ``2026-11-20T10:45:00.123456Z``."""
    applied_form: ClassVar[str] = "%Y-%m-%d %H:%M:%S"
    """How the server writes `applied`, for strftime."""
    from_nothing: ClassVar[str] = ""
    """What stands between the columns and the WHERE of a SELECT that is from no table."""
    current_database: ClassVar[str]
    """A query for the connection's database, as Django's ``NAME`` has it."""
    table_schema: ClassVar[str] = ""
    """A query for the schema in which an unqualified ``django_migrations`` is, and that of new tables; or empty."""
    client: ClassVar[str]
    """The command that runs a script, with ``{file}`` and ``DATABASE`` to be filled in."""
    script_needs: ClassVar[tuple[str, ...]]
    """What a script checks first of the session and the server, in words."""
    table_options: ClassVar[Mapping[str, Any]] = {}
    """Arguments of SQLAlchemy's ``Table`` for the tables of the journal."""

    # Django's operations for this engine alone.
    operations_module: ClassVar[str] = ""
    operations_first: ClassVar[tuple[str, ...]] = ()
    """Those of them that make what a table can need, and so stand before the first one."""
    if_read_only: ClassVar[str] = ReadOnly.default_hint
    """What to do where nothing can be written."""

    # How a project says where its database is.

    @abstractmethod
    def settings_address(self, settings: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> Address:
        """The address for Django's settings of an alias; raises TargetError for settings that lead nowhere.

        `parameters` are the backend's own connection parameters, for one that makes them itself, else None.
        """

    @abstractmethod
    def url_address(self, url: sa.URL, base: Path) -> Address:
        """The address for a URL, whose backend is `name`; a relative path in it is relative to `base`."""

    # Connections of migsync's own, by SQLAlchemy.

    def create(self, config: DatabaseConfig, connections: int = 0) -> sa.Engine:
        """A SQLAlchemy engine, which connects to nothing yet. Raises TargetError for a missing driver.

        It keeps up to `connections` connections open; with 0, each is closed after its use.
        """
        import sqlalchemy as sa

        url = sa.make_url(config.url).set(drivername=self.driver)
        arguments = {**config.connect_args, **self.connect_args(url, config.connect_args)}
        try:
            # A server has 100 connections by default, and a project may have a schema for each tenant.
            # What reads with one connection may need another one for a moment.
            pool = {"poolclass": sa.QueuePool, "pool_size": connections, "max_overflow": connections}
            engine = sa.create_engine(
                url,
                connect_args=arguments,
                **(pool if connections else {"poolclass": sa.NullPool}),
                **self.options(),
            )
        except ImportError as error:
            raise self.missing_driver(config.alias) from error

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
        # A driver that begins by itself (psycopg) has begun; PostgreSQL undoes a SET when its transaction is rolled
        # back.
        connection.commit()

    def begun(self, connection: sa.Connection) -> None:
        """Run at the beginning of every transaction."""

    # What is there.

    def absent(self, url: sa.URL) -> str:
        """The identity of a database that is not there yet and that connecting would create; empty where it exists."""
        return ""

    @abstractmethod
    def inspect(self, connection: sa.Connection, schema: str) -> Inspection:
        """What this connection reaches; `schema` is the configured one or empty."""

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """The schemas of this database that have a ``django_migrations``, in order, even those that it may not read.

        Empty where databases have no schemas.
        """
        return ()

    def sequence_statement(self, connection: sa.Connection, table: MigrationTable, top: int) -> str:
        """The statement that lets the ids of new records begin after `top`; empty where they do, as far as it is known.

        Where a column counts by itself, they always do.
        """
        return ""

    def access(self, connection: sa.Connection, table: MigrationTable, account: str) -> TableAccess:
        """What the user of this connection may do with the table; `account` is :attr:`Inspection.account`."""
        return TableAccess()

    # Locks and transactions.

    def reserve(
        self, connection: sa.Connection, table: MigrationTable, deadline: Deadline, *, session: bool = False
    ) -> None:
        """Take the lock that migsync and ``migrate`` share, until the connection ends or a `session` releases it."""

    def release(self, table: MigrationTable) -> str:
        """The statement that ends the lock of a session; empty for an engine without schemas."""
        return ""

    def begin_note(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """Begin a transaction that only adds to the tables beside `table`, which it leaves free; see :meth:`reserve`.

        Waits until the deadline, for any lock; then the driver's error is an :attr:`ErrorKind.LOCKED`, or this raises
        LockTimeout.
        """
        self.reserve(connection, table, deadline)

    @abstractmethod
    def begin_read(self, connection: sa.Connection, seconds: float) -> None:
        """Begin a transaction that only reads: all of its statements see the rows of one moment.

        `seconds` is how long a statement waits for a lock; then the driver's error is an :attr:`ErrorKind.LOCKED`, or
        an :attr:`ErrorKind.TIMED_OUT`.
        """

    @abstractmethod
    def lock(self, connection: sa.Connection, table: MigrationTable, deadline: Deadline) -> None:
        """Begin a transaction during which nobody else can write to the table; reads still work.

        Waits until the deadline; then the driver's error is an :attr:`ErrorKind.LOCKED`, or this raises LockTimeout.
        """

    @abstractmethod
    def insert_new(self, table: sa.TableClause) -> sa.Insert:
        """An INSERT that leaves out rows whose key is there already; it needs no other right than INSERT."""

    def insert_many(
        self, connection: sa.Connection, table: sa.TableClause, rows: Sequence[Mapping[str, Any]], *, new: bool = False
    ) -> None:
        """Insert rows, which have the same columns; with `new` those whose key is there already are left out."""
        import sqlalchemy as sa

        names = list(rows[0])
        statement = self.insert_new(table) if new else sa.insert(table)
        # For the driver: SQLAlchemy looks at each value of each row.
        compiled = statement.compile(dialect=connection.dialect, column_keys=names)
        order = compiled.positiontup
        values = [tuple(map(row.__getitem__, order)) for row in rows] if order else list(map(dict, rows))
        connection.exec_driver_sql(str(compiled), values)

    # Rows of ``django_migrations``. Each is changed where it is still as it was; whoever calls has locked the table.

    def read_rows(self, connection: sa.Connection, table: MigrationTable) -> Sequence[Row]:
        """All rows, ordered by id, as the columns hold them; `applied` as text that the server made."""
        return select_rows(connection, table)

    @abstractmethod
    def update_rows(self, connection: sa.Connection, table: MigrationTable, pairs: Sequence[tuple[Row, Row]]) -> int:
        """Give each row, by its id, the app and the name of its second image; how many rows were changed."""

    @abstractmethod
    def delete_rows(self, connection: sa.Connection, table: MigrationTable, rows: Sequence[Row]) -> int:
        """Delete the rows, by their ids; how many were deleted."""

    def prepare_update(
        self, connection: sa.Connection, table: MigrationTable, pairs: Sequence[tuple[Row, Row]]
    ) -> Callable[[], int]:
        """:meth:`update_rows`, to be called under the lock. What can be sent to the server before that, is sent now."""
        return partial(self.update_rows, connection, table, pairs)

    def prepare_delete(
        self, connection: sa.Connection, table: MigrationTable, rows: Sequence[Row]
    ) -> Callable[[], int]:
        """The same for :meth:`delete_rows`."""
        return partial(self.delete_rows, connection, table, rows)

    def unwritable(self, connection: sa.Connection, table: MigrationTable, ids: Iterable[int]) -> dict[int, str]:
        """The rows among `ids` whose `applied` could not be written again as it is, and why."""
        return {}

    def before_inserts(self, connection: sa.Connection, table: MigrationTable, top: int) -> None:
        """Called before rows are inserted; `top` is the greatest id that is there or will be."""

    def long_text(self) -> sa.types.TypeEngine[str]:
        """The type of a column for text of any length."""
        import sqlalchemy as sa

        return sa.Text()

    def counter(self) -> sa.types.TypeEngine[int]:
        """The type of a primary key that the server counts up."""
        import sqlalchemy as sa

        return sa.BigInteger()

    # Errors.

    def missing_driver(self, alias: str) -> TargetError:
        """The error for a database of this engine whose driver is not installed."""
        return TargetError(
            f"The database {alias!r} needs the driver {self.driver_module}, which is not installed.",
            hint=f"Install it: python -m pip install 'migsync[{self.extra}]'",
        )

    @abstractmethod
    def error_kind(self, error: DBAPIError) -> ErrorKind:
        """What a driver's error means."""

    def explain(self, error: DBAPIError, meaning: str = NOTHING_CHANGED, *, reading: str = "") -> MigsyncError:
        """The error for a person; see :func:`migsync.engines.driver_errors.explain`."""
        return explain(error, self.error_kind(error), meaning, reading=reading, if_read_only=self.if_read_only)

    # Scripts.

    @abstractmethod
    def script(self, plan: ScriptPlan, journal_ddl: str) -> str:
        """The statements that do the plan, for the engine's own client; without a comment at the head.

        They must do all of it or nothing, also under a client that runs on after an error. `journal_ddl` creates the
        journal's tables where they are absent; empty for a script without a journal.
        """

    # For the worker, over Django's own connection.

    @abstractmethod
    def impatience(self, seconds: int) -> Sequence[str]:
        """Statements after which a session waits for a lock no longer than this, and is fast on a scratch database."""

    @abstractmethod
    def is_lock_timeout(self, error: BaseException) -> bool:
        """Whether an error of any driver that Django uses means that it could not get a lock in time."""

    def file_settings(self, name: str) -> dict[str, Any]:
        """An entry of ``DATABASES`` for the file `name`, or ``:memory:``, on an engine with `file_suffix`."""
        return {"ENGINE": self.backend, "NAME": name}
