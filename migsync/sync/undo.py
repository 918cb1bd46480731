"""Undo is a plan too: made from the journal's before-images, and refused where the rows have changed since."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from migsync.errors import NOTHING_CHANGED, StalePlan
from migsync.findings import Finding
from migsync.findings import undo as undo_findings
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.clock import Clock
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rows import forward_names
from migsync.sync.comparison import expected_after, free_ids, new_plan
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.run import Run, RunKind, applies_in_force, in_force, passed_rewrites

DEDUPE = "dedupe"


def plan_undo(
    ref: TargetRef,
    run: Run,
    records: Iterable[Record],
    runs: Iterable[Run],
    rewrites: Iterable[Rewrite] = (),
    history: History | None = None,
) -> Plan:
    """The plan that takes a run back, its findings telling why it cannot be.

    `records` are all of the target's, `runs` its whole journal. Rows recorded since the run stay as they are.
    `rewrites` are those on disk, as far as they can be read: one that changed no row is in no journal. `history` are
    the files, which only a run that :func:`changed_presence` needs.
    """
    records, runs = tuple(records), tuple(runs)
    journaled = {rewrite.id for other in runs for rewrite in other.passed}
    unjournaled = [rewrite for rewrite in rewrites if rewrite.id not in journaled]
    reverse = reversed_changes(run.changes, f"undo of run {run.number}")
    changes, gone = locate(run, reverse, records)
    # Where it was undone, its rows have changed because of that: there is nothing else to report.
    findings = already_undone(run, runs) or gone + changed_since(run, changes, records, runs) + out_of_order(run, runs)
    after = list(records)
    if not findings:
        # What the rows would become is known only if they are what the run left.
        again = [*recorded_again(changes, records), *recorded_since(run, changes, records, unjournaled)]
        changes, findings = free_ids(changes, records)
        after = rows_after(records, changes)
        findings += [*again, *open_ends(run, history, records, after)]
    apps = sorted({row.app for change in run.changes for row in (change.before, change.after) if row})
    return Plan(
        target=ref,
        changes=tuple(changes),
        fingerprints=fingerprints(records, apps),
        fingerprints_after=fingerprints(after, apps),
        passed=tuple(reversed(run.returned)),
        returned=tuple(reversed(run.passed)),
        findings=tuple(findings),
        digests=known_digests(run),
        undoes=run.id,
    )


def reversed_changes(changes: Sequence[Change], cause: str) -> list[Change]:
    """What takes `changes` back, the last one first.

    The cause of a removed duplicate stays: its row is the only kind that may come back beside one of its name.
    """
    return [change.reversed(DEDUPE if change.cause == DEDUPE else cause) for change in reversed(changes)]


def rows_after(records: Sequence[Record], changes: Sequence[Change]) -> list[Record]:
    """All rows when the changes are made; inserted ones that get their id from the database have none."""
    given = [change.after for change in changes if change.after is not None and change.after.id is None]
    return [*expected_after(records, changes).values(), *given]


def locate(run: Run, changes: Sequence[Change], records: Sequence[Record]) -> tuple[list[Change], list[Finding]]:
    """The changes with the ids of rows that a script inserted: it could not know them, so the journal has none."""
    known = {change.before.id for change in changes if change.before}
    # A row that another change names by its id is not the one. Of several alike the newest is taken for what the script
    # inserted.
    free = [record for record in reversed(records) if record.id not in known]
    located, findings = [], []
    for change in changes:
        row = change.before
        if row is not None and row.id is None:
            found = next((record for record in free if record._replace(id=None) == row), None)
            if found is None:
                findings.append(undo_findings.row_gone(migration=row.key, run=run.number))
                continue
            free.remove(found)
            change = replace(change, before=found)
        located.append(change)
    return located, findings


def check_undo(plan: Plan, runs: Sequence[Run]) -> None:
    """Raises StalePlan for an undo that another undo, or another run, has come before since its plan was made."""
    if plan.undoes and plan.undoes not in {run.id for run in in_force(runs)}:
        raise StalePlan(
            f"The run {plan.undoes} has been undone since the plan was made.",
            NOTHING_CHANGED,
            f"There is nothing left to undo. To list the runs: migsync log -d {shlex.quote(plan.target.alias)}",
        )
    undone = next((run for run in runs if run.id == plan.undoes), None)
    if undone and (later := out_of_order(undone, runs)):
        raise StalePlan(
            f"Another run was made since the plan was made. {later[0].found}", NOTHING_CHANGED, new_plan(plan)
        )


def already_undone(run: Run, runs: Sequence[Run]) -> list[Finding]:
    """A finding where the run was undone already."""
    by = next((other for other in in_force(runs) if other.undoes == run.id), None)
    if by is None:
        return []
    return [undo_findings.already_undone(run=run.number, by=by.number, at=by.at, author=by.author)]


def changed_since(run: Run, changes: Iterable[Change], records: Iterable[Record], runs: Sequence[Run]) -> list[Finding]:
    """A finding for every row that is not as the run left it, or that a later apply in force changed to that again."""
    by_id = {record.id: record for record in records}
    later = later_runs(run, runs)
    applied = later_runs(run, applies_in_force(runs))
    findings = []
    for change in changes:
        row = change.before
        # Run 1 makes a row b, run 2 makes it a, run 3 makes it b again: the row is as 1 left it, but to undo 1 would
        # take back what 3 did.
        if row is None or (by_id.get(row.id) == row and row.id not in applied):
            continue
        now = by_id.get(row.id)
        by = applied[row.id] if now == row else later.get(row.id)
        if by is not None and now != row and now != _left(by, row.id):
            by = None  # its undo would be refused for the same row
        findings.append(
            undo_findings.changed_since(
                migration=row.key,
                run=run.number,
                row=row.id,
                applied=row.applied,
                now=now.key if now else None,
                now_applied=now.applied if now else None,
                by=by.number if by else None,
                same=now == row,
            )
        )
    return findings


def out_of_order(run: Run, runs: Sequence[Run]) -> list[Finding]:
    """A finding where a rewrite would be passed afterwards, and not one that it was made on top of.

    The names of an app follow from each other: nobody could tell where its rows stand then.
    """
    # What the database would have been through with the run undone.
    after = {identity: one for identity, one in passed_rewrites(runs).items() if one not in run.passed}
    after |= {rewrite.id: rewrite for rewrite in run.returned}
    changed = {rewrite.id for rewrite in (*run.passed, *run.returned)}
    # From the journal: the files may not be on this disk.
    known = {rewrite.id: rewrite for other in runs for rewrite in (*other.passed, *other.returned)}
    for rewrite in after.values():
        for below in _below(rewrite, known):
            # Without a label in common, the names of the one do not build on the other's. And what the undo leaves
            # alone was so before.
            apart = rewrite.labels.isdisjoint(below.labels) or changed.isdisjoint((rewrite.id, below.id))
            if below.id not in after and not apart:
                by = _last_with(below if rewrite in run.returned else rewrite, runs)
                return [
                    undo_findings.out_of_order(
                        run=run.number,
                        by=by.number,
                        rewrite=rewrite.id[:12],
                        command=rewrite.command,
                        below=below.id[:12],
                        below_command=below.command,
                    )
                ]
    return []


def _below(rewrite: Rewrite, known: Mapping[str, Rewrite]) -> Iterator[Rewrite]:
    """The rewrites that this one was made on top of, as far as the journal knows them."""
    todo, seen = list(rewrite.parent_ids), set[str]()
    while todo:
        found = known.get(todo.pop())
        if found and found.id not in seen:
            seen.add(found.id)
            todo += found.parent_ids
            yield found


def _last_with(rewrite: Rewrite, runs: Sequence[Run]) -> Run:
    """The newest run in force that went through a rewrite, or was taken back from it."""
    return next(run for run in reversed(in_force(runs)) if rewrite in (*run.passed, *run.returned))


def later_runs(run: Run, runs: Sequence[Run]) -> Mapping[int | None, Run]:
    """The newest run in force after this one, by the id of each row that it touched."""
    return {
        row.id: other
        for other in in_force(runs)
        if other.number > run.number
        for change in other.changes
        for row in (change.before, change.after)
        if row is not None
    }


def _left(run: Run, row_id: int | None) -> Record | None:
    """The row with this id as a run that touched it left it; None if the run removed it."""
    return next((change.after for change in run.changes if change.after and change.after.id == row_id), None)


def recorded_again(changes: Iterable[Change], records: Sequence[Record]) -> Iterator[Finding]:
    """A finding for every name that would come back although a row that the run did not touch bears it.

    Ids tell nothing: a removed id is used again where the sequence of the table is behind. A row of this name was there
    before the run only if the run removed a duplicate of it; the one it kept is older than the one that comes back.
    """
    changes = list(changes)
    touched = {change.before.id for change in changes if change.before}
    others: dict[Key, list[Record]] = {}
    for record in records:
        if record.id not in touched:
            others.setdefault(record.key, []).append(record)
    for change in changes:
        if (row := change.after) is not None and (bearing := others.get(row.key)):
            kept = change.cause == DEDUPE and len(bearing) == 1 and bearing[0].age < row.age
            if not kept:
                other = bearing[-1]
                yield undo_findings.recorded_again(
                    migration=row.key,
                    row=row.id,
                    applied=row.applied,
                    other_row=other.id,
                    other_applied=other.applied,
                )


def recorded_since(
    run: Run, changes: Sequence[Change], records: Sequence[Record], unjournaled: Iterable[Rewrite]
) -> Iterator[Finding]:
    """What becomes of rows that the run did not touch and that bear a name of its rewrites.

    A row under a name that only came with them stays. It is an error where they took the name from another migration:
    the run touched every row that meant that one, so nobody could tell afterwards what this row means. The same holds
    for `unjournaled` rewrites on top of them: where one had no row to change, rows were still recorded after it.
    """
    touched = {change.before.id for change in changes if change.before}
    own = (*run.passed, *run.returned)
    known = {rewrite.id: rewrite for rewrite in (*unjournaled, *own)}
    above = [one for one in known.values() if any(below in own for below in _below(one, known))]
    for record in records:
        if record.id in touched:
            continue
        steps = [rewrite.apps[record.app] for rewrite in own if record.app in rewrite.apps]
        higher = [rewrite.apps[record.app] for rewrite in above if record.app in rewrite.apps]
        # Where the label has changed too, the sources are names under the old label: this row cannot bear one.
        if any(record.name in step.sources and not step.origin for step in (*steps, *higher)):
            if _made_since(record, run, stays=_may_be_left(record, run)):
                forward = run.kind is RunKind.UNDO
                yield undo_findings.name_means_another(
                    migration=record.key, row=record.id, run=run.number, forward=forward
                )
        elif run.passed and any(record.name in step.targets and record.name not in step.before for step in steps):
            yield undo_findings.row_stays(migration=record.key, row=record.id)


def _may_be_left(record: Record, run: Run) -> bool:
    """Whether the run may have left a row of this name as it was: where it united others with it, or split it."""
    if any(record.name in rewrite.apps[record.app].staying for rewrite in run.returned if record.app in rewrite.apps):
        return True
    steps = [rewrite.apps[record.app] for rewrite in run.passed if record.app in rewrite.apps]
    labels = {record.app, *(step.origin for step in steps)}
    others = {change.before.name for change in run.changes if change.before and change.before.app in labels}
    inserted = any(change.before is None for change in run.changes)
    for step in steps:
        for olds, news in step.collapsed:
            # Else there was nothing to collapse when it ran, and the row is newer.
            if record.name in olds and record.name in news and (inserted or not others.isdisjoint(olds)):
                return True
        others = forward_names(others, step)
    return False


def _made_since(record: Record, run: Run, *, stays: bool) -> bool:
    """Whether a row is newer than the run. Where the run changed rows of the app, it is, unless id and time say no.

    With `stays`, the run has left a row of this name as it was, so that it may well be this one. A script does not know
    the ids of the rows that it inserts.
    """
    touched = [row for change in run.changes for row in (change.before, change.after) if row]
    newest = max((row.id or 0 for row in touched), default=0)
    newer = not Clock(naive_is_utc=True).older(record.applied, run.at)
    if not stays and any(row.app == record.app for row in touched):
        return 0 < newest < (record.id or 0) or newer
    return newest < (record.id or 0) and newer


def changed_presence(run: Run) -> bool:
    """Whether a run inserted or removed records of files that kept their names: ``--record``, ``repair`` and so on."""
    return not (run.passed or run.returned) and any(None in (change.before, change.after) for change in run.changes)


def open_ends(
    run: Run, history: History | None, records: Iterable[Record], after: Iterable[Record]
) -> Iterator[Finding]:
    """A finding where the undo would leave records without something that they depend on, which have it now."""
    if history is None or not changed_presence(run):
        return
    before, then = (history.state(frozenset(row.key for row in rows)) for rows in (records, after))
    if lost := set(then.inconsistent) - set(before.inconsistent):
        children = sorted({child for child, _ in lost}, key=history.order.index)
        first = {child.app: child for child in reversed(children)}
        yield undo_findings.needed_since(
            run=run.number,
            migrations=children,
            needed=sorted({parent for _, parent in lost}),
            back_to=[(app, _below_in_app(history, child)) for app, child in first.items()],
        )


def _below_in_app(history: History, key: Key) -> str:
    """The name that ``migrate`` takes to unapply `key`, and nothing below it."""
    below = [parent.name for parent in history.state(frozenset()).parents.get(key, ()) if parent.app == key.app]
    return below[0] if below else "zero"


def known_digests(run: Run) -> dict[str, str]:
    """The operations digests of the names that come back, as the run's rewrites state them."""
    digests: dict[str, str] = {}
    # The first rewrite has the last word: the names from before it are those that come back.
    for rewrite in reversed(run.passed):
        for app, names in rewrite.apps.items():
            digests |= {f"{names.origin or app}.{name}": digest for name, digest in names.digests_before.items()}
    for rewrite in run.returned:
        for app, names in rewrite.apps.items():
            digests |= {f"{app}.{name}": digest for name, digest in names.digests_after.items()}
    return digests


def last_to_undo(runs: Iterable[Run]) -> Run | None:
    """The run that ``migsync undo`` takes back when none is named: the newest apply in force."""
    return next(reversed(applies_in_force(runs)), None)
