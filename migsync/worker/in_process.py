"""Django in migsync's own process, and not in a worker: the only code of this room that runs there.

That is where ``manage.py migsync`` runs, with Django started already; and where a settings module was imported that
leaves its settings to Django, or names a database backend that migsync does not know. Starting a worker for these
would take longer than the answer. Django is imported inside the functions: a project's settings may be read where it
is not installed.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from typing import Any

from migsync.errors import UnknownEngine
from migsync.worker.protocol import RegisteredApp
from migsync.worker.runtime import CONFIGURATION_VARIABLE

# The first is the module's own name; to read the second when it is empty is an error, and it is nobody's business here.
LEFT_OUT = ("SETTINGS_MODULE", "SECRET_KEY")


def running_settings(name: str) -> Mapping[str, Any] | None:
    """The settings of the Django that runs in this process, None when it does not run with the module `name`.

    The name is empty for settings that were made by ``settings.configure()``.
    """
    from django.conf import settings

    return _values(settings) if _runs_with(name) else None


def running_apps(name: str) -> tuple[RegisteredApp, ...] | None:
    """The registry of the Django that runs in this process, None when it does not run with the module `name`."""
    from migsync.worker.registry import registered_apps

    return registered_apps() if _runs_with(name) else None


def _runs_with(name: str) -> bool:
    from django.apps import apps
    from django.conf import settings

    return bool(apps.ready and settings.configured and (settings.SETTINGS_MODULE or "") == name)


def settings_object(name: str) -> Mapping[str, Any]:
    """The settings as Django has them from the module `name`, with its defaults; raises whatever they raise.

    Those of django-configurations come from the class that ``DJANGO_CONFIGURATION`` names, once its import hook is in
    place. A module may also call ``settings.configure()``.
    """
    from django.conf import Settings, settings

    if os.environ.get(CONFIGURATION_VARIABLE) and importlib.util.find_spec("configurations"):
        importlib.import_module("configurations.importer").install()
    # Not the global object: another project in this process may have set it up.
    loaded = Settings(name)
    if settings.configured and settings.SETTINGS_MODULE is None:
        return _values(settings)
    return _values(loaded)


def _values(source: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- Settings, LazySettings, or what took their place
    return {name: getattr(source, name) for name in dir(source) if name.isupper() and name not in LEFT_OUT}


def describe_backend(engine: str, alias: str, settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    """The backend's vendor (``postgresql``, ``mysql``, ``sqlite``, …), and its connection parameters.

    The parameters are None unless the backend makes its own, as those do that fetch a token for a password: then only
    it can say them. Raises UnknownEngine for a backend that does not import or that fails.
    """
    # A backend that prints while it is imported would garble what migsync writes there, JSON for one.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            wrapper = importlib.import_module(f"{engine}.base").DatabaseWrapper
            vendor: str = wrapper.vendor
            if wrapper.get_connection_params.__module__.startswith("django."):
                return vendor, None
            return vendor, wrapper(_complete(settings), alias).get_connection_params()
        except (Exception, SystemExit) as error:
            raise UnknownEngine(
                f"The database {alias!r} has the engine {engine!r}, which does not import ({type(error).__name__}).",
                UnknownEngine.default_hint,
            ) from error


def _complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The alias' settings with what Django adds to them (``ConnectionHandler.configure_settings``)."""
    from django.db.utils import ConnectionHandler

    handler = ConnectionHandler({"default": dict(settings)})
    return dict(handler.settings["default"])
