"""Rows that a person asks to remove, by their names (``--prune``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.errors import UsageError
from migsync.findings import Finding
from migsync.findings.records import nothing_to_prune
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.labels import Labels
from migsync.rewrites.rows import TrackedRow
from migsync.words import similar


def prune(
    rows: Sequence[TrackedRow], history: History, asked: Sequence[str], positions: Mapping[str, str], labels: Labels
) -> tuple[list[TrackedRow], list[Finding]]:
    """Remove the rows that `asked` names (``app.name``, or ``app`` for an app that is not installed any more).

    Raises UsageError for rows that must stay: those of an installed third-party app, and those of a migration that is
    on disk, unless the person also states the app's position and so says that the row is a leftover.
    """
    found: list[Finding] = []
    for text in asked:
        app, _, name = text.partition(".")
        _refuse(history, app, name, positions, labels)
        count = 0
        kept: list[TrackedRow] = []
        for row in rows:
            hit = row.now is not None and row.now.app == app and name in ("", row.now.name)
            count += hit
            kept.append(row.removed("prune") if hit else row)
        rows = kept
        if not count:
            names = {row.now.key for row in rows if row.now and row.now.key not in history.migrations}
            near = similar(text, {str(key) if name else key.app for key in names})
            found.append(nothing_to_prune(app=app, name=name, near=near))
    return list(rows), found


def _refuse(history: History, app: str, name: str, positions: Mapping[str, str], labels: Labels) -> None:
    today = labels.today(app)
    if app not in history.apps and today in history.first_party and today not in positions:
        raise UsageError(
            f"--prune {app}{name and '.'}{name}: the app {app} has the label {today} now.",
            "Its records become those of that app. Without them, Django would run its migrations again.",
            f"If they are leftovers, also state the position of {today}: --position {today}=REWRITE (or none)",
        )
    if app in history.apps and app not in history.first_party:
        raise UsageError(
            f"--prune {app}: {app} is installed, but is not this project's own app.",
            "migsync never changes the records of installed packages.",
            f"Leave out --prune {app}. You can remove its records when the package is no longer installed.",
        )
    if app in history.apps and not name:
        raise UsageError(
            f"--prune {app}: {app} is still installed.",
            "Without its records, Django would run all its migrations again.",
            f"Name each record to be removed: --prune {app}.NAME",
        )
    if Key(app, name) in history.migrations and app not in positions:
        raise UsageError(
            f"--prune {app}.{name}: this migration is on disk.",
            "Without its record, Django would run it again.",
            "If the record is a leftover of another migration, also state the position of the app: "
            f"--position {app}=REWRITE (or none)",
        )
