"""A process in which apps bear the labels of before, though the project's code has the new ones already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def bear(labels: Mapping[str, str]) -> None:
    """Give apps other labels (the code's to the wanted one), before Django starts; settings that name them follow.

    A class or a field that names its app by the label itself cannot follow; Django then does not start.
    """
    from django.apps import AppConfig
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    made = AppConfig.__init__

    def init(config: AppConfig, *arguments: Any) -> None:  # noqa: ANN401 -- Django's own arguments
        made(config, *arguments)
        if config.label in labels:
            config.label = labels[config.label]

    AppConfig.__init__ = init  # type: ignore[assignment, method-assign]
    modules = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**modules, **{labels[app]: modules[app] for app in labels if app in modules}}
    model = re.compile(rf"({'|'.join(map(re.escape, labels))})\.(\w+)")
    for name in filter(str.isupper, dir(settings)):
        value = None
        with suppress(ImproperlyConfigured):  # an empty SECRET_KEY: whoever needs it will say so
            value = getattr(settings, name)
        if isinstance(value, str) and (found := model.fullmatch(value)):
            setattr(settings, name, f"{labels[found[1]]}.{found[2]}")
