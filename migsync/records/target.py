"""A target: one ``django_migrations`` table, with the journal beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from migsync.engines import Engine, Survey, Table, engine_of
from migsync.engines.base import first_line
from migsync.errors import MigsyncError, Unreachable
from migsync.records.config import DatabaseConfig
from migsync.records.reading import read_records
from migsync.records.record import Record
from migsync.sync import journal
from migsync.sync.plan import TargetRef
from migsync.sync.run import Run

SECRETS = ("password", "passwd", "sslpassword")


def open_target(config: DatabaseConfig) -> Target:
    """The target of one alias; nothing is connected yet.

    Raises the alias's own error where it has one, UnknownEngine, and TargetError where the driver is missing.
    """
    if config.error is not None:
        raise config.error
    return Target(config, engine_of(config.url))


class Target:
    """One ``django_migrations``, read through one connection that is made when it is first needed.

    Every access raises a TargetError where the database cannot be used: Unreachable, NotPermitted and so on.
    """

    def __init__(self, config: DatabaseConfig, behaviour: Engine) -> None:
        self.config = config
        self.behaviour = behaviour
        self._engine = behaviour.create(config)
        self._reader: sa.Connection | None = None

    def __repr__(self) -> str:
        return f"<Target {self.alias}: {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

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
    def table(self) -> Table | None:
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
    def survey(self) -> Survey:
        """What the server said about itself when it was first asked."""
        absent = self.behaviour.absent(self._engine.url)
        if absent:
            return Survey(absent, self.config.schema, None)
        with self._reading() as connection:
            return self.behaviour.survey(connection, self.config.schema)

    def read(self) -> tuple[Record, ...] | None:
        """All rows, ordered by id; None where there is no table (a fresh database)."""
        if self.table is None:
            return None
        with self._reading() as connection:
            return read_records(connection, self.table)

    def runs(self) -> tuple[Run, ...]:
        """The journal, oldest run first; empty where there is none."""
        if self.table is None:
            return ()
        with self._reading() as connection:
            return journal.read_runs(connection, self.table.schema)

    def connect(self) -> sa.Connection:
        """A new connection, to be closed by the caller. Raises Unreachable."""
        try:
            return self._engine.connect()
        except DBAPIError as error:
            raise self._unreachable(first_line(error)) from None
        except (ArgumentError, OSError, UnicodeError, TypeError, ValueError) as error:
            # A driver's own refusal of its arguments.
            raise self._unreachable(str(error)) from None

    def close(self) -> None:
        """Let go of the connection. The target can be used again."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """A transaction for reading, on the connection that is kept; one that was lost is let go."""
        connection = self._reader = self._reader or self.connect()
        with self.behaviour.explained():
            try:
                yield connection
            finally:
                with suppress(DBAPIError):
                    connection.rollback()
                if connection.invalidated:
                    self.close()

    def _unreachable(self, said: str) -> MigsyncError:
        """Raised from None: the driver's error, and a traceback with it, may hold the password."""
        url = self._engine.url
        held = [url.password, *(value for name, value in url.query.items() if name in SECRETS)]
        held += [value for name, value in self.config.connect_args.items() if name in SECRETS]
        for secret in held:
            if secret:
                said = said.replace(str(secret), "***")
        return Unreachable(
            f"{self.alias} cannot be reached at {self.address}: {said}",
            "Nothing is known about its migrations.",
            "Check that the server runs, and its host, port, user and password in the settings.",
        )
