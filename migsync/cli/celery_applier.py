"""Plans as tasks for Celery workers: sent, watched in the journals of their targets, and given up in time.

Each target's journal is the result, so no result backend is needed. A worker also answers over the broker, which says
where to look now, and why nothing was done where nothing was; an answer that is lost costs some seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Final, Self, Unpack

from kombu import Consumer, Queue
from kombu.exceptions import OperationalError

from migsync.cli.applier import RunArguments
from migsync.decoder import DecodeError
from migsync.engines import Deadline
from migsync.errors import NOTHING_CHANGED, InDoubt, Interrupted, MigsyncError, NotTaken, Unreachable, WorkersUnusable
from migsync.redaction import redact
from migsync.sync.apply import Outcome, Status, settle
from migsync.sync.plan import Plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.run import Run, default_author
from migsync.sync.run_search import RunSearch, find_runs
from migsync.sync.target import Target
from migsync.sync.task_message import ANSWERS, TASK, TaskAnswer, TaskMessage, TaskState

LOOK_SECONDS: Final = 5.0
"""All journals are looked at so often, without any answer."""
WAKE_SECONDS: Final = 0.25
BEGUN_SECONDS = 2.0
"""So long after Ctrl-C, or after a task has expired, a worker may still say that it has begun before."""
CONNECT_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 1.0
RETRY: Final = {"max_retries": 3, "interval_start": 0, "interval_step": 0.5}


@dataclass(eq=False)
class _Task:
    """A task that was sent, until when it has to be begun, and to have ended.

    `run` is in the journal; `failure` is what a worker says where none is.
    """

    message: TaskMessage
    target: Target
    deadline: Deadline
    overdue: Deadline
    answer: TaskAnswer | None = None
    begun: bool = False
    run: Run | None = None
    failure: MigsyncError | None = None
    ended: bool = False
    looked: TaskAnswer | None = None

    @property
    def has_result(self) -> bool:
        """Whether a worker said how it ended, and nobody has looked since."""
        return self.answer is not None and self.answer is not self.looked

    @property
    def search(self) -> RunSearch:
        """Where to look for the run."""
        journaled = {self.answer.journaled} - {""} if self.answer else set()
        return RunSearch(self.target, frozenset({self.message.run, *journaled}), certain=self.answer is not None)


@dataclass
class CeleryApplier:
    """Sends plans, made with `request`, to workers, and waits for each at most `timeout` seconds.

    A context manager: inside it, a thread takes the answers and looks into the journals.
    """

    app: Any
    request: PlanRequest
    timeout: float
    _open: dict[str, _Task] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)
    _closing: Event = field(default_factory=Event)
    _withdrawn: bool = False
    _answers: str = ""

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._watch, name="migsync-answers", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._closing.set()
        self._thread.join(LOOK_SECONDS)

    def apply(self, target: Target, plan: Plan, **run: Unpack[RunArguments]) -> Outcome:
        """Have the plan carried out. Raises what the worker raised, NotTaken, Interrupted and InDoubt."""
        if self._withdrawn:
            raise _interrupted(plan.target.alias)
        run_id, lock_timeout, commit_sent = run["run_id"], run["lock_timeout"], run["commit_sent"]
        message = TaskMessage.of(
            run_id, plan, self.request, lock_timeout=lock_timeout, reason=run["reason"], author=default_author()
        )
        begun = self.timeout + BEGUN_SECONDS
        task = _Task(message, target, Deadline(begun), Deadline(begun + lock_timeout))
        self._open[run_id] = task
        try:
            # From here on a worker may have it, whatever happens to this process.
            commit_sent.set()
            try:
                self._send(task)
                self._wait(task)
            except KeyboardInterrupt:
                return self._after_interrupt(task, commit_sent)
            return self._outcome(task, commit_sent)
        finally:
            del self._open[run_id]

    def interrupt(self) -> None:
        """Withdraw the tasks that no worker has begun."""
        with self._changed:
            self._withdrawn = True
            for task in self._open.values():
                task.deadline = Deadline(BEGUN_SECONDS)
                task.overdue = Deadline(BEGUN_SECONDS + task.message.lock_timeout)
            waiting = [run_id for run_id, task in self._open.items() if not task.begun]
            self._changed.notify_all()
        self._revoke(waiting)

    def _after_interrupt(self, task: _Task, commit_sent: Event) -> Outcome:
        """How it ended; raises KeyboardInterrupt where nothing was changed."""
        self.interrupt()
        self._wait(task)
        try:
            return replace(self._outcome(task, commit_sent), interrupted=True)
        except InDoubt as error:
            error.interrupted = True
            raise
        except MigsyncError:
            raise KeyboardInterrupt from None

    def _send(self, task: _Task) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._answers, CONNECT_SECONDS)
            answers = self._answers
        try:
            self.app.send_task(
                TASK,
                args=[task.message.as_dict()],
                task_id=task.message.run,
                expires=self.timeout,
                expiration=self.timeout,
                ignore_result=True,
                reply_to=answers or None,
                argsrepr=f"({task.message.alias!r},)",
                retry=True,
                retry_policy=RETRY,
            )
        except (OperationalError, OSError) as error:
            task.failure = WorkersUnusable(
                f"The task for {task.message.alias} could not be sent: {redact(str(error))}", NOTHING_CHANGED
            )
            task.ended = True

    def _wait(self, task: _Task) -> None:
        """Until it is known how the task ended: by the journal, by a worker, or because it is given up."""
        while not task.ended:
            with self._changed:
                while not (task.ended or (task.overdue if task.begun else task.deadline).passed):
                    self._changed.wait(WAKE_SECONDS)
            if not task.ended:
                self._give_up(task)

    def _give_up(self, task: _Task) -> None:
        """Withdraw the task, unless its run is there, or a worker has begun it just now."""
        self._revoke([task.message.run])
        if self._settled(task) or not task.begun or task.overdue.passed:
            task.failure, task.ended = None if task.run else self._reason(task), True

    def _settled(self, task: _Task) -> bool | None:
        """Whether the run is in the journal, by asking under the target's lock; None where that cannot be told."""
        there: bool | None = None
        with suppress(MigsyncError):
            there = settle(task.target, task.message.run, lock_timeout=task.message.lock_timeout)
            task.run = task.target.run(task.message.run) if there else None
        return there

    def _outcome(self, task: _Task, commit_sent: Event) -> Outcome:
        alias = task.message.alias
        said = task.answer.error if task.answer else None
        if isinstance(said, InDoubt) and task.failure is said and self._settled(task) is False:
            task.failure = Unreachable(
                f"A worker lost its connection to {alias} at COMMIT, and the server did not commit.", NOTHING_CHANGED
            )
        if task.run is None:
            commit_sent.clear()
            raise task.failure or NotTaken(f"{alias}: it is not known what became of it.")
        if task.run.id != task.message.run:
            return Outcome(Status.ALREADY_APPLIED, task.run)
        return Outcome(Status.APPLIED, task.run, task.answer.findings if task.answer else ())

    def _reason(self, task: _Task) -> MigsyncError:
        """Why a task is given up whose run is not in the journal."""
        alias, run_id = task.message.alias, task.message.run
        if task.begun:
            return InDoubt(
                f"{alias}: a worker has begun the run {run_id} and not said how it ended.",
                "Either all of its changes were made or none. Most likely the worker was killed.",
                "Run: migsync recover",
            )
        if self._withdrawn:
            return _interrupted(alias)
        return NotTaken(f"{alias}: no worker has begun the task in {self.timeout:g} seconds.", NOTHING_CHANGED)

    def _revoke(self, run_ids: Sequence[str]) -> None:
        """Tell the workers to leave these out. Without it, the tasks expire."""
        with suppress(Exception):
            if run_ids:
                self.app.control.revoke(list(run_ids))

    def _watch(self) -> None:
        while not self._closing.is_set():
            # Without the broker, the journals alone tell how it went. Whatever is wrong, this thread must not end.
            with suppress(Exception), self.app.connection_for_read(connect_timeout=CONNECT_SECONDS) as connection:
                self._take_answers(connection)
            self._answers = ""
            with suppress(Exception):
                self._look(self._unended())
            self._closing.wait(RECONNECT_SECONDS)

    def _take_answers(self, connection: Any) -> None:  # noqa: ANN401
        # Another name each time: the broker may still hold the queue for a connection that was lost.
        name = f"{ANSWERS}{uuid.uuid4().hex}"
        queue = Queue(name, durable=False, exclusive=True, auto_delete=True, channel=connection)
        with Consumer(connection, [queue], callbacks=[self._take], accept=["json"], no_ack=True):
            with self._changed:
                self._answers = name
                self._changed.notify_all()
            next_look = Deadline(LOOK_SECONDS)
            while not self._closing.is_set():
                wait = WAKE_SECONDS
                with suppress(TimeoutError):
                    while True:
                        connection.drain_events(timeout=wait)
                        wait = 0.005  # what has come as well; one look is for all of it
                answered = [task for task in self._unended() if task.has_result]
                if answered or next_look.passed:
                    self._look(self._unended() if next_look.passed else answered)
                    next_look = Deadline(LOOK_SECONDS) if next_look.passed else next_look

    def _unended(self) -> list[_Task]:
        return [task for task in list(self._open.values()) if not task.ended]

    def _take(self, body: object, _message: object) -> None:
        """Note an answer. It is only a hint: who can write to the broker can write one."""
        try:
            answer = TaskAnswer.from_dict(body)
        except DecodeError:
            return
        task = self._open.get(answer.run)
        if task is None:
            return
        with self._changed:
            task.begun = True
            if answer.state is not TaskState.BEGUN:
                task.answer = answer
            self._changed.notify_all()

    def _look(self, tasks: Sequence[_Task]) -> None:
        """Look for the runs of the tasks; what a worker says of a failure holds where none is found."""
        searches = {task.search: task for task in tasks}
        found = {searches[search].message.run: run for search, run in find_runs(searches)}
        with self._changed:
            for task in tasks:
                task.run, task.looked = found.get(task.message.run), task.answer
                if task.run is None and task.answer:
                    task.failure = task.answer.error
                task.ended = bool(task.run or task.failure)
            self._changed.notify_all()


def _interrupted(alias: str) -> Interrupted:
    return Interrupted(f"Interrupted. Nothing was changed in {alias}.")
