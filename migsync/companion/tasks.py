"""The task of ``migsync apply --workers celery``, on the project's own Celery workers.

``app.autodiscover_tasks()`` finds it where ``"migsync.companion"`` is in INSTALLED_APPS; elsewhere name this module in
the app's ``imports``. It is acknowledged late: the broker delivers it again where a worker is killed, and the run's id
in the target's journal makes the second time harmless. Its result is that journal. What leaves nothing there, such as a
refusal, is answered over the broker, and logged.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from threading import Lock
from typing import Any

from celery import shared_task

from migsync.companion.project_files import FILES
from migsync.decoder import DecodeError
from migsync.errors import MigsyncError
from migsync.escapes import printable, printable_lines
from migsync.redaction import redact
from migsync.sync.apply import Outcome, apply_plan
from migsync.sync.message_review import done_before, plan_here
from migsync.sync.stated_records import timed
from migsync.sync.target import open_target
from migsync.sync.task_message import ANSWERS, TASK, TaskAnswer, TaskMessage, TaskState

LOGGER = logging.getLogger("migsync")
READING = Lock()
"""With `--pool threads` a process has several tasks at a time, and their files in common."""


def carry_out(message: TaskMessage, worker: str) -> Outcome:
    """Carry out the plan of a message in its target, unless that is done. `worker` is the name of this one.

    Raises what :func:`migsync.sync.apply.apply_plan` raises, and OtherFiles.
    """
    with READING:
        config = FILES.target(message.alias)
    with open_target(config) as target:
        if done := done_before(target, message):
            return done
        with READING:
            plan = plan_here(message, target, *FILES.read(), worker=worker)
        if isinstance(plan, Outcome):
            return plan
        return apply_plan(
            target,
            timed(plan, target, use_tz=bool(FILES.project.use_tz)),
            run_id=message.run,
            lock_timeout=message.lock_timeout,
            reason=message.reason,
            author=message.author,
        )


def _apply(task: Any, document: object) -> None:  # noqa: ANN401 (a bound task of Celery's)
    request = task.request
    try:
        message = TaskMessage.from_dict(document)
    except DecodeError as error:
        # Nobody to answer: who sent this is not a migsync of this version.
        LOGGER.error("A message is not one of migsync's, and was dropped: %s", printable(str(error)))
        return
    worker = str(request.hostname)
    _answer(task, TaskAnswer(message.run, TaskState.BEGUN, worker))
    try:
        outcome = carry_out(message, worker)
    except MigsyncError as error:
        LOGGER.error("%s: not done, run %s: %s", printable(message.alias), message.run, printable(str(error)))
        _answer(task, TaskAnswer(message.run, TaskState.FAILED, worker, error=error))
        return
    except Exception as error:
        # It may quote a password, or what a terminal obeys.
        trace = printable_lines(redact(traceback.format_exc()))
        LOGGER.error("%s: run %s failed\n%s", printable(message.alias), message.run, trace)
        fault = MigsyncError(
            f"{message.alias}: {redact(f'{type(error).__name__}: {error}')}", "", f"See the log of the worker {worker}."
        )
        _answer(task, TaskAnswer(message.run, TaskState.FAILED, worker, error=fault))
        return
    LOGGER.info("%s: %s, run %s", printable(message.alias), outcome.status, message.run)
    journaled = outcome.run.id if outcome.run else ""
    _answer(task, TaskAnswer(message.run, TaskState.ENDED, worker, journaled, outcome.findings))


def _answer(task: Any, answer: TaskAnswer) -> None:  # noqa: ANN401
    """Tell whoever waits for it, if anybody does: without an answer the command finds the run in the journal."""
    queue = str(task.request.reply_to or "")
    if not queue.startswith(ANSWERS):
        return
    with suppress(Exception), task.app.amqp.producer_pool.acquire(block=True) as producer:
        producer.publish(
            answer.as_dict(),
            exchange="",
            routing_key=queue,
            serializer="json",
            delivery_mode="transient",
            retry=True,
            retry_policy={"max_retries": 3, "interval_start": 0, "interval_step": 0.5},
        )


apply = shared_task(
    name=TASK,
    bind=True,
    acks_late=True,
    reject_on_worker_lost=True,
    ignore_result=True,
    max_retries=0,
)(_apply)
