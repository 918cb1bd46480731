"""About two commits that are compared: what the newer one does to databases that were migrated at the older one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list, truncated

SHOWN = 5


@entry("missing-rewrite", Severity.ERROR)
def missing_rewrite(
    *, app: str, changes: Sequence[str], base: str, file: str = "", options: Sequence[str] = ()
) -> Texts:
    """Migrations have other names than in the base commit, and no rewrite says so.

    `migsync check` compares the migration files with those of the commit at which this branch left the main branch.
    What became of each name is proven: the new file does the same as the old one. But a database that has run the
    migrations holds the old names, and only a rewrite tells it the new ones. Without it, `migrate` would run the files
    a second time, or never.

    Write the rewrite with `migsync check --write`, and commit it with the migrations. From then on, `migsync apply`
    updates every database, however far behind it is.
    """
    return Texts(
        f"{app}: names have changed since {base}, and no rewrite says so: {'; '.join(truncated(changes, SHOWN))}.",
        "Git proves it: the files do what they did under the old names.\n"
        "A database that holds the old names would run them again, or never.",
        f"To write the rewrite: {migsync('check', '--write', *options)}\nThen commit it with the migrations.",
    )


@entry("changed-again", Severity.ERROR)
def changed_again(*, app: str, rewrite: str, commit: str = "") -> Texts:
    """Names have changed once more after a rewrite that only this branch has.

    Databases go through the rewrites one after the other, so the missing one has to begin with the names that the last
    one left. `migsync check --against COMMIT` compares with the commit that added the last one. If that one is not
    committed yet, delete it, and let `migsync check --write` write one rewrite for both changes. Do not delete it if a
    database has applied it.
    """
    hint = f"To write it: {migsync('check', '--write', '--against', commit)}\nThen commit it with the migrations."
    if not commit:
        hint = f"If no database has applied {rewrite}, delete it. Then: {migsync('check', '--write')}"
    return Texts(
        f"{app}: names have changed again since this branch wrote {rewrite}, and no rewrite says so.",
        "The missing rewrite has to begin with the names that this one left.",
        hint,
    )


@entry("unexplained-name", Severity.ERROR)
def unexplained_name(
    *,
    migration: Key,
    base: str,
    candidates: Sequence[Key] = (),
    reasons: Sequence[str] = (),
    file: str = "",
    new_files: bool = False,
) -> Texts:
    """A migration of the base commit is gone, and nothing proves what became of it.

    A database that has run the migration holds its name. Either the file was renamed and edited, or several files were
    united in a way that reading them does not prove, or the migration was deleted for good. migsync does not guess.

    - If a command of migsync changed the files, such as `migsync squash`, commit the rewrite that it wrote. That is
      enough for all of the names.
    - If it was renamed, say so with `migsync rewrite --map`; if several became one, with `--collapse`.
    - If it was deleted and nothing replaced it, say so with `migsync rewrite --remove`. What it made stays in the
      databases that have run it.
    - If it was deleted by mistake, restore the file.

    Commit the rewrite that the command writes with the migrations.
    """
    stated = [migsync("rewrite", "--map", f"{migration}={each.name}") for each in candidates[:SHOWN]]
    return Texts(
        f"{migration} is in {base} and gone since, and nothing proves what became of it.",
        "\n".join([*dict.fromkeys(reasons), "A database that has run it holds this name."]),
        ("If migsync changed the files, commit the rewrite that it wrote.\n" if new_files else "")
        + "If it was renamed: "
        + "\nOr: ".join(stated or [migsync("rewrite", "--map", f"{migration}=NEW")])
        + f"\nIf it was deleted for good: {migsync('rewrite', '--remove', migration)}\n"
        "If it was deleted by mistake, restore its file.",
    )


@entry("unproven-collapse", Severity.ERROR)
def unproven_collapse(
    *, migration: Key, olds: Sequence[Key], base: str, reasons: Sequence[str] = (), file: str = ""
) -> Texts:
    """Several migrations of the base commit have probably become one, and that is not proven.

    The files were united or made anew. Their tables look the same, but some operations are known only when they run.
    So migsync asks.

    - If the new file stands for all of them, say so with `migsync rewrite --collapse`.
    - If not, restore the files.

    Commit the rewrite that the command writes with the migrations.
    """
    stated = f"{migration}={'+'.join(key.name for key in olds)}"
    return Texts(
        f"{text_list(olds, SHOWN)} are in {base}, and have probably become {migration}.",
        "\n".join([*dict.fromkeys(reasons), "A database that has run them holds their names."]),
        f"If they have: {migsync('rewrite', '--collapse', stated)}\nIf not, restore the files.",
    )


@entry("edited-migration", Severity.ERROR, Severity.WARNING)
def edited_migration(
    *,
    migration: Key,
    base: str,
    parts: Sequence[str],
    changed: Sequence[str],
    file: str,
    stops: Key | None = None,
    taken_out: bool = False,
    another: bool = False,
    mild: bool = False,
) -> Texts:
    """The file of a migration does something else to a database than in the base commit.

    Django compares names only. A database that has run the migration as it was will never get the change; a new
    database will. So the two differ from now on.

    It is an error where the code of today fails in a database without the change: a table or a column that is missing,
    or a column that does not take NULL. It is a warning for indexes, constraints, code and other differences. Where the
    file makes nothing of what it made before, it is another migration under a name that was used already: always an
    error.

    - Take the change out of this file again, and put it into a new migration.
    - If a new file has the name of a deleted one, give it a name that was not used before. Or state with `--remove` and
      `--new` that the old migration is gone: `migrate` then runs the new one everywhere.
    - If an operation was taken out of the file, put it back.
    """
    differences = [
        *([f"A database that has run it will not have: {text_list(parts, SHOWN)}."] if parts else []),
        *([f"Different there: {text_list(changed, SHOWN)}."] if changed else []),
    ]
    found = (
        f"{migration} is another migration than in {base}: its name is used again."
        if another
        else f"{migration} does something else than in {base}."
    )
    return Texts(
        " ".join((found, *differences)),
        "`migrate` does not run a migration again because its file has changed."
        + (f" {stops} needs the change, so `migrate` would fail there." if stops else ""),
        "Put back the operation that was taken out of the file."
        if taken_out
        else "Give the new migration a name that was not used before.\nOr, if the old one is gone for good, say so: "
        + migsync("rewrite", "--remove", migration, "--new", migration)
        if another
        else "Put the change into a new migration, and leave this file as it was.",
        Severity.WARNING if mild else None,
    )


@entry("moved-operations", Severity.ERROR, Severity.WARNING)
def moved_operations(*, migration: Key, base: str, operations: Sequence[str], file: str, mild: bool = False) -> Texts:
    """A new migration has operations that another one had in the base commit.

    A database that was migrated at the base commit has run these operations under another name. `migrate` would run
    them a second time, and usually fail: the table or the column exists already. RunPython and RunSQL may be written
    to be run again, so that they alone are only a warning.

    Move the operations back to the file that had them.
    """
    one = len(operations) == 1
    return Texts(
        f"{migration} is new since {base}, but contains what ran as a part of another migration: "
        f"{text_list(operations, SHOWN)}.",
        f"`migrate` would run {'it' if one else 'them'} a second time.",
        f"Move {'it' if one else 'them'} back to the file that had {'it' if one else 'them'}.",
        Severity.WARNING if mild else None,
    )


@entry("exchanged-names", Severity.ERROR)
def exchanged_names(*, app: str, base: str, moved: Mapping[str, str], file: str = "") -> Texts:
    """Names of the base commit stand for other migrations now.

    Every name still exists, so that nothing looks wrong. But a database that has run a part of these migrations has
    run something else under a name than its file contains today: `migrate` would run operations a second time, and
    others never. No rewrite can put that right, since the order of the files does not allow it.

    Give the files the names back that they had, and change what depends on them.
    """
    pairs = [f"what was {old} is {new} now" for old, new in moved.items()]
    back = [f"{new} to {old}" for old, new in moved.items()]
    return Texts(
        f"Names of {app} stand for other migrations than in {base}: {text_list(pairs, SHOWN)}.",
        "In a database that has run only some of them, `migrate` would run operations a second time, or never.",
        f"Give the files their names back: {text_list(back, SHOWN)}.",
    )


@entry("deleted-rewrite", Severity.ERROR)
def deleted_rewrite(*, rewrite: str, base: str, commit: str, file: str) -> Texts:
    """A rewrite of the base commit is gone.

    Databases may have been through it. Without its file, migsync does not know what their names stand for, and reports
    them as ahead of the files. A rewrite is never deleted or edited, also where its change of names is taken back: that
    is a change of names in its turn, with a rewrite of its own.

    Restore the file from git.
    """
    return Texts(
        f"The rewrite {rewrite} is in {base} and gone since.",
        "Databases that have been through it would be ahead of the files.",
        f"Restore it: git checkout {commit[:10]} -- {shlex.quote(file)}",
    )


@entry("untracked-rewrite", Severity.ERROR)
def untracked_rewrite(*, rewrite: str, file: str) -> Texts:
    """A rewrite is on disk, and git does not know it.

    The migrations that it is about are in git's index or in a commit. Without the rewrite, others would get the new
    names and no explanation of them.

    Add the rewrite to the commit with the migrations.
    """
    return Texts(
        f"The rewrite {rewrite} is not in git, but the migrations that it is about are.",
        "Whoever gets this commit would have the new names without the rewrite.",
        f"Add it to the commit: git add {shlex.quote(file)}",
    )
