"""About the position of a database: which rewrites its records have been through, by their names and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings import commands
from migsync.findings.commands import look_at, migsync, position, prune
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("no-position", Severity.ERROR)
def no_position(
    *,
    app: str,
    old: Sequence[str],
    new: Sequence[str],
    journaled: bool = False,
    taken_back: bool = False,
    alias: str = "",
) -> Texts:
    """The records of an app have old names and new names together, so they fit no position.

    A rewrite changes all names of an app at once. So a database has the names from before a rewrite, or the names from
    after it. Here the records have both. One of these is the reason:

    - Somebody renamed some of the records by hand, or used `migrate --fake`.
    - A part of a backup was restored.
    - After an undo, migrations were recorded before the rewrite was applied again.

    If migsync guessed, Django might run a migration twice, or never. Compare the records with the files:

    - If some records are leftovers, remove them with `--prune`.
    - If you know which rewrite was applied last to these records, state it with `--position`. migsync then applies only
      the rewrites that come after it.
    """
    journal = "\nThe journal says that rewrites gave the new names." if journaled else ""
    return Texts(
        f"The records of {app} have old names and new names together.\n"
        f"Old: {text_list(old) or 'none'}\nNew: {text_list(new) or 'none'}{journal}",
        "Some were recorded before an undo and some after it, and the journal does not say what their names mean."
        if taken_back
        else "Some records were changed by hand or with --fake, so no rewrite fits all of them.",
        look_at(app, alias),
    )


@entry("open-position", Severity.ERROR)
def open_position(*, app: str, positions: int, choices: Sequence[str], alias: str = "") -> Texts:
    """The records of an app fit more than one position.

    A name was used more than once: over time, `0002_b` was the name of two different migrations. So the names alone do
    not show which rewrites have been applied to these records. This database has no journal that says so. migsync
    compared the names, the order and the times of the records with the rewrites. Several positions fit, and they would
    lead to different records.

    State with `--position` which rewrite was applied last to this database, or `none`. If you do not know, find out
    which release was deployed when the records were made (the column `applied`), and which rewrites it contained.
    """
    return Texts(
        f"Names of {app} were used more than once, and its records fit {positions} positions.",
        "The names, the order and the times of the records do not show which one is right.",
        "State which rewrite was applied last to this database:\n"
        + "\n".join(position(app, choice, alias) for choice in choices),
    )


@entry("doubtful-name", Severity.ERROR)
def doubtful_name(
    *,
    migration: Key,
    applied: str,
    rewrite: str,
    created: str,
    unseen_journal: str = "",
    file: str,
    position: str = "",
    alias: str = "",
) -> Texts:
    """A record is older than the rewrite that introduced its name.

    Before the rewrite existed, no migration had this name, unless it was another one. There are two possibilities:

    - The record was renamed, but no journal in this database says so.
    - The record is a leftover of an earlier migration with the same name. Then the migration on disk has never run
      here.

    Find out which one is true. For example, look whether the database has the columns that the migration on disk adds.
    If the record was renamed, state the rewrite with `--position`. If it is a leftover, remove it with `--prune`.

    If your databases never keep a journal, set `journal = false` in pyproject.toml. Then migsync does not use the time
    of a record as evidence.
    """
    journal = (
        "migsync cannot see whether a journal says that it was applied here."
        if unseen_journal
        else "No journal says that it was applied here."
    )
    leftover = migsync("plan", "--prune", migration, "--position", f"{migration.app}=none", alias=alias)
    return Texts(
        f"{migration} was recorded at {applied}. The rewrite {rewrite} introduced this name only at {created}.",
        f"{journal}\n"
        "Either the record was renamed by other means, or it is a leftover and the migration on disk never ran here.",
        (f"{unseen_journal}\n" if unseen_journal else "")
        + f"If it was renamed: {commands.position(migration.app, position or rewrite, alias)}\n"
        f"If it is a leftover: {leftover}\n"
        "If your databases never keep a journal, set journal = false in pyproject.toml, under [tool.migsync].",
    )


@entry("label-used-again", Severity.ERROR)
def label_used_again(*, app: str, label: str, rewrite: str, file: str, alias: str = "") -> Texts:
    """Two apps have had the same label, and the records of this database may belong to either.

    A rewrite gave an app a new label, and later a new app got the old label. If this database has not applied the
    rewrite, the records under that label belong to the old app. If it has, they belong to the new app. No journal says
    which is true.

    Look at the names of the records.

    - If they are names of the new app, state with `--position` that the rewrite was applied.
    - If they are names of the old app, run `migsync apply` with the files of a commit from before the label was used
      again.
    """
    return Texts(
        f"{label} is the label of an app of this project. Until {rewrite}, it was the label of {app}.",
        "No journal says that this rewrite was applied here, so the records may belong to either app.",
        f"If they belong to {label} as it is today: {position(app, rewrite, alias)}\n"
        f"If they belong to {app}, run migsync apply with the files of a commit from before {label} was used again.",
    )


@entry("two-labels", Severity.ERROR)
def two_labels(*, app: str, rows: Mapping[str, Sequence[int]], alias: str = "") -> Texts:
    """Some records of an app have its old label, and others have its new label.

    The app got a new label in the code. Then `migrate` recorded migrations under the new label, before `migsync apply`
    had moved the older records. Often this was `migrate --fake`, or `migrate` ran all migrations of the app a second
    time. So it is not certain which migrations have run, and how often.

    Check whether the tables and the data are right.

    - If a migration is recorded under both labels, `--dedupe` keeps the earlier record.
    - If all records are right, state with `--position` which rewrite their names are from.
    """
    listed = "\n".join(f"{label}: rows {text_list(ids)}" for label, ids in sorted(rows.items()))
    return Texts(
        f"The records of {app} have more than one label.\n{listed}",
        "Migrations were recorded under the new label before the older records were moved to it, by `migrate` or by "
        "hand. It is not certain which of them ran.",
        f"If migrations are recorded twice, keep the earlier record: {migsync('plan', '--dedupe', alias=alias)}\n"
        f"If all records are right, state the last rewrite: {position(app, 'REWRITE', alias)}",
    )


@entry("old-label", Severity.WARNING)
def old_label(*, app: str, becomes: str, names: Sequence[str], alias: str = "") -> Texts:
    """Some records have a label that their app no longer has in this database.

    The journal says that the records of the app already got the new label here. Those under the old label were made
    later, usually by an older release that was still running.

    Django ignores these records, and migsync leaves them as they are. If the migrations ran a second time under the old
    label, check the tables. Remove the records with `--prune` when nothing needs them.
    """
    return Texts(
        f"{text_list((f'{app}.{name}' for name in names), 1)} {'is' if len(names) == 1 else 'are'} recorded. But the "
        f"journal says that {app} has become {becomes} in this database.",
        f"Django ignores {'this record' if len(names) == 1 else 'these records'}, and migsync leaves "
        f"{'it as it is' if len(names) == 1 else 'them as they are'}.",
        f"To remove all records of {app}: {prune(app, alias=alias)}",
    )
