"""Django's system checks: ``migrate`` runs them for its alias, since they are tagged ``database``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks

from migsync.companion.guard import OnMigrate, on_migrate, refusals
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
    found = [refusal for alias in databases or () for refusal in refusals(alias, mode)]
    return [_error(refusal.found, refusal.hint, refusal.id) for refusal in found]


def _error(found: str, hint: str, name: str) -> checks.Error:
    return checks.Error(printable_lines(found), hint=printable_lines(hint), id=name)
