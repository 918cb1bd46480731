"""Migrations of Django, wagtail and oscar: all names changed, and changed back to the same bytes.

Every one when thorough, else a third of them, another in each run; a failure names the file.
"""

from __future__ import annotations

import importlib.util
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from migsync.edits import MigrationEdit, edit_migration
from migsync.history import SETTING, Key, Migration, parse_migration
from tests.profiles import THOROUGH


def sources(package: str) -> Iterator[tuple[Path, bytes, Migration]]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    paths = sorted(Path(spec.origin).parent.rglob("migrations/[0-9]*.py"))
    for path in paths if THOROUGH else sorted(random.SystemRandom().sample(paths, len(paths) // 3)):
        source = path.read_bytes()
        yield path, source, parse_migration(source, Key("app", path.stem), str(path))


def named(migration: Migration) -> set[Key]:
    keys = {*migration.dependencies, *migration.run_before, *migration.replaces}
    return {key for key in keys if key.app != SETTING and not key.name.startswith("__")}


@pytest.mark.parametrize("package", ["django", "wagtail", "oscar"])
def test_there_and_back(package: str) -> None:
    count = 0
    for path, source, migration in sources(package):
        there = {key: Key(key.app, f"renamed_{key.name}") for key in named(migration)}
        back = {new: old for old, new in there.items()}
        changed = edit_migration(source, str(path), MigrationEdit("app", {old: (new,) for old, new in there.items()}))
        read = parse_migration(changed, migration.key)
        once = dict.fromkeys(migration.dependencies)
        assert read.dependencies == tuple(there.get(key, key) for key in once), path
        assert read.digest == migration.digest
        if len(once) < len(migration.dependencies):  # oscar has a file that names a migration twice
            continue
        assert changed.count(b"\n") == source.count(b"\n")
        again = edit_migration(changed, str(path), MigrationEdit("app", {old: (new,) for old, new in back.items()}))
        assert again == source, path
        count += bool(there)
    assert count >= {"django": 10, "wagtail": 100, "oscar": 100}[package] * (1 if THOROUGH else 0.2)


@pytest.mark.parametrize("package", ["wagtail", "oscar"])
def test_entries_that_come_and_go(package: str) -> None:
    for path, source, migration in sources(package):
        keys = Counter(key for key in migration.dependencies if key in named(migration))
        for key in [key for key, times in keys.items() if times == 1][:2]:
            one, two = Key(key.app, "9998_one"), Key(key.app, "9999_two")
            without = edit_migration(source, str(path), MigrationEdit("app", {key: ()}))
            assert key not in named(parse_migration(without, migration.key)), path
            more = edit_migration(source, str(path), MigrationEdit("app", {key: (one, two)}))
            assert {one, two} <= named(parse_migration(more, migration.key)), path
            fewer = edit_migration(more, str(path), MigrationEdit("app", {one: (key,), two: ()}))
            assert fewer == source, path
