"""A Django project with Celery on RabbitMQ, three workers, and a database with a schema for each tenant."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migsync.sync.task_message import TASK
from tests.cli.entries import FILE, NEW, OLD, Ended, record
from tests.databases import PostgreSQLDatabase, unavailable
from tests.project.projects import django_project

if TYPE_CHECKING:
    import psycopg

BROKER = "amqp://guest:guest@127.0.0.1:5672/"
PATIENCE = 90.0
"""Seconds, for what takes one or two on a machine that does nothing else."""
CELERY = """
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""
SETTINGS = """
import os

INSTALLED_APPS = ["shop", "migsync.companion"]
USE_TZ = True
DATABASES = {{"default": {{**{database!r}, "OPTIONS": {{"application_name": os.environ.get("WORKER", "command")}}}}}}
CELERY_BROKER_URL = {broker!r}
CELERY_TASK_DEFAULT_QUEUE = {name!r}
CELERY_CONTROL_EXCHANGE = {name!r}
# What goes to a queue directly could not be watched.
CELERY_TASK_DEFAULT_EXCHANGE_TYPE = "topic"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
"""
TENANTS = tuple(f"t{number:02}" for number in range(1, 13))
ENTRY = """
[tool.migsync]
celery = "config.celery_app:app"

[tool.migsync.databases.tenants]
alias = "default"
schemas = ["t*"]
"""
WAITING = "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'w%'"


def until(condition: Callable[[], Any], what: str) -> Any:
    """What the condition returns as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"not in {PATIENCE:g} seconds: {what}"
        time.sleep(0.02)
    return found


def require_broker() -> None:
    """Skip the test where no RabbitMQ listens, or Celery is not installed; in CI that is a failure."""
    place = urlsplit(BROKER)
    try:
        import celery  # noqa: F401

        socket.create_connection((place.hostname, place.port), 5).close()
    except ImportError:
        unavailable("no Celery: install the extra celery")
    except OSError:
        unavailable(f"no RabbitMQ on {place.hostname}:{place.port}")


@dataclass
class Site:
    """The project in `root`. `workers` are those that run, by their names; `name` is that of their queue."""

    root: Path
    database: PostgreSQLDatabase
    name: str
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def running(cls, root: Path, database: PostgreSQLDatabase) -> Iterator[Site]:
        """With three workers that answer."""
        site = cls(root, database, f"migsync-test-{uuid.uuid4().hex}")
        site.write()
        try:
            for number in (1, 2, 3):
                site.start(f"w{number}")
            until(lambda: len(site.app.control.ping(timeout=0.3) or ()) == 3, f"three workers answer\n{site.logs()}")
            yield site
        finally:
            for process in site.workers.values():
                process.kill()
                process.wait()
            with site.app.connection_for_write() as connection, closing(connection.channel()) as channel:
                channel.queue_delete(site.name)
                channel.exchange_delete(site.name)

    def write(self) -> None:
        """The files of the project: `shop`, whose second migration was renamed, with a rewrite that says so."""
        files = {"shop/__init__.py": "", "shop/migrations/__init__.py": "", "config/celery_app.py": CELERY}
        files |= {
            f"shop/migrations/{name}.py": FILE.format(above=f'("shop", "{NEW[0]}")' if number else "", number=number)
            for number, name in enumerate(NEW)
        }
        settings = SETTINGS.format(database=self.database.django, broker=BROKER, name=self.name)
        django_project(self.root, settings, files)
        (self.root / "pyproject.toml").write_text(ENTRY)
        record(self.database)
        for tenant in TENANTS:
            self.database.execute(f"CREATE SCHEMA {tenant}")
            self.database.execute(f"CREATE TABLE {tenant}.django_migrations (LIKE django_migrations INCLUDING ALL)")
        self.database.execute("ALTER TABLE django_migrations RENAME TO first_migrations")
        self.reset()
        ended = self.run("rewrite", "--map", "shop.0003_price=0002_price")
        assert ended.status == 0, ended

    def reset(self) -> None:
        """Every schema is as it was before the rewrite."""
        for tenant in TENANTS:
            rows = ", ".join(f"({number}, 'shop', '{name}', '2026-03-01')" for number, name in enumerate(OLD, 1))
            for table in ("migsync_run", "django_migrations"):
                if self.database.execute("SELECT to_regclass(%s)", (f"{tenant}.{table}",)) != [(None,)]:
                    self.database.execute(f"DELETE FROM {tenant}.{table}")
            self.database.execute(f"INSERT INTO {tenant}.django_migrations VALUES {rows}")

    @property
    def app(self) -> Any:
        """An app of the tests' own on the same broker."""
        from celery import Celery

        app = Celery("tests", broker=BROKER, set_as_current=False)
        app.conf.update(task_default_queue=self.name, task_default_exchange_type="topic", control_exchange=self.name)
        return app

    def start(self, name: str) -> None:
        """Start a worker: one process that does one task at a time."""
        arguments = ["--pool", "solo", "--loglevel", "INFO", "--hostname", f"{name}@test"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with (self.root / f"{name}.log").open("ab") as log:
            self.workers[name] = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config.celery_app:app", "worker", *arguments, *quiet],
                cwd=self.root,
                env=self.environment | {"WORKER": name},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self, name: str) -> None:
        """``kill -9``."""
        process = self.workers.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.root.glob("w*.log")))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "MIGSYNC_CACHE": str(self.root / "cache"), "C_FORCE_ROOT": "1"}

    def begin(self, *arguments: str, root: Path | None = None) -> subprocess.Popen[str]:
        """Start a command; :meth:`ended` waits for it."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "migsync", *arguments],
            cwd=root or self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=2 * PATIENCE)
        return Ended(process.returncode, out, err)

    def run(self, *arguments: str, root: Path | None = None) -> Ended:
        return self.ended(self.begin(*arguments, root=root))

    def apply(self, *arguments: str, root: Path | None = None) -> subprocess.Popen[str]:
        """Begin to apply with workers, as JSON."""
        return self.begin("apply", "--workers", "celery", "--noinput", "--format", "json", *arguments, root=root)

    @contextmanager
    def locked(self, tenants: Sequence[str] = TENANTS) -> Iterator[psycopg.Connection[Any]]:
        """Others can read the records of these tenants, and not change them, until the connection is closed."""
        with closing(self.database.connect()) as connection:
            for tenant in tenants:
                connection.execute(f"LOCK TABLE {tenant}.django_migrations IN SHARE ROW EXCLUSIVE MODE")
            yield connection

    def busy(self, count: int) -> list[str]:
        """The workers that wait for a lock, as soon as there are so many."""

        def waiting() -> list[str] | None:
            found = sorted({name for (name,) in self.database.execute(WAITING)})
            return found if len(found) >= count else None

        return until(waiting, f"{count} workers wait for a lock\n{self.logs()}")

    def idle(self) -> None:
        """Wait until no task is left."""

        def done() -> bool:
            with self.app.connection_for_read() as connection, closing(connection.channel()) as channel:
                left = channel.queue_declare(self.name, passive=True).message_count
            # A worker answers between two tasks.
            return not left and len(self.app.control.ping(timeout=0.3) or ()) == len(self.workers)

        until(done, "the queue is empty")

    def send(self, document: object, run_id: str, **options: Any) -> None:
        """Send what may be a message of migsync's."""
        self.app.send_task(TASK, args=[document], task_id=run_id, ignore_result=True, **options)

    def changed(self) -> set[str]:
        """The tenants that are up to date, each with one run in its journal; the others are as they were."""
        found = set()
        for tenant in TENANTS:
            query = f"SELECT name FROM {tenant}.django_migrations ORDER BY id"
            names = tuple(name for (name,) in self.database.execute(query))
            assert names in (OLD, NEW)
            if names == NEW:
                assert self.database.execute(f"SELECT count(*) FROM {tenant}.migsync_run") == [(1,)]
                found.add(tenant)
        return found

    def copy(self, root: Path) -> Path:
        """The files of the project once more."""
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns("*.log", "cache*"))
        return root


@contextmanager
def watched(site: Site, exchange: str, kind: str, key: str = "") -> Iterator[Callable[[], list[Any]]]:
    """A function for the bodies of all messages that go through an exchange, from now on."""
    from kombu import Consumer, Exchange, Queue

    bodies: list[Any] = []

    def take(message: Any) -> None:
        bodies.append(json.loads(message.body))

    with site.app.connection_for_read() as connection:

        def come() -> list[Any]:
            with suppress(TimeoutError):
                while True:
                    connection.drain_events(timeout=0.02)
            return bodies

        place = Exchange(exchange, kind, no_declare=True)
        queue = Queue(f"{site.name}-watched", place, key, exclusive=True, auto_delete=True, durable=False)
        with Consumer(connection, [queue], on_message=take, no_ack=True):
            yield come
