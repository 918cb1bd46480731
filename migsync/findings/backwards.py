"""About databases that are ahead of the files, and about going back to older names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, truncated

NAMED = 5


@entry("database-ahead", Severity.ERROR, Severity.INFO)
def database_ahead(
    *,
    rewrites: Sequence[str],
    changes: int,
    allowed: bool = False,
    blocked: bool = False,
    alias: str = "",
    plan: str = "",
) -> Texts:
    """A database has been through a rewrite that has no file here.

    The files on disk are those of an older release, of another branch, or from before a revert. migsync could give the
    records their older names back, from the journal. But if a release that knows the new names still uses this
    database, it would fail then, or run migrations again.

    If a newer release is in use, use its files. To go back, add `--backwards`. At a terminal, `migsync apply` asks.
    """
    # A plan that was saved is taken by its own word.
    found = f"The plan takes {alias} back to before {', '.join(rewrites)}." if plan else _ahead(rewrites)
    if allowed:
        return Texts(found, "The records go back to the names of these files.", severity=Severity.INFO)
    hint = "If a newer release is in use, use its files. To go back to the older names: migsync apply --backwards"
    if plan:
        hint = f"If a newer release is in use, do not apply it. To go back: migsync apply {plan} --backwards"
    return Texts(
        found,
        f"Going back changes {count(changes, 'record')} to older names. A release that knows the new names would then "
        "fail, or run migrations again.",
        "" if blocked else hint,
    )


@entry("newer-records", Severity.ERROR)
def newer_records(
    *, migration: Key, rewrites: Sequence[str], rows: Sequence[tuple[Key, int | None]], alias: str
) -> Texts:
    """A database is ahead of the files, and a newer release has recorded migrations since that have no file here.

    migsync never goes back past such records, not even with `--backwards`: what these migrations did to the tables
    would stay, and nothing would know of it.

    Use the files of the newer release. To go back all the same, unapply these migrations with those files first.
    """
    named = truncated([f"{key} (row {row})" for key, row in rows], NAMED)
    one = len(rows) == 1
    them = str(migration) if one else "these migrations"
    each = " (the same for each app)" if len({key.app for key, _ in rows}) > 1 else ""
    return Texts(
        f"{_ahead(rewrites)} Since then, {', '.join(named)} {'was' if one else 'were'} recorded, "
        "also without a file here.",
        "A newer release has used this database. migsync never goes back past such records, not even with --backwards.",
        f"Use the files of the newer release. To go back all the same, first unapply {them} with those files: "
        f"python manage.py migrate --database {shlex.quote(alias)} {migration.app} NAME, where NAME is the last "
        f"migration to keep{each}.\n"
        f"If {'the record' if one else 'a record'} is only a leftover: migsync apply --prune {migration} --backwards",
    )


@entry("part-of-collapse", Severity.ERROR)
def part_of_collapse(*, migration: Key, missing: str, olds: Sequence[str], last: str) -> Texts:
    """Going back is not possible, because only some of the new migrations have run.

    Several new migrations stand for the same old ones, after a remake for example, and this database has run only some
    of the new ones. With records of the old migrations a part would never run; without them, a part would run again.

    Run the rest of the new ones first, with the newer files. Then going back works.
    """
    names = ", ".join(olds)
    return Texts(
        f"{migration} is recorded, but not {migration.app}.{missing}. Only together they stand for {names}.",
        f"Without a record of {names} they would run again; with one, a part would never run.",
        f"With the newer files: manage.py migrate {migration.app} {last}",
    )


@entry("row-changed", Severity.ERROR)
def row_changed(*, migration: Key, row: int | None, applied: str | None) -> Texts:
    """A row that migsync would take back is not as migsync left it.

    The journal holds the row as it was after the run. Somebody has changed or removed it since by other means, so its
    image from before the run may not fit any more.

    Look at the row. Put it as the run left it, or change the rows by hand.
    """
    return Texts(
        f"{migration} (row {row}, applied {applied}) is not as migsync left it.",
        "It was changed or removed since, by other means; its before-image may not fit any more.",
        "Look at the row, and put it as it was, or change the rows by hand.",
    )


@entry("lost-rewrite", Severity.ERROR)
def lost_rewrite(*, migration: Key, old: Key, rewrite: str, command: str, made: str) -> Texts:
    """The file of a rewrite is missing, but its migrations are on disk.

    The database has been through this rewrite. The files on disk have the new names and the new operations, so they are
    not an older release: only the rewrite was lost, or was not deployed with the migrations. Going back would record an
    old name that stands for another migration now, or for none.

    Bring the file of the rewrite back from git.
    """
    return Texts(
        f"This database has been through {rewrite} ({command}, made {made}), of which there is no file, but "
        f"{migration} on disk is the migration that it gave this name.",
        f"Going back would record it as {old}, which on disk is another migration, or none.",
        "The rewrite was lost, or was not deployed with the migrations: bring its file back.",
    )


def _ahead(rewrites: Sequence[str]) -> str:
    if len(rewrites) == 1:
        return (
            f"This database is ahead of these files: the rewrite {rewrites[0]} was applied to it, but has no file here."
        )
    return (
        f"This database is ahead of these files: the rewrites {', '.join(rewrites)} were applied to it, but "
        "have no files here."
    )
