"""What a worker's process runs: one task, in the project's own Django.

Two of them run for a proof: one with the files as they are, one with those of the proposal. They may be started before
it is known what they are to do, and get ready meanwhile. What they read and write is in
:mod:`migsync.worker.codec`; whatever the project itself prints goes to standard error.
"""

from __future__ import annotations

import importlib
import os
import sys

from migsync.worker.codec import FAILURE, RESULT, Order, Start, decode, encode
from migsync.worker.overlay import install
from migsync.worker.progress import report_to
from migsync.worker.setup import StageError
from migsync.worker.task import TASKS

READY = {"django": "migsync.worker.setup:import_django", "files": "migsync.worker.loader:load"}
"""How a process gets ready for its task: for files that are not known yet, or by loading those that there are."""


def run(task: str, request: str, root: str) -> str:
    """Do what is asked for; a failure of the project's is an answer too."""
    try:
        result = _call(task, decode(TASKS[task].request, request))
    except StageError as error:
        return f"{FAILURE}\n{encode(error.failure(root))}\n"
    return f"{RESULT}\n{encode(result)}\n"


def _call(function: str, *arguments: object) -> object:
    # Imported only now, when sys.path is as manage.py would have it.
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)(*arguments)


def main() -> None:
    """Answer one request, then end at once: the project may have started threads that would not."""
    # By descriptor, and not by sys.stdout: C libraries and child processes of the project write to 1 themselves, and
    # what they print would stand within the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    start = decode(Start, sys.stdin.readline())
    report_to(start.progress)
    # Until here the project came last on the path, so that nothing of it could take the place of what is imported
    # above.
    sys.path[:] = start.path
    # A proof writes nothing, not even bytecode beside the project's files.
    sys.dont_write_bytecode = True
    if start.ready:
        _call(READY[start.ready])
    order = decode(Order, sys.stdin.readline())
    # Before anything that `order.files` touches is imported: a module in sys.modules is not looked up again. A worker
    # that loaded the project ahead gets no files here.
    install(order.files)
    answer.write(run(order.task, sys.stdin.readline(), start.root))
    answer.close()
    # os._exit() flushes nothing and runs no atexit handlers.
    sys.stderr.flush()
    os._exit(0)
