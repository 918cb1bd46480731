"""Django's system checks: ``migrate`` runs them for its alias, since they are tagged ``database``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import checks

from migsync.companion.guard import OnMigrate, Refusal, on_migrate, refusals
from migsync.companion.tenants import COMMAND, HOOK, has_tenants, is_hooked, judge
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
    found = [refusal for alias in databases or () for refusal in _refusals(alias, mode)]
    return [_error(refusal.found, refusal.hint, refusal.id) for refusal in found]


def _refusals(alias: str, mode: OnMigrate) -> Sequence[Refusal]:
    """Of the schema in which the connection is, where each is a tenant's and nothing else guards it."""
    if not has_tenants(alias):
        return refusals(alias, mode)
    found = None if is_hooked() else judge(alias, mode)
    return found.refusals if found else ()


@checks.register
def tenants_guarded(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401
    """W001: ``migrate_schemas`` of django-tenants runs without the guard."""
    try:
        guarded = on_migrate() is not OnMigrate.OFF
    except SettingsError:
        return []
    if not guarded or is_hooked() or not apps.is_installed("django_tenants"):
        return []
    return [
        checks.Warning(
            "`migrate_schemas` runs without migsync's guard.",
            hint=f'Set {HOOK} = "{COMMAND}" in the settings, or MIGSYNC_ON_MIGRATE = "off" to do without it.',
            id="migsync.W001",
        )
    ]


def _error(found: str, hint: str, name: str) -> checks.Error:
    return checks.Error(printable_lines(found), hint=printable_lines(hint), id=name)
