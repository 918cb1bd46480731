"""About recorded names without a rewrite: what became of them, as files, records and git show."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import keep_hint, migsync, prune
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


def _stated(olds: Sequence[Key], new: Key) -> str:
    """What to type to say that `olds` became `new`. It is true for every database, so none is named."""
    if len(olds) > 1:
        return migsync("plan", "--collapse", f"{new}={'+'.join(key.name for key in olds)}")
    return migsync("plan", "--map", f"{olds[0]}={new.name}")


@entry("proven-pair", Severity.INFO)
def proven_pair(*, migration: Key, olds: Sequence[Key], reasons: Sequence[str]) -> Texts:
    """A recorded migration has another name on disk now, and that is proven.

    The file was renamed or squashed without migsync, so no rewrite says so. But the old and the new file have the same
    operations, as git, a journal or a rewrite shows, and no other migration has them. So migsync plans the change of
    the record without asking.

    You need not do anything. Read the reasons, then apply the plan. `migsync apply` also writes a rewrite: commit it
    with the migrations, and every other database gets the same change.
    """
    return Texts(f"{text_list(olds)} became {migration}.", "\n".join(reasons))


@entry("accepted-pair", Severity.INFO)
def accepted_pair(*, migration: Key, olds: Sequence[Key], reasons: Sequence[str]) -> Texts:
    """A likely pair of an old and a new name is taken as certain, because of `--accept`.

    The reasons make it likely, but do not prove it. If they are wrong, Django takes a migration for applied that never
    ran, or runs one a second time.

    Check each of these pairs before you apply the plan. To take only some of them, use `--map` instead of `--accept`.
    """
    if migration in olds:
        return Texts(f"{migration} is taken for a merge that was removed (--accept).", "\n".join(reasons))
    return Texts(f"{text_list(olds)} and {migration} are taken for the same migration (--accept).", "\n".join(reasons))


@entry("removed-merge", Severity.INFO)
def removed_merge(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A recorded merge migration is no longer on disk, and its record is removed.

    A merge migration without operations only joins two branches, so nothing is lost with its record. Git shows that the
    file was such a merge. You need not do anything.
    """
    return Texts(f"{migration} was a merge, and its file was removed.", "\n".join(reasons))


@entry("without-operations", Severity.INFO)
def without_operations(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A recorded migration had no operations, and its record is removed: its name belongs to another migration now.

    Files were renamed so that every name still exists. What ran under this name were no operations at all, so nothing
    is lost with its record. The file that has the name today is recorded only if its operations ran under another name.

    You need not do anything. Read the reasons, then apply the plan.
    """
    return Texts(f"{migration} had no operations, and its record is removed.", "\n".join(reasons))


@entry("gone", Severity.INFO)
def gone(*, migration: Key, reasons: Sequence[str], alias: str = "") -> Texts:
    """A migration is recorded and its file was deleted, but its operations are in another file.

    The message says where they are now: in another recorded migration, or in a squash. So nothing is missing. Django
    ignores the record, and migsync leaves it as it is.

    You need not do anything. You can remove the record with `--prune`, if no release that still has the file will be
    deployed again.
    """
    return Texts(
        f"{migration} is recorded, but its file was deleted.",
        "\n".join(reasons),
        f"To remove its record: {prune(migration, alias=alias)}",
    )


@entry("open-removal", Severity.INFO)
def open_removal(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A recorded migration without a file may be a merge that was removed.

    Its name looks like that of a merge, but git does not have the file, so migsync cannot prove it. A merge migration
    has no operations, and Django ignores its record.

    - If it was a merge, say so with `migsync rewrite --remove`. Every database loses the record with its next
      `migsync apply`.
    - If you are not sure, leave the record as it is. It does no harm.
    """
    return Texts(
        f"{migration} may be a merge that was removed.",
        "\n".join(reasons),
        f"If it was a merge: {migsync('rewrite', '--remove', migration)}",
    )


@entry("open-pair", Severity.ERROR)
def open_pair(
    *, migration: Key, olds: Sequence[Key], news: Sequence[Key], reasons: Sequence[Sequence[str]], alias: str = ""
) -> Texts:
    """A recorded migration has no file, and a file that is not recorded may be the same migration.

    Their names or their contents are similar, but nothing proves that they are the same. Both mistakes would be bad:

    - If the file was renamed and migsync did nothing, `migrate` would run it a second time.
    - If it was not renamed and migsync changed the record, `migrate` would never run it.

    So the plan is blocked until you say which is true. Compare the old file with the new one; git has it, perhaps on
    another branch.

    - If the migration was renamed, say so with `--map`. If several became one, use `--collapse`.
    - If not, remove the record with `--prune`. Or keep it, and list it under `leftovers` in pyproject.toml.
    """
    said = (
        f"{new.name}: {' '.join(each)}" if len(news) > 1 else "\n".join(each)
        for new, each in zip(news, reasons, strict=True)
    )
    records = "the record" if len(olds) == 1 else "the records"
    return Texts(
        f"{text_list(olds)} may have become {text_list(news, last='or')}.",
        "\n".join(said),
        ("If it was renamed: " if len(olds) == 1 else "If they became one: ")
        + "\nOr: ".join(_stated(olds, new) for new in news)
        + "\n"
        f"If not, remove {records}: {prune(*olds, alias=alias)}\n{keep_hint(olds)}",
    )


@entry("changed-operations", Severity.WARNING)
def changed_operations(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """The file of a migration has changed since the migration was applied.

    Its operations differ from those that git, a journal or a rewrite shows for the time when it ran. Django compares
    names only, so it will not run the file again. Databases that have applied the migration lack what was added since.
    New databases get it.

    Compare the file with its older version.

    - If databases need the change, put it into a new migration.
    - If they do not, as with a changed verbose_name, it is safe to go on.
    """
    return Texts(
        f"{migration} is recorded, but the operations in its file have changed since.",
        "\n".join(reasons),
        "`migrate` will not run it again. If databases need the change, put it into a new migration.",
    )


@entry("another-migration", Severity.WARNING)
def another_migration(*, migration: Key, other: Key, reasons: Sequence[str]) -> Texts:
    """A file looks like a recorded migration under a new name, but its operations differ.

    The names are similar and the operations are not the same. So migsync takes them for two migrations: the record
    stays, and `migrate` will run the file.

    - If the file is a new migration, there is nothing to do.
    - If the file was renamed and edited after it had been applied, `migrate` would run it a second time. Say with
      `--map` that it is the same migration.
    """
    return Texts(
        f"{migration} looks like {other}, which is recorded, but its operations differ.",
        "\n".join([*reasons, "migsync takes them for two migrations, and `migrate` will run the new one."]),
        f"If they are the same migration: {_stated([other], migration)}",
    )


@entry("name-reused", Severity.ERROR)
def name_reused(*, migration: Key, alias: str = "") -> Texts:
    """A record belongs to a migration that was deleted, and another migration has its name now.

    The records and git show that another recorded migration was renamed to this name. If both records had the name,
    Django would take them for one migration.

    Find out what this record stands for.

    - If its migration has another name now, say so with `--map`.
    - If it was deleted for good, remove the record with `--prune`.
    """
    return Texts(
        f"The record {migration} belongs to a migration that was deleted. Another migration has that name now.",
        "Two records would end with the same name.",
        f"If the deleted one has another name now: {migsync('plan', '--map', f'{migration}=NEW')}\n"
        f"If it was deleted for good: {prune(migration, alias=alias)}",
    )


@entry("unchecked-name", Severity.WARNING)
def unchecked_name(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """Nothing that migsync could look at mentions an old name that was stated.

    You stated with `--map`, `--collapse` or `--remove` what became of a migration. No database that could be read has
    recorded it, no rewrite mentions it, and git shows no such file. It may still be right: another database, or a part
    of git's history that is not here, may have it. If the name is misspelled, the rewrite changes no record.

    Check the spelling. If you can, run the command where the database or the full clone can be read.
    """
    return Texts(
        f"{migration} is not known here: no database that could be read, no rewrite and no commit has this name.",
        "\n".join(["If it is misspelled, no record will change.", *reasons]),
        "Check the spelling, or run the command again where all databases and the full clone can be read.",
    )


@entry("git-is-silent", Severity.INFO)
def git_is_silent(*, app: str, reason: str) -> Texts:
    """Git could not show the older migration files of an app.

    To prove what was renamed, migsync compares the records with the older files in git. Here that is not possible:
    there is no repository, as in a container, git is not installed, or the clone is shallow, as in CI. So migsync has
    to ask what it could otherwise find out.

    - Run `migsync rewrite` in a full clone that can reach the database, and commit the rewrite that it writes. From
      then on no database needs git for this change. `git fetch --unshallow` completes a shallow clone.
    - Or answer the questions yourself, with the options in the other messages.
    """
    return Texts(
        f"{app}: {reason}",
        "With the older files, migsync could prove what became of a name. Without them, it has to ask.",
        f"In a full clone that can reach the database: {migsync('rewrite')}\n"
        "Commit the rewrite that it writes. With it, no database needs git.",
    )
