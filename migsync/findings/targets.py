"""About databases that a change of files would leave behind, or that are not ready for it."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import sample


@entry("unreachable-target", Severity.ERROR, Severity.INFO)
def unreachable_target(*, alias: str, reason: str, later: bool, named: bool) -> Texts:
    """A database could not be read, so migsync does not know what is applied there.

    A command that changes files looks at every database first: a migration that is applied somewhere must not come
    behind one that is not. What is applied in this database is unknown, and a new name may be wrong for it.

    Make the database reachable, or add `--allow-applied` and sync it later with `migsync apply`, which refuses if the
    records do not fit.
    """
    return Texts(
        f"{alias} could not be read: {reason}",
        "What is applied there is not known. It will be synced later, by migsync apply."
        if later
        else "What is applied there is not known, and a new name may be wrong for it.",
        "" if later else "Make it reachable; or leave it for later: --allow-applied",
        # One that --database names is to be updated now.
        Severity.INFO if later and not named else Severity.ERROR,
    )


@entry("target-blocked", Severity.ERROR, Severity.WARNING)
def target_blocked(*, alias: str, reason: str, optional: bool) -> Texts:
    """A database does not fit the files as they are now.

    Before files change, the records of each database must fit the files of today. Otherwise migsync could not tell
    afterwards which of the names are old and which are new. `migsync plan` reports all that is wrong and what to do.

    With `--allow-applied` it is a warning for databases that are not updated in this step.
    """
    return Texts(
        f"{alias} does not fit the files as they are now: {reason}",
        "Its records must fit the files of today before the files change.",
        "See what it needs: migsync plan",
        Severity.WARNING if optional else Severity.ERROR,
    )


@entry("applied-names", Severity.ERROR)
def applied_names(*, app: str, alias: str, applied: Sequence[Key]) -> Texts:
    """Migrations that would get another name are applied in a database.

    With other names on disk and the old ones on record, `migrate` would run there again what has run already.

    Change the records in the same step with `--update-db`. Or go on with `--allow-applied`, and bring the database up
    to date later with `migsync apply`, before `migrate`.
    """
    return Texts(
        f"{sample(applied, 3)} {'is' if len(applied) == 1 else 'are'} applied in {alias}.",
        "With other names on disk, `migrate` there would run again what has run already.",
        "Change the records in the same step: --update-db\nOr let migsync apply do it later: --allow-applied",
    )


@entry("unexpected-plan", Severity.ERROR)
def unexpected_plan(*, alias: str) -> Texts:
    """The records of a database would not follow the files.

    Names were used again, and this database does not show which of its names are from before the rewrite and which are
    from after it. After the change, its plan would give other records than the command expects.

    Bring the database up to date first, then run the command again.
    """
    return Texts(
        f"{alias}: its records would not follow the files.",
        "It is not clear which of its names are from before the rewrite and which are from after it.",
        "Bring it up to date first: migsync plan",
    )


@entry("read-only-target", Severity.ERROR)
def read_only_target(*, alias: str, reason: str) -> Texts:
    """A database that should be updated does not accept writes.

    It is a standby, or is in read-only mode. Name the databases to be updated in this step with `--database`; others
    follow with `migsync apply`, and a standby follows its primary.
    """
    return Texts(
        f"{alias} cannot be written to: {reason}",
        "It was to be updated in the same step.",
        "Name the databases to be updated: --database ALIAS",
    )


@entry("applied-order", Severity.ERROR)
def applied_order(*, migration: Key, missing: Key, alias: str, onto: str = "") -> Texts:
    """A migration is applied in a database, and one that would come before it is not.

    In one line each migration depends on the one before. Django refuses a database in which a migration is applied
    before its dependency (InconsistentMigrationHistory), and no order suits every database here.

    Apply the missing migration there first, with the files of today, then run the command again.
    """
    if onto:
        return Texts(
            f"{alias}: {migration} is applied, and {missing} of {onto} is not.",
            "Behind it, Django would refuse that database: a migration is applied before its dependency.",
            "Apply both there first, then run this command again; it takes the merge out:\n"
            f"python manage.py makemigrations --merge {migration.app}\n"
            "python manage.py migrate",
        )
    return Texts(
        f"{alias}: {migration} is applied and {missing} is not, and no order that suits every database has {migration} "
        "first.",
        "Django would refuse that database: a migration is applied before its dependency.",
        f"Migrate {migration.app} there first, so that {missing} is applied, or leave that database out.",
    )
