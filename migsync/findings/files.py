"""About migration files that would have to change, and cannot, or must not."""

from __future__ import annotations

from pathlib import PurePath

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("third-party-file", Severity.ERROR)
def third_party_file(*, migration: Key, other: Key | None = None, file: str) -> Texts:
    """A file outside the project would have to change.

    The file belongs to an installed package, or is outside the project's root. It depends on a migration that would
    get another name, so without an edit Django could not load the migrations. migsync never edits such files: the next
    installation would undo the change.

    - Leave the migration that it depends on as it is, for example by choosing a smaller range.
    - If the package is your own, make the change in its repository.
    """
    found = f"{migration} depends on {other}" if other else f"{migration} would have to change"
    return Texts(
        f"{found}, and its file is not the project's own: {file}.",
        "migsync changes only files in the project's root, outside of virtual environments. Without that change Django "
        "could not load the migrations.",
        f"Do not change {other or migration}.",
    )


@entry("linked-file", Severity.ERROR)
def linked_file(*, migration: Key, file: str, target: str) -> Texts:
    """A migration file that would have to change is a symbolic link.

    The file that it leads to may be shared with another project, so that a change would affect that one too. migsync
    neither follows the link nor replaces it.

    Replace the link with the file itself, and run the command again.
    """
    return Texts(
        f"{file} would have to change, but it is a symbolic link to {target}.",
        "The file behind the link may belong to something else.",
        "Replace the link with the file itself, then run the command again.",
    )


@entry("no-source", Severity.ERROR)
def no_source(*, migration: Key, file: str) -> Texts:
    """A migration that would have to change exists only as compiled code.

    Django loads a .pyc file without its source like any other migration, but there is no text that migsync could edit.
    Often the source was deleted, and the .pyc was left behind.

    - If the migration is still used, restore its source.
    - If not, delete the .pyc.

    Then run the command again.
    """
    return Texts(
        f"{file} would have to change, but it is compiled code without its source.",
        "",
        "Restore the source. If the migration is not used any more, delete the file.",
    )


@entry("unusable-name", Severity.ERROR)
def unusable_name(*, migration: Key, reason: str, new: bool) -> Texts:
    """A migration cannot have the name that it would get.

    The name is empty, has characters that a module's name cannot have, is too long for the table django_migrations, or
    begins with `_` or `~`: Django ignores such files. No file was changed. Choose another name.
    """
    return Texts(
        f"{migration} cannot be {'created' if new else 'renamed'}: {reason}.",
        "",
        "Choose another name.",
    )


@entry("name-twice", Severity.ERROR)
def name_twice(*, migration: Key, new: Key, other: Key | None = None) -> Texts:
    """Two migrations would have the same name after this change.

    Django identifies a migration by its app and its name, so each name can be used only once. No file was changed.
    Choose another name for one of the two.
    """
    return Texts(
        f"{other or 'A new migration'} and {migration} would both get the name {new}.",
        "Django tells the migrations of an app apart by their names.",
        "Choose another name for one of them.",
    )


@entry("replaced-name", Severity.ERROR)
def replaced_name(*, migration: Key, new: Key, squash: Key, becomes: Key, file: str) -> Texts:
    """A migration would get a name that a squash lists in its `replaces`, for another migration.

    Django would take the renamed file for the migration that the squash replaces. It would skip it, or report a circle.
    No file was changed.

    - Choose another name.
    - Or, if every database has applied the squash, remove `replaces` from its file. Then the name is free.
    """
    return Texts(
        f"{migration} would become {new}, but {becomes} replaces another migration of that name.",
        "Django would take the file for the migration that was replaced.",
        f"Choose another name. Or, if every database has applied {squash}, remove `replaces` from its file.",
    )


@entry("file-there", Severity.ERROR)
def file_there(*, migration: Key, path: str, occupied: str, file: str) -> Texts:
    """A file would be written where something is already.

    migsync never overwrites a file. In the way is a file of that name, or a package: Python imports a directory of the
    same name instead of the file. No file was changed.

    Move what is there away if it is not needed, or choose another name.
    """
    return Texts(
        f"{migration} would be written to {path}, but {occupied} is there already.",
        "migsync does not overwrite files.",
        f"Move {PurePath(occupied).name} away, or choose another name.",
    )


@entry("cannot-edit", Severity.ERROR)
def cannot_edit(*, migration: Key, found: str, meaning: str, hint: str, file: str, line: int = 0) -> Texts:
    """A migration file would have to change, and cannot be edited safely.

    migsync edits the text of a file and leaves everything else in it as it is. That needs `dependencies`, `replaces`
    and so on as plain literals, in a file that can be read and is written in the encoding that it states. No file was
    changed.

    The message names the place. Write it as a literal list, or make the change that it asks for, and run the command
    again.
    """
    return Texts(found, meaning, hint)


@entry("stale-max-migration", Severity.WARNING)
def stale_max_migration(*, migration: Key, said: str, file: str) -> Texts:
    """A `max_migration.txt` does not name the last migration of its app.

    The package django-linear-migrations keeps the name of the last migration in this file, so that two branches that
    add a migration conflict in git. It goes stale if migrations are renamed by hand, or if a merge conflict in the file
    itself was not resolved. Then its check fails, and `makemigrations` refuses to run.

    Commands of migsync that order migrations write the right name into the file. For an app without conflicts,
    `migsync fix-conflicts` changes nothing else.
    """
    if "<<<<<<<" in said:
        found = f"{file} has conflict markers of git."
    else:
        found = f"{file} names {said or 'no migration'}, but the last migration of {migration.app} is {migration.name}."
    return Texts(
        found,
        "django-linear-migrations reports this, and `makemigrations` does not run.",
        f"To write the right name: migsync fix-conflicts --app {migration.app}",
    )
