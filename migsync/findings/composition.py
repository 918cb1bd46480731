"""About a new migration file that is composed of old ones: what it holds of them, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("carried", Severity.INFO)
def carried(*, migration: Key, origin: str, copies: Mapping[str, str], file: str) -> Texts:
    """Functions, classes or constants of an old migration file are copied into the new one.

    The operations of the new file use them, and the old file will be gone. The source is copied as it is, with
    everything that it uses. Where two files define the same name, one of the copies gets another name, and all its uses
    follow.

    There is nothing to do. When you review the new file, read the copies as you would read moved code.
    """
    told = [old if new == old else f"{old} (as {new})" for old, new in copies.items()]
    return Texts(f"Copied from {origin} into {migration}: {text_list(told)}.")


@entry("stays-apart", Severity.INFO)
def stays_apart(*, migration: Key, fields: Sequence[str]) -> Texts:
    """The new file alters a field more than once, on purpose.

    A squash joins several operations on a field into one if the result is the same. Here it would not be the same: an
    earlier operation writes its default into existing rows, and one joined operation would write the default of a later
    one. So the operations stay as they were.

    There is nothing to do. The squash is a little longer than it could be.
    """
    return Texts(
        f"{migration} keeps several operations on {text_list(fields)}.",
        "One joined operation would write another value into existing rows.",
    )


@entry("merged-in-parts", Severity.INFO)
def merged_in_parts(*, migration: Key, before: int, after: int) -> Texts:
    """A range has so many operations that Django's optimizer would not come to an end in time.

    The optimizer compares every operation with the others, and begins again after each merge. With twice as many
    operations it takes about eight times as long, and Django's own `squashmigrations` can run for hours. migsync stops
    after some seconds of work, has the optimizer merge one hundred operations at a time, and then, if that comes to an
    end, what these have become.

    There is nothing to do: the new file does the same. It may have more operations than it could have. Smaller ranges,
    each squashed by itself, are merged further.
    """
    return Texts(
        f"{migration} has {after} operations of {before}, and could have fewer.",
        "To merge all of them at once would take too long, so they were merged in parts.",
    )


@entry("made-operations", Severity.WARNING)
def made_operations(*, migration: Key, origin: str, file: str, line: int) -> Texts:
    """The operations of an old migration are computed when its file is imported.

    Its list of operations is built by code, or depends on a condition, for example on the engine or on a setting. The
    new file is written from what the list contains here and now, and the code that built it is lost. On another engine,
    or with other settings, the old file might have given other operations.

    - If the list is the same everywhere, go on.
    - Otherwise leave that migration out of the range, so that it keeps its own file, and run the command again.
    """
    return Texts(
        f"The operations of {origin} are computed when the file is imported.",
        f"{migration} contains what they are here and now. With another engine or other settings they may differ.",
        f"If they can differ, leave {origin} out of the range.",
    )


@entry("side-effect", Severity.WARNING)
def side_effect(*, migration: Key, origin: str, statement: str, file: str, line: int) -> Texts:
    """An old migration file does something when it is imported, and the new file does not.

    The statement stands at the top level of the old file and defines no name: a call, a loop, a condition. The new file
    takes over what its operations use, by name, so this statement is not in it.

    - If nothing needs it, as with a forgotten `print`, go on.
    - If the operations depend on it, for example because it registers something, add it to the new file by hand before
      you commit.
    """
    return Texts(
        f"{origin} runs this when it is imported: {statement}",
        f"{migration} does not.",
        "If it is needed, add it to the new file by hand.",
    )


@entry("reaches-out", Severity.WARNING)
def reaches_out(*, migration: Key, origin: str, definition: str, text: str = "", file: str, line: int) -> Texts:
    """Copied code uses `__file__`, or contains the name of a migration in a string.

    The code was copied from an old migration into the new one.

    - `__file__` is now the path of the new file. Code that only needs the directory still works. Code that derives a
      name from the file does not.
    - A string may be the name of a module that the code imports. If that file is deleted, the import fails when the
      code runs.

    Look at the place in the new file, and correct it by hand if needed. The proof on scratch databases runs the code
    only if it runs on an empty database.
    """
    if text:
        found = f"{definition} contains the name of the migration {text} in a string."
        meaning = "That file may be gone when the code runs."
    else:
        found = f"{definition} uses __file__, which is now the path of {origin}."
        meaning = f"In {migration} it is the path of the new file."
    return Texts(found, meaning, f"Check {definition} in the new file.")


@entry("own-migration-class", Severity.ERROR, Severity.WARNING)
def own_migration_class(
    *, migration: Key, origin: str, methods: Sequence[str], dropped: bool = False, file: str, line: int
) -> Texts:
    """The class of a migration overrides methods of Django's Migration.

    A migration whose class has an `apply()`, `unapply()`, `mutate_state()` or `__init__()` of its own does more than
    its operations say. A new file holds only operations, so whatever the methods do would be lost. For a migration that
    you leave out with `--drop`, this is only a warning.

    - Leave that migration out of the range, so that it keeps its own file.
    - Or move what the method does into a RunPython operation. Then the migration can be squashed.
    """
    return Texts(
        f"The class of {origin} overrides {text_list(methods)}.",
        "What these methods do would be lost." if methods[1:] else "What this method does would be lost.",
        "" if dropped else f"Leave {origin} out of the range.",
        Severity.WARNING if dropped else None,
    )


@entry("own-base-class", Severity.ERROR, Severity.WARNING)
def own_base_class(
    *, migration: Key, origin: str, bases: Sequence[str], dropped: bool = False, file: str, line: int
) -> Texts:
    """The class of a migration has a base class that the new file cannot have.

    A base class of your own can change what a migration does. The new file gets one only where all migrations that it
    stands for have the same one, and where it can be imported from outside the migrations. For a migration that
    you leave out with `--drop`, this is only a warning.

    - Give all migrations of the range the same base class, in a module of its own.
    - Or leave this one out of the range, so that it keeps its own file.
    """
    return Texts(
        f"The base class of {origin} is {text_list(bases)}.",
        "The new file gets a base class of your own only if:\n"
        "- all migrations that it replaces have it\n"
        "- it is defined outside of the migrations",
        "" if dropped else f"Give all of them that base class, or leave {origin} out of the range.",
        Severity.WARNING if dropped else None,
    )


@entry("own-attributes", Severity.WARNING)
def own_attributes(*, migration: Key, origin: str, attributes: Sequence[str], file: str, line: int) -> Texts:
    """The class of a migration has attributes that Django does not know, and the new file does not have them.

    A package or a tool of yours may look at such an attribute, for example to decide whether a migration is safe to run
    while the site is up. Django ignores it, and the operations do not use it, so the new file is written without it.

    - If nothing reads the attribute, go on.
    - If something does, add it to the class in the new file by hand, with a value that fits all of its operations.
    """
    return Texts(
        f"The class of {origin} has attributes that Django does not know: {text_list(attributes)}.",
        f"{migration} does not have them.",
        "If something reads them, add them to the new file by hand.",
    )


@entry("cannot-compose", Severity.ERROR)
def cannot_compose(
    *, migration: Key, reason: str, consequence: str = "", remedy: str = "", file: str = "", line: int = 0
) -> Texts:
    """An operation, or what it uses, cannot be written into a new file.

    The new file must contain everything that its operations need: functions, classes, values. Something here has no
    source that could be copied, or Django's writer has no way to write it: a lambda, a local function, a value that is
    made at import. The command is refused, and nothing has been changed.

    - Give the value a name at the top level of its module, and use that name in the operation.
    - Or leave the migration out of the range.

    The message names the file and the line if they are known.
    """
    if remedy or consequence:
        return Texts(reason, consequence, remedy)
    return Texts(
        f"Django cannot write an operation of {migration} into a file: {reason}.",
        "The value has no name by which the new file could use it.",
        "Assign the value to a name at the top level of its module, and use that name in the operation.",
    )
