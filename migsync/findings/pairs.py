"""About recorded names without a rewrite: what became of them, as files, records and git show."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.findings.leftovers import keep_hint
from migsync.key import Key


def _listed(keys: Sequence[Key]) -> str:
    return ", ".join(map(str, keys))


def _stated(olds: Sequence[Key], new: Key | None) -> str:
    """What to type to say that `olds` became `new`, or, without one, that the old one was a merge."""
    if new is None:
        return f"migsync rewrite --remove {olds[0]}"
    if len(olds) > 1:
        return f"migsync plan --collapse {new}={'+'.join(key.name for key in olds)}"
    return f"migsync plan --map {olds[0]}={new.name}"


@entry("proven-pair", Severity.INFO)
def proven_pair(*, migration: Key, olds: Sequence[Key], reasons: Sequence[str]) -> Texts:
    """A recorded migration has another name on disk now, and that is proven.

    The file was renamed or squashed without migsync, so no rewrite says so. The operations in the old and the new file
    are the same, as git, a journal or a rewrite shows, and no other migration has them. migsync plans the renaming of
    the row without asking.

    You need not do anything. Read the reasons, then apply the plan. To write the rename down for all databases, use
    `migsync rewrite`.
    """
    return Texts(f"{_listed(olds)} became {migration}.", "\n".join(reasons))


@entry("accepted-pair", Severity.INFO)
def accepted_pair(*, migration: Key, olds: Sequence[Key], reasons: Sequence[str]) -> Texts:
    """A likely rename is taken for certain, because of --accept.

    The reasons make it likely, but prove nothing. If they are wrong, Django takes a migration for applied that never
    ran, or runs one a second time. Check each of these pairs before you apply the plan. To state a single one
    yourself, use --map instead of --accept.
    """
    if migration in olds:
        return Texts(f"{migration} is taken for a merge that was removed (--accept).", "\n".join(reasons))
    return Texts(f"{_listed(olds)} and {migration} are taken for the same migration (--accept).", "\n".join(reasons))


@entry("removed-merge", Severity.INFO)
def removed_merge(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A recorded merge migration is no longer on disk, and its row is removed.

    A merge migration has no operations, so nothing is lost with its row. Git shows that the file was one. You need not
    do anything.
    """
    return Texts(f"{migration} was a merge, and its file was removed.", "\n".join(reasons))


@entry("gone", Severity.INFO)
def gone(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A migration is recorded, its file is gone, and nothing is missing.

    The reasons say where its operations are now: in another recorded migration, or in a squash. Django ignores the row,
    and migsync leaves it as it is. Remove it with --prune if you like; then no earlier release can be deployed that
    still has the file.
    """
    return Texts(
        f"{migration} is recorded, but its file was removed.",
        "\n".join(reasons),
        f"To remove its row: migsync plan --prune {migration}",
    )


@entry("open-removal", Severity.INFO)
def open_removal(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A recorded migration without a file looks like a merge that was removed, by its name.

    A merge migration has no operations, so a leftover row does no harm: Django ignores it. Git does not have the file,
    so it is not proven that it was a merge.

    If it was one, `migsync rewrite --remove` writes that down, and every database loses the row with its next
    `migsync apply`. If you are not sure, leave it as it is.
    """
    return Texts(
        f"{migration} may be a merge that was removed.",
        "\n".join(reasons),
        f"If it is: {_stated([migration], None)}",
    )


@entry("open-pair", Severity.ERROR)
def open_pair(*, migration: Key, olds: Sequence[Key], news: Sequence[Key], reasons: Sequence[Sequence[str]]) -> Texts:
    """A recorded migration has no file, and a file that is not recorded may be the same migration.

    The names or the contents are alike, but nothing proves it. If the file was renamed and migsync did nothing,
    `migrate` would run it a second time. If migsync renamed the row of another migration, the new file would never run.
    So the plan is blocked until you say what it is.

    Compare the old file with the new one; git has it, perhaps on another branch. If the migration was renamed, say so
    with --map (or --collapse for a squash). If it was not, remove the row with --prune, or keep it and list it under
    `leftovers` in pyproject.toml.
    """
    said = (
        f"{new.name}: {' '.join(each)}" if len(news) > 1 else "\n".join(each)
        for new, each in zip(news, reasons, strict=True)
    )
    rows = "the row" if len(olds) == 1 else "the rows"
    hint = "\nOr: ".join(_stated(olds, new) for new in news)
    return Texts(
        f"{_listed(olds)} may have become {' or '.join(map(str, news))}.",
        "\n".join(said),
        f"If it did: {hint}\n"
        f"If not, remove {rows}: migsync plan {' '.join(f'--prune {key}' for key in olds)}\n{keep_hint(olds)}",
    )


@entry("changed-operations", Severity.WARNING)
def changed_operations(*, migration: Key, reasons: Sequence[str]) -> Texts:
    """A migration has changed since it was applied.

    Its operations differ from those that git, a journal or a rewrite shows for the time when it ran. Django looks at
    the name only: it will not run the file again, so databases that have the row lack what was added since, and new
    databases get it.

    Compare the file with its older version. If the change matters, put it into a new migration, so that every database
    gets it. If it does not (a verbose_name, say), it is safe to go on.
    """
    return Texts(
        f"{migration} is recorded, but the operations in its file have changed since.",
        "\n".join(reasons),
        "migrate will not run it again. Check that the database has what the file says now.",
    )


@entry("another-migration", Severity.WARNING)
def another_migration(*, migration: Key, other: Key, reasons: Sequence[str]) -> Texts:
    """A file looks like a recorded migration under another name, but it does something else.

    The names are alike and the operations differ, so migsync takes them for two migrations: the row is not renamed, and
    `migrate` will run the file. That is right for a migration that was written anew. If the file was renamed and edited
    after it had been applied, it would run a second time: then state that with --map.
    """
    return Texts(
        f"{migration} looks like {other}, which is recorded, but its operations differ.",
        "\n".join([*reasons, "migsync takes them for two migrations, and migrate will run the new one."]),
        f"If they are the same migration: {_stated([other], migration)}",
    )


@entry("name-reused", Severity.ERROR)
def name_reused(*, migration: Key) -> Texts:
    """A row has the name of a migration that is gone, and another migration has that name now.

    The records and git show that another recorded migration was renamed to this name. If both rows kept it, the table
    would have the name twice, and nothing would show what became of the first migration.

    Find out what the row stands for. If its migration has another name now, say so with --map. If it was removed for
    good, remove the row with --prune.
    """
    return Texts(
        f"{migration} is recorded for a migration that was removed, and another migration has that name now.",
        "Two rows would end with the same name.",
        f"If the removed one has another name now: migsync plan --map {migration}=NEW\n"
        f"If it is gone for good: migsync plan --prune {migration}",
    )


@entry("git-is-silent", Severity.INFO)
def git_is_silent(*, app: str, reason: str) -> Texts:
    """Git could not show the older migration files of an app.

    migsync compares the records with the files as git has them, to prove what was renamed. Here there is no repository,
    git is not installed, or its history is cut off (a shallow clone, as CI makes them). The questions that follow could
    perhaps be answered with it.

    Run migsync in a full clone: `git fetch --unshallow`. Or answer the questions yourself.
    """
    return Texts(
        f"{app}: {reason}",
        "With the older files, migsync could prove what became of a name. Without them it has to ask.",
    )
