"""The task of Celery workers: which databases a message may be about, and to whom a worker answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from migsync.errors import MigsyncError
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.plan_request import PlanRequest
from migsync.sync.task_message import ANSWERS, TaskAnswer, TaskMessage, TaskState
from tests.cli.entries import Entry, Project, record
from tests.databases import SQLiteDatabase, unavailable

RUN = "0123456789abcdef" * 2


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Any:
    if not importlib.util.find_spec("celery"):
        unavailable("no Celery: install the extra celery")
    from migsync.companion import project_files, tasks

    monkeypatch.setattr(tasks, "FILES", project_files.ProjectFiles())
    return tasks


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        record(SQLiteDatabase(tmp_path / f"{name}.sqlite3"))
    url = f"sqlite:///{tmp_path}/{{tenant}}.sqlite3"
    return Project.make(tmp_path, {"tenants": Entry(url, tenants=["a", "b"])})


def message(alias: str) -> TaskMessage:
    plan = Plan(TargetRef(alias, "sqlite", "elsewhere"))
    return TaskMessage.of(RUN, plan, PlanRequest(), lock_timeout=5, reason="", author="me@here")


@pytest.mark.parametrize(
    ("alias", "code"),
    [
        ("tenants:a", "plan-file"),  # another database's plan
        ("tenants:*", "target"),
        ("tenants:c", "unknown-alias"),
        ("tenants", "target"),
        ("elsewhere", "unknown-alias"),
        ("../b", "unknown-alias"),
    ],
)
def test_a_message_is_about_one_target_of_the_project(tasks: Any, project: Project, alias: str, code: str) -> None:
    with pytest.raises(MigsyncError) as raised:
        tasks.carry_out(message(alias), "w1@here")
    assert raised.value.code == code


def test_a_tenant_that_came_later_is_found(tasks: Any, project: Project) -> None:
    project.configure({"tenants": Entry(f"sqlite:///{project.root}/{{tenant}}.sqlite3", tenants="*")})
    with tasks.READING:
        assert tasks.FILES.target("tenants:a").alias == "tenants:a"
    record(SQLiteDatabase(project.root / "c.sqlite3"))
    assert tasks.FILES.target("tenants:c").alias == "tenants:c"


class Sink:
    """A broker that keeps what is published."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.app = SimpleNamespace(amqp=SimpleNamespace(producer_pool=self))

    def acquire(self, *, block: bool) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None: ...

    def publish(self, _body: object, *, routing_key: str, **_: object) -> None:
        self.published.append(routing_key)


@pytest.mark.parametrize("queue", ["celery", "", None, f"x{ANSWERS}1", f"{ANSWERS}1"])
def test_answers_go_to_queues_of_ours_only(tasks: Any, queue: str | None) -> None:
    sink = Sink()
    task = SimpleNamespace(app=sink.app, request=SimpleNamespace(reply_to=queue))
    tasks._answer(task, TaskAnswer(RUN, TaskState.BEGUN, "w1@here"))
    assert sink.published == ([queue] if queue == f"{ANSWERS}1" else [])


def test_what_is_no_message_is_dropped(tasks: Any, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink()
    task = SimpleNamespace(app=sink.app, request=SimpleNamespace(reply_to=f"{ANSWERS}1", hostname="w1@here"))
    tasks._apply(task, {"kind": "task", "run": "\x1b[2J"})
    assert sink.published == []
    assert "is not one of migsync's" in caplog.text
    assert "\x1b" not in caplog.text
