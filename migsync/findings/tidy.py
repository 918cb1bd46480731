"""About open squashes that are to be finished, and the databases that stand in the way."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migrate
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

SHOWN = 5


@entry("squash-partial", Severity.ERROR)
def squash_partial(
    *, migration: Key, alias: str, applied: Sequence[Key], missing: Sequence[Key], gone: Sequence[Key], file: str
) -> Texts:
    """A database has applied only some of the migrations that a squash replaces.

    Django runs a squash if none of the old migrations is applied, and records it if all of them are. A database that
    has applied some of them still needs the old files. Without the old files and without `replaces`, `migrate` would
    run the whole squash there and fail on tables that exist, or would never run what is missing.

    - If some of the old files were deleted, restore them, for example with `git checkout`.
    - Run `migrate` on that database while the old files exist.
    - Run `migsync tidy` again.
    """
    first = f"Restore the files of {_some(gone)}, then run" if gone else "Apply the rest first"
    return Texts(
        f"{alias} has applied only a part of what {migration} replaces.",
        f"Applied: {_some(applied) or 'migrations of a squash that it replaces'}\n"
        f"Not applied: {_some(missing)}\n"
        "Without the old files, `migrate` would run again what is applied, or never run the rest.",
        f"{first}: {migrate(missing[-1].app, alias=alias)}",
    )


@entry("squash-unknown", Severity.ERROR)
def squash_unknown(*, migration: Key, alias: str, reason: str, foreign: Sequence[Key], file: str) -> Texts:
    """A database could not be read, so it is unknown what it has applied of a squash.

    Before the old files and `replaces` are removed, every database must have applied everything that the squash
    replaces, or nothing of it. A database that has applied only a part could no longer be migrated.

    - Make the database reachable, and run the command again.
    - Or, if you know that it has applied everything that the squashes replace, add `--assume-deployed`.

    If a squash also replaces migrations of another app, the option is not enough. The database must have a record of
    the squash itself, and migsync has to see it.
    """
    hint = "Make the database reachable, then run the command again."
    if not foreign:
        hint += (
            "\nIf you know that it has applied everything that the squashes replace, run the command again with "
            "`--assume-deployed`."
        )
    return Texts(
        f"{alias} could not be read: {reason}",
        f"It is unknown whether this database has applied everything that {migration} replaces.",
        hint,
    )


@entry("squash-unrecorded", Severity.ERROR)
def squash_unrecorded(*, migration: Key, alias: str, foreign: Sequence[Key], file: str) -> Texts:
    """A database has applied everything that a squash replaces, but has no record of the squash itself.

    The squash also replaces migrations of another app. When a squash is finished, migsync turns the records of the old
    names into a record of the squash, but never moves a record from one app to another. If the squash had no record,
    Django would run it again, on tables that exist.

    Run `migrate` on that database while the squash has `replaces`: Django then records the squash without running it.
    Then run `migsync tidy` again.
    """
    return Texts(
        f"{alias} has applied everything that {migration} replaces, but has no record of {migration} itself.",
        f"The squash also replaces migrations of another app ({_some(foreign)}), and a record is never moved from one "
        "app to another.",
        f"Have Django record the squash first: {migrate(migration.app, alias=alias)}",
    )


@entry("name-of-replaced", Severity.ERROR)
def name_of_replaced(*, migration: Key, replaced: Key, file: str) -> Texts:
    """A migration that comes after a squash has a name that the squash replaces.

    The old file was deleted, and later a new migration, which depends on the squash, got its name. Django takes the
    name in `replaces` for the new migration. The squash would replace a migration that depends on it, and Django cannot
    load that.

    If no database has applied the new migration, give its file another name. Otherwise remove its name from the
    `replaces` of the squash, once every database has applied the old migration of that name.
    """
    return Texts(
        f"{migration} replaces {replaced}, but the file of that name depends on {migration}.",
        "It is a later migration with the same name. Django cannot load the two files together.",
        f"Rename the file of {replaced}, or remove the name from the `replaces` of {migration}.",
    )


@entry("others-ready", Severity.INFO)
def others_ready(*, apps: Sequence[str], options: str = "") -> Texts:
    """The squashes of some apps can be finished now, those of others not yet.

    `migsync tidy` does everything that you ask for, or nothing. If one squash cannot be finished, nothing is changed in
    any app.

    Nothing is wrong with these apps. Name them on the command line, and finish the others later.
    """
    return Texts(
        f"The squashes of {text_list(apps)} can be finished.",
        hint=f"To finish only these: {' '.join(filter(None, ['migsync tidy', *apps, options]))}",
    )


def _some(keys: Sequence[Key]) -> str:
    return text_list(keys, SHOWN)
