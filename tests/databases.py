"""Real, empty databases for the tests, one class per engine; nothing here goes through migsync or SQLAlchemy."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import psycopg
import pymysql
import pytest
from psycopg import sql
from pytest_postgresql.janitor import DatabaseJanitor

ENGINES = ("sqlite", "postgresql", "mysql")

# Django's MySQL backend asks for the module MySQLdb. A project of the tests says this in its settings.
MYSQLDB_SETTINGS = "import pymysql\npymysql.install_as_MySQLdb()\n"

Row = tuple[Any, ...]


def install_as_mysqldb() -> None:
    """PyMySQL in place of MySQLdb in this very process.

    With the submodules that are loaded: else Django's backend would load them once more, and ``pymysql.err`` would
    become another module, whose exceptions are not those that a connection raises.
    """
    pymysql.install_as_MySQLdb()
    loaded = {name: module for name, module in sys.modules.items() if name.startswith("pymysql.")}
    sys.modules.update({name.replace("pymysql", "MySQLdb", 1): module for name, module in loaded.items()})


def unavailable(reason: str) -> None:
    """Skip the test, and say why; in CI a test that cannot run is a failure."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)


def program(*names: str) -> str:
    """The first of these programs that is on PATH."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no {' or '.join(names)} on PATH")


class Database(ABC):
    """One empty database. Every method connects anew and closes, as a stranger to the code under test would."""

    engine: ClassVar[str]
    table: ClassVar[str]
    columns: ClassVar[str]

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL for SQLAlchemy."""

    @property
    @abstractmethod
    def django(self) -> dict[str, Any]:
        """The value for DATABASES."""

    @abstractmethod
    def execute(self, statement: str, parameters: Iterable[Any] = ()) -> list[Row]:
        """Run one statement in autocommit. Parameters stand as the driver writes them (``?`` or ``%s``)."""

    @abstractmethod
    def connect(self) -> Any:
        """A plain connection of the driver, not in autocommit; the caller closes it."""

    @abstractmethod
    def client(self) -> list[str]:
        """The engine's own command-line client, connected to this database; it reads SQL from standard input."""

    def env(self) -> dict[str, str]:
        """The environment for :meth:`client`."""
        return dict(os.environ)

    def create_table(self) -> None:
        """Make ``django_migrations`` exactly as Django's MigrationRecorder does (see test_databases.py)."""
        self.execute(self.table)

    def insert(self, rows: Iterable[tuple[int, str, str, str]]) -> None:
        """Insert rows of (id, app, name, applied), `applied` being text that the server understands."""
        mark = "?" if self.engine == "sqlite" else "%s"
        statement = f"INSERT INTO django_migrations (id, app, name, applied) VALUES ({', '.join([mark] * 4)})"
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.executemany(statement, list(rows))
            connection.commit()

    def dump(self) -> list[tuple[str, str, str, str]]:
        """Every row as (id, app, name, applied), all text made by the server, in the order of the ids."""
        # Not ORDER BY id: for PostgreSQL that would be the text of the same name.
        statement = f"SELECT {self.columns} FROM django_migrations ORDER BY django_migrations.id"
        return [tuple(row) for row in self.execute(statement)]


@dataclass(frozen=True)
class SQLiteDatabase(Database):
    engine: ClassVar[str] = "sqlite"
    table: ClassVar[str] = (
        'CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, '
        '"app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL)'
    )
    columns: ClassVar[str] = "CAST(id AS TEXT), app, name, CAST(applied AS TEXT)"
    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def django(self) -> dict[str, Any]:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.path)}

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)

    def execute(self, statement: str, parameters: Iterable[Any] = ()) -> list[Row]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, tuple(parameters)).fetchall()

    def client(self) -> list[str]:
        return [program("sqlite3"), "-init", os.devnull, "-batch", str(self.path)]


@dataclass(frozen=True)
class Server:
    """Where a PostgreSQL or MariaDB server listens. For PostgreSQL `host` may be the directory of its socket."""

    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)
    bin: Path | None = None

    @classmethod
    def from_url(cls, url: str, port: int) -> Self:
        """The server of a URL like ``postgresql://user:password@host:port/`` or ``…@/?host=/run/postgresql``."""
        parts = urlsplit(url)
        host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "127.0.0.1")
        return cls(host, parts.port or port, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def credentials(self) -> str:
        return quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")


@dataclass(frozen=True)
class PostgreSQLDatabase(Database):
    engine: ClassVar[str] = "postgresql"
    table: ClassVar[str] = (
        'CREATE TABLE "django_migrations" ("id" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, '
        '"app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" timestamp with time zone NOT NULL)'
    )
    columns: ClassVar[str] = "id::text, app, name, applied::text"
    server: Server
    name: str

    @property
    def url(self) -> str:
        server = self.server
        where = f"@/{self.name}?host={quote(server.host, safe='/')}&port={server.port}"
        if not server.host.startswith("/"):
            where = f"@{server.host}:{server.port}/{self.name}"
        return f"postgresql+psycopg://{server.credentials}{where}"

    @property
    def django(self) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": self.name,
            "HOST": self.server.host,
            "PORT": str(self.server.port),
            "USER": self.server.user,
            "PASSWORD": self.server.password,
        }

    def connect(self, **options: Any) -> psycopg.Connection[Row]:
        server = self.server
        # Dumps must not depend on the time zone and date style of the server or of the person's environment.
        return psycopg.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password or None,
            dbname=self.name,
            options="-c TimeZone=UTC -c DateStyle=ISO,YMD -c client_encoding=UTF8",
            **options,
        )

    def execute(self, statement: str, parameters: Iterable[Any] = ()) -> list[Row]:
        with closing(self.connect(autocommit=True)) as connection:
            cursor = connection.execute(statement.encode(), tuple(parameters) or None)
            return cursor.fetchall() if cursor.description else []

    def client(self) -> list[str]:
        server = self.server
        psql = str(server.bin / "psql") if server.bin else program("psql")
        return [psql, "-X", "-h", server.host, "-p", str(server.port), "-U", server.user, "-d", self.name]

    def env(self) -> dict[str, str]:
        return {**os.environ, "PGPASSWORD": self.server.password} if self.server.password else dict(os.environ)


@dataclass(frozen=True)
class MySQLDatabase(Database):
    engine: ClassVar[str] = "mysql"
    table: ClassVar[str] = (
        "CREATE TABLE `django_migrations` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, "
        "`app` varchar(255) NOT NULL, `name` varchar(255) NOT NULL, `applied` datetime(6) NOT NULL)"
    )
    columns: ClassVar[str] = "CAST(id AS CHAR), app, name, CAST(applied AS CHAR)"
    server: Server
    name: str

    @property
    def url(self) -> str:
        server = self.server
        return f"mysql+pymysql://{server.credentials}@{server.host}:{server.port}/{self.name}?charset=utf8mb4"

    @property
    def django(self) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": self.name,
            "HOST": self.server.host,
            "PORT": str(self.server.port),
            "USER": self.server.user,
            "PASSWORD": self.server.password,
            "OPTIONS": {"charset": "utf8mb4"},
        }

    def connect(self, **options: Any) -> pymysql.Connection[Any]:
        return connect_mysql(self.server, database=self.name, **options)

    def execute(self, statement: str, parameters: Iterable[Any] = ()) -> list[Row]:
        with closing(self.connect(autocommit=True)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement, tuple(parameters) or None)
            return list(cursor.fetchall())

    def client(self) -> list[str]:
        server = self.server
        client = [program("mariadb", "mysql"), "--no-defaults", "--protocol=TCP", "--default-character-set=utf8mb4"]
        return [*client, "-h", server.host, "-P", str(server.port), "-u", server.user, "-D", self.name]

    def env(self) -> dict[str, str]:
        return {**os.environ, "MYSQL_PWD": self.server.password} if self.server.password else dict(os.environ)


def connect_mysql(server: Server, **options: Any) -> pymysql.Connection[Any]:
    """A plain PyMySQL connection to the server."""
    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        charset="utf8mb4",
        **options,
    )


PREFIX = "migsync_test"


class Janitor(DatabaseJanitor):
    """pytest-postgresql's, over one connection that is kept: to connect for each step takes half of the time."""

    def __init__(self, server: Server, name: str, connection: psycopg.Connection[Row]) -> None:
        super().__init__(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password or None,
            dbname=name,
            template_dbname="template0",
        )
        self.connection = connection

    @contextmanager
    def cursor(self, dbname: str | None = None) -> Iterator[psycopg.Cursor[Row]]:
        assert dbname is None, "the connection is one to the maintenance database"
        with self.connection.cursor() as cursor:
            yield cursor


@dataclass
class PostgreSQLDatabases:
    """Makes and drops databases on one server for one test process.

    They are named ``migsync_test_<token>_<number>``. The process holds an advisory lock on its token as long as it
    lives, so that another can tell a database in use from what a killed run left behind, and drop that.
    """

    server: Server
    connection: psycopg.Connection[Row] = field(repr=False)
    token: str
    made: int = 0

    @classmethod
    @contextmanager
    def open(cls, server: Server) -> Iterator[Self]:
        token = secrets.token_hex(4)
        home = PostgreSQLDatabase(server, "postgres")
        with closing(home.connect(autocommit=True)) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (int(token, 16),))
            for (name,) in connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{PREFIX}_%",)
            ):
                owner = int(name.removeprefix(f"{PREFIX}_").partition("_")[0], 16)
                if owner == int(token, 16):
                    continue
                # Only one process may take the leftovers of a dead one; the lock is kept until this process ends.
                if connection.execute("SELECT pg_try_advisory_lock(%s)", (owner,)).fetchone() == (True,):
                    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            yield cls(server, connection, token)

    @contextmanager
    def database(self) -> Iterator[PostgreSQLDatabase]:
        self.made += 1
        name = f"{PREFIX}_{self.token}_{self.made}"
        with Janitor(self.server, name, self.connection):
            yield PostgreSQLDatabase(self.server, name)


@dataclass
class MySQLDatabases:
    """The same for MariaDB, with a named lock in place of the advisory one."""

    server: Server
    connection: pymysql.Connection[Any] = field(repr=False)
    token: str
    made: int = 0

    @classmethod
    @contextmanager
    def open(cls, server: Server) -> Iterator[Self]:
        with closing(connect_mysql(server, autocommit=True)) as connection:
            self = cls(server, connection, secrets.token_hex(4))
            self._run("SET SESSION wait_timeout = 86400")
            self._run("SELECT GET_LOCK(%s, 0)", (f"{PREFIX}_{self.token}",))
            for (name,) in self._run("SHOW DATABASES LIKE %s", (f"{PREFIX}\\_%",)):
                owner = "_".join(name.split("_")[:3])
                if owner != f"{PREFIX}_{self.token}" and self._run("SELECT GET_LOCK(%s, 0)", (owner,)) == [(1,)]:
                    self._run(f"DROP DATABASE IF EXISTS `{name}`")
            yield self

    def _run(self, statement: str, parameters: Iterable[Any] = ()) -> list[Row]:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(statement, tuple(parameters) or None)
            return list(cursor.fetchall())

    @contextmanager
    def database(self) -> Iterator[MySQLDatabase]:
        self.made += 1
        name = f"{PREFIX}_{self.token}_{self.made}"
        self._run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            yield MySQLDatabase(self.server, name)
        finally:
            # A connection that a failing test left open would hold its metadata locks and block the DROP.
            for (process,) in self._run("SELECT id FROM information_schema.processlist WHERE db = %s", (name,)):
                self._kill(process)
            self._run(f"DROP DATABASE IF EXISTS `{name}`")

    def _kill(self, process: int) -> None:
        try:
            self._run(f"KILL {process}")
        except pymysql.err.OperationalError as error:
            if error.args[0] != pymysql.constants.ER.NO_SUCH_THREAD:
                raise


def django_databases(databases: Mapping[str, Database]) -> str:
    """The text ``DATABASES = {…}`` for the settings of a project, with what the engines need before it."""
    values = {alias: database.django for alias, database in databases.items()}
    needs_mysqldb = any(database.engine == "mysql" for database in databases.values())
    return f"{MYSQLDB_SETTINGS if needs_mysqldb else ''}DATABASES = {values!r}\n"


@contextmanager
def user_of(database: Database) -> Iterator[tuple[str, str]]:
    """A user without any right, as (name, URL); dropped at the end."""
    assert isinstance(database, PostgreSQLDatabase | MySQLDatabase)
    name = f"{database.name}_user"
    account = f"'{name}'@'%'" if database.engine == "mysql" else f'"{name}"'
    if database.engine == "mysql":
        database.execute(f"CREATE USER {account} IDENTIFIED BY 's3cr3t'")
    else:
        database.execute(f"CREATE ROLE {account} LOGIN PASSWORD 's3cr3t'")
    limited = replace(database, server=replace(database.server, user=name, password="s3cr3t"))
    try:
        yield account, limited.url
    finally:
        if database.engine == "postgresql":
            database.execute(f"DROP OWNED BY {account}")
        database.execute(f"DROP {'USER' if database.engine == 'mysql' else 'ROLE'} {account}")
