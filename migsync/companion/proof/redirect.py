"""The project on a scratch database: what a worker does before it migrates one."""

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
SQLITE: Final = {"ENGINE": "django.db.backends.sqlite3"}
IN_HASTE: Final = "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"


def set_up_on_scratch(request: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- Django has no types
    """Start Django on the database that `request` names; the connection of its alias.

    Every alias of the project leads to that scratch database: a migration that asks for another one by name must not
    reach what is in use. One connection does for all, since a migration that reads from "default", whatever --database
    says, would else wait for its own locks. With ``sqlite`` it is a database of SQLite, whatever the alias's engine is.
    """
    load_settings()
    with stage("connection"):
        from django.conf import settings

        # An alias of [tool.migsync], or of --url, is none of Django's.
        alias = request["alias"] if request["alias"] in settings.DATABASES else "default"
        _redirect(alias, request["name"], bool(request.get("sqlite")))
    set_up()
    with stage("connection"):
        from django.db import connections
        from django.db.backends.signals import connection_created

        connection_created.connect(_hasten)
        _check(request["name"])
        for other in connections:
            if other != alias:
                connections[other].close()
                connections[other] = connections[alias]
    return connections[alias]


def _redirect(alias: str, name: str, sqlite: bool) -> None:
    from django.conf import settings

    chosen = settings.DATABASES[alias]
    options = {key: value for key, value in (chosen.get("OPTIONS") or {}).items() if key not in DETOURS}
    place = {**chosen, "NAME": name, "OPTIONS": options, "TEST": {}}
    if sqlite:
        place |= {**SQLITE, "OPTIONS": {}, "HOST": "", "PORT": "", "USER": "", "PASSWORD": ""}
    for other in settings.DATABASES:
        settings.DATABASES[other] = dict(place)


def _hasten(connection: Any, **_: object) -> None:  # noqa: ANN401
    """Nobody will miss a scratch file after a power cut."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.connection.executescript(IN_HASTE)


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
