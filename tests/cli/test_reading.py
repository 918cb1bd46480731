"""How the commands read databases: one moment, in time, and over few connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa

from migsync.cli.targets import open_targets
from migsync.project import find_project
from tests.cli.appliers import apply_repeatedly
from tests.cli.entries import FILE, NEW, OLD, Entry, Project, names, record
from tests.cli.shop import OLD as SHOP_OLD
from tests.cli.shop import Shop
from tests.databases import Database
from tests.profiles import examples
from tests.sync.story import processes

READING = (("plan",), ("status",), ("apply", "--noinput"), ("undo", "--noinput"), ("script", "--out", "sql"))


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    return Project.make(tmp_path, {"default": Entry(record(database).url)})


@contextmanager
def before_statement(naming: str, act: Callable[[], object]) -> Iterator[None]:
    """Call `act` once, before the first statement in this process that names `naming`."""
    left = [act]

    def listen(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if left and naming in f"{statement} {parameters}":
            left.pop()()

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    assert not left, f"no statement named {naming}"


# One moment


@pytest.mark.parametrize("journaled_before", [False, True])
def test_an_apply_between_the_rows_and_the_journal_is_not_half_seen(
    project: Project, database: Database, journaled_before: bool
) -> None:
    if journaled_before:
        assert project.run("apply", "--noinput").status == 0
        assert project.run("undo", "--noinput").status == 0
    if database.engine == "sqlite":
        database.execute("PRAGMA journal_mode = WAL")  # else a reader keeps the other from committing

    def apply() -> None:
        assert project.run("apply", "--noinput").status == 0

    with before_statement("migsync_version", apply):
        ended = project.run("status", "--format", "json")
    [found] = ended.json["databases"]
    assert (ended.status, found["findings"]) == (0, []), ended
    # MariaDB gives a transaction up whose snapshot is older than the journal's tables: then all is read again.
    last = "undo" if journaled_before else None
    assert (found["state"], (found["last_run"] or {}).get("kind")) in [("changes", last), ("in line", "apply")]
    assert names(database) == NEW


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mysql"])
def test_rows_and_journal_of_an_undo_are_of_one_moment(
    tmp_path: Path, new_database: Callable[[str], Database], engine: str
) -> None:
    """The journal is read first or last: a run that is undone meanwhile is not taken back twice."""
    database = record(new_database(engine))
    if engine == "sqlite":
        database.execute("PRAGMA journal_mode = WAL")
    project = Project.make(tmp_path, {"default": Entry(database.url)})
    assert project.run("apply", "--noinput").status == 0
    with before_statement("migsync_version", lambda: project.run("undo", "--noinput")):
        ended = project.run("undo", "--dry-run", "--format", "json")
    [plan] = ended.json["plans"]
    assert (ended.status, plan.get("findings", [])) == (0, []), ended
    assert names(database) == OLD


# All at once


APPLIERS = 16
GONE = "DROP TABLE IF EXISTS migsync_run"
NO_VERSION = "DROP TABLE IF EXISTS migsync_version"


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_of_sixteen_appliers_one_applies_and_the_others_end_with_0(
    tmp_path: Path, new_database: Callable[[str], Database], engine: str
) -> None:
    """Every other round, the journal's tables have to be made as well."""
    database = record(new_database(engine))
    Project.make(tmp_path, {"default": Entry(database.url)})
    rounds = examples(2, 100)
    barrier, results = processes.Barrier(APPLIERS + 1), processes.Queue()
    appliers = [
        processes.Process(target=apply_repeatedly, args=(tmp_path, rounds, barrier, results), daemon=True)
        for _ in range(APPLIERS)
    ]
    for applier in appliers:
        applier.start()
    try:
        for number in range(rounds):
            database.execute(f"UPDATE django_migrations SET name = '{OLD[1]}' WHERE id = 2")
            if number % 2:
                database.execute("DELETE FROM migsync_run")
            else:
                database.execute(GONE)
                database.execute(NO_VERSION)
            barrier.wait()
            ended = [results.get() for _ in range(APPLIERS)]
            assert [said for status, _, said in ended if status] == [], f"round {number}"
            words = sorted(word for _, word, _ in ended)
            assert words.count("applied") == 1
            assert set(words) <= {"applied", "already applied", "nothing to do"}
            assert names(database) == NEW
    finally:
        for applier in appliers:
            applier.kill()
            applier.join()


LOCK = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "pg_advisory_xact_lock", "mysql": "GET_LOCK"}


def migrate(database: Database) -> None:
    """Record one more migration of the app, as a `migrate` would."""
    database.insert([(3, "shop", "0003_more", "2026-03-03 10:00:00")])


@pytest.fixture
def growing(project: Project) -> Project:
    """The project, with one more migration, which is not recorded."""
    path = project.root / "shop/migrations/0003_more.py"
    path.write_text(FILE.format(above='("shop", "0002_price")', number=3))
    return project


def test_a_plan_that_turned_stale_because_another_one_did_it_is_done(growing: Project, database: Database) -> None:
    def others() -> None:
        assert growing.run("apply", "--noinput").status == 0
        migrate(database)

    with before_statement(LOCK[database.engine], others):
        ended = growing.run("apply", "--noinput", "--format", "json")
    assert (ended.status, [found["status"] for found in ended.json["databases"]]) == (0, ["already applied"]), ended
    assert names(database) == (*NEW, "0003_more")


def test_a_plan_that_turned_stale_is_made_again_without_a_person(growing: Project, database: Database) -> None:
    with before_statement(LOCK[database.engine], lambda: migrate(database)):
        ended = growing.run("apply", "--noinput", "--format", "json")
    assert (ended.status, [found["status"] for found in ended.json["databases"]]) == (0, ["applied"]), ended
    assert "the plan was made again" in ended.err
    assert names(database) == (*NEW, "0003_more")


def test_a_plan_that_turned_stale_after_a_yes_is_not_replaced_by_another_one(shop: Shop) -> None:
    def meanwhile() -> str:
        shop.execute(
            "default", "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0009_x', '2026-04-01')"
        )
        return "y\n"

    ended = shop.rewrite().at_terminal("apply", answers=[meanwhile])
    assert ended.status == 3, ended.out
    assert shop.names("default") == (*SHOP_OLD, "0009_x")


# In time


HOLD = {
    "sqlite": ("BEGIN EXCLUSIVE",),
    "postgresql": ("BEGIN", "LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE"),
    "mysql": ("LOCK TABLES django_migrations WRITE",),
}


@contextmanager
def held(database: Database, statements: tuple[str, ...]) -> Iterator[None]:
    """Another session that has run these statements, and ends with the block."""
    with closing(database.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield
        connection.rollback()


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_table_that_readers_are_locked_out_of_ends_with_4(
    project: Project, database: Database, command: tuple[str, ...]
) -> None:
    with held(database, HOLD[database.engine]):
        ended = project.run(*command, "--lock-timeout", "0.1")
    assert ended.status == 4, ended
    said = ended.out + ended.err
    assert "Could not read django_migrations in time" in said
    if command[0] != "status":
        assert "--lock-timeout SECONDS" in said
    assert names(database) == OLD


def test_pyproject_says_how_long_to_wait_and_the_option_has_the_last_word(
    tmp_path: Path, sqlite_database: Database
) -> None:
    entries = {"default": Entry(record(sqlite_database).url)}
    project = Project.make(tmp_path, entries, "lock-timeout = 0.1")
    with held(sqlite_database, HOLD["sqlite"]):
        assert project.run("plan").status == 4
        assert project.run("plan", "--lock-timeout", "0").status == 4
    assert project.run("plan", "--lock-timeout", "0").status == 0


def test_a_journal_that_readers_are_locked_out_of(tmp_path: Path, postgresql_database: Database) -> None:
    project = Project.make(tmp_path, {"default": Entry(record(postgresql_database).url)})
    assert project.run("apply", "--noinput").status == 0
    with held(postgresql_database, ("BEGIN", "LOCK TABLE migsync_run IN ACCESS EXCLUSIVE MODE")):
        for command in ("log", "plan", "undo"):
            assert project.run(command, "--lock-timeout", "0.1").status == 4


def test_one_of_two_databases_is_locked(tmp_path: Path, new_database: Callable[[str], Database]) -> None:
    here, there = record(new_database("sqlite")), record(new_database("sqlite"))
    project = Project.make(tmp_path, {"here": Entry(here.url), "there": Entry(there.url)})
    with held(there, HOLD["sqlite"]):
        ended = project.run("apply", "--noinput", "--lock-timeout", "0.1")
    assert (ended.status, names(here), names(there)) == (5, NEW, OLD)


# Few connections


class Connections:
    """Counts the open connections of this process; and at each new one those that the server counts."""

    def __init__(self, count: Callable[[], int]) -> None:
        self.count = count
        self.open = self.peak = self.server_peak = self.made = 0

    def __enter__(self) -> Self:
        sa.event.listen(sa.pool.Pool, "connect", self.connected)
        sa.event.listen(sa.pool.Pool, "close", self.closed)
        return self

    def __exit__(self, *_: object) -> None:
        sa.event.remove(sa.pool.Pool, "connect", self.connected)
        sa.event.remove(sa.pool.Pool, "close", self.closed)

    def connected(self, *_: object) -> None:
        self.open += 1
        self.made += 1
        self.peak = max(self.peak, self.open)
        self.server_peak = max(self.server_peak, self.count())

    def closed(self, *_: object) -> None:
        self.open -= 1


COUNT = {
    "postgresql": "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()",
    "mysql": "SELECT COUNT(*) FROM information_schema.processlist WHERE db LIKE CONCAT(DATABASE(), '\\_%')",
}
MANY = examples(12, 60)


def many(database: Database) -> dict[str, Entry]:
    """Entries for many schemas of the database's server, each with old names."""
    url = sa.make_url(database.url)
    entries = {}
    with closing(database.connect(autocommit=True)) as connection, closing(connection.cursor()) as cursor:
        for number in range(MANY):
            schema = f"t{number}" if database.engine == "postgresql" else f"{url.database}_{number}"
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(database.table.replace("CREATE TABLE ", f"CREATE TABLE {schema}."))
            values = ", ".join(f"({id_}, 'shop', '{name}', '2026-03-01')" for id_, name in enumerate(OLD, 1))
            cursor.execute(f"INSERT INTO {schema}.django_migrations VALUES {values}")
            text = url.render_as_string(hide_password=False)
            here = Entry(text, schema)
            if database.engine == "mysql":
                here = Entry(url.set(database=schema).render_as_string(hide_password=False))
            entries[f"t{number}"] = here
    return entries


@pytest.fixture
def schemas(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> Iterator[Database]:
    database = new_database(request.param)
    yield database
    if database.engine == "mysql":
        for number in range(MANY):
            database.execute(f"DROP DATABASE IF EXISTS {sa.make_url(database.url).database}_{number}")


@pytest.mark.parametrize("schemas", ["postgresql", "mysql"], indirect=True)
def test_many_schemas_of_one_server_are_worked_on_over_one_or_two_connections(
    tmp_path: Path, schemas: Database
) -> None:
    project = Project.make(tmp_path, many(schemas))
    with closing(schemas.connect(autocommit=True)) as monitor, closing(monitor.cursor()) as cursor:

        def count() -> int:
            cursor.execute(COUNT[schemas.engine])
            return int(cursor.fetchone()[0])

        for command in (("plan",), ("status",), ("apply", "--noinput"), ("log",), ("undo", "--noinput")):
            with Connections(count) as seen:
                ended = project.run(*command)
            assert ended.status == 0, ended
            assert seen.made >= MANY
            assert seen.peak <= 2
            assert seen.server_peak <= 10  # a server takes a moment to let go of a closed one
            assert seen.open == 0


def test_of_three_aliases_of_one_database_the_writable_one_is_kept(tmp_path: Path, sqlite_database: Database) -> None:
    file = sqlite_database.django["NAME"]
    read_only = Entry(f"sqlite:///file:{file}?mode=ro&uri=true")
    writable = Entry(record(sqlite_database).url)
    project = Project.make(tmp_path, {"a": read_only, "b": read_only, "c": writable})
    with open_targets(find_project(root=project.root), [], records=True) as found:
        assert (list(found.targets), list(found.runs), list(found.records)) == (["c"], ["c"], ["c"])
        assert found.same == {"a": "c", "b": "c"}
