"""Apps made from scratch, with what their models do not show: the worker's task."""

from __future__ import annotations

from collections.abc import Mapping

from migsync.key import Key
from migsync.worker.compose.writer import compose
from migsync.worker.protocol import Carried, RemadeFile, RemakeRequest, RemakeResult
from migsync.worker.remake.autodetector import SETTING, initial_migrations, pending
from migsync.worker.remake.files import NewFiles, NewMigration, is_stuck
from migsync.worker.remake.graph import FileKey, OldGraph
from migsync.worker.remake.operations import Node, SpecialOperation
from migsync.worker.setup import set_up, stage


def answer(request: RemakeRequest) -> RemakeResult:
    """Make the migrations of the request's apps anew."""
    set_up()
    from django.db.migrations.loader import MigrationLoader

    with stage("load"):
        loader = MigrationLoader(None)
    old = OldGraph(loader, frozenset(request.apps), frozenset(request.drop))
    with stage("state"):
        state, found = old.run()
    with stage("initial"):
        initial = {} if is_stuck(found) else initial_migrations(state, old.apps)
    files = NewFiles(old, initial, found)
    empty = files.fill() if request.empty and not is_stuck(found) else []
    crossed = files.replace_all() if request.replaces else []
    names = files.names(request.word, request.taken)
    origins_of = {id(each.operation): each.origin for each in found if each.operation is not None}
    result = RemakeResult(
        made=tuple(_composed(file, names, origins_of) for file in files.files),
        carried=tuple(_told(each, files, names) for each in found),
        crossed=tuple(crossed),
        empty=tuple(empty),
    )
    with stage("changes"):  # last: the project's own makemigrations may have other texts written from there on
        changes = pending(loader, state, old.apps)
    return RemakeResult(pending=tuple(changes)) if changes else result


def _told(each: SpecialOperation, files: NewFiles, names: Mapping[FileKey, str]) -> Carried:
    """What became of one operation."""
    import inspect

    key = files.holds.get((each.origin, each.disposition))
    return Carried(
        origin=Key(*each.origin),
        file=inspect.getfile(type(files.old.migration(each.origin))),
        called=each.called,
        disposition=each.disposition,
        into=Key(each.origin[0], names[key]) if key else None,
    )


def _composed(file: NewMigration, names: Mapping[FileKey, str], origins_of: Mapping[int, Node]) -> RemadeFile:
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
    return RemadeFile(
        key=Key(file.app, names[file.key]),
        text=composed.text,
        further=bool(file.origins) and not file.initial,
        origins=tuple((number, Key(*origin)) for number, origin in origins if origin),
        notes=tuple(composed.notes),
    )
