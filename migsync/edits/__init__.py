"""Edits of migration files: other names and other parents in them, and every other byte as it was."""

from migsync.edits.edit import MigrationEdit, edit_migration
from migsync.edits.source import CannotEdit

__all__ = ["CannotEdit", "MigrationEdit", "edit_migration"]
