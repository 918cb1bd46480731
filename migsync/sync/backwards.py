"""Backwards: rows brought back to before rewrites that the journal knows and the disk does not (any more).

A branch switch or a revert takes rewrite files away. The journal's before-images bring the touched rows back; rows
that were recorded since, under names that such a rewrite gave, get the old names from the journal's copy of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from migsync.findings import Finding, Severity
from migsync.records.record import Record
from migsync.rewrites.order import Rewrites
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.translate import Row, backward
from migsync.sync.plan import Change
from migsync.sync.run import Run, passed_rewrites, standing


@dataclass(frozen=True)
class Back:
    """`passed` are the rewrites, by id, that the rows have been through; `returned` those that were taken back."""

    rows: list[Row]
    passed: Mapping[str, Rewrite]
    returned: tuple[Rewrite, ...] = ()
    findings: tuple[Finding, ...] = ()


def bring_back(rows: Sequence[Row], runs: Sequence[Run], rewrites: Rewrites, apps: Collection[str]) -> Back:
    """Take back the newest runs, as many as it needs until no rewrite was passed that is not on disk."""
    stand = standing(runs)
    passed = before = passed_rewrites(stand)
    now, findings = list(rows), list[Finding]()
    while stand and any(_unknown(rewrite, rewrites, apps) for rewrite in before.values()):
        run = stand.pop()
        before = passed_rewrites(stand)
        cause = f"back from run {run.id[:12]}"
        now, problems = revert(now, run.changes, cause)
        findings += problems
        gone = [rewrite for rewrite in run.passed if rewrite.id not in before]
        now = _under_old_names(now, gone, {row.now for row in now if row.cause == cause})
    returned = tuple(rewrite for identity, rewrite in passed.items() if identity not in before)
    if returned and not findings:
        findings.append(_announce([rewrite for rewrite in returned if _unknown(rewrite, rewrites, apps)]))
    return Back(now, before, returned, tuple(findings))


def _unknown(rewrite: Rewrite, rewrites: Rewrites, apps: Collection[str]) -> bool:
    return rewrite.id not in rewrites.by_id and not rewrite.labels.isdisjoint(apps)


def _under_old_names(rows: Sequence[Row], gone: Sequence[Rewrite], done: Collection[Record | None]) -> list[Row]:
    """Old names for the rows that no before-image has brought back."""
    kept = [row for row in rows if row.now in done]
    others = [row for row in rows if row.now not in done]
    for rewrite in reversed(gone):
        for app in rewrite.apps:
            others = backward(others, app, rewrite)
    brought = {row.now.key for row in kept if row.now}
    return kept + [row for row in others if row.origin or row.now is None or row.now.key not in brought]


def revert(rows: Sequence[Row], changes: Iterable[Change], cause: str) -> tuple[list[Row], list[Finding]]:
    """Put the before-images of `changes` back; a finding for every row that is not as the change left it."""
    now = list(rows)
    findings: list[Finding] = []
    by_id = {row.now.id: place for place, row in enumerate(rows) if row.now and row.now.id is not None}
    by_content = {row.now._replace(id=None): place for place, row in enumerate(rows) if row.now}
    for change in reversed(tuple(changes)):
        after = change.after
        if after is None:
            now.append(Row(None, change.before, cause))
            continue
        place = by_content.get(after) if after.id is None else by_id.get(after.id)
        found = now[place].now if place is not None else None
        if place is None or found is None or not after.same_row(found):
            findings.append(_changed_since(after))
        else:
            now[place] = Row(now[place].origin, change.before, cause)
    return now, findings


def _changed_since(after: Record) -> Finding:
    return Finding(
        "row-changed",
        Severity.ERROR,
        f"{after.key} (row {after.id}, applied {after.applied}) is not as migsync left it.",
        "It was changed or removed since, by other means; its before-image may not fit any more.",
        "Look at the row, and put it as it was, or change the rows by hand.",
        app=after.app,
        name=after.name,
    )


def _announce(gone: Sequence[Rewrite]) -> Finding:
    names = ", ".join(f"{rewrite.id[:12]} ({rewrite.command}, made {rewrite.created})" for rewrite in gone)
    return Finding(
        "older-history",
        Severity.INFO,
        f"This database has been through {names}, of which there is no file.",
        "The files are those of an older history (another branch, or a revert); the rows go back to its names.",
    )
