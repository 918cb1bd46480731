"""The command's side of ``--workers celery``, on a broker in memory: the journal is believed, and answers are hints."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest

from migsync.api import find_project
from migsync.errors import Blocked, InDoubt, Interrupted, MigsyncError, NotTaken
from migsync.sync.apply import Outcome, apply_plan
from migsync.sync.plan import Plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import survey
from migsync.sync.target import Target
from migsync.sync.task_message import TASK, TaskAnswer, TaskState
from tests.cli.celery_site import require_broker, until
from tests.cli.entries import NEW, OLD, Project, database, names, project
from tests.databases import Database

__all__ = ["database", "project"]

RUN = "0123456789abcdef" * 2
EARLIER = "f" * 32


@dataclass
class Sent:
    """A plan that was handed to workers, of which there are none: what they do, the test does."""

    app: Any
    applier: Any
    target: Target
    plan: Plan
    outcome: Future[Outcome]
    commit_sent: Event

    def answer(self, state: TaskState, journaled: str = "", error: MigsyncError | None = None) -> None:
        said = TaskAnswer(RUN, state, "w1@here", journaled, error=error).as_dict()
        with self.app.producer_pool.acquire() as producer:
            producer.publish(said, exchange="", routing_key=self.applier._answers, serializer="json")

    def carry_out(self, run_id: str = RUN) -> None:
        apply_plan(self.target, self.plan, run_id=run_id)


@contextmanager
def sent(project: Project, *, timeout: float = 60, lock_timeout: float = 10) -> Iterator[Sent]:
    require_broker()
    from celery import Celery

    from migsync.cli import celery_applier

    app = Celery("tests", broker="memory://", set_as_current=False)
    app.conf.task_default_queue = uuid.uuid4().hex  # what is in memory stays for the next test
    with (
        pytest.MonkeyPatch.context() as patch,
        survey(find_project(root=project.root), PlanRequest()) as found,
        celery_applier.CeleryApplier(app, PlanRequest(), timeout) as applier,
        ThreadPoolExecutor(1) as executor,
    ):
        patch.setattr(celery_applier, "BEGUN_SECONDS", 0.1)
        [plan], target, commit_sent = found.plans, found.targets["default"], Event()
        outcome = executor.submit(
            applier.apply,
            target,
            plan,
            run_id=RUN,
            lock_timeout=lock_timeout,
            journal=True,
            reason="",
            commit_sent=commit_sent,
        )
        until(lambda: applier._open and applier._answers and commit_sent.is_set(), "the task is sent")
        yield Sent(app, applier, target, plan, outcome, commit_sent)
        assert not outcome.running()


def test_the_journal_and_an_answer(project: Project, database: Database) -> None:
    with sent(project) as task:
        task.answer(TaskState.BEGUN)
        task.carry_out()
        task.answer(TaskState.ENDED, RUN)
        outcome = task.outcome.result()
    assert (outcome.status, outcome.run and outcome.run.id) == ("applied", RUN)
    assert names(database) == NEW


def test_an_answer_that_is_lost(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from migsync.cli import celery_applier

    monkeypatch.setattr(celery_applier, "LOOK_SECONDS", 0.1)
    with sent(project) as task:
        task.carry_out()
        assert task.outcome.result().status == "applied"


def test_an_earlier_run_that_did_the_same(project: Project) -> None:
    with sent(project) as task:
        task.carry_out(EARLIER)
        task.answer(TaskState.ENDED, EARLIER)
        outcome = task.outcome.result()
    assert (outcome.status, outcome.run and outcome.run.id) == ("already applied", EARLIER)


def test_a_failure_that_a_worker_reports(project: Project, database: Database) -> None:
    with sent(project) as task:
        task.answer(TaskState.FAILED, error=Blocked("It is blocked."))
        with pytest.raises(Blocked, match=r"It is blocked\."):
            task.outcome.result()
        assert not task.commit_sent.is_set()
    assert names(database) == OLD


def test_a_forged_answer_is_not_believed(project: Project, database: Database) -> None:
    """Neither that it is done, nor that it failed where the journal has the run."""
    with sent(project, timeout=0.5, lock_timeout=0.1) as task:
        task.answer(TaskState.ENDED, RUN)
        with pytest.raises(InDoubt):
            task.outcome.result()
    assert names(database) == OLD
    with sent(project) as task:
        task.carry_out()
        task.answer(TaskState.FAILED, error=Blocked("It is blocked."))
        assert task.outcome.result().status == "applied"


def test_what_is_no_answer_is_passed_over(project: Project) -> None:
    with sent(project) as task:
        for body in ("x", {"run": RUN}, [RUN]):
            with task.app.producer_pool.acquire() as producer:
                producer.publish(body, exchange="", routing_key=task.applier._answers, serializer="json")
        task.carry_out()
        task.answer(TaskState.ENDED, RUN)
        assert task.outcome.result().status == "applied"


def test_no_worker_in_time(project: Project, database: Database) -> None:
    with sent(project, timeout=0.2) as task:
        with pytest.raises(NotTaken):
            task.outcome.result()
        assert not task.commit_sent.is_set()
    assert names(database) == OLD


def test_a_worker_that_lost_its_connection_at_commit(project: Project) -> None:
    """It does not know how it ended. The database does."""
    with sent(project) as task:
        task.answer(TaskState.FAILED, error=InDoubt("The connection was lost."))
        with pytest.raises(MigsyncError, match="the server did not commit") as raised:
            task.outcome.result()
    assert not isinstance(raised.value, InDoubt)


def test_ctrl_c_before_a_worker_has_begun(project: Project) -> None:
    with sent(project) as task:
        task.applier.interrupt()
        with pytest.raises(Interrupted):
            task.outcome.result()


def test_the_message_expires(project: Project) -> None:
    with sent(project, timeout=0.5) as task, task.app.connection_for_read() as connection:
        message = until(
            lambda: connection.SimpleQueue(task.app.conf.task_default_queue).queue.get(), "the message is there"
        )
        assert message.headers["task"] == TASK
        assert message.headers["expires"]
        assert int(message.properties["expiration"]) == 500
        assert task.outcome.exception() is not None
