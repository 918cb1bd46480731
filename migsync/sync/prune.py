"""Rows that a person asks to remove, by their names or by patterns (``--prune``)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from migsync.errors import UsageError
from migsync.findings import Finding
from migsync.findings.records import nothing_to_prune
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.labels import Labels
from migsync.rewrites.rows import TrackedRow
from migsync.rewrites.translation import UNDECIDED
from migsync.sync.plan import Plan
from migsync.sync.unknown_records import leftover_records
from migsync.words import similar

PATTERN = re.compile(r"[*?]")
EVERY = "*.*"
"""The pattern for every leftover."""


def patterns_in(asked: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """What of `asked` are patterns, and what are names; raises UsageError for a pattern that no record can fit."""
    patterns = [text for text in asked if PATTERN.search(text)]
    for text in patterns:
        if "." not in text:
            raise UsageError(
                f"--prune {text}: a pattern needs an app and a name.",
                "It is compared with APP.NAME of each leftover.",
                f"For all leftovers of an app: --prune {shlex.quote(f'{text}.*')}",
            )
    return patterns, tuple(text for text in asked if text not in patterns)


def _fits(name: str, pattern: str) -> bool:
    # A name may have a bracket in it, which begins a set of characters otherwise.
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def matching(plan: Plan, patterns: Sequence[str]) -> tuple[tuple[str, ...], list[Finding]]:
    """The leftovers of a plan that `patterns` fit, and a finding for each pattern that fits none.

    A leftover is a record without a file that nothing explains. All else that a pattern could fit stays: what a
    pattern fits nobody has typed.
    """
    undecided = any(finding.code in UNDECIDED for finding in plan.findings)
    names = [] if undecided else list(map(str, leftover_records(plan.findings)))
    found = [name for name in names if any(_fits(name, pattern) for pattern in patterns)]
    findings = []
    for pattern in patterns:
        if pattern != EVERY and not any(_fits(name, pattern) for name in names):
            app, _, name = pattern.partition(".")
            near = similar(app, {each.partition(".")[0] for each in names})
            findings.append(
                nothing_to_prune(app=app, name=name, near=[f"{each}.{name}" for each in near if each != app])
            )
    return tuple(found), findings


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
