"""Edits of migration files: other names and other parents in them, and every other byte as it was.

`edit` has the one entry, :func:`edit_migration`. It tries `layout` first, which needs no syntax tree. Otherwise
`entries` finds where each key is written, `outcomes` decides what becomes of it, and `literals`, `sequences` and
`replaces` say how that is written: as splices of a `source`, which leave all other bytes alone. LibCST would not: it
loses form feeds, and takes seven times as long.
"""

from migsync.edits.edit import MigrationEdit, edit_migration
from migsync.edits.source import CannotEdit

__all__ = ["CannotEdit", "MigrationEdit", "edit_migration"]
