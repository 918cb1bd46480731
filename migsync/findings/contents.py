"""About what ran: the operations that ran under a name, and those in the file of that name today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migsync.findings.commands import against_evidence, migsync, old_files
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

SHOWN = 5


PRESUMED = "This is presumed: migsync did not watch `migrate`, but these were the files before it and after it."


def _meaning(text: str, *, presumed: bool) -> str:
    return f"{text} {PRESUMED}" if presumed else text


@entry("ran-elsewhere", Severity.ERROR, Severity.WARNING)
def ran_elsewhere(
    *,
    app: str,
    moved: Mapping[str, str],
    taken: Sequence[str],
    presumed: bool = False,
    stated: bool = False,
    alias: str = "",
) -> Texts:
    """What ran under a recorded name is in a file of another name today.

    migsync knows the operations that ran: its guard noted them, or git has the files as they were then. Since then,
    files were renamed, or names exchanged, in such a way that every name still exists. So the names look right, but
    stand for other operations: `migrate` would run operations a second time, and others never.

    Give the files the names back under which they ran, and change what depends on them.

    If a file is to keep its new name, no other file may have the old one. Give a new file that took it over a name that
    was not used before, and let it depend on what ran. Then no file explains the record, and migsync plans its new
    name: the operations that ran prove it.

    If it is migsync that is wrong about what ran, for example because a file was edited, run and only then committed,
    use `--against-evidence`. It is a warning then. It also is where migsync only presumes what ran.
    """
    pairs = [f"what ran as {old} is in {new} today" for old, new in moved.items()]
    return Texts(
        f"The files of {app} were renamed so that {'a record' if len(moved) == 1 else f'{len(moved)} records'} would "
        f"stand for another migration: {text_list(pairs, SHOWN)}.",
        _meaning("With these names, `migrate` would run operations a second time, or never.", presumed=presumed),
        f"Give {text_list(list(moved.values()), SHOWN)} back the name under which it ran: "
        f"{text_list([f'{new} to {old}' for old, new in moved.items()], SHOWN)}."
        + (f" First give {text_list(taken)} of today a name that was not used before." if taken else "")
        + ("" if presumed or stated else "\n" + against_evidence(alias, "If something else ran")),
        Severity.WARNING if presumed or stated else None,
    )


@entry("runs-twice", Severity.ERROR, Severity.WARNING)
def runs_twice(
    *,
    migration: Key,
    operations: Sequence[str],
    file: str,
    only_code: bool = False,
    presumed: bool = False,
    stated: bool = False,
    alias: str = "",
) -> Texts:
    """A migration that is not recorded contains operations that ran already, as a part of another migration.

    migsync knows the operations that ran: its guard noted them, or git has the file as it was then. Some of these are
    not in that file any more, but in the file of a migration that has not run. `migrate` would run them a second time,
    and usually fail: the table or the column exists already. RunPython and RunSQL may be written to be run again, so
    that they alone are only a warning.

    Move these operations back to the file of the migration under which they ran. If this migration is left without
    operations, delete it, or keep it empty.

    If somebody unapplied them by hand, use `--against-evidence`. It is a warning then. It also is where
    migsync only presumes what ran.
    """
    one, mild = len(operations) == 1, only_code or presumed or stated
    return Texts(
        f"{migration} is not recorded, but {count(len(operations), 'operation')} in it ran already: "
        f"{text_list(operations, SHOWN)}.",
        _meaning(
            f"{'It' if one else 'They'} ran as a part of another migration, whose file does not contain "
            f"{'it' if one else 'them'} any more. `migrate` would run {'it' if one else 'them'} a second time.",
            presumed=presumed,
        ),
        f"Move {'it' if one else 'them'} back to the file of the migration under which {'it' if one else 'they'} ran."
        + ("" if mild else "\n" + against_evidence(alias, f"If somebody unapplied {'it' if one else 'them'} by hand")),
        Severity.WARNING if mild else None,
    )


@entry("never-ran", Severity.ERROR, Severity.WARNING)
def never_ran(
    *,
    migration: Key,
    parts: Sequence[str],
    changed: Sequence[str],
    file: str,
    stops: Key | None = None,
    needed: bool = False,
    presumed: bool = False,
    stated: bool = False,
    commit: str = "",
    last: str = "",
    alias: str = "",
) -> Texts:
    """The file of a migration that has run contains operations that did not run in this database.

    migsync knows the operations that ran: its guard noted them, or git has the file as it was then. Since then,
    operations were added to the file, or changed, and what they make was not made under any other name either. Django
    compares names only, so the file never will run again in this database. New databases get what it says today.

    The message names the tables (`item`), the fields (`item.price`), the indexes, constraints and options that are
    missing in this database or are different there, and code (RunPython, RunSQL) that did not run.

    It is an error where the code of today fails without it, also after all that is still to run: a table or a column
    that is missing, or a column that does not take NULL; and where a migration that is still to run changes what is
    missing, so that `migrate` would fail. It is a warning for indexes, constraints, options, code and other differences
    of a column, and where migsync only presumes what ran.

    - If the database needs the change, take it out of this file again, and put it into a new migration.
    - If several files were united into this one, or all were made anew, and this database had not run all of the old
      ones: the message names the commit in which git has them. Run them from there. Then this database has what the
      new file makes, and migsync plans its name.
    - If somebody made the change in this database by hand, or migsync is wrong about what ran, use
      `--against-evidence`: the error is a warning then. `migsync apply --against-evidence` also notes it in the
      database, where it has migsync's tables, so that it is not reported again.
    """
    found = f"{migration} ran, but with other operations than its file contains today."
    return Texts(
        " ".join((found, *_lacking(parts, changed))),
        _will_not_run(stops, presumed=presumed),
        "If the database needs it, take it out of this file again, and put it into a new migration"
        + (f" that {stops} depends on." if stops else ".")
        + (
            f"\nOr run the old files, which make it:\n{old_files(commit[:10], migration.app, last, alias)}"
            if commit
            else ""
        )
        + _made_by_hand(alias, stated=stated),
        _severity(stops, needed=needed, presumed=presumed, stated=stated),
    )


@entry("removed-operation", Severity.ERROR, Severity.WARNING)
def removed_operation(
    *,
    migration: Key,
    parts: Sequence[str],
    changed: Sequence[str],
    file: str,
    stops: Key | None = None,
    needed: bool = False,
    deleted: bool = False,
    presumed: bool = False,
    stated: bool = False,
    alias: str = "",
) -> Texts:
    """An operation that ran in this database is not in its file any more, so that new databases differ from this one.

    migsync knows the operations that ran: its guard noted them, or git has the file as it was then. Since then, an
    operation was taken out of the file, or the whole file was deleted. It had removed or changed something in this
    database, and no other file has it. Operations that had only added something are not reported.

    It is an error where the code of today fails without what is missing here, or `migrate` would fail. Else it is a
    warning, also where migsync only presumes what ran.

    - Put the operation, or the file, back. To undo it everywhere, write a new migration.
    - If somebody changed this database by hand, or migsync is wrong about what ran, use `--against-evidence`: the error
      is a warning then.
    """
    found = (
        f"{migration} ran here, and its file was deleted."
        if deleted
        else f"{migration} ran here with an operation that its file does not contain any more."
    )
    return Texts(
        " ".join((found, *_lacking(parts, changed))),
        _meaning(f"New databases differ from this one.{_stopping(stops)}", presumed=presumed),
        f"Put the {'file back, or what it did into a new migration' if deleted else 'operation back into the file'}."
        + _made_by_hand(alias, stated=stated),
        _severity(stops, needed=needed, presumed=presumed, stated=stated),
    )


@entry("replaced-file", Severity.ERROR, Severity.WARNING)
def replaced_file(
    *,
    migration: Key,
    parts: Sequence[str],
    file: str,
    stops: Key | None = None,
    presumed: bool = False,
    stated: bool = False,
    alias: str = "",
) -> Texts:
    """Another migration has the name of one that ran: its file was deleted, and a new one was given its name.

    migsync knows the operations that ran: its guard noted them, or git has the file as it was then. The file of this
    name makes nothing of what ran. Django compares names only, so the new file never will run in this database.

    - Give the new file a name that was not used before.
    - If the old migration is gone for good, state that with `--remove` and `--new`: migsync removes its record, and
      `migrate` runs the new one.
    - If somebody made the change in this database by hand, or migsync is wrong about what ran, use
      `--against-evidence`: the error is a warning then. It also is where migsync only presumes what ran.
    """
    found = f"Another migration ran as {migration}: nothing of what ran is in its file, and nothing of its file ran."
    forget = migsync("plan", "--remove", migration, "--new", migration, alias=alias)
    return Texts(
        " ".join((found, *_lacking(parts))),
        _will_not_run(stops, presumed=presumed),
        "Give the new file a name that was not used before.\n"
        f"Or, if the old one is gone for good, let `migrate` run the new one: {forget}"
        + _made_by_hand(alias, stated=stated),
        Severity.WARNING if presumed or stated else None,
    )


@entry("other-order", Severity.ERROR, Severity.WARNING)
def other_order(
    *,
    app: str,
    ahead: Mapping[str, str],
    parts: Sequence[str],
    changed: Sequence[str],
    stops: Key | None = None,
    needed: bool = False,
    presumed: bool = False,
    stated: bool = False,
    alias: str = "",
) -> Texts:
    """The migrations of an app ran in another order in this database than their files have today, which matters.

    migsync knows the operations that ran: its guard noted them, or git has the files as they were then. Each of them is
    in a recorded file. But since then, names were exchanged, or dependencies changed, so that the files run in another
    order. Where two of them change the same column, the last one counts, and that is another one in new databases than
    it was in this one.

    The message names what is missing or different in this database. It is an error where the code of today fails
    without it, or `migrate` would fail. Else it is a warning, also where migsync only presumes what ran.

    - Put the files back into the order in which their operations ran.
    - To keep the new order, correct this database with a new migration.
    - If somebody corrected this database by hand, or migsync is wrong about what ran, use `--against-evidence`: the
      error is a warning then.
    """
    pairs = [f"{one} before {other}" for one, other in ahead.items()]
    return Texts(
        " ".join(
            (
                f"The migrations of {app} ran in another order here than their files have today, with another result.",
                *_lacking(parts, changed),
            )
        ),
        _meaning(f"New databases differ from this one.{_stopping(stops)}", presumed=presumed),
        f"Put the files back into the order in which they ran: {text_list(pairs, SHOWN)}.\n"
        "Or correct this database with a new migration." + _made_by_hand(alias, stated=stated),
        _severity(stops, needed=needed, presumed=presumed, stated=stated),
    )


NOT_RUN = frozenset({never_ran.code, removed_operation.code, replaced_file.code})
"""The codes of findings about recorded migrations whose files do what did not run."""


def _lacking(parts: Sequence[str], changed: Sequence[str] = ()) -> Iterator[str]:
    if parts:
        yield f"This database does not have: {text_list(parts, SHOWN)}."
    if changed:
        yield f"Different here: {text_list(changed, SHOWN)}."


def _will_not_run(stops: Key | None, *, presumed: bool) -> str:
    text = "`migrate` will not run the file again, so this database will not get the change."
    return _meaning(text + _stopping(stops), presumed=presumed)


def _stopping(stops: Key | None) -> str:
    return f" {stops} needs it and is still to run, so `migrate` would fail." if stops else ""


def _severity(stops: Key | None, *, needed: bool, presumed: bool, stated: bool) -> Severity | None:
    """None for the usual one: only what the code of today needs, or `migrate`, is an error."""
    return None if (needed or stops) and not presumed and not stated else Severity.WARNING


def _made_by_hand(alias: str, *, stated: bool) -> str:
    return "" if stated else "\n" + against_evidence(alias, "If somebody made the change by hand")


@entry("code-edited", Severity.INFO)
def code_edited(*, app: str, names: Sequence[str]) -> Texts:
    """The code of migrations that have run was edited since.

    When `migrate` ran these migrations, migsync's guard noted their operations. The files contain as much code
    (RunPython, RunSQL) today as then, but not the same. Most such edits keep an old migration working in new databases:
    a library was replaced, or a model is gone. The database has what the code was for, so nothing is to be done.

    If the edit corrects what the code did to the rows, this database still has the old result: correct it with a new
    migration.
    """
    files = "file contains" if len(names) == 1 else "files contain"
    return Texts(
        f"{count(len(names), 'migration')} of {app} ran other code than the {files} today: {text_list(names, SHOWN)}.",
        "`migrate` does not run the new code in this database.",
        "If it corrects rows, correct them here with a new migration.",
    )
