"""About new names of migration files: who has the name already."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("name-in-replaces", Severity.ERROR)
def name_in_replaces(*, migration: Key, new: str, squash: Key, file: str) -> Texts:
    """A migration would get a name that a squash lists in its `replaces`.

    Django would take the file for one that the squash replaces, and might never run it.
    """
    return Texts(
        f"{migration} would become {new}, and {squash} has that name in its `replaces`.",
        "Django would take the file for one that the squash replaces.",
        f"Take `replaces` out of {squash} once every database is past it, or give {migration} another name after its "
        "number.",
    )


@entry("name-in-record", Severity.ERROR)
def name_in_record(*, migration: Key, new: str, aliases: Sequence[str], file: str) -> Texts:
    """A migration would get a name that a database has on record without a file.

    Django takes a record for proof that a migration ran. It would never run the file in that database.
    """
    return Texts(
        f"{', '.join(aliases)}: {migration} would become {new}, and a record of that name is there that no file "
        "explains.",
        "Django would believe that the migration ran there.",
        f"See what the record is, with migsync plan; then take it away (plan --prune), or rename {migration} first.",
    )


@entry("name-taken", Severity.ERROR)
def name_taken(*, migration: Key, new: str, other: Key, file: str) -> Texts:
    """Two migrations would get the same name.

    Each migration of an app needs a name of its own: Django knows it by that name alone.
    """
    return Texts(
        f"{migration} would become {new}, and so would {other}.",
        "Two files cannot bear one name.",
        f"Give {migration} another name after its number.",
    )
