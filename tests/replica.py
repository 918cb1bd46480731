"""A PostgreSQL primary and a real streaming standby of it, made by pg_basebackup."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import PostgreSQLDatabase, PostgreSQLDatabases, Server
from tests.postgresql_server import BIN, address, new_directory, pgexec, start, stop


@dataclass(frozen=True)
class Replica:
    """Two servers; each database that is made on the primary is there on the standby, too."""

    primary: PostgreSQLDatabases
    standby: Server

    @contextmanager
    def database(self) -> Iterator[tuple[PostgreSQLDatabase, PostgreSQLDatabase]]:
        """A new database, as (on the primary, on the standby)."""
        with self.primary.database() as made:
            wait_for_replay(PostgreSQLDatabase(made.server, "postgres"), PostgreSQLDatabase(self.standby, "postgres"))
            yield made, PostgreSQLDatabase(self.standby, made.name)


@contextmanager
def running_replica() -> Iterator[Replica]:
    """Start a primary and a standby; both are stopped and removed at the end."""
    with ExitStack() as stack:
        directory = stack.enter_context(new_directory())
        server = start(directory / "primary")
        stack.callback(stop, server)
        primary = address(server)
        standby_data = base_backup(primary, directory / "standby", server.system_user)
        server = start(standby_data)
        stack.callback(stop, server)
        yield Replica(stack.enter_context(PostgreSQLDatabases.open(primary)), address(server))


def base_backup(primary: Server, data: Path, system_user: str | None) -> Path:
    """Copy the primary into `data`, set up (``-R``) to follow it."""
    data.mkdir(mode=0o700)
    if system_user is not None:
        shutil.chown(data, system_user)
    where = ("-h", primary.host, "-p", str(primary.port), "-U", primary.user)
    pgexec("pg_basebackup", ("-R", "-c", "fast", "-D", str(data), *where), bin_path=BIN, user=system_user)
    # What pgserver and the primary's socket left in its data directory would be taken for the standby's own.
    for stray in (*data.glob(".s.PGSQL.*"), data / ".handle_pids.json", data / "log"):
        stray.unlink(missing_ok=True)
    return data


def wait_for_replay(primary: PostgreSQLDatabase, standby: PostgreSQLDatabase, deadline: float = 60) -> None:
    """Return when everything that is now written on the primary can be read on the standby."""
    [(written,)] = primary.execute("SELECT pg_current_wal_insert_lsn()::text")
    until = time.monotonic() + deadline
    while standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (written,)) != [(True,)]:
        if time.monotonic() > until:
            raise TimeoutError(f"the standby has not replayed {written} in {deadline} seconds")
        time.sleep(0.01)
