"""What an error means that Django or a database driver printed: the answers of ``migsync doctor --error``."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.database_objects import NAMED, sql_of
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("not-seen-here", Severity.INFO)
def not_seen_here(*, message: str) -> Texts:
    """The files and databases here do not show what an error message says.

    The message came from another version of the files, or from another database. Look at the commit that was deployed
    where it was printed, and run `migsync doctor --error` there.
    """
    return Texts(
        f"The files and the databases here do not show this error: {message}",
        "It came from other files or another database, or it was mended since.",
        "Run this command where the error was printed, with the same files and settings.",
    )


@entry("duplicate-values", Severity.ERROR)
def duplicate_values(*, what: str, migration: Key | None = None) -> Texts:
    """A migration makes something unique, and rows have the same value there.

    Nothing is wrong with the names of migrations. Find the rows with `GROUP BY ... HAVING count(*) > 1`, and change
    them in a migration of its own (RunPython) that comes before. On PostgreSQL do not change rows and alter their table
    in one migration.

    A common case is a new unique field with a default: every row gets the same value. Add the field with `null=True`,
    fill it in a second migration, and make it unique in a third one.
    """
    return Texts(
        f"Several rows have the same value in {what}, which {migration or 'the migration'} makes unique.",
        "The rows are in the way, not the names of migrations.",
        "Fill the column by a migration of its own (RunPython) that comes before the one that makes it unique.",
    )


@entry("null-values", Severity.ERROR)
def null_values(*, what: str, migration: Key | None = None) -> Texts:
    """A migration forbids NULL in a column, and rows have no value there.

    Nothing is wrong with the names of migrations. Do it in three migrations: add the field with `null=True`, fill it
    with RunPython, then alter it to `null=False`. Or give the field a default.
    """
    return Texts(
        f"Rows have no value in {what}, which {migration or 'the migration'} declares NOT NULL.",
        "The rows are in the way, not the names of migrations.",
        "Fill the column by a migration of its own (RunPython) that comes before, or give the field a default.",
    )


@entry("pending-trigger-events", Severity.ERROR)
def pending_trigger_events(*, what: str) -> Texts:
    """One migration changes rows of a table and alters the table.

    PostgreSQL checks foreign keys at the end of the transaction, and does not alter a table that still has checks to
    make. Move the RunPython or the RunSQL into a migration of its own. If a squash put them together, give its range
    again with other ends, so that the data and the table are in two files.
    """
    return Texts(
        f"One transaction changes rows of {what} and then alters the table, which PostgreSQL refuses.",
        "Its foreign keys are checked at the end of the transaction, so the table is in use until then.",
        "Put the change of the data and that of the table into two migrations.",
    )


@entry("not-reversible", Severity.ERROR)
def not_reversible(*, migration: Key) -> Texts:
    """A migration cannot be unapplied, because an operation has no way back.

    RunPython needs `reverse_code`, and RunSQL needs `reverse_sql`. If nothing has to be done on the way back, write
    `migrations.RunPython.noop` or `migrations.RunSQL.noop`.

    Do not record it as unapplied with `--fake`, unless you know that running it again does no harm.
    """
    return Texts(
        f"{migration} cannot be unapplied: an operation has no way back.",
        "",
        "Give the operation reverse_code or reverse_sql. If nothing is to be done, use migrations.RunPython.noop.",
    )


@entry("not-in-state", Severity.ERROR)
def not_in_state(*, what: str, maker: Key | None = None, user: Key | None = None, near: Sequence[str] = ()) -> Texts:
    """A migration uses a model or a field that is not there yet where the migration stands.

    `apps.get_model()` and operations see the models as of the migration's dependencies. Another app's model is only
    there if the migration depends on the one that makes it. The same error comes from a migration that was removed, or
    moved, although a later one builds on it.
    """
    where = str(user) if user else "the migration that failed"
    if near:
        hint = f"Correct the name in {where}. The app has: {text_list(near)}."
    elif maker and maker == user:
        hint = f"In {where}, put the operation that makes it before the one that uses it."
    elif maker:
        hint = f"Add ({maker.app!r}, {maker.name!r}) to the dependencies of {where}."
    else:
        hint = f"Find the migration that makes {what}, and add it to the dependencies of {where}."
    return Texts(
        f"{where} uses {what}, which does not exist at that point of the history.",
        "A migration sees what its dependencies have made, and nothing else.",
        hint,
    )


@entry("lazy-reference", Severity.ERROR)
def lazy_reference(*, what: str, users: Sequence[Key] = ()) -> Texts:
    """A field refers to a model of an app that is not installed, or that has no such model any more.

    - If the app was removed from INSTALLED_APPS, its models are still needed by the migrations that refer to them. Keep
      the app until these migrations are squashed, or edit the reference.
    - If the model was renamed or moved by hand, use its new name.
    """
    return Texts(
        f"A field refers to {what}, which no installed app has.",
        "The migrations that refer to it cannot be loaded without it.",
        "Put the app back into INSTALLED_APPS, or correct the reference in "
        f"{text_list(users, NAMED) if users else 'the migration'}.",
    )


@entry("missing-right", Severity.ERROR)
def missing_right(*, what: str) -> Texts:
    """The database user may not do what the migration does.

    `migrate` needs a user that owns the tables, or may create and alter them. Often the tables were made by another
    user, by a DBA for example.
    """
    return Texts(
        f"The database user lacks a right on {what}.",
        "`migrate` needs a user that owns the tables.",
        "Run `migrate` as the owner of the tables, or let the owner grant the right.",
    )


@entry("no-schema-to-create-in", Severity.ERROR)
def no_schema_to_create_in() -> Texts:
    """The database user may not create tables in the schema, or there is no schema to create them in.

    Since PostgreSQL 15 a user may not create tables in `public` unless it owns the database or has the right. The other
    cause is a `search_path` that names a schema which does not exist.
    """
    return Texts(
        "There is no schema in which this database user may create tables.",
        "Since PostgreSQL 15 only the owner of a database may create tables in its schema public.",
        "As the owner of the database: GRANT USAGE, CREATE ON SCHEMA public TO the user.\n"
        "Or correct the search_path in the settings.",
    )


@entry("lock-not-free", Severity.ERROR)
def lock_not_free() -> Texts:
    """The database gave up because another session held a lock.

    Altering a table needs it for a moment without anybody else. A long transaction, a backup, or a second `migrate` can
    hold it. Nothing is wrong with the names of migrations; run `migrate` again. MySQL and MariaDB keep what the
    migration had done until then.
    """
    return Texts(
        "Another session held a lock for too long.",
        "A long transaction, a backup or another `migrate` uses the same tables.",
        "Wait for the other session or end it, then run `migrate` again.",
    )


@entry("read-only-connection", Severity.ERROR)
def read_only_connection() -> Texts:
    """The connection does not accept writes.

    It leads to a replica, to a server in read-only mode, or to a SQLite file that the user may not write (its directory
    has to be writable too).
    """
    return Texts(
        "The database does not accept writes over this connection.",
        "It is a replica, a read-only server, or a file without the right to write.",
        "Run `migrate` on the primary: python manage.py migrate --database ALIAS",
    )


@entry("foreign-key-refused", Severity.ERROR)
def foreign_key_refused(*, what: str) -> Texts:
    """A foreign key refers to a column that does not fit.

    The column it refers to has another type or collation, or is not unique. On MySQL and MariaDB an old table can have
    another character set or engine than new ones. On PostgreSQL the other table may lack its primary key, after a
    partial restore.
    """
    return Texts(
        f"The database refuses a foreign key to {what}.",
        "The column that it refers to has another type or collation, or is not a primary key there.",
        "Compare the two columns in the database: python manage.py dbshell",
    )


@entry("constraint-not-found", Severity.ERROR)
def constraint_not_found(*, what: str, migration: Key | None = None, alias: str = "") -> Texts:
    """A migration removes a constraint or an index that is not in the database, or is there more than once.

    Django looks for it by its columns. It is missing where the migration that makes it was only recorded (`--fake`),
    where somebody removed it by hand, or where the database was built by an older version of the files.

    Make the constraint by hand, with the SQL of the migration that makes it, and run `migrate` again.
    """
    hint = "Make it by hand, with the SQL of the migration that makes it, then run `migrate` again."
    if migration:
        hint = f"To see the SQL of the migration that fails: {sql_of(migration, alias)}\n{hint}"
    return Texts(
        f"The migration removes a constraint or an index of {what} that the database does not have.",
        "A migration was recorded without running, or the constraint was removed by hand.",
        hint,
    )


@entry("too-large", Severity.ERROR)
def too_large() -> Texts:
    """MySQL or MariaDB refuses a row or an index that is too large.

    With `utf8mb4` a character counts as four bytes: a unique `CharField(max_length=255)` needs an index of 1020 bytes.
    Tables with the row format COMPACT take 767.

    Shorten the field, or change the row format of the table to DYNAMIC.
    """
    return Texts(
        "A row or an index of the table would be too large for the server.",
        "Columns of text are too long for the character set and the row format of the table.",
        "Give the field a smaller max_length, or change the table: ALTER TABLE name ROW_FORMAT=DYNAMIC;",
    )


@entry("type-not-converted", Severity.ERROR)
def type_not_converted(*, what: str) -> Texts:
    """PostgreSQL does not know how to convert a column to its new type.

    Text does not become a number by itself, for example. Add a column of the new type, copy the values in a data
    migration (RunPython), and remove the old column. Or convert it with RunSQL: `ALTER TABLE ... TYPE ... USING ...`,
    and put the AlterField into its `state_operations`.
    """
    return Texts(
        f"The values of {what} are not converted to the new type by themselves.",
        "",
        "Write ALTER TABLE ... ALTER COLUMN ... TYPE ... USING ... as migrations.RunSQL, with the AlterField in its "
        "state_operations.",
    )


@entry("others-depend", Severity.ERROR)
def others_depend(*, what: str) -> Texts:
    """Something in the database depends on what a migration removes or alters: a view, a foreign key, a trigger.

    If migrations made it, they are in the wrong order, or a dependency between apps is missing. If it was made by hand,
    remove it with RunSQL before, and make it again after.
    """
    return Texts(
        f"Other objects in the database depend on {what}.",
        "A view, a foreign key or a trigger uses it.",
        "Remove them in a migration that comes before (migrations.RunSQL), and make them again after it.",
    )


@entry("value-too-long", Severity.ERROR)
def value_too_long() -> Texts:
    """A value does not fit into a column: a text is too long, or a number is out of range.

    A data migration writes such a value, or the column is made smaller than values in it. Change the values first, in a
    migration of its own.
    """
    return Texts(
        "A value does not fit into its column.",
        "The rows are in the way, or a data migration writes too long a value. The names of migrations are right.",
        "Change the values in a migration of its own (RunPython) that comes before.",
    )


@entry("rows-without-parent", Severity.ERROR)
def rows_without_parent(*, what: str) -> Texts:
    """Rows refer to rows that do not exist.

    A foreign key cannot be made, or is broken at the end of a migration. The rows were written while foreign keys were
    not checked (SQLite, MyISAM, a dump), or a data migration has removed what they refer to.
    """
    return Texts(
        f"Rows of {what} refer to rows that do not exist.",
        "The rows are in the way, not the names of migrations.",
        "Remove or correct these rows in a migration of its own (RunPython) that comes before.",
    )
