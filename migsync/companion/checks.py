"""Django's system checks: ``migrate`` runs them for its alias, since they are tagged ``database``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import checks

from migsync.companion.guard import OnMigrate, on_migrate, refusals
from migsync.companion.tenants import COMMAND, HOOK, has_tenants, is_hooked
from migsync.errors import SettingsError
from migsync.escapes import printable_lines


@checks.register(checks.Tags.database)
def names_in_line(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401
    """E001: records hold names that have changed. E002: ``migsync plan`` refuses. E003: a wrong setting.

    Nothing is said of plain changes where ``migrate`` makes them itself (``MIGSYNC_ON_MIGRATE = "sync"``).
    """
    try:
        mode = on_migrate()
    except SettingsError as error:
        return [_error(error.found, error.hint, "migsync.E003")]
    if mode is OnMigrate.OFF:
        return []
    # `manage.py check --tag database` without `--database` names no database.
    # Where each schema is a tenant's, `migrate` itself asks about the one that it is in: see migsync.companion.tenants.
    found = [refusal for alias in databases or () if not has_tenants(alias) for refusal in refusals(alias, mode)]
    return [_error(refusal.found, refusal.hint, refusal.id) for refusal in found]


@checks.register
def tenants_guarded(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401
    """W001: ``migrate_schemas`` of django-tenants runs without the command that guards it."""
    try:
        guarded = on_migrate() is not OnMigrate.OFF
    except SettingsError:
        return []
    if not guarded or is_hooked() or not apps.is_installed("django_tenants"):
        return []
    return [
        checks.Warning(
            "`migrate_schemas` is not guarded as a whole: it takes no lock, and does not sync.",
            hint=f'Set {HOOK} = "{COMMAND}" in the settings.',
            id="migsync.W001",
        )
    ]


def _error(found: str, hint: str, name: str) -> checks.Error:
    return checks.Error(printable_lines(found), hint=printable_lines(hint), id=name)
