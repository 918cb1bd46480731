"""``--workers celery`` where that is not possible: what is said, and that nothing is changed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from migsync.cli import workers
from migsync.errors import WorkersUnusable
from migsync.sync.task_message import TASK
from tests.cli.entries import NEW, OLD, Ended, Entry, Project, names, record
from tests.databases import Database, unavailable

PASSWORD = "s3cr3tPASS"
APP = """
from celery import Celery

app = Celery("shop_tasks", broker={broker!r}, set_as_current=False)
app.conf.update(broker_connection_timeout=1)
"""
NO_BROKER = f"amqp://guest:{PASSWORD}@127.0.0.1:1//"


@pytest.fixture(autouse=True)
def _celery() -> None:
    if not importlib.util.find_spec("celery"):
        unavailable("no Celery: install the extra celery")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return record(sqlite_database)


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    project = Project.make(tmp_path, {"default": Entry(database.url)}, 'celery = "shop_tasks:app"')
    (tmp_path / "shop_tasks.py").write_text(APP.format(broker=NO_BROKER))
    return project


def refused(project: Project, database: Database, *more: str) -> Ended:
    ended = project.run("apply", "--workers", "celery", "--noinput", *more)
    assert ended.status in (1, 64), ended
    assert "Traceback" not in ended.err
    assert PASSWORD not in ended.out + ended.err
    assert names(database) == OLD
    return ended


def test_no_broker(project: Project, database: Database) -> None:
    assert "The broker of the Celery app cannot be reached" in refused(project, database).err


def test_celery_is_not_installed(project: Project, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'migsync[celery]'" in refused(project, database).err


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        (f"raise RuntimeError('amqp://me:{PASSWORD}@broker/')", "RuntimeError"),
        ("app = 1", "shop_tasks:app is not a Celery app."),
        ("", "The Celery app shop_tasks:app cannot be used"),
    ],
)
def test_an_app_that_cannot_be_used(project: Project, database: Database, written: str, said: str) -> None:
    (project.root / "shop_tasks.py").write_text(written)
    assert said in refused(project, database).err


def test_nothing_names_the_app(project: Project, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    project.configure({"default": Entry(database.url)})
    assert "Nothing names the project's Celery app." in refused(project, database).err
    monkeypatch.setenv("CELERY_APP", "shop_tasks")
    assert "The broker of the Celery app cannot be reached" in refused(project, database).err


def test_options_that_do_not_fit(project: Project, database: Database) -> None:
    assert "without a journal" in refused(project, database, "--no-journal").err
    ended = project.run("apply", "--timeout", "5", "--noinput")
    assert (ended.status, names(database)) == (64, OLD)
    assert "--timeout needs --workers." in ended.err
    ended = project.run("undo", "--files", "--workers", "celery", "--noinput")
    assert ended.status == 64


def test_a_dry_run_asks_no_broker(project: Project, database: Database) -> None:
    assert project.run("apply", "--workers", "celery", "--dry-run").status == 0
    assert names(database) == OLD


def test_a_rewrite_that_workers_cannot_have(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ready_processes", lambda app: 1)
    [rewrite] = (project.root / "migration_rewrites").iterdir()
    rewrite.unlink()
    stated = ("--map", "shop.0003_price=0002_price")
    assert "The plan depends on a rewrite that is not written yet." in refused(project, database, *stated).err
    assert not list((project.root / "migration_rewrites").iterdir())
    assert project.run("rewrite", *stated).status == 0
    assert project.run("apply", "--noinput").status == 0
    assert names(database) == NEW


class Answers:
    """Celery's control, with workers that answer this: a fault of each kind."""

    def __init__(self, found: dict[str, dict[str, Any]]) -> None:
        self.found = found

    def broadcast(self, what: str, **_: Any) -> list[dict[str, Any]]:
        return [{name: said[what]} for name, said in self.found.items()]


def worker(queue: str = "celery", tasks: tuple[str, ...] = (TASK,), processes: int = 4) -> dict[str, Any]:
    return {
        "ping": {"ok": "pong"},
        "registered": [f"{task} [rate_limit=1/s]" for task in tasks],
        "active_queues": [{"name": queue}],
        "stats": {"pool": {"max-concurrency": processes}},
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "No Celery worker answers."),
        ({"a": worker("mail")}, "No Celery worker takes tasks from the queue celery."),
        ({"a": worker(), "b": worker(tasks=("shop.mail",))}, f"The task {TASK} is not known to b."),
        ({"a": worker(), "b": {**worker(), "registered": {"error": "busy"}}}, f"The task {TASK} is not known to b."),
        ({"a": worker(), "b": worker(processes=2), "c": worker("mail", ())}, ""),
    ],
)
def test_workers_that_answer(found: dict[str, dict[str, Any]], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    app = Celery("shop_tasks", broker="memory://", set_as_current=False)
    monkeypatch.setattr(app, "control", Answers(found))
    if not said:
        assert workers.ready_processes(app) == 6
        return
    with pytest.raises(WorkersUnusable, match=said):
        workers.ready_processes(app)
