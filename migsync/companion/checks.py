"""Django's system checks: ``migrate`` runs them for its alias, since they are tagged ``database``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks

from migsync.companion.guard import OnMigrate, on_migrate, plan_for
from migsync.errors import MigsyncError, SettingsError
from migsync.sync.plan import Plan


@checks.register(checks.Tags.database)
def names_in_line(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401
    """E001: records hold names that have changed. E002: they cannot be judged. E003: a wrong setting. W001: no look.

    Nothing is said of plain changes where ``migrate`` makes them itself (``MIGSYNC_ON_MIGRATE = "sync"``).
    """
    try:
        mode = on_migrate()
    except SettingsError as error:
        return [checks.Error(error.found, hint=error.hint, id="migsync.E003")]
    if mode is OnMigrate.OFF:
        return []
    return [message for alias in databases or () for message in _look(alias, told=mode is OnMigrate.CHECK)]


def _look(alias: str, *, told: bool) -> list[checks.CheckMessage]:
    try:
        plan = plan_for(alias)
    except MigsyncError as error:
        return [checks.Warning(f"migsync could not look at {alias}: {error.found}", hint=error.hint, id="migsync.W001")]
    return _messages(alias, plan, told=told) if plan else []


def _messages(alias: str, plan: Plan, *, told: bool) -> list[checks.CheckMessage]:
    blocking = [finding for finding in plan.findings if finding.blocks]
    if blocking:
        said = [(f"{alias}: {finding.found} {finding.meaning}".rstrip(), finding.hint) for finding in blocking]
        return [checks.Error(found, hint, id="migsync.E002") for found, hint in said]
    count = len(plan.changes)
    if not count or not told:
        return []
    names = "1 record of django_migrations holds a name that has changed"
    if count > 1:
        names = f"{count} records of django_migrations hold names that have changed"
    return [
        checks.Error(
            f"{alias}: {names}. `migrate` would take migrations that were applied for new ones.",
            f"Run first: python manage.py migsync apply --database {alias}",
            id="migsync.E001",
        )
    ]
