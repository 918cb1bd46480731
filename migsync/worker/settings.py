"""Django's settings object, for settings that the module alone does not state."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.conf import Settings, settings

from migsync.project.root import CONFIGURATION_VARIABLE

# The first is the module's own name; to read the second when it is empty is an error, and it is nobody's business here.
LEFT_OUT = ("SETTINGS_MODULE", "SECRET_KEY")


def running_settings(name: str) -> Mapping[str, Any] | None:
    """The settings of the Django that runs in this process, None when it does not run with the module `name`.

    The name is empty for settings that were made by ``settings.configure()``.
    """
    if not (apps.ready and settings.configured and (settings.SETTINGS_MODULE or "") == name):
        return None
    return _values(settings)


def settings_object(name: str) -> Mapping[str, Any]:
    """The settings as Django has them from the module `name`, with its defaults; raises whatever they raise.

    Those of django-configurations come from the class that ``DJANGO_CONFIGURATION`` names, once its import hook is in
    place. A module may also call ``settings.configure()``.
    """
    if os.environ.get(CONFIGURATION_VARIABLE) and importlib.util.find_spec("configurations"):
        importlib.import_module("configurations.importer").install()
    # Not the global object: another project in this process may have set it up.
    loaded = Settings(name)
    if settings.configured and settings.SETTINGS_MODULE is None:
        return _values(settings)
    return _values(loaded)


def _values(source: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- Settings, LazySettings, or what took their place
    return {name: getattr(source, name) for name in dir(source) if name.isupper() and name not in LEFT_OUT}
