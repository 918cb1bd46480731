"""Rows under a label that their app no longer has: taken to the label of today before anything else is decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migsync.findings import Finding
from migsync.findings.positions import label_used_again, old_label, two_labels
from migsync.history.migration import Key
from migsync.rewrites.labels import Labels
from migsync.rewrites.record import Record
from migsync.rewrites.rows import TrackedRow, dedupe
from migsync.rewrites.split import Reversals


@dataclass(frozen=True)
class Bounds:
    """What a label proves: the rewrites (ids) that the rows have been through, and those that they have not."""

    through: frozenset[str] = frozenset()
    ahead: frozenset[str] = frozenset()


NO_BOUNDS = Bounds()


@dataclass(frozen=True)
class Relabelling:
    """The rows under the labels of today, and what their old ones prove, app by app."""

    rows: list[TrackedRow]
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def relabel(
    rows: Sequence[TrackedRow],
    labels: Labels,
    *,
    installed: Collection[str],
    scope: Collection[str],
    journaled: Collection[str],
    stated: Mapping[str, Collection[str]],
    taken_back: Collection[str],
    keep_earliest: bool,
) -> Relabelling:
    """Give every row of an app in `scope` its label of today; of doubles that come about so, the earliest may be kept.

    `installed` are all labels of the project. `journaled` are the rewrites that the target has been through, by its
    journal; `stated`, for some apps, those that a person says; `taken_back` those that it was taken back from, so that
    rows recorded before that bear the label of then. A label that another app bears now is refused where nothing tells
    whose the rows are.
    """
    if not labels.steps:
        return Relabelling(list(rows))
    findings: list[Finding] = []
    now: dict[str, str] = {}
    for label in sorted({row.now.app for row in rows if row.now} & {step.old for step in labels.steps}):
        app = labels.today(label, journaled)
        if app == label:
            # The journal says that the rows of the app have got its new label: what bears the old one is none of them.
            if label not in installed and labels.today(label) in scope:
                names = [row.now.name for row in rows if row.now and row.now.app == label]
                findings.append(old_label(app=label, becomes=labels.today(label), names=names))
        # Two apps have borne the label, and nothing but the person's word tells whose rows these are.
        elif label in installed:
            if labels.path(label, journaled)[0].rewrite.id not in stated.get(app, ()):
                step = labels.path(label)[0].rewrite
                findings.append(label_used_again(app=app, label=label, rewrite=step.label, file=step.path))
        elif app in scope:
            now[label] = app
    # The old label of a row is evidence for its position. It is noted here, before the row gets another one.
    bearing = [row.now.app if row.now else "" for row in rows]
    changed = [_relabelled(row, now, labels, journaled) for row in rows]
    changed, doubles = dedupe(changed, scope, keep_earliest) if now else (changed, [])
    by_app: dict[str, dict[str, list[TrackedRow]]] = {}
    for label, row in zip(bearing, changed, strict=True):
        if row.now is not None and row.now.app in scope:
            by_app.setdefault(row.now.app, {}).setdefault(label, []).append(row)
    # After an undo, rows from before the run and rows recorded since stand side by side under two labels: no mistake.
    both = {
        app: found
        for app, found in by_app.items()
        if len(found) > 1 and not labels.steps_of(app).isdisjoint(taken_back)
    }
    mixed = {app: found for app, found in by_app.items() if len(found) > 1 and app not in (*stated, *both)}
    findings += [two_labels(app=app, rows=_ids(found)) for app, found in mixed.items()]
    findings += [finding for finding in doubles if finding.app not in mixed]
    # Of two labels the old one bounds the position of the app; rows under the new one get their own (:mod:`~.split`).
    bearing_now = {app: min(found, key=lambda label: label == app) for app, found in by_app.items()}
    bounds = {app: _bounds(app, label, labels, journaled) for app, label in bearing_now.items()}
    return Relabelling(changed, bounds, tuple(findings))


def under_labels(reversals: Reversals, labels: Labels) -> Reversals:
    """`reversals` with its rows under the labels of today."""

    def today(row: Record | None) -> Record | None:
        return row._replace(app=labels.today(row.app)) if row and labels.steps else row

    return replace(reversals, rows=tuple((today(now), today(then)) for now, then in reversals.rows))


def _relabelled(row: TrackedRow, now: Mapping[str, str], labels: Labels, journaled: Collection[str]) -> TrackedRow:
    if row.now is None or row.now.app not in now:
        return row
    cause = labels.path(row.now.app, journaled)[-1].rewrite.label
    return row.renamed(Key(now[row.now.app], row.now.name), cause)


def _bounds(app: str, label: str, labels: Labels, journaled: Collection[str]) -> Bounds:
    """What rows under `label` prove about the rewrites that changed the label of `app`.

    Where a rewrite made shop store, rows under shop have not been through it, and rows under store have. A label that
    the app has borne twice (shop, store, shop) proves nothing.
    """
    steps = labels.bearers(app, labels.steps_of(app))
    ahead = labels.bearers(app, {step.rewrite.id for step in labels.path(label, journaled)})
    if not steps or (label == app and ahead):
        return NO_BOUNDS
    return Bounds(steps - ahead, ahead)


def _ids(found: Mapping[str, Sequence[TrackedRow]]) -> dict[str, list[int]]:
    """The ids of the rows, by what the rows are recorded under."""
    return {label: [row.origin.id or 0 for row in rows if row.origin] for label, rows in found.items()}
