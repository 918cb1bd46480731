"""About migration files on disk, and what Django makes of them together."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from migsync.findings.commands import migrate
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5
"""How many migrations a sentence names."""


@entry("partial-squash", Severity.ERROR)
def partial_squash(*, migration: Key, applied: Sequence[Key], lost: Sequence[Key], file: str, alias: str = "") -> Texts:
    """Only some of the migrations that a squash replaces are applied, and the files of the others were deleted.

    Django uses a squash only if all or none of the migrations that it replaces are applied. Otherwise it ignores the
    squash, without a message, and runs the replaced migrations that are missing. Here it cannot, because their files
    were deleted. `migrate` would succeed, and the database would never get their changes.

    - Restore the deleted files, for example from git, and run `migrate` on this database.
    - If the database has their changes already, run `migrate --fake` for these migrations instead.

    When all of them are recorded, the files can be deleted again.
    """
    gone, last = text_list(lost, NAMED), lost[-1]
    files = "file" if len(lost) == 1 else "files"
    return Texts(
        f"{migration} replaces several migrations, and only some of them are applied here.\n"
        f"Applied: {text_list(applied, NAMED)}\n"
        f"Neither applied nor on disk: {gone}",
        f"Django ignores the squash without a message: `migrate` succeeds and never runs {gone}.",
        f"Restore the {files} of {gone}, then run: {migrate(last.app, last.name, alias=alias)}\n"
        "If the database has these changes already, run instead: "
        f"{migrate('--fake', last.app, last.name, alias=alias)}",
    )


@entry("squash-not-applied", Severity.WARNING)
def squash_not_applied(*, migration: Key, file: str) -> Texts:
    """A squash is recorded, but none of the migrations that it replaces is.

    While its file has `replaces`, Django ignores the record of the squash itself. It looks only at the records of the
    migrations that the squash replaces. Here there are none, so `migrate` runs the squash again. Usually it stops at
    the first table that exists already. The records of the replaced migrations were probably deleted by hand.

    If every database has applied the squash, remove `replaces` from the file. Then the record of the squash counts.
    """
    return Texts(
        f"{migration} is recorded, but none of the migrations that it replaces is.",
        "As long as the file has `replaces`, Django takes this squash for not applied, and `migrate` may run it again.",
        "If every database has applied the squash, remove `replaces` from the file.",
    )


@entry("broken-migration", Severity.ERROR)
def broken_migration(*, migration: Key, file: str, line: int, reason: str) -> Texts:
    """A migration file of an installed package cannot be read.

    The file is not valid Python, or defines no class Migration. Django imports the migrations of all installed apps,
    so `migrate` fails with an error too, and nothing can be said about the order of the migrations.

    - If the package is damaged, install it again.
    - If the file is not part of the package, for example because `makemigrations` wrote it into site-packages, move it
      away.
    """
    return Texts(
        f"{reason}.",
        f"Django cannot import this migration of {migration.app} either, so `migrate` fails.",
        "Reinstall the package. If the file does not belong to it, move the file away.",
    )


@entry("no-init", Severity.WARNING)
def no_init(*, app: str, modules: int, file: str) -> Texts:
    """A migrations directory has Python files, but no __init__.py.

    Django ignores such a directory: it takes the app for one without migrations, and `migrate` creates none of its
    tables. Often the __init__.py was never committed.

    If the files are migrations, add an empty __init__.py. If they are not, ignore this warning.
    """
    return Texts(
        f"{file} has {count(modules, 'Python file')} but no __init__.py.",
        "Django ignores a migrations directory without __init__.py.",
        "If the files are migrations, add an empty __init__.py.",
    )


@entry("unreadable-migration", Severity.ERROR, Severity.INFO)
def unreadable_migration(*, migration: Key, file: str = "", line: int = 0, reason: str, own: bool) -> Texts:
    """A part of a migration file is computed, so that it cannot be read without running the file.

    migsync reads migration files as text and never imports them. It needs `dependencies`, `run_before` and `replaces`
    as literals. Here one of them is the result of a call, a condition or a loop, so migsync does not know where the
    migration belongs in the order.

    - In your own apps, migsync asks your project's Django for the value. Where that does not start, this is an error.
      Write the value as a literal list, or make `python manage.py check` succeed.
    - In an installed package it is only a note, because migsync never changes the records of other people's apps.
    """
    place = file or str(migration)
    return Texts(
        f"{place}:{line}: {reason}." if line else f"{place}: {reason}.",
        "migsync reads migration files without running them, so it does not know this part of the migration.",
        "Write it as a literal." if own else "",
        None if own else Severity.INFO,
    )


@entry("dangling-dependency", Severity.ERROR, Severity.WARNING)
def dangling_dependency(
    *,
    migration: Key,
    other: Key,
    file: str,
    own: bool,
    installed: bool,
    near: Sequence[str],
    apps: Sequence[str],
    last: str = "",
    branch: str = "",
    path: str = "",
) -> Texts:
    """A migration depends on a migration that is not on disk.

    Django cannot load the migrations and stops with NodeNotFoundError, whatever you run. Usually the other migration
    was renamed or deleted, or its file was not committed; or the package that it belongs to is not installed in the
    version that you need.

    - If the missing file was deleted or not committed, restore it. If another branch in git has it, the message says
      how.
    - If it was renamed, change the dependency to the name that it has now.
    - If the file with the dependency belongs to an installed package, do not edit it. Install versions of the packages
      that fit together.
    """
    renamed = " If the migration was renamed, change the dependency." if own else ""
    if branch:
        hint = f"{branch} has the file. To take it from there: {shlex.join(['git', 'checkout', branch, '--', path])}"
    elif near:
        hint = f"Did you mean {text_list((f'{other.app}.{name}' for name in near), last='or')}?{renamed}"
    elif last:
        hint = f"The last migration of {other.app} is {last}.{renamed}"
    elif installed:
        hint = f"{other.app} has no migrations. Check MIGRATION_MODULES and the installed package."
    elif apps:
        hint = f"No installed app has the label {other.app}. Did you mean {text_list(apps, last='or')}?"
    else:
        hint = f"No installed app has the label {other.app}. Check INSTALLED_APPS."
    return Texts(
        f"{migration} depends on {other}, which is not on disk.",
        "Django cannot load the migrations (NodeNotFoundError).",
        hint,
        None if own else Severity.WARNING,
    )


@entry("retired-name", Severity.ERROR, Severity.WARNING)
def retired_name(
    *, migration: Key, other: Key, file: str, own: bool, rewrite: str, now: Sequence[Sequence[Key]]
) -> Texts:
    """A migration depends on another one by a name that a rewrite has changed.

    Or no rewrite mentions the name, and git shows that a file of today does what the file of that name did: names were
    changed by hand, or a rewrite was reverted.

    The file was written before the rewrite, usually on a branch that was open at that time. The rewrite renamed,
    squashed or removed the migration that the file depends on. Django does not know the old name and stops with
    NodeNotFoundError.

    `migsync rebase` writes the new name into the files of your branch. If the old name was used for more than one
    migration over time, migsync cannot choose. Find out which one the file needs, and change the dependency by hand.
    """
    said = text_list(map(text_list, now), last="or")
    if len(now) > 1:
        hint = f"The name was used more than once. Find out which migration is meant, and depend on it: {said}"
    else:
        hint = "To correct the files of your branch: migsync rebase" if own else ""
    return Texts(
        f"{migration} depends on {other}. "
        + (f"Since {rewrite}, that is {said}." if rewrite else f"Now that is {said}."),
        f"{'The file is older than that rewrite' if rewrite else 'Git had the same operations under the old name'}. "
        "Django cannot load the migrations (NodeNotFoundError).",
        hint,
        None if own else Severity.WARNING,
    )


@entry("unresolved-dependency", Severity.ERROR, Severity.WARNING)
def unresolved_dependency(*, migration: Key, file: str, own: bool, reason: str) -> Texts:
    """A migration depends on the first or the last migration of an app that is not there, or has none.

    A dependency on `__first__` or `__latest__` means whatever migration of the app comes first or last. Here the app is
    not installed, or has no migrations. Django stops with a ValueError before it runs anything.

    Add the app to INSTALLED_APPS, create its migrations, or remove the dependency if nothing needs it any more.
    """
    return Texts(
        f"{migration}: {reason[0].lower()}{reason[1:]}.",
        "Django cannot load the migrations (ValueError).",
        "Install the app that the dependency names, or correct the dependency." if own else "",
        None if own else Severity.WARNING,
    )


@entry("unknown-setting", Severity.ERROR, Severity.INFO)
def unknown_setting(*, migration: Key, file: str, own: bool, setting: str) -> Texts:
    """A migration depends on the model that a setting names, and the value of the setting is not known.

    Migrations with a foreign key to the user model depend on `settings.AUTH_USER_MODEL`; other packages have settings
    of the same kind. migsync takes their values from the settings module. Without the value it does not know which app
    must be migrated first.

    State the setting in the settings module, even if the package has a default, or give the right module with
    --settings.
    """
    return Texts(
        f"{migration} depends on the app that the setting {setting} names, and its value is unknown.",
        "Without it, the order of the migrations may differ from Django's.",
        f'Add it to the settings module: {setting} = "APP.Model"',
        None if own else Severity.INFO,
    )


@entry("cycle", Severity.ERROR)
def cycle(*, migration: Key, migrations: Sequence[Key], file: str) -> Texts:
    """Migrations depend on each other in a circle.

    Each of them would have to run before the others, so no order is possible. Django stops with
    CircularDependencyError, whatever you run. It happens when a dependency or `run_before` is added by hand, or when
    branches that each added one are merged.

    - Remove one of the dependencies from its file.
    - If two apps really need each other, split a migration in two: one that creates the tables, and one that adds the
      foreign key.
    """
    return Texts(
        f"Migrations depend on each other in a circle: {' -> '.join(map(str, (*migrations, migrations[0])))}.",
        "They cannot run in any order, and Django cannot load them (CircularDependencyError).",
        "Remove one of these dependencies from its file.",
    )
