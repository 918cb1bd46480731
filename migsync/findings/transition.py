"""About the proof of the transition: what becomes of databases that are behind."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import truncated

NAMED = 5


def database_with(last: Key | None) -> str:
    """Which database it is, by the migration that it ran last; None for a fresh one."""
    return f"a database whose last applied migration is {last}" if last else "a fresh database"


@entry("transition-differs", Severity.ERROR)
def transition_differs(*, migration: Key | None, differences: Sequence[str]) -> Texts:
    """A database that is behind would end with a different schema than with the current files.

    Not every database is up to date when you deploy. For each migration that a database can have applied last, migsync
    plays through on scratch databases what `migsync apply` and `migrate` would do there, and compares the schema with
    that of the current files. For the database that the message names they differ: a change would be skipped there, or
    made twice. The command is refused, and nothing has been changed.

    Usually a change has moved from one file into another that counts as applied in such a database.

    - Leave that migration out of the command, or put the change where it was.
    - If you know that no database is that far behind, go on without this proof, with `--no-prove-transition`.
    """
    said = "\n".join(truncated(differences, NAMED, "and {} more differences"))
    return Texts(
        f"After `migsync apply` and `migrate`, {database_with(migration)} would have another schema:\n{said}",
        "A change would be skipped there, or made twice.",
    )


@entry("squash-differs", Severity.WARNING)
def squash_differs(*, squash: Key, migration: Key | None, differences: Sequence[str]) -> Texts:
    """A squash in the current files does not build the same schema as the migrations that it replaces.

    If all that a squash replaces is applied in a database, Django counts the squash as applied, and goes on from there,
    with the current files and with the new ones. So the difference was there before this command, which makes it
    neither better nor worse and is not refused.

    A later migration that changes or removes this part can fail in one of two databases: one that the squash has built,
    or one in which the replaced migrations ran. Add what is missing to the squash, or a migration that makes both the
    same. If every database is past the migration that removes the part, nothing is left to do.
    """
    said = "\n".join(truncated(differences, NAMED, "and {} more differences"))
    return Texts(
        f"{squash} does not build the schema that the migrations build that it replaces:\n{said}",
        f"Django counts it as applied in {database_with(migration)}, with the current and with the new files. This "
        "command does not change that.",
    )


@entry("transition-record-lost", Severity.ERROR)
def transition_record_lost(*, migration: Key | None, earlier: Key | None, lost: Key) -> Texts:
    """After `migsync apply`, a database that has applied more migrations would lack a record that one with fewer has.

    migsync works out which records each database that can exist has after `migsync apply`. A database that has applied
    more must have every record that one further behind has. Here it would not have them all, so the records of one of
    the two would be misread. `migrate` would run something twice there, or not at all. The command is refused, and
    nothing has been changed.

    Usually an older migration had one of the new names, or two rewrites give the same name. Choose another name, or
    leave the migration out, and run the command again. If neither is the case, please report it.
    """
    return Texts(
        f"{lost} would be recorded in {database_with(earlier)}, but not in {database_with(migration)}.",
        "The second database is further along, so it must have every record of the first.",
    )


@entry("transition-ambiguous", Severity.ERROR)
def transition_ambiguous(*, migration: Key | None) -> Texts:
    """The result of `migsync apply` depends on whether Django has recorded a squash yet.

    At the end of `migrate`, Django records a squash if everything that it replaces has run. If `migrate` was stopped
    before that, the database has the same schema and one record less. Both databases must end with the same records,
    and here they would not. The command is refused, and nothing has been changed.

    Finish the squash first. Run `python manage.py migrate` on every database, then `migsync tidy`, and then the command
    again.
    """
    return Texts(
        f"The result for {database_with(migration)} depends on whether Django has recorded a squash there yet.",
        "Django records a squash at the end of `migrate`. With and without that record, the result must be the same.",
    )


@entry("transition-refused", Severity.ERROR)
def transition_refused(*, fresh: bool, reason: str, consequence: str, app: str, name: str) -> Texts:
    """After the change, `migsync apply` would refuse a database that is up to date or fresh.

    For each database that can exist when you deploy, migsync makes the plan that `migsync apply` would make. If a
    database is behind, the plan may be refused with the advice to migrate it first. But a database that is up to date,
    or a fresh one, must not be refused, or you could not deploy at all. So the command is refused, and nothing has been
    changed.

    The message says why the plan would be refused. Fix that, or leave the migration that it names out of the command.
    """
    which = "a fresh database" if fresh else "a database that is up to date"
    return Texts(f"`migsync apply` would refuse {which}: {reason}", consequence)
