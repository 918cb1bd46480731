"""A plan made ready for a script, or refused as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import migsync
from migsync.engines.script import ChangeRow, KeptRow, ScriptPlan
from migsync.errors import Blocked, MigsyncError
from migsync.rewrites.record import Record
from migsync.sync.comparison import new_plan
from migsync.sync.journal.tables import as_row
from migsync.sync.plan import Change, Plan
from migsync.sync.run import Run, RunKind
from migsync.sync.undo import DEDUPE, known_digests, reversed_changes


def script_plan(
    plan: Plan,
    records: Iterable[Record] | None = None,
    *,
    journal: bool = True,
    undone_plan: str = "",
    reason: str = "",
) -> ScriptPlan:
    """The plan for a script; raises Blocked or MigsyncError for a plan that cannot be one.

    `records` are all rows of the target, where they are known. `undone_plan` is the plan whose run this one
    takes back, or empty.
    """
    if plan.blocked:
        raise Blocked(
            "The plan has errors and cannot be applied.",
            "A script would do what `migsync apply` refuses.",
            f"To see the errors: {plan.target.plan_command}",
        )
    if not plan.changes and not (journal and (plan.passed or plan.returned)):
        raise MigsyncError("The plan changes no rows, so there is no script.")
    kind = RunKind.UNDO if undone_plan or plan.undoes else RunKind.APPLY
    known = as_row(_run_of(plan, kind, reason)) if journal else {}
    return ScriptPlan(
        id=plan.id,
        rows=tuple(_rows(plan)),
        schema=plan.target.schema,
        done="applied" if kind is RunKind.APPLY else "undone",
        journal_row={column: str(value) for column, value in known.items() if value is not None},
        undoes=plan.undoes,
        undone_plan=undone_plan,
        duplicates=tuple(
            n for n, change in enumerate(plan.changes, start=1) if change.cause == DEDUPE and change.before is None
        ),
        kept=None if records is None or kind is RunKind.UNDO else tuple(_kept(plan, records)),
    )


def _run_of(plan: Plan, kind: RunKind, reason: str = "") -> Run:
    """The run of a plan as far as it is known before; a script cannot know the ids of new rows."""
    return Run(
        id="",
        number=0,
        kind=kind,
        plan_id=plan.id,
        at="",
        author="",
        version=migsync.__version__,
        reason=reason,
        passed=plan.passed,
        returned=plan.returned,
        changes=plan.changes,
        digests=plan.digests,
    )


def reverse(plan: Plan) -> Plan:
    """The plan that takes `plan` back, as far as it can be known before it was applied."""
    return Plan(
        target=plan.target,
        changes=tuple(reversed_changes(plan.changes, f"undo of plan {plan.id[:12]}")),
        fingerprints=plan.fingerprints_after,
        fingerprints_after=plan.fingerprints,
        passed=tuple(reversed(plan.returned)),
        returned=tuple(reversed(plan.passed)),
        findings=plan.findings,
        digests=known_digests(_run_of(plan, RunKind.APPLY)),
    )


def row_of(change: Change) -> Record:
    """The row of a change, as it is after it or was before; its id and `applied` are the same in both."""
    return change.after or change.before or Record(None, "", "", None)


def _rows(plan: Plan) -> Iterator[ChangeRow]:
    ids, names = set[int](), set[tuple[str, str]]()
    for n, change in enumerate(plan.changes, start=1):
        before, after = change.before, change.after
        # A script finds the row by its id, and its UPDATE sets the app and the name alone.
        if before and after and (before.id is None or before.id != after.id or before.applied != after.applied):
            raise _unsound(plan, f"The change of {before.key} would change the id or the timestamp of its row.")
        row_id, _, _, applied = row_of(change)
        if row_id is not None and row_id in ids:
            raise _unsound(plan, f"The plan changes row {row_id} twice.")
        if after and after.key in names and not _comes_back(change):
            raise _unsound(plan, f"The plan gives the name {after.key} to two rows.")
        ids |= {row_id} if row_id is not None else set()
        names |= {after.key} if after else set()
        for text in (*(before or ())[1:], *(after or ())[1:]):
            _check(text)
        yield ChangeRow(
            n,
            row_id,
            applied,
            before.app if before else None,
            before.name if before else None,
            after.app if after else None,
            after.name if after else None,
        )


def _kept(plan: Plan, records: Iterable[Record]) -> Iterator[KeptRow]:
    """The rows that the changed apps have besides those that change."""
    rows = [row for change in plan.changes for row in (change.before, change.after) if row]
    apps, ids = {row.app for row in rows}, {row.id for row in rows}
    for row_id, app, name, applied in records:
        if app in apps and row_id is not None and row_id not in ids:
            for text in (app, name, applied):
                _check(text)
            yield KeptRow(row_id, applied, app, name)


def _comes_back(change: Change) -> bool:
    """True for a removed row that comes back under its id: it may share its name with others, as it did before."""
    return change.before is None and change.after is not None and change.after.id is not None


def _check(text: object) -> None:
    """Refuse what could end a line or hide from a reader; everything else can be quoted."""
    if isinstance(text, str) and not text.isprintable():
        raise MigsyncError(
            f"A row contains {text!r}, which has a character that cannot be printed.",
            "Nobody who reads the script could see what it does.",
            "Apply the plan without a script: migsync apply",
        )


def _unsound(plan: Plan, found: str) -> MigsyncError:
    return MigsyncError(found, "migsync never plans this: the plan was edited.", f"{new_plan(plan)} -o FILE")
