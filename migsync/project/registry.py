"""What only a started Django knows of the project: asked of a worker, where the files do not say it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from migsync.errors import ProjectError
from migsync.history import SETTING, History, Migration
from migsync.worker.client import ask
from migsync.worker.headers import HeadersRequest, LoadedHeader
from migsync.worker.protocol import ModelSettingsRequest, RegisteredApp, RegistryRequest
from migsync.worker.runtime import Runtime
from migsync.worker.task import HEADERS, MODEL_SETTINGS, REGISTRY, Task, WorkerFailure

Q = TypeVar("Q")
R = TypeVar("R")


def registered_apps(runtime: Runtime) -> Sequence[RegisteredApp]:
    """All installed apps, in the order of INSTALLED_APPS; raises ProjectError if Django does not start.

    Where Django runs in this process with the same settings, its own registry is read.
    """
    if importlib.util.find_spec("django") is None:
        raise ProjectError(
            "Django is not installed in this environment.", "", "Run migsync in the environment of the project."
        )
    # Importing in_process is cheap, but running_apps() imports Django. That is not worth it to learn that none runs
    # here.
    if "django.apps" in sys.modules:
        from migsync.worker.in_process import running_apps

        if (running := running_apps(runtime.settings_module)) is not None:
            return running
    return _ask(runtime, REGISTRY, RegistryRequest()).apps


def missing_settings(history: History, stated: Mapping[str, str], runtime: Callable[[], Runtime]) -> Mapping[str, str]:
    """The settings that the migrations' swappable dependencies need beyond those `stated` by the settings module.

    Django is started for them, only when there are any. Empty when it does not start: the history's findings name the
    dependencies that stay open.
    """
    wanted = {
        key.name
        for migration in history.migrations.values()
        for key in (*migration.dependencies, *migration.run_before)
        if key.app == SETTING
    }
    unknown = wanted - stated.keys()
    if not unknown:
        return {}
    try:
        return _ask(runtime(), MODEL_SETTINGS, ModelSettingsRequest(tuple(sorted(unknown)))).values
    except ProjectError:
        return {}


def with_loaded_headers(history: History, runtime: Callable[[], Runtime]) -> list[Migration] | None:
    """All migrations, those of the project's own with their headers as Django has them where they are computed.

    Django is started for them, only when there are any. None when there is none, or where it does not start: the
    history's findings say then what could not be read.
    """
    unread = [
        key for key, migration in history.migrations.items() if migration.unread and key.app in history.first_party
    ]
    if not unread:
        return None
    try:
        found = {each.key: each for each in _ask(runtime(), HEADERS, HeadersRequest(tuple(unread))).headers}
    except ProjectError:
        return None
    return [_with_header(each, found[key]) if key in found else each for key, each in history.migrations.items()]


def _with_header(migration: Migration, header: LoadedHeader) -> Migration:
    return migration.changed(
        dependencies=header.dependencies,
        run_before=header.run_before,
        replaces=header.replaces,
        initial=header.initial,
        atomic=header.atomic,
        problems=tuple(problem._replace(settled=True) for problem in migration.problems),
    )


def _ask(runtime: Runtime, task: Task[Q, R], request: Q) -> R:
    [answer] = ask(runtime, task, [request])
    if not isinstance(answer, WorkerFailure):
        return answer
    if answer.stage == "time":
        raise ProjectError(f"django.setup() did not end within {task.timeout} seconds.", "", "")
    raise ProjectError(f"django.setup() failed: {answer.stderr or f'exit status {answer.status}'}.", "", "")
