"""About databases and files on which Django's `migrate` would not start."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
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
