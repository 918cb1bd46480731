"""Edits of migration files: other names and other parents in them, and every other byte as it was."""

from migsync.companion.edits.edit import MigrationEdit, edit_migration
from migsync.companion.edits.source import CannotEdit

__all__ = ["CannotEdit", "MigrationEdit", "edit_migration"]
