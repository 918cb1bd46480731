"""Why a Reshape cannot be done: files that are not the project's own, and names that cannot be had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from migsync.edits import CannotEdit
from migsync.errors import HistoryError
from migsync.files.resolution import Resolution
from migsync.findings import Finding
from migsync.findings import files as entries
from migsync.history import Key, Migration
from migsync.project.firstparty import FirstParty
from migsync.rewrites.rewrite_files import check_name


def refusals(resolution: Resolution, root: Path) -> Iterator[Finding]:
    """An error for each file and each name that stands in the way; looks at the disk, changes nothing."""
    yield from _foreign(resolution, FirstParty(root))
    yield from _unusable(resolution)
    yield from _doubled(resolution)
    yield from _replaced(resolution)
    yield from _occupied(resolution)


def _foreign(resolution: Resolution, is_own: FirstParty) -> Iterator[Finding]:
    """Files that would have to change, and must not be."""
    own: dict[str, bool] = {}
    for migration, _ in resolution.created:
        app = resolution.history.apps.get(migration.key.app)
        if app is None or not app.directory or not app.first_party or not is_own(app.directory):
            yield _third_party(resolution, migration)
    for migration, _ in resolution.changes:
        directory = os.path.dirname(migration.path)  # noqa: PTH120 -- one for each of thousands of files
        if directory not in own:
            own[directory] = is_own(directory)
        if migration.key.app not in resolution.history.first_party or not own[directory]:
            yield _third_party(resolution, migration)
        elif os.path.islink(migration.path):  # noqa: PTH114 -- the same
            target = os.path.realpath(migration.path)
            yield entries.linked_file(migration=migration.key, file=migration.path, target=target)
        elif not migration.path.endswith(".py"):
            yield entries.no_source(migration=migration.key, file=migration.path)


def _third_party(resolution: Resolution, migration: Migration) -> Finding:
    named = (*migration.dependencies, *migration.run_before, *migration.replaces)
    known = next((key for key in named if key in resolution.becomes), None)
    return entries.third_party_file(migration=migration.key, other=known, file=migration.path)


def _unusable(resolution: Resolution) -> Iterator[Finding]:
    for new in resolution.contents.created:
        if reason := _reason_against(new.name):
            yield entries.unusable_name(migration=new, reason=reason, new=True)
    for old, new in resolution.keys.renamed.items():
        if reason := _reason_against(new.name):
            yield entries.unusable_name(migration=old, reason=reason, new=False)


def _reason_against(name: str) -> str:
    """Why a name cannot be that of a migration file; empty when it can."""
    try:
        check_name(name)
    except ValueError as error:
        return str(error)
    # MigrationLoader.load_disk passes over such modules, so the migration would be gone.
    if name[0] in "_~":
        return f"Django takes no file for a migration whose name begins as {name!r} does"
    if unfit := next((character for character in "./\\" if character in name), ""):
        return f"a module's name cannot hold {unfit!r}, as {name!r} does"
    return ""


def _doubled(resolution: Resolution) -> Iterator[Finding]:
    bearers: dict[Key, Key] = {new: new for new in resolution.contents.created}
    for key in resolution.history.migrations:
        if key in resolution.keys.gone:
            continue
        new = resolution.now(key)
        other = bearers.setdefault(new, key)
        if other != key or new in resolution.contents.created:
            made = new in resolution.contents.created
            yield entries.name_twice(migration=key, new=new, other=None if made else other)


def _replaced(resolution: Resolution) -> Iterator[Finding]:
    """Django sees a cycle, or skips the migration, when a squash replaces a name that something else bears."""
    given = {new: old for old, new in resolution.keys.renamed.items() if old in resolution.history.migrations}
    for squash, migration in resolution.history.migrations.items():
        for replaced in () if squash in resolution.keys.gone else migration.replaces:
            new = resolution.now(replaced)
            if replaced not in resolution.keys.gone and given.get(new, replaced) != replaced:
                yield entries.replaced_name(
                    migration=given[new],
                    new=new,
                    squash=squash,
                    becomes=resolution.now(squash),
                    file=migration.path,
                )


def _occupied(resolution: Resolution) -> Iterator[Finding]:
    gone = resolution.keys.gone
    paths = [(migration, resolution.path(migration)) for migration, _ in resolution.changes]
    # A name whose bearer leaves in the same step is free: 0002_a and 0003_b can swap numbers.
    leaving = {it.path for it, path in paths if it.key in gone or path != it.path}
    moved = [(it, path) for it, path in paths if it.key not in gone and path != it.path]
    moved += [(it, str(aside)) for it, _ in paths if it.key in gone and (aside := resolution.aside(it))]
    names: dict[str, frozenset[str]] = {}
    for migration, path in (*moved, *((it, it.path) for it, _ in resolution.created)):
        directory, name = os.path.split(path)
        if directory not in names:
            there_is = os.path.isdir(directory)  # noqa: PTH112 -- the same
            names[directory] = frozenset(os.listdir(directory) if there_is else ())  # noqa: PTH208 -- names only
        for there in (name, os.path.splitext(name)[0]):  # noqa: PTH122 -- a package hides a module of its name
            place = f"{directory}{os.sep}{there}"
            if there in names[directory] and place not in leaving:
                yield entries.file_there(migration=migration.key, path=path, occupied=place, file=migration.path)


def uneditable(migration: Migration, error: HistoryError) -> Finding:
    """The finding for a file that would have to change and cannot be read, or not be rewritten safely."""
    line = error.line if isinstance(error, CannotEdit) else 0
    return entries.cannot_edit(
        migration=migration.key,
        found=error.found,
        meaning=error.meaning,
        hint=error.hint,
        file=migration.path,
        line=line,
    )
