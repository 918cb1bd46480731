"""What differs between PostgreSQL, MySQL/MariaDB and SQLite: everything, each in a package of its own.

Code elsewhere names no engine. It asks one: for a capability (``engine.transactional_ddl``), or to do something its
own way (``engine.lock(...)``). :class:`Engine` says what it can be asked. A new engine is a package beside these three
with a subclass of it, and one more entry in :data:`ENGINES`.

Importing this package imports neither SQLAlchemy nor a driver: the worker imports it in the project's own Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migsync.engines.base import Engine
from migsync.engines.deadline import Deadline
from migsync.engines.driver_errors import ErrorKind
from migsync.engines.mysql import MySQL
from migsync.engines.postgresql import PostgreSQL
from migsync.engines.sqlite import SQLite
from migsync.engines.target_table import Inspection, MigrationTable, Row
from migsync.errors import UnknownEngine

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = [
    "ENGINES",
    "SERVERLESS",
    "Deadline",
    "Engine",
    "ErrorKind",
    "Inspection",
    "MigrationTable",
    "Row",
    "engine_named",
    "engine_of",
]

ENGINES: Final[tuple[Engine, ...]] = (PostgreSQL(), MySQL(), SQLite())

SERVERLESS: Final = next(engine for engine in ENGINES if engine.file_suffix)
"""The engine for a database that is made on the spot: in memory, or in a temporary directory."""

_BY_NAME = {name: engine for engine in ENGINES for name in (engine.name, *engine.other_names)}


def engine_named(name: str) -> Engine:
    """The engine that a plan, a URL of SQLAlchemy's or Django's ``connection.vendor`` names; raises UnknownEngine."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownEngine(f"migsync does not support the database engine {name!r}.") from None


def engine_of(url: str | sa.URL) -> Engine:
    """The engine of a SQLAlchemy URL, whatever driver it names; raises UnknownEngine."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError:
        # The text may hold a password, so it is not shown.
        raise UnknownEngine("The database URL cannot be read.", "", "Write it as engine://user@host/name.") from None
    return engine_named(backend)
