"""The history as a change of files will make it; only files that change are parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from migsync.files.proposal import FileChange
from migsync.history import History, build_history, read_migration
from migsync.history.migration import Key, Migration
from migsync.project import Project


def with_changes(
    project: Project,
    history: History,
    changes: Iterable[FileChange],
    *,
    complete: bool,
    stated: Callable[[Key], str] = lambda _: "",
) -> History:
    """`history` once `changes` are made.

    `stated` gives the digests that are known already, `complete` is as for :func:`build_history`. Raises HistoryError
    for a file that would be broken.
    """
    changes = list(changes)
    directories = {Path(app.directory): label for label, app in history.apps.items() if app.directory}
    gone = {str(change.old_path) for change in changes if change.old_path}
    found = {key: migration for key, migration in history.migrations.items() if migration.path not in gone}
    loaded = {migration.path: migration for migration in history.migrations.values() if migration.problems}
    for change in changes:
        path = change.new_path
        if path is not None and change.new is not None and path.suffix == ".py" and path.parent in directories:
            if path.stem.startswith(("_", "~")):
                continue
            key = Key(directories[path.parent], path.stem)
            found[key] = read_migration(change.new, key, str(path), stated(key))
            if (before := loaded.get(str(change.old_path))) and not before.unread and change.old is not None:
                found[key] = _with_computed(found[key], before, read_migration(change.old, before.key, before.path))
    # In the order of the apps, as Django loads them and as the history before was built.
    place = {label: number for number, label in enumerate(history.apps)}
    ordered: list[Migration] = sorted(found.values(), key=lambda it: (place.get(it.key.app, -1), it.key))
    return build_history(ordered, history.apps.values(), project.settings, complete=complete)


def _with_computed(migration: Migration, before: Migration, stated: Migration) -> Migration:
    """With what only Django knew of the file `before`, which its text (`stated`) does not show and no edit touched."""

    def keys(attribute: str) -> tuple[Key, ...]:
        known = getattr(stated, attribute)
        computed = [key for key in getattr(before, attribute) if key not in known]
        return (*getattr(migration, attribute), *computed)

    return migration.changed(
        dependencies=keys("dependencies"),
        run_before=keys("run_before"),
        replaces=keys("replaces"),
        initial=before.initial,
        atomic=before.atomic,
        problems=tuple(problem._replace(settled=True) for problem in migration.problems),
    )
