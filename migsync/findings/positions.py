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
    journal = ", and its journal says that it has been through rewrites that gave the new ones" if journaled else ""
    return Texts(
        f"{app}: the records hold old names ({', '.join(old)}) together with new ones "
        f"({', '.join(new) or 'none'}){journal}.",
        "Rows were recorded before and after an undo, and the journal does not tell which names some of them mean."
        if taken_back
        else "The rows were changed by other means, by hand or with --fake, so that no rewrite fits all of them.",
        f"Look at the rows. Remove a leftover with --prune {app}.NAME, or state which rewrite they have been through: "
        f"--position {app}=REWRITE.",
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
        f"{app}: names were used again, and the records fit {positions} points of the history of names.",
        "Names, order and times of the records do not tell which; the rows would end differently.",
        "State the last rewrite that this database has been through: "
        + " or ".join(f"--position {app}={choice}" for choice in choices),
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
    journal = "no journal says that it was applied to this database"
    if unseen_journal:
        journal = "a journal that would say that it was applied to this database cannot be seen"
    return Texts(
        f"{migration} is recorded since {applied}, before {rewrite} gave a migration "
        f"this name ({created}), and {journal}.",
        "Either its rows were renamed by other means, or this row is a leftover of another migration "
        "and the one on disk never ran here.",
        (f"{unseen_journal}\n" if unseen_journal else "")
        + f"If it was renamed: --position {migration.app}={rewrite}. If it is a leftover: --prune {migration} "
        f"--position {migration.app}=none.\n"
        "If migsync renames without a journal here, say so once: journal = false in [tool.migsync].",
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
        f"{label} is an app of this project, and {app} bore this label until {rewrite}.",
        "No journal says that this database has been through it, so its rows may be those of the one or of the other.",
        f"If they are those of {label} as it is today: --position {app}={rewrite}. If they are {app}'s, apply with "
        "the files of a commit from before the label was used again.",
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
    said = "; ".join(f"{', '.join(map(str, ids))} as {label}" for label, ids in sorted(rows.items()))
    return Texts(
        f"{app}: rows are recorded under more than one label ({said}).",
        "Migrations were recorded under another label before the rows of the first one got it (migrate --fake, or by "
        "hand), so that it is not certain which of them ran, and under which names.",
        "Where two rows name one migration, keep the earlier: --dedupe. If all of them ran, state which rewrite their "
        f"names are from: --position {app}=REWRITE",
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
        f"{app}.{sample(names, 1)} is recorded, and by its journal this "
        f"database has been through the rewrite that made {app} {becomes}.",
        "Django ignores it, and migsync leaves it alone.",
        f"If it is a leftover: --prune {app}",
    )
