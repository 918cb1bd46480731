"""About the position of a database: which rewrites its records have been through, by their names and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import sample


@entry("no-position", Severity.ERROR)
def no_position(
    *, app: str, old: Sequence[str], new: Sequence[str], journaled: bool = False, taken_back: bool = False
) -> Texts:
    """The records of an app have old and new names together, so that no rewrite fits all of them.

    A rewrite changes all names of an app at once. A database has either the names from before it or those from after
    it. Here it has both. Somebody renamed some rows by hand, ran `migrate --fake`, or restored a part of a backup.
    After an undo it can also happen that rows were recorded in between.

    If migsync guessed, Django might run a migration twice, or never. Compare the rows with the files. If some rows are
    leftovers, remove them with --prune. If you know from which rewrite the names of the rows are, state it with
    --position; migsync then changes only what later rewrites changed.
    """
    journal = "\nThe journal says that rewrites have given the new names here." if journaled else ""
    return Texts(
        f"{app}: the records have old names and new names together.\n"
        f"Old: {', '.join(old) or 'none'}\nNew: {', '.join(new) or 'none'}{journal}",
        "Some rows were recorded before an undo and some after it, and the journal does not say which names they mean."
        if taken_back
        else "Rows were changed by hand or with --fake, so no rewrite fits all of them.",
        f"Look at the rows of {app} in django_migrations. To remove a leftover: migsync plan --prune {app}.NAME\n"
        f"If you know which rewrite the names are from, state it: migsync plan --position {app}=REWRITE",
    )


@entry("open-position", Severity.ERROR)
def open_position(*, app: str, positions: int, choices: Sequence[str]) -> Texts:
    """The records of an app fit more than one point of its history of names.

    A name was used again: over time, `0002_b` meant two different migrations. Without a journal in this database,
    migsync compares names, order and times of the records with the rewrites. Here several rewrites fit, and they
    would lead the rows to different names.

    State with --position which rewrite this database has applied last, or `none`. If you do not know, look which
    release was deployed here when the rows were recorded (the column `applied`), and which rewrites it had.
    """
    return Texts(
        f"{app}: names were used more than once, and the records fit {positions} points in the history of names.",
        "The names, order and times of the records do not tell which one is right, and the rows would end differently.",
        "State the last rewrite that this database has applied, one of:\n"
        + "\n".join(f"migsync plan --position {app}={choice}" for choice in choices),
    )


@entry("doubtful-name", Severity.ERROR)
def doubtful_name(
    *, migration: Key, applied: str, rewrite: str, created: str, unseen_journal: str = "", file: str
) -> Texts:
    """A row has a name that a rewrite introduced later than the row was applied.

    Nobody could record this name before the rewrite existed, unless it meant another migration. Either the row was
    renamed, and no journal in this database says so; or it is a leftover of an earlier migration with the same name,
    and the migration on disk has never run here.

    Find out which of the two it is, for example by looking whether the database has the columns that the migration on
    disk adds. If the row was renamed, state the rewrite with --position. If it is a leftover, remove it with --prune.
    For databases that are always changed without a journal, set `journal = false` in pyproject.toml: then the time of a
    row counts as no evidence.
    """
    journal = "no journal says that it was applied here"
    if unseen_journal:
        journal = "migsync cannot see whether a journal says that it was applied here"
    return Texts(
        f"{migration} was recorded at {applied}, before {rewrite} introduced this name ({created}), and {journal}.",
        "Either the row was renamed by other means, or it is a leftover of another migration and the one on disk has "
        "never run here.",
        (f"{unseen_journal}\n" if unseen_journal else "")
        + f"If it was renamed: migsync plan --position {migration.app}={rewrite}\n"
        f"If it is a leftover: migsync plan --prune {migration} --position {migration.app}=none\n"
        "If these databases never keep a journal, set journal = false in pyproject.toml, under [tool.migsync].",
    )


@entry("label-used-again", Severity.ERROR)
def label_used_again(*, app: str, label: str, rewrite: str, file: str) -> Texts:
    """Two apps have had the same label, and the rows of this database may belong to either.

    A rewrite gave an app another label, and a newer app has the old label now. Records under that label are of the old
    app where the database has not applied the rewrite yet, and of the new one where it has. No journal says which.

    Look at the names of the rows. If they are the new app's, say that the rewrite is applied, with --position. If they
    are the old app's, check out a commit in which no app has the label a second time, and run `migsync apply` there.
    """
    return Texts(
        f"{label} is an app of this project, and until {rewrite} it was the label of {app}.",
        "No journal says that this database has applied that rewrite, so its rows may belong to either app.",
        f"If they belong to {label} as it is today: migsync plan --position {app}={rewrite}\n"
        f"If they belong to {app}, run migsync apply with the files of a commit from before {label} was used again.",
    )


@entry("two-labels", Severity.ERROR)
def two_labels(*, app: str, rows: Mapping[str, Sequence[int]]) -> Texts:
    """Some rows of an app have its old label, and others its new one.

    After the app got another label in code, `migrate` recorded migrations under the new label before `migsync apply`
    had moved the older rows. Often this was `migrate --fake`, or `migrate` ran the app's migrations a second time. So
    it is not certain which of them have run, and how often.

    Check whether the schema and the data are right. If migrations are recorded under both labels, --dedupe keeps the
    earlier row of each. If all rows are right, state with --position from which rewrite their names are.
    """
    said = "\n".join(f"{label}: rows {', '.join(map(str, ids))}" for label, ids in sorted(rows.items()))
    return Texts(
        f"{app}: rows are recorded under more than one label.\n{said}",
        "Migrations were recorded under one label before the older rows were moved to it, by migrate --fake or by "
        "hand. It is not certain which of them ran.",
        "Where two rows name one migration, keep the earlier one: migsync plan --dedupe\n"
        f"If all of them ran, state which rewrite their names are from: migsync plan --position {app}=REWRITE",
    )


@entry("old-label", Severity.WARNING)
def old_label(*, app: str, becomes: str, names: Sequence[str]) -> Texts:
    """Rows have a label that their app no longer has in this database.

    The journal of this database says that the app's rows got the new label. Rows under the old label were recorded
    later, usually by a release from before the change that was still running.

    Django ignores the rows, and migsync leaves them as they are. If the migrations ran a second time under the old
    label, check the schema. Remove the rows with --prune when nothing needs them.
    """
    return Texts(
        f"{app}.{sample(names, 1)} is recorded, but by the journal of this database, {app} became {becomes} here.",
        "Django ignores these rows, and migsync leaves them as they are.",
        f"If they are leftovers, remove them: migsync plan --prune {app}",
    )
