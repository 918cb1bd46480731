"""The two processes of a proof: started together, in the project's own Python, and never left behind."""

from __future__ import annotations

import base64
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from migsync.errors import ProjectError
from migsync.files.proposal import FileChange
from migsync.history.migration import Key
from migsync.project import Project
from migsync.project.firstparty import ENVIRONMENT_PARTS
from migsync.project.process import import_path, own_process
from migsync.project.root import SETTINGS_VARIABLE, Root, environment, find_root
from migsync.redaction import redact

TIMEOUT = 1800
SAME_ORDER: Final = {"PYTHONHASHSEED": "0"}
"""A set (of time zones, say, as a field's choices) has the same order in both processes, or they would differ in it."""

WORKER = "migsync.worker.worker"
Worker = subprocess.Popen[str]

STAGES: Final[Mapping[str, str]] = {
    "settings": "The settings do not import",
    "setup": "Django does not start",
    "load": "Django does not load the migrations",
    "state": "The migrations do not make a state",
    "changes": "`makemigrations --check` fails",
    "compose": "The operations cannot be written into a new file",
    "connection": "The scratch database cannot be used",
    "migrate": "`migrate` fails on the scratch database",
    "lock": "`migrate` waits on the scratch database for a lock that it holds itself, over another connection",
    "process": "The process of the proof failed",
    "time": "The process of the proof was stopped",
}


@dataclass(frozen=True)
class Failure:
    """Why a worker could not do its work: the `stage`, what the project raised, and where.

    `at` is the migration that ran, if one did, and `operation` the number of its operation, from 1, where that is
    known. `about` is the migration that Django complains of, if it is known. `more` are other failures of the same
    work.
    """

    stage: str
    error: str
    file: str = ""
    line: int = 0
    at: Key | None = None
    operation: int = 0
    about: Key | None = None
    more: tuple[Failure, ...] = ()

    @property
    def sentence(self) -> str:
        """What did not work, and the exception; its place is in `file` and `line`."""
        number = f" (operation {self.operation})" if self.operation else ""
        return f"{STAGES[self.stage]}{f', in {self.at}{number}' if self.at else ''}: {self.error}"

    @property
    def key(self) -> tuple[str, str]:
        """The app and the name of the migration that a finding about this is about; empty where that is not known."""
        return self.at or self.about or ("", "")


@dataclass(frozen=True)
class Answer:
    """What one worker said; `failure` is None for a report in full."""

    report: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


def overlay(changes: Iterable[FileChange]) -> dict[str, bytes | None]:
    """What the changes leave of each Python file, by its real path; None for a file that goes."""
    changes = [change for change in changes if (change.old_path, change.old) != (change.new_path, change.new)]
    real = functools.cache(os.path.realpath)

    def place(path: Path) -> str:
        # The file itself may be a link; what counts is the directory that Python lists.
        directory, name = os.path.split(path)
        return os.path.join(real(directory), name)  # noqa: PTH118 -- one for each of thousands of files

    files: dict[str, bytes | None] = {place(change.old_path): None for change in changes if change.old_path}
    files |= {place(change.new_path): change.new for change in changes if change.new_path}
    return {path: content for path, content in files.items() if path.endswith(".py")}


def ask(
    project: Project,
    requests: Sequence[Mapping[str, Any]],
    files: Sequence[Mapping[str, bytes | None]],
    ahead: Sequence[Worker] = (),
) -> list[Answer]:
    """One answer for each request, all at work at the same time, each with its own files over those on disk.

    The workers `ahead`, which were started for the first requests, are asked once and never again. Raises ProjectError
    where there is no settings module to start Django with.
    """
    documents = [
        json.dumps({**request, "files": _encoded(served)}) for request, served in zip(requests, files, strict=True)
    ]
    with _started(project, ["" for _ in documents[len(ahead) :]]) as more:
        processes = [*ahead, *more]
        with ThreadPoolExecutor(len(processes)) as threads:
            try:
                answers = threads.map(
                    lambda process, document: _answer(process, document, project.root), processes, documents
                )
                return list(answers)
            except BaseException:
                # Before the threads are waited for, which wait for the processes.
                _kill(processes)
                raise


@contextmanager
def workers_ahead(project: Project) -> Iterator[Sequence[Worker]]:
    """The two workers of a proof that will be asked for: one loads the files as they are, one imports Django.

    None where the project has no settings. What is left of them at the end is killed.
    """
    with _started(project, ["files", "django"] if _has_settings(project) else []) as workers:
        yield workers


def _has_settings(project: Project) -> bool:
    return bool(project.settings_module) and not project.static


@contextmanager
def _started(project: Project, ready: Sequence[str]) -> Iterator[Sequence[Worker]]:
    """A worker for each of `ready`: how it gets ready before it is asked, or an empty text."""
    processes: list[Worker] = []
    try:
        if ready:
            root, environ = _surroundings(project)
            path = import_path(root, sys.path)
            for what in ready:
                processes.append(_start(root, environ))
                _tell(processes[-1], {"path": path, "ready": what})
        yield processes
    finally:
        _kill(processes)


def _surroundings(project: Project) -> tuple[Root, Mapping[str, str]]:
    if not _has_settings(project):
        raise ProjectError(
            "The proof needs Django's own loader, and the project has no settings module that imports.",
            "Nothing was changed.",
            "Give the settings: --settings MODULE",
        )
    root = find_root(project.root, root=project.root)
    settings = {SETTINGS_VARIABLE: project.settings_module or ""}
    return root, {**environment(root), **os.environ, **settings, **SAME_ORDER}


def _tell(process: Worker, document: Mapping[str, Any]) -> None:
    """The first line, which fits into the pipe: nobody waits."""
    if process.stdin:
        with suppress(BrokenPipeError):  # it has ended, which is seen when it is asked
            process.stdin.write(f"{json.dumps(document)}\n")
            process.stdin.flush()


def _start(root: Root, environ: Mapping[str, str]) -> Worker:
    return subprocess.Popen(  # noqa: S603 (our own module)
        own_process(WORKER, root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _kill(processes: Iterable[Worker]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def _answer(process: Worker, document: str, root: Path) -> Answer:
    try:
        out, err = process.communicate(document, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Answer(failure=Failure("time", f"it did not end within {TIMEOUT} seconds"))
    if process.returncode or not out:
        last = err.strip().rpartition("\n")[2]
        said = redact(last)
        return Answer(
            failure=Failure("process", f"it ended with status {process.returncode}{f': {said}' if said else ''}")
        )
    report = json.loads(out)
    broken = report.get("broken")
    return Answer(failure=_failure(broken, root)) if broken else Answer(report)


def _failure(broken: Mapping[str, Any], root: Path) -> Failure:
    """The failure at the innermost line of the project, else the innermost of all where no migration tells more."""
    frames = [(file, line) for file, line in broken["frames"] if not file.startswith("<frozen")]
    own = [
        (file, line)
        for file, line in frames
        if file.startswith(f"{root}{os.sep}") and not any(part in file for part in ENVIRONMENT_PARTS)
    ]
    file, line = (own or ([] if broken["at"] else frames) or [("", 0)])[-1]
    said = redact(broken["error"])
    more = tuple(_failure(other, root) for other in broken["more"])
    at, named = (Key(*key) if key else None for key in (broken["at"], broken["about"]))
    return Failure(broken["stage"], said, file, line, at, broken["operation"], named, more)


def _encoded(files: Mapping[str, bytes | None]) -> dict[str, str | None]:
    return {path: None if content is None else base64.b64encode(content).decode() for path, content in files.items()}
