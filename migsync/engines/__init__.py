"""What differs between PostgreSQL, MySQL/MariaDB and SQLite."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from migsync.engines.base import Deadline, Engine, ErrorKind, Inspection, MigrationTable
from migsync.engines.mysql import MySQL
from migsync.engines.postgresql import PostgreSQL
from migsync.engines.sqlite import SQLite
from migsync.errors import UnknownEngine

__all__ = ["Deadline", "Engine", "ErrorKind", "Inspection", "MigrationTable", "engine_named", "engine_of"]

BACKENDS: dict[str, Engine] = {
    "postgresql": PostgreSQL(),
    "postgres": PostgreSQL(),
    "mysql": MySQL(),
    "mariadb": MySQL(),
    "sqlite": SQLite(),
}


def engine_named(name: str) -> Engine:
    """The engine of a target's `engine` or of a URL's backend; raises UnknownEngine."""
    try:
        return BACKENDS[name]
    except KeyError:
        raise UnknownEngine(f"There is no engine {name!r} in migsync.") from None


def engine_of(url: str | sa.URL) -> Engine:
    """The engine of a SQLAlchemy URL, whatever driver it names; raises UnknownEngine."""
    try:
        backend = sa.make_url(url).get_backend_name()
    except ArgumentError:
        # The text may hold a password, so it is not shown.
        raise UnknownEngine(
            "The database URL cannot be read.", "It is not of the form engine://user@host/name."
        ) from None
    return engine_named(backend)
