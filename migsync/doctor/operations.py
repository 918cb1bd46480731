"""What is noteworthy in the operations of migrations, by their files: those without a way back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from migsync.findings import Finding
from migsync.findings.examination import irreversible_migrations
from migsync.history import History, Key
from migsync.history.source_cache import SourceCache


def irreversible(history: History, cache: SourceCache) -> Iterator[Finding]:
    """The first-party migrations that cannot be unapplied, app by app; remembered, since all files are parsed."""
    for app in sorted(history.first_party):
        keys = [key for key in history.order if key.app == app]
        lines = "\n".join(f"{key} {history.migrations[key].source}" for key in keys)
        sources = hashlib.sha256(f"irreversible\n{lines}".encode()).hexdigest()[:32]
        names = json.loads(cache.of(app, sources, lambda keys=keys: json.dumps(_names(history, keys))))  # type: ignore[misc]
        if names:
            yield irreversible_migrations(app=app, names=names)


def _names(history: History, keys: list[Key]) -> list[str]:
    return [
        key.name
        for key in keys
        if any(not each.reversible and not each.state_only for each in history.migrations[key].contents.operations)
    ]
