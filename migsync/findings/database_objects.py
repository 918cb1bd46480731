"""About tables, columns and indexes that an error names: whether they are there, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.alias import is_of_entry
from migsync.findings.commands import migrate, migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5
UNSEEN = "Only tables and columns were compared. Indexes, constraints and data were not."


def sql_of(migration: Key, alias: str) -> str:
    """The command that prints the SQL of a migration, which is the same in every schema."""
    database = f" --database {alias}" if alias and not is_of_entry(alias) else ""
    return f"python manage.py sqlmigrate {migration.app} {migration.name}{database}"


def record(migration: Key, alias: str) -> str:
    """The command that records a migration, and runs nothing."""
    return migrate(migration.app, migration.name, "--fake", alias=alias)


@entry("apply-first", Severity.ERROR)
def apply_first(*, changes: int, apps: Sequence[str], alias: str = "") -> Texts:
    """The database still has old names of migrations, and `migsync apply` was not run.

    Files were renamed or united. As long as the database has the old names, Django takes the new files for migrations
    that never ran. `migrate` then tries to make tables and columns again that exist.

    Run `migsync plan`, then `migsync apply`, and `migrate` after that. `migsync doctor --error` can be asked again if
    the error comes back.
    """
    return Texts(
        f"{count(changes, 'record')} of {text_list(apps, NAMED)} in this database still "
        f"{'needs a change' if changes == 1 else 'need changes'}.",
        "Until then Django takes files that have run under another name for migrations that never ran.",
        f"To see the changes: {migsync('plan', alias=alias)}\nTo make them: {migsync('apply', alias=alias)}",
    )


@entry("there-unrecorded", Severity.ERROR)
def there_unrecorded(
    *,
    what: str,
    migration: Key,
    missing: Sequence[str] = (),
    drops: Sequence[str] = (),
    waits_for: Sequence[Key] = (),
    above: Key | None = None,
    alias: str = "",
) -> Texts:
    """Something is in the database, but the migration that makes it is not recorded.

    So `migrate` runs the migration, and the database answers that the table, the column or the index exists. The usual
    causes are:

    - The migration ran, and its record was lost: a restored or truncated `django_migrations`, a copied schema.
    - It ran in part. MySQL and MariaDB keep what a failed migration has done until then.
    - The database was built in another way: from a dump, with `syncdb`, or by hand.

    The message says whether everything is there that the migration makes, as far as tables and columns go. If so, look
    at the rest (indexes, constraints, data), then record it. If not, run the statements that are missing by hand, or
    remove what is there, then run the migration. The message has the statements that remove it if it is made of tables
    without a row.

    Of several such migrations the first one comes first: to run a later one, `migrate` would run it too. On SQLite that
    can make a table anew without the columns of later migrations.
    """
    if missing:
        meaning = f"Of what it makes, this is missing: {text_list(missing, NAMED)}. So it ran in part, or something "
        meaning += "else made the rest."
        by_hand = (
            f"To see its SQL: {sql_of(migration, alias)}\n"
            f"Run the statements that are missing, then record it: {record(migration, alias)}"
        )
        hint = f"{by_hand}\nOr remove what is there, if it holds no data, and run `migrate` again."
        if drops:
            removed = "\n".join(drops)
            hint = (
                f"What is there has no rows, so remove it in the database:\n{removed}\n"
                f"Then run the migration: {migrate(migration.app, migration.name, alias=alias)}\n"
                f"Or run only what is missing. {by_hand}"
            )
        if above:
            hint = f"Mend {above} first: it is not recorded either, and `migrate` would run it too.\n{hint}"
    elif above:
        meaning = f"Everything that it makes is there. {UNSEEN} It depends on {above}, which is not recorded either."
        hint = f"Let migsync compare everything, and record what is there: {migsync('repair', alias=alias)}"
    else:
        meaning = f"Everything that it makes is there. {UNSEEN}"
        first = [f"Run what comes before it: {migrate(each.app, each.name, alias=alias)}" for each in waits_for]
        last = f"Or let migsync compare everything, and record what is there: {migsync('repair', alias=alias)}"
        hint = "\n".join([*first, f"If it ran, record it without running it: {record(migration, alias)}", last])
    return Texts(f"The {what} is there, but {migration}, which makes it, is not recorded.", meaning, hint)


@entry("records-lost", Severity.ERROR)
def records_lost(*, what: str, migration: Key, alias: str = "") -> Texts:
    """A database has tables of the project, but no records of migrations at all.

    The tables were copied without them, django_migrations was dropped or emptied, or it is in another schema. `migrate`
    takes such a database for a new one, and begins with the first migration.

    Do not run `migrate --fake` on it: that records every migration on disk, also those that never ran here. Take the
    rows from where the tables came from. If there is no such place, `migsync repair` compares the tables with what
    each migration makes, on a scratch database, and records those that are there. Where there can be no scratch
    database, record each app up to the migration whose tables and columns are there, with `migrate APP NAME --fake`.
    """
    return Texts(
        f"The {what} is there, but the database has no records of migrations at all.",
        f"So `migrate` begins with the first migrations, and {migration} fails. The tables were copied without their "
        "records, or the records are in another schema.",
        "If there is one, copy django_migrations from the database that the tables came from.\n"
        f"If there is none, let migsync record what is there: {migsync('repair', alias=alias)}",
    )


@entry("made-twice", Severity.ERROR)
def made_twice(*, what: str, migration: Key, other: Key, file: str = "", alias: str = "") -> Texts:
    """Two migrations make the same table, column or index, and one of them has run.

    The other one cannot run on this database, nor on any other that runs both. Often two branches made the same change,
    or a file was written again after the first one had been deployed.

    - If both mean the same change, take the operation out of the later file.
    - If the later file stands for the earlier one (a squash or a reset by hand), say so with `migsync rewrite`.
    """
    return Texts(
        f"{other} has made the {what}, and {migration}, which has not run, makes it too.",
        "The second one cannot run on a database that ran the first one.",
        f"If both are the same change, take the operation out of {migration}.\n"
        "If the new file stands for the old one, let migsync find the new names: "
        f"{migsync('rewrite', alias=alias)}",
    )


@entry("not-run-yet", Severity.ERROR)
def not_run_yet(*, what: str, migration: Key, user: Key | None = None, alias: str = "") -> Texts:
    """Something is missing in the database because the migration that makes it has not run.

    - If the application failed, its code was deployed before `migrate` ran. Run `migrate`.
    - If a migration failed, it uses what another migration makes, but does not depend on it. Add the dependency to its
      file.
    """
    hint = f"To run it: {migrate(migration.app, migration.name, alias=alias)}"
    if user:
        hint = f"Add ({migration.app!r}, {migration.name!r}) to the dependencies of {user}. Then run `migrate` again."
    return Texts(
        f"The {what} is not there, because {migration}, which makes it, has not run.",
        f"{user} uses it, but does not depend on that migration." if user else "",
        hint,
    )


@entry("recorded-not-there", Severity.ERROR)
def recorded_not_there(
    *, migration: Key, missing: Sequence[str], whole: bool = False, before: str = "", alias: str = ""
) -> Texts:
    """A migration is recorded, but what it makes is not in the database.

    It will not run by itself, because it is recorded. The usual causes are:

    - It was recorded with `--fake`, or with `--fake-initial` on tables of another version.
    - `django_migrations` came from a dump of another database, or of another day.
    - The table or the column was removed by hand.

    If nothing of the migration is there, and no migration that builds on it is recorded, take the record back and run
    the migration; the message has the commands. Otherwise run the statements that are missing by hand, or let `migsync
    repair` remove the records of all that is not there, if `--fake` went too far.
    """
    hint = f"To see its SQL: {sql_of(migration, alias)}\nRun the statements for what is missing.\n"
    if before:
        hint = (
            f"Take the record back: {migrate(migration.app, before, '--fake', alias=alias)}\n"
            f"Then run it: {migrate(migration.app, migration.name, alias=alias)}\n"
        )
    hint += f"Or let migsync compare everything, and remove such records: {migsync('repair', alias=alias)}"
    return Texts(
        f"{migration} is recorded, but {'nothing' if whole else 'not all'} of what it makes is there.",
        f"Missing: {text_list(missing, NAMED)}. It will not run by itself.",
        hint,
    )


@entry("no-tables-there", Severity.ERROR)
def no_tables_there(*, tables: int) -> Texts:
    """A database has records of migrations, but none of the tables that they make.

    The records were copied without the tables, the migrations were recorded with `--fake`, or the tables are in another
    schema (PostgreSQL's `search_path`) or database than django_migrations.
    """
    return Texts(
        f"None of the {count(tables, 'table')} that the recorded migrations make is there.",
        "The records were copied without the tables, or recorded with `--fake`, or the tables are in another schema.",
        "Compare the settings with those of the application: python manage.py dbshell",
    )


@entry("records-without-tables", Severity.INFO)
def records_without_tables(*, apps: Sequence[str], records: int) -> Texts:
    """A database has records of apps of which no table is there.

    `migrate` records every migration in every database, also where a database router (`allow_migrate`) keeps the tables
    of the app away. So with several databases this is usual, and there is nothing to do.

    It is wrong if the tables of these apps belong into this database. Then they are lost, or were never made.
    """
    return Texts(
        f"{count(records, 'record')} of {count(len(apps), 'app')} without a table here: {text_list(apps, NAMED)}.",
        "That is usual where a database router keeps an app away: `migrate` records its migrations all the same.",
    )


@entry("removed-since", Severity.ERROR)
def removed_since(*, what: str, migration: Key) -> Texts:
    """A table or a column was removed, or renamed, by a migration that is recorded, and something still uses it.

    - The code of an older release is still running. Deploy the code that fits the database, or keep the column for one
      more release.
    - A view, a trigger or SQL of your own uses the old name.
    """
    return Texts(
        f"{migration}, which is recorded, has removed or renamed the {what}.",
        "What failed is older than the database: code of an earlier release, or SQL with the old name.",
        "Deploy the code that belongs to the migrations that are recorded.",
    )


@entry("removed-unrecorded", Severity.ERROR)
def removed_unrecorded(*, what: str, migration: Key, alias: str = "") -> Texts:
    """A table or a column is gone, but the migration that removes or renames it is not recorded.

    So `migrate` runs the migration, and fails since there is nothing to remove or to rename. The migration ran and its
    record was lost, it ran in part (MySQL and MariaDB keep what a failed migration has done until then), or somebody
    did its work by hand.

    Look at the SQL of the migration. If all of it is done, record the migration. If not, do the rest by hand first.
    """
    return Texts(
        f"The {what} is not there any more, but {migration}, which removes or renames it, is not recorded.",
        "`migrate` fails when it runs that migration. Its record was lost, or its work was done by hand.",
        f"To see its SQL: {sql_of(migration, alias)}\n"
        f"If all of it is done, record it without running it: {record(migration, alias)}",
    )


@entry("as-recorded", Severity.INFO)
def as_recorded(*, what: str, migration: Key, there: bool) -> Texts:
    """The database has what its records say, so the error came from somewhere else.

    The same error is possible if the command used another database, another schema (PostgreSQL's `search_path`),
    another user, or other files than the ones here. Or somebody has repaired the database since.

    Run the command that failed again. If it fails with the same message, compare its settings (`DATABASES`, environment
    variables) with the ones that migsync uses.
    """
    return Texts(
        f"{migration}, which makes the {what}, is recorded" + (", and it is there." if there else "."),
        "So the error came from another database, schema or user, or from other files than the ones here.",
        "Compare the settings of the command that failed with these: migsync status",
    )


@entry("made-by-none", Severity.WARNING)
def made_by_none(*, what: str) -> Texts:
    """No migration on disk makes a table, a column or an index that an error names.

    - The model has changed, and no migration was made: `python manage.py makemigrations --dry-run` shows what is
      missing.
    - The app is not in `INSTALLED_APPS`, or its migrations are not on disk.
    - The model has `managed = False`, or the name is made by SQL, or by the database itself (an index without a name).
    """
    return Texts(
        f"No migration on disk makes the {what}, as far as the files can be read.",
        "A migration was not made yet, its app is not installed, or the name comes from SQL or from the database.",
        "To see if a migration is missing: python manage.py makemigrations --dry-run",
    )
