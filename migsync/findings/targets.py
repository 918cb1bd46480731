"""About databases that a change of files would leave behind, or that are not ready for it."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migrate, migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("unreachable-target", Severity.ERROR, Severity.INFO)
def unreachable_target(*, alias: str, reason: str, later: bool, named: bool) -> Texts:
    """A database could not be read, so migsync does not know what is applied there.

    A command that changes migration files looks at every database first. A migration that is applied in some database
    must not come after one that is not applied there, and a new name must not be in use there. For this database
    migsync cannot check that.

    - Make the database reachable, and run the command again.
    - Or add `--allow-applied`. Later, `migsync apply` brings the database up to date, and refuses if its records do
      not fit. With this option, or with `--assume-deployed`, the message is only a note.
    """
    return Texts(
        f"{alias} could not be read: {reason}",
        "It is unknown what is applied there. `migsync apply` can bring it up to date later."
        if later
        else "It is unknown what is applied there, and the new files may be wrong for it.",
        ""
        if later
        else "Make the database reachable, then run the command again.\n"
        "Or bring it up to date later: run the command again with `--allow-applied`.",
        # One that --database names is to be updated now.
        Severity.INFO if later and not named else Severity.ERROR,
    )


@entry("target-blocked", Severity.ERROR, Severity.WARNING)
def target_blocked(*, alias: str, reason: str, optional: bool) -> Texts:
    """The records of a database do not fit the files as they are now.

    Before migration files change, the records of each database must fit the files of today. Otherwise, migsync could
    not tell afterwards which names in the database are old and which are new.

    `migsync plan` reports everything that is wrong with the database, and what to do. With `--allow-applied`, this is
    only a warning for databases that are not updated in the same step.
    """
    return Texts(
        f"{alias} does not fit the files as they are now: {reason}",
        "The records of a database must fit the files of today before the files change.",
        f"To see what is wrong, and what to do: {migsync('plan', alias=alias)}",
        Severity.WARNING if optional else Severity.ERROR,
    )


@entry("applied-names", Severity.ERROR, Severity.WARNING)
def applied_names(*, app: str, alias: str, applied: Sequence[Key], dry_run: bool = False) -> Texts:
    """Migrations that would be renamed are applied in a database.

    With new names on disk and old names in the records, `migrate` would run these migrations there again.

    - To change the records in the same step, add `--update-db`.
    - To change them later, add `--allow-applied`. Then run `migsync apply` on the database before the next `migrate`.

    With `--dry-run` it is a warning: nothing has to be decided yet.
    """
    return Texts(
        f"{text_list(applied, 3)} {'is' if len(applied) == 1 else 'are'} applied in {alias}.",
        "With new names on disk and the old names in the records, `migrate` would run them there again.",
        "To change the records in the same step: run the command again with `--update-db`.\n"
        "To change them later, with migsync apply: run the command again with `--allow-applied`.",
        Severity.WARNING if dry_run else Severity.ERROR,
    )


@entry("unexpected-plan", Severity.ERROR)
def unexpected_plan(*, alias: str) -> Texts:
    """The records of a database would not follow the change of the files.

    After the change, the plan for this database would lead to other records than the command expects. Names were used
    more than once, and the records do not show which of them are from before a rewrite and which are from after it.

    Bring the database up to date first, with `migsync apply`. Then run the command again.
    """
    return Texts(
        f"The records of {alias} would not follow the change of the files.",
        "It is not clear which of their names are from before a rewrite, and which are from after it.",
        f"Bring it up to date first. To see what it needs: {migsync('plan', alias=alias)}",
    )


@entry("read-only-target", Severity.ERROR)
def read_only_target(*, alias: str, reason: str) -> Texts:
    """A database that should be updated in the same step does not accept writes.

    It is a standby, or the server or the session is in read-only mode.

    Name the databases to be updated with `--database`, and leave this one out. A standby follows its primary. For any
    other database, run `migsync apply` when it accepts writes.
    """
    return Texts(
        f"{alias} cannot be written to: {reason}",
        "It would have to be updated in the same step.",
        "Name the databases to be updated: run the command again with `--database ALIAS`.",
    )


@entry("applied-order", Severity.ERROR, Severity.WARNING)
def applied_order(
    *,
    migration: Key,
    missing: Key,
    alias: str,
    onto: str = "",
    merge: Key | None = None,
    forked: bool = False,
    refused: bool = False,
    elsewhere: Sequence[str] = (),
    behind: bool = False,
) -> Texts:
    """A database has applied a migration, but not one that would come before it.

    When all migrations of an app are in one line, each of them depends on the one before. Django refuses to run
    `migrate` on a database that has applied a migration without its dependencies (InconsistentMigrationHistory). Here
    no order of the line fits every database.

    - `migsync rebase` joins both branches with a merge migration for now. Then this is only a warning. Run `migrate` on
      every database. Then run `migsync rebase` again: it makes one line and removes the merge.
    - If `migrate` starts on that database, apply the missing migration there first, with the files of today. Then run
      the command again.
    - If the records of the database do not fit the files yet, run `migsync apply` first: the missing migration may be
      recorded under an older name.
    - If it does not start there (InconsistentMigrationHistory), apply the other one to the databases that lack it, with
      the files of today. Then run the command again.
    """
    found = f"{alias} has applied {migration}, but not {missing}{f' of {onto}' if onto else ''}."
    meaning = (
        f"In one line, {missing} would come first. Django would refuse this database: a migration would be applied "
        "before its dependency."
    )
    if merge:
        again = migsync("rebase", "--onto", onto)
        return Texts(
            found,
            f"{meaning}\nSo {merge} joins both for now.",
            f"Run `migrate` on every database. Then make one line, which removes the merge: {again}",
            Severity.WARNING,
        )
    if forked:
        join = migsync("fix-conflicts", "--app", migration.app)
        return Texts(found, meaning, f"Join the branches for now: {join}\nThen run `migrate` on every database.")
    if behind:
        apply = (
            f"Its records do not fit the files yet, so this may change. Bring them up to date first: {migsync('apply')}"
        )
        return Texts(found, meaning, apply)
    hint = f"Apply {missing} there first: {migrate(missing.app, alias=alias)}"
    if refused:
        late = (migrate(migration.app, migration.name, alias=other) for other in elsewhere)
        hint = "\n".join((f"Django refuses {alias} already. Apply {migration} to the databases that lack it:", *late))
    return Texts(found if onto else f"{found} No order that fits every database has {migration} first.", meaning, hint)
