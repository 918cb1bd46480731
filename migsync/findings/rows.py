"""About the rows that migrations leave in an empty database."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.findings.schema import WITHOUT
from migsync.key import Key
from migsync.words import text_list


@entry("data-differs", Severity.ERROR, Severity.WARNING)
def data_differs(
    *,
    table: str,
    old: int,
    new: int,
    old_row: str = "",
    new_row: str = "",
    left_out: Sequence[Key] = (),
    elidable: bool = False,
) -> Texts:
    """The migrations leave different rows in an empty database than before.

    Migrations with RunPython or RunSQL can write rows: groups, permissions, a default site. migsync runs the current
    and the new files on scratch databases and compares all rows by what they say; generated keys, times and UUIDs do
    not count. Here a table differs, so a new database (a test database, a new installation) would start with other
    data. Existing databases are not affected.

    - If you leave out a migration on purpose, or a squash leaves out what a migration marks as elidable, this is only a
      warning. Make sure that nothing needs its rows in a new database.
    - If you do not, keep the migration that writes the rows.
    - If the rows depend on something outside, such as the environment or a file, go on without this proof, with the
      options in the message.
    """
    said = [
        f"{number} only with the {which} files ({row})"
        for which, number, row in (("current", old, old_row), ("new", new, new_row))
        if number
    ]
    return Texts(
        f"The rows of {table} differ: {text_list(said)}.",
        "In an empty database, the new files do not write the same rows as the current ones."
        + (
            f" Left out {'because it is elidable' if elidable else 'as requested'}: {text_list(left_out)}."
            if left_out
            else ""
        ),
        "" if left_out else WITHOUT,
        Severity.WARNING if left_out else Severity.ERROR,
    )


@entry("data-by-chance", Severity.INFO)
def data_by_chance(*, table: str, columns: Sequence[str]) -> Texts:
    """Some columns get another value in each run, even with the same files.

    The current files were run twice, and did not write these columns alike: they hold a token, a salted password, or
    something else that is made by chance. Such values cannot be compared, so migsync compares only whether there is a
    value.

    Nothing is wrong. Look at the columns in the message: if one of them should have a fixed value, its migration is not
    reproducible, with the current files as with the new ones.
    """
    return Texts(
        f"In {table}, two runs of the current files write different values: {text_list(columns)}.",
        "So migsync compared only whether there is a value.",
    )
