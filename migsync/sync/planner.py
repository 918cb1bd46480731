"""The planner: a pure function from the names on disk, the rewrites and one target's records to a plan.

It takes four steps, each resting on the one before: what the person's word and the journal leave of the rows, which
names these have today (:func:`migsync.rewrites.translation.translate`), whether ``migrate`` would then run what is left
to run (:mod:`migsync.sync.consistency`), and whether that fits what ran (:mod:`migsync.sync.drift`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from migsync.findings import Finding
from migsync.findings.databases import journal_kept, unseen_journal
from migsync.findings.rewrites import rewrites_conflict
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.evidence.origins import NO_ORIGINS, Origins
from migsync.rewrites.labels import Labels
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import EVIDENCE, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.rows import TrackedRow, dedupe, with_duplicates
from migsync.rewrites.split import Reversals
from migsync.rewrites.translation import UNDECIDED, Translation, TranslationOptions, translate
from migsync.sync.backwards import (
    Back,
    ahead,
    bring_back,
    lost_rewrites,
    past_newer_records,
    records_since,
    reversals_of,
)
from migsync.sync.consistency import conflicts, inconsistencies, without_wrong_names
from migsync.sync.empty_migrations import with_empty
from migsync.sync.plan import Change, ChangeKind, Plan, TargetRef
from migsync.sync.provenance import NOTHING_KNOWN, Provenance, beside_git, contents_that_ran
from migsync.sync.prune import prune
from migsync.sync.run import Run
from migsync.sync.stated_records import NONE_STATED, StatedRecords, state_records
from migsync.sync.stored_changes import touched_ids
from migsync.sync.unknown_records import leftovers, lost_apps, renamed_in_packages, strangers


@dataclass(frozen=True)
class PlanOptions(TranslationOptions):
    """What a person asked for.

    `apps` limits the plan (None: all apps of the project, and those of packages that rewrites speak of). `prune` are
    ``app.name`` or ``app`` of rows to remove, and `stated` what is to be recorded, or not, on a person's word. With
    `conflicts`, several leaf nodes in one app are refused as ``migrate`` does; commands that mend such files plan
    without it. `origins` is what is known about records without a file. `backwards` lets records go back to the names
    of older files. With `against_evidence` a plan is made although what is known of a migration that ran speaks against
    it.
    """

    apps: frozenset[str] | None = None
    prune: Sequence[str] = ()
    stated: StatedRecords = NONE_STATED
    origins: Origins = NO_ORIGINS
    backwards: bool = False
    conflicts: bool = False
    against_evidence: bool = False


NO_OPTIONS = PlanOptions()


def make_plan(
    history: History,
    rewrites: Rewrites,
    records: Sequence[Record],
    ref: TargetRef,
    *,
    runs: Sequence[Run] = (),
    ran: Mapping[int, Provenance] = NOTHING_KNOWN,
    options: PlanOptions = NO_OPTIONS,
) -> Plan:
    """Plan what brings `records` in line with `history`.

    `ran` is what ran under the records, by their ids, as far as that is known.

    Raises UsageError for a `positions` or `prune` that names nothing. Everything else that stands in the way is a
    finding of the plan.
    """
    labels = Labels(rewrites)
    scope = _scope(history, labels.view, options.apps)
    if rewrites.ordered and (options.trust_names or options.unseen_journal):
        # A run that no journal has may have given the names of today, and git is asked by these.
        ran = beside_git(ran)
    return _Planner(history, labels, records, ref, runs, ran, scope, options).plan()


@dataclass(frozen=True)
class _Start:
    """What the plan starts from: the rows as the person's word and the journal leave them, before any rewrite.

    `journaled` are the ids of the rewrites that they have been through by the journal, `reversals` is what it says of
    those that they were taken back from. `findings` are about the files, the rewrites and the journal; `pruned` and
    `doubles` about rows that were to be removed.
    """

    back: Back
    journaled: frozenset[str]
    reversals: Reversals
    files_told: bool
    findings: Sequence[Finding]
    pruned: Sequence[Finding]
    doubles: Sequence[Finding]


@dataclass(frozen=True)
class _Planner:
    """What a plan is made of; see :func:`make_plan`. `scope` are the apps that may be changed."""

    history: History
    labels: Labels
    records: Sequence[Record]
    ref: TargetRef
    runs: Sequence[Run]
    ran: Mapping[int, Provenance]
    scope: frozenset[str]
    options: PlanOptions

    def plan(self) -> Plan:
        """The plan."""
        start = self._start()
        translated = self._translate(start)
        translation, told = self._stated(with_empty(self.history, translated))
        if any(finding.blocks for finding in told):
            return self._refused(start, told)
        changes = _changes(rows := with_duplicates(translation.rows, self.options.dedupe))
        lost = list(lost_rewrites(self.history, start.back.returned, changes))
        goes_back = bool(start.back.returned and (changes or start.back.findings) and not lost)
        if goes_back and (newer := self._newer_records(start.back)):
            return self._refused(start, [past_newer_records(start.back, newer)])
        # Where only the file of a rewrite is lost, nothing is to go back, and what would hinder that is of no matter.
        findings = [*start.findings, *start.pruned, *start.doubles, *(lost or start.back.findings)]
        # Where it is open which of two rewrites counts, what both make of the rows is of no matter.
        if all(finding.code != rewrites_conflict.code for finding in start.findings):
            findings += translation.findings
        findings += told
        passed = tuple(self._newly_passed(start.journaled))
        if any(finding.code in UNDECIDED for finding in findings):
            # While it is open what a row means, the other checks would only find what follows from that.
            recorded, own = translation.recorded, self.scope & self.history.first_party
            findings += strangers(self.history, recorded, own, self.labels.view, self.options.origins)
        else:
            # Without what a person states: no rewrite answers for that.
            findings += translated.contradictions(self.records)
            findings += self._judge(translation.after, told=start.files_told, lost=bool(lost))
            if not goes_back:
                against = list(self._against_what_ran(translation.after, changes, passed))
                findings = [*without_wrong_names(findings, against), *against]
        if goes_back:
            blocked = any(finding.blocks for finding in findings)
            allowed = self.options.backwards
            findings.insert(0, ahead(start.back, changes=len(changes), allowed=allowed, blocked=blocked))
        return self._made(start, [row.now for row in rows if row.now], changes, passed, findings)

    def _start(self) -> _Start:
        history, labels, options = self.history, self.labels, self.options
        rewrites, others = labels.view, history.synced - self.scope
        of_files = [finding for finding in history.findings if finding.blocks and finding.app not in others]
        conflicting = [*labels.conflicts(history.apps), *rewrites.conflicts(history.names)]
        findings = [*conflicting, *of_files, *_of_journal(self.runs, options)]
        rows = [TrackedRow.of(record) for record in self.records]
        # Before anything is decided: rows that go must not count as evidence.
        rows, pruned = prune(rows, history, options.prune, options.positions, labels)
        rows, doubles = dedupe(rows, self.scope, options.dedupe, lambda: labels.recorders(history))
        # Rewrites of which there is no file here come first: no rewrite on disk was made on top of their names.
        back = bring_back(rows, self.runs, rewrites, self.scope | labels.olds(self.scope), history)
        journaled = rewrites.counted(back.passed)
        reversals = reversals_of([TrackedRow.of(row.now) for row in back.rows if row.now], self.runs, rewrites)
        return _Start(back, journaled, reversals, bool(of_files), findings, pruned, doubles)

    def _translate(self, start: _Start) -> Translation:
        return translate(
            self.history,
            self.labels,
            start.back.rows,
            scope=self.scope,
            journaled=start.journaled,
            reversals=start.reversals,
            options=self.options,
            ran=contents_that_ran(self.history, beside_git(self.ran), self._changed_before()),
            presumed=contents_that_ran(self.history, self.ran, self._changed_before()),
        )

    def _stated(self, translation: Translation) -> tuple[Translation, list[Finding]]:
        """The rows with what a person states of them, and what is to be said of that."""
        if not self.options.stated:
            return translation, []
        against = self.options.against_evidence
        rows, told = state_records(self.history, translation.rows, self.options.stated, self.ran, stated=against)
        return replace(translation, rows=rows), told

    def _refused(self, start: _Start, reasons: Iterable[Finding]) -> Plan:
        """The plan that changes nothing, for these reasons."""
        found = fingerprints(self.records, self.scope)
        return Plan(self.ref, (), found, found, findings=(*start.findings, *start.pruned, *reasons))

    def _changed_before(self) -> Iterator[int]:
        """The ids of the rows that earlier runs have changed: their names of today say nothing about what ran."""
        return changed_ids(self.runs, (), self.records)

    def _newer_records(self, back: Back) -> list[Record]:
        return records_since(back, self.history, self.labels, self.options.clock, self.options.origins.stated)

    def _judge(self, after: Sequence[Record], *, told: bool, lost: bool) -> Iterator[Finding]:
        """What ``migrate`` would say to the rows afterwards, and what is to be said of those that no file explains.

        `told`: a finding says already that the files do not load. `lost`: the file of a rewrite is missing, which
        explains records of an app that is not there.
        """
        history, origins = self.history, self.options.origins
        state = history.state({record.key for record in after})
        yield from inconsistencies(history, state, self.scope, told=told)
        if self.options.conflicts:
            yield from conflicts(history, state)
        # Records of packages come and go with their versions: no file has to explain them.
        own = self.scope & history.first_party
        yield from leftovers(history, state, after, own, origins)
        yield from renamed_in_packages(history, state, after, origins.stated)
        if not lost:
            yield from lost_apps(history, after, own, origins.stated)

    def _against_what_ran(
        self, after: Sequence[Record], changes: Sequence[Change], passed: Sequence[Rewrite]
    ) -> Iterator[Finding]:
        """What is known of what ran, and speaks against the rows as the plan leaves them."""
        # Only where something else ran than the files of today, or is to be called otherwise.
        if not changes and not any(each.versions or each.unapplied for each in self.ran.values()):
            return
        from migsync.sync.contradictions import contradictions, journal_contradictions
        from migsync.sync.drift import find_drift
        from migsync.sync.followed_rows import followed_rows

        followed = followed_rows(self.history, changes, passed, self.ran, self._changed_before())
        # A row that keeps its name is followed where the others are that a rewrite made of evidence changes.
        answering = [each for each in passed if each.command != EVIDENCE or (changes and not followed.versions)]
        left_out = changed_ids(self.runs, changes, self.records, answering)
        for finding in (
            *find_drift(self.history, after, self.ran, left_out, followed),
            *contradictions(self.history, after, self.ran, changes, passed),
            *journal_contradictions(self.history, self.labels.rewrites, after, self.ran, self.runs),
        ):
            # Of a record that the project keeps as a leftover, everybody knows that its file is gone.
            if Key(finding.app, finding.name) not in self.options.origins.stated:
                yield finding.with_facts(stated=True) if self.options.against_evidence else finding

    def _newly_passed(self, journaled: frozenset[str]) -> Iterator[Rewrite]:
        """All that touch the apps in view: what else they touch is in view as well, or not the project's own any more.

        As their files say them: the journal must not depend on what an app is called today.
        """
        now = self.labels.view.by_id
        return (
            rewrite
            for rewrite in self.labels.rewrites.ordered
            if rewrite.id not in journaled and self.scope & now[rewrite.id].apps.keys()
        )

    def _made(
        self,
        start: _Start,
        after: Sequence[Record],
        changes: Sequence[Change],
        passed: tuple[Rewrite, ...],
        findings: Iterable[Finding],
    ) -> Plan:
        rewrites, returned = self.labels.view, start.back.returned
        # Rows under an old label of an app are changed with it, so they must be as they were, too.
        of_rows = {row.app for change in changes for row in (change.before, change.after) if row}
        touched = self.scope | self.labels.olds(self.scope) | of_rows
        found = fingerprints(self.records, touched)
        # What was taken back and is passed again is noted even where no row changes: else the journal would say
        # otherwise.
        again = any(rewrites.same.get(rewrite.id, rewrite.id) in start.reversals.rewrites for rewrite in passed)
        settles = bool(changes) or bool(self.options.positions) or bool(returned) or again
        return Plan(
            target=self.ref,
            changes=tuple(changes),
            fingerprints=found,
            fingerprints_after=fingerprints(after, touched) if changes else found,
            # Where nothing is to be written, these are journaled by the next run that writes.
            passed=passed if settles else (),
            returned=returned,
            findings=tuple(dict.fromkeys(findings)),
            digests=_digests(self.history, changes),
        )


def _of_journal(runs: Sequence[Run], options: PlanOptions) -> Iterator[Finding]:
    if options.unseen_journal and not options.trust_names:
        yield unseen_journal(reason=options.unseen_journal)
    if options.trust_names and runs:
        yield journal_kept(runs=len(runs))


def _scope(history: History, rewrites: Rewrites, asked: frozenset[str] | None) -> frozenset[str]:
    """The apps that may be changed; an app that shares a rewrite with one that was asked for comes along."""
    if asked is None:
        return history.synced
    scope = asked & history.synced
    while True:
        joined = {app for rewrite in rewrites.ordered if scope & rewrite.apps.keys() for app in rewrite.apps}
        wider = scope | (joined & history.synced)
        if wider == scope:
            return scope
        scope = wider


def changed_ids(
    runs: Sequence[Run], changes: Iterable[Change], records: Iterable[Record], passed: Iterable[Rewrite] = ()
) -> Iterator[int]:
    """The ids of the rows for which a rewrite answers: those that migsync has changed, or will change.

    So is a row that keeps its name while others are united with it. `passed` are the rewrites that the `changes` are
    for.
    """
    yield from touched_ids(tuple(changes))
    for run in runs:
        yield from touched_ids(run.changes)
    kept = {
        Key(app, name)
        for rewrite in (*passed, *(rewrite for run in runs for rewrite in run.passed))
        for app, names in rewrite.apps.items()
        for name in names.staying
    }
    if kept:
        yield from (record.id for record in records if record.key in kept and record.id is not None)


def _changes(rows: Iterable[TrackedRow]) -> list[Change]:
    """What differs, rows that exist first in the order of their ids, inserted ones last in the order they were made."""
    changed = [Change(row.origin, row.now, row.cause) for row in rows if row.origin != row.now]
    return sorted(
        changed,
        key=lambda change: (change.kind is ChangeKind.INSERT, (change.before.id or 0) if change.before else 0),
    )


def _digests(history: History, changes: Iterable[Change]) -> dict[str, str]:
    """The operations digests of the touched apps' files, for the journal: evidence for a later change by hand."""
    counts = Counter(row.app for change in changes for row in (change.before, change.after) if row)
    keys = (Key(app, name) for app in sorted(counts) for name in history.names(app))
    return {str(key): digest for key in keys if (digest := history.migrations[key].digest)}
