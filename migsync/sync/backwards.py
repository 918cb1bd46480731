"""Backwards: the rows of a database that is ahead of the files, because it has been through rewrites without a file.

That is so on an older branch, after a revert, and where an old release is started again. The journal's before-images
bring the touched rows back; rows recorded since then under names that such a rewrite gave get the old names from the
journal's copy of it. Nothing goes back without the person's word (``--backwards``), and nothing ever goes back past
records that the files on disk do not know: those were made by a newer release, which may be running.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from migsync.findings import Finding
from migsync.findings.backwards import (
    database_ahead,
    lost_rewrite,
    newer_records,
    part_of_collapse,
    row_changed,
)
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.clock import Clock
from migsync.rewrites.labels import Labels
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.rows import TrackedRow, backward
from migsync.rewrites.split import Reversals
from migsync.sync.plan import Change, Plan
from migsync.sync.run import Run, applies_in_force, in_order_of_passing, passed_rewrites, taken_back

ASKED = frozenset({"prune", "dedupe"})
"""The causes of changes that a person asked for by name, and no rewrite."""


@dataclass(frozen=True)
class Back:
    """The rows taken back.

    `passed` are the rewrites, by id, that the rows have been through afterwards; `returned` those that were taken back,
    of which `unknown` have no file. `run` is the oldest run that was taken back, and `restored` are the rows that its
    before-images, or a later run's, brought back.
    """

    rows: list[TrackedRow]
    passed: Mapping[str, Rewrite]
    returned: tuple[Rewrite, ...] = ()
    unknown: tuple[Rewrite, ...] = ()
    findings: tuple[Finding, ...] = ()
    run: Run | None = None
    restored: frozenset[Record] = frozenset()


def bring_back(
    rows: Sequence[TrackedRow], runs: Sequence[Run], rewrites: Rewrites, apps: Collection[str], history: History
) -> Back:
    """Take back the newest runs, as many as it needs until no rewrite was passed that is not on disk.

    `apps` are the labels that count. The rows that an undo left under newer names come too.
    """
    stand = applies_in_force(runs)
    passed = before = passed_rewrites(stand)
    now, findings = list(rows), list[Finding]()
    run: Run | None = None
    restored: set[Record] = set()
    while stand and any(_unknown(rewrite, rewrites, apps) for rewrite in before.values()):
        # Newest first, also past runs whose rewrites have files: a before-image fits only what its own run left. The
        # planner then takes the rows through those rewrites again.
        run = stand.pop()
        before = passed_rewrites(stand)
        cause = f"back from run {run.id[:12]}"
        now, problems = revert(now, run.changes, cause)
        findings += problems
        gone = [rewrite for rewrite in run.passed if rewrite.id not in before]
        brought = {row.now for row in now if row.now and row.cause == cause}
        now, problems = _under_old_names(now, gone, brought)
        findings += problems
        restored |= brought
    returned = tuple(rewrite for identity, rewrite in passed.items() if identity not in before)
    for undoing in taken_back(runs):
        gone = [rewrite for rewrite in in_order_of_passing(undoing) if _unknown(rewrite, rewrites, apps)]
        if stayed := {row.now for row in now if row.now and _stayed(row.now, gone, rewrites, history)}:
            now, problems = _under_old_names(now, gone, {row.now for row in now} - stayed)
            findings += problems
            returned = (*gone, *returned)
            # A record is newer when it came after the run, not only after its undo.
            run = next((one for one in runs if one.id == undoing.undoes), undoing)
    unknown = tuple(rewrite for rewrite in returned if _unknown(rewrite, rewrites, apps))
    return Back(now, before, returned, unknown, tuple(findings), run, frozenset(restored))


def _unknown(rewrite: Rewrite, rewrites: Rewrites, apps: Collection[str]) -> bool:
    return rewrite.id not in rewrites.by_id and not rewrite.labels.isdisjoint(apps)


def _stayed(record: Record, gone: Iterable[Rewrite], rewrites: Rewrites, history: History) -> bool:
    """Whether a record bears a name that only the rewrites `gone` gave, and nothing on disk explains it."""
    changes = [rewrite.apps[record.app] for rewrite in gone if record.app in rewrite.apps]
    given = any(change.origin or record.name in change.targets for change in changes)
    before = any(record.name in change.before and not change.origin for change in changes)
    explained = any(record.name in rewrite.apps[record.app].before for rewrite in rewrites.of_app(record.app))
    return given and not before and not explained and record.key not in history.migrations


def _under_old_names(
    rows: Sequence[TrackedRow], gone: Sequence[Rewrite], done: Collection[Record | None]
) -> tuple[list[TrackedRow], list[Finding]]:
    """Old names for the rows that no before-image has brought back; `gone` are in the order in which they were passed.

    A finding for a row that stands for a part of what several old migrations did: no old name would be true.
    """
    kept = [row for row in rows if row.now in done]
    others = [row for row in rows if row.now not in done]
    findings: list[Finding] = []
    for rewrite in reversed(gone):
        for app in rewrite.apps:
            findings += _parts(others, app, rewrite)
            others = backward(others, app, rewrite)
    brought = {row.now.key for row in kept if row.now}
    # A collapse that is taken back makes rows of all its old names, also of those that a before-image has brought back.
    others = [row for row in others if row.origin or row.now is None or row.now.key not in brought]
    return kept + others, findings


def _parts(rows: Iterable[TrackedRow], app: str, rewrite: Rewrite) -> Iterator[Finding]:
    recorded = {row.now.name for row in rows if row.now and row.now.app == app}
    for olds, news in rewrite.apps[app].collapsed:
        missing = [name for name in news if name not in recorded]
        if missing and len(missing) < len(news):
            there = [name for name in news if name in recorded]
            yield part_of_collapse(migration=Key(app, there[0]), missing=missing[0], olds=olds, last=news[-1])


def revert(rows: Sequence[TrackedRow], changes: Iterable[Change], cause: str) -> tuple[list[TrackedRow], list[Finding]]:
    """Put the before-images of `changes` back; a finding for every row that is not as the change left it."""
    now = list(rows)
    findings: list[Finding] = []
    by_id = {row.now.id: place for place, row in enumerate(rows) if row.now and row.now.id is not None}
    # Rows that a script inserted are in the journal without their ids.
    by_content = {row.now._replace(id=None): place for place, row in enumerate(rows) if row.now}
    for change in reversed(tuple(changes)):
        after = change.after
        if after is None:
            now.append(TrackedRow(None, change.before, cause))
            continue
        place = by_content.get(after) if after.id is None else by_id.get(after.id)
        found = now[place].now if place is not None else None
        if place is None or found is None or not after.same_row(found):
            findings.append(row_changed(migration=after.key, row=after.id, applied=after.applied))
        else:
            now[place] = TrackedRow(now[place].origin, change.before, cause)
    return now, findings


def reversals_of(rows: Sequence[TrackedRow], runs: Sequence[Run], rewrites: Rewrites) -> Reversals:
    """What the journal says of rewrites that the target was taken back from, by an undo or for older files."""
    then, back = list(rows), taken_back(runs)
    # Rows that a person had removed by name say nothing about rewrites.
    every = (change for run in runs for change in run.changes) if back else ()
    asked = {change.before[1:] for change in every if change.cause in ASKED and change.before}
    for run in back:
        changes = [change for change in run.changes if change.after is None or change.after[1:] not in asked]
        then, _ = revert(then, changes, "before it was taken back")
    ids = {rewrite.id for run in runs for rewrite in run.returned}
    pairs = tuple((row.origin, row.now) for row in then if row.origin != row.now)
    return Reversals(rewrites.counted(ids), pairs)


def records_since(
    back: Back, history: History, labels: Labels, clock: Clock, leftovers: Collection[Key] = ()
) -> list[Record]:
    """The records made since the rewrites that are taken back, of which files and rewrites on disk know nothing.

    A record under an older label of an app is one of the app. `leftovers` are those that the project lists. Records of
    installed packages are not looked at: they come and go with the package.
    """
    known = (
        history.migrations.keys()
        | set(leftovers)
        | {key for file in history.migrations.values() for key in file.replaces}
        | {Key(app, old) for app in history.apps for one in labels.view.of_app(app) for old in one.apps[app].sources}
    )

    def is_known(key: Key) -> bool:
        today = key if key.app in history.apps else Key(labels.today(key.app), key.name)
        return key in known or today in known

    return [
        row.origin
        for row in back.rows
        if row.origin
        and row.now
        and not is_known(row.now.key)
        # A before-image shows that the row was there before the rewrite.
        and row.now not in back.restored
        and (row.now.app in history.first_party or row.now.app not in history.apps)
        and not _was_there(row.origin, back.run, clock)
    ]


def _was_there(record: Record, run: Run | None, clock: Clock) -> bool:
    """Whether a record is certainly older than a run, by its id and by its time; in doubt it is not."""
    if run is None or not run.at:
        return False
    touched = [row.id or 0 for change in run.changes for row in (change.before, change.after) if row]
    return (record.id or 0) < max(touched, default=0) and clock.older(record.applied, run.at)


def past_newer_records(back: Back, records: Sequence[Record]) -> Finding:
    """The error of a database that was used by a newer release since; no word helps."""
    rows = [(record.key, record.id) for record in records]
    return newer_records(migration=records[0].key, rewrites=_in_words(back.unknown), rows=rows)


def ahead(back: Back, *, changes: int, allowed: bool, blocked: bool) -> Finding:
    """What is said of a database that is ahead of the files: an error, unless going back is `allowed`.

    `blocked`: another error stands in the way as well, so that the word alone would not help.
    """
    return database_ahead(rewrites=_in_words(back.unknown), changes=changes, allowed=allowed, blocked=blocked)


def without_word(plan: Plan, file: str) -> Plan:
    """A saved plan as it is taken where nobody said that it may go back: blocked, if it does."""
    if not plan.goes_back:
        return plan
    alias, rewrites = plan.target.alias, _in_words(plan.returned)
    refused = database_ahead(rewrites=rewrites, changes=len(plan.changes), alias=alias, plan=file)
    others = tuple(finding for finding in plan.findings if finding.code != database_ahead.code)
    return replace(plan, findings=(*others, refused))


def _in_words(rewrites: Iterable[Rewrite]) -> list[str]:
    return [f"{rewrite.id[:12]} ({rewrite.command}, made {rewrite.created})" for rewrite in rewrites]


def lost_rewrites(history: History, returned: Iterable[Rewrite], changes: Iterable[Change]) -> Iterator[Finding]:
    """Rewrites without a file whose migrations are on disk all the same: only the file was lost, or not deployed.

    With an older history on disk, a row goes back to the name under which its operations are there. Here they are there
    under the name that it has already, so that the old name would stand for another migration, or for none.
    """
    renames = [(change.before, change.after) for change in changes if change.before and change.after]

    def is_on_disk(record: Record, digest: str) -> bool:
        migration = history.migrations.get(record.key)
        return migration is not None and migration.has(digest)

    def moved(app: str) -> list[tuple[Record, Record]]:
        return [(now, old) for now, old in renames if now.app == app]

    for rewrite in returned:
        for app, names in rewrite.apps.items():
            # The files on disk have the new label, so they are not those from before the rewrite.
            if names.origin and app in history.apps and names.origin not in history.apps:
                yield from (_lost(rewrite, now.key, old.key) for now, old in moved(app)[:1])
                continue
            made = {new: names.digests_after.get(new, "") for _, new in names.renamed}
            for now, old in moved(app):
                digest = made.get(now.name, "")
                if is_on_disk(now, digest) and not is_on_disk(old, digest):
                    yield _lost(rewrite, now.key, old.key)
                    break


def _lost(rewrite: Rewrite, now: Key, old: Key) -> Finding:
    return lost_rewrite(
        migration=now, old=old, rewrite=rewrite.label, command=rewrite.command, made=str(rewrite.created)
    )
