"""Workers, seen from migsync's own process: started in the project's own Python, asked, and never left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from migsync.errors import HistoryError
from migsync.progress import ProgressStep, is_watched, steps
from migsync.redaction import redact
from migsync.worker.codec import RESULT, Files, Order, Start, decode, encode
from migsync.worker.progress import NOWHERE, Advances
from migsync.worker.runtime import Runtime
from migsync.worker.signals import signals_later
from migsync.worker.task import WORK, Task, WorkerFailure

MAIN: Final = "migsync.worker.main"
SAME_ORDER: Final = {"PYTHONHASHSEED": "0"}
"""A set (of time zones, say, as a field's choices) has the same order in two processes, or they would differ in it."""

LOOK: Final = 0.1
"""Seconds between two looks at how far a worker has got."""

Q = TypeVar("Q")
R = TypeVar("R")


@dataclass
class Worker:
    """The process of a worker, and how far it has got where anybody wants to see that."""

    process: subprocess.Popen[str]
    advances: Advances | None = None


def ask(
    runtime: Runtime,
    task: Task[Q, R],
    requests: Sequence[Q],
    files: Sequence[Files] | None = None,
    ahead: Sequence[Worker] = (),
    called: Sequence[str] = (),
) -> list[R | WorkerFailure]:
    """One answer for each request, all at work at the same time, each with its own `files` over those on disk.

    The workers `ahead`, which were started for the first requests, are asked once and never again. `called` is what
    each request's work is called while it goes on; it need not be given.
    """
    orders = [
        f"{encode(Order(task.function, served))}\n{encode(request)}\n"
        for request, served in zip(requests, files or [{} for _ in requests], strict=True)
    ]
    with _started(runtime, ["" for _ in orders[len(ahead) :]]) as more:
        workers = [*ahead, *more]
        texts = called or [task.called] * len(workers)
        with ThreadPoolExecutor(len(workers)) as threads, steps(texts) as shown:
            try:
                answers = [
                    threads.submit(_answer, task, worker.process, order)
                    for worker, order in zip(workers, orders, strict=True)
                ]
                while wait(answers, LOOK if is_watched() else None).not_done:
                    for each in zip(workers, texts, shown, strict=True):
                        _watch(*each)
                return [answer.result() for answer in answers]
            except BaseException:
                # Before the threads are waited for, which wait for the processes.
                _kill(workers)
                raise


def ask_one(
    runtime: Runtime, task: Task[Q, R], request: Q, files: Files | None = None, *, meaning: str, hint: str
) -> R:
    """The result for one request; raises HistoryError, with this `meaning` and `hint`, where the worker fails."""
    [answer] = ask(runtime, task, [request], [files or {}])
    if isinstance(answer, WorkerFailure):
        place = f" ({answer.file}:{answer.line})" if answer.file else ""
        raise HistoryError(f"{answer.sentence}{place}", meaning, hint)
    return answer


@contextmanager
def workers_ahead(runtime: Runtime | None) -> Iterator[Sequence[Worker]]:
    """The two workers of a proof, started before the proposal is known; :func:`ask` takes them in this order.

    The first loads the files as they are. The second can only import Django: the files that it is to load are still
    being made. No workers without a `runtime`. Those that still run at the end are killed.
    """
    if runtime is None:
        yield ()
        return
    with _started(runtime, ["files", "django"]) as workers:
        yield workers


@contextmanager
def _started(runtime: Runtime, ready: Sequence[str]) -> Iterator[Sequence[Worker]]:
    """A worker for each of `ready`: how it gets ready before it is asked, or an empty text."""
    workers: list[Worker] = []
    try:
        path = tuple(runtime.import_path(sys.path)) if ready else ()
        for what in ready:
            workers.append(_start(runtime, Advances() if is_watched() and os.name == "posix" else None))
            advances = workers[-1].advances
            progress = advances.writing if advances else NOWHERE
            _tell(workers[-1].process, Start(path, str(runtime.root), what, progress))
        yield workers
    finally:
        _kill(workers)


def _start(runtime: Runtime, advances: Advances | None) -> Worker:
    process = subprocess.Popen(  # noqa: S603 (our own module)
        runtime.command(MAIN),
        pass_fds=(advances.writing,) if advances else (),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**runtime.variables, **SAME_ORDER},
        text=True,
        encoding="utf-8",
        # The answer is ASCII. What the project writes to standard error can be in any encoding.
        errors="replace",
    )
    if advances:
        advances.started()
    return Worker(process, advances)


def _tell(process: subprocess.Popen[str], start: Start) -> None:
    """The first line, which fits into the pipe: nobody waits."""
    if process.stdin:
        with suppress(BrokenPipeError):  # it has ended, which is seen when it is asked
            process.stdin.write(f"{encode(start)}\n")
            process.stdin.flush()


def _kill(workers: Iterable[Worker]) -> None:
    with signals_later():
        for worker in workers:
            _end(worker)


def _end(worker: Worker) -> None:
    process = worker.process
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with suppress(OSError):
                pipe.close()
    if worker.advances:
        worker.advances.close()
        worker.advances = None


def _answer(task: Task[Q, R], process: subprocess.Popen[str], order: str) -> R | WorkerFailure:
    try:
        # communicate() reads both pipes while it writes: a project that prints a lot would block on a full one.
        out, err = process.communicate(order, timeout=task.timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return WorkerFailure("time", f"it did not end within {task.timeout} seconds")
    # Status 0 without an answer: the project has ended the process itself, by os._exit(0) or by sys.exit(0) at its
    # start.
    if process.returncode or not out:
        # The last line of a traceback is the exception. One that settings raise can quote a whole DATABASES.
        said = redact(err.strip().rpartition("\n")[2])
        error = f"it ended with status {process.returncode}{f': {said}' if said else ''}"
        return WorkerFailure("process", error, status=process.returncode, stderr=said)
    kind, _, answer = out.partition("\n")
    return decode(task.result, answer) if kind == RESULT else _redacted(decode(WorkerFailure, answer))


def _watch(worker: Worker, text: str, shown: ProgressStep) -> None:
    """Have the step show how far the worker has got."""
    if worker.advances and (advance := worker.advances.last()):
        work = WORK.get(advance.stage, "")
        shown.text = f"{text}: {work}" if work else text
        shown.done, shown.total = advance.done, advance.total


def _redacted(failure: WorkerFailure) -> WorkerFailure:
    return failure._replace(error=redact(failure.error), more=tuple(map(_redacted, failure.more)))
