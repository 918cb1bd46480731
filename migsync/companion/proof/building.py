"""``migrate`` on a scratch database: the worker's half of a proof of the schema."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from migsync.companion.proof.worker import load_settings, set_up, stage

# Options by which a driver could be sent to another database than NAME says.
DETOURS: Final = ("db", "database", "dbname", "service")
CURRENT: Final[Mapping[str, str]] = {
    "postgresql": "SELECT current_database()",
    "mysql": "SELECT DATABASE()",
    "sqlite": "SELECT file FROM pragma_database_list WHERE name = 'main'",
}


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run every migration that the routers allow for the alias, on the database that `request` names.

    Every alias of the project leads to that scratch database: a migration that asks for another one by name must not
    reach what is in use.
    """
    load_settings()
    with stage("connection"):
        _redirect(request["alias"], request["name"])
    set_up()
    with stage("connection"):
        _check(request["name"])
    with stage("migrate"):
        from django.core.management import call_command
        from django.core.management.commands.migrate import Command

        # Django's own command: a project's may take locks, or refuse.
        call_command(Command(), database=request["alias"], interactive=False, verbosity=0, skip_checks=True)
    return {}


def _redirect(alias: str, name: str) -> None:
    from django.conf import settings

    chosen = settings.DATABASES[alias]
    options = {key: value for key, value in (chosen.get("OPTIONS") or {}).items() if key not in DETOURS}
    for other in settings.DATABASES:
        settings.DATABASES[other] = {**chosen, "NAME": name, "OPTIONS": options, "TEST": {}}


def _check(name: str) -> None:
    from django.db import connections

    for connection in connections.all():
        with connection.cursor() as cursor:
            cursor.execute(CURRENT[connection.vendor])
            found = cursor.fetchone()[0]
        if connection.vendor == "sqlite":
            found, name = os.path.realpath(found), os.path.realpath(name)
        if found != name:
            raise RuntimeError(f"the alias {connection.alias!r} leads to {found}, whatever its NAME says")
