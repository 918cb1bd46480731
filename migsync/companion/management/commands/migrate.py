"""``manage.py migrate`` under migsync's lock. It is stopped, or syncs first, as ``MIGSYNC_ON_MIGRATE`` says.

:mod:`migsync.companion.guard` lists the steps and their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.management import load_command_class
from django.core.management.commands.migrate import Command as DjangosOwn

from migsync.companion.guard import OnMigrate, refusals, reserved, stop, sync
from migsync.companion.guarded_migrate import GuardedMigrate
from migsync.companion.tenants import has_tenants

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand


def _without_us() -> type[BaseCommand]:
    """The command that would run without the companion: that of the next app that has one, or Django's own."""
    # Of several apps with a command of one name Django takes the first in INSTALLED_APPS. So the search goes in this
    # order, too.
    configs = list(apps.get_app_configs())
    for config in configs:
        name = f"{config.name}.management.commands.migrate"
        if config.name != "migsync.companion" and _exists(name):
            return type(load_command_class(config.name, "migrate"))
    return DjangosOwn


def _exists(module: str) -> bool:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        # The module, or a package above it, is not there. With any other name the command is there and one of its own
        # imports is broken: passing over it would run another `migrate` than the project wants.
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            return False
        raise
    return True


# A subclass of the command that would run without us: its options, and what other apps have changed in it, stay.
class Command(GuardedMigrate, _without_us()):  # type: ignore[misc]
    """``migrate`` under migsync's lock."""

    @contextmanager
    def guarded(self, alias: str, mode: OnMigrate, options: Mapping[str, Any]) -> Iterator[None]:
        """Sync first, then look again under the lock; nothing here where the command goes from tenant to tenant."""
        if has_tenants(alias):
            yield
            return
        # Before the lock is held: the run takes the same lock, on a connection of its own, and would wait for us.
        self.say_synced(alias, sync(alias) if mode is OnMigrate.SYNC else None)
        with reserved(alias) as guarded:
            # In the other mode sync() has refused, or has made the changes.
            if guarded and mode is OnMigrate.CHECK:
                stop(refusals(alias, mode))
            yield
