"""About databases that are ahead of the files, and about going back to older names."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migrate, migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5


@entry("database-ahead", Severity.ERROR, Severity.INFO)
def database_ahead(
    *,
    rewrites: Sequence[str],
    changes: int,
    allowed: bool = False,
    blocked: bool = False,
    plan: str = "",
    alias: str = "",
) -> Texts:
    """A rewrite was applied to this database, but its file is not on disk.

    The database is ahead of the files. The files belong to an older release, to another branch, or to a commit from
    before the rewrite was reverted. The journal of the database knows the older names of the records, so migsync could
    restore them. But if a newer release still uses this database, it would then fail, or run migrations again.

    - If a newer release uses this database, run migsync with the files of that release.
    - To go back to the older names, run `migsync apply --backwards`. On a terminal, `migsync apply` asks.
    """
    if plan:
        of_database = f" of {alias}" if alias else ""
        found = f"This plan gives records{of_database} the names from before {text_list(rewrites)}."
        newer = "If a newer release uses this database, do not apply the plan."
    else:
        found = _ahead(rewrites)
        newer = "If a newer release uses this database, use the files of that release."
    if allowed:
        return Texts(found, "The records go back to the names of the files on disk.", severity=Severity.INFO)
    back = migsync("apply", *([plan] if plan else []), "--backwards", alias=alias)
    return Texts(
        found,
        f"To go back would change {count(changes, 'record')} to older names. A newer release would then fail on this "
        "database, or run migrations again.",
        "" if blocked else f"{newer}\nTo go back to the older names: {back}",
    )


@entry("newer-records", Severity.ERROR)
def newer_records(
    *, migration: Key, rewrites: Sequence[str], rows: Sequence[tuple[Key, int | None]], alias: str = ""
) -> Texts:
    """A database is ahead of the files, and a newer release has run migrations that have no file here.

    migsync never goes back past such records, not even with `--backwards`. The tables would keep what these migrations
    did, and no record and no file would show it.

    - If a newer release uses this database, run migsync with the files of that release.
    - To go back, first unapply these migrations with the newer files: `python manage.py migrate APP NAME`, where NAME
      is the last migration to keep. Then run `migsync apply --backwards` with the older files.
    - If a record is only a leftover, remove it: `migsync apply --prune APP.NAME --backwards`.
    """
    one = len(rows) == 1
    named = text_list((f"{key} (row {row})" for key, row in rows), NAMED)
    each = ", for each app" if len({key.app for key, _ in rows}) > 1 else ""
    leftover = migsync("apply", "--prune", migration, "--backwards", alias=alias)
    return Texts(
        f"{_ahead(rewrites)}\n"
        f"Since then, {named} {'was' if one else 'were'} recorded, and {'has' if one else 'have'} no file here either.",
        "A newer release has used this database. migsync never goes back past such records, not even with --backwards.",
        "Use the files of the newer release.\n"
        f"To go back, unapply {migration if one else 'these migrations'} with those files first: "
        f"{migrate(migration.app, 'NAME', alias=alias)}\n"
        f"NAME is the last migration to keep{each}.\n"
        f"If {'the' if one else 'a'} record is only a leftover: {leftover}",
    )


@entry("part-of-collapse", Severity.ERROR)
def part_of_collapse(*, migration: Key, missing: str, olds: Sequence[str], last: str, alias: str = "") -> Texts:
    """Going back is not possible, because the database has applied only some of several new migrations.

    A rewrite put several new migrations in the place of several old ones, as a remake does. Only together, the new ones
    do what the old ones did. This database has applied some of the new ones and not the others. If the old ones were
    recorded, the rest would never run. If they were not, `migrate` would run them again.

    Apply the rest of the new migrations first, with the newer files. Then go back.
    """
    names = text_list(olds)
    return Texts(
        f"{migration} is recorded, but {migration.app}.{missing} is not. Only together, they stand for {names}.",
        f"If {names} were recorded, a part would never run. If not, a part would run again.",
        f"First apply the rest, with the newer files: {migrate(migration.app, last, alias=alias)}",
    )


@entry("row-changed", Severity.ERROR)
def row_changed(*, migration: Key, row: int | None, applied: str | None, alias: str = "") -> Texts:
    """A record cannot get its older name back, because it has changed since migsync changed it.

    To go back, migsync restores each record from the journal, as it was before the run. This record is not as the run
    left it: somebody has changed or removed it by other means. So its older state may be wrong by now.

    Look at the record in django_migrations, and at the run with `migsync log` and `migsync show`. Restore the record as
    the run left it, then go back. Or change the records by hand.
    """
    return Texts(
        f"{migration} (row {row}, applied {applied}) is not as migsync left it.",
        "It was changed or removed by other means, so its older state may be wrong by now.",
        "Restore the record as the run left it, then try again.\n"
        f"To find the run, and what it left: {migsync('log', alias=alias)}",
    )


@entry("lost-rewrite", Severity.ERROR)
def lost_rewrite(*, migration: Key, old: Key, rewrite: str, command: str, made: str) -> Texts:
    """The file of a rewrite is missing, but the migration files are those from after it.

    The rewrite was applied to this database, and the files on disk have its new names. So the files are not those of an
    older release. Only the file of the rewrite was lost, or was not deployed with the migrations. If the records went
    back, they would name other migrations than those that ran, or none.

    Restore the file in `migration_rewrites/`, for example from git, and deploy it together with the migrations.
    """
    return Texts(
        f"The rewrite {rewrite} ({command}, made {made}) was applied to this database, but its file is missing. "
        f"{migration} on disk is the migration that got its name from this rewrite.",
        f"Going back would record it as {old}, which on disk is another migration, or none.",
        "Restore the file of the rewrite, for example from git. Deploy it together with the migrations.",
    )


def _ahead(rewrites: Sequence[str]) -> str:
    if len(rewrites) == 1:
        return (
            f"This database is ahead of the files: the rewrite {rewrites[0]} was applied to it, but has no file here."
        )
    return (
        f"This database is ahead of the files: the rewrites {text_list(rewrites)} were applied to it, but have no "
        "files here."
    )
