"""About a run that is to be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings.commands import migrate, migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

SHOWN = 3
AS_LEFT = "A run can only be undone while its records are as it left them."


@entry("already-undone", Severity.ERROR)
def already_undone(*, run: int, by: int, at: str, author: str, alias: str = "") -> Texts:
    """The run was undone already.

    A later run has undone it, so there is nothing left to undo.

    An undo is a run too. To make the changes of the first run again, undo the undo.
    """
    return Texts(
        f"Run {run} was undone already, by run {by} ({at}, {author}).",
        "There is nothing left to undo.",
        f"To make its changes again, undo run {by}: {migsync('undo', by, alias=alias)}",
    )


@entry("row-gone", Severity.ERROR)
def row_gone(*, migration: Key, run: int, alias: str = "") -> Texts:
    """A record that the run inserted no longer exists.

    To undo the run, migsync would remove this record. Somebody has removed it since, or Django has unapplied the
    migration. A run can only be undone while its records are as it left them.

    - If the record was removed by mistake, insert it again, then undo the run.
    - If the migration was unapplied on purpose, keep the run.
    """
    return Texts(f"Run {run} inserted {migration}, and this record no longer exists.", AS_LEFT, _restore(run, alias))


@entry("changed-since", Severity.ERROR)
def changed_since(
    *,
    migration: Key,
    run: int,
    row: int | None,
    applied: str | None,
    now: Key | None,
    now_applied: str | None = None,
    by: int | None = None,
    same: bool = False,
    alias: str = "",
) -> Texts:
    """A record that the run changed has been changed again since.

    An undo gives each record the exact state from before the run. If a record has changed after the run, the undo would
    overwrite that later change. A run can only be undone while its records are as it left them.

    - If a later run changed the record, undo the later run first.
    - If somebody changed the record by other means, restore it as the run left it, then undo the run.
    - Or keep the run.
    """
    if same:
        found = f"Run {by} changed {migration} (row {row}) too, after run {run}."
    elif now is None:
        found = f"{migration} (row {row}) no longer exists."
    elif now == migration:
        found = f"The time of {migration} (row {row}) was {applied} after run {run}, and is {now_applied} now."
    else:
        found = f"{migration} (row {row}) is {now} now."
    undo_first = f"Run {by} changed this record. Undo that run first: {migsync('undo', by, alias=alias)}"
    return Texts(found, AS_LEFT, _restore(run, alias) if by is None else undo_first)


def _restore(run: int, alias: str) -> str:
    return (
        f"To see what run {run} left: {migsync('show', run, alias=alias)}\n"
        "Restore the record by hand, then undo the run again. Or keep the run."
    )


@entry("out-of-order", Severity.ERROR)
def out_of_order(
    *, run: int, by: int, rewrite: str, command: str, below: str, below_command: str, alias: str = ""
) -> Texts:
    """A later rewrite builds on the rewrite that this run applied.

    A rewrite renames what the rewrites before it have named. With this run undone, the database would have applied the
    later rewrite without the one that it builds on. Its records would have names that no release ever had.

    Undo the later run first, then this one.
    """
    return Texts(
        f"With run {run} undone, this database would have applied the rewrite {rewrite} ({command}) without {below} "
        f"({below_command}), which it builds on.",
        "The records would then have names that no release ever had.",
        f"Undo run {by} first, then run {run}: {migsync('undo', by, alias=alias)}",
    )


@entry("needed-since", Severity.ERROR)
def needed_since(
    *,
    run: int,
    migrations: Sequence[Key],
    needed: Sequence[Key],
    back_to: Sequence[tuple[str, str]],
    alias: str = "",
) -> Texts:
    """Migrations that are recorded depend on what the undo would remove.

    The run recorded migrations whose files are there, for example with `--record` or `migsync repair`. Others that
    depend on them are recorded too. With the run undone, `migrate` would stop with InconsistentMigrationHistory.

    - Keep the run.
    - Or unapply the migrations that depend on it, and then undo the run.
    """
    depend = "depends" if len(migrations) == 1 else "depend"
    unapply = "\n".join(f"  {migrate(app, name, alias=alias)}" for app, name in back_to)
    return Texts(
        f"{text_list(map(str, migrations), SHOWN)} {depend} on {text_list(map(str, needed), SHOWN)}, "
        f"whose record would be gone with run {run} undone.",
        "`migrate` would stop with InconsistentMigrationHistory.",
        f"Keep run {run}. Or unapply first what depends on it:\n{unapply}",
    )


@entry("recorded-again", Severity.ERROR)
def recorded_again(
    *,
    migration: Key,
    row: int | None,
    applied: str | None,
    other_row: int | None,
    other_applied: str | None,
    alias: str = "",
) -> Texts:
    """The undo would restore a name that was recorded again since the run.

    Two records would then have the same name, and Django would take them for one migration.

    - Keep the run.
    - Or unapply the migration that was recorded since, with `python manage.py migrate`, and then undo the run.
    """
    returning = f"row {row}, applied {applied}," if row is not None else f"a record applied {applied}"
    return Texts(
        f"{migration} was recorded again since the run (row {other_row}, applied {other_applied}). "
        f"The undo would restore {returning} under the same name.",
        "Two records would have this name, and Django would take them for one migration.",
        f"Keep the run. Or unapply {migration} first: {migrate(migration.app, 'NAME', alias=alias)}\n"
        "NAME is the migration before it.",
    )


@entry("name-means-another", Severity.ERROR)
def name_means_another(*, migration: Key, row: int | None, run: int, forward: bool, alias: str = "") -> Texts:
    """A record that was made since the run would mean another migration after the undo.

    The rewrite of the run used a name again: before it, the name meant one migration, and after it another one. Since
    the run, a migration was recorded under this name. After the undo, nobody could tell which of the two migrations the
    record stands for. `migrate` would run one of them twice, or never.

    - Keep the run.
    - Or unapply the migration with the files that recorded it, and then undo the run.
    - If the run is itself an undo, do not undo it. `migsync apply` brings all records forward, this one too.
    """
    unapply = (
        f"Keep run {run}. Or unapply {migration} first, with the files that recorded it: "
        f"{migrate(migration.app, 'NAME', alias=alias)}\n"
        "NAME is the migration before it."
    )
    return Texts(
        f"{migration} was recorded since the run (row {row}), and the run changed what this name means.",
        "After the undo, nobody could tell which of the two migrations this record stands for.",
        f"To bring all records forward, this one too: {migsync('apply', alias=alias)}" if forward else unapply,
    )


@entry("row-stays", Severity.INFO)
def row_stays(*, migration: Key, row: int | None, alias: str = "") -> Texts:
    """A record keeps its new name after the undo.

    It was recorded after the run, under a name that the rewrite of the run introduced. The undo changes only the
    records that the run changed. What to do afterwards depends on the files that you deploy:

    - With the files of today, `migsync apply` gives the other records their new names again.
    - With older files, `migsync apply --backwards` gives this record its older name too.
    """
    return Texts(
        f"{migration} (row {row}) keeps its name: it was recorded after the run.",
        f"With the files of today, `{migsync('apply', alias=alias)}` gives the other records their new names again.\n"
        f"With older files, `{migsync('apply', '--backwards', alias=alias)}` gives this record its older name too.",
    )


@entry("id-taken", Severity.WARNING)
def id_taken(*, migration: Key, row: int | None, other: Key) -> Texts:
    """A record cannot get its old id back, because another record has that id now.

    The record gets a new id. Its name and its time are the old ones. Django identifies a migration by its app and its
    name, so there is nothing to do.
    """
    return Texts(
        f"The id {row} of {migration} belongs to {other} now.",
        "The record gets a new id. Its name and its time are the old ones.",
    )


@entry("files-needed-since", Severity.ERROR)
def files_needed_since(*, command: str, needed: Mapping[str, str]) -> Texts:
    """Migrations that were added since depend on the result of a change that is to be undone.

    `migsync undo --files` restores the files as they were before a command. Files that were written after it depend on
    the names that it gave. With the older files, Django could not load them.

    Nothing was changed. Keep the change. Or remove the newer files, or change their dependencies, and undo it then.
    """
    return Texts(
        f"{text_list(needed, 3)} would not load without the result of {command}.",
        "\n".join([*list(needed.values())[:3], "The files were added or changed after that command."]),
        "Keep the change, or first change or remove what depends on it.",
    )


@entry("rewrite-needed-since", Severity.ERROR)
def rewrite_needed_since(*, command: str, rewrite: str, other: str) -> Texts:
    """A later rewrite was made on top of the one that would be removed.

    `migsync undo --files` also removes the rewrite that the command wrote. Each rewrite names those before it. Without
    the one that it was made on top of, the later one is not valid, and no command works.

    Undo the later change first, if it was made by a command: the newest change is undone first. Or keep both.
    """
    return Texts(
        f"{other} was made on top of {rewrite}, which the undo of {command} would remove.",
        "Without it, the later rewrite would not be valid, and no command would work.",
        "Undo the later change first, or keep both.",
    )


@entry("rewrite-applied-since", Severity.ERROR)
def rewrite_applied_since(*, command: str, rewrite: str, run: str, alias: str) -> Texts:
    """A database has applied the rewrite that would be removed together with the files.

    The files and the records of a database must have the same names. This database got the new names in a run of its
    own, after the files had changed. `migsync undo --files` undoes only the runs that were made together with the
    files. With the older files, the records of this database would have names that no file explains.

    Undo the run in the database first. Then undo the change of the files.
    """
    return Texts(
        f"{alias} has applied {rewrite} in the run {run}, which is not undone together with the files of {command}.",
        "With the older files, its records would have names that no file explains.",
        f"Undo it there first: {migsync('undo', run, alias=alias)}",
    )
