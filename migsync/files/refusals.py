"""Why a Reshape cannot be done: files that are not the project's own, and names that cannot be had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from migsync.edits import CannotEdit
from migsync.errors import HistoryError
from migsync.files.resolution import Resolution
from migsync.findings import Finding, Severity
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
            yield _error(
                "linked-file",
                migration,
                f"{migration.path} would have to change, and is a symbolic link to {os.path.realpath(migration.path)}.",
                "Where a link leads may belong to something else.",
                "Put the file itself into the directory.",
            )
        elif not migration.path.endswith(".py"):
            yield _error(
                "no-source",
                migration,
                f"{migration.path} would have to change, and is compiled code without its source.",
                "",
                "Bring its source back, or delete it.",
            )


def _third_party(resolution: Resolution, migration: Migration) -> Finding:
    named = (*migration.dependencies, *migration.run_before, *migration.replaces)
    known = next((key for key in named if key in resolution.becomes), None)
    what = f"{migration.key} names {known}" if known else f"{migration.key} would have to change"
    return _error(
        "third-party-file",
        migration,
        f"{what}, and its file is not the project's own: {migration.path}.",
        "migsync changes files inside the project's root only, and in no environment. Without that change Django "
        "could not load the migrations.",
        f"Leave {known or migration.key} as it is.",
    )


def _unusable(resolution: Resolution) -> Iterator[Finding]:
    for new in resolution.contents.created:
        if reason := _reason_against(new.name):
            yield _of_key("unusable-name", new, f"{new} cannot be made: {reason}.", "", "Choose another name.")
    for old, new in resolution.keys.renamed.items():
        if reason := _reason_against(new.name):
            yield _of_key("unusable-name", old, f"{old} cannot be renamed: {reason}.", "", "Choose another name.")


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
            yield _of_key(
                "name-twice",
                key,
                f"{'A new migration' if new in resolution.contents.created else other} and {key} would both be {new}.",
                "Two migrations cannot have one name.",
                "Choose another name for one of them.",
            )


def _replaced(resolution: Resolution) -> Iterator[Finding]:
    """Django sees a cycle, or skips the migration, when a squash replaces a name that something else bears."""
    given = {new: old for old, new in resolution.keys.renamed.items() if old in resolution.history.migrations}
    for squash, migration in resolution.history.migrations.items():
        for replaced in () if squash in resolution.keys.gone else migration.replaces:
            new, bearer = resolution.now(replaced), resolution.now(squash)
            if replaced not in resolution.keys.gone and given.get(new, replaced) != replaced:
                yield _of_key(
                    "replaced-name",
                    given[new],
                    f"{given[new]} would be {new}, and {bearer} replaces another migration of that name.",
                    "Django would take one for the other.",
                    f"Choose another name, or take `replaces` out of {squash} when every database is past it.",
                    migration.path,
                )


def _occupied(resolution: Resolution) -> Iterator[Finding]:
    gone = resolution.keys.gone
    paths = [(migration, resolution.path(migration)) for migration, _ in resolution.changes]
    # A name whose bearer leaves in the same step is free: 0002_a and 0003_b can swap numbers.
    leaving = {it.path for it, path in paths if it.key in gone or path != it.path}
    moved = [(it, path) for it, path in paths if it.key not in gone and path != it.path]
    moved += [(it, str(aside)) for it, _ in paths if it.key in gone and (aside := resolution.aside(it))]
    entries: dict[str, frozenset[str]] = {}
    for migration, path in (*moved, *((it, it.path) for it, _ in resolution.created)):
        directory, name = os.path.split(path)
        if directory not in entries:
            there_is = os.path.isdir(directory)  # noqa: PTH112 -- the same
            entries[directory] = frozenset(os.listdir(directory) if there_is else ())  # noqa: PTH208 -- names only
        for there in (name, os.path.splitext(name)[0]):  # noqa: PTH122 -- a package hides a module of its name
            place = f"{directory}{os.sep}{there}"
            if there in entries[directory] and place not in leaving:
                yield _error(
                    "file-there",
                    migration,
                    f"{migration.key} would be written to {path}, and {place} is there already.",
                    "migsync writes over nothing.",
                    f"Move {there} away, or choose another name.",
                )


def _error(code: str, migration: Migration, found: str, meaning: str, hint: str) -> Finding:
    return _of_key(code, migration.key, found, meaning, hint, migration.path)


def _of_key(code: str, key: Key, found: str, meaning: str, hint: str, file: str = "") -> Finding:
    return Finding(code, Severity.ERROR, found, meaning, hint, app=key.app, name=key.name, file=file)


def uneditable(migration: Migration, error: HistoryError) -> Finding:
    """The finding for a file that would have to change and cannot be read, or not be rewritten safely."""
    line = error.line if isinstance(error, CannotEdit) else 0
    return Finding(
        "cannot-edit",
        Severity.ERROR,
        error.found,
        error.meaning,
        error.hint,
        app=migration.key.app,
        name=migration.key.name,
        file=migration.path,
        line=line,
    )
