"""Django started in a worker, stage by stage: what fails is said with the stage that it failed in."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from migsync.key import Key
from migsync.worker.progress import report
from migsync.worker.runtime import CONFIGURATION_VARIABLE, ENVIRONMENT_PARTS, SETTINGS_VARIABLE
from migsync.worker.task import WorkerFailure

DJANGO = (
    "django.core.management.commands.makemigrations",
    "django.db.migrations.autodetector",
    "django.db.migrations.loader",
    "django.db.migrations.recorder",
)
"""What starting Django and loading migrations imports, and most of what that takes."""


class StageError(Exception):
    """A stage of the work that failed, and what the project raised there.

    `at` is the migration that ran, and `operation` the number of its operation, from 1, as far as that is known.
    `more` are other failures of the same task.
    """

    def __init__(self, stage: str, error: BaseException, at: Key | None = None, operation: int = 0) -> None:
        super().__init__(stage)
        self.stage = stage
        self.error = error
        self.at = at
        self.operation = operation
        self.more: list[StageError] = []

    def failure(self, root: str) -> WorkerFailure:
        """The same as a value; of the lines that the exception went through, those below `root` come first."""
        file, line = self._place(root)
        return WorkerFailure(
            self.stage,
            first_line(self.error),
            file,
            line,
            self.at,
            self.operation,
            origin(self.error),
            tuple(other.failure(root) for other in self.more),
        )

    def _place(self, root: str) -> tuple[str, int]:
        """The innermost line of the project, else the innermost of other packages where no migration tells more."""
        # Lines of importlib, of Django and of this worker say where a fault was noticed, not where it is.
        noticed = ("<frozen", *(f"{place}{os.sep}" for place in _packages("django", "migsync")))
        frames = [(file, line) for file, line in _frames(self.error) if not file.startswith(noticed)]
        own = [
            (file, line)
            for file, line in frames
            if file.startswith(f"{root}{os.sep}") and not any(part in file for part in ENVIRONMENT_PARTS)
        ]
        return (own or ([] if self.at else frames) or [("", 0)])[-1]


def _packages(*names: str) -> Iterator[str]:
    """The directories of those packages that are imported."""
    for name in names:
        if name in sys.modules:
            yield from sys.modules[name].__path__


def _frames(error: BaseException) -> list[tuple[str, int]]:
    if isinstance(error, SyntaxError) and error.filename:
        # The traceback ends where the file is imported. The file that is broken is in the error.
        return [(error.filename, error.lineno or 0)]
    return [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]


def first_line(error: BaseException) -> str:
    """The exception as Python shows it, without what follows on further lines."""
    if isinstance(error, SyntaxError) and error.filename:
        # Python shows the place and the source first, and the message on the last line.
        return f"{type(error).__name__}: {error.msg}"
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return said[0] if said else type(error).__name__


def origin(error: BaseException | None) -> Key | None:
    """The migration that names a node which is not there, as Django's NodeNotFoundError has it."""
    while error is not None:
        found = getattr(error, "origin", None)
        if found is not None and hasattr(found, "app_label"):
            return Key(found.app_label, found.name)
        error = error.__cause__
    return None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Name the stage in which an exception comes, ``SystemExit`` included: settings may call ``sys.exit``."""
    report(name)
    try:
        yield
    except (KeyboardInterrupt, StageError):
        # Stages can be nested; the inner one is where it failed.
        raise
    except BaseException as error:
        raise StageError(name, error) from error


def load_settings() -> None:
    """Import the settings as manage.py would, django-configurations' too."""
    with stage("settings"):
        if os.environ.get(CONFIGURATION_VARIABLE) and importlib.util.find_spec("configurations"):
            importlib.import_module("configurations.importer").install()
        from django.conf import settings

        settings.INSTALLED_APPS  # noqa: B018 (imports the module)


def set_up() -> None:
    """Start Django; a second time, say how that ended the first time."""
    if broken := _set_up():
        raise broken


@functools.cache
def _set_up() -> StageError | None:
    # Cached, failure included: after one, a second django.setup() says "populate() isn't reentrant" and no cause.
    try:
        load_settings()
        with stage("setup"):
            import django

            django.setup()

            from django.utils import translation

            translation.deactivate_all()  # as makemigrations and migrate do: a migration holds no translated text
    except StageError as broken:
        return broken
    return None


def import_django() -> None:
    """Get ready for files that are not known yet: import Django, and nothing of the project."""
    from migsync.engines import SERVERLESS

    settings = os.environ.pop(SETTINGS_VARIABLE)
    try:
        # Without the variable, what asks for a setting fails, in place of importing the project.
        with suppress(Exception):
            for module in (f"{SERVERLESS.backend}.base", *DJANGO):
                importlib.import_module(module)
    finally:
        os.environ[SETTINGS_VARIABLE] = settings


def relabel(labels: Mapping[str, str]) -> None:
    """Have apps bear other labels (the code's to the wanted), before Django starts; settings that name models follow.

    It makes the process one of before a change of labels, though the code has the new ones already. A class or a field
    that names its app by the label itself cannot follow; Django then does not start.
    """
    if labels:
        load_settings()
        with stage("settings"):
            _relabel_apps(labels)
            _relabel_settings(labels)


def _relabel_apps(labels: Mapping[str, str]) -> None:
    from django.apps import AppConfig

    made = AppConfig.__init__

    # A label can be an attribute of the class, or made of the app's name in __init__: only behind __init__ there is one
    # in any case.
    def init(config: AppConfig, *arguments: Any) -> None:  # noqa: ANN401 -- Django's own arguments
        made(config, *arguments)
        if config.label in labels:
            config.label = labels[config.label]

    AppConfig.__init__ = init  # type: ignore[assignment, method-assign]


def _relabel_settings(labels: Mapping[str, str]) -> None:
    from django.conf import global_settings, settings
    from django.core.exceptions import ImproperlyConfigured

    # The code names the new label here; the loader asks for the old one, under which the app is registered now.
    modules = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**modules, **{labels[app]: modules[app] for app in labels if app in modules}}
    model = re.compile(rf"({'|'.join(map(re.escape, labels))})\.(\w+)")
    for name in filter(str.isupper, dir(settings)):
        value = None
        with suppress(ImproperlyConfigured):  # an empty SECRET_KEY: whoever needs it will say so
            value = getattr(settings, name)
        if not isinstance(value, str) or not (found := model.fullmatch(value)):
            continue
        # "shop.urls" is a module of a package that may be called like the label. The models are not loaded yet: of
        # Django's own settings one names a model; another package's says so itself, or its value looks like a class.
        own = name != "AUTH_USER_MODEL" and hasattr(global_settings, name)
        if not own and (name.endswith("_MODEL") or found[2][0].isupper()):
            setattr(settings, name, f"{labels[found[1]]}.{found[2]}")
