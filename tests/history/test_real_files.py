"""The migrations of wagtail, django-oscar and Django itself: the reader says what the imported classes say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from migsync.history import FIRST, SETTING, App, Key, Migration, read_history
from migsync.history.contents import COMPUTED, PartKind
from migsync.history.layout import read_generated
from migsync.history.parser import read_contents, read_header
from migsync.history.tables import TableState
from tests.real.project import SETTINGS

FIELDS = (PartKind.FIELD, PartKind.LINK)
# Prints what Django has after importing every file, and the order in which it would migrate an empty database.
IMPORT = """
import json
import django
django.setup()
from pathlib import Path
from django.apps import apps
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

def operations(found, state=False):
    for each in found:
        if type(each).__name__ == "SeparateDatabaseAndState":
            yield from operations(each.database_operations, state)
        else:
            yield [type(each).__name__, state]
        yield from operations(getattr(each, "state_operations", ()), True)

loader = MigrationLoader(None)
executor = MigrationExecutor.__new__(MigrationExecutor)
executor.loader = loader
print(json.dumps({
    "apps": {config.label: str(Path(config.path, "migrations")) for config in apps.get_app_configs()},
    "migrations": [
        [*key, m.dependencies, m.run_before, m.replaces, m.initial, m.atomic, bool(m.operations)]
        for key, m in loader.disk_migrations.items()
    ],
    "operations": [[*key, list(operations(m.operations))] for key, m in loader.disk_migrations.items()],
    "fields": sorted(
        [app, model, field]
        for (app, model), state in loader.project_state().models.items()
        if not state.options.get("proxy") and state.options.get("managed", True)
        for field, found in state.fields.items()
        if type(found).__name__ not in ("GenericForeignKey", "GenericRelation")
        # A many-to-many field with a model of its own for the table has none.
        and not getattr(found.remote_field, "through", None)
    ),
    "plan": [[m.app_label, m.name] for m, _ in executor.migration_plan(loader.graph.leaf_nodes())],
}))
"""
# Set by wagtail itself, when its models are imported.
CONCURRENT = {"AddIndexConcurrently": "AddIndex", "RemoveIndexConcurrently": "RemoveIndex"}
MODELS = {"AUTH_USER_MODEL": "auth.User", "WAGTAIL_PAGE_MODEL": "wagtailcore.Page"}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict:
    root = tmp_path_factory.mktemp("imported")
    (root / "project").mkdir()
    (root / "project" / "__init__.py").touch()
    databases = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}'
    (root / "project" / "settings.py").write_text(SETTINGS.format(databases=databases, modules={}))
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_reader_says_what_the_imported_classes_say(imported: dict) -> None:
    history = read_history([App(label, directory) for label, directory in imported["apps"].items()], settings=MODELS)
    assert history.findings == ()
    expected = {Key(row[0], row[1]): row[2:] for row in imported["migrations"]}
    assert len(expected) > 300
    has_operations = {key: row.pop() for key, row in expected.items()}
    assert {key: _values(migration) for key, migration in history.migrations.items()} == expected
    for key, migration in history.migrations.items():
        # A list that is computed may be empty here and not elsewhere: that is never taken for none.
        assert migration.operations >= has_operations[key]
    assert [list(key) for key in history.state(frozenset()).pending] == imported["plan"]
    without = [migration for migration in history.migrations.values() if not migration.digest]
    assert len(without) < 5
    for migration in without:  # what they do depends on where they are
        assert re.search(r"__(file|name|spec)__", Path(migration.path).read_text())


def test_the_operations_are_those_of_the_imported_classes(imported: dict) -> None:
    directories = imported["apps"]
    compared = 0
    for app, name, expected in imported["operations"]:
        path = Path(directories[app], f"{name}.py")
        found = read_contents(path.read_bytes(), str(path), app).operations
        if any(operation.kind == COMPUTED for operation in found):
            continue
        kinds = [[CONCURRENT.get(kind, kind), state] for kind, state in expected]
        assert [[operation.kind, operation.state_only] for operation in found] == kinds, path
        compared += 1
    assert compared > len(imported["operations"]) * 0.95


def test_the_steps_lead_to_the_fields_of_djangos_own_state(imported: dict) -> None:
    history = read_history([App(label, directory) for label, directory in imported["apps"].items()], settings=MODELS)
    compared = 0
    for app in imported["apps"]:
        tables = TableState()
        migrations = [history.migrations[Key(app, name)] for name in history.names(app)]
        # A squash and what it replaces are on disk side by side.
        replaced = {key for migration in migrations for key in migration.replaces}
        found = [operation for each in migrations if each.key not in replaced for operation in each.contents.operations]
        tables.run(found)
        # What is computed, or moved by operations of the state alone, is not in the steps.
        if any(operation.kind == COMPUTED or operation.state_only for operation in found):
            continue
        fields = sorted([app, place.model, place.name] for place in tables.parts if place.part in FIELDS)
        assert fields == [each for each in imported["fields"] if each[0] == app], app
        compared += len(fields)
    assert compared > 500


def _values(migration: Migration) -> list:
    return [
        [_pair(key) for key in migration.dependencies],
        [_pair(key) for key in migration.run_before],
        [_pair(key) for key in migration.replaces],
        migration.initial,
        migration.atomic,
    ]


def _pair(key: Key) -> list[str]:
    return [MODELS[key.name].split(".")[0], FIRST] if key.app == SETTING else list(key)


def test_most_files_are_read_the_fast_way_and_all_the_same(imported: dict) -> None:
    sources = [path.read_bytes() for directory in imported["apps"].values() for path in Path(directory).glob("0*.py")]
    fast = [(read_generated(source), read_header(source, "")) for source in sources]
    assert all(generated is None or generated == header for generated, header in fast)
    assert sum(generated is not None for generated, _ in fast) > len(sources) / 2
