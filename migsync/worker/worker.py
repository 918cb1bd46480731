"""The process in which the project says what it makes of its migration files.

It reads two JSON documents from standard input, where to import from and what to do, and writes one to standard output;
whatever the project itself prints goes to standard error. Two of them run for a proof: one with the files as they are,
one with those of the proposal. They may be started before it is known what they are to do, and get ready meanwhile.
"""

from __future__ import annotations

import base64
import functools
import importlib
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from migsync.worker.overlay import install

# Nothing of migsync that takes long to import: two of these processes start for every proof.

Task = Callable[[Mapping[str, Any]], dict[str, Any]]
TASKS = {
    "examine": "migsync.worker.examination",
    "rehearse": "migsync.worker.rehearsal",
    "trace": "migsync.worker.tracing",
    "squash": "migsync.worker.compose.squash",
    "remake": "migsync.worker.remake.remake",
}
READY = {"django": "migsync.worker.worker:import_django", "files": "migsync.worker.examination:load"}
"""How a process gets ready for its task: for files that are not known yet, or by loading those that there are."""

DJANGO = (
    "django.core.management.commands.makemigrations",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector",
    "django.db.migrations.loader",
    "django.db.migrations.recorder",
)
"""What starting Django and loading migrations imports, and most of what that takes."""


class Broken(Exception):
    """A stage of the work that failed, and what the project raised there.

    `at` is the migration (app, name) that ran, and `operation` the number of its operation, from 1, as far as that is
    known. `more` are other failures of the same work.
    """

    def __init__(self, stage: str, error: BaseException, at: tuple[str, str] | None = None, operation: int = 0) -> None:
        super().__init__(stage)
        self.stage = stage
        self.error = error
        self.at = at
        self.operation = operation
        self.more: list[Broken] = []

    def told(self) -> dict[str, Any]:
        """All of it as JSON values."""
        more = [other.told() for other in self.more]
        return {**describe(self.stage, self.error), "at": self.at, "operation": self.operation, "more": more}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Name the stage in which an exception comes, ``SystemExit`` included: settings may call ``sys.exit``."""
    try:
        yield
    except (KeyboardInterrupt, Broken):
        raise
    except BaseException as error:
        raise Broken(name, error) from error


def load_settings() -> None:
    """Import the settings as manage.py would, django-configurations' too."""
    with stage("settings"):
        if os.environ.get("DJANGO_CONFIGURATION") and importlib.util.find_spec("configurations"):
            importlib.import_module("configurations.importer").install()
        from django.conf import settings

        settings.INSTALLED_APPS  # noqa: B018 (imports the module)


def set_up() -> None:
    """Start Django; a second time, say how that ended the first time."""
    if broken := _set_up():
        raise broken


@functools.cache
def _set_up() -> Broken | None:
    try:
        load_settings()
        with stage("setup"):
            import django

            django.setup()

            from django.utils import translation

            translation.deactivate_all()  # as makemigrations and migrate do: a migration holds no translated text
    except Broken as broken:
        return broken
    return None


def import_django() -> None:
    """Get ready for files that are not known yet: import Django, and nothing of the project."""
    settings = os.environ.pop("DJANGO_SETTINGS_MODULE")
    try:
        # Without the variable, what asks for a setting fails, in place of importing the project.
        with suppress(Exception):
            for module in DJANGO:
                importlib.import_module(module)
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings


def run(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked for; a failure of the project's is an answer too."""
    try:
        # Imported only now, when sys.path is as manage.py would have it.
        task: Task = importlib.import_module(TASKS[request["task"]]).answer
        if labels := request.get("labels"):
            load_settings()
            with stage("settings"):
                importlib.import_module("migsync.worker.labels").bear(labels)
        return task(request)
    except Broken as broken:
        return {"broken": broken.told()}


def describe(where: str, error: BaseException) -> dict[str, Any]:
    """The exception's first line, the migration that it is about, and where it came from.

    These are (app, name), or None; and (file, line), the innermost last.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return {
            "stage": where,
            "error": f"{type(error).__name__}: {error.msg}",
            "about": None,
            "frames": [(error.filename, error.lineno or 0)],
        }
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    first = said[0] if said else type(error).__name__
    return {"stage": where, "error": first, "about": about(error), "frames": frames}


def about(error: BaseException | None) -> tuple[str, str] | None:
    """The migration that names a node which is not there, as Django's NodeNotFoundError has it."""
    while error is not None:
        origin = getattr(error, "origin", None)
        if origin is not None and hasattr(origin, "app_label"):
            return (origin.app_label, origin.name)
        error = error.__cause__
    return None


def decoded(files: Mapping[str, str | None]) -> dict[str, bytes | None]:
    """File contents out of JSON."""
    return {path: None if text is None else base64.b64decode(text) for path, text in files.items()}


def main() -> None:
    """Answer one request, then end at once: the project may have started threads that would not."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    start = json.loads(sys.stdin.readline())
    sys.path[:] = start["path"]
    # A proof writes nothing, not even bytecode beside the project's files.
    sys.dont_write_bytecode = True
    if start["ready"]:
        module, _, name = READY[start["ready"]].partition(":")
        getattr(importlib.import_module(module), name)()
    request = json.load(sys.stdin)
    install(decoded(request["files"]))
    json.dump(run(request), answer)
    answer.close()
    sys.stderr.flush()
    os._exit(0)
