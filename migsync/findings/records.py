"""About records of the project's own apps that no file explains."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from migsync.findings.commands import keep_hint, migsync, old_files, prune
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5


@entry("leftover-on-disk", Severity.ERROR)
def leftover_on_disk(*, migration: Key) -> Texts:
    """A record is listed in `leftovers`, and a migration file has the same name.

    The setting `leftovers` in pyproject.toml lists records of migrations that no longer have a file. Django identifies
    a migration by its app and its name. So in every database that has the record, Django takes the file for applied and
    never runs it.

    - If the file is another migration than the one that was recorded, rename the file.
    - If the record belongs to the file, remove it from `leftovers`.
    """
    return Texts(
        f"{migration} is listed in `leftovers` and recorded here, but a migration file has this name.",
        "If the record is a leftover, Django takes the file for applied and never runs it.",
        "If the file is another migration, rename it. If it is the one that was recorded, remove the name from "
        "`leftovers` in pyproject.toml.",
    )


@entry("perhaps-ran", Severity.ERROR)
def perhaps_ran(
    *,
    app: str,
    name: str,
    rows: Sequence[tuple[Key, int | None]],
    files: Sequence[Key],
    seen: Mapping[str, str],
    alias: str = "",
) -> Texts:
    """A migration that is not recorded may have run already, under another name.

    The app has records that no file, no `replaces` and no rewrite explains. It also has files that are not recorded.
    There are two possibilities, and names alone do not show which one is true:

    - A file was renamed. Then `migrate` would run it a second time, and fail with "table already exists" or change data
      twice.
    - The records are leftovers of migrations that were deleted. Then `migrate` must run the files.

    Compare the old file with the new one; git usually has both. Then say which it is:

    - `--map` for a file that was renamed
    - `--prune` to remove the record of a migration that was deleted
    - `leftovers` in pyproject.toml to keep such a record

    Where migsync can read the git history, it often finds out by itself.
    """
    keys = [key for key, _ in rows]
    one = len(keys) == 1
    where = " ".join(_seen(key, seen) for key in keys if str(key) in seen)
    return Texts(
        f"{_rows(rows)} {'is' if one else 'are'} recorded, but no file, `replaces` or rewrite explains "
        f"{'it' if one else 'them'}.\n{_unrecorded(files, one=one)}",
        f"{where} If a file was renamed, `migrate` would run it a second time.".lstrip(),
        f"{_said(app, keys, files)}\n"
        f"If not, remove the {'record' if one else 'records'}: {prune(*keys, alias=alias)}\n{keep_hint(keys)}",
    )


def _unrecorded(files: Sequence[Key], *, one: bool) -> str:
    """What files that are not recorded may be; `one`: there is one record that nothing explains."""
    listed = text_list(files, NAMED)
    if len(files) == 1:
        same = "the same migration under a new name" if one else "one of these migrations under a new name"
        return f"{listed} is not recorded, and may be {same}."
    if one:
        return f"{listed} are not recorded, and one of them may be the same migration under a new name."
    return f"{listed} are not recorded, and may be these migrations under new names."


def _said(app: str, keys: Sequence[Key], files: Sequence[Key]) -> str:
    """What to type where a file is what ran; with several files, one example for each of the first."""
    if len(keys) == 1:
        stated = (migsync("plan", "--map", f"{keys[0]}={file.name}") for file in files[:NAMED])
        return "If it was renamed: " + "\nOr: ".join(stated)
    if len(files) == 1:
        olds = "+".join(key.name for key in keys)
        return (
            f"If one of them was renamed: {migsync('plan', '--map', f'{app}.OLD={files[0].name}')}\n"
            f"If the file holds them all: {migsync('plan', '--collapse', f'{files[0]}={olds}')}"
        )
    return f"If they were renamed, say so with one --map for each: {migsync('plan', '--map', f'{app}.OLD=NEW')}"


@entry("on-another-branch", Severity.INFO)
def on_another_branch(*, migration: Key, row: int | None, branch: str, alias: str = "") -> Texts:
    """A record belongs to a migration of another git branch.

    Somebody ran `migrate` on this database with a branch whose migrations are not in this checkout. Django ignores the
    record, and migsync leaves it as it is. When the branch is merged, the file explains the record again, so there is
    nothing to do.

    If the branch will not be merged, unapply its migrations with its files: switch to it, run `migrate` with the name
    of the last migration that both branches have, and switch back.
    """
    return Texts(
        f"{migration} is recorded (row {row}). Its file is on the branch {branch} and was never on this one.",
        "Django ignores this record, and migsync leaves it as it is.",
        f"If {branch} will not be merged, unapply its migrations with its files. NAME is the last migration before "
        f"them:\n{old_files(shlex.quote(branch), migration.app, 'NAME', alias)}",
    )


@entry("squashed-record", Severity.INFO)
def squashed_record(*, app: str, name: str, squash: str, replaced: Sequence[str], alias: str = "") -> Texts:
    """A record is left over from a squash.

    While a squash has `replaces`, Django records the squash and the migrations that it replaces. Later, `replaces` and
    the old files are removed from the project, but the records stay. Here the names show that this is such a record: it
    lies in the range that a recorded squash names, or it is itself a squash of a range that is recorded.

    Django ignores these records, so there is nothing to do. You can remove them with `--prune`, or those of all apps
    with `--prune-leftovers`.
    """
    gone = replaced or [name]
    one = len(gone) == 1
    return Texts(
        f"{app}: {text_list(gone, NAMED)} {'is' if one else 'are'} recorded without a file. "
        + (
            f"To judge by the names, {squash} replaced {'it' if one else 'them'}."
            if replaced
            else "To judge by its name, it was a squash of migrations that are recorded too."
        ),
        f"Django ignores {'this record' if one else 'these records'}, and migsync leaves {'it' if one else 'them'} as "
        f"{'it is' if one else 'they are'}.",
        f"To remove {'it' if one else 'them'}: {prune(*_names(app, gone), alias=alias)}",
    )


def _names(app: str, names: Sequence[str]) -> list[str]:
    """What to prune: each of a few records, or all leftovers of the app."""
    return [f"{app}.{name}" for name in names] if len(names) <= NAMED else [f"{app}.*"]


@entry("unknown-record", Severity.WARNING)
def unknown_record(*, migration: Key, row: int | None, seen: Mapping[str, str], alias: str = "") -> Texts:
    """A migration is recorded, but no file, no `replaces` and no rewrite explains the record.

    A migration of this name ran in this database once. Since then its file was renamed without a rewrite, or deleted.
    Django ignores the record. migsync leaves it as it is, but does not report the database as up to date.

    - If the file was renamed, say so with `--map`.
    - If the migration was deleted for good, remove the record with `--prune`.
    - To keep the record, list it under `leftovers` in pyproject.toml.
    """
    return Texts(
        f"{migration} is recorded (row {row}), but no file, `replaces` or rewrite explains it.",
        f"{_seen(migration, seen)} Django ignores this record, and migsync leaves it as it is.".lstrip(),
        f"If it was renamed: {migsync('plan', '--map', f'{migration}=NEW')}\n"
        f"If not, remove the record: {prune(migration, alias=alias)}\n{keep_hint([migration])}",
    )


@entry("unknown-records", Severity.WARNING)
def unknown_records(*, app: str, rows: Sequence[tuple[Key, int | None]], alias: str = "") -> Texts:
    """Many records of one app have no file, and no `replaces` and no rewrite explains them.

    Each of them is what `unknown-record` describes: a migration of this name ran in this database once, and its file is
    gone. Often these are leftovers of old squashes, or of a reset.

    - To remove all leftovers of the app, use a pattern: `--prune 'APP.*'`. It matches only records that have no file
      and that nothing explains, whatever else it could match. `--prune-leftovers` does this for all apps.
    - If one of the files was renamed, say so with `--map` first.
    - To keep records, list them under `leftovers` in pyproject.toml.
    """
    names = text_list((key.name for key, _ in rows), NAMED)
    return Texts(
        f"{app}: {len(rows)} records have no file, and no `replaces` or rewrite explains them: {names}.",
        "Django ignores these records, and migsync leaves them as they are.",
        f"To remove them: {prune(f'{app}.*', alias=alias)}",
    )


@entry("records-not-on-disk", Severity.WARNING)
def records_not_on_disk(*, alias: str, migration: Key, records: int) -> Texts:
    """A database has records of migrations that are not on disk, so the graph may be wrong about it.

    The graph compares names only. If a migration was renamed, and this database has recorded it under its old name, the
    graph shows it as not applied there. `migsync plan` finds out what became of the old names.
    """
    return Texts(
        f"{alias} has {count(records, 'record')} of migrations that are not on disk, such as {migration}.",
        "A migration that was applied there under such a name is shown as not applied.",
        f"To find out what became of these names: {migsync('plan', alias=alias)}",
    )


@entry("lost-app", Severity.ERROR)
def lost_app(
    *,
    app: str,
    other: str,
    shared: Sequence[str],
    names: Sequence[str],
    tables: Sequence[str] = (),
    alias: str = "",
) -> Texts:
    """An app without records may have had another label.

    No migration of this app is recorded here. But there are records under a label that is not installed, with the same
    migration names. If only the code got the new label, the records still have the old one, and `migrate` would run all
    migrations of the app again: on tables that exist, or beside them, where the tables have the old label in their
    names. As nearly every app has a migration 0001_initial, this name counts only where the tables of the app exist, or
    where migsync noted that the same operations ran under the old label.

    - If the app has a new label, run `migsync rename-app`. It changes the records.
    - If not, remove the records of the old label with `--prune`, or list them under `leftovers` in pyproject.toml.
    """
    return Texts(
        f"{app} has no records here. {other}, which is not installed, has records with the same names: "
        f"{text_list(shared, 1)}." + (f" Its tables exist: {text_list(tables, 3)}." if tables else ""),
        f"If the app {other} is now called {app}, `migrate` would run its migrations a second time.",
        f"If it is: {migsync('rename-app', other, app, '--update-db')}\n"
        f"If not, remove the records: {prune(other, alias=alias)}\n" + keep_hint([Key(other, name) for name in names]),
    )


@entry("nothing-to-prune", Severity.WARNING)
def nothing_to_prune(*, app: str, name: str = "", near: Sequence[str] = ()) -> Texts:
    """`--prune` names records that this database does not hold, or a pattern that fits none of its leftovers.

    Nothing was removed for this name. It may be misspelled, or the records are gone already; another database may still
    have them. A pattern never matches a record that has a file, or that a rewrite or `replaces` explains.
    """
    meaning = f"Did you mean {text_list(near, last='or')}?" if near else ""
    return Texts(f"--prune {app}{name and '.'}{name}: no such record here.", meaning)


def _seen(key: Key, seen: Mapping[str, str]) -> str:
    return f"The file of {key.name} was last seen in {seen[str(key)]}." if str(key) in seen else ""


def _rows(rows: Sequence[tuple[Key, int | None]]) -> str:
    """The records with the ids of their rows: all, since a record that nothing explains is always named."""
    return text_list(f"{key} (row {row})" for key, row in rows)


@entry("record-gone", Severity.WARNING)
def record_gone(*, migration: Key, row: int, run: str, number: int, insert: str, alias: str = "") -> Texts:
    """A run of migsync wrote a record that is not there any more, and no run removed it.

    migsync's journal keeps every record that a run changed. This one was deleted afterwards: by hand, by `migrate`
    backwards without migsync's guard, or by `migrate --prune`. Its migration is on disk, so `migrate` will run it
    again.

    - If `migrate` unapplied the operations, there is nothing to do.
    - If the operations are still in the database, put the record back with the SQL of the message. It is as it was,
      with its id and its timestamp.

    Records that `migsync undo` or `--prune` removed are not reported.
    """
    return Texts(
        f"Run {number} wrote {migration} into row {row} of django_migrations. This row is gone, and no run removed it.",
        f"`migrate` will run {migration} again. The row was deleted by hand, or by `migrate` backwards without the "
        "guard.",
        f"If its operations were unapplied, there is nothing to do. If not, put the row back:\n{insert}\n"
        f"To see the run: {migsync('show', run, alias=alias)}",
    )
