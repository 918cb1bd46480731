"""About new names of migration files: who has the name already."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migsync, prune
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

NAMED = 3
"""So many databases are named."""


@entry("name-in-replaces", Severity.ERROR)
def name_in_replaces(*, migration: Key, new: str, squash: Key, file: str) -> Texts:
    """A migration would get a name that a squash lists in its `replaces`.

    Django would take the file for the old migration that the squash replaces, and might never run it.

    - If every database is past the squash, finish it with `migsync tidy`. Then the name is free.
    - Or give the migration another name after its number, by hand, and run the command again.
    """
    return Texts(
        f"{migration} would become {new}, but {squash} has that name in its `replaces`.",
        "Django would take the file for a migration that the squash replaces.",
        f"If every database is past the squash, finish it: {migsync('tidy', squash.app, '--remove-replaced')}\n"
        f"Or give {migration} another name after its number.",
    )


@entry("name-in-record", Severity.ERROR)
def name_in_record(*, migration: Key, new: str, aliases: Sequence[str], file: str) -> Texts:
    """A migration would get a name that is recorded in a database, but has no file.

    Django would take the record for a record of this file. It would never run the file in that database.

    Find out with `migsync plan` what the record is.

    - If it is a leftover, remove it with `--prune`.
    - If you are not sure, give the migration another name after its number, by hand, and run the command again.
    """
    alias = aliases[0] if len(aliases) == 1 else ""
    return Texts(
        f"{text_list(aliases, NAMED)}: {migration} would become {new}, but there is a record of that name that no file "
        "explains.",
        "Django would believe that the migration ran there.",
        f"To find out what the record is: {migsync('plan', alias=alias)}\n"
        f"If it is a leftover, remove it: {prune(migration._replace(name=new), alias=alias)}\n"
        f"Or give {migration} another name after its number.",
    )


@entry("name-taken", Severity.ERROR)
def name_taken(*, migration: Key, new: str, other: Key, file: str) -> Texts:
    """Two migrations would get the same name.

    The command changes only the numbers, and both migrations have the same name after the number. Django identifies a
    migration by its app and its name, so each needs a name of its own.

    Give one of them another name after its number, by hand, and run the command again.
    """
    return Texts(
        f"{migration} would become {new}, and so would {other}.",
        "Two files cannot have the same name.",
        f"Give {migration} another name after its number.",
    )
