"""The databases of the tests are what Django makes, and what they tell is what the server says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import Database, MySQLDatabase, MySQLDatabases, Server, django_databases
from tests.postgresql_server import remove_leftovers

ROOT = Path(__file__).parent.parent

RECORDER = """
import django
from django.conf import settings
{databases}
# What startproject writes; without it Django before 6.0 makes an integer id.
settings.configure(DATABASES=DATABASES, USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
django.setup()
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
recorder = MigrationRecorder(connection)
recorder.ensure_schema()
recorder.record_applied("shop", "0001_initial")
"""

SHAPES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE tbl_name = 'django_migrations'",
    "postgresql": """
        SELECT column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity,
               identity_generation, identity_start, pg_get_constraintdef(pg_constraint.oid)
        FROM information_schema.columns LEFT JOIN pg_constraint
          ON conrelid = 'django_migrations'::regclass AND conkey = ARRAY[ordinal_position]::smallint[] AND contype = 'p'
        WHERE table_name = 'django_migrations' ORDER BY ordinal_position""",
    "mysql": "SHOW CREATE TABLE django_migrations",
}

ROWS = [
    (1, "shop", "0001_initial", "2024-01-02 03:04:05.000006"),
    (7, "shop", "0002_größe", "2024-01-02 03:04:06"),
]


def record_with_django(database: Database) -> None:
    subprocess.run(
        [sys.executable, "-W", "error", "-c", RECORDER.format(databases=django_databases({"default": database}))],
        check=True,
        env=os.environ | {"PYTHONPATH": ""},
    )


def test_the_table_is_the_one_that_django_makes(database: Database, new_database: NewDatabase) -> None:
    theirs = new_database(database.engine)
    record_with_django(theirs)
    theirs.execute("DELETE FROM django_migrations")

    database.create_table()
    if database.engine == "mysql":
        for each in (database, theirs):
            each.execute("ALTER TABLE django_migrations AUTO_INCREMENT = 1")

    shape = database.execute(SHAPES[database.engine])
    assert shape
    assert shape == theirs.execute(SHAPES[database.engine])


def test_a_dump_shows_the_text_of_the_server(database: Database) -> None:
    database.create_table()
    database.insert(ROWS)
    applied = {
        "sqlite": ("2024-01-02 03:04:05.000006", "2024-01-02 03:04:06"),
        "postgresql": ("2024-01-02 03:04:05.000006+00", "2024-01-02 03:04:06+00"),
        "mysql": ("2024-01-02 03:04:05.000006", "2024-01-02 03:04:06.000000"),
    }[database.engine]
    assert database.dump() == [
        ("1", "shop", "0001_initial", applied[0]),
        ("7", "shop", "0002_größe", applied[1]),
    ]


def test_a_dump_shows_what_django_recorded(database: Database) -> None:
    record_with_django(database)
    [(number, app, name, applied)] = database.dump()
    assert (number, app, name) == ("1", "shop", "0001_initial")
    assert applied.startswith("20")


def test_the_client_speaks_to_this_database(database: Database) -> None:
    database.create_table()
    database.insert(ROWS)
    finished = subprocess.run(
        database.client(),
        input="DELETE FROM django_migrations WHERE id = 7;\nSELECT name FROM django_migrations;\n",
        env=database.env(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "0001_initial" in finished.stdout
    assert [row[0] for row in database.dump()] == ["1"]


def test_databases_of_one_test_are_not_the_same(database: Database, new_database: NewDatabase) -> None:
    other = new_database(database.engine)
    database.create_table()
    with pytest.raises(Exception, match="django_migrations"):
        other.dump()


def test_each_database_starts_empty(sqlite_database: Database) -> None:
    assert Path(sqlite_database.django["NAME"]).exists()
    assert sqlite_database.execute("SELECT * FROM sqlite_master") == []


KILLED = """
import os, signal
from contextlib import ExitStack
from tests.databases import MySQLDatabases, Server
from tests.postgresql_server import running_server
with ExitStack() as stack:
    server = stack.enter_context(running_server())
    made = [server.host]
    if url := os.environ.get("MIGSYNC_TEST_MARIADB"):
        databases = stack.enter_context(MySQLDatabases.open(Server.from_url(url, 3306)))
        made.append(stack.enter_context(databases.database()).name)
    print(*made, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_run() -> list[str]:
    """What a test process made before it was killed."""
    finished = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=False, cwd=ROOT)
    assert finished.returncode == -signal.SIGKILL, finished.stderr
    return finished.stdout.split()


def test_what_a_killed_run_left_is_removed(mysql_databases: MySQLDatabases) -> None:
    socket_directory, name = killed_run()
    assert Path(socket_directory).exists()
    remove_leftovers()
    assert not Path(socket_directory).exists()

    # The server needs a moment to see that the client of a dead process is gone.
    until = time.monotonic() + 30
    while name in databases_of(mysql_databases.server) and time.monotonic() < until:
        with MySQLDatabases.open(mysql_databases.server):
            pass
    assert name not in databases_of(mysql_databases.server)


def databases_of(server: Server) -> list[str]:
    return [name for (name,) in MySQLDatabase(server, "information_schema").execute("SHOW DATABASES")]
