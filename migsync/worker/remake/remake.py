"""Apps made from scratch, with what their models do not show: the worker's task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migsync.worker.compose.writer import compose
from migsync.worker.remake.autodetector import SETTING, initial_migrations, pending
from migsync.worker.remake.files import NewFiles, NewMigration, is_stuck
from migsync.worker.remake.graph import FileKey, OldGraph
from migsync.worker.remake.operations import Node, SpecialOperation
from migsync.worker.worker import set_up, stage


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the migrations of ``apps`` anew; ``word`` is in the new names, ``taken`` says by app which are not free.

    ``drop`` are the migrations whose operations may go: ``[app, name]``. The answer has ``pending``, (app, words) for
    each change that has no migration yet, and then nothing else; ``unseen``, what the models do not show and what
    became of it; and ``files``, in order, without text where something is stuck. With ``replaces`` the new ones replace
    the old ones; ``crossed`` are apps of which that cannot be so. With ``empty``, an app that would have no file
    gets one without operations, and is told.
    """
    set_up()
    from django.db.migrations.loader import MigrationLoader

    with stage("load"):
        loader = MigrationLoader(None)
    old = OldGraph(loader, frozenset(request["apps"]), frozenset((app, name) for app, name in request["drop"]))
    with stage("state"):
        state, found = old.run()
    with stage("changes"):
        initial = {} if is_stuck(found) else initial_migrations(state, old.apps)
    files = NewFiles(old, initial, found)
    empty = files.fill() if request["empty"] and not is_stuck(found) else []
    crossed = files.replace_all() if request["replaces"] else []
    names = files.names(request["word"], request["taken"])
    origins_of = {id(each.operation): each.origin for each in found if each.operation is not None}
    answer = {
        "pending": [],
        "crossed": crossed,
        "empty": empty,
        "unseen": [_told(each, files, names) for each in found],
        "files": [_composed(file, names, origins_of) for file in files.files],
    }
    with stage("changes"):  # last: the project's own makemigrations may have other texts written from there on
        changes = pending(loader, state, old.apps)
    return {"pending": changes} if changes else answer


def _told(each: SpecialOperation, files: NewFiles, names: Mapping[FileKey, str]) -> dict[str, Any]:
    """What became of one operation, as JSON values."""
    import inspect

    key = files.holds.get((each.origin, each.disposition))
    return {
        "app": each.origin[0],
        "name": each.origin[1],
        "file": inspect.getfile(type(files.old.migration(each.origin))),
        "called": each.called,
        "fate": str(each.disposition),
        "into": names[key] if key else "",
    }


def _composed(file: NewMigration, names: Mapping[FileKey, str], origins_of: Mapping[int, Node]) -> dict[str, Any]:
    """The text of a file, and the old migration of each operation (counted from 1) that was carried over."""
    carried = ", ".join(f"{label}.{name}" for label, name in file.origins)
    origins = ((number, origins_of.get(id(operation))) for number, operation in enumerate(file.operations, 1))
    dependencies = [
        *((SETTING, name) for name in file.settings),
        *file.outside,
        *sorted((key[0], names[key]) for key in file.depends),
    ]
    composed = compose(
        file.operations,
        app=file.app,
        name=names[file.key],
        dependencies=dependencies,
        replaces=file.replaces,
        run_before=file.run_before,
        initial=file.initial,
        atomic=file.atomic,
        heading=f"Carried over from {carried}." if carried else "",
    )
    return {
        "app": file.app,
        "name": names[file.key],
        "text": composed.text,
        "further": bool(file.origins) and not file.initial,
        "origins": [(number, *origin) for number, origin in origins if origin],
        "notes": [note.as_dict() for note in composed.notes],
    }
