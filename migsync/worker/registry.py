"""Django's app registry, asked for the apps that cannot be told from their files alone.

It runs in a process of its own, because ``django.setup()`` executes the
project: it may print, start threads, set up logging, or end the process. In a process where Django is set up already,
the registry at hand is asked.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from django.apps import apps
from django.conf import settings

from migsync.errors import ProjectError
from migsync.project.apps import RegisteredApp
from migsync.project.process import own_process
from migsync.project.root import Root
from migsync.redaction import redact

TIMEOUT = 120


def registered_apps(name: str, root: Root) -> Sequence[RegisteredApp]:
    """All installed apps of the project at `root` with the settings `name`; raises ProjectError if Django fails."""
    if apps.ready and (settings.SETTINGS_MODULE or "") == name:
        return _read()
    try:
        process = subprocess.run(  # noqa: S603 (our own module)
            own_process("migsync.worker.registry", root),
            input=json.dumps(sys.path),
            env={**os.environ, "DJANGO_SETTINGS_MODULE": name},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProjectError(f"django.setup() did not end within {TIMEOUT} seconds.") from error
    if process.returncode:
        last = redact(process.stderr.strip().rpartition("\n")[2])
        raise ProjectError(f"django.setup() failed: {last or f'exit status {process.returncode}'}.")
    return [RegisteredApp(*app) for app in json.loads(process.stdout)]


def _read() -> list[RegisteredApp]:
    # Imported late: it needs the settings.
    from django.db.migrations.loader import MigrationLoader

    found = []
    for config in apps.get_app_configs():
        module, explicit = MigrationLoader.migrations_module(config.label)
        found.append(RegisteredApp(config.label, config.name, _directory(module, explicit)))
    return found


def _directory(name: str | None, explicit: bool) -> str | None:
    """The directory of a migrations package, by the rules of ``MigrationLoader.load_disk``."""
    if name is None:
        return None
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if explicit or "migrations" not in (error.name or "").split("."):
            raise
        return None
    locations = list(getattr(module, "__path__", ()))
    return locations[0] if locations else None


def main() -> None:
    """Write the registry as JSON to standard output; everything that the project prints goes to standard error."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:] = json.load(sys.stdin)
    import django

    django.setup()
    json.dump([(app.label, app.name, app.directory) for app in _read()], answer)
    answer.close()
