"""About squashes: ranges of migrations that are to become one, and squashes that stand on disk."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("squash-overlap", Severity.ERROR)
def squash_overlap(*, migration: Key, other: Key, replaced: Key | None = None, file: str) -> Texts:
    """Two squashes replace the same migration.

    Both files list it in `replaces`. Django puts each of the two in its place and would run both, so that neither has a
    place of its own in the order, and no record says which of them stands for the old migration.

    Delete one of the squashes if nothing has been deployed with it, or remove what they share from the `replaces` of
    one of them, and run the command again.
    """
    hint = "Take one of the squashes away, or take what they share out of its `replaces`."
    if replaced:
        return Texts(
            f"{other} and {migration} both replace {replaced}.",
            "Django would run both, and neither has a place of its own in the order.",
            hint,
        )
    return Texts(
        f"{migration} and {other} replace the same migrations.", "Which of the two stands for them is not known.", hint
    )


@entry("open-range", Severity.ERROR)
def open_range(*, migration: Key, outside: Key, first: Key, file: str) -> Texts:
    """A range to squash holds one side of a merge only.

    A migration in the range depends on another one of the same app that does not come after the first of the range. One
    migration for the range would have to run before and after it: the range is not one piece of the history.

    Begin the range where both sides begin, so that it holds both, or begin it after the migration that merges them.
    """
    return Texts(
        f"{migration} depends on {outside} too, which does not come after {first}.",
        "The range would hold one side of a merge, and leave the other out.",
        f"Begin where both sides do, before {first.name}, or after {migration.name}.",
    )


@entry("unfinished-squash", Severity.ERROR)
def unfinished_squash(*, migration: Key, replaced: Key | None = None, first: Key, last: Key, file: str) -> Texts:
    """A range to squash holds a squash that is not finished, or what such a squash replaces.

    A squash is not finished as long as its file has `replaces`. Some databases may have recorded the squash, and others
    the migrations that it replaces. A second squash of the same migrations would have to know which.

    Finish the first squash with `migsync tidy`. It checks that every database is past it, removes `replaces`, and
    updates the records. Then squash the range.
    """
    what = f"{migration} still replaces {replaced}" if replaced else f"{migration} still has `replaces`"
    return Texts(
        f"{what}, within {first.name} to {last.name}.",
        "Its transition is open: some database may know the one name, and some the others.",
        f"Finish it first: migsync tidy {migration.app}",
    )


@entry("squash-name-taken", Severity.ERROR)
def squash_name_taken(*, migration: Key, on_disk: bool, file: str) -> Texts:
    """The name that was asked for the squash is in use.

    A file has the name, or had it: it stands in a `replaces`, in a rewrite, or in the records of a database. Django
    knows a migration by its name alone. A record of the name would not say which of the two was applied, and the squash
    might never run in a database that has the record.

    Choose another name with `--squashed-name`, or leave the option out: a name that migsync makes is always free.
    """
    where = "on disk" if on_disk else "in a rewrite, in a `replaces`, or in a database"
    return Texts(
        f"The name {migration} is in use already: {where}.",
        "A record of that name would not say which of the two was applied.",
        "Choose another: --squashed-name NAME",
    )


@entry("nothing-to-squash", Severity.ERROR)
def nothing_to_squash(*, migration: Key, last: str) -> Texts:
    """No part of the range has two migrations that could become one.

    With `--split`, a range is split wherever one migration in its place would close a circle of dependencies, or do
    something else to the rows of a database. Here it has to be split between any two of its migrations.

    There is nothing to do for this range. `migsync squash --suggest` lists the ranges that are safe to squash.
    """
    return Texts(
        f"Split where it must be, every part of {migration} to {last} is one migration.",
        "Between any two of them another app's must run.",
        "Which ranges are safe to squash: migsync squash --suggest",
    )


@entry("cycle-foreseen", Severity.ERROR)
def cycle_foreseen(
    *, migration: Key, squash: Key, begin: Key, outside: Sequence[Key], parts: Sequence[tuple[str, str]], file: str
) -> Texts:
    """One migration for the range would depend on itself.

    A migration outside the range depends on one within, and a later one of the range depends on it in turn. It runs in
    the middle of the range. A single migration would have to run both before and after it, and Django refuses to load
    such a history (CircularDependencyError).

    Split the range so that no part holds both ends. `--split` finds the fewest parts. Each part of two or more
    migrations becomes a squash of its own; a part of one migration stays as it is.
    """
    around = " -> ".join(map(str, (squash, *outside, squash)))
    return Texts(
        f"{squash} would depend on itself: {around}. For {outside[0]} depends on {begin}, and {migration} on "
        f"{outside[-1]}.",
        "Django could not load the migrations: CircularDependencyError.",
        f"Split the range before {' and '.join(first for first, _ in parts[1:])}. --split does that:\n"
        + _commands(migration.app, parts),
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
    """A migration outside the range runs in the middle of it, and would run after the squash.

    It depends on a migration of the range, and not on the last one. With one migration for the range, it depends on
    the squash, and so runs after all of it. It then finds the tables and the rows as the last migration leaves them,
    with columns renamed or removed that it may use.

    It is an error if the migration may change data, or if a database that holds rows has still to run it. Otherwise it
    is a warning: the proof on empty tables shows whether the migration runs. If it does, and every database has
    applied it, it is safe to go on.

    Squash the range in the parts that the message lists, or with `--split`.
    """
    why = [f"It would find tables and rows as {last} leaves them"]
    why += ["it may change data"] if data else []
    why += [f"{' and '.join(behind)} {'has' if len(behind) == 1 else 'have'} still to run it"] if behind else []
    more = f" (and {others} more)" if others else ""
    must = bool(data or behind)
    hint = "Squash in parts; --split makes the same:" if must else "Where that matters, squash in parts:"
    return Texts(
        f"{migration}{more} comes after {after}, and not after {last}: with the squash it would.",
        f"{'; '.join(why)}.",
        _split(hint, after.app, parts),
        Severity.ERROR if must else Severity.WARNING,
    )


@entry("data-before-schema", Severity.ERROR, Severity.WARNING)
def data_before_schema(
    *, migration: Key, following: str, must: bool, parts: Sequence[tuple[str, str]], file: str
) -> Texts:
    """A schema change would follow a change of data in one transaction.

    The range has a data migration that is not its last. Until now each migration had its own transaction; the squash
    has one for all. PostgreSQL refuses to alter a table in the transaction that has changed its rows ("cannot ALTER
    TABLE because it has pending trigger events"), as soon as the table has rows with deferred constraints.

    It is an error if the project uses PostgreSQL, otherwise a warning. A proof does not show it, because it runs on
    empty tables. Squash the range in the parts that the message lists, or with `--split`. It is safe to go on where the
    squash never runs on PostgreSQL with rows.
    """
    hint = "Squash in parts; --split makes the same:" if must else "Where it is to run there, squash in parts:"
    return Texts(
        f"{migration} changes data, or may, and {following} would come after it in the same transaction.",
        "PostgreSQL alters no table in the transaction that has changed its rows (pending trigger events).",
        _split(hint, migration.app, parts),
        Severity.ERROR if must else Severity.WARNING,
    )


def _split(hint: str, app: str, parts: Sequence[tuple[str, str]]) -> str:
    """The hint with the parts to type, where one of them has two migrations."""
    if all(first == last for first, last in parts):
        return "Leave these as they are: each of its parts is one migration."
    return f"{hint}\n{_commands(app, parts)}"


def _commands(app: str, parts: Sequence[tuple[str, str]]) -> str:
    """For each part, its first and its last migration as they are typed, the command that squashes it."""
    return "\n".join(
        f"{first} stays as it is" if first == last else f"migsync squash {app} {first} {last}" for first, last in parts
    )


@entry("not-atomic", Severity.WARNING)
def not_atomic(*, migration: Key, without: Key) -> Texts:
    """A squash of migrations with and without a transaction runs without one.

    One migration of the range has `atomic = False`, for example because it creates an index concurrently. The squash
    has to be the same. Operations of the others, which ran in a transaction, then run outside of one: if an operation
    in the middle fails, what ran before it stays in the database.

    Leave the migration with `atomic = False` out of the range if a failed `migrate` must not leave half of it behind.
    If every database is past the range, only new databases are affected, and it is safe to go on.
    """
    return Texts(
        f"{migration} will have atomic = False, as {without} has.",
        "The others of its operations ran in a transaction; now an error in the middle leaves half of them.",
        "Leave that migration out of the range where it matters.",
    )


@entry("range-left", Severity.WARNING)
def range_left(
    *, app: str, name: str, first: Key, last: Key, reason: str, advice: str, file: str = "", line: int = 0
) -> Texts:
    """A range that is safe to squash was left as it is.

    `migsync squash --all-safe` takes every range that the graph allows. Of this one no single file can be made, for the
    reason that the message names: something in a file of the range would be lost. The other ranges are squashed.

    Nothing is wrong, and it is safe to go on. To squash a part of the range, name the part yourself.
    """
    return Texts(reason, f"{first} to {last.name} stay as they are.", advice)
