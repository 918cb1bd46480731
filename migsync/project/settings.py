"""What the project's settings module says; the module is imported, the apps are not."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from migsync.errors import SettingsError
from migsync.project.root import Root
from migsync.redaction import redact
from migsync.worker.runtime import CONFIGURATION_VARIABLE, ENVIRONMENT_PARTS

# Django's defaults for what a settings module leaves out (django/conf/global_settings.py).
DEFAULTS: Final[Mapping[str, Any]] = {
    "INSTALLED_APPS": (),
    "MIGRATION_MODULES": {},
    "DATABASES": {},
    "USE_TZ": True,
    "AUTH_USER_MODEL": "auth.User",
}
# A swappable model's setting may have any name (`OAUTH2_PROVIDER_APPLICATION_MODEL`), so it is known by its value.
MODEL = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")


@dataclass(frozen=True)
class Settings:
    """The settings that matter here. `models` are all that look like a model, ``AUTH_USER_MODEL`` among them."""

    module: str
    installed_apps: tuple[str, ...]
    migration_modules: Any
    use_tz: bool
    models: Mapping[str, str]
    # Passwords are in here.
    databases: Mapping[str, Mapping[str, Any]] = field(repr=False, default_factory=dict)

    @classmethod
    def read(cls, name: str, values: Mapping[str, Any]) -> Settings:
        """The settings out of upper-case names; raises SettingsError for a value that is not of its kind."""
        known = {**DEFAULTS, **values}
        for setting, kinds in (("INSTALLED_APPS", (list, tuple)), ("DATABASES", Mapping)):
            if not isinstance(known[setting], kinds):
                raise SettingsError(
                    f"{setting} in {name} must be {'a dictionary' if setting == 'DATABASES' else 'a list or a tuple'}, "
                    f"not {type(known[setting]).__name__}.",
                    hint="Fix the settings, then run the command again.",
                )
        models = {key: value for key, value in known.items() if isinstance(value, str) and MODEL.fullmatch(value)}
        return cls(
            name,
            tuple(known["INSTALLED_APPS"]),
            known["MIGRATION_MODULES"],
            bool(known["USE_TZ"]),
            models,
            known["DATABASES"],
        )


def running_settings(name: str) -> Settings | None:
    """The settings of the Django that runs in this process with the module `name`; None when none does.

    The name is empty for settings that are in no module.
    """
    if "django.conf" not in sys.modules:
        return None
    from migsync.worker import in_process

    values = in_process.running_settings(name)
    return None if values is None else Settings.read(name, values)


def load_settings(name: str, root: Root) -> Settings:
    """Import the settings module `name` and read it; ``sys.path`` and the environment are set up by then.

    Where the module itself has no ``INSTALLED_APPS`` or no ``DATABASES`` (django-configurations, dynaconf), Django's
    own settings object is asked. Raises SettingsError for whatever the import raises, ``SystemExit`` included.
    """
    # Settings may print. On standard output that would end up in the middle of a JSON document.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            # Settings of django-configurations refuse to be imported before its hook is in place.
            values: Mapping[str, Any] = {}
            if not os.environ.get(CONFIGURATION_VARIABLE):
                values = _upper_case(importlib.import_module(name))
            if not {"INSTALLED_APPS", "DATABASES"} <= values.keys():
                values = _ask_django(name, values)
        except (Exception, SystemExit) as error:
            raise _failed(name, error, root) from error
    return Settings.read(name, values)


def _ask_django(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    if importlib.util.find_spec("django") is None:
        # What the module says has to do.
        return values or _upper_case(importlib.import_module(name))
    from migsync.worker.in_process import settings_object

    return settings_object(name)


def _upper_case(module: ModuleType) -> dict[str, Any]:
    return {key: value for key, value in vars(module).items() if key.isupper()}


def _failed(name: str, error: BaseException, root: Root) -> SettingsError:
    """What the import raised, and where: the innermost line of the project, else the innermost of all."""
    said = " ".join(redact(str(error)).split()).rstrip(".")
    place = _place(error, root)
    return SettingsError(
        f"The settings module {name} does not import: {type(error).__name__}{f': {said}' if said else ''}.",
        f"It happened in {place}." if place else "",
    )


def _place(error: BaseException, root: Root) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename not in (__file__, importlib.__file__)
    ]
    own = [
        frame
        for frame in frames
        if frame.filename.startswith(str(root.directory))
        and not any(part in frame.filename for part in ENVIRONMENT_PARTS)
    ]
    for frame in reversed(own or frames):
        return f"{frame.filename}:{frame.lineno}"
    return ""
