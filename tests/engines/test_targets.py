"""What a target says of itself, and what it says when it cannot be used."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pymysql
import pytest
import sqlalchemy as sa

from migsync.engines import Deadline
from migsync.engines.config import DatabaseConfig
from migsync.engines.postgresql.lock import advisory_key
from migsync.errors import LockTimeout, MigsyncError, NotPermitted, ReadOnly, TargetError, UnknownEngine, Unreachable
from migsync.sync.apply import Status, apply_plan
from migsync.sync.plan import Plan
from migsync.sync.target import Target, open_target
from tests.conftest import NewDatabase
from tests.databases import Database, MySQLDatabase, PostgreSQLDatabase, Server, user_of
from tests.replica import wait_for_replay
from tests.sync.story import filled, plan_of, rename, story_plan, target_of


def test_a_fresh_database_has_nothing(database: Database) -> None:
    with target_of(database) as target:
        assert (target.has_table, target.read(), target.runs(), target.read_only) == (False, None, (), "")
        assert target.ref.engine == database.engine


def test_two_aliases_of_one_database_have_one_identity(database: Database, new_database: NewDatabase) -> None:
    with (
        target_of(database) as one,
        target_of(database, "two") as two,
        target_of(new_database(database.engine)) as other,
    ):
        assert one.ref.identity == two.ref.identity != other.ref.identity


def test_sqlite_is_known_by_its_file_not_its_path(sqlite_database: Database, tmp_path: Path) -> None:
    filled(sqlite_database)
    link = tmp_path / "link.sqlite3"
    link.symlink_to(Path(sa.make_url(sqlite_database.url).database or ""))
    with target_of(sqlite_database) as one, target_of(f"sqlite:///{link}") as other:
        assert one.ref.identity == other.ref.identity


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "absent.sqlite3"
    with target_of(f"sqlite:///{path}") as target:
        assert (target.has_table, target.read(), target.runs()) == (False, None, ())
    assert not path.exists()
    with (
        target_of(f"sqlite:///{tmp_path}/nowhere/absent.sqlite3") as target,
        pytest.raises(Unreachable, match="nowhere"),
    ):
        target.read()


def test_a_database_in_memory_is_fresh() -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with target_of(url) as target:
            assert target.read() is None


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite3"
    path.write_text("This is no database." * 100)
    with target_of(f"sqlite:///{path}") as target, pytest.raises(MigsyncError, match="not a database"):
        target.read()


def test_schemas_of_tenants(postgresql_database: Database) -> None:
    database = postgresql_database
    for schema in ("tenant", 'odd "%s:x schema'):
        quoted = '"' + schema.replace('"', '""') + '"'
        database.execute(f"CREATE SCHEMA {quoted}")
        database.execute(database.table.replace('"django_migrations"', f"{quoted}.django_migrations"))
        rows = "SELECT id, 'shop', '000' || id, now() FROM generate_series(1, 9) id"
        database.execute(f"INSERT INTO {quoted}.django_migrations {rows}")
        with open_target(DatabaseConfig("default", database.url, schema=schema)) as target:
            assert target.ref.schema == schema
            assert apply_plan(target, tenant_plan(target)).status is Status.APPLIED
            assert [run.number for run in target.runs()] == [1]
        # The search path of the connection leads to the same place.
        init = (f"SET search_path = {quoted}",)
        with open_target(DatabaseConfig("default", database.url, init=init)) as target:
            assert target.ref.schema == schema
            assert len(target.runs()) == 1
    with target_of(database) as target:
        assert target.read() is None


def tenant_plan(target: Target) -> Plan:
    records = target.read() or ()
    return plan_of(target.ref, records, [rename(record, f"new_{record.name}") for record in records])


def test_a_schema_of_mysql_is_another_database(new_database: NewDatabase) -> None:
    here, there = new_database("mysql"), filled(new_database("mysql"))
    name = sa.make_url(there.url).database or ""
    with open_target(DatabaseConfig("default", here.url, schema=name)) as target, target_of(there) as direct:
        assert target.ref.identity == direct.ref.identity
        assert apply_plan(target, story_plan(target)).status is Status.APPLIED
        assert len(direct.runs()) == 1


def test_a_pooled_session_keeps_nothing(postgresql_database: Database) -> None:
    """As behind PgBouncer in transaction pooling: another client gets the server's session next."""
    filled(postgresql_database)
    settings = "SELECT name, setting FROM pg_settings WHERE source = 'session'"
    with target_of(postgresql_database) as target, closing(target.connect()) as connection:
        assert target.table is not None
        target.behaviour.lock(connection, target.table, Deadline(1))
        connection.exec_driver_sql("UPDATE django_migrations SET name = name")
        connection.commit()
        connection.connection.driver_connection.autocommit = True  # type: ignore[union-attr]
        cursor = connection.connection.cursor()
        assert cursor.execute(settings).fetchall() == []
        assert cursor.execute("SELECT count(*) FROM pg_prepared_statements").fetchall() == [(0,)]
        assert (
            cursor.execute(
                "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
            ).fetchall()
            == []
        )


def test_two_migsyncs_exclude_each_other_by_more_than_the_table(postgresql_database: Database) -> None:
    """What a `migrate` of the companion holds: it cannot hold the table, which it must write itself."""
    filled(postgresql_database)
    with target_of(postgresql_database) as target, closing(postgresql_database.connect()) as holder:
        assert target.table is not None
        plan = story_plan(target)
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (advisory_key(target.table.schema),))
        with pytest.raises(LockTimeout):
            apply_plan(target, plan, lock_timeout=0.1)


# Not reachable


def closed_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize("driver", ["postgresql", "mysql", "mariadb", "postgresql+psycopg2", "mysql+mysqldb"])
def test_no_server(driver: str) -> None:
    url = f"{driver}://me:s3cr3t%40@127.0.0.1:{closed_port()}/shop"
    with target_of(url) as target, pytest.raises(Unreachable) as caught:
        target.read()
    told = "".join(traceback.format_exception(caught.value)) + repr(target) + repr(target.config)
    assert "s3cr3t" not in told
    assert "me@127.0.0.1" in caught.value.found


def test_a_wrong_password_is_not_shown(new_database: NewDatabase) -> None:
    server = sa.make_url(new_database("mysql").url)
    url = server.set(username="nobody", password="s3cr3t").render_as_string(hide_password=False)
    with target_of(url) as target, pytest.raises(Unreachable, match="Access denied") as caught:
        target.read()
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_a_password_in_a_drivers_message_is_starred() -> None:
    config = DatabaseConfig(
        "default", "postgresql://127.0.0.1/x", connect_args={"password": "s3cr3t", "sslmode": "s3cr3t"}
    )
    with open_target(config) as target, pytest.raises(Unreachable) as caught:
        target.read()
    assert "s3cr3t" not in str(caught.value)


def test_no_such_database(database: Database) -> None:
    if database.engine == "sqlite":
        return
    url = sa.make_url(database.url).set(database="nowhere").render_as_string(hide_password=False)
    with target_of(url) as target, pytest.raises(Unreachable, match="nowhere"):
        target.read()


@pytest.mark.parametrize("url", ["oracle://me:s3cr3t@host/x", "me:s3cr3t@host", "s3cr3t"])
def test_an_engine_that_is_not_known(url: str) -> None:
    with pytest.raises(UnknownEngine) as caught:
        target_of(url)
    assert "s3cr3t" not in str(caught.value)


def test_the_error_of_an_alias_is_raised_when_it_is_asked_for() -> None:
    with pytest.raises(TargetError, match="no such thing"):
        open_target(DatabaseConfig("default", "", error=TargetError("no such thing")))


# Not permitted


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_the_right_that_is_missing_is_named(engine: str, new_database: NewDatabase) -> None:
    database = new_database(engine)
    before = filled(database).dump()
    with target_of(database) as owner:
        plan = story_plan(owner)
    with user_of(database) as (user, url):
        if engine == "mysql":
            # Without any right on the database, it is the connection that is refused.
            database.execute(f"GRANT CREATE TEMPORARY TABLES ON {sa.make_url(database.url).database}.* TO {user}")
        else:
            # The rows came with their ids; who may only write the table cannot move the sequence after them.
            database.execute("SELECT setval('django_migrations_id_seq', 10)")
        with target_of(url) as target, pytest.raises(NotPermitted, match="SELECT") as caught:
            target.read()
        assert "s3cr3t" not in str(caught.value)
        for right, missing in (("SELECT", "UPDATE"), ("UPDATE", "DELETE"), ("DELETE", "INSERT")):
            database.execute(f"GRANT {right} ON django_migrations TO {user}")
            with target_of(url) as target, pytest.raises(NotPermitted, match=missing) as caught:
                apply_plan(target, plan, journal=False)
            assert "django_migrations" in caught.value.hint
            assert database.dump() == before
        database.execute(f"GRANT INSERT ON django_migrations TO {user}")
        if engine == "postgresql":
            database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        with target_of(url) as target:
            with pytest.raises(NotPermitted, match=r"journal") as caught:
                apply_plan(target, plan)
            assert "migsync script --journal-tables" in caught.value.hint
            assert database.dump() == before
            assert apply_plan(target, plan, journal=False).status is Status.APPLIED


def test_a_schema_that_may_not_be_used_is_no_fresh_database(postgresql_database: Database) -> None:
    database = postgresql_database
    database.execute("CREATE SCHEMA hidden")
    database.execute("CREATE TABLE hidden.django_migrations (id integer)")
    with user_of(database) as (_, url):
        for config in (
            DatabaseConfig("default", url, init=("SET search_path = hidden",)),
            DatabaseConfig("default", url, schema="hidden"),
        ):
            with open_target(config) as target, pytest.raises(NotPermitted, match="hidden"):
                target.read()


def test_an_identity_where_the_control_file_may_not_be_read(postgresql_database: Database) -> None:
    database = postgresql_database
    database.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with user_of(database) as (_, url), target_of(url) as one, target_of(url) as two:
        assert one.ref.identity == two.ref.identity
        assert sa.make_url(database.url).database in one.ref.identity


# Read-only


def refuses(target: Target, said: str) -> None:
    assert re.search(said, target.read_only)
    plan = story_plan(target)
    with pytest.raises(ReadOnly, match=said):
        apply_plan(target, plan)


def test_a_standby_is_planned_and_refused(replica: tuple[PostgreSQLDatabase, PostgreSQLDatabase]) -> None:
    primary, standby = replica
    filled(primary)
    wait_for_replay(primary, standby)
    with target_of(standby, "replica") as target, target_of(primary) as original:
        assert target.ref.identity == original.ref.identity
        assert target.read() == original.read()
        refuses(target, "standby")
        plan = story_plan(target)
        assert apply_plan(original, plan).status is Status.APPLIED
        wait_for_replay(primary, standby)
        assert target.runs() == original.runs()
    assert standby.dump() == primary.dump()


def test_read_only_transactions(database: Database) -> None:
    filled(database)
    init = {
        "sqlite": "PRAGMA query_only = 1",
        "postgresql": "SET default_transaction_read_only = on",
        "mysql": "SET SESSION TRANSACTION READ ONLY",
    }[database.engine]
    with open_target(DatabaseConfig("default", database.url, init=(init,))) as target:
        refuses(target, "read-only|query_only")
        # Where it turns read-only after it was asked, the server's own refusal is told.
        writable = replace(target.survey, read_only="")
        target.__dict__["survey"] = writable
        with pytest.raises(ReadOnly):
            apply_plan(target, story_plan(target))


def test_sqlite_opened_read_only(sqlite_database: Database) -> None:
    filled(sqlite_database)
    path = quote(sa.make_url(sqlite_database.url).database or "")
    with target_of(f"sqlite:///file:{path}?mode=ro&uri=true") as target:
        refuses(target, "read-only")
        with pytest.raises(ReadOnly) as refused:
            apply_plan(target, story_plan(target))
    assert refused.value.hint.startswith("Make the file and its directory writable")


@pytest.fixture
def mysql_server(tmp_path: Path) -> Iterator[MySQLDatabase]:
    """A MariaDB of the test's own, since read_only is a setting of the whole server."""
    server, install = (
        shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"),
        shutil.which("mariadb-install-db"),
    )
    if not server or not install:
        pytest.skip("no mariadbd on PATH")
    port = closed_port()
    root = ["--user=root"] if os.geteuid() == 0 else []
    data = ["--no-defaults", f"--datadir={tmp_path}/data", *root]
    subprocess.run(
        [install, *data, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
    )
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={tmp_path}/s", "--innodb-buffer-pool-size=8M"]
    process = subprocess.Popen([server, *data, *options], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert any("ready for connections" in line for line in process.stderr)
        here = Server("127.0.0.1", port, "root")
        MySQLDatabase(here, "mysql").execute("CREATE DATABASE test")
        yield MySQLDatabase(here, "test")
    finally:
        process.terminate()
        process.communicate()


def test_a_server_in_read_only_mode(mysql_server: MySQLDatabase) -> None:
    filled(mysql_server)
    with user_of(mysql_server) as (user, url):
        mysql_server.execute(f"GRANT ALL ON test.* TO {user}")
        mysql_server.execute("SET GLOBAL read_only = 1")
        with target_of(url) as target, target_of(mysql_server) as other:
            refuses(target, "read_only")
            refuses(other, "read_only")
            target.__dict__["survey"] = replace(target.survey, read_only="")
            with pytest.raises(ReadOnly, match="does not accept writes"):
                apply_plan(target, story_plan(target))
        mysql_server.execute("SET GLOBAL read_only = 0")
        with target_of(url) as target:
            assert apply_plan(target, story_plan(target)).status is Status.APPLIED


def test_myisam_is_refused(mysql_database: Database) -> None:
    mysql_database.execute(f"{mysql_database.table} ENGINE=MyISAM")
    mysql_database.insert([(int(n), "shop", f"000{n}", "2026-01-01") for n in range(1, 9)])
    before = mysql_database.dump()
    with target_of(mysql_database) as target:
        with pytest.raises(TargetError, match="MyISAM") as caught:
            apply_plan(target, tenant_plan(target))
        assert "InnoDB" in caught.value.hint
    assert mysql_database.dump() == before


def test_a_server_under_another_isolation_and_mode(new_database: NewDatabase) -> None:
    """READ COMMITTED takes no gap locks, and ANSI_QUOTES changes what a quote is: migsync sets its own."""
    database = new_database("mysql")
    filled(database)
    init = ("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'")
    with open_target(DatabaseConfig("default", database.url, init=init)) as target:
        with closing(target.connect()) as connection, closing(database.connect()) as writer:
            assert target.table is not None
            target.behaviour.lock(connection, target.table, Deadline(1))
            cursor = writer.cursor()
            cursor.execute("SET innodb_lock_wait_timeout = 1")
            with pytest.raises(pymysql.err.OperationalError, match="Lock wait"):
                cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', '2026-01-01')")
        assert apply_plan(target, story_plan(target), reason="\\").status is Status.APPLIED
        assert target.runs()[0].reason == "\\"


def test_a_connection_that_is_lost_while_reading_is_reported_and_the_next_one_works(
    postgresql_database: Database,
) -> None:
    filled(postgresql_database)

    def terminate(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT django_migrations") or ".django_migrations" in statement:
            pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
            postgresql_database.execute(f"SELECT pg_terminate_backend({pid}, 10000)")

    with target_of(postgresql_database) as target:
        records = target.read()
        sa.event.listen(sa.Engine, "before_cursor_execute", terminate)
        try:
            with pytest.raises(Unreachable, match="lost"):
                target.read()
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", terminate)
        assert target.read() == records
