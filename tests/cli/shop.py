"""A small project for the command line's tests: files, SQLite databases, and migsync run as a person runs it."""

from __future__ import annotations

import json
import os
import pty
import select
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")\n'

OLD = ("0001_initial", "0003_price", "0004_merge", "0005_sku")
PATIENCE = 30
QUESTIONS = (b"[y/N]:", b"[y/N/d]:", b"Which goes first?:", b"Reason, for the log:")
NEW = ("0001_initial", "0002_price", "0003_sku")
MAPPED = ("--map", "shop.0003_price=0002_price", "--map", "shop.0005_sku=0003_sku", "--remove", "shop.0004_merge")
# Its terminal is that of its session, as a shell has it: Ctrl-C reaches it.
AT_TERMINAL = """
import fcntl, os, runpy, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("migsync", run_name="__main__", alter_sys=True)
"""


@dataclass
class Ended:
    """How one command ended."""

    status: int
    out: str
    err: str = ""

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Shop:
    """A project at `root` with one app, `shop`, whose migrations were renamed already."""

    root: Path
    databases: dict[str, dict[str, str]] = field(default_factory=dict)

    def write(self, *aliases, names=NEW, engine="django.db.backends.sqlite3"):
        self.databases = {alias: {"ENGINE": engine, "NAME": str(self.root / f"{alias}.sqlite3")} for alias in aliases}
        (self.root / "manage.py").write_text(MANAGE)
        self.settings()
        migrations = self.root / "shop" / "migrations"
        migrations.mkdir(parents=True, exist_ok=True)
        for package in (self.root / "shop", migrations):
            (package / "__init__.py").touch()
        for number, name in enumerate(names):
            above = f'("shop", "{names[number - 1]}")' if number else ""
            (migrations / f"{name}.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                f"    dependencies = [{above}]\n    operations = [migrations.RunSQL('SELECT {name[5:]!s:.3}')]\n"
            )
        return self

    def settings(self, extra=""):
        text = f"INSTALLED_APPS = ['shop']\nUSE_TZ = True\nDATABASES = {self.databases!r}\n{extra}\n"
        (self.root / "config.py").write_text(text)

    def record(self, alias, names=OLD):
        """Give a database its django_migrations, one row per name."""
        rows = [("shop", name, f"2026-03-0{number + 1} 10:00:00.12345{number}") for number, name in enumerate(names)]
        self.execute(
            alias,
            'CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT '
            'NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL)',
        )
        for row in rows:
            self.execute(alias, "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", row)
        return self

    def execute(self, alias, sql, parameters=()):
        with closing(sqlite3.connect(self.root / f"{alias}.sqlite3")) as connection, connection:
            return connection.execute(sql, parameters).fetchall()

    def rows(self, alias):
        return self.execute(alias, "SELECT id, app, name, CAST(applied AS TEXT) FROM django_migrations ORDER BY id")

    def names(self, alias):
        return tuple(row[2] for row in self.rows(alias))

    def environment(self, **more):
        ours = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "NO_COLOR")}
        return {**ours, "MIGSYNC_CACHE": str(self.root / ".cache"), **more}

    def run(self, *arguments, stdin=subprocess.DEVNULL, **environment):
        ended = subprocess.run(
            [sys.executable, "-m", "migsync", *arguments],
            cwd=self.root,
            env=self.environment(**environment),
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def rewrite(self):
        ended = self.run("rewrite", *MAPPED)
        assert ended.status == 0, ended.err
        return self

    def at_terminal(self, *arguments, answers=(), **environment):
        """Run at a pseudo-terminal, giving one answer to each question; one that is called does it while it waits."""
        terminal, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", AT_TERMINAL, *arguments],
            cwd=self.root,
            env=self.environment(**{"TERM": "xterm", "COLUMNS": "100"} | environment),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown, waiting, given = b"", list(answers), ""
        while True:
            if not select.select([terminal], [], [], PATIENCE)[0]:
                # CPython misses a Ctrl-C between its prompt and its read: a person presses it again.
                os.write(terminal, b"\x03")
                assert given == "\x03", shown.decode()
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux says EIO where the other end is closed
                break
            if not piece:
                break
            shown += piece
            if waiting and shown.rstrip().endswith(QUESTIONS):
                given = waiting.pop(0)
                given = given() if callable(given) else given
                os.write(terminal, given.encode())
        os.close(terminal)
        status = process.wait()
        assert b"Traceback" not in shown, shown.decode()
        return Ended(status, shown.decode())
