"""What only a started Django has, as three tasks: the installed apps, settings that name a model, computed headers.

An app may compute its label, and may set a setting while its models are imported, as those of swapper do (wagtail's
``WAGTAIL_PAGE_MODEL``). What ``django.setup()`` raises ends the process, as it would end ``manage.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from migsync.key import Key
from migsync.worker.headers import HeadersRequest, HeadersResult, LoadedHeader
from migsync.worker.protocol import (
    ModelSettingsRequest,
    ModelSettingsResult,
    RegisteredApp,
    RegistryRequest,
    RegistryResult,
)


def installed_apps(_: RegistryRequest) -> RegistryResult:
    """The apps of the project, once Django has started."""
    _start()
    return RegistryResult(registered_apps())


def model_settings(request: ModelSettingsRequest) -> ModelSettingsResult:
    """Those of the settings that Django has once it has started."""
    _start()
    from django.conf import settings

    values = {name: getattr(settings, name, None) for name in request.names}
    return ModelSettingsResult({name: value for name, value in values.items() if isinstance(value, str)})


def migration_headers(request: HeadersRequest) -> HeadersResult:
    """What each of these migration files says of its place, once it is imported."""
    _start()
    return HeadersResult(tuple(map(_header, request.keys)))


def _header(key: Key) -> LoadedHeader:
    from django.db.migrations.loader import MigrationLoader

    package, _ = MigrationLoader.migrations_module(key.app)
    migration = importlib.import_module(f"{package}.{key.name}").Migration(key.name, key.app)
    return LoadedHeader(
        key,
        _keys(migration.dependencies),
        _keys(migration.run_before),
        _keys(migration.replaces),
        migration.initial,
        migration.atomic,
    )


def _keys(entries: Iterable[Any]) -> tuple[Key, ...]:
    return tuple(Key(*entry) for entry in entries)


def _start() -> None:
    import django

    django.setup()


def registered_apps() -> tuple[RegisteredApp, ...]:
    """All apps of the Django that has started in this process."""
    # Imported late: it needs the settings.
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    found = []
    for config in apps.get_app_configs():
        module, explicit = MigrationLoader.migrations_module(config.label)
        found.append(RegisteredApp(config.label, config.name, _directory(module, explicit)))
    return tuple(found)


def _directory(name: str | None, explicit: bool) -> str | None:
    """The directory of a migrations package, by the rules of ``MigrationLoader.load_disk``."""
    if name is None:
        return None
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        # An app without a migrations package is none to worry about. A module that such a package imports, and that is
        # not there, is an error.
        if explicit or "migrations" not in (error.name or "").split("."):
            raise
        return None
    locations = list(getattr(module, "__path__", ()))
    return locations[0] if locations else None
