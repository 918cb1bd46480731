"""The planner: a pure function from the names on disk, the rewrites and one target's records to a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migsync.findings import Finding
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.graph import Rewrites
from migsync.rewrites.labels import Labels
from migsync.rewrites.name_history import NameHistory
from migsync.rewrites.position import Clock, Position, decide, forced
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rows import TrackedRow
from migsync.rewrites.split import Reversals, Split, onward
from migsync.sync import checks
from migsync.sync.backwards import ahead, bring_back, newer_records, past_newer_records, undone
from migsync.sync.consistency import conflicts, inconsistencies
from migsync.sync.labels import NO_BOUNDS, Bounds, relabel, under_labels
from migsync.sync.plan import Change, ChangeKind, Plan, TargetRef
from migsync.sync.prune import dedupe, prune
from migsync.sync.run import Run
from migsync.sync.unknown_records import NO_ORIGINS, Origins, leftovers, lost_apps


@dataclass(frozen=True)
class PlanOptions:
    """What a person asked for.

    `apps` limits the plan (None: all first-party apps). `positions` maps an app to the last rewrite that the target
    has been through (file name, beginning of the id, or ``none``). `prune` are ``app.name`` or ``app`` of rows to
    remove. `dedupe` keeps the earliest of several rows of one key. `trust_names`: see :func:`position.decide`.
    `unseen_journal` says how to let migsync see a journal that may be there; empty where it is seen, or not there.
    With `conflicts`, several leaf nodes in one app are refused as ``migrate`` does; commands that mend such files plan
    without it. `origins` is what is known about records without a file. `backwards` lets records go back to the names
    of older files.
    """

    apps: frozenset[str] | None = None
    positions: Mapping[str, str] = field(default_factory=dict)
    prune: tuple[str, ...] = ()
    dedupe: bool = False
    clock: Clock = field(default_factory=Clock)
    trust_names: bool = False
    unseen_journal: str = ""
    origins: Origins = NO_ORIGINS
    backwards: bool = False
    conflicts: bool = False


NO_OPTIONS = PlanOptions()


def make_plan(
    history: History,
    rewrites: Rewrites,
    records: Sequence[Record],
    ref: TargetRef,
    *,
    runs: Sequence[Run] = (),
    options: PlanOptions = NO_OPTIONS,
) -> Plan:
    """Plan what brings `records` in line with `history`.

    Raises UsageError for a `positions` or `prune` that names nothing. Everything else that stands in the way is a
    finding of the plan.
    """
    stated, labels = rewrites, Labels(rewrites)
    rewrites = labels.view
    scope = _scope(history, rewrites, options.apps)
    others = history.first_party - scope
    findings = [finding for finding in history.findings if finding.blocks and finding.app not in others]
    files_told = bool(findings)
    findings += [*labels.conflicts(), *rewrites.conflicts()]
    if options.unseen_journal and not options.trust_names:
        findings.append(checks.unseen_journal(options.unseen_journal))
    if options.trust_names and runs:
        findings.append(checks.journal_kept(len(runs)))
    rows, pruned = prune(
        [TrackedRow.of(record) for record in records], history, options.prune, options.positions, labels
    )
    rows, doubles = dedupe(rows, scope, options.dedupe)
    back = bring_back(rows, runs, rewrites, scope | labels.olds(scope), history)
    journaled = frozenset(rewrites.same.get(identity, identity) for identity in back.passed)
    was = undone([TrackedRow.of(row.now) for row in back.rows if row.now], runs, rewrites)
    forced_to = {app: forced(NameHistory(app, rewrites, history), text) for app, text in options.positions.items()}
    renamed = relabel(
        back.rows,
        labels,
        installed=history.apps.keys(),
        scope=scope,
        journaled=journaled,
        stated={app: position.passed for app, position in forced_to.items()},
        undone=was.rewrites,
        keep_earliest=options.dedupe,
    )
    recorded = [row.now for row in renamed.rows if row.now]
    rows, positions, translated = _through_rewrites(
        history, rewrites, renamed.rows, scope, journaled, forced_to, renamed.bounds, options, under_labels(was, labels)
    )
    changes = _changes(rows)
    lost = list(checks.lost_rewrites(history, back.returned, changes))
    goes_back = bool(back.returned and (changes or back.findings) and not lost)
    if goes_back and (newer := newer_records(back, history, options.clock, options.origins.stated)):
        found = fingerprints(records, scope)
        return Plan(ref, (), found, found, findings=(*findings, *pruned, past_newer_records(back, newer, ref.alias)))
    findings += [*pruned, *doubles, *(lost or back.findings), *renamed.findings, *translated]
    after = [row.now for row in rows if row.now]
    if not any(finding.code in checks.UNDECIDED for finding in findings):
        findings += checks.taken(records, after, scope)
        findings += checks.pending(history, rewrites, recorded, after, positions)
        state = history.state({record.key for record in after})
        findings += inconsistencies(history, state, scope, alias=ref.alias, told=files_told)
        findings += conflicts(history, state) if options.conflicts else ()
        findings += leftovers(history, state, after, scope, options.origins)
        if not lost:
            findings += lost_apps(history, after, scope, options.origins.stated)
    if goes_back:
        blocked = any(finding.blocks for finding in findings)
        findings.insert(0, ahead(back, changes=len(changes), allowed=options.backwards, blocked=blocked))
    touched = scope | labels.olds(scope) | {change.before.app for change in changes if change.before}
    found = fingerprints(records, touched)
    newly = tuple(_newly_passed(stated, rewrites, scope, journaled))
    # What was taken back and is passed again is noted even where no row changes: else the journal would say otherwise.
    again = any(rewrites.same.get(rewrite.id, rewrite.id) in was.rewrites for rewrite in newly)
    settles = bool(changes) or bool(options.positions) or bool(back.returned) or again
    return Plan(
        target=ref,
        changes=tuple(changes),
        fingerprints=found,
        fingerprints_after=fingerprints(after, touched) if changes else found,
        passed=newly if settles else (),
        returned=back.returned,
        findings=tuple(dict.fromkeys(findings)),
        digests=_digests(history, changes),
    )


def _scope(history: History, rewrites: Rewrites, asked: frozenset[str] | None) -> frozenset[str]:
    """The apps that may be changed; an app that shares a rewrite with one that was asked for comes along."""
    if asked is None:
        return history.first_party
    scope = asked & history.first_party
    while True:
        joined = {app for rewrite in rewrites.ordered if scope & rewrite.apps.keys() for app in rewrite.apps}
        wider = scope | (joined & history.first_party)
        if wider == scope:
            return scope
        scope = wider


def _through_rewrites(
    history: History,
    rewrites: Rewrites,
    rows: Sequence[TrackedRow],
    scope: frozenset[str],
    journaled: frozenset[str],
    forced_to: Mapping[str, Position],
    bounds: Mapping[str, Bounds],
    options: PlanOptions,
    was: Reversals,
) -> tuple[list[TrackedRow], dict[str, Position], list[Finding]]:
    """Every app's rows through the rewrites that they have not been through."""
    by_app: dict[str, list[TrackedRow]] = {}
    for row in rows:
        key = row.now or row.origin
        by_app.setdefault(key.app if key else "", []).append(row)
    positions: dict[str, Position] = {}
    findings: list[Finding] = []
    for app in sorted(scope):
        if not rewrites.of_app(app):
            continue
        proven = bounds.get(app, NO_BOUNDS)
        name_history = NameHistory(app, rewrites, history, proven.through, proven.ahead)
        recorded = [row.now for row in by_app.get(app, ()) if row.now]
        if app in forced_to:
            position = forced_to[app]
        else:
            here = replace(was, rows=tuple(pair for pair in was.rows if app in {row.app for row in pair if row}))
            unseen = options.unseen_journal
            position = decide(name_history, recorded, journaled, options.clock, options.trust_names, unseen, here)
        findings += position.findings
        positions[app] = position
        if not position.findings:
            split = Split(position.passed, later=position.later)
            by_app[app], problems = onward(by_app.get(app, []), name_history, split)
            findings += problems
    return [row for found in by_app.values() for row in found], positions, findings


def _changes(rows: Iterable[TrackedRow]) -> list[Change]:
    """What differs, rows that exist first in the order of their ids, inserted ones last in the order they were made."""
    changed = [Change(row.origin, row.now, row.cause) for row in rows if row.origin != row.now]
    return sorted(
        changed,
        key=lambda change: (change.kind is ChangeKind.INSERT, (change.before.id or 0) if change.before else 0),
    )


def _newly_passed(
    stated: Rewrites, seen: Rewrites, scope: frozenset[str], journaled: frozenset[str]
) -> Iterable[Rewrite]:
    """All that touch the apps in view: what else they touch is in view as well, or not the project's own any more.

    As `stated` by their files; `seen` are the same ones under the labels of today.
    """
    pairs = zip(stated.ordered, seen.ordered, strict=True)
    return (rewrite for rewrite, now in pairs if rewrite.id not in journaled and scope & now.apps.keys())


def _digests(history: History, changes: Iterable[Change]) -> dict[str, str]:
    """The operations digests of the touched apps' files, for the journal: evidence for a later change by hand."""
    counts = Counter(row.app for change in changes for row in (change.before, change.after) if row)
    keys = (Key(app, name) for app in sorted(counts) for name in history.names(app))
    return {str(key): digest for key in keys if (digest := history.migrations[key].digest)}
