"""About what a database user may do, and how a server keeps the tables."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import count, text_list

NAMED = 5


@entry("missing-privileges", Severity.WARNING)
def missing_privileges(*, rights: Sequence[str], grants: str, user: str) -> Texts:
    """The database user lacks privileges on django_migrations.

    `migrate` records each migration that it runs with INSERT, and removes records with DELETE. `migsync apply` needs
    UPDATE and DELETE. For a user that only reads, such as one for reports, there is nothing to do.

    Otherwise have an administrator run the GRANT in the message, or use another user in the settings.
    """
    return Texts(
        f"The user {user} lacks {text_list(rights)} on django_migrations.",
        "`migrate` fails when it records a migration, and so does `migsync apply`."
        if {"INSERT", "USAGE of its sequence"} & set(rights)
        else "`migsync apply` fails.",
        f"If this user is to run them, have an administrator run:\n{grants}",
    )


@entry("no-journal-tables", Severity.INFO)
def no_journal_tables(*, grants: str, user: str, outdated: bool = False, alias: str = "") -> Texts:
    """The database user may not create the tables of the journal, and they are not there, or not all of them.

    The first `migsync apply` that changes something creates them. Without them an undo is not possible, and the
    position of a database is decided by its records alone. `migrate` is not affected.

    Have an administrator run the GRANT in the message, or the SQL that `migsync script --journal-tables` writes.
    """
    return Texts(
        f"The user {user} may not create the tables of the journal"
        + (", and those of this version are not all there." if outdated else "."),
        "The older journal is used." if outdated else "`migsync apply` needs them, or `--no-journal`.",
        f"Have an administrator run: {grants}\n"
        f"Or have them created by the SQL that this writes: "
        f"{migsync('script', '--journal-tables', '--out', 'sql', alias=alias)}",
    )


@entry("journal-outdated", Severity.INFO)
def journal_outdated(*, version: str, newest: str, alias: str = "") -> Texts:
    """The journal in this database was created by an older version of migsync.

    It can be read. The next `migsync apply` that changes something adds what is new; `migsync init` does it at once.
    """
    return Texts(
        f"The journal has version {version}; this version of migsync has {newest}.",
        "It is read as it is. The next `migsync apply` that changes something updates it.",
        f"To update it now: {migsync('init', alias=alias)}",
    )


@entry("no-transactions", Severity.WARNING, Severity.INFO)
def no_transactions(*, tables: Sequence[str], storage: str, records: bool) -> Texts:
    """Tables use a storage engine without transactions, such as MyISAM.

    If django_migrations does, migsync changes no records: a failure in the middle could not be rolled back. Foreign
    keys to such a table, or in it, are ignored or refused (`errno: 150`), so migrations that add one can fail.

    Convert the tables to InnoDB. Each table is locked and copied meanwhile.
    """
    one = len(tables) == 1
    return Texts(
        f"{count(len(tables), 'table')} {'uses' if one else 'use'} the storage engine {storage}, which has no "
        f"transactions: {text_list(tables, NAMED)}.",
        "`migsync apply` refuses to change records here."
        if records
        else "A foreign key between such a table and others is refused or ignored.",
        f"Convert {'it' if one else 'each of them'}: ALTER TABLE {tables[0]} ENGINE=InnoDB;",
        Severity.WARNING if records else Severity.INFO,
    )
