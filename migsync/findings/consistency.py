"""About databases and files on which Django's `migrate` would not start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from migsync.findings.commands import migrate, migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 3


@entry("unread-apps", Severity.WARNING)
def unread_apps(*, apps: Sequence[str]) -> Texts:
    """Some apps could not be read in full, so migsync cannot say whether `migrate` would start.

    migsync reads migration files without running them. It cannot read a file that computes its dependencies, or that is
    not valid Python. Whatever depends on these apps was not checked. Everything else was.

    To let Django check it, run `python manage.py migrate --plan`. It changes nothing.
    """
    return Texts(
        f"{count(len(apps), 'app')} could not be read in full: {text_list(apps, NAMED)}.",
        "So migsync did not check whether `migrate` can start where it depends on these apps.",
        "To let Django check it: python manage.py migrate --plan",
    )


@entry("broken-graph", Severity.ERROR, Severity.WARNING)
def broken_graph(*, reason: str, doubtful: bool) -> Texts:
    """Django cannot load the migrations on disk.

    A dependency names a migration that does not exist, or migrations depend on each other in a circle. Django stops
    before it looks at any database. This is only a warning if the reason may be in a file that migsync could not read.

    - Correct the dependency in the file that the message names.
    - If the file belongs to a package, do not edit it. Install versions of the packages that fit together.
    """
    return Texts(
        reason,
        "Django cannot load these migrations, so neither `migrate` nor migsync can tell what is applied.",
        "Correct the dependency in the file that the error names. If the file belongs to a package, install a version "
        "of it that fits.",
        Severity.WARNING if doubtful else Severity.ERROR,
    )


@entry("inconsistent-history", Severity.ERROR, Severity.WARNING)
def inconsistent_history(
    *, migration: Key, other: Key, own: bool, own_child: bool, strange: Sequence[Key], doubtful: bool, alias: str = ""
) -> Texts:
    """A migration is recorded, but one that it depends on is not.

    Django's `migrate` refuses to start on such a database (InconsistentMigrationHistory). The reason is one of these:

    - The missing migration ran under another name. Say so with `--map`.
    - What it does is there, but it is not recorded. Record it with `--record`, which runs nothing.
    - The dependency was added after the migration had run. If the files that this database was last migrated with have
      the missing migration, run it first, with those files. Then deploy the files of today.
    - The missing migration is new, and was put before one that had run. Put it behind: it must depend on the last
      migration of its app, and nothing that has run may depend on it.
    - A package was installed in another version, whose migrations differ. Where it renamed them and ships no rewrite,
      write one with `migsync rewrite --third-party`. Or install the version that this database was migrated with. If
      the tables of the missing migration exist already, record it with the command in the message, which runs nothing.
    """
    hint = (
        f"If {other} ran here under another name: {migsync('plan', '--map', f'{other.app}.OLD={other.name}')}\n"
        f"If what it does is there already, record it: {migsync('plan', '--record', other, alias=alias)}\n"
        "If the files that this database was last migrated with have it, run it first, with those files: "
        f"{migrate(other.app, other.name, alias=alias)}\n"
        f"If it is new, {_put_behind(migration, other)}, and run: {migrate(alias=alias)}"
    )
    return Texts(
        f"{migration} is recorded, but {other}, which it depends on, is not.",
        "`migrate` refuses to start on such a database (InconsistentMigrationHistory)."
        + ("" if own else f" {other.app} is not an app of this project, so migsync does not change its records."),
        hint if own else _package_advice(migration, other, strange, alias, own_child=own_child),
        Severity.WARNING if doubtful else Severity.ERROR,
    )


def _put_behind(child: Key, parent: Key) -> str:
    if parent.app != child.app:
        return f"take the dependency out of {child}"
    return f"give {child} the dependency that it had before, let {parent} depend on the last migration of {parent.app}"


def _package_advice(child: Key, parent: Key, strange: Sequence[Key], alias: str, *, own_child: bool) -> str:
    ran = f"If the tables of {parent} exist, record it, which runs nothing: {_record(parent, alias)}"
    if strange:
        old = strange[0].name if len(strange) == 1 else "OLD"
        stated = migsync("rewrite", "--third-party", "--map", f"{parent.app}.{old}={parent.name}")
        return (
            f"The installed version of {parent.app} does not have {text_list(strange, NAMED)}, which "
            f"{'is' if len(strange) == 1 else 'are'} recorded. It may have renamed its files.\n"
            f"If {'it' if len(strange) == 1 else 'one of them'} is {parent.name} now, say so: {stated}\n"
            f"Or install a version that has {'it' if len(strange) == 1 else 'them'}.\n{ran}"
        )
    if own_child:
        return (
            f"Remove this dependency from {child}, run `migrate`, then add the dependency to a new migration of "
            f"{child.app}.\n{ran}"
        )
    return f"Install the version of {child.app} that this database was migrated with, and run `migrate`.\n{ran}"


def _record(key: Key, alias: str) -> str:
    """What ``migrate --fake`` would do, which Django refuses while the history is inconsistent."""
    database = alias or "default"
    code = (
        "from django.db import connections; from django.db.migrations.recorder import MigrationRecorder; "
        f"MigrationRecorder(connections[{database!r}]).record_applied({key.app!r}, {key.name!r})"
    )
    plain = re.fullmatch(r"[\w.-]+", f"{database}{key.app}{key.name}")
    quoted = f'"{code}"' if plain else shlex.quote(code)
    return f"python manage.py shell -c {quoted}"


@entry("conflicting-migrations", Severity.ERROR)
def conflicting_migrations(*, app: str, name: str, leaves: Sequence[str], own: bool, directory: str) -> Texts:
    """An app has several leaf migrations.

    A leaf is a migration on which no other migration of its app depends. With several, `migrate` refuses to start, on
    every database ("Conflicting migrations detected"). Usually two branches each added a migration, and both were
    merged.

    - In an app of your own, put one migration behind the other with `migsync fix-conflicts` or `migsync rebase`. Or
      merge them with `python manage.py makemigrations --merge`.
    - In an app of a package, a file of an older version may be left over, or `makemigrations` wrote a file into the
      package. Remove the file, or install the package again.
    """
    return Texts(
        f"{app} has {count(len(leaves), 'leaf migration')}: {text_list(leaves)}.",
        "`migrate` refuses to start (CommandError: Conflicting migrations detected).",
        f"Put one behind the other: {migsync('fix-conflicts', '--app', app)}\n"
        f"Or merge them: python manage.py makemigrations --merge {app}"
        if own
        else f"{app} is not an app of this project. Remove the files in {directory} that do not belong to the "
        "package, or install the package again.",
    )
