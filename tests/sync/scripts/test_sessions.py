"""Sessions, servers and moments that a script may meet."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from migsync.engines.mysql import script as mysql
from migsync.engines.postgresql import script as postgresql
from migsync.sync.plan import Change, Plan
from migsync.sync.run import RunKind
from migsync.sync.scripts import apply_script, undo_script
from tests.databases import Database
from tests.sync.scripts.cases import COLLAPSE, REMAKE, REUSE, SHIFT
from tests.sync.scripts.clients import fill, run, runs
from tests.sync.scripts.test_values import PROBE, odd_names, round_trip

PGOPTIONS = (
    "-c standard_conforming_strings=off -c escape_string_warning=on -c TimeZone=Asia/Kolkata -c DateStyle=German",
    "-c TimeZone=America/St_Johns -c DateStyle=SQL,DMY -c client_min_messages=error -c client_encoding=LATIN1",
)
INITS = (
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET SESSION sql_mode = ''",
    "SET SESSION sql_mode = 'ANSI,ORACLE,TRADITIONAL'",
    "SET SESSION autocommit = 0, time_zone = '+05:30'",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET NAMES latin1",
)


@pytest.mark.parametrize("options", PGOPTIONS)
def test_settings_of_a_postgresql_session(postgresql_database: Database, options: str) -> None:
    records, plan = odd_names("postgresql")
    postgresql_database.create_table()
    postgresql_database.insert(records)  # type: ignore[arg-type]
    round_trip(postgresql_database, plan, env={"PGOPTIONS": options})


def test_postgresql_at_a_stricter_isolation(postgresql_database: Database) -> None:
    fill(postgresql_database, REMAKE.records("postgresql"))
    before = postgresql_database.dump()
    env = {"PGOPTIONS": "-c default_transaction_isolation=serializable"}
    said = run(postgresql_database, apply_script(REMAKE.plan("postgresql")), env=env)
    assert "must run at READ COMMITTED" in said.text
    assert postgresql_database.dump() == before


def test_postgresql_in_a_transaction_of_its_reader(postgresql_database: Database) -> None:
    fill(postgresql_database, REMAKE.records("postgresql"))
    before = postgresql_database.dump()
    plan = REMAKE.plan("postgresql")
    begin = "BEGIN;\nSET migsync.caller_commits = on;\nSET LOCAL DateStyle = German;\n"
    text = f"{begin}{apply_script(plan)}{undo_script(plan)}{apply_script(plan)}SHOW DateStyle;\n"
    said = run(postgresql_database, f"{text}ROLLBACK;\n")
    assert (said.status, said.text.count("2 rows changed in your transaction")) == (0, 3), said.text
    assert "migsync: applied" not in said.text
    assert "German" in said.text
    assert postgresql_database.dump() == before
    run(postgresql_database, f"{text}COMMIT;\n")
    assert postgresql_database.dump() != before


OPEN = {
    "postgresql": [
        (["-1"], ""),
        (["-v", "AUTOCOMMIT=off"], ""),
        ([], "BEGIN;"),
        ([], "BEGIN; UPDATE other SET n = 2;"),
    ],
    "mysql": [
        ([], "START TRANSACTION; UPDATE other SET n = 2;"),
        ([], "SET autocommit = 0; SELECT n FROM other;"),
        (["--init-command=SET autocommit = 0"], "UPDATE other SET n = 2;"),
    ],
    "sqlite": [([], "BEGIN;"), ([], "BEGIN; UPDATE other SET n = 2;")],
}


@pytest.mark.parametrize("stop", [True, False], ids=["stop", "go-on"])
def test_in_an_open_transaction_nothing_is_called_applied_that_is_not_kept(database: Database, stop: bool) -> None:
    fill(database, SHIFT.records(database.engine))
    database.execute("CREATE TABLE other (n INTEGER)")
    database.execute("INSERT INTO other VALUES (1)")
    script = apply_script(SHIFT.plan(database.engine), SHIFT.records(database.engine))
    before = database.dump()
    for options, begin in OPEN[database.engine]:
        said = run(database, f"{begin}\n{script}", stop, options)
        assert "migsync: applied" not in said.text
        words = "changed in your transaction" if database.engine == "sqlite" else "a transaction is open"
        assert f"{words}" in said.text, said.text
        assert said.status != 0 or not stop or database.engine == "sqlite"
        # Neither of the script nor of the caller: that was not committed, and not by the script either.
        assert database.dump() == before
        assert database.execute("SELECT n FROM other") == [(1,)]
        # What the caller commits then is the caller's own work, and all of it.
        run(database, f"{begin}\n{script}\nCOMMIT;\n", False, options)
        kept = database.execute("SELECT n FROM other") == [(2,)]
        assert kept is (database.engine != "postgresql" and "UPDATE" in begin)
        assert (database.dump() == before) is (database.engine != "sqlite")
        fill(database, SHIFT.records(database.engine))
        database.execute("UPDATE other SET n = 1")


def test_mysql_has_no_variable_for_an_open_transaction(mysql_database: Database) -> None:
    """The script as MySQL reads it, on MariaDB: its comments for one server are read by the other."""
    script = apply_script(SHIFT.plan("mysql"), SHIFT.records("mysql"))
    as_mysql = re.sub(r"/\*!50701 (.*?)\*/", r"\1", re.sub(r"/\*M!.*?\*/", "", script))
    assert as_mysql.count("in_transaction") == 0
    fill(mysql_database, SHIFT.records("mysql"))
    before = mysql_database.dump()
    begin = "START TRANSACTION; SELECT * FROM django_migrations;\n"
    for stop in (True, False):
        said = run(mysql_database, begin + as_mysql, stop)
        assert "Transaction characteristics can't be changed" in said.text
        assert stop or "migsync: nothing changed: a transaction is open" in said.text
        assert mysql_database.dump() == before
    assert "migsync: applied, 3 rows" in run(mysql_database, as_mysql).text


EASY = {
    "mysql": [["--safe-updates"], ["--safe-updates", "--init-command=SET autocommit = 0"]],
    "postgresql": [["-v", "SINGLELINE=off"]],
    "sqlite": [["-header", "-column"]],
}


def test_settings_of_a_client_that_a_script_can_bear(database: Database) -> None:
    plan = SHIFT.plan(database.engine)
    for options in EASY[database.engine]:
        fill(database, SHIFT.records(database.engine))
        before = database.dump()
        for stop in (True, False):
            script = apply_script(plan, SHIFT.records(database.engine))
            assert "migsync: applied, 3 rows" in run(database, script, stop, options).text
            assert "migsync: undone, 3 rows" in run(database, undo_script(plan), stop, options).text
            assert database.dump() == before


@pytest.mark.parametrize("stop", [True, False], ids=["stop", "go-on"])
def test_a_database_without_the_table(database: Database, stop: bool) -> None:
    said = run(database, apply_script(SHIFT.plan(database.engine), SHIFT.records(database.engine)), stop)
    assert "migsync: nothing changed" in said.text
    assert "has no table django_migrations" in said.text
    assert "migsync: applied" not in said.text
    assert said.status != 0 or not stop


def test_a_session_that_cannot_write(postgresql_database: Database) -> None:
    fill(postgresql_database, SHIFT.records("postgresql"))
    before = postgresql_database.dump()
    env = {"PGOPTIONS": "-c default_transaction_read_only=on"}
    said = run(postgresql_database, apply_script(SHIFT.plan("postgresql")), env=env)
    assert "migsync: nothing changed: this session cannot write" in said.text
    assert said.status != 0
    assert postgresql_database.dump() == before


def test_a_mariadb_that_is_read_only(mysql_database: Database) -> None:
    """The server of the tests is not to be made read-only: others use it. The script is shown another variable."""
    fill(mysql_database, SHIFT.records("mysql"))
    before = mysql_database.dump()
    script = apply_script(SHIFT.plan("mysql")).replace("@@GLOBAL.read_only", "@@GLOBAL.innodb_file_per_table")
    for stop in (True, False):
        said = run(mysql_database, script, stop)
        assert "migsync: nothing changed: this server is read-only" in said.text
        assert mysql_database.dump() == before
    assert runs(mysql_database) == ()


def test_postgresql_in_a_schema(postgresql_database: Database) -> None:
    schema = "ten'a\"nt \\ $migsync$"
    quoted = '"' + schema.replace('"', '""') + '"'
    postgresql_database.execute(f"CREATE SCHEMA {quoted}")
    fill(postgresql_database, REMAKE.records("postgresql"))
    untouched = postgresql_database.dump()
    postgresql_database.execute(f"CREATE TABLE {quoted}.django_migrations (LIKE django_migrations INCLUDING ALL)")
    postgresql_database.execute(f"INSERT INTO {quoted}.django_migrations SELECT * FROM django_migrations")
    plan = REMAKE.plan("postgresql", schema=schema)
    assert "migsync: applied, 2 rows" in run(postgresql_database, apply_script(plan)).text
    assert postgresql_database.dump() == untouched
    assert postgresql_database.execute(f"SELECT count(*) FROM {quoted}.migsync_run") == [(1,)]
    assert "migsync: undone, 2 rows" in run(postgresql_database, undo_script(plan)).text
    assert postgresql_database.execute(f"TABLE {quoted}.django_migrations EXCEPT TABLE django_migrations") == []


@pytest.mark.parametrize("init", INITS)
def test_settings_of_a_mariadb_session(mysql_database: Database, init: str) -> None:
    records, plan = odd_names("mysql")
    mysql_database.create_table()
    mysql_database.insert(records)  # type: ignore[arg-type]
    round_trip(mysql_database, plan, stop=False, options=[f"--init-command={init}"])
    assert not PROBE.exists()


def test_mariadb_gives_the_session_back_as_it_was(mysql_database: Database) -> None:
    fill(mysql_database, REMAKE.records("mysql"))
    ask = "SELECT @@sql_mode, @@time_zone, @@autocommit, @@innodb_lock_wait_timeout, @@lock_wait_timeout;\n"
    said = run(mysql_database, ask + apply_script(REMAKE.plan("mysql")) + ask).text.splitlines()
    assert said[:2] == said[-2:]


def test_mariadb_in_a_database_that_is_not_the_current_one(mysql_database: Database) -> None:
    fill(mysql_database, REMAKE.records("mysql"))
    before = mysql_database.dump()
    name = mysql_database.django["NAME"]
    plan = REMAKE.plan("mysql", schema=name)
    assert "migsync: applied, 2 rows" in run(mysql_database, apply_script(plan), options=["--skip-reconnect"]).text
    assert "migsync: undone, 2 rows" in run(mysql_database, undo_script(plan)).text
    assert mysql_database.dump() == before


def test_a_table_that_cannot_roll_back(mysql_database: Database) -> None:
    fill(mysql_database, SHIFT.records("mysql"))
    mysql_database.execute("ALTER TABLE django_migrations ENGINE = MyISAM")
    before = mysql_database.dump()
    said = run(mysql_database, apply_script(SHIFT.plan("mysql")), stop=False)
    assert "is not an InnoDB table" in said.text
    assert mysql_database.dump() == before


def test_a_column_that_updates_itself(mysql_database: Database) -> None:
    mysql_database.create_table()
    mysql_database.execute(
        "ALTER TABLE django_migrations MODIFY applied TIMESTAMP(6) NOT NULL"
        " DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"
    )
    with closing(mysql_database.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        for record in SHIFT.records("mysql"):
            cursor.execute("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", tuple(record))
        connection.commit()
    before = mysql_database.dump()
    plan = SHIFT.plan("mysql")
    said = run(mysql_database, apply_script(plan), options=["--init-command=SET time_zone = '+05:30'"])
    assert "migsync: applied, 3 rows" in said.text
    assert {row[0]: row[3] for row in mysql_database.dump()}.items() <= {row[0]: row[3] for row in before}.items()
    assert "migsync: undone, 3 rows" in run(mysql_database, undo_script(plan)).text
    assert mysql_database.dump() == before


FAILING = {
    "postgresql": (
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'failing'; END $$",
        "CREATE TRIGGER fail BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION fail()",
    ),
    "mysql": (
        "CREATE TRIGGER fail BEFORE {event} ON {table} FOR EACH ROW"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'failing'",
    ),
    "sqlite": ("CREATE TRIGGER fail BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'failing'); END",),
}
MEDDLING = {
    "postgresql": (
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.name = NEW.name || 'x'; RETURN NEW; END $$",
        "CREATE TRIGGER meddle BEFORE UPDATE ON django_migrations FOR EACH ROW EXECUTE FUNCTION meddle()",
    ),
    "mysql": (
        "CREATE TRIGGER meddle BEFORE UPDATE ON django_migrations FOR EACH ROW SET NEW.name = CONCAT(NEW.name, 'x')",
    ),
    "sqlite": (
        "CREATE TRIGGER meddle AFTER UPDATE ON django_migrations BEGIN"
        " UPDATE django_migrations SET name = name || 'x' WHERE id = NEW.id; END",
    ),
}


@pytest.mark.parametrize(
    ("event", "table"),
    [("DELETE", "django_migrations"), ("UPDATE", "django_migrations"), ("INSERT", "migsync_run")],
)
def test_a_statement_that_fails_on_the_way(database: Database, event: str, table: str) -> None:
    plan = SHIFT.plan(database.engine)
    fill(database, SHIFT.records(database.engine))
    run(database, apply_script(plan))
    run(database, undo_script(plan))
    before = database.dump()
    for statement in FAILING[database.engine]:
        database.execute(statement.format(event=event, table=table))
    for stop in (True, False):
        said = run(database, apply_script(plan), stop)
        assert "failing" in said.text
        assert "migsync: applied" not in said.text
        assert said.status != 0 or not stop
        assert database.dump() == before
        assert len(runs(database)) == 2


def test_a_trigger_that_meddles(database: Database) -> None:
    fill(database, SHIFT.records(database.engine))
    before = database.dump()
    for statement in MEDDLING[database.engine]:
        database.execute(statement)
    for stop in (True, False):
        said = run(database, apply_script(SHIFT.plan(database.engine)), stop)
        assert "migsync: failed" in said.text
        assert said.status != 0 or not stop
        assert database.dump() == before
    assert runs(database) == ()


LOCKING = {
    "postgresql": ("LOCK TABLE django_migrations IN ROW EXCLUSIVE MODE",),
    "mysql": ("START TRANSACTION", "SELECT * FROM django_migrations WHERE id = 3 FOR UPDATE"),
    "sqlite": ("BEGIN IMMEDIATE",),
}


@pytest.mark.parametrize("stop", [True, False])
def test_somebody_else_holds_the_lock(database: Database, stop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "LOCK_SECONDS", 1)
    monkeypatch.setattr(mysql, "LOCK_SECONDS", 1)
    fill(database, SHIFT.records(database.engine))
    before = database.dump()
    script = apply_script(SHIFT.plan(database.engine))
    options = ["-cmd", ".timeout 100"] if database.engine == "sqlite" else []
    connection = (
        sqlite3.connect(str(database.path), isolation_level=None) if database.engine == "sqlite" else database.connect()
    )  # type: ignore[attr-defined]
    with closing(connection), closing(connection.cursor()) as cursor:
        for statement in LOCKING[database.engine]:
            cursor.execute(statement)
        said = run(database, script, stop, options)
        assert "lock" in said.text.lower(), said.text
        assert "migsync: applied" not in said.text
        assert said.status != 0 or not stop
        connection.rollback()
    assert database.dump() == before
    assert "migsync: applied, 3 rows" in run(database, script, stop).text


def test_the_sequence_is_behind(postgresql_database: Database) -> None:
    fill(postgresql_database, REUSE.records("postgresql"))
    assert "migsync: applied" in run(postgresql_database, apply_script(REUSE.plan("postgresql"))).text
    assert [row[0] for row in postgresql_database.dump()] == ["1", "2", "90", "91", "92"]


def test_rows_that_come_back_keep_the_sequence_ahead(postgresql_database: Database) -> None:
    database, plan = postgresql_database, COLLAPSE.plan("postgresql")
    fill(database, COLLAPSE.records("postgresql"))
    run(database, apply_script(plan))
    database.execute("DELETE FROM django_migrations WHERE id = 90")
    run(database, undo_script(plan))
    added = database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now()) RETURNING id")
    assert added == [(5,)]


def test_a_plan_for_the_journal_alone(database: Database) -> None:
    fill(database, SHIFT.records(database.engine))
    plan = replace(SHIFT.plan(database.engine), changes=())
    said = [
        run(database, text).text
        for text in (apply_script(plan), apply_script(plan), undo_script(plan), undo_script(plan))
    ]
    assert [
        text.strip().splitlines()[-1 if database.engine != "postgresql" else 0].rpartition("migsync: ")[2]
        for text in said
    ] == ["applied, 0 rows", "already applied", "undone, 0 rows", "already undone"]
    assert [found.kind for found in runs(database)] == [RunKind.APPLY, RunKind.UNDO]
    assert "applied, 0 rows" in run(database, apply_script(plan)).text


def test_duplicates_come_back(database: Database) -> None:
    engine = database.engine
    first = SHIFT.records(engine)[0]
    records = [first, first._replace(id=2), first._replace(id=3)]
    fill(database, records)
    changes = (Change(records[1], None, "dedupe"), Change(records[2], None, "dedupe"))
    round_trip(database, Plan(SHIFT.plan(engine).target, changes))
