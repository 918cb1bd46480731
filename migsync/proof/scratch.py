"""Databases that live for one proof or one verification, on the server of one alias.

The session that makes a database claims it, and keeps the claim for as long as the process lives. So every other
process, on whatever host, can ask the server whether the owner is alive, and drops what a killed one left.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from migsync.engines import Engine, engine_of
from migsync.engines.config import DatabaseConfig
from migsync.engines.driver_errors import first_line
from migsync.errors import NOTHING_CHANGED, MigsyncError, NotPermitted, Unreachable
from migsync.sync.target import without_passwords
from migsync.worker.signals import signals_later

PREFIX: Final = "migsync_scratch"
NAME: Final = re.compile(rf"^{PREFIX}_[0-9a-f]{{12}}$")
WAIT: Final = 5
"""So many seconds the removal of another process's database may wait for a lock."""
ABANDONED: Final = 24 * 60 * 60
"""So many seconds after it was made nobody is at work in a directory any more."""
MEANING = f"The schemas of the old and the new files cannot be compared on that server. {NOTHING_CHANGED}"
HINT = "Check that the server is running, and that host, port, user and password in the settings are correct."


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
    engine = engine_of(config.url)
    _remove_abandoned()
    temporary = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    try:
        directory = Path(temporary.name)
        if not engine.file_suffix:
            with _on_server(config, engine, directory) as scratch:
                yield scratch
            return
        path = directory / f"scratch{engine.file_suffix}"
        url = sa.make_url(config.url).set(database=str(path), query={})
        yield Scratch(str(path), replace(config, url=url), directory)
    finally:
        with signals_later():
            temporary.cleanup()


@contextmanager
def _on_server(config: DatabaseConfig, engine: Engine, directory: Path) -> Iterator[Scratch]:
    name = f"{PREFIX}_{secrets.token_hex(6)}"
    # A driver's argument goes over the database in the URL, and would lead to the alias's own.
    arguments = {key: value for key, value in config.connect_args.items() if key not in ("dbname", "database")}
    url = sa.make_url(config.url).set(database=name)
    scratch = Scratch(name, replace(config, url=url, connect_args=arguments), directory)
    exists = False
    with _connect(config, engine) as owner:
        try:
            with _explained(engine):
                _drop_abandoned(owner, engine)
                # Before there is a database: nobody ever sees it without its owner.
                engine.claim_database(owner, name)
                # Before it is made: Ctrl-C may come when the server has made it, and nobody here knows that yet.
                exists = True
                try:
                    schemas = _create(owner, engine, name, config.alias)
                except MigsyncError:
                    exists = False
                    raise
            if schemas:
                with _home(scratch.config, engine) as inside:
                    for schema in schemas:
                        inside.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            yield scratch
        finally:
            if exists:
                _drop(config, engine, name)


def _drop(config: DatabaseConfig, engine: Engine, name: str) -> None:
    with signals_later(), _home(config, engine) as home:
        # A worker that was killed may still have a session there, and PostgreSQL drops no database that has one.
        engine.end_sessions(home, name)
        home.execute(sa.text(f"DROP DATABASE IF EXISTS {_quoted(home, name)}"))


@contextmanager
def _home(config: DatabaseConfig, engine: Engine) -> Iterator[sa.Connection]:
    with _connect(config, engine) as connection, _explained(engine):
        yield connection


def _connect(config: DatabaseConfig, engine: Engine) -> sa.Connection:
    """A connection on which every statement stands for itself: databases are not made in transactions."""
    try:
        return engine.create(config).execution_options(isolation_level="AUTOCOMMIT").connect()
    except DBAPIError as error:
        said = without_passwords(first_line(error), config)
        raise Unreachable(f"{config.alias} cannot be reached: {said}", MEANING, HINT) from None


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise engine.explain(error) from error


def _remove_abandoned() -> None:
    """Remove the directories of proofs that were killed."""
    limit = time.time() - ABANDONED
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            # The directory of a proof that runs right now must stay.
            if path.lstat().st_mtime < limit:
                shutil.rmtree(path)


def _drop_abandoned(home: sa.Connection, engine: Engine) -> None:
    """Drop what processes left behind that were killed, as far as that is allowed."""
    with suppress(DBAPIError):
        for statement in engine.impatience(WAIT):
            home.exec_driver_sql(statement)
        for (name,) in home.execute(sa.text(engine.ownerless_databases), {"prefix": PREFIX}).all():
            if NAME.match(name):
                home.execute(sa.text(f"DROP DATABASE {_quoted(home, name)}"))


def _create(home: sa.Connection, engine: Engine, name: str, alias: str) -> Sequence[str]:
    """Create the database as the alias's own is; the answer are the schemas that it needs."""
    try:
        return engine.create_database(home, name)
    except DBAPIError as error:
        raise _refused(error, alias) from error


def _refused(error: DBAPIError, alias: str) -> MigsyncError:
    return NotPermitted(
        f"No scratch database can be created on the server of {alias}: {first_line(error)}",
        MEANING,
        "Grant the privilege to create databases (PostgreSQL: ALTER ROLE … CREATEDB), or run the command again "
        "with another alias: --prove-schema ALIAS",
    )


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
