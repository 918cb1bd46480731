"""About what ran: the operations that ran under a name, and those in the file of that name today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

SHOWN = 5


@entry("ran-elsewhere", Severity.ERROR)
def ran_elsewhere(*, app: str, moved: Mapping[str, str], taken: Sequence[str]) -> Texts:
    """What ran under a recorded name is in a file of another name today.

    When `migrate` ran these migrations, migsync's guard noted the operations in their files. Since then, files were
    renamed, or names exchanged, in such a way that every name still exists. So the names look right, but stand for
    other operations: `migrate` would run operations a second time, and others never.

    Give each file that took over the name of one that ran a name that was not used before, and change what depends on
    it. Then no file explains the record, and migsync plans its new name: the noted operations prove it.
    """
    pairs = [f"{old} is {new} now" for old, new in moved.items()]
    return Texts(
        f"{app}: {count(len(moved), 'record')} {'bears' if len(moved) == 1 else 'bear'} the name of another migration "
        f"today: {text_list(pairs, SHOWN)}.",
        "The operations that ran under the recorded name are in the file of the other name. "
        "With these names, `migrate` would run operations a second time, or never.",
        f"Give {text_list(taken or list(moved))} a name that was not used before. "
        "Then migsync can plan the new names of the records.",
    )


@entry("runs-twice", Severity.ERROR, Severity.WARNING)
def runs_twice(*, migration: Key, operations: Sequence[str], file: str, only_code: bool = False) -> Texts:
    """A migration that is not recorded contains operations that ran already, as a part of another migration.

    When `migrate` ran a migration, migsync's guard noted the operations in its file. Some of these are not in that file
    any more, but in the file of a migration that has not run. `migrate` would run them a second time, and usually fail:
    the table or the column exists already. RunPython and RunSQL may be written to be run again, so that they alone are
    only a warning.

    Move these operations back to the file of the migration under which they ran. If this migration is left without
    operations, delete it, or keep it empty.
    """
    one = len(operations) == 1
    return Texts(
        f"{migration} is not recorded, but {count(len(operations), 'operation')} in it ran already: "
        f"{text_list(operations, SHOWN)}.",
        f"{'It' if one else 'They'} ran as a part of another migration, whose file does not contain "
        f"{'it' if one else 'them'} any more. `migrate` would run {'it' if one else 'them'} a second time.",
        f"Move {'it' if one else 'them'} back to the file of the migration under which {'it' if one else 'they'} ran.",
        Severity.WARNING if only_code else None,
    )


@entry("never-ran", Severity.WARNING)
def never_ran(*, migration: Key, parts: Sequence[str], file: str) -> Texts:
    """The file of a migration that has run contains operations that did not run in this database.

    When `migrate` ran this migration, migsync's guard noted the operations in its file. Since then, operations were
    added to the file, or changed, and what they make was not made under any other name either. Django compares names
    only, so they never will run in this database. New databases get them.

    The message names the tables (`item`), the fields (`item.price`), and the indexes, constraints and options that
    differ, and code (RunPython, RunSQL) that did not run.

    - If the database needs them, put them into a new migration.
    - If somebody made the change in this database by hand, there is nothing to do.
    """
    return Texts(
        f"{migration} ran, but with other operations than its file contains today. "
        f"This database does not have: {text_list(parts, SHOWN)}.",
        "`migrate` will not run the file again, so this database will not get the change.",
        "If the database needs it, put it into a new migration.",
    )
