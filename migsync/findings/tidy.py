"""About open squashes that are to be finished, and the databases that stand in the way."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import truncated

SHOWN = 5


@entry("squash-partial", Severity.ERROR)
def squash_partial(
    *, migration: Key, alias: str, applied: Sequence[Key], missing: Sequence[Key], gone: Sequence[Key], file: str
) -> Texts:
    """A database has applied only a part of what a squash replaces.

    Django runs a squash where none of the old migrations is applied, and records it where all of them are. In a
    database in between it needs the old files, to run the rest of them. Without these files and without `replaces`,
    `migrate` would run the whole squash there, and fail on tables that exist, or would never run what is missing.

    Run `migrate` on that database while the old files are there. If some of them were deleted already, bring them back
    first, for example with `git checkout`. Then run `migsync tidy` again.
    """
    first = f"Bring back the file of {_some(gone)}, then run it there" if gone else "Run the rest there first"
    return Texts(
        f"{alias} is not past {migration}: {_some(applied) or 'a part of it'} "
        f"{'is' if len(applied) == 1 else 'are'} applied there, {_some(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} not.",
        "Without the old files, `migrate` there would run again what ran, or never run the rest.",
        f"{first}: manage.py migrate {missing[-1].app} --database {alias}",
    )


@entry("squash-unknown", Severity.ERROR)
def squash_unknown(*, migration: Key, alias: str, reason: str, foreign: Sequence[Key], file: str) -> Texts:
    """A database could not be read, so that nobody knows whether it is past a squash.

    Before the old files and `replaces` go, every database must have applied all that the squash replaces, or nothing of
    it. A database that has applied only a part could not be migrated any more.

    Make the database reachable and run the command again. If you know that it is past every open squash, say so with
    `--assume-deployed`. This is not possible for a squash that replaces migrations of another app: the database must
    have recorded the squash itself, and migsync has to see that.
    """
    hint = "Make it reachable"
    if not foreign:
        hint += "; or, where you know that it is past all of them, say so: --assume-deployed"
    return Texts(f"{alias} could not be read: {reason}", f"Whether it is past {migration} is not known.", hint)


@entry("squash-unrecorded", Severity.ERROR)
def squash_unrecorded(*, migration: Key, alias: str, foreign: Sequence[Key], file: str) -> Texts:
    """A database has applied all that a squash replaces, and has no record of the squash itself.

    The squash replaces migrations of another app too. When a squash is finished, migsync turns the records of the old
    names into the record of the squash, but never carries a record from one app to another. Without a record of its
    own, Django would run the squash again, on tables that exist.

    Run `migrate` on that database while the squash has `replaces`: Django then records the squash and runs nothing.
    Then run `migsync tidy` again.
    """
    return Texts(
        f"{alias} has recorded all that {migration} replaces, some of it in another app, and not it.",
        "A record is never carried from one app to another.",
        f"Let Django record it first: manage.py migrate --database {alias}",
    )


@entry("name-of-replaced", Severity.ERROR)
def name_of_replaced(*, migration: Key, replaced: Key, file: str) -> Texts:
    """A migration that came after a squash has a name that the squash replaces.

    The old file was deleted, and its name was given to a new migration, which depends on the squash. Django reads the
    name in `replaces` as the new migration: the squash would replace what depends on it, and Django cannot load that.

    Rename the new migration if no database has applied it yet. Otherwise remove its name from the `replaces` of the
    squash, once every database is past the old migration of that name.
    """
    return Texts(
        f"{migration} replaces {replaced}, and the file of that name depends on {migration}.",
        "It is another migration, which took the name later; Django cannot load the two together.",
        f"Rename {replaced}, or take its name out of `replaces` by hand.",
    )


@entry("others-ready", Severity.INFO)
def others_ready(*, apps: Sequence[str]) -> Texts:
    """Some apps could be tidied now, although the squashes of others cannot be finished yet.

    `migsync tidy` does everything that it was asked for, or nothing. One squash that cannot be finished refuses the
    command for all apps.

    Nothing is wrong with these apps. Name them on the command line, and finish the others later.
    """
    return Texts(
        f"Nothing stands in the way of the squashes of {', '.join(apps)}.",
        hint=f"Name these apps alone: migsync tidy {' '.join(apps)}",
    )


def _some(keys: Sequence[Key]) -> str:
    return ", ".join(truncated(keys, SHOWN))
