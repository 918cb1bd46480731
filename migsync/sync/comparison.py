"""Whether the records are what a plan was made from, and what it leaves: pure decisions."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from migsync.errors import NOTHING_CHANGED, StalePlan, UnexpectedResult
from migsync.findings import Finding
from migsync.findings.undo import id_taken
from migsync.history.migration import is_second
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.stored_records import StoredFingerprints
from migsync.sync.plan import Change, Plan
from migsync.sync.run import Run, in_force, passed_rewrites
from migsync.words import truncated

# So many rows are named in a message; the rest are counted.
NAMED = 10
NEW = 50
"""So many new rows of an app are told from the others at most."""
RECORD = "record"
"""The cause of a change that records a migration on a person's word."""
PRESENT, INFERRED = "repair: present", "repair: inferred"
"""The same of `migsync repair`: all that it makes is in the database; or what depends on it is, and it has no trace."""
RECORDED = frozenset({RECORD, PRESENT, INFERRED})
"""The causes of changes that record a migration; a plan has no `applied` for them, a run has."""
INTERFERED = (
    "The transaction was rolled back. A trigger, a rule or row-level security on the table may have interfered.",
    "Disable it while migsync runs, then run the command again.",
)
"""The meaning and the hint of an UnexpectedResult."""


def already_applied(plan: Plan, records: Sequence[Record], runs: Iterable[Run]) -> Run | None:
    """The run in force that did what this plan does, if the rows that it touched are still as it left them.

    Rows recorded since are of no matter: a deployment that is started again has run ``migrate`` meanwhile.
    """
    runs = tuple(runs)
    passed = passed_rewrites(runs).values()
    # The rows alone could be so by chance, or an undo could have come since: the journal must say the same.
    through = all(is_among(rewrite, passed) for rewrite in plan.passed)
    back = not any(rewrite.id == other.id for rewrite in plan.returned for other in passed)
    if not (fits_after(plan, records) and through and back):
        return None
    return next((run for run in reversed(in_force(runs)) if run.plan_id == plan.id or _did(run, plan)), None)


def _did(run: Run, plan: Plan) -> bool:
    """Whether a run made the plan's changes, though other rows, files or names of rewrites gave its plan another id."""
    return bool(plan.changes) and rows_of(run.changes) == rows_of(plan.changes)


def is_among(rewrite: Rewrite, others: Iterable[Rewrite]) -> bool:
    """Whether one of `others` is this rewrite, or says the same."""
    return any(other.id == rewrite.id or other.says_the_same(rewrite) for other in others)


def rows_of(changes: Iterable[Change]) -> list[tuple[Record | None, Record | None]]:
    """What the changes do, without their causes. Ids that the database gives are not known before, nor is the time."""
    return [(change.before, change.after if change.before else _as_planned(change)) for change in changes]


def _as_planned(change: Change) -> Record | None:
    row = change.after and change.after._replace(id=None)
    return row._replace(applied=None) if row and change.cause in RECORDED else row


def does_the_same(plan: Plan, other: Plan) -> bool:
    """Whether two plans for one table do the same, whatever else has changed since the first was made.

    Of no matter are texts (findings, causes), new files, and rows of apps that the plan does not touch.
    """
    touched = {row.app for change in plan.changes for row in (change.before, change.after) if row}
    names = {str(change.after.key) for change in plan.changes if change.after}
    return (
        [(change.before, change.after) for change in plan.changes]
        == [(change.before, change.after) for change in other.changes]
        and _say_the_same(plan.passed, other.passed)
        and [rewrite.id for rewrite in plan.returned] == [rewrite.id for rewrite in other.returned]
        and plan.undoes == other.undoes
        and all(plan.fingerprints.get(app) == other.fingerprints.get(app) for app in touched)
        and all(_agree(plan.digests.get(name, ""), other.digests.get(name, "")) for name in names)
    )


def _agree(digest: str, other: str) -> bool:
    """Whether two digests may be of one file: those of two kinds, from a plan of an older migsync, say nothing."""
    return digest == other or (bool(digest and other) and is_second(digest) != is_second(other))


def _say_the_same(some: Sequence[Rewrite], others: Sequence[Rewrite]) -> bool:
    return len(some) == len(others) and all(
        is_among(rewrite, [other]) for rewrite, other in zip(some, others, strict=True)
    )


def fits_after(plan: Plan, records: Sequence[Record]) -> bool:
    """Whether every row that the plan touches is as the plan leaves it."""
    # By id, not by fingerprint: a swap of the names of two rows with equal times leaves the fingerprint as it was.
    # Where a row was removed, its id may have been used again since.
    by_id = {record.id: record for record in records}
    inserted = {change.after[1:] for change in plan.changes if change.after and not change.before}
    # What a person states is recorded at whatever time.
    there = {(*record[1:3], applied) for record in records for applied in (record.applied, None)} if inserted else set()
    return inserted <= there and all(
        by_id.get(change.before.id) == change.after if change.after else by_id.get(change.before.id) != change.before
        for change in plan.changes
        if change.before
    )


def leaves_fingerprints(plan: Plan, records: Sequence[Record]) -> bool:
    """Whether the records have the fingerprints that the plan states for afterwards.

    Those before had the others, and were changed by the plan alone: what it does not touch is not looked at again.
    """
    touched = {row.app for change in plan.changes for row in (change.before, change.after) if row}
    asked = [app for app in plan.fingerprints_after if app in touched or app not in plan.fingerprints]
    expected = dict(plan.fingerprints) | fingerprints(records, asked)
    return all(expected[app] == digest for app, digest in plan.fingerprints_after.items())


def is_applied(plan: Plan, records: Sequence[Record]) -> bool:
    """Whether the rows alone say that the plan was applied: for databases that keep no journal."""
    return bool(plan.changes) and fits_after(plan, records)


def fits_before(plan: Plan, records: Sequence[Record]) -> bool:
    """Whether the records are those that the plan was made from."""
    by_id = {record[0]: record for record in records}
    images = [change.before for change in plan.changes if change.before is not None]
    # Lists are compared, and not row by row: this is done under the lock.
    found = [by_id.get(image[0]) for image in images]
    return found == images and _have_fingerprints(records, plan.fingerprints)


def _have_fingerprints(records: Sequence[Record], expected: Mapping[str, str]) -> bool:
    if isinstance(expected, StoredFingerprints) and expected.are_of(records):
        return True
    return fingerprints(records, expected) == dict(expected)


def stale_plan(plan: Plan, records: Sequence[Record]) -> StalePlan:
    """The error for records that the plan was not made from: app by app, what differs."""
    differences = differences_from(plan, records)
    shown = truncated(differences, NAMED, "and {} more")
    meaning = NOTHING_CHANGED
    if fits_after(plan, records):
        meaning = f"They are already as the plan would leave them, but the journal has no such run. {NOTHING_CHANGED}"
    return StalePlan("The records have changed since the plan was made:\n" + indented(shown), meaning, new_plan(plan))


def new_plan(plan: Plan) -> str:
    """The hint to replace a plan that is stale by a new one."""
    undo = f"migsync undo {plan.undoes[:12]} --dry-run -d {shlex.quote(plan.target.alias)}"
    return f"Make a new plan: {undo if plan.undoes else plan.target.plan_command}"


def indented(lines: Iterable[str]) -> str:
    """One difference a line."""
    return "\n".join(f"  {line}" for line in lines)


def differences_from(plan: Plan, records: Sequence[Record]) -> list[str]:
    """What is not as the plan found it, in words."""
    by_id = {record.id: record for record in records}
    befores = [change.before for change in plan.changes if change.before is not None]
    differences = [change_of(before, by_id.get(before.id)) for before in befores if by_id.get(before.id) != before]
    told = {before.app for before in befores if by_id.get(before.id) != before}
    now = fingerprints(records, plan.fingerprints)
    others: dict[str, list[Record]] = {
        app: [] for app, was in plan.fingerprints.items() if now[app] != was and app not in told
    }
    for record in records:
        if record.app in others:
            others[record.app].append(record)
    for app, rows in others.items():
        differences += app_difference(app, plan.fingerprints[app], rows)
    return differences


def change_of(before: Record, now: Record | None) -> str:
    """How one row that the plan touches differs."""
    if now is None:
        return f"{before.key} (row {before.id}) is gone"
    if now.key != before.key:
        return f"{before.key} (row {before.id}) is {now.key} now"
    return f"{before.key} (row {before.id}) had applied = {before.applied} and now has {now.applied}"


def app_difference(app: str, was: str, records: list[Record]) -> list[str]:
    """What an app's fingerprint reveals: new rows, where leaving out the newest gives the old fingerprint."""
    ordered = sorted(records, key=lambda record: record.id or 0)
    # Each of them looks at all rows of the app.
    for count in range(1, min(len(ordered), NEW) + 1):
        if fingerprints(ordered[:-count], [app])[app] == was:
            return [f"{record.key} (row {record.id}) is new" for record in ordered[-count:]]
    return [f"the rows of {app} are different ({len(records)} now)"]


def free_ids(changes: Iterable[Change], records: Iterable[Record]) -> tuple[list[Change], list[Finding]]:
    """The changes with no id for a row whose old id belongs to another row now, and a finding for each."""
    changes = list(changes)
    if not [change for change in changes if change.before is None]:
        return changes, []
    removed = {change.before.id for change in changes if change.after is None and change.before}
    taken = {record.id: record for record in records if record.id not in removed}
    free: list[Change] = []
    findings = []
    for change in changes:
        row = change.after
        if change.before is None and row is not None and row.id in taken:
            findings.append(id_taken(migration=row.key, row=row.id, other=taken[row.id].key))
            change = replace(change, after=row._replace(id=None))
        free.append(change)
    return free, findings


def expected_after(records: Iterable[Record], changes: Iterable[Change]) -> dict[int, Record]:
    """The rows by id when the changes are made; rows to be inserted without an id are not among them."""
    rows = {record.id: record for record in records}
    changes = list(changes)
    # All that goes, then all that comes: a row may come back under an id that another one of the plan leaves.
    for change in changes:
        if change.before is not None:
            del rows[change.before.id]
    for change in changes:
        if change.after is not None and change.after.id is not None:
            rows[change.after.id] = change.after
    return {id_: row for id_, row in rows.items() if id_ is not None}


def made_changes(expected: dict[int, Record], changes: Sequence[Change], found: Iterable[Record]) -> tuple[Change, ...]:
    """The changes with the ids that the database gave, if the rows `found` are exactly those expected.

    Raises UnexpectedResult, naming the first row that is not.
    """
    # The whole table is compared, also what the plan does not touch: a trigger may have changed other rows.
    rows = {record.id: record for record in found}
    if rows == expected and not [change for change in changes if change.before is None]:
        return tuple(changes)  # all at once: this is done under the lock
    for id_, row in expected.items():
        if rows.pop(id_, None) != row:
            raise UnexpectedResult(
                f"After the changes, row {id_} is not {row.key} with applied = {row.applied}.", *INTERFERED
            )
    made = []
    for change in changes:
        if change.after is not None and change.after.id is None:
            after = change.after
            given = next((row for row in rows.values() if row._replace(id=None) == after), None)
            if given is None:
                raise UnexpectedResult(f"After the changes, the inserted row {after.key} is missing.", *INTERFERED)
            del rows[given.id]
            change = replace(change, after=given)
        made.append(change)
    if rows:
        strangers = ", ".join(str(row.key) for row in rows.values())
        raise UnexpectedResult(
            f"After the changes, the table has rows that are not from migsync: {strangers}.", *INTERFERED
        )
    return tuple(made)
