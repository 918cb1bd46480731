"""Make the fixtures of one format anew: ``python -m tests.formats.make DIRECTORY PYTHON``.

PYTHON is that of an environment in which the old migsync is installed; see README.md here. One archive for each engine
and each state goes to DIRECTORY. The servers are those of the tests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import (
    ENGINES,
    Database,
    MySQLDatabases,
    PostgreSQLDatabases,
    Server,
    SQLiteDatabase,
    django_databases,
    program,
)
from tests.formats.archive import pack
from tests.formats.old import POINTS
from tests.formats.project import ALIASES, DATABASES, MAPPED, NEW_FILES, PROJECT, applied_at, identity_of
from tests.postgresql_server import running_server

DJANGO = "import django\nfrom django.core.management import execute_from_command_line as run\nimport sys\nrun(sys.argv)"
CUT_OFF = ("renumber", "shop", "--update-db", "-d", "default", "--allow-applied", "--noinput")


@dataclass
class Story:
    """One project with its two databases, made by the old migsync at `python`."""

    place: Path
    python: str
    databases: dict[str, Database]
    out: Path

    @property
    def root(self) -> Path:
        return self.place / "project"

    @property
    def engine(self) -> str:
        return self.databases["default"].engine

    def tell(self) -> None:
        """All of it, and an archive for each state."""
        self.write(PROJECT)
        self.migrate("default")
        self.migrate("second", "shop", "0004_merge")
        self.migrate("second", "blog")
        self.migsync("linearize", *CUT_OFF[2:])
        self.migsync("squash", "blog", "0001", "0003", *CUT_OFF[2:])
        undone = self.last_run()
        self.migsync("undo", "-d", "default", undone, "--noinput", "--reason", "it's a test; with 100% of \\ and \"")
        self.migsync("undo", "-d", "default", self.last_run(), "--noinput")
        self.write(NEW_FILES)
        self.migrate("default")
        self.migsync(*CUT_OFF)
        self.migsync("undo", "--files", "--noinput")
        self.migsync("plan", "-o", str(self.place / "plan.json"))
        self.plan_of_map()
        self.keep("settled")
        for point in POINTS:
            self.migsync(*CUT_OFF, point=point)
            self.keep(point)
            self.migsync("recover")
            if point != "before-commit":
                self.migsync("undo", "--files", "--noinput")

    def plan_of_map(self) -> None:
        """A plan that rests on a rewrite which no file holds yet: the last migration has another name for a moment."""
        old, new = (self.root / "shop" / "migrations" / f"{name}.py" for name in MAPPED)
        old.rename(new)
        self.migsync("plan", "-d", "default", "--map", "shop.{}={}".format(*MAPPED), "-o", str(self.place / "map.json"))
        new.rename(old)

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        config = self.root / "config.py"
        config.write_text(config.read_text().replace(DATABASES, django_databases(self.databases)))

    def migrate(self, alias: str, *names: str) -> None:
        """Django's own migrate, at times that are ours."""
        self._run("-c", DJANGO, "migrate", *names, "--database", alias, "-v0")
        database = self.databases[alias]
        for id_, *_ in database.dump():
            database.execute(f"UPDATE django_migrations SET applied = '{applied_at(alias, int(id_))}' WHERE id = {id_}")

    def migsync(self, *arguments: str, point: str = "") -> str:
        return self._run("-P", str(Path(__file__).with_name("old.py")), point, *arguments, killed=bool(point))

    def _run(self, *arguments: str, killed: bool = False) -> str:
        env = {**os.environ, "MIGSYNC_CACHE": str(self.place / "cache"), "DJANGO_SETTINGS_MODULE": "config"}
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        ended = subprocess.run(
            [self.python, *arguments], cwd=self.root, env=env, capture_output=True, text=True, check=False
        )
        assert ended.returncode == (-signal.SIGKILL if killed else 0), (arguments, ended.stdout, ended.stderr)
        return ended.stdout

    def last_run(self) -> str:
        log = json.loads(self.migsync("log", "-d", "default", "--format", "json"))
        return str(log["databases"][0]["runs"][0]["id"])

    def keep(self, state: str) -> None:
        """Project, saved plans and databases as one text, without a word about this machine."""
        for alias, database in self.databases.items():
            (self.place / f"{alias}.sql").write_text(dump(database))
        with tempfile.TemporaryDirectory() as directory:
            kept = Path(directory)
            plans = self.place.glob("*.json") if state == "settled" else []
            for path in (*self.place.glob("*.sql"), *plans):
                shutil.copy(path, kept)
            shutil.copytree(self.root, kept / "project")
            config = kept / "project" / "config.py"
            config.write_text(config.read_text().replace(django_databases(self.databases), DATABASES))
            for path in kept.glob("*.json"):
                text = path.read_text()
                for plan in json.loads(text)["plans"]:
                    text = text.replace(plan["target"]["identity"], identity_of(plan["target"]["alias"]))
                path.write_text(text)
            packed = pack(kept)
        for name in (str(self.place), os.uname().nodename, *self._names()):
            assert not re.search(rf"\b{re.escape(name)}\b", packed), name
        (self.out / f"{self.engine}-{state}.txt").write_text(packed)

    def _names(self) -> Iterator[str]:
        for database in self.databases.values():
            yield str(database.path if isinstance(database, SQLiteDatabase) else database.name)


def dump(database: Database) -> str:
    """Everything in the database as SQL that its driver runs statement by statement."""
    if isinstance(database, SQLiteDatabase):
        with closing(sqlite3.connect(database.path)) as connection:
            return "".join(f"{statement}\n" for statement in connection.iterdump())
    name, server = database.name, database.server
    if database.engine == "postgresql":
        pg_dump = str(server.bin / "pg_dump") if server.bin else program("pg_dump")
        command = [pg_dump, "-h", server.host, "-p", str(server.port), "-U", server.user]
        command += ["--inserts", "--no-owner", "--no-privileges", name]
    else:
        command = [program("mariadb-dump", "mysqldump"), "--no-defaults", "--protocol=TCP", "-h", server.host]
        command += ["-P", str(server.port), "-u", server.user, "--compact", "--skip-extended-insert", name]
    text = subprocess.run(command, env=database.env(), capture_output=True, text=True, check=True).stdout
    # Comments name versions of servers, older servers do not know all settings, and a backslash is for psql.
    kept = [line for line in text.splitlines() if line and not line.startswith(("--", "/*", "\\", "SET "))]
    return "".join(f"{line}\n" for line in kept)


@contextmanager
def databases(engine: str, place: Path) -> Iterator[dict[str, Database]]:
    if engine == "sqlite":
        yield {alias: SQLiteDatabase(place / f"{alias}.sqlite3") for alias in ALIASES}
        return
    url = os.environ.get(f"MIGSYNC_TEST_{'MARIADB' if engine == 'mysql' else 'POSTGRESQL'}")
    if engine == "mysql":
        assert url, "set MIGSYNC_TEST_MARIADB"
        with MySQLDatabases.open(Server.from_url(url, 3306)) as made, made.database() as one, made.database() as two:
            yield {"default": one, "second": two}
    elif url:
        with postgresql_databases(Server.from_url(url, 5432)) as found:
            yield found
    else:
        with running_server() as server, postgresql_databases(server) as found:
            yield found


@contextmanager
def postgresql_databases(server: Server) -> Iterator[dict[str, Database]]:
    with PostgreSQLDatabases.open(server) as made, made.database() as one, made.database() as two:
        yield {"default": one, "second": two}


def main(directory: str, python: str) -> None:
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    for engine in ENGINES:
        with tempfile.TemporaryDirectory() as name, databases(engine, Path(name)) as found:
            Story(Path(name).resolve(), python, found, out).tell()


if __name__ == "__main__":
    main(*sys.argv[1:])
