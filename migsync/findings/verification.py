"""What ``migsync verify`` finds: records and tables that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migrate, migsync
from migsync.findings.database_objects import sql_of
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5


def _are(migrations: Sequence[Key]) -> str:
    return f"{text_list(migrations, NAMED)} {'is' if len(migrations) == 1 else 'are'}"


@entry("not-in-database", Severity.ERROR)
def not_in_database(
    *, migrations: Sequence[Key], parts: Sequence[str], unrecord: bool = False, custom: bool = False, alias: str = ""
) -> Texts:
    """A migration is recorded, but nothing that it changes is in the database.

    `migrate` never runs it, because it is recorded. The usual causes are `--fake`, a dump of another database, or
    `django_migrations` copied from elsewhere.

    If nothing that is in the database depends on the migration, the message has the command that removes its record, so
    that `migrate` runs it. A migration that runs code or SQL of its own is never named there: what else it did, no
    catalog shows. Look at its file, then run the SQL by hand.
    """
    key = migrations[0]
    if unrecord:
        words = [word for each in migrations for word in ("--unrecord", each)]
        hint = f"If it did not run, remove the record, then migrate: {migsync('plan', *words, alias=alias)}"
    else:
        why = "It runs code or SQL of its own" if custom else "Migrations that are in the database depend on it"
        hint = f"{why}, so its record should stay. To see its SQL: {sql_of(key, alias)}"
    return Texts(
        f"{_are(migrations)} recorded, but not in the database: {text_list(parts, NAMED)}.",
        "`migrate` does not run what is recorded, so this stays missing.",
        hint,
    )


@entry("differs-from-record", Severity.ERROR)
def differs_from_record(*, migration: Key, parts: Sequence[str], alias: str = "") -> Texts:
    """A migration is recorded, and only a part of what it changes is in the database.

    Something was changed by hand, or the migration stopped half-way and was recorded with `--fake`. `migrate` does not
    repair that.

    Run the SQL for what is missing. If the difference is intended, name the table, the column or the index in
    `pyproject.toml`: `accept = ["shop_item.price"]` under `[tool.migsync.verify]`.
    """
    return Texts(
        f"{migration} is recorded, and the database differs: {text_list(parts, NAMED)}.",
        "`migrate` does not repair this, and later migrations may fail.",
        f"To see its SQL: {sql_of(migration, alias)}\nRun the statements for what differs. If the difference is "
        "intended, add its name to accept under [tool.migsync.verify] in pyproject.toml.",
    )


@entry("there-already", Severity.ERROR)
def there_already(
    *,
    migrations: Sequence[Key],
    waits_for: Sequence[Key] = (),
    record: Sequence[Key] = (),
    foreign: bool = False,
    alias: str = "",
) -> Texts:
    """Everything that a migration makes is in the database, but the migration is not recorded.

    `migrate` would run it again and fail, because its tables or columns exist. The usual causes are a lost or truncated
    `django_migrations`, a restored dump, or a schema that was copied.

    If it ran, record it. A migration can be recorded only together with what it depends on. If it also changes data,
    check that first: verify compares tables only.
    """
    command = migsync("plan", *(word for each in record for word in ("--record", each)), alias=alias)
    key = migrations[-1]
    if foreign:
        hint = f"{key.app} is an installed package. If this ran: {migrate(key.app, key.name, '--fake', alias=alias)}"
    else:
        hint = f"If {'everything' if waits_for else 'this'} ran, record it: {command}"
        if len(record) > NAMED:
            hint = f"To record all that is there: {migsync('repair', alias=alias)}"
        if waits_for:
            unseen = f"which {'is' if len(waits_for) == 1 else 'are'} not recorded, and not seen in the tables"
            hint = f"This depends on {text_list(waits_for, NAMED)}, {unseen}.\n{hint}"
    return Texts(
        f"{_are(migrations)} not recorded, but all that {'it makes' if len(migrations) == 1 else 'they make'} is in "
        "the database.",
        "`migrate` would run this again, and fail.",
        hint,
    )


@entry("partly-there", Severity.ERROR)
def partly_there(*, migration: Key, there: Sequence[str], missing: Sequence[str], alias: str = "") -> Texts:
    """A part of what a migration makes is in the database, but the migration is not recorded.

    It stopped half-way: MySQL and MariaDB keep what ran before the error. Or something else made the part.

    Either run the statements that are missing and record the migration, or remove what is there, if it holds no data,
    and run `migrate`.
    """
    return Texts(
        f"{migration} is not recorded, and a part of it is in the database: {text_list(there, NAMED)}.",
        f"`migrate` would fail. The rest: {text_list(missing, NAMED)}.",
        f"To see its SQL: {sql_of(migration, alias)}\nRun what is missing, then record it: "
        f"{migsync('plan', '--record', migration, alias=alias)}\nOr remove what is there, if it holds no data, and run "
        "`migrate`.",
    )


@entry("not-verified", Severity.WARNING)
def not_verified(*, migration: Key, reason: str, parts: Sequence[str] = (), alias: str = "") -> Texts:
    """It cannot be told whether the database has what a recorded migration makes.

    Its file is gone, or it cannot run on a scratch database: it needs a role, an extension or data that is not there.
    Migrations that depend on it cannot be built either, and those of the same app that seem to differ are in doubt.

    SQL in the file that `setup` under `[tool.migsync.verify]` names runs on the scratch database before.
    """
    seems = f" These parts seem to differ: {text_list(parts, NAMED)}." if parts else ""
    return Texts(
        f"{migration} cannot be verified: {reason}",
        f"What it makes is not known.{seems}",
        "If it needs something that is not in the migrations, name a file with the SQL for it: setup under "
        "[tool.migsync.verify] in pyproject.toml.",
    )


@entry("rebuild-interrupted", Severity.ERROR)
def rebuild_interrupted(
    *, table: str, rebuilt: str, is_there: bool, statements: Sequence[str], alias: str = ""
) -> Texts:
    """A migration stopped while Django was building a changed table anew, and the new one is left.

    SQLite changes few things of a table in place. For the others Django makes a table `new__shop_item`, copies the
    rows, drops `shop_item`, and gives the new table its name. All of that is one transaction, unless the migration has
    `atomic = False` and its process was killed. `migrate` then fails with `table "new__shop_item" already exists`.

    If the old table is there, it has all of its rows, and the new one can go. If it is not, the new one has the rows
    and must get the name. Copy the file of the database before.
    """
    state = (
        f"{rebuilt} is still there with its rows, so the new table can go."
        if is_there
        else f"{rebuilt} is gone: its rows are in the new table."
    )
    return Texts(
        f"{table} is left from a migration that stopped while Django was building {rebuilt} anew.",
        f"`migrate` would fail. {state}",
        f"First: copy the file of the database, and run in it: {'; '.join(statements)};\n"
        f"Then: {migsync('repair', alias=alias)}",
    )


@entry("made-by-no-migration", Severity.INFO)
def made_by_no_migration(*, tables: Sequence[str], columns: Sequence[str] = ()) -> Texts:
    """The database has tables or columns that no migration of the project makes.

    The tables are called like those of its apps. They may belong to models with `managed = False`, or be left from a
    migration that is gone. They do no harm unless a migration is to make a table of that name.

    The columns are in tables that migrations make: they were added by hand, or by a migration of another branch. If
    such a column must have a value and has no default, Django cannot insert a row.
    """
    told = [
        count(len(tables), "table") if tables else "",
        count(len(columns), "column") if columns else "",
    ]
    return Texts(f"{' and '.join(filter(None, told))} that no migration made: {text_list([*tables, *columns], NAMED)}.")
