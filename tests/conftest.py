"""Fixtures for every test: real databases on three engines, and seeds that are printed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from tests import examples, forkserver, hints, kinds, profiles, recorder
from tests.databases import (
    ENGINES,
    Database,
    MySQLDatabases,
    PostgreSQLDatabases,
    Server,
    SQLiteDatabase,
    unavailable,
)
from tests.postgresql_server import running_server
from tests.replica import Replica, running_replica

NewDatabase = Callable[[str], Database]

profiles.load()
recorder.install()
EXAMPLES = examples.codes_by_test()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Also for the processes that tests start: nobody's own key is read or made.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="migsync-test-state-")
    config.add_cleanup(lambda: shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True))
    # For each connection PyMySQL has OpenSSL read all certificates of the system, for 23 ms; no test verifies one.
    os.environ["SSL_CERT_FILE"] = os.devnull
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", 0):
        # For the processes that tests start: Python tells a stale .pyc by second and size, and tests are quicker.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for name, meaning in kinds.KINDS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "fresh: every Python process is started anew; see tests/forkserver.py")
    if not profiles.THOROUGH:
        forkserver.install()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts its background jobs so, and what they start would inherit it: no Ctrl-C would reach it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # In CI every run has its own seed, chosen here so that it can be printed (xdist hands it to the workers).
    # Elsewhere Hypothesis keeps its example database, which a fixed seed would turn off.
    if profiles.IN_CI and config.getoption("hypothesis_seed") is None:
        config.option.hypothesis_seed = random.SystemRandom().randrange(2**32)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than there are cores: a quarter of the time a test waits for a server or a process."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # then xdist takes that
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind, before ``-m`` selects by it."""
    found = {item: kinds.kind(item) for item in items}
    for item, kind in found.items():
        item.add_marker(kind)
    # The longest first, that no worker ends with one of them alone; then those that fail soonest.
    order = ("real", "pure", "django", "server")
    items.sort(key=lambda item: order.index(found[item]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish() -> None:
    """What tests import has been compiled and kept; what they write in this process is for them alone."""
    sys.dont_write_bytecode = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Hold pure tests to it, and their fixtures."""
    with kinds.enforced(item):
        return (yield)


def pytest_report_header(config: pytest.Config) -> list[str]:
    seed = config.getoption("hypothesis_seed")
    repeat = [] if seed is None else [f"hypothesis: repeat with --hypothesis-seed={seed}"]
    return [f"profile: {profiles.NAME}", *repeat]


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    """No forked processes for tests marked ``fresh``."""
    with forkserver.fresh() if request.node.get_closest_marker("fresh") else nullcontext():
        yield


@pytest.fixture(autouse=True)
def _example(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that an example of the documentation comes from still makes that code, and its hint can be typed."""
    codes, recording = EXAMPLES.get(request.node.nodeid), os.environ.get(recorder.VARIABLE)
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("hypothesis"):
            patch.delenv(recorder.VARIABLE, raising=False)  # what it makes is another thing in each run
        if codes is None:
            yield
            return
        path, states = Path(directory, "findings"), Path(directory, "states")
        path.touch()
        states.mkdir()
        patch.setenv(recorder.VARIABLE, str(path))
        if "tmp_path" in request.fixturenames and not request.node.get_closest_marker("pure"):
            root = request.getfixturevalue("tmp_path")
            patch.setenv(recorder.STATES, str(states))
            patch.setenv(recorder.ROOT, str(root))
        yield
        if recording:
            with Path(recording).open("a", encoding="utf-8") as lines:
                lines.write(path.read_text(encoding="utf-8"))
        else:
            stale = examples.stale(codes, list(examples.recorded(path)))
            assert not stale, f"{stale}; see tests/examples.py"
        refused = list(hints.refusals(states, root, codes)) if any(states.iterdir()) else []
        assert not refused, "\n".join(refused)


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[PostgreSQLDatabases]:
    """Databases on the server of MIGSYNC_TEST_POSTGRESQL, or on one that is started for this process."""
    with ExitStack() as stack:
        url = os.environ.get("MIGSYNC_TEST_POSTGRESQL")
        server = Server.from_url(url, 5432) if url else stack.enter_context(running_server())
        yield stack.enter_context(PostgreSQLDatabases.open(server))


@pytest.fixture(scope="session")
def replica_servers() -> Iterator[Replica]:
    with running_replica() as replica:
        yield replica


@pytest.fixture
def replica(replica_servers: Replica) -> Iterator[tuple[Database, Database]]:
    """An empty PostgreSQL database as (on a primary, on its streaming standby); see tests.replica.wait_for_replay."""
    with replica_servers.database() as pair:
        yield pair


@pytest.fixture(scope="session")
def mysql_databases() -> Iterator[MySQLDatabases]:
    """Databases on the server of MIGSYNC_TEST_MARIADB."""
    url = os.environ.get("MIGSYNC_TEST_MARIADB")
    if not url:
        unavailable("no MariaDB: set MIGSYNC_TEST_MARIADB, for example to mysql+pymysql://root@127.0.0.1:3306/")
    else:
        with MySQLDatabases.open(Server.from_url(url, 3306)) as databases:
            yield databases


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes databases: ``new_database("sqlite")``; each call makes another."""
    with ExitStack() as stack:
        made: list[Database] = []

        def make(engine: str) -> Database:
            database: Database
            if engine == "sqlite":
                database = SQLiteDatabase(tmp_path / f"database{len(made)}.sqlite3")
                database.execute("VACUUM")  # an empty database, where before there was no file
            else:
                database = stack.enter_context(request.getfixturevalue(f"{engine}_databases").database())
            made.append(database)
            return database

        yield make


@pytest.fixture
def sqlite_database(new_database: NewDatabase) -> Database:
    return new_database("sqlite")


@pytest.fixture
def postgresql_database(new_database: NewDatabase) -> Database:
    return new_database("postgresql")


@pytest.fixture
def mysql_database(new_database: NewDatabase) -> Database:
    return new_database("mysql")


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, new_database: NewDatabase) -> Database:
    """An empty database; the test runs once on each engine."""
    return new_database(request.param)
