"""Django's own loader and executor, as the judge: its code, with the files and rows handed to it as values."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

import django
from django.db import migrations
from django.db.migrations import loader as django_loader
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from migsync.history import SETTING, App, Key, Migration

NESTED = django.VERSION >= (6,)


@dataclass
class Verdict:
    """What Django says; everything but the error is empty when there is one."""

    error: str = ""
    applied: AbstractSet[Key] = frozenset()
    parents: Mapping[Key, tuple[Key, ...]] | None = None
    pending: tuple[Key, ...] = ()
    inconsistent: str = ""
    conflicts: Mapping[str, list[str]] | None = None


class _Recorder:
    def __init__(self, connection: SimpleNamespace) -> None:
        self.rows = connection.rows

    def applied_migrations(self) -> dict[Key, None]:
        return dict.fromkeys(self.rows)


class _Loader(django_loader.MigrationLoader):
    def __init__(
        self, found: list[Migration], apps: list[App], settings: Mapping[str, str], rows: AbstractSet[Key]
    ) -> None:
        self.found, self.settings = found, settings
        self.apps = {app.label: app for app in apps}
        super().__init__(SimpleNamespace(rows=rows, alias="default"))

    def load_disk(self) -> None:
        self.unmigrated_apps = {label for label, app in self.apps.items() if app.directory is None}
        self.migrated_apps = self.apps.keys() - self.unmigrated_apps
        self.disk_migrations = {tuple(each.key): self._django(each) for each in self.found}

    def _django(self, migration: Migration) -> migrations.Migration:
        made = migrations.Migration(migration.key.name, migration.key.app)
        made.dependencies = [self._dependency(key) for key in migration.dependencies]
        made.run_before = [self._dependency(key) for key in migration.run_before]
        made.replaces = [tuple(key) for key in migration.replaces]
        return made

    def _dependency(self, key: Key) -> tuple[str, str]:
        return migrations.swappable_dependency(self.settings[key.name]) if key.app == SETTING else tuple(key)


def judge(found: list[Migration], apps: list[App], settings: Mapping[str, str], rows: AbstractSet[Key]) -> Verdict:
    """What Django makes of these files and rows."""
    with mock.patch.object(django_loader, "MigrationRecorder", _Recorder):
        try:
            loader = _Loader(found, apps, settings, rows)
        except Exception as error:
            return Verdict(error=type(error).__name__)
        verdict = Verdict(applied={Key(*key) for key in loader.applied_migrations})
        try:
            loader.check_consistent_history(SimpleNamespace(rows=rows, alias="default"))
        except InconsistentMigrationHistory as error:
            verdict.inconsistent = str(error)
        nodes = loader.graph.node_map
        verdict.parents = {
            Key(*key): tuple(sorted(Key(*parent.key) for parent in node.parents)) for key, node in nodes.items()
        }
        verdict.conflicts = loader.detect_conflicts()
        executor = MigrationExecutor.__new__(MigrationExecutor)
        executor.loader = loader
        plan = executor.migration_plan(loader.graph.leaf_nodes())
        verdict.pending = tuple(Key(migration.app_label, migration.name) for migration, _ in plan)
    return verdict
