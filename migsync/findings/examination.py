"""What ``migsync doctor`` finds besides the findings of a plan."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

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
def open_transition(
    *, migration: Key, files: int, waiting: Sequence[str] = (), stages: Mapping[str, str] | None = None
) -> Texts:
    """A squash still says what it replaces.

    That is how a squash begins: the new file stands beside the old ones. In each database it passes through these
    stages, which `--format json` lists as `stages`:

    - not run: neither the squash nor a migration that it replaces is recorded.
    - some replaced migrations recorded: the database has stopped in the middle. `migrate` runs the rest, as long as the
      old files are there.
    - all replaced migrations recorded: the next `migrate` records the squash.
    - recorded.

    Once the squash is recorded in every database, the old files can go: `migsync tidy --remove-replaced` shows what is
    in the way, and does it.
    """
    partly = [alias for alias, stage in (stages or {}).items() if stage.startswith("some")]
    if partly:
        meaning = f"Only some of the replaced migrations are recorded in these databases: {text_list(partly, NAMED)}."
    elif waiting:
        meaning = f"These databases have not recorded it yet: {text_list(waiting, NAMED)}."
    else:
        meaning = "Every database that was read has recorded it."
    return Texts(
        f"{migration} replaces {count(files, 'migration')} whose files are still there."
        if files
        else f"{migration} still says what it replaces. The files of that are gone.",
        meaning,
        f"{'When they have, finish' if waiting else 'To finish'} the squash: "
        f"{migsync('tidy', migration.app, '--remove-replaced')}",
    )


@entry("irreversible-migrations", Severity.INFO)
def irreversible_migrations(*, app: str, names: Sequence[str]) -> Texts:
    """Migrations have a RunPython without `reverse_code`, or a RunSQL without `reverse_sql`.

    They cannot be unapplied: `migrate APP NAME` with an earlier NAME stops with `IrreversibleError`. That matters only
    to those who go back. If there is nothing to do on the way back, write `migrations.RunPython.noop` or
    `migrations.RunSQL.noop`.
    """
    return Texts(
        f"{count(len(names), 'migration')} of {app} cannot be unapplied: {text_list(names, NAMED)}.",
        "A RunPython or a RunSQL has no way back.",
        "If nothing is to be done on the way back, add reverse_code=migrations.RunPython.noop.",
    )


@entry("gaps-in-history", Severity.ERROR)
def gaps_in_history(*, migrations: Sequence[Key], alias: str = "") -> Texts:
    """Several migrations are not recorded, but others that depend on them are.

    One such gap is explained by the dependency: see `inconsistent-history`. So many at once mean that records were
    lost: rows were deleted, or django_migrations comes from another time than the tables, or from another version of
    a package. `migrate` refuses to start on such a database (InconsistentMigrationHistory).

    If you can, copy django_migrations from a backup that belongs to these tables. If not, `migsync repair` compares the
    tables with what each migration makes, on a scratch database, and records what is there.
    """
    return Texts(
        f"{count(len(migrations), 'migration')} are not recorded, but others that depend on them are: "
        f"{text_list(migrations, NAMED)}.",
        "`migrate` refuses to start on such a database (InconsistentMigrationHistory). With so many gaps, records were "
        "probably lost.",
        f"Let migsync compare the tables, and record what is there: {migsync('repair', alias=alias)}\n"
        f"To see the reason of each gap: {migsync('plan', alias=alias)}",
    )


@entry("ahead-of-code", Severity.WARNING)
def ahead_of_code(*, migrations: Sequence[Key], branch: str) -> Texts:
    """A database has run migrations that only later commits have.

    The code here is older than the database: an older release was checked out or deployed, or the branch was not
    updated. Django ignores the records of migrations without a file. `migrate` finds nothing to do, but the models here
    may not fit the tables any more.

    Use the code that belongs to the database. To go back to the older code for good, unapply the migrations with the
    newer files first: `python manage.py migrate APP NAME`.
    """
    return Texts(
        f"The database is ahead of the code: {count(len(migrations), 'migration')} that ran here "
        f"{'has its file' if len(migrations) == 1 else 'have their files'} only in later commits: "
        f"{text_list(migrations, NAMED)}.",
        "The models of this code may not fit the tables.",
        f"To see the commits: git log --oneline HEAD..{branch}",
    )
