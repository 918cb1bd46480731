"""About rewrites, and rows that they would lead to a wrong end."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("rewrites-conflict", Severity.ERROR)
def rewrites_conflict(
    *,
    rewrite: str,
    unrelated: str,
    app: str,
    name: str = "",
    labels: Sequence[str] = (),
    unrelated_labels: Sequence[str] = (),
    file: str,
) -> Texts:
    """Two rewrites change the same names, and neither was made with knowledge of the other.

    Two branches renamed, squashed or relabelled the same migrations, and both were merged. The result would depend on
    which rewrite comes first, and databases may have applied one of them already.

    Undo the renames of the branch that has been deployed less: restore its migration files and delete its rewrite
    file. Then make the change again on top of the other rewrite, so that the new rewrite has it as a parent.
    """
    if labels and unrelated_labels:
        return Texts(
            f"{rewrite} changes the label {' to '.join(labels)}, and {unrelated} changes "
            f"{' to '.join(unrelated_labels)}; neither was made on top of the other.",
            "Two branches changed the same label, and the result would depend on which rewrite comes first.",
            f"Undo one of the changes: restore the files of one branch and delete its rewrite, such as {unrelated}.",
        )
    return Texts(
        f"{rewrite} and {unrelated} both change {app}.{name}, and neither was made on top of the other.",
        "Two branches renamed the same migrations, and the result would depend on which rewrite comes first.",
        f"Undo the renames of one branch: restore its migration files and delete its rewrite, such as {unrelated}.\n"
        "Then make them again on top of the other rewrite.",
    )


@entry("partial-collapse", Severity.ERROR)
def partial_collapse(
    *, migration: Key, other: Key, missing: Sequence[str], names: Sequence[str], rewrite: str, file: str = ""
) -> Texts:
    """A database has applied only some of the migrations that a rewrite made one.

    A squash stands for all of them. If its name were recorded, Django would never run the missing ones; if it were not,
    `migrate` would run again what has run already. So migsync changes nothing in this database.

    Bring the database to the last of the old migrations with the release from before the rewrite, that is, with the
    old files: `manage.py migrate APP NAME`. Then run migsync with the current release again.
    """
    stand = "stands" if len(names) == 1 else "stand"
    return Texts(
        f"{migration.app}: {', '.join(names)} {stand} for several migrations. Not recorded here: {', '.join(missing)}.",
        "If migsync recorded the new name, Django would never run what is missing. If it did not, Django would run the "
        "others again.",
        f"Deploy the release before {rewrite}, then run: python manage.py migrate {other.app} {other.name}\n"
        "Then run migsync again.",
    )


@entry("duplicate-records", Severity.ERROR)
def duplicate_records(*, migration: Key, rows: Sequence[int]) -> Texts:
    """A migration is recorded more than once.

    The table django_migrations has no unique constraint, so two `migrate` processes that start at the same time can
    both record a migration. Django does not mind, but migsync cannot tell which of the rows to rename.

    With --dedupe migsync keeps the row that was applied first and removes the others. That is safe: Django reads only
    whether there is a row. Before that, check that the migration did not change the data twice.
    """
    return Texts(
        f"{migration} is recorded {len(rows)} times (rows {', '.join(map(str, rows))}).",
        "Django does not mind, but migsync cannot tell which of the rows to change.",
        "To keep the row that was applied first and remove the others: migsync plan --dedupe",
    )


@entry("two-rows", Severity.ERROR)
def two_rows(*, migration: Key, rows: Sequence[int]) -> Texts:
    """Two rows would have the same name after the rewrites are applied.

    One of them is a leftover: a migration that was applied under the name that another one has now, and that no rewrite
    mentions. Django would take the two for one migration, and the file on disk may never have run here.

    Look at the rows in django_migrations and find out which one is the leftover, by its id and the time when it was
    applied. Remove it with `migsync plan --prune APP.NAME`, then check that the migration on disk has run.
    """
    return Texts(
        f"Two rows would end with the name {migration} (rows {', '.join(map(str, rows))}).",
        "One of them is a leftover: a migration that was applied under this name and is not the one on disk.",
        f"Find out which one it is, and remove it by its present name: migsync plan --prune {migration.app}.NAME",
    )


_MEANING = "The records do not fit the rewrites: a row is a leftover, or it was renamed by other means."


def _look(app: str) -> str:
    return (
        f"Look at the rows of {app} in django_migrations. To remove a leftover: migsync plan --prune {app}.NAME\n"
        f"If you know which rewrite the names are from, state it: migsync plan --position {app}=REWRITE"
    )


@entry("never-run", Severity.ERROR)
def never_run(*, migration: Key) -> Texts:
    """A migration that never ran here would be recorded as applied.

    This is a last check: migsync compares which migrations would run before and after its changes to the records. Here
    a row that means another migration would end with the name of this one, and Django would never run the file. The
    database would miss its changes.

    The row is probably a leftover, or was renamed by hand. Find out what it stands for. Remove a leftover with --prune,
    or state with --position which rewrite the names of the app are from.
    """
    return Texts(
        f"After these changes Django would take {migration} for applied, but it never ran here.",
        _MEANING,
        _look(migration.app),
    )


@entry("run-again", Severity.ERROR)
def run_again(*, migration: Key) -> Texts:
    """A migration that has run here would run a second time.

    This is a last check: migsync compares which migrations would run before and after its changes to the records. Here
    the row that shows that the migration ran would not end with its name. `migrate` would run the file again, and fail
    or, with a data migration, change the data twice.

    The records were probably changed by hand. Find out what the rows of the app stand for. Remove a leftover with
    --prune, or state with --position which rewrite the names of the app are from.
    """
    return Texts(
        f"After these changes {migration} would run again, but it ran here already under another name.",
        _MEANING,
        _look(migration.app),
    )
