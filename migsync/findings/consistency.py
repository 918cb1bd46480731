"""About databases and files on which Django's `migrate` would not start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, sample

NAMED = 3


@entry("unread-apps", Severity.WARNING)
def unread_apps(*, apps: Sequence[str]) -> Texts:
    """Some apps could not be read in full, so migsync cannot say whether `migrate` starts.

    migsync reads migration files without running them. A file that computes its dependencies, or that Python cannot
    read, leaves a gap. What depends on these apps was not checked; everything else was.

    To let Django check it, run `python manage.py migrate --plan`.
    """
    return Texts(
        f"{count(len(apps), 'app')} could not be read in full: {sample(apps, NAMED)}.",
        "Whether `migrate` starts was not checked where it depends on them.",
        "To let Django check it: python manage.py migrate --plan",
    )


@entry("broken-graph", Severity.ERROR, Severity.WARNING)
def broken_graph(*, reason: str, doubtful: bool) -> Texts:
    """Django cannot load the migrations on disk.

    A dependency names a migration that does not exist, or the dependencies form a cycle. Django stops before it looks
    at any database. It is a warning where the gap may lie in a file that could not be read.

    Correct the dependency in the file that is named. If the file belongs to a package, install a version that fits.
    """
    return Texts(
        reason,
        "Django cannot load these migrations, so neither `migrate` nor migsync can tell what is applied.",
        "Correct the dependency in the file that is named. If the file is a package's, install a version that fits.",
        Severity.WARNING if doubtful else Severity.ERROR,
    )


@entry("inconsistent-history", Severity.ERROR, Severity.WARNING)
def inconsistent_history(
    *, migration: Key, other: Key, own: bool, own_child: bool, strange: Sequence[Key], alias: str, doubtful: bool
) -> Texts:
    """A migration is recorded, and one that it depends on is not.

    Django's `migrate` refuses such a database (InconsistentMigrationHistory). Either the missing migration ran under
    another name, or a dependency on it was added later, or a package was installed in another version.

    If it ran under another name, say so with `--map`. If it is a package's and its tables exist, record it with the
    command that the message shows; this runs nothing. Otherwise run it first, with the files that this database was
    migrated with.
    """
    hint = f"If {other} ran here under another name, say so with --map. Otherwise, run it first, with the old files."
    return Texts(
        f"{migration} is recorded, but {other}, which it depends on, is not.",
        "`migrate` refuses such a database (InconsistentMigrationHistory)."
        + ("" if own else f" {other.app} is not an app of this project, so migsync does not change its records."),
        hint if own else _package_advice(migration, other, strange, alias, own_child=own_child),
        Severity.WARNING if doubtful else Severity.ERROR,
    )


def _package_advice(child: Key, parent: Key, strange: Sequence[Key], alias: str, *, own_child: bool) -> str:
    ran = f"If the tables of {parent} are there, record it, which runs nothing: {_record(parent, alias)}"
    if strange:
        names = ", ".join(map(str, strange[:NAMED])) + (" and more" if len(strange) > NAMED else "")
        return (
            f"{names}: recorded, and not in the installed version of {parent.app}, which may have renamed its files. "
            f"Install a version that has them.\n{ran}"
        )
    if own_child:
        return (
            f"Take this dependency out of {child}, run migrate, and put it into a new migration of {child.app}.\n{ran}"
        )
    return f"Install the version of {child.app} that this database was migrated with, and run migrate.\n{ran}"


def _record(key: Key, alias: str) -> str:
    """What ``migrate --fake`` would do, which Django refuses while the history is inconsistent."""
    code = (
        "from django.db import connections; from django.db.migrations.recorder import MigrationRecorder; "
        f"MigrationRecorder(connections[{alias!r}]).record_applied({key.app!r}, {key.name!r})"
    )
    plain = re.fullmatch(r"[\w.-]+", f"{alias}{key.app}{key.name}")
    quoted = f'"{code}"' if plain else shlex.quote(code)
    return f"python manage.py shell -c {quoted}"


@entry("conflicting-migrations", Severity.ERROR)
def conflicting_migrations(*, app: str, name: str, leaves: Sequence[str], own: bool, directory: str) -> Texts:
    """An app has several leaf nodes: migrations that no other one depends on.

    Two branches each added a migration. Django's `migrate` refuses such files (Conflicting migrations detected),
    whatever a database holds.

    Put one behind the other with `migsync fix-conflicts` or `migsync rebase`, or merge them with `makemigrations
    --merge`. In an app of a package, files of an older version may be left over: install the package again.
    """
    return Texts(
        f"{app} has {len(leaves)} leaf nodes: {', '.join(leaves)}.",
        "`migrate` refuses such files (CommandError: Conflicting migrations detected).",
        f"Put one behind the other: migsync fix-conflicts --app {app}\n"
        "Or merge them: python manage.py makemigrations --merge"
        if own
        else f"{app} is not an app of this project. Files of an older version, or of makemigrations, may be left in "
        f"{directory}: remove what the package does not have, or install it again.",
    )
