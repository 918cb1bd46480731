"""The two processes of a proof: started together, in the project's own Python, and never left behind."""

from __future__ import annotations

import base64
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from migsync.companion.proposal import FileChange
from migsync.errors import ProjectError
from migsync.project import Project
from migsync.project.firstparty import ENVIRONMENT_PARTS
from migsync.project.root import SETTINGS_VARIABLE, environment, find_root
from migsync.project.settings import URL_PASSWORD

TIMEOUT = 1800
SAME_ORDER: Final = {"PYTHONHASHSEED": "0"}
"""A set (of time zones, say, as a field's choices) has the same order in both processes, or they would differ in it."""

WORKER = "migsync.companion.proof.worker"

STAGES: Final[Mapping[str, str]] = {
    "settings": "The settings do not import",
    "setup": "Django does not start",
    "load": "Django does not load the migrations",
    "state": "The migrations do not make a state",
    "changes": "`makemigrations --check` fails",
    "connection": "The scratch database cannot be used",
    "migrate": "`migrate` fails on the scratch database",
    "process": "The process of the proof failed",
    "time": "The process of the proof was stopped",
}


@dataclass(frozen=True)
class Failure:
    """Why a worker could not do its work: the `stage`, what the project raised, and where."""

    stage: str
    error: str
    file: str = ""
    line: int = 0

    @property
    def sentence(self) -> str:
        """What did not work, and the exception; its place is in `file` and `line`."""
        return f"{STAGES[self.stage]}: {self.error}"


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
    project: Project, requests: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, bytes | None]]
) -> list[Answer]:
    """One answer for each request, all at work at the same time, each with its own files over those on disk.

    Raises ProjectError where there is no settings module to start Django with.
    """
    if not project.settings_module or project.static:
        raise ProjectError(
            "The proof needs Django's own loader, and the project has no settings module that imports.",
            "Nothing was changed.",
            "Give the settings: --settings MODULE",
        )
    root = find_root(project.root, root=project.root)
    path = [*root.search_path, *(entry for entry in sys.path if entry)]
    environ = {**environment(root), **os.environ, SETTINGS_VARIABLE: project.settings_module, **SAME_ORDER}
    documents = [
        json.dumps({**request, "path": path, "files": _encoded(served)})
        for request, served in zip(requests, files, strict=True)
    ]
    processes: list[subprocess.Popen[str]] = []
    try:
        for _ in documents:
            processes.append(_start(environ))  # noqa: PERF401 (those that started must be known if the next does not)
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
    finally:
        _kill(processes)


def _start(environ: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _kill(processes: Iterable[subprocess.Popen[str]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def _answer(process: subprocess.Popen[str], document: str, root: Path) -> Answer:
    try:
        out, err = process.communicate(document, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Answer(failure=Failure("time", f"it did not end within {TIMEOUT} seconds"))
    if process.returncode or not out:
        last = err.strip().rpartition("\n")[2]
        said = URL_PASSWORD.sub(r"\1***@", last)
        return Answer(
            failure=Failure("process", f"it ended with status {process.returncode}{f': {said}' if said else ''}")
        )
    report = json.loads(out)
    broken = report.get("broken")
    return Answer(failure=_failure(broken, root)) if broken else Answer(report)


def _failure(broken: Mapping[str, Any], root: Path) -> Failure:
    """The failure at the innermost line of the project, else the innermost of all."""
    frames = [(file, line) for file, line in broken["frames"] if not file.startswith("<frozen")]
    own = [
        (file, line)
        for file, line in frames
        if file.startswith(f"{root}{os.sep}") and not any(part in file for part in ENVIRONMENT_PARTS)
    ]
    file, line = (own or frames or [("", 0)])[-1]
    return Failure(broken["stage"], URL_PASSWORD.sub(r"\1***@", broken["error"]), file, line)


def _encoded(files: Mapping[str, bytes | None]) -> dict[str, str | None]:
    return {path: None if content is None else base64.b64encode(content).decode() for path, content in files.items()}
