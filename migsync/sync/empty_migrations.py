"""Migrations without operations that are not recorded, although one that depends on them is: merges, mostly.

They come back with files of before, or with one of two branches, while a database was migrated without them. `migrate`
does not start there, and there is nothing to run.
"""

from __future__ import annotations

from dataclasses import replace

from migsync.history.graph import History
from migsync.rewrites.record import Record
from migsync.rewrites.rows import TrackedRow
from migsync.rewrites.translation import Translation

WITHOUT_OPERATIONS = "without operations"
"""The cause of a change that records one."""


def with_empty(history: History, found: Translation) -> Translation:
    """The translation with a row for each such migration of the project's own apps in scope."""
    apps = found.scope & history.first_party
    recorded = {record.key: record.applied for record in found.after}
    rows: list[TrackedRow] = []
    # Children first: one that is found may be the child by which the next one is.
    for key in reversed(history.order):
        migration = history.migrations[key]
        if migration.operations or migration.replaces or key in recorded or key.app not in apps:
            continue
        if times := [recorded[child] or "" for child in history.children(key) if child in recorded]:
            # It came before everything that depends on it.
            recorded[key] = min(times)
            rows.append(TrackedRow(None, Record(None, key.app, key.name, min(times)), WITHOUT_OPERATIONS))
    return replace(found, rows=[*found.rows, *rows]) if rows else found
