"""One target's rows, from the names that are recorded to the names on disk: everything that rewrites say about them.

:func:`translate` is the entry. Per app, it takes the rows to the label of today (:mod:`~migsync.rewrites.row_labels`),
decides which rewrites they have been through (:mod:`~migsync.rewrites.position`), and takes them through the others,
one after the other (:mod:`~migsync.rewrites.split`, :mod:`~migsync.rewrites.rows`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migsync.findings import Finding
from migsync.findings.positions import doubtful_name, label_used_again, no_position, open_position, two_labels
from migsync.findings.rewrites import duplicate_records, never_run, partial_collapse, run_again, two_rows
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.clock import Clock
from migsync.rewrites.labels import Labels
from migsync.rewrites.name_history import NameHistory
from migsync.rewrites.position import KnownContents, Position, decide, forced, nothing_known
from migsync.rewrites.record import Record
from migsync.rewrites.row_labels import NO_BOUNDS, Bounds, relabel, under_labels
from migsync.rewrites.rows import TrackedRow, forward_names
from migsync.rewrites.split import Reversals, Split, onward

UNDECIDED = frozenset(
    entry.code
    for entry in (
        no_position,
        open_position,
        doubtful_name,
        duplicate_records,
        partial_collapse,
        two_labels,
        label_used_again,
    )
)
"""The codes of findings that leave open what a row means, so that nothing can be said about what it becomes."""


@dataclass(frozen=True)
class TranslationOptions:
    """What a person and the target's circumstances say about its rows.

    `positions` maps an app to the last rewrite that the target has been through (file name, beginning of the id, or
    ``none``). `dedupe` keeps the earliest of several rows of one key. `trust_names`: see :func:`position.decide`.
    `unseen_journal` says how to let migsync see a journal that may be there; empty where it is seen, or not there.
    """

    positions: Mapping[str, str] = field(default_factory=dict)
    dedupe: bool = False
    clock: Clock = field(default_factory=Clock)
    trust_names: bool = False
    unseen_journal: str = ""


@dataclass(frozen=True)
class Translation:
    """The rows under the names on disk, as far as the findings do not leave that open.

    `recorded` are the rows before the first rewrite, under the labels of today. `positions` and `name_histories` are
    those of the apps in scope that rewrites change.
    """

    scope: frozenset[str]
    rows: Sequence[TrackedRow]
    recorded: Sequence[Record]
    positions: Mapping[str, Position]
    name_histories: Mapping[str, NameHistory]
    findings: tuple[Finding, ...]

    @property
    def after(self) -> list[Record]:
        """The rows that remain, under the names on disk."""
        return [row.now for row in self.rows if row.now]

    def contradictions(self, records: Sequence[Record]) -> Iterator[Finding]:
        """What would be wrong with the rows afterwards; `records` are those of the target, before anything was done.

        A second look with simpler means, since a mistake here would be silent: Django takes each name at its word.
        """
        after = self.after
        yield from _taken(records, after, self.scope)
        yield from self._run_otherwise(after)

    def _run_otherwise(self, after: Sequence[Record]) -> Iterator[Finding]:
        """`migrate` must run next just what it would have run before the rewrites: nothing twice, nothing never.

        Compared name by name, without the rows' ids: what was recorded, and what was not, is followed through the
        rewrites and must be found recorded, or not, under the names on disk.
        """
        names_after = _names_by_app(after)
        by_app: dict[str, list[Record]] = {}
        for record in self.recorded:
            by_app.setdefault(record.app, []).append(record)
        for app, position in self.positions.items():
            name_history = self.name_histories[app]
            # Rows that an undo has left apart stand at positions of their own: each group is followed from there.
            at: dict[frozenset[str], set[str]] = {position.passed: set()}
            for record in by_app.get(app, ()):
                at.setdefault(position.later.get(record.id, position.passed), set()).add(record.name)
            if not any(name_history.remaining(passed) for passed in at):
                continue
            unrecorded = name_history.names(position.passed) - at[position.passed]
            waiting = _onward(unrecorded, name_history, position.passed)
            ran = {name for passed, names in at.items() for name in _onward(names, name_history, passed)}
            recorded = names_after.get(app, set())
            on_disk = set(name_history.history.names(app))
            # A squash that is recorded without the rows of what it took up is in both: it ran.
            for name in sorted((waiting - ran) & recorded & on_disk):
                yield never_run(migration=Key(app, name))
            for name in sorted((ran & on_disk) - recorded):
                yield run_again(migration=Key(app, name))


def translate(
    history: History,
    labels: Labels,
    rows: Sequence[TrackedRow],
    *,
    scope: frozenset[str],
    journaled: frozenset[str],
    reversals: Reversals,
    options: TranslationOptions,
    ran: KnownContents = nothing_known,
    presumed: KnownContents = nothing_known,
) -> Translation:
    """Take one target's `rows` to the names on disk; those of apps outside of `scope` stay as they are.

    `journaled` are the ids of the rewrites that the journal says the target has been through, `reversals` what it says
    of those that it was taken back from. `ran` and `presumed` are what ran under the rows, see
    :func:`position.decide`. Raises UsageError for a stated position that names no rewrite.
    """
    rewrites = labels.view
    stated = {app: forced(NameHistory(app, rewrites, history), text) for app, text in options.positions.items()}
    relabelled = relabel(
        rows,
        labels,
        installed=history.apps.keys(),
        scope=scope,
        journaled=journaled,
        stated={app: position.passed for app, position in stated.items()},
        taken_back=reversals.rewrites,
        keep_earliest=options.dedupe,
    )
    by_app: dict[str, list[TrackedRow]] = {}
    for row in relabelled.rows:
        # A row that is removed stays with the app that it was of: the order of the rows decides that of the changes.
        key = row.now or row.origin
        by_app.setdefault(key.app if key else "", []).append(row)
    positions: dict[str, Position] = {}
    findings = list(relabelled.findings)
    name_histories = {
        app: _name_history(app, labels, history, relabelled.bounds) for app in sorted(scope) if rewrites.of_app(app)
    }
    # Everything that follows is decided under the labels of today, so the journal's rows must bear them, too.
    reversals = under_labels(reversals, labels)
    for app, name_history in name_histories.items():
        here = by_app.get(app, [])
        position = stated.get(app) or _decide(name_history, here, journaled, reversals, options, ran, presumed)
        findings += position.findings
        positions[app] = position
        # An open position could lead the rows to two different ends: they stay as they are, and the plan is blocked.
        if not position.findings:
            by_app[app], problems = onward(here, name_history, Split(position.passed, later=position.later))
            findings += problems
    return Translation(
        scope,
        [row for found in by_app.values() for row in found],
        [row.now for row in relabelled.rows if row.now],
        positions,
        name_histories,
        tuple(findings),
    )


def _name_history(app: str, labels: Labels, history: History, bounds: Mapping[str, Bounds]) -> NameHistory:
    proven = bounds.get(app, NO_BOUNDS)
    return NameHistory(app, labels.view, history, proven.through, proven.ahead)


def _decide(
    name_history: NameHistory,
    rows: Iterable[TrackedRow],
    journaled: frozenset[str],
    reversals: Reversals,
    options: TranslationOptions,
    ran: KnownContents,
    presumed: KnownContents,
) -> Position:
    app = name_history.app
    taken_back = tuple(pair for pair in reversals.rows if app in {row.app for row in pair if row})
    return decide(
        name_history,
        [row.now for row in rows if row.now],
        journaled,
        options.clock,
        options.trust_names,
        options.unseen_journal,
        replace(reversals, rows=taken_back),
        ran,
        presumed,
    )


def _taken(before: Sequence[Record], after: Sequence[Record], scope: Collection[str]) -> Iterator[Finding]:
    """A name that two rows would hold after the changes, and did not before."""
    doubled = _doubled(after, scope)
    doubled_before = _doubled(before, scope) if doubled else {}
    for key, rows in doubled.items():
        if key not in doubled_before:
            yield two_rows(migration=key, rows=[row.id for row in rows if row.id is not None])


def _doubled(records: Sequence[Record], scope: Collection[str]) -> dict[Key, list[Record]]:
    inside = [record for record in records if record.app in scope]
    if len({record.key for record in inside}) == len(inside):
        return {}
    found: dict[Key, list[Record]] = {}
    for record in inside:
        found.setdefault(record.key, []).append(record)
    return {key: rows for key, rows in found.items() if len(rows) > 1}


def _onward(names: set[str], name_history: NameHistory, passed: frozenset[str]) -> set[str]:
    for rewrite in name_history.remaining(passed):
        names = forward_names(names, rewrite.apps[name_history.app])
    return names


def _names_by_app(records: Iterable[Record]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(record.app, set()).add(record.name)
    return found
