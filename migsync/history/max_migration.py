"""``max_migration.txt``, in which django-linear-migrations has the name of an app's last migration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from migsync.findings import Finding
from migsync.findings.files import stale_max_migration
from migsync.history.graph import History

MAX_MIGRATION = "max_migration.txt"


def stale_max_migrations(history: History) -> Iterator[Finding]:
    """A warning for each of the project's own apps with one end, and a file that does not name it."""
    for app in sorted(history.first_party):
        path = Path(history.apps[app].directory or "", MAX_MIGRATION)
        ends = history.leaves(app)
        if len(ends) == 1 and path.is_absolute():
            with suppress(OSError, UnicodeDecodeError):
                said = path.read_text().strip()
                if said != ends[0].name:
                    yield stale_max_migration(migration=ends[0], said=said, file=str(path))
