"""About rewrites, and rows that they would lead to a wrong end."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import look_at, migrate, migsync, old_files, prune, remove_files
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("rewrites-conflict", Severity.ERROR)
def rewrites_conflict(
    *,
    rewrite: str,
    unrelated: str,
    app: str,
    name: str = "",
    labels: Sequence[str] = (),
    unrelated_labels: Sequence[str] = (),
    obsolete: Sequence[str] = (),
    followed: bool = False,
    file: str,
) -> Texts:
    """Two rewrites change the same names, and neither was made with knowledge of the other.

    Two branches renamed, squashed or relabelled the same migrations, and both were merged. The result would depend on
    which rewrite comes first, and databases may have applied one of them already.

    - If the files on disk are those of one branch, delete the rewrite of the other one. A database that has applied it
      goes back to the older names with `migsync apply --backwards`, and then applies the rewrite that is left. What
      else the deleted rewrite said, migsync finds in git.
    - If that rewrite also changes a label or other apps, and the other rewrite does not, delete the other one. It is
      about this app alone, and migsync finds in git what it said.
    - Otherwise choose the branch that fewer databases have applied. Restore its migration files, and delete its
      rewrite. Then make the change again, on top of the other rewrite.
    """
    which = (
        f"Delete the rewrite that is about {app} alone; migsync finds in git what it said"
        if followed
        else "Delete the rewrite that the files on disk do not follow"
    )
    rest = (
        f"{which}: {remove_files(obsolete)}\nIf they follow neither, restore the files of one branch first."
        if obsolete
        else f"Undo the change of one branch: restore its files and delete its rewrite, such as {unrelated}.\n"
        "Then make the change again on top of the other rewrite."
    )
    if labels and unrelated_labels:
        return Texts(
            f"{rewrite} changes the label {' to '.join(labels)}, and {unrelated} changes "
            f"{' to '.join(unrelated_labels)}; neither was made on top of the other.",
            "Two branches changed the same label, and the result would depend on which rewrite comes first.",
            rest,
        )
    return Texts(
        f"{rewrite} and {unrelated} both change {app}.{name}, and neither was made on top of the other.",
        "Two branches renamed the same migrations, and the result would depend on which rewrite comes first.",
        rest,
    )


@entry("partial-collapse", Severity.ERROR)
def partial_collapse(
    *,
    migration: Key,
    other: Key,
    missing: Sequence[str],
    names: Sequence[str],
    rewrite: str,
    file: str = "",
    commit: str = "",
    parts: Sequence[str] = (),
    alias: str = "",
) -> Texts:
    """A database has applied only some of the migrations that a rewrite put together.

    After a squash, one migration stands for several. If it were recorded here, Django would never run the missing ones.
    If it were not, `migrate` would run again what has run already. So migsync changes nothing in this database.

    Apply the rest of the old migrations first, with the old files:

    - If the new files are deployed already, deploy the release from before the rewrite and run
      `python manage.py migrate APP NAME`, where NAME is the last of the old migrations. Then deploy the current release
      and run migsync again.
    - Where git has the old files, the message names the commit. Check it out, and run the command there.
    - If you are about to change the files, run that command now. Then run the command again.
    """
    stand = "stands" if len(names) == 1 else "stand"
    last = migrate(other.app, other.name, alias=alias)
    return Texts(
        f"{text_list(f'{migration.app}.{name}' for name in names)} {stand} for several migrations. Not recorded here: "
        f"{text_list(missing)}." + (f" This database does not have: {text_list(parts, 5)}." if parts else ""),
        "If migsync recorded the new name, Django would never run what is missing. If it did not, Django would run the "
        "others again.",
        _run_the_rest(rewrite, last, old_files(commit[:10], other.app, other.name, alias) if commit else "")
        if file
        # The rewrite of a change that is only planned has no file yet, and the old files are still there.
        else f"Apply the rest first, with the files from before this change: {last}\nThen run this command again.",
    )


def _run_the_rest(rewrite: str, last: str, from_git: str) -> str:
    """What to type to apply the rest of the old migrations: the files of today do not have them."""
    again = "Then run migsync again."
    if not from_git:
        return f"Deploy the release from before {rewrite}. In that release, run: {last}\n{again}"
    return (
        f"Apply the rest with the old files, which git has:\n{from_git}\n{again}\n"
        f"Where there is no git, deploy the release from before {rewrite}, and run the second command there."
    )


@entry("duplicate-records", Severity.ERROR)
def duplicate_records(*, migration: Key, rows: Sequence[int], alias: str = "") -> Texts:
    """A migration is recorded more than once.

    The table django_migrations has no unique constraint, so two `migrate` processes that start at the same time can
    both record a migration. Django does not mind, but migsync cannot tell which of the records to change.

    With `--dedupe`, migsync keeps the record that was applied first and removes the others. That is safe: Django only
    looks whether there is a record. Before that, check that the migration did not change the data twice.
    """
    return Texts(
        f"{migration} is recorded {len(rows)} times (rows {text_list(rows)}).",
        "Django does not mind, but migsync cannot tell which of the records to change.",
        f"To keep the record that was applied first and remove the others: {migsync('plan', '--dedupe', alias=alias)}",
    )


@entry("two-rows", Severity.ERROR)
def two_rows(*, migration: Key, rows: Sequence[int], alias: str = "") -> Texts:
    """Two records would have the same name after the rewrites are applied.

    One of them is a leftover: a migration that was applied under the name that another one has now, and that no rewrite
    mentions. Django would take the two for one migration, and the file on disk may never have run here.

    - Look at the two records in django_migrations. Find out which one is the leftover, by its id and by the time when
      it was applied.
    - Remove it with `migsync plan --prune APP.NAME`. NAME is the name that it has now.
    - Check that the migration on disk has run.
    """
    return Texts(
        f"Two records would end with the name {migration} (rows {text_list(rows)}).",
        "One of them is a leftover: a migration that was applied under this name and is not the one on disk.",
        "Find out which one it is, and remove it by the name that it has now: "
        f"{prune(f'{migration.app}.NAME', alias=alias)}",
    )


_MEANING = "The records do not fit the rewrites: one is a leftover, or was renamed by other means."


@entry("never-run", Severity.ERROR)
def never_run(*, migration: Key, alias: str = "") -> Texts:
    """A migration that never ran here would be recorded as applied.

    As a last check, migsync compares what `migrate` would run before and after the changes to the records. Here, the
    record of another migration would end with the name of this one. Django would never run the file, and the database
    would miss its changes.

    The record is probably a leftover, or was renamed by hand. Find out what it stands for:

    - If it is a leftover, remove it with `--prune`.
    - If all records are right, state with `--position` which rewrite was applied last to them.
    """
    return Texts(
        f"After these changes, {migration} would be recorded as applied, but it never ran here.",
        _MEANING,
        look_at(migration.app, alias),
    )


@entry("run-again", Severity.ERROR)
def run_again(*, migration: Key, alias: str = "") -> Texts:
    """A migration that has run here would run a second time.

    As a last check, migsync compares what `migrate` would run before and after the changes to the records. Here, the
    record that shows that this migration ran would end with another name. `migrate` would run the file again. It would
    fail, or change the data twice.

    The records were probably changed by hand. Find out what the records of the app stand for:

    - If one of them is a leftover, remove it with `--prune`.
    - If all records are right, state with `--position` which rewrite was applied last to them.
    """
    return Texts(
        f"After these changes, `migrate` would run {migration} again, but it ran here already, under another name.",
        _MEANING,
        look_at(migration.app, alias),
    )
