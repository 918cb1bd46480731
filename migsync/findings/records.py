"""About records of the project's own apps that no file explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.findings.leftovers import keep_hint
from migsync.key import Key
from migsync.words import count, sample, text_list

NAMED = 5


@entry("leftover-on-disk", Severity.ERROR)
def leftover_on_disk(*, migration: Key) -> Texts:
    """A record is listed in `leftovers`, and a file has its name now.

    `leftovers` in pyproject.toml lists records that no file of today stands for. Django knows a migration by its name
    alone: it takes the file for applied in every database that holds the record, and never runs it there.

    Give the file another name. If the record is the one of this file, take it out of `leftovers`.
    """
    return Texts(
        f"{migration} is recorded and listed in `leftovers`, but a file has this name now.",
        "If the row is the leftover, Django takes the file for applied and never runs it.",
        "Give the file another name. If the row is this file's, take it out of `leftovers` in pyproject.toml.",
    )


@entry("perhaps-ran", Severity.ERROR)
def perhaps_ran(
    *, app: str, name: str, rows: Sequence[tuple[Key, int | None]], files: Sequence[Key], seen: Mapping[str, str]
) -> Texts:
    """A file that is not recorded may have run already, under an older name.

    The app has records that no file, no `replaces` and no rewrite explains, and files that are not recorded. If a file
    was renamed, `migrate` would run it a second time: "table already exists", or data changed twice. If it was not, the
    records are left over from migrations that are gone. Names alone do not tell.

    Say which it is: `--map` for a file that was renamed, `--prune` to remove the record, or `leftovers` in
    pyproject.toml to keep it. With git at hand, migsync often finds out by itself.
    """
    one = len(rows) == 1
    olds, news = _rows(rows), text_list(files, NAMED, last="or")
    are, them, the_rows, names = ("is", "it", "the row", "name") if one else ("are", "them", "the rows", "names")
    keys = [key for key, _ in rows]
    where = " ".join(_seen(key, seen) for key in keys if str(key) in seen)
    return Texts(
        f"{olds} {are} recorded, but no file, `replaces` or rewrite explains {them}. {news} is not recorded, and may "
        f"be what ran under {'this' if one else 'these'} {names}.",
        f"{where} If so, `migrate` would run it a second time.".lstrip(),
        f"If it is: {_said(app, keys, files)}\n"
        f"If not, remove {the_rows}: {' '.join(f'--prune {key}' for key in keys)}\n{keep_hint(keys)}",
    )


def _said(app: str, keys: Sequence[Key], files: Sequence[Key]) -> str:
    """What to type when a file is what ran; with several files, one example for each of the first."""
    if len(keys) == 1:
        return " or ".join(f"--map {keys[0]}={file.name}" for file in files[:NAMED])
    olds = "+".join(key.name for key in keys)
    if len(files) == 1:
        return f"--map {app}.OLD={files[0].name}, or if it holds them all: --collapse {files[0]}={olds}"
    return f"for each of them --map {app}.OLD=NEW"


@entry("on-another-branch", Severity.INFO)
def on_another_branch(*, migration: Key, row: int | None, branch: str) -> Texts:
    """A record belongs to a migration of another git branch.

    The database was used with a branch whose migrations are not in this checkout. Django ignores such a record, and
    migsync leaves it alone. Nothing has to be done: it is explained again as soon as that branch is merged.
    """
    return Texts(
        f"{migration} is recorded (row {row}); its file is on the branch {branch} and never was on this one.",
        "Django ignores it, and migsync leaves it alone.",
    )


@entry("squashed-record", Severity.INFO)
def squashed_record(*, app: str, name: str, squash: str, replaced: Sequence[str]) -> Texts:
    """A record is left over from a squash.

    Django records a squash beside the migrations that it replaces, and does not remove their rows when `replaces` is
    taken out. By its name, the squash covers these records. Where a squash was replaced in turn, its own row is left.

    Django ignores such rows. They do no harm, and `--prune` removes them.
    """
    prunes = " ".join(f"--prune {app}.{each}" for each in replaced or [name])
    if not replaced:
        return Texts(
            f"{app}.{name} is recorded without a file. By its name it was a squash, and what it replaced is recorded "
            "too.",
            "Django ignores such rows, and migsync leaves them alone.",
            f"To remove it: migsync apply {prunes}",
        )
    are = "is" if len(replaced) == 1 else "are"
    return Texts(
        f"{app}: {text_list(replaced, NAMED)} {are} recorded without a file. By its name, {squash} replaced them.",
        "Django ignores such rows, and migsync leaves them alone.",
        f"To remove them: migsync apply {prunes}",
    )


@entry("unknown-record", Severity.WARNING)
def unknown_record(*, migration: Key, row: int | None, seen: Mapping[str, str]) -> Texts:
    """No file, no `replaces` and no rewrite explains a record.

    A migration of this name ran in this database once. Its file was renamed without a rewrite, or removed. Django
    ignores the record; migsync leaves it alone, but does not call the database up to date.

    If the file was renamed, say so with `--map`. If the migration is gone for good, remove the record with `--prune`,
    or keep it with `leftovers` in pyproject.toml.
    """
    return Texts(
        f"{migration} is recorded (row {row}), but no file, `replaces` or rewrite explains it.",
        f"{_seen(migration, seen)} Django ignores it, and migsync leaves it alone.".lstrip(),
        f"If it was renamed: migsync plan --map {migration}=NEW\nIf it is a leftover: migsync plan --prune {migration}",
    )


@entry("records-not-on-disk", Severity.WARNING)
def records_not_on_disk(*, alias: str, migration: Key, records: int) -> Texts:
    """A database holds names that are not on disk, so the graph may show an applied migration as not applied.

    The graph compares names only. A migration that was renamed, and that this database knows under its old name, is
    shown as not applied there. `migsync plan` finds out what became of the old names.
    """
    return Texts(
        f"{alias} holds {count(records, 'record')} of names that are not on disk, {migration} first.",
        "What is shown as not applied there may be applied under such a name.",
        f"To see what became of them: migsync plan -d {alias}",
    )


@entry("lost-app", Severity.ERROR)
def lost_app(*, app: str, other: str, shared: Sequence[str], names: Sequence[str]) -> Texts:
    """An app without records may have had another label.

    No migration of this app is recorded here, and a label that is not installed has records of the same names. If the
    label was changed in the code alone, `migrate` would run all migrations of the app again, on tables that exist.

    If the label was changed, `migsync rename-app` changes the records. If it was not, remove the records of the old
    label with `--prune`, or keep them with `leftovers` in pyproject.toml.
    """
    return Texts(
        f"{app} has no records here, but {other}, which is not installed, has records of the same names: "
        f"{sample(shared, 1)}.",
        f"If the label of the app was changed from {other} to {app}, `migrate` would run its migrations a second time.",
        f"If it was: migsync rename-app {other} {app} --update-db\nIf not, remove the rows: --prune {other}\n"
        + keep_hint([Key(other, name) for name in names]),
    )


@entry("nothing-to-prune", Severity.WARNING)
def nothing_to_prune(*, app: str, name: str = "", near: Sequence[str] = ()) -> Texts:
    """`--prune` names records that this database does not hold.

    Nothing was removed for this name. It may be misspelled, or the records are gone already; another database may still
    have them.
    """
    meaning = f"Did you mean {text_list(near, last='or')}?" if near else ""
    return Texts(f"--prune {app}{name and '.'}{name}: no such record here.", meaning)


def _seen(key: Key, seen: Mapping[str, str]) -> str:
    return f"The file of {key.name} was last seen in {seen[str(key)]}." if str(key) in seen else ""


def _rows(rows: Sequence[tuple[Key, int | None]]) -> str:
    """The records with the ids of their rows: all, since a record that nothing explains is always named."""
    return text_list(f"{key} (row {row})" for key, row in rows)
