"""Plans as text: per target what changes, old and new name side by side, and what is refused and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line, table
from migsync.cli.views.findings import findings_blocks
from migsync.cli.views.lists import cut, more, same_in
from migsync.engines import engine_named
from migsync.errors import UnknownEngine
from migsync.findings import Severity
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite
from migsync.sync.comparison import INFERRED, RECORDED
from migsync.sync.plan import Change, ChangeKind, Plan
from migsync.sync.stated_records import ABSENT
from migsync.sync.stored_changes import kinds_of
from migsync.words import count

HEADER = ("", "old name", "new name", "applied")
SHOWN = 10
"""On a terminal, so many changes of one app are shown."""


def plan_blocks(
    plan: Plan,
    *,
    shorten: bool = False,
    labels: Mapping[str, str] = MappingProxyType({}),
    about: str = "",
    after_summary: bool = False,
    others: Sequence[str] = (),
) -> list[Block]:
    """One target's plan: where it stands, what was found, what changes.

    `shorten` leaves out the end of a long app and says how many rows that were. `labels` are the file names of
    rewrites by id, for plans that were made from a journal and do not know them. `about` is a line under the first.
    `after_summary`: a line about the target was shown already. `others` are targets with a plan that does the same.
    """
    blocks: list[Block] = [heading(plan.target.alias, plan.target.engine, standing(plan, short=after_summary))]
    blocks += same_in(others, indent=2, findings=plan.findings)
    blocks += [line(about, indent=2)] if about else []
    blocks += [line("applies ", labels.get(rewrite.id, rewrite.source), indent=2) for rewrite in plan.passed]
    blocks += [line("reverts ", labels.get(rewrite.id, rewrite.source), indent=2) for rewrite in plan.returned]
    blocks += findings_blocks(plan.findings, indent=2, shorten=shorten)
    for app, changes in groupby(sorted(plan.changes, key=_app), key=_app):
        found = list(changes)
        blocks += [EMPTY, line(Span(app, Style.HEADING), "  ", kinds(found), indent=2)]
        blocks += _changes(plan, found, shorten)
    return blocks


def heading(alias: str, engine: str, state: Span) -> Line:
    """The first line about a target."""
    return line(Span(alias, Style.HEADING), f"  {engine_title(engine)}  ", state, hang=2)


def engine_title(name: str) -> str:
    """An engine's name for a person; a plan that was made elsewhere may name one that is not known here."""
    try:
        return engine_named(name).family
    except UnknownEngine:
        return name


def standing(plan: Plan, *, short: bool = False) -> Span:
    """Where a target stands, in a few words; `short`: without the kinds of its changes."""
    if plan.blocked:
        return Span("ahead of the files" if plan.ahead else "blocked", Style.BAD)
    if plan.changes:
        back = ", back to older names" if plan.goes_back else ""
        return Span(f"{needs(plan, short=short)}{back}", Style.WARNING)
    noted = "" if plan.empty else ", only the journal changes"
    if plan.unexplained:
        return Span(f"names match, {count(plan.unexplained, 'unexplained record')}{noted}", Style.WARNING)
    if plan.incomplete:
        return Span(f"names match, {count(plan.incomplete, 'migration')} did not run in full{noted}", Style.WARNING)
    warnings = sum(finding.severity is Severity.WARNING for finding in plan.findings)
    if warnings:
        return Span(f"up to date, with {count(warnings, 'warning')}{noted}", Style.WARNING)
    return Span(f"up to date{noted}", Style.GOOD)


def needs(plan: Plan, *, short: bool = False) -> str:
    """``needs 4 changes: 3 renames, 1 removal``, `short` without the kinds; of an undo ``4 changes to undo``."""
    found = [change.kind for change in plan.changes]
    changes = count(len(found), "change")
    what = f"{changes} to undo" if plan.undoes else f"needs {changes}"
    if short:
        return what
    words = (("rename", ChangeKind.RENAME), ("removal", ChangeKind.REMOVE), ("insertion", ChangeKind.INSERT))
    each = ", ".join(count(found.count(kind), word) for word, kind in words if kind in found)
    return f"{what}: {each}"


def kinds(changes: Iterable[Change]) -> str:
    """``3 renamed, 1 removed``."""
    found = kinds_of(changes)
    words = (("renamed", ChangeKind.RENAME), ("removed", ChangeKind.REMOVE), ("inserted", ChangeKind.INSERT))
    return ", ".join(f"{found[kind]} {word}" for word, kind in words if kind in found) or "no changes"


def summary(plans: Sequence[Plan], unreadable: int = 0) -> str:
    """All targets in one sentence; `unreadable` is the number of those without a plan because of an error."""
    changing = [plan for plan in plans if plan.changes and not plan.blocked]
    blocked = sum(plan.blocked and not plan.ahead for plan in plans)
    ahead = sum(plan.ahead for plan in plans)
    parts = []
    if changing:
        total = sum(len(plan.changes) for plan in changing)
        changes = count(total, "change")
        undone = f"{changes} to undo in {count(len(changing), 'database')}"
        needed = f"{_databases(len(changing), 'needs', 'need')} {changes}"
        parts.append(undone if changing[0].undoes else needed)
    if blocked:
        parts.append(f"{_databases(blocked, 'is', 'are')} blocked")
    if ahead:
        parts.append(f"{_databases(ahead, 'is', 'are')} ahead of the files")
    settled = [plan for plan in plans if not plan.changes and not plan.blocked]
    if doubtful := sum(plan.unexplained > 0 for plan in settled):
        parts.append(f"{_databases(doubtful, 'has', 'have')} unexplained records")
    if incomplete := sum(plan.incomplete > 0 and not plan.unexplained for plan in settled):
        parts.append(f"{_databases(incomplete, 'has', 'have')} migrations that did not run in full")
    if up_to_date := len(settled) - doubtful - incomplete:
        parts.append(f"{_databases(up_to_date, 'is', 'are')} up to date")
    if unreadable:
        parts.append(f"{count(unreadable, 'database')} cannot be read")
    return "; ".join(parts) + "."


def _databases(number: int, one: str, several: str) -> str:
    return f"{count(number, 'database')} {one if number == 1 else several}"


def _app(change: Change) -> str:
    record = change.before or change.after
    return record.app if record else ""


def _changes(plan: Plan, changes: Sequence[Change], shorten: bool) -> list[Block]:
    shown, hidden = cut(changes, SHOWN, shorten=shorten)
    return [table(HEADER, [_row(plan, change) for change in shown], indent=4), *more(hidden, indent=4)]


def _row(plan: Plan, change: Change) -> tuple[Span, Span, Span, Span]:
    before, after = change.before, change.after
    if before and after:
        kept = before.applied or ""
        applied = kept if before.applied == after.applied else f"{kept} -> {after.applied}"
        name = after.name if after.app == before.app else str(after.key)
        return Span("rename", Style.WARNING), Span(before.name), Span(name, Style.GOOD), Span(applied, Style.DIM)
    if before:
        why = Span(f"({_instead(plan, change, before)})", Style.DIM)
        return Span("remove", Style.BAD), Span(before.name), why, Span(before.applied or "", Style.DIM)
    new = after or Record(None, "", "", "")
    applied = new.applied or ("the time of the run" if change.cause in RECORDED else "")
    applied += " (inferred)" if change.cause == INFERRED else ""
    return Span("insert", Style.GOOD), Span("-"), Span(new.name, Style.GOOD), Span(applied, Style.DIM)


def _instead(plan: Plan, change: Change, removed: Record) -> str:
    """What stands for a removed row: the migrations that it was collapsed into, or why it goes."""
    # The row's name is followed through all rewrites. With 0002_a -> 0003_a in the first and 0003_a + 0004_b ->
    # 0003_ab in the second, the removed row 0002_a is now in 0003_ab.
    names, collapsed = {removed.name}, False
    for rewrite in plan.passed:
        if removed.app in rewrite.apps:
            step = rewrite.apps[removed.app]
            collapsed = collapsed or any(not names.isdisjoint(olds) for olds, _ in step.collapsed)
            names = {new for name in names for new in _becomes(step, name)}
    if collapsed and names:
        return f"now in {', '.join(sorted(names))}"
    if change.cause == ABSENT:
        return "not in the database"
    return f"--{change.cause}" if change.cause in {"prune", "dedupe", "unrecord"} else "row removed"


def _becomes(step: AppRewrite, name: str) -> tuple[str, ...]:
    for olds, news in step.collapsed:
        if name in olds:
            return news
    if name in step.removed:
        return ()
    return (dict(step.renamed).get(name, name),)
