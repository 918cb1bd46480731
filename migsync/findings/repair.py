"""What ``migsync repair`` finds besides the changes that it makes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from migsync.alias import schema_of
from migsync.findings.commands import migrate, migsync
from migsync.findings.database_objects import sql_of
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5
LONGEST = 120
"""So many characters of a statement are shown where it only has to be recognized."""


def _rest(migration: Key, statements: Sequence[str], *, before: str, custom: bool, alias: str) -> str:
    """How to bring what is missing of a migration into the database."""
    then = f"Then: {migsync('repair', alias=alias)}"
    if not statements:
        return (
            f"Which of its statements are to be run here cannot be told. To see them: {sql_of(migration, alias)}\n"
            f"Run what is missing{_in_member(alias)}.\n{then}"
        )
    code = "It also runs code or SQL of its own. Look at its file for what is missing of that.\n" if custom else ""
    return f"{code}Run{_in_member(alias) or ' in the database'} what is missing:\n{_listed(before, statements)}\n{then}"


def _in_member(alias: str) -> str:
    """Where SQL is to be run, if that is one schema or tenant of many."""
    return f" in {schema_of(alias)}" if schema_of(alias) else ""


def _renamed(others: Sequence[str], alias: str) -> str:
    """What to do where tables may be there under other names."""
    it, they = ("it", "it was") if len(others) == 1 else ("them", "they were")
    return (
        f"If {they} renamed by hand: rename {it} back. If nobody needs {it}: drop {it}.\n"
        f"Then: {migsync('repair', alias=alias)}"
    )


def _are(migrations: Sequence[Key], one: str, several: str) -> str:
    return f"{text_list(migrations, NAMED)} {one if len(migrations) == 1 else several}"


@entry("records-table-missing", Severity.ERROR)
def records_table_missing(*, database: str, tables: Sequence[str], alias: str = "") -> Texts:
    """A database has no `django_migrations`, but tables of the project's apps.

    `migrate` would make the table, and fail at the first table of a model that exists. The table was dropped, or left
    out of a dump, or the tables were copied.

    Let Django make the empty table with the first command of the message. Then `migsync repair` records what is there.
    For a schema or a tenant of an entry that stands for many, Django has no alias: make the table there as it is in the
    others.
    """
    connection = f'connections["{alias}"]' if alias else "connection"
    imported = connection.partition("[")[0]
    code = (
        f"from django.db import {imported}; from django.db.migrations.recorder import MigrationRecorder; "
        f"MigrationRecorder({connection}).ensure_schema()"
    )
    member = schema_of(alias)
    first = (
        f"create django_migrations in {member}, empty, with the columns that it has in the others." if member else ""
    )
    first = first or f"python manage.py shell -c {shlex.quote(code)}"
    return Texts(
        f"{database} has no table django_migrations, but {count(len(tables), 'table')} of the project's apps: "
        f"{text_list(tables, NAMED)}.",
        "`migrate` would fail, because they exist.",
        f"First: {first}\nThen: {migsync('repair', alias=alias)}",
    )


@entry("inferred-records", Severity.ERROR, Severity.INFO)
def inferred_records(
    *, migrations: Sequence[Key], custom: Sequence[Key], accepted: bool = False, alias: str = ""
) -> Texts:
    """Migrations are to be recorded that leave no trace in the tables. What depends on them is in the database.

    They change data only, or only what Django knows of the models. That they ran follows from the order in which
    `migrate` runs migrations, and is not proven: a later migration may have been run by hand.

    With `--accept` they are recorded. The log marks them as inferred.
    """
    hint = (
        ""
        if accepted
        else f"If {'it' if len(migrations) == 1 else 'they'} ran: {migsync('repair', '--accept', alias=alias)}"
    )
    changed = (
        f" {_are(custom, 'changes', 'change')} data or {'runs' if len(custom) == 1 else 'run'} SQL." if custom else ""
    )
    return Texts(
        f"{_are(migrations, 'leaves', 'leave')} no trace in the tables, but migrations that depend on "
        f"{'it' if len(migrations) == 1 else 'them'} are in the database.",
        f"So {'it' if len(migrations) == 1 else 'they'} probably ran.{changed}",
        hint,
        Severity.INFO if accepted else None,
    )


@entry("code-runs-again", Severity.ERROR, Severity.WARNING)
def code_runs_again(
    *, migrations: Sequence[Key], absent: Sequence[Key], accepted: bool = False, alias: str = ""
) -> Texts:
    """The record of a migration that runs code or SQL of its own would be removed, so that `migrate` runs it.

    What it depends on is not in the database, or nothing of its own tables and columns is. But what its code did, no
    catalog shows. If it ran, `migrate` would run it a second time.

    Look at its code. With `--accept` its record is removed together with the others.
    """
    with_others = (
        f" together with {text_list(absent, NAMED)}, which {'is' if len(absent) == 1 else 'are'} not in the database"
        if absent
        else ""
    )
    one = len(migrations) == 1
    return Texts(
        f"{_are(migrations, 'runs', 'run')} code or SQL of {'its' if one else 'their'} own, and "
        f"{'its record' if one else 'their records'} would be removed{with_others}.",
        f"`migrate` would then run {'it' if one else 'them'}. If {'it' if one else 'they'} ran here before, "
        f"{'it does' if one else 'they do'} the same a second time.",
        "" if accepted else f"If that does no harm: {migsync('repair', '--accept', alias=alias)}",
        Severity.WARNING if accepted else None,
    )


@entry("record-not-closed", Severity.ERROR)
def record_not_closed(
    *,
    migration: Key,
    above: Sequence[Key],
    parts: Sequence[str] = (),
    reason: str = "",
    partly: bool = False,
    statements: Sequence[str] = (),
    before: str = "",
    custom: bool = False,
    alias: str = "",
) -> Texts:
    """A migration is in the database, and one that it depends on is not, or not in full.

    A record without the records of what it depends on stops `migrate` (InconsistentMigrationHistory). So `migsync
    repair` records neither, and changes nothing in this database.

    Run the SQL for what is missing, then run `migsync repair` again. If the difference is intended, name the table, the
    column or the index in `pyproject.toml`: `accept = ["shop_item.price"]` under `[tool.migsync.verify]`.
    """
    state = "cannot be verified" if reason else "is there only in part" if partly else "is not there"
    why = reason or text_list(parts, NAMED)
    return Texts(
        f"{_are(above, 'is', 'are')} in the database, but {migration}, on which "
        f"{'it depends' if len(above) == 1 else 'they depend'}, {state}: {why}.",
        "Recorded without it, they would stop `migrate` (InconsistentMigrationHistory). Nothing is changed.",
        "" if reason else _rest(migration, statements, before=before, custom=custom, alias=alias),
    )


@entry("schema-contradicts-run", Severity.ERROR)
def schema_contradicts_run(*, migration: Key, recorded: bool, source: str = "", alias: str = "") -> Texts:
    """What is known of a run contradicts what is in the database.

    `migsync`'s guard noted that `migrate` ran the migration, or somebody stated it, and nothing of it is in the
    database. Or the guard noted that `migrate` unapplied it, and all of it is there. One of the two was changed by
    other means: tables by hand, or a part of the database from a dump.

    `migsync repair` does not decide which of the two is right, and changes nothing in this database. If you know, state
    it with `--record` or `--unrecord`, and `--against-evidence`.
    """
    word = "--unrecord" if recorded else "--record"
    known = "somebody stated that it ran here" if source == "stated" else "the guard saw `migrate` run it here"
    found = (
        f"{migration} is not in the database, but {known}."
        if recorded
        else f"{migration} is in the database, but the guard saw `migrate` unapply it here."
    )
    command = migsync("plan", word, migration, "--against-evidence", alias=alias)
    return Texts(
        found,
        "Tables were changed by hand, or come from another dump than the records. Nothing is changed.",
        f"If the tables are right: {command}",
    )


@entry("record-in-doubt", Severity.WARNING)
def record_in_doubt(
    *,
    migration: Key,
    parts: Sequence[str] = (),
    reason: str = "",
    absent: bool = False,
    others: Sequence[str] = (),
    statements: Sequence[str] = (),
    before: str = "",
    custom: bool = False,
    alias: str = "",
) -> Texts:
    """A migration is recorded, and the database does not have all that it makes. Its record stays.

    Only a part is missing, or migrations that depend on it are there, or it cannot be verified. To remove the record
    would make `migrate` run all of it again.

    Its record also stays if the database has a table that no migration makes, and that may be the one that is missing:
    it has the same columns, or an index, a constraint or a sequence of the migration. Somebody renamed it, and
    `migrate` would fail at the name of the index. Or nothing of an app is there but such tables: the files may have
    been reset while the database was behind.

    Run the SQL for what is missing. If the difference is intended, name the table, the column or the index in
    `pyproject.toml`: `accept = ["shop_item.price"]` under `[tool.migsync.verify]`.
    """
    if reason:
        return Texts(f"{migration} stays recorded: it cannot be verified: {reason}.")
    if others:
        return Texts(
            f"{migration} stays recorded, though {text_list(parts, NAMED)}: no migration makes "
            f"{text_list(others, NAMED)}, which may be what is missing.",
            "Somebody may have renamed a table; or the files were reset while this database was behind. Then take the "
            "files of before, run what is missing, and take the files of today again.",
            _renamed(others, alias),
        )
    why = "migrations that depend on it are in the database" if absent else "the rest of it is in the database"
    return Texts(
        f"{migration} stays recorded, though {text_list(parts, NAMED)}: {why}.",
        "`migrate` does not repair this, and later migrations may fail.",
        _rest(migration, statements, before=before, custom=custom, alias=alias),
    )


@entry("half-applied", Severity.WARNING)
def half_applied(
    *,
    migration: Key,
    there: Sequence[str],
    missing: Sequence[str],
    others: Sequence[str] = (),
    statements: Sequence[str] = (),
    before: str = "",
    undo: Sequence[str] = (),
    last: str = "",
    number: int = 0,
    custom: bool = False,
    alias: str = "",
) -> Texts:
    """A migration is not recorded, and only a part of what it makes is in the database.

    It stopped half-way: MySQL and MariaDB keep what ran before the error. Or something else made the part.

    If a table that no migration makes has the columns of one that is missing, it was probably renamed: rename it back.
    Otherwise, either run the statements that are missing, and then `migsync repair`, which records the migration. Or
    take back what ran, with the other statements, and run `migrate`. They drop tables and columns: look first whether
    the application has written to them.
    """
    stopped = renamed = ""
    if others:
        renamed = f" No migration makes {text_list(others, NAMED)}, which may be a table of it."
    elif statements and last:
        stopped = f" {number - len(statements)} of its {number} statements ran, the last of them: {_shortened(last)}"
    return Texts(
        f"{migration} stays unrecorded: "
        + (
            f"a part of it is in the database: {text_list(there, NAMED)}."
            if there
            else "the database has it otherwise."
        ),
        f"`migrate` would fail. In the database {text_list(missing, NAMED)}.{stopped}{renamed}",
        _renamed(others, alias)
        if others
        else _rest(migration, statements, before=before, custom=custom, alias=alias)
        + _take_back(undo, before=before, custom=custom, alias=alias),
    )


def _take_back(statements: Sequence[str], *, before: str, custom: bool, alias: str) -> str:
    """How to bring the database back to where the migration began; empty where that cannot be told."""
    if not statements:
        return ""
    code = " What its own code or SQL did stays." if custom else ""
    return (
        f"\nOr take back what ran, if nothing was written to it since.{code} Run{_in_member(alias)}:\n"
        f"{_listed(before, statements)}\nThen: {migrate(alias=alias)}"
    )


def _listed(before: str, statements: Sequence[str]) -> str:
    return "\n".join(f"{each.rstrip().rstrip(';')};" for each in (before, *statements) if each)


def _shortened(statement: str) -> str:
    return statement if len(statement) <= LONGEST else f"{statement[:LONGEST]} …"


@entry("no-trace-pending", Severity.WARNING, Severity.INFO)
def no_trace_pending(*, migrations: Sequence[Key], custom: Sequence[Key], alias: str = "") -> Texts:
    """Migrations that leave no trace stay unrecorded, because nothing in the database depends on them.

    Nobody can tell whether they ran. `migrate` runs them. That does no harm where they change only what Django knows of
    the models. If one changes data, check the data first.
    """
    hint = ""
    if custom:
        words = [word for key in custom for word in ("--record", key)]
        hint = (
            f"If {'it' if len(custom) == 1 else 'they'} ran, after the repair: {migsync('apply', *words, alias=alias)}"
        )
    one = len(migrations) == 1
    data = (
        f" {_are(custom, 'changes', 'change')} data or {'runs' if len(custom) == 1 else 'run'} SQL." if custom else ""
    )
    return Texts(
        f"{_are(migrations, 'leaves', 'leave')} no trace in the tables, and nothing that depends on "
        f"{'it' if one else 'them'} is there: {'it stays' if one else 'they stay'} unrecorded.",
        f"`migrate` runs {'it' if one else 'them'}.{data}",
        hint,
        None if custom else Severity.INFO,
    )
