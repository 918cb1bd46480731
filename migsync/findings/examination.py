"""What ``migsync doctor`` finds besides the findings of a plan."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from migsync.findings.commands import migsync, prune
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5


@entry("sequence-behind", Severity.ERROR)
def sequence_behind(*, statement: str) -> Texts:
    """The next id of django_migrations is taken, so `migrate` cannot record anything.

    PostgreSQL takes ids from a sequence. If rows came with their ids, from a dump or a copy, the sequence may still
    begin below them. `migrate` then runs a migration and fails when it records it: "duplicate key value violates unique
    constraint". The statement in the message sets the sequence to the greatest id. It changes no row.
    """
    return Texts(
        "The sequence of django_migrations gives ids that are taken.",
        "`migrate` fails when it records a migration: duplicate key value violates unique constraint.",
        f"Run this statement in the database: {statement}",
    )


@entry("records-of-gone-apps", Severity.INFO)
def records_of_gone_apps(*, apps: Sequence[str], records: int, alias: str = "") -> Texts:
    """A database has records of apps that are not installed.

    They do no harm: Django and migsync ignore them. If an app is installed again later, its recorded migrations do not
    run again, so its tables must still be there.

    If an app is gone for good and its tables were removed, remove its records too.
    """
    return Texts(
        f"{count(records, 'record')} of {count(len(apps), 'app')} that {'is' if len(apps) == 1 else 'are'} not "
        f"installed: {text_list(apps, NAMED)}.",
        "They do no harm, unless such an app is installed again: its migrations would not run again.",
        f"If an app is gone for good, remove its records: {prune(min(apps), alias=alias)}",
    )


@entry("not-in-git", Severity.WARNING, Severity.INFO)
def not_in_git(*, app: str, names: Sequence[str], file: str, files: Sequence[str], ignored: bool) -> Texts:
    """Migration files are not in git, so other databases never get them.

    Databases where these files have run are then ahead of all others, and another clone makes the same changes again
    with other names. Often a line in `.gitignore` is too wide.

    Commit the files. If they are ignored, correct `.gitignore` first; the message has the command that shows the line.
    """
    what = "A migration file" if len(names) == 1 else f"{len(names)} migration files"
    return Texts(
        f"{what} of {app} {'is' if len(names) == 1 else 'are'} not in git: {text_list(names, NAMED)}.",
        "Other clones do not have them, so other databases do not get them.",
        f"To see which line ignores the files: {shlex.join(['git', 'check-ignore', '-v', *files])}"
        if ignored
        else shlex.join(["git", "add", *files]),
        Severity.WARNING if ignored else Severity.INFO,
    )


@entry("symbolic-dependency", Severity.INFO)
def symbolic_dependency(*, migration: Key, other: str) -> Texts:
    """A migration depends on `__first__` or `__latest__` of another app.

    `__latest__` means another migration whenever the other app gets one. On a database where this migration has run
    already, Django then refuses to start: InconsistentMigrationHistory. `__first__` means another one after the app was
    squashed or remade.

    Write the name of the migration that is needed.
    """
    app, _, end = other.partition(".")
    meaning = "With each new migration of that app, databases that ran this one become inconsistent."
    if end != "__latest__":
        meaning = "After a squash or a remake of that app it means another migration."
    return Texts(
        f"{migration} depends on {end} of {app}.",
        meaning,
        f"Write the name of the migration of {app} that it needs.",
    )


@entry("open-transition", Severity.INFO)
def open_transition(*, migration: Key, files: int, waiting: Sequence[str] = ()) -> Texts:
    """A squash stands beside the migrations that it replaces.

    That is how a squash begins. Once every database has all of the replaced migrations, and the squash is recorded
    there, the old files can go: `migsync tidy --remove-replaced` shows what is in the way, and does it.
    """
    return Texts(
        f"{migration} replaces {count(files, 'migration')} whose files are still there.",
        f"These databases have not recorded it yet: {text_list(waiting, NAMED)}."
        if waiting
        else "Every database that was read has recorded it.",
        f"{'When they have, finish' if waiting else 'To finish'} the squash: "
        f"{migsync('tidy', migration.app, '--remove-replaced')}",
    )
