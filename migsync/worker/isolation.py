"""The project on a scratch database, and on nothing else of its own: what a worker does before it migrates one.

What a migration does beside its database stays within the process, or in a directory that goes with the proof: e-mail,
caches, files, as far as Django itself leads to them. Task queues, HTTP, files by a path of their own do not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from migsync.engines import SERVERLESS, engine_named
from migsync.worker.migration_traces import BuildRequest
from migsync.worker.protocol import TraceRequest
from migsync.worker.setup import load_settings, relabel, set_up, stage

MAIL: Final = "django.core.mail.backends.locmem.EmailBackend"
CACHES: Final = tuple(f"django.core.cache.backends.{name}Cache" for name in ("locmem.LocMem", "dummy.Dummy"))
FILES: Final = "django.core.files.storage.FileSystemStorage"
STATIC: Final = "django.contrib.staticfiles.storage.StaticFilesStorage"

# Options by which a driver could be sent to another database than NAME says.
DETOURS: Final = ("db", "database", "dbname", "service")
WAIT: Final = 30
"""So many seconds may pass until a lock is had: nobody but the migrations themselves can hold one."""


def set_up_on_scratch(request: TraceRequest | BuildRequest, server: Mapping[str, str] = MappingProxyType({})) -> Any:  # noqa: ANN401 -- Django has no types
    """Start Django on the database that `request` names; the connection of its alias.

    Every alias of the project leads to that scratch database: a migration that asks for another one by name must not
    reach what is in use. They are one connection, or one alias would wait for a lock that the other holds. With
    `foreign` it is one that needs no server, whatever the alias's engine is. `server` are settings of an alias
    (``HOST`` …) that lead to another server than its own.
    """
    relabel(request.labels)
    load_settings()
    with stage("connection"):
        from django.conf import settings

        # An alias of [tool.migsync], or of --url, is none of Django's.
        alias = request.alias if request.alias in settings.DATABASES else "default"
        # Before django.setup(): an app's ready(), or a module with models, may already ask for a connection or a cache.
        _redirect(alias, request.name, request.foreign, server)
        _keep_local(Path(request.directory))
    set_up()
    with stage("connection"):
        from django.db import connections
        from django.db.backends.signals import connection_created

        # By a signal, since connections are opened more than once: here for the checks, later for the migrations, and
        # by whatever closes one.
        connection_created.connect(_hasten)
        _check(request.name)
        _share(alias)
    return connections[alias]


def _redirect(alias: str, name: str, foreign: bool, server: Mapping[str, str]) -> None:
    from django.conf import settings

    chosen = settings.DATABASES[alias]
    options = {key: value for key, value in (chosen.get("OPTIONS") or {}).items() if key not in DETOURS}
    place = {**chosen, "NAME": name, "OPTIONS": options, "TEST": {}, **server}
    if foreign:
        place |= {**SERVERLESS.file_settings(name), "OPTIONS": {}, "HOST": "", "PORT": "", "USER": "", "PASSWORD": ""}
    for other in settings.DATABASES:
        settings.DATABASES[other] = dict(place)


def _hasten(connection: Any, **_: object) -> None:  # noqa: ANN401
    with connection.cursor() as cursor:
        for statement in engine_named(connection.vendor).impatience(WAIT):
            cursor.execute(statement)


def _check(name: str) -> None:
    from django.db import connections

    for connection in connections.all():
        engine = engine_named(connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(engine.current_database)
            found = cursor.fetchone()[0]
        if engine.file_suffix:
            found, name = os.path.realpath(found), os.path.realpath(name)
        # A backend of the project's own can ignore NAME, or lead to another host. To go on would migrate a real
        # database.
        if found != name:
            raise RuntimeError(f"the alias {connection.alias!r} leads to {found}, whatever its NAME says")


def _share(alias: str) -> None:
    """Make all aliases the same connection, in this thread.

    Another thread gets connections of its own from Django; where it needs a lock that this one holds, it fails after
    `WAIT` seconds.
    """
    from django.db import connections, transaction

    # The checks have opened them, one for each alias.
    connections.close_all()
    shared: Any = connections[alias]
    for other in connections:
        connections[other] = shared
    close = shared.close
    # A migration may close another alias's connection in the middle of its own transaction: that is the same one now.
    shared.close = lambda: None if shared.in_atomic_block else close()
    # An atomic block of another alias is now inside that of the migration, where Django allows no durable one.
    atomic: Any = transaction.Atomic
    atomic.durable = property(lambda _: False, lambda _, __: None)


def _keep_local(directory: Path) -> None:
    """Have settings that are loaded, and of which nothing has made use yet, lead to nothing outside."""
    from django.conf import settings

    if mailers := getattr(settings, "MAILERS", None):  # Django 6.1
        settings.MAILERS = {alias: {"BACKEND": MAIL} for alias in mailers}
    else:
        settings.EMAIL_BACKEND = MAIL
    settings.CACHES = {alias: _cache(alias, values) for alias, values in settings.CACHES.items()}
    roots = {alias: directory / "storages" / alias for alias in ("default", "staticfiles", *settings.STORAGES)}
    for root in roots.values():
        root.mkdir(parents=True, exist_ok=True)
    settings.MEDIA_ROOT, settings.STATIC_ROOT = str(roots["default"]), str(roots["staticfiles"])
    settings.STORAGES = {
        alias: {"BACKEND": STATIC if alias == "staticfiles" else FILES, "OPTIONS": {"location": str(roots[alias])}}
        for alias in settings.STORAGES
    }


def _cache(alias: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    if values.get("BACKEND") in CACHES:
        return values
    kept = {key: value for key, value in values.items() if key != "OPTIONS"}
    # In locmem the location is the store: two aliases with one location would share their keys. OPTIONS are the old
    # backend's.
    return {**kept, "BACKEND": CACHES[0], "LOCATION": alias}
