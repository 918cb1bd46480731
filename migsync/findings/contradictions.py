"""About contradictions: what ran, against what the guard saw later, what a rewrite says, and what the journal says."""

from __future__ import annotations

from collections.abc import Mapping

from migsync.findings.commands import against_evidence
from migsync.findings.commands import position as at_position
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

SHOWN = 5


@entry("unapplied-record", Severity.ERROR, Severity.WARNING)
def unapplied_record(*, migration: Key, row: int, stated: bool = False, alias: str = "") -> Texts:
    """A record is there although `migrate` unapplied its migration.

    migsync's guard noted that `migrate` unapplied this migration and deleted its record. The same row, with the same id
    and time, is there again: somebody restored `django_migrations` alone, or inserted the row by hand. Both cannot be
    true: either the operations were unapplied, or the record is right.

    - If the operations were unapplied, delete this row of `django_migrations`, so that `migrate` runs them again; or
      restore the whole database.
    - If the tables were restored too, use `--against-evidence`. It is a warning then, and `migsync apply
      --against-evidence` notes it.
    """
    return Texts(
        f"{migration} (row {row}) is recorded, but the guard saw `migrate` unapply it and delete this row.",
        "If its operations were unapplied, `migrate` will not run them again.",
        "Delete this row of django_migrations if its operations were unapplied."
        + ("" if stated else "\n" + against_evidence(alias, "If they were not")),
        Severity.WARNING if stated else None,
    )


@entry("other-content", Severity.ERROR, Severity.WARNING)
def other_content(
    *, migration: Key, new: str, rewrite: str, file: str = "", stated: bool = False, alias: str = ""
) -> Texts:
    """A rewrite renames a record, but what ran under it is not what the rewrite says.

    A rewrite holds a digest of the operations of each migration before the change. migsync's guard noted other
    operations when `migrate` ran this migration in this database, and the file with the new name does not have them
    either. So the record would get the name of something that did not run here. The rewrite was made from other files,
    for example on another branch, or the file was edited after it had run.

    - If what the file with the new name does is in this database, use `--against-evidence`. It is a warning then.
    - Otherwise, find out which migration has what ran: `migsync show APP.NAME` shows what is known.
    """
    return Texts(
        f"{rewrite} renames {migration} to {new}, but here {migration.name} ran with other operations than it says.",
        f"The record would say that {new} has run, and it has not.",
        "" if stated else against_evidence(alias, f"If what {new} does is in this database"),
        Severity.WARNING if stated else None,
    )


@entry("journal-contradicted", Severity.ERROR, Severity.WARNING)
def journal_contradicted(
    *, app: str, moved: Mapping[str, str], rewrite: str, position: str, stated: bool = False, alias: str = ""
) -> Texts:
    """The journal says that a rewrite has been applied to records, but by what ran they still have their old names.

    A rewrite gave the records other names, and a run of migsync wrote that into the journal. migsync's guard had noted
    the operations when `migrate` ran them. Today each of these operations is in the file with the new name, and the
    record has the old one, which means another migration since. Somebody restored `django_migrations` alone, or changed
    the records by hand.

    - If the records are from before the rewrite, state the position with `--position`. migsync then applies the rewrite
      to them again.
    - If the records are right, and it is migsync that is wrong about what ran, use `--against-evidence`. It is a
      warning then.
    """
    pairs = [f"what ran as {old} is in {new} today" for old, new in moved.items()]
    return Texts(
        f"The journal says that {rewrite} was applied to {app}, but the records have names from before: "
        f"{text_list(pairs, SHOWN)}.",
        "With these names, `migrate` would run operations a second time, or never.",
        f"If the records were restored from before the rewrite: {at_position(app, position, alias)}",
        Severity.WARNING if stated else None,
    )
