"""Databases that live for one proof, on the server of one alias."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from migsync.engines import engine_of
from migsync.engines.base import first_line
from migsync.engines.config import DatabaseConfig
from migsync.errors import MigsyncError, NotPermitted, Unreachable
from migsync.sync.target import without_passwords

PREFIX: Final = "migsync_proof"
NAME: Final = re.compile(rf"^{PREFIX}_(\d+)_[0-9a-f]+$")
"""The name of a scratch database says when it was made, in seconds since 1970."""
ABANDONED: Final = 24 * 60 * 60
"""So many seconds after it was made nobody is at work on one any more that has no connection."""
UNUSED: Final = {
    "postgresql": "SELECT datname FROM pg_database d WHERE datdba = current_user::regrole "
    "AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)",
    "mysql": "SELECT schema_name FROM information_schema.schemata s "
    "WHERE NOT EXISTS (SELECT 1 FROM information_schema.processlist p WHERE p.db = s.schema_name)",
}
MEANING = "The schemas of the old and the new files cannot be compared on that server. Nothing was changed."
HINT = "Check that the server runs, and its host, port, user and password in the settings."
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Scratch:
    """An empty database: its `name` for Django's settings, how migsync reaches it, and a `directory` beside it."""

    name: str
    config: DatabaseConfig
    directory: Path

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """A connection to it."""
        engine = engine_of(self.config.url).create(self.config)
        with engine.connect() as connection:
            yield connection


@contextmanager
def scratch_database(config: DatabaseConfig) -> Iterator[Scratch]:
    """An empty database of the same engine, and on the same server; dropped at the end, whatever happens.

    Raises the alias's own error, Unreachable, and NotPermitted where the user may not create a database.
    """
    if config.error is not None:
        raise config.error
    engine = engine_of(config.url).name
    _remove_abandoned()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        directory = Path(name)
        if engine != "sqlite":
            with _on_server(config, engine, directory) as scratch:
                yield scratch
            return
        path = directory / "scratch.sqlite3"
        url = sa.make_url(config.url).set(database=str(path), query={})
        yield Scratch(str(path), replace(config, url=url), directory)


@contextmanager
def _on_server(config: DatabaseConfig, engine: str, directory: Path) -> Iterator[Scratch]:
    name = f"{PREFIX}_{int(time.time())}_{secrets.token_hex(6)}"
    arguments = {key: value for key, value in config.connect_args.items() if key not in ("dbname", "database")}
    url = sa.make_url(config.url).set(database=name)
    scratch = Scratch(name, replace(config, url=url, connect_args=arguments), directory)
    with _home(config) as home:
        _drop_abandoned(home, engine)
        schemas = _create(home, engine, name, config.alias)
    try:
        if schemas:
            with _home(scratch.config) as inside:
                for schema in schemas:
                    inside.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {_quoted(inside, schema)}"))
        yield scratch
    finally:
        with _home(config) as home:
            if engine == "postgresql":
                # Its sessions end a moment after the processes that were killed.
                home.execute(sa.text(TERMINATE), {"name": name})
            home.execute(sa.text(f"DROP DATABASE IF EXISTS {_quoted(home, name)}"))


@contextmanager
def _home(config: DatabaseConfig) -> Iterator[sa.Connection]:
    """A connection on which every statement stands for itself: databases are not made in transactions."""
    behaviour = engine_of(config.url)
    engine = behaviour.create(config).execution_options(isolation_level="AUTOCOMMIT")
    try:
        connection = engine.connect()
    except DBAPIError as error:
        said = without_passwords(first_line(error), config)
        raise Unreachable(f"{config.alias} cannot be reached: {said}", MEANING, HINT) from None
    with connection:
        try:
            yield connection
        except DBAPIError as error:
            raise behaviour.explain(error) from error


def _remove_abandoned() -> None:
    """Remove the directories of proofs that were killed."""
    limit = time.time() - ABANDONED
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.lstat().st_mtime < limit:
                shutil.rmtree(path)


def _drop_abandoned(home: sa.Connection, engine: str) -> None:
    """Drop what proofs left behind that were killed, as far as that is certain and allowed."""
    limit = time.time() - ABANDONED
    with suppress(DBAPIError):
        for (name,) in home.execute(sa.text(UNUSED[engine])).all():
            made = NAME.match(name)
            if made and int(made[1]) < limit:
                home.execute(sa.text(f"DROP DATABASE {_quoted(home, name)}"))


def _create(home: sa.Connection, engine: str, name: str, alias: str) -> list[str]:
    """Create the database as the alias's own is; the answer are the schemas that it needs."""
    try:
        if engine == "mysql":
            like = home.execute(sa.text("SELECT @@character_set_database, @@collation_database")).one()
            home.execute(sa.text(f"CREATE DATABASE {_quoted(home, name)} CHARACTER SET {like[0]} COLLATE {like[1]}"))
            return []
        home.execute(sa.text(f"CREATE DATABASE {_quoted(home, name)}"))
        return [schema for schema in home.scalar(sa.text("SELECT current_schemas(false)")) or () if schema != "public"]
    except DBAPIError as error:
        raise _refused(error, alias) from error


def _refused(error: DBAPIError, alias: str) -> MigsyncError:
    return NotPermitted(
        f"{alias}: No scratch database can be created there: {first_line(error)}",
        MEANING,
        "Grant the right to create databases (PostgreSQL: ALTER ROLE … CREATEDB), or name another alias: "
        "--prove-schema ALIAS",
    )


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
