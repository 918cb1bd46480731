"""About squashes: ranges of migrations that are to become one, and squashes that stand on disk."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

SHOWN = 3


NAMED = 3
"""So many databases are named."""


@entry("squash-overlap", Severity.ERROR)
def squash_overlap(*, migration: Key, other: Key, replaced: Key | None = None, file: str) -> Texts:
    """Two squashes replace the same migration.

    Both files list it in `replaces`. Django uses both squashes in place of the old migration and would run both, so
    neither has a place of its own in the order. A record of the old migration does not show which squash it belongs to.

    If one of the squashes was never deployed, delete its file. Otherwise remove the shared names from the `replaces` of
    one of them. Then run the command again.
    """
    hint = "Delete one of the two squashes, or remove the shared names from the `replaces` of one of them."
    if replaced:
        return Texts(
            f"{other} and {migration} both replace {replaced}.",
            "Django would run both squashes, and neither has a place of its own in the order.",
            hint,
        )
    return Texts(
        f"{migration} and {other} replace the same migrations.",
        "A record of these migrations does not show which of the two squashes it belongs to.",
        hint,
    )


@entry("open-range", Severity.ERROR)
def open_range(*, migration: Key, outside: Key, first: Key, file: str) -> Texts:
    """A range to squash contains only one branch of a merge.

    A migration in the range also depends on a migration of the same app that is not in the range, because it does not
    come after the first migration of the range. The squash would depend on that other branch, so everything in the
    range would run after it. The migrations at the start of the range did not need to wait for it until now.

    Start the range before the two branches split, so that it contains both, or after the migration that merges them.
    If the other migration comes before the range anyway, the dependency on it is redundant: start the range there, or
    remove the dependency from the file.
    """
    return Texts(
        f"{migration} also depends on {outside}, which does not come after {first}.",
        "The range would contain only one branch of a merge.",
        f"Start the range before the branches split, or after {migration}.",
    )


@entry("unfinished-squash", Severity.ERROR)
def unfinished_squash(*, migration: Key, replaced: Key | None = None, first: Key, last: Key, file: str) -> Texts:
    """A range to squash contains an unfinished squash, or a migration that such a squash replaces.

    A squash is unfinished as long as its file has `replaces`. Some databases may have recorded the squash, and others
    the migrations that it replaces. Squashed again, the records of these databases would no longer fit together.

    Finish the first squash with `migsync tidy APP --remove-replaced`. It checks that every database is past the squash,
    then removes the old files and `replaces`, and updates the records. After that, squash the range.
    """
    what = f"still replaces {replaced}" if replaced else "still has `replaces`"
    return Texts(
        f"{migration} {what}, and the range is {first.name} to {last.name}.",
        "The squash is unfinished: some databases may have recorded it, and others the migrations that it replaces.",
        f"Finish it first: migsync tidy {migration.app} --remove-replaced",
    )


@entry("squash-name-taken", Severity.ERROR)
def squash_name_taken(*, migration: Key, on_disk: bool, file: str) -> Texts:
    """The name that you gave the squash is already in use.

    A migration file has the name, or had it at some time: it appears in a `replaces` list, in a rewrite, or in the
    records of a database. Django knows a migration by its name alone. A record of the name would not show which of the
    two migrations was applied, and the squash would never run in a database that has the record.

    Choose another name with `--squashed-name`. Without the option, migsync makes a name that is not in use.
    """
    where = "by a migration file" if on_disk else "in a rewrite, in a `replaces` list, or in the records of a database"
    return Texts(
        f"The name {migration} is already in use {where}.",
        "A record of that name would not show which of the two migrations was applied.",
        "Choose another name with --squashed-name NAME, or leave the option out.",
    )


@entry("nothing-to-squash", Severity.ERROR)
def nothing_to_squash(*, migration: Key, last: str) -> Texts:
    """No part of the range has two migrations that could become one.

    With `--split`, a range is split wherever a single migration would depend on itself, fail, or do something different
    to the rows of a database. This range has to be split between any two of its migrations.

    There is nothing to do for this range. `migsync squash --suggest` lists the ranges that are safe to squash.
    """
    return Texts(
        f"Each part of {migration} to {last} would be a single migration.",
        "The range has to be split between any two of its migrations.",
        "To list the ranges that are safe to squash: migsync squash --suggest",
    )


@entry("cycle-foreseen", Severity.ERROR)
def cycle_foreseen(
    *, migration: Key, squash: Key, begin: Key, outside: Sequence[Key], parts: Sequence[tuple[str, str]], file: str
) -> Texts:
    """A single migration for the range would depend on itself.

    A migration outside the range depends on one in the range, and a later one in the range depends on it in turn. So it
    runs in the middle of the range. A squash would have to run both before and after it, and Django refuses to load
    such a history (CircularDependencyError).

    Squash the range in parts. `--split` finds the fewest parts that work. Each part of two or more migrations becomes a
    squash of its own; a part of one migration stays as it is.
    """
    return Texts(
        f"{squash} would depend on itself, through {text_list(outside, SHOWN)}.",
        f"{outside[0]} depends on {begin}, and {migration} depends on {outside[-1]}.\n"
        "Django could not load the migrations (CircularDependencyError).",
        _split(migration.app, parts),
    )


@entry("runs-in-between", Severity.ERROR, Severity.WARNING)
def runs_in_between(
    *,
    migration: Key,
    others: int,
    after: Key,
    last: str,
    data: bool,
    behind: Sequence[str],
    parts: Sequence[tuple[str, str]],
    file: str,
) -> Texts:
    """A migration outside the range can run in the middle of it, and would run after the whole squash.

    It depends on a migration in the range, but not on the last one. With the squash in place it depends on the squash,
    so it runs after everything in the range. It then finds the tables and rows as the last migration of the range
    leaves them. Columns that it uses may have been renamed or removed.

    It is an error if the migration may change data, or if a database with rows has not run it yet. Otherwise it is a
    warning, and migsync tries on empty tables whether the migration still runs. If it does, and every database has
    applied it, it is safe to go on.

    To keep the order, squash the range in the parts that the message lists.
    """
    why = [f"It would find the tables and rows as {last} leaves them."]
    why += ["It may change data."] if data else []
    why += [f"{text_list(behind, NAMED)} {'has' if len(behind) == 1 else 'have'} not run it yet."] if behind else []
    more = f" (and {others} more)" if others else ""
    must = bool(data or behind)
    return Texts(
        f"{migration}{more} can run before {last}, as soon as {after} has run. With the squash, it runs after {last}.",
        "\n".join(why),
        _split(after.app, parts, must=must),
        Severity.ERROR if must else Severity.WARNING,
    )


@entry("data-before-schema", Severity.ERROR, Severity.WARNING)
def data_before_schema(
    *, migration: Key, following: str, must: bool, parts: Sequence[tuple[str, str]], file: str
) -> Texts:
    """A schema change would run after a change of data in the same transaction.

    The range has a data migration that is not its last migration. Until now each migration ran in its own transaction;
    the squash runs in one. PostgreSQL refuses to alter a table if the same transaction has changed rows of it and
    checks of a foreign key are still deferred ("cannot ALTER TABLE because it has pending trigger events").

    It is an error if the project uses PostgreSQL, otherwise a warning. migsync cannot try it, because it builds the
    history on empty tables. Squash the range in the parts that the message lists. It is safe to go on if the squash
    never runs on PostgreSQL in a database that has rows.
    """
    return Texts(
        f"{migration} may change data, and {following} would run after it in the same transaction.",
        "PostgreSQL does not alter a table in a transaction that has changed its rows (pending trigger events).",
        _split(migration.app, parts, must=must),
        Severity.ERROR if must else Severity.WARNING,
    )


def _split(app: str, parts: Sequence[tuple[str, str]], *, must: bool = True) -> str:
    """What to type instead; each part is its first and its last migration as they are typed."""
    if all(first == last for first, last in parts):
        return "Do not squash these migrations: each part would be a single migration."
    commands = [
        f"{first} stays as it is." if first == last else f"migsync squash {app} {first} {last}" for first, last in parts
    ]
    if not must:
        return "\n".join(["If that matters, squash the range in parts:", *commands])
    at_once = f"migsync squash {app} {parts[0][0]} {parts[-1][1]} --split"
    return "\n".join([f"Squash the range in parts: {at_once}", "The same, one part at a time:", *commands])


@entry("not-atomic", Severity.WARNING)
def not_atomic(*, migration: Key, without: Key) -> Texts:
    """The squash will not run in a transaction, because one migration of the range does not.

    One migration of the range has `atomic = False`, for example because it creates an index concurrently. The squash
    must have it too. The operations of the other migrations then no longer run in a transaction: if one of them fails,
    the operations before it stay applied.

    If a failed `migrate` must not leave a part of the squash behind, leave the migration with `atomic = False` out of
    the range. If every database has applied the range, only new databases are affected, and it is safe to go on.
    """
    return Texts(
        f"{migration} will have atomic = False, because {without} has it.",
        "The operations of the other migrations will not run in a transaction: if one fails, those before it stay.",
        f"If that matters, leave {without} out of the range.",
    )


@entry("not-optimized", Severity.WARNING)
def not_optimized(*, migration: Key, reason: str) -> Texts:
    """A squash keeps every operation as it is, because the proof refuses what Django's optimizer makes of them.

    Django's optimizer merges operations: a field that is added and then altered becomes one operation. In rare cases
    the result leads to other models or another schema. For example, it moves a foreign key in front of the operation
    that renames the model which the key points to. migsync proves every squash, so it noticed, and made the squash
    again without the optimizer.

    Nothing is wrong, and it is safe to go on. The squash is one file, and takes as long to run as the old files did.
    """
    return Texts(
        f"{migration} keeps every operation as it is.",
        f"With the operations as Django's optimizer merges them, the proof refuses it: {reason}",
    )


@entry("range-left", Severity.WARNING)
def range_left(
    *, app: str, name: str, first: Key, last: Key, reason: str, advice: str, file: str = "", line: int = 0
) -> Texts:
    """`squash --all-safe` skipped a range, because it cannot be written as one file, or the proof refuses that file.

    `migsync squash --all-safe` takes every range that the dependencies allow. One file for this range would lose
    something that one of the old files has, or would not do the same; the message says what. The other ranges are
    squashed.

    Nothing is wrong, and it is safe to go on. To squash a part of the range, give its first and last migration.
    """
    return Texts(reason, f"{first} to {last.name} are not squashed.", advice)
