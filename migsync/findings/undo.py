"""About a run that is to be undone."""

from __future__ import annotations

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key

CHANGED = "The row has changed since the run, so the run cannot be taken back exactly."


@entry("already-undone", Severity.ERROR)
def already_undone(*, run: int, by: int, at: str, author: str) -> Texts:
    """The run was undone already.

    An undo is a run itself. A later one has taken this run back, so there is nothing left to undo. Undo the undo to
    make the changes again.
    """
    return Texts(
        f"Run {run} was undone already, by run {by} ({at}, {author}).",
        "There is nothing left to take back.",
        f"To make its changes again, undo that: migsync undo {by}",
    )


@entry("row-gone", Severity.ERROR)
def row_gone(*, migration: Key) -> Texts:
    """A row that the run inserted is gone.

    Somebody has removed it since, or Django has unapplied the migration. The run cannot be taken back exactly any more.
    Leave the run as it is, or bring the row back.
    """
    return Texts(f"{migration}, which the run inserted, is gone.", CHANGED, _next(None))


@entry("changed-since", Severity.ERROR)
def changed_since(
    *,
    migration: Key,
    row: int | None,
    applied: str | None,
    now: Key | None,
    now_applied: str | None = None,
    by: int | None = None,
    same: bool = False,
) -> Texts:
    """A row that the run changed has changed since.

    Undo gives every row its exact old state back. This row is not as the run left it, or a later run has changed it
    too, so taking back this run alone would lose the later change.

    If a later run changed it, undo that first. Otherwise bring the row back to what the run left, or leave the run.
    """
    if same:
        found = f"{migration} (row {row}) was changed by run {by} too."
    elif now is None:
        found = f"{migration} (row {row}) is gone."
    elif now == migration:
        found = f"{migration} (row {row}) was applied {applied} and says {now_applied} now."
    else:
        found = f"{migration} (row {row}) is {now} now."
    return Texts(found, CHANGED, _next(by))


def _next(by: int | None) -> str:
    if by is not None:
        return f"Run {by} changed it. Undo that first: migsync undo {by}"
    return "Bring the row back to what the run left, or leave the run as it is."


@entry("out-of-order", Severity.ERROR)
def out_of_order(*, run: int, by: int, rewrite: str, command: str, below: str, below_command: str) -> Texts:
    """A later rewrite builds on the one that this run applied.

    The names of an app follow from each other. With this run undone and the later one in force, the records would have
    names that no release ever had, and nobody could tell where the database stands.

    Undo the later run first.
    """
    return Texts(
        f"The rewrite {rewrite} ({command}) builds on {below} ({below_command}), so this database cannot have been "
        "through the first without the second.",
        f"The undo of run {run} alone would leave it so, and the names would be those of no release.",
        f"Undo run {by} first, then run {run}: migsync undo {by}",
    )


@entry("recorded-again", Severity.ERROR)
def recorded_again(
    *, migration: Key, row: int | None, applied: str | None, other_row: int | None, other_applied: str | None
) -> Texts:
    """The undo would bring back a name that was recorded again since.

    Two rows would then have the same name, and Django could not tell one migration from the other.

    Leave the run as it is, or have Django unapply the newer one first.
    """
    returning = f"row {row}, applied {applied}," if row is not None else f"a row applied {applied}"
    return Texts(
        f"{migration} was recorded again since the run (row {other_row}, applied {other_applied}). "
        f"The undo would bring {returning} back under the same name.",
        "Two rows would have this name, and Django could not tell one migration from the other.",
        "Leave the run as it is, or have Django unapply the newer one first: manage.py migrate APP NAME",
    )


@entry("name-means-another", Severity.ERROR)
def name_means_another(*, migration: Key, row: int | None, run: int, forward: bool) -> Texts:
    """A row was recorded since the run, under a name that would mean another migration after the undo.

    The run changed what this name means. After the undo, nobody could tell which of the two migrations the row stands
    for: one of them would never run, or would run twice.

    Leave the run as it is, or unapply the migration first, with the files that recorded it.
    """
    hint = (
        f"Leave run {run} as it is, or unapply {migration} first with the files that recorded it: "
        f"manage.py migrate {migration.app} NAME, where NAME is the migration before it."
    )
    return Texts(
        f"{migration} was recorded since the run (row {row}), and the run changed what this name means.",
        "After the undo, nobody could tell which of the two migrations the row stands for.",
        "To take all rows forward again, this one too: migsync apply" if forward else hint,
    )


@entry("row-stays", Severity.INFO)
def row_stays(*, migration: Key, row: int | None) -> Texts:
    """A row keeps its new name after the undo, because the run did not touch it.

    It was recorded after the run, under a name that came with the run's rewrite. The journal knows that the rewrite was
    taken back, so each row is judged by itself: with the files of today, `migsync apply` brings the other rows forward
    again. With older files, `migsync apply --backwards` gives this row its older name too.
    """
    return Texts(
        f"{migration} (row {row}) keeps its name: the run did not touch it.",
        "With the files of today, migsync apply brings the other rows forward again. "
        "With older files, migsync apply --backwards gives this row its older name too.",
    )


@entry("id-taken", Severity.WARNING)
def id_taken(*, migration: Key, row: int | None, other: Key) -> Texts:
    """A row cannot come back under its old id, because another row has that id now.

    The row comes back with a new id. Its name and its time are the old ones, and Django looks at no more than these.
    """
    return Texts(
        f"The id {row} of {migration} belongs to {other} now.",
        "The row comes back with a new id; its name and its time are the old ones.",
    )
