"""Scratch databases whose process was killed: the next process drops them, and never one whose owner is alive."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from migsync.engines.config import DatabaseConfig
from migsync.proof.scratch import scratch_database
from tests.conftest import NewDatabase
from tests.databases import Database, user_of
from tests.pitfalls.project import Project
from tests.project.projects import write

SERVERS = ("postgresql", "mysql")
FILES = {
    "0001_initial.py": """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))])]
""",
    "0002_wait.py": """import os
from django.db import migrations


def wait(apps, schema_editor):
    if "MIGSYNC_TEST_GATE" in os.environ:
        with open(os.environ["MIGSYNC_TEST_READY"], "w") as ready:
            ready.write(schema_editor.connection.settings_dict["NAME"] + "\\n")
        open(os.environ["MIGSYNC_TEST_GATE"]).close()


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(wait)]
""",
}
COMMANDS = {
    "verify": ["verify", "--rebuild"],
    "repair": ["repair", "--rebuild", "--dry-run"],
    "proof": ["squash", "shop", "0001", "0002", "--dry-run", "--no-prove-transition", "--prove-schema", "default"],
}
RIGHTS = {
    "postgresql": ("ALTER ROLE {user} CREATEDB", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}"),
    "mysql": ("GRANT SELECT ON {name}.* TO {user}", r"GRANT ALL ON `migsync\_scratch\_%`.* TO {user}"),
}
"""For a user that owns nothing, and may make scratch databases."""


def exists(database: Database, name: str) -> bool:
    names = "SELECT datname FROM pg_database" if database.engine == "postgresql" else "SHOW DATABASES"
    return (name,) in database.execute(names)


def wait_for_its_end(database: Database, name: str) -> None:
    """The server learns of the end of a process a moment later."""
    sessions = {
        "postgresql": "SELECT FROM pg_stat_activity WHERE %s IN (datname::text, application_name)",
        "mysql": "SELECT id FROM information_schema.processlist WHERE db = %s OR IS_USED_LOCK(%s) IS NOT NULL",
    }[database.engine]
    end = time.monotonic() + 60
    while database.execute(sessions, (name,) * sessions.count("%s")):
        assert time.monotonic() < end


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("engine", SERVERS)
def test_what_a_killed_process_left_goes_with_the_next(
    engine: str, command: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    database = new_database(engine)
    project = Project(tmp_path / "project", {"default": database})
    project.root.mkdir()
    project.write_files("shop", ())
    write(project.migrations("shop"), FILES)
    assert project.manage_all(["migrate"])[0].status == 0
    with user_of(database) as (user, url):
        for statement in RIGHTS[engine]:
            database.execute(statement.format(user=user, name=database.name))  # type: ignore[attr-defined]
        credentials = {"USER": user.split("@")[0].strip("'\""), "PASSWORD": "s3cr3t"}
        assert credentials["USER"] in url
        with (project.root / "config/settings.py").open("a") as settings:
            settings.write(f"DATABASES['default'] |= {credentials!r}\n")
        # Another checkout, as on another host: what they share is the server.
        other = replace(project, root=tmp_path / "other")
        shutil.copytree(project.root, other.root)
        arguments, ready, gate = COMMANDS[command], tmp_path / "ready", tmp_path / "gate"
        for fifo in (ready, gate):
            os.mkfifo(fifo)
        # Open for reading and writing, a FIFO does not wait for a writer.
        with ready.open("rb+", buffering=0) as line:
            process = subprocess.Popen(
                [sys.executable, "-m", "migsync", *arguments],
                cwd=project.root,
                env={**project.environment(), "MIGSYNC_TEST_READY": str(ready), "MIGSYNC_TEST_GATE": str(gate)},
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                assert select.select([line], [], [], 120)[0]
                name = line.readline().decode().strip()
                other.migsync(*arguments)  # `squash` refuses in the end: a migration has a function of its own
                assert exists(database, name), "dropped, although its owner lives"
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        wait_for_its_end(database, name)
        assert exists(database, name)
        other.migsync(*arguments)
        assert not exists(database, name)


@pytest.mark.parametrize("engine", SERVERS)
def test_only_what_nobody_claims_is_dropped(engine: str, new_database: NewDatabase) -> None:
    database = new_database(engine)
    dead, claimed, other = (f"migsync_scratch_{secrets.token_hex(6)}{end}" for end in ("", "", "_other"))
    claim = f"SET application_name = {claimed}" if engine == "postgresql" else f"SELECT GET_LOCK('{claimed}', 0)"
    with closing(database.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(claim)
        connection.commit()
        try:
            for name in (dead, claimed, other):
                database.execute(f"CREATE DATABASE {name}")
            with scratch_database(DatabaseConfig("default", database.url)) as scratch:
                assert [exists(database, name) for name in (dead, claimed, other, scratch.name)] == [False, *[True] * 3]
                # Also where nobody is connected to it.
                with scratch_database(DatabaseConfig("default", database.url)):
                    assert exists(database, scratch.name)
            assert not exists(database, scratch.name)
        finally:
            for name in (dead, claimed, other):
                database.execute(f"DROP DATABASE IF EXISTS {name}")
